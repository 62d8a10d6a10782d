"""When a target counts as healthy, and when it is looked at next. Pure: time is an argument, probes are elsewhere."""

import heapq
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar

Status: TypeAlias = Literal["Alive", "Dead", "Unknown", "Close"]
"""The values of HealthStatusDetail (DescribeTargetHealth page). Close: the check is off."""

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one target in one rule."""

    status: Status = "Unknown"
    successes: int = 0
    failures: int = 0


def judge(verdict: Verdict, success: bool, healthy_num: int, unhealthy_num: int) -> Verdict:
    """The verdict after one more probe: it turns only after a whole window of equal results."""
    if success:
        successes = verdict.successes + 1
        return Verdict("Alive" if successes >= healthy_num else verdict.status, successes, 0)
    failures = verdict.failures + 1
    return Verdict("Dead" if failures >= unhealthy_num else verdict.status, 0, failures)


def switched(verdict: Verdict | None, enabled: bool) -> Verdict:
    """The verdict when a target is bound or the rule's health check changes.

    A new target is Unknown. One that was served without a check keeps being served until it fails.
    """
    if not enabled:
        return Verdict("Close")
    if verdict is None:
        return Verdict()
    return Verdict("Alive") if verdict.status == "Close" else verdict


def status_accepted(status: int, mask: int) -> bool:
    """Whether an HTTP status lies in a class that HttpCode names (1=1xx, 2=2xx, 4=3xx, 8=4xx, 16=5xx)."""
    return 100 <= status <= 599 and bool(mask & (1 << (status // 100 - 1)))


class Schedule(Generic[Key]):
    """Which key is due. A key has at most one date; a later ``put`` replaces an earlier one."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Key]] = []
        self._entry: dict[Key, int] = {}
        self._count = 0

    def put(self, key: Key, due: float) -> None:
        """Set the date of ``key``, in seconds of any one clock."""
        self._count += 1
        self._entry[key] = self._count
        heapq.heappush(self._heap, (due, self._count, key))

    def drop(self, key: Key) -> None:
        """Forget ``key``; unknown ones are ignored."""
        self._entry.pop(key, None)

    def next_due(self) -> float | None:
        """The earliest date, or None when nothing is planned."""
        while self._heap:
            due, count, key = self._heap[0]
            if self._entry.get(key) == count:
                return due
            heapq.heappop(self._heap)
        return None

    def take(self, now: float) -> Key | None:
        """The key that has been due longest, removed from the schedule, or None."""
        due = self.next_due()
        if due is None or due > now:
            return None
        key = heapq.heappop(self._heap)[2]
        del self._entry[key]
        return key
