"""Waiting with an end: every wait has a deadline, and says what it waited for. What is waited for is not known here."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

LOOK_EVERY_S = 0.1


class Surprise(Exception):
    """Something that the demo did not expect; the text is the reason that is shown."""


@dataclass
class Patience:
    """How to wait. Each of `watchers` is called between two looks and raises a Surprise when waiting is pointless."""

    watchers: list[Callable[[], None]] = field(default_factory=list)

    def until(self, what: str, look: Callable[[], T | None], seconds: float, so_far: Callable[[], str] = str) -> T:
        """The first thing that `look` finds (False and None are nothing); `so_far` says how far it had come."""
        ends = time.monotonic() + seconds
        while True:
            found = look()
            if found is not None and found is not False:
                return found
            if time.monotonic() >= ends:
                detail = so_far()
                raise Surprise(f"waited {seconds:g} s for {what}" + (f"; so far: {detail}" if detail else ""))
            self.rest(LOOK_EVERY_S)

    def rest(self, seconds: float) -> None:
        """Let time pass."""
        for watcher in self.watchers:
            watcher()
        time.sleep(seconds)


def expect(is_so: bool, reason: str) -> None:
    """Raise a Surprise with this reason unless it is so."""
    if not is_so:
        raise Surprise(reason)


def expect_same(what: str, found: object, wanted: object) -> None:
    """Raise a Surprise that shows both unless they are equal."""
    if found != wanted:
        raise Surprise(f"{what}: expected {_shown(wanted)}, found {_shown(found)}")


def _shown(value: object) -> str:
    if isinstance(value, frozenset | set):
        return "{" + ", ".join(sorted(map(str, value))) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(str, value)) + "]"
    return str(value)
