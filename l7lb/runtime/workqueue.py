"""The work queue: keys, not events. What is queued is folded, what is worked on is never worked on twice at once.

The order is that of `lanes`; VERIFY never gets more than a quarter of the workers. `take(now)` is passive, `get` is
the thin blocking side. What a key means, and what to do with it, does not belong here.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from l7lb.model.lane import Lane
from l7lb.runtime.clock import Clock
from l7lb.runtime.delays import Delays
from l7lb.runtime.lanes import ReadyLanes, Reasons, Row, budget_of, merge, row_of
from l7lb.runtime.ratelimit import RetryLimiter

WAKE_S = 10.0
"""An idle worker looks up at least so often, in case a wake-up was lost."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A key to work on, and why; it is the taker's until `done`."""

    key: str
    lane: Lane
    waited_s: float = field(default=0.0, compare=False)
    """Since it was ready; no part of what it is."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """Nothing to do before so many seconds have passed."""

    after_s: float


class QueueMetrics(Protocol):
    """The conventional workqueue metrics; a key that waits in two lanes is counted in both depths."""

    def depth(self, lane: Lane, keys: int) -> None:
        """So many keys are ready in this lane now."""
        ...

    def added(self, lane: Lane) -> None:
        """An add was accepted, not folded into one that waits already."""
        ...

    def taken(self, lane: Lane, waited_s: float) -> None:
        """A key was handed out so long after it became ready."""
        ...

    def worked(self, seconds: float) -> None:
        """A key was given back."""
        ...

    def retried(self) -> None:
        """A rate-limited add."""
        ...


class NoQueueMetrics:
    """Counts nothing."""

    def depth(self, lane: Lane, keys: int) -> None:
        """Ignore."""

    def added(self, lane: Lane) -> None:
        """Ignore."""

    def taken(self, lane: Lane, waited_s: float) -> None:
        """Ignore."""

    def worked(self, seconds: float) -> None:
        """Ignore."""

    def retried(self) -> None:
        """Ignore."""


@dataclass(frozen=True, slots=True)
class _Running:
    started: float
    row: Row


class WorkQueue:
    """Safe to call from any thread; the callers bring the time (monotonic seconds of one clock)."""

    def __init__(
        self, *, workers: int = 1, limiter: RetryLimiter | None = None, metrics: QueueMetrics | None = None
    ) -> None:
        self._verify_max = max(1, workers // 4)
        self._limiter = limiter if limiter is not None else RetryLimiter()
        self._metrics: QueueMetrics = metrics if metrics is not None else NoQueueMetrics()
        self._changed = threading.Condition()
        self._ready = ReadyLanes()
        self._delays = Delays()
        self._running: dict[str, _Running] = {}
        self._again: dict[str, Reasons] = {}
        self._closed = False

    def add(self, key: str, lane: Lane, now: float, urgent: bool = False) -> None:
        """Ready at once; while the key is worked on: once more afterwards."""
        with self._changed:
            if not self._closed and self._add(key, row_of(lane, urgent), now):
                self._metrics.added(lane)
                self._changed.notify()

    def add_after(self, key: str, lane: Lane, delay_s: float, now: float) -> None:
        """Ready after `delay_s`. One wait a key, and one for its verification: the earlier time wins.

        An `add` overtakes a wait without ending it.
        """
        if delay_s <= 0:
            self.add(key, lane, now)
            return
        with self._changed:
            if not self._closed:
                if self._delays.put(key, row_of(lane, urgent=False), now + delay_s, now):
                    self._metrics.added(lane)
                self._changed.notify()

    def add_rate_limited(self, key: str, lane: Lane, now: float) -> float:
        """As `add_after` with the delay that the limiter asks for, which is returned; counts one failure."""
        with self._changed:
            delay_s = self._limiter.when(key, now)
            self._metrics.retried()
        self.add_after(key, lane, delay_s, now)
        return delay_s

    def forget(self, key: str) -> None:
        """The next failure of this key is its first. Does not touch what is queued."""
        with self._changed:
            self._limiter.backoff.forget(key)

    def take(self, now: float) -> Taken | Deadline | None:
        """A key to work on; else when to ask again; None: not before an `add` or a `done`, or never after the end."""
        with self._changed:
            for key, row, since in self._delays.pop_due(now):
                self._add(key, row, since)
            verifying = sum(running.row is Row.VERIFY for running in self._running.values())
            row_next = self._ready.choose(now, may_verify=verifying < self._verify_max)
            if row_next is not None:
                return self._hand_out(row_next, now)
            due = self._delays.next_due()
            return None if due is None else Deadline(due - now)

    def done(self, key: str, now: float) -> None:
        """Give a key back. What came in meanwhile makes it ready again."""
        with self._changed:
            self._metrics.worked(now - self._running.pop(key).started)
            for row, since in self._again.pop(key, {}).items():
                self._add(key, row, since)
            self._changed.notify_all()

    def get(self, clock: Clock) -> Taken | None:
        """Block until there is a key; None after `shut_down`."""
        with self._changed:
            while not self._closed:
                match self.take(clock.monotonic()):
                    case Taken() as taken:
                        # The wake-up may have been meant for another key, or for a new due time that nobody waits
                        # for now: somebody else has to look as well.
                        if len(self._ready) or self._delays.next_due() is not None:
                            self._changed.notify()
                        return taken
                    case Deadline(after_s):
                        self._changed.wait(min(after_s, WAKE_S))
                    case None:
                        self._changed.wait(WAKE_S)
            return None

    def shut_down(self) -> None:
        """Accept and hand out nothing more and forget what waits; what is worked on may be finished."""
        with self._changed:
            self._closed = True
            self._ready.clear()
            self._delays.clear()
            self._again.clear()
            for lane in Lane:
                self._metrics.depth(lane, 0)
            self._changed.notify_all()

    def drain(self, timeout_s: float) -> bool:
        """Block until nothing is worked on; False when that took too long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running, timeout_s)

    def depth(self, lane: Lane) -> int:
        """Keys that are ready in this lane; one that waits in two lanes counts in both."""
        with self._changed:
            return self._ready.depth(lane)

    def unfinished(self, now: float) -> tuple[float, float]:
        """Seconds of work on keys that are not given back yet: their sum, and the longest."""
        with self._changed:
            ages = [now - running.started for running in self._running.values()]
        return sum(ages), max(ages, default=0.0)

    def _add(self, key: str, row: Row, since: float) -> bool:
        if key in self._running:
            return merge(self._again.setdefault(key, {}), row, since)
        if changed := self._ready.add(key, row, since):
            self._tell_depth(changed)
        return bool(changed)

    def _hand_out(self, row: Row, now: float) -> Taken:
        key, reasons = self._ready.pop(row)
        self._tell_depth(reasons)
        self._running[key] = _Running(now, row)
        waited_s = max(0.0, now - min(reasons.values()))
        self._metrics.taken(row.lane, waited_s)
        return Taken(key, budget_of(row), waited_s)

    def _tell_depth(self, changed: Iterable[Row]) -> None:
        for row in changed:
            self._metrics.depth(row.lane, self._ready.depth(row.lane))
