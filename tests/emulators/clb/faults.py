"""Faults put in by tests: which call they hit and how often. What they do is up to the places that ask."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.emulators.clb.wire import Json

KINDS = (
    "error", "drop_before", "drop_after", "http_500", "slow", "task_fail", "empty_ids", "partial", "stale_read",
)  # fmt: skip


@dataclass(slots=True)
class Fault:
    """Hits calls of ``action`` (``*``: all): skips ``after``, then hits ``count`` (0: for ever) with chance ``rate``.

    ``snapshot`` is the world as it was when a ``stale_read`` was put in.
    """

    action: str
    kind: str
    code: str = "InternalError"
    message: str = "An internal error has occurred. Retry your request."
    count: int = 1
    after: int = 0
    seconds: float = 1.0
    rate: float = 1.0
    hits: int = 0
    snapshot: Any = None

    def spent(self) -> bool:
        return self.count > 0 and self.hits >= self.count


def parse(body: Json) -> Fault:
    """A fault from the control endpoint; ``ValueError`` for anything unknown."""
    known = {"action", "kind", "code", "message", "count", "after", "seconds", "rate"}
    if unknown := set(body) - known:
        raise ValueError(f"unknown members of a fault: {sorted(unknown)}")
    if body.get("kind") not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    return Fault(**{"action": "*", **body})


class Faults:
    """The faults that wait for their calls."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._waiting.append(fault)

    def clear(self) -> None:
        self._waiting.clear()

    def waiting(self) -> list[Fault]:
        return [fault for fault in self._waiting if not fault.spent()]

    def hit(self, action: str) -> dict[str, Fault]:
        """The faults that hit this call, by kind; the first of each kind wins."""
        struck: dict[str, Fault] = {}
        for fault in self.waiting():
            if fault.action not in ("*", action) or fault.kind in struck:
                continue
            if fault.after > 0:
                fault.after -= 1
            elif fault.rate >= 1.0 or self._dice.random() < fault.rate:
                fault.hits += 1
                struck[fault.kind] = fault
        return struck


def as_json(faults: Iterable[Fault]) -> list[Json]:
    """For the state page."""
    names = ("action", "kind", "code", "message", "count", "after", "seconds", "rate", "hits")
    return [{name: getattr(fault, name) for name in names} for fault in faults]
