"""Time as an argument: a clock that runs and one that is moved by hand. Nothing else asks the system."""

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Protocol


class Clock(Protocol):
    """Seconds since the emulator's start, and the Unix time that start corresponds to."""

    origin: float

    def now(self) -> float: ...

    def advance(self, seconds: float) -> None: ...


class RunningClock:
    """Monotonic time plus what was skipped by :meth:`advance`."""

    def __init__(self) -> None:
        self.origin = time.time()
        self._zero = time.monotonic()

    def now(self) -> float:
        return time.monotonic() - self._zero

    def advance(self, seconds: float) -> None:
        """Skip ahead; never back."""
        self._zero -= max(0.0, seconds)


class VirtualClock:
    """Stands still until it is moved. ``origin`` is 2026-01-01 00:00:00 UTC."""

    def __init__(self, now: float = 0.0) -> None:
        self.origin = 1767225600.0
        self._now = now

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move ahead; never back."""
        self._now += max(0.0, seconds)


def stamp(clock: Clock, at: float, hours_east: int = 0) -> str:
    """``YYYY-MM-DD HH:mm:ss`` without a zone, as every page of the API shows times."""
    zone = timezone(timedelta(hours=hours_east)) if hours_east else UTC
    return datetime.fromtimestamp(clock.origin + at, zone).strftime("%Y-%m-%d %H:%M:%S")
