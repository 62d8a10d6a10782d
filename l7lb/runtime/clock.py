"""Time as an argument: the only place of the product that asks the machine what time it is.

Decisions rest on `monotonic`; `time` is for what people and other machines read. Sleeping does not belong here.
"""

import time
from typing import Protocol

_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """Both hands of a clock. Never mix the two, nor one clock's `monotonic` with another's."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...

    def time(self) -> float:
        """Seconds since 1970 by the wall clock, which may jump."""
        ...


class SystemClock:
    """The machine's clock. Its monotonic hand also counts the time that the machine was suspended.

    A lease goes on running while a machine sleeps; CLOCK_MONOTONIC would stand still and make us believe in it.
    """

    def monotonic(self) -> float:
        """Seconds since boot, suspension included where the system can tell."""
        return time.clock_gettime(_SINCE_BOOT)

    def time(self) -> float:
        """Seconds since 1970."""
        return time.time()
