"""Leader election by one Lease: who may write, and until when.

All decisions rest on our own monotonic clock. Another holder's lease counts as expired when its record has not changed
for its duration while we looked; the times in it are never read. Our own lease counts from the start of the last
renewal that succeeded, so that it ends with us before it ends for anybody else. A leadership that was once lost never
comes back to this process, whatever answer arrives late. How a Lease is read and written does not belong here.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from math import inf
from typing import Final, Protocol

from l7lb.errors import AlreadyExists, ConfigurationError, Conflict, L7lbError, LostLeadership, NotFound
from l7lb.model.lease import LeaseRecord
from l7lb.runtime.clock import Clock
from l7lb.runtime.sighting import Sighting, stamped, went_back

_logger = logging.getLogger(__name__)


LEAST_WAIT_S: Final = 0.05
LATE_WRITE_S: Final = 15.0
"""So long after the end of its lease a write of a leader that froze may still arrive (promise 7)."""
SET_BACK: Final = "the API server was set back to an older state; what is remembered does not count any more"


class LeaseClient(Protocol):
    """One Lease object. Every call has a time-out and raises classes of `errors`, Unavailable when nobody knows."""

    def get(self) -> LeaseRecord:
        """The record as the API server has it; raises NotFound."""
        ...

    def create(self, record: LeaseRecord) -> LeaseRecord:
        """Raises AlreadyExists (or Conflict) when somebody was faster."""
        ...

    def update(self, record: LeaseRecord) -> LeaseRecord:
        """Replace what has this resourceVersion; raises Conflict when it moved, NotFound when it is gone."""
        ...


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. A write is sent only with `write_margin_s` of the lease left: longer than a cloud call can take."""

    lease_s: int = 30
    renew_s: float = 5.0
    give_up_s: float = 20.0
    poll_s: float = 2.0
    retry_s: float = 1.0
    write_margin_s: float = 15.0


class State(Enum):
    """Where an elector stands."""

    CANDIDATE = "candidate"
    HOLDER = "holder"
    LOST = "lost"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Action:
    """What a step has come to, and how many seconds to wait before the next."""

    state: State
    wait_s: float


@dataclass(frozen=True, slots=True)
class Term:
    """Our leadership, in monotonic seconds."""

    taken_over_at: float
    previous_expiry: float | None
    """When the lease of a holder that did not release it was over; a write of his may be on its way a little longer."""

    def settled(self, now: float) -> bool:
        """Whether all writes of that holder have arrived, so that what is read can be believed."""
        return self.previous_expiry is None or now >= self.previous_expiry + LATE_WRITE_S


class Elector:
    """`step` and `release` belong to one thread, `watch_over` to another, the rest to any."""

    def __init__(
        self,
        client: LeaseClient,
        identity: str,
        clock: Clock,
        *,
        timing: Timing | None = None,
        wait: bool = True,
        on_lost: Callable[[str], None],
    ) -> None:
        """`identity` is unique to this process. Without `wait`, a lease that another renews is a configuration error.

        `on_lost` is called once, with the reason, on whichever thread finds out; it is expected to end the process.
        A candidate is ended as well when the API server was set back to an older state.
        """
        self._client = client
        self.identity = identity
        self._clock = clock
        self._timing = timing if timing is not None else Timing()
        self._may_wait = wait
        self._on_lost = on_lost
        self._lock = threading.Lock()
        self._state = State.CANDIDATE
        self._ours = partial(stamped, clock=clock, holder=identity, duration_s=self._timing.lease_s)
        self._free = partial(stamped, clock=clock, holder="", duration_s=1)
        self.seen = Sighting(identity, self._timing.lease_s)
        """Only to be read by others."""
        self._renewed_at = 0.0
        self._previous_expiry: float | None = None
        self.is_shared = False
        """Whether others of the same identity hold the lease with us; set before it is run. It is never let go then."""
        self.courtesy: Callable[[LeaseRecord], float] = lambda _record: 0.0
        """For how many seconds a free lease is left to others; infinite: it is only looked at."""
        self.awaited = ""
        """Who had the lease when we last looked and did not get it."""
        self.term: Term | None = None
        """Set when leadership is taken."""
        self.stopping = threading.Event()
        self.decided = threading.Event()
        """Set when leadership is taken, and when it will never be."""
        self._wake = threading.Event()

    def holds(self, now: float) -> bool:
        """Whether we are the leader, however long a request may hang just now."""
        with self._lock:
            return self._state is State.HOLDER and now < self._renewed_at + self._timing.give_up_s

    def remaining(self, now: float) -> float:
        """Seconds of our lease left, counted from the start of the last renewal that succeeded."""
        with self._lock:
            ends = self._renewed_at + self._timing.lease_s
            return max(0.0, ends - now) if self._state is State.HOLDER else 0.0

    def step(self) -> Action:
        """One round of requests: renew what we hold, else look at it and take it when it is free."""
        with self._lock:
            state = self._state
        try:
            wait_s = self._renew() if state is State.HOLDER else self._campaign() if state is State.CANDIDATE else 0.0
        except ConfigurationError:
            raise
        except L7lbError as error:
            _logger.warning("lease: %s: %s", type(error).__name__, error)
            wait_s = self._timing.retry_s if state is State.HOLDER else self._timing.poll_s
        with self._lock:
            return Action(self._state, wait_s)

    def observe(self, record: LeaseRecord) -> None:
        """A watch has seen the Lease: a candidate need not wait for its next look."""
        with self._lock:
            if self._state is not State.CANDIDATE:
                return
            self.seen.note(record, self._clock.monotonic())
        self._wake.set()

    def watch_over(self) -> float:
        """Give leadership up when its time is over, also while a request hangs; seconds until that may be."""
        now = self._clock.monotonic()
        with self._lock:
            if self._state is not State.HOLDER:
                return self._timing.retry_s
            left_s = self._renewed_at + self._timing.give_up_s - now
        if left_s <= 0:
            self._lose(f"the lease could not be renewed for {self._timing.give_up_s:g} s")
        return max(0.0, left_s)

    def release(self) -> None:
        """Let the next one begin at once. Only after the last write; an answer that never comes costs them the wait."""
        with self._lock:
            if self._state is not State.HOLDER:
                return
            self._state = State.RELEASED
            record = self.seen.record
        assert record is not None
        if self.is_shared:
            return  # whether we are the last nobody knows: it ends by itself
        if self.term is not None and not self.term.settled(self._clock.monotonic()):
            _logger.info("lease: left to expire, a write of the holder before us may still be on its way")
            return
        try:
            try:
                self._client.update(self._free(record))
            except Conflict:
                record = self._client.get()
                if record.holder == self.identity:
                    self._client.update(self._free(record))
        except L7lbError as error:
            _logger.warning("lease: not released, it will expire: %s", error)

    def run(self) -> None:
        """Campaign, hold, and release at `stop`; returns early only when leadership is lost."""
        try:
            while not self.stopping.is_set():
                action = self.step()
                if action.state is State.LOST:
                    return
                self._wake.wait(action.wait_s)
                self._wake.clear()
            self.release()
        except BaseException:
            self._lose("the elector has died")
            raise
        finally:
            self.stopping.set()
            self.decided.set()

    def run_watchdog(self) -> None:
        """The second thread: until `run` has ended."""
        while not self.stopping.wait(min(self.watch_over(), self._timing.retry_s)):
            pass

    def stop(self) -> None:
        """End `run`."""
        self.stopping.set()
        self._wake.set()

    def _campaign(self) -> float:
        with self._lock:
            record, free = self.seen.record, self.seen.is_free(self._clock.monotonic())
        if record is None or not free:
            try:
                found = self._client.get()
            except NotFound:
                left_s = self.seen.anothers(self._clock.monotonic())
                if self.courtesy(LeaseRecord("", 0)) == inf:
                    return self._timing.poll_s
                return min(self._timing.poll_s, left_s) if left_s > 0 else self._take(None)
            if went_back(self.seen.record, found):
                self._lose(SET_BACK)
                return 0.0
            with self._lock:
                now = self._clock.monotonic()
                self.seen.note(found, now)
                record, free = self.seen.record, self.seen.is_free(now)
        assert record is not None
        if free:
            waits_s = self.seen.free_since(record) + self.courtesy(record) - self._clock.monotonic()
            if waits_s <= 0:
                return self._take(record)
            self.seen.outdated()  # others may take it meanwhile
            return min(self._timing.poll_s, max(waits_s, LEAST_WAIT_S))
        if not self._may_wait and self.seen.is_alive:
            # The lease of a process that was killed names it too: only a renewal says that it is held.
            raise ConfigurationError(f"--no-leader-elect: the lease is held by {record.holder}; stop it first")
        with self._lock:
            left_s = max(0.0, self.seen.expiry(record) - self._clock.monotonic())
        if record.holder != self.awaited:
            self.awaited = record.holder
            _logger.info("lease: %s has it; it is free in %.0f s unless it is renewed", record.holder, left_s)
        return min(self._timing.poll_s, left_s)

    def _take(self, record: LeaseRecord | None) -> float:
        started = self._clock.monotonic()
        last = record if record is not None else self.seen.record  # whose object may have vanished meanwhile
        if last is None or last.holder == "":
            self._previous_expiry = None
        elif last.holder != self.identity:
            self._previous_expiry = self.seen.expiry(last)
        elif self.is_shared:
            self._previous_expiry = started  # whose it was before us cannot be known; it was over by now
        try:
            if record is None:
                taken = self._client.create(self._ours(LeaseRecord("", 0)))
            else:
                taken = self._client.update(self._ours(record))
        except (Conflict, AlreadyExists, NotFound):
            with self._lock:
                self.seen.outdated()
            return 0.0
        now = self._clock.monotonic()
        with self._lock:
            self.seen.note(taken, now)
            if now - started >= self._timing.give_up_s:
                return 0.0  # The answer took so long that what it gives is used up; the next look finds it ours.
            self._state, self._renewed_at = State.HOLDER, started
            self.term = Term(now, self._previous_expiry)
        _logger.info("lease: taken by %s", self.identity)
        self.decided.set()
        return max(0.0, started + self._timing.renew_s - now)

    def _renew(self) -> float:
        started = self._clock.monotonic()
        if self.watch_over() <= 0:
            return 0.0
        with self._lock:
            record = self.seen.record
        assert record is not None
        try:
            renewed = self._client.update(self._ours(record))
        except Conflict:
            return self._settle(self._client.get())
        except NotFound:
            renewed = self._client.create(replace(self._ours(record), resource_version=""))
        if went_back(record, renewed):
            self._lose(SET_BACK)
            return 0.0
        now = self._clock.monotonic()
        with self._lock:
            self.seen.record = renewed
            in_time = now < self._renewed_at + self._timing.give_up_s
            if in_time and self._state is State.HOLDER:
                self._renewed_at = started
        if not in_time:
            self._lose("the renewal was answered too late")
        return max(0.0, started + self._timing.renew_s - now)

    def _settle(self, found: LeaseRecord) -> float:
        """Our update met another version: an answer of our own that was lost, an edit, or another holder."""
        if went_back(self.seen.record, found):
            self._lose(SET_BACK)
        elif found.holder == self.identity:
            with self._lock:
                self.seen.record = found
        else:
            self._lose(f"the lease was taken by {found.holder or 'nobody'}")
        return 0.0

    def _lose(self, reason: str) -> None:
        with self._lock:
            if self._state is not State.HOLDER and reason != SET_BACK:
                return
            self._state = State.LOST
        _logger.error("lease: lost: %s", reason)
        self._on_lost(reason)


class Lead(Protocol):
    """A leadership, of one Lease or of several that count only together; times are monotonic."""

    @property
    def term(self) -> Term | None:
        """Set when it was taken."""
        ...

    def holds(self, now: float) -> bool:
        """Whether it is ours."""
        ...

    def remaining(self, now: float) -> float:
        """Seconds left of it."""
        ...


class WriteGuard:
    """Asked directly before each write to the cloud or the cluster."""

    def __init__(self, elector: Lead, clock: Clock, timing: Timing | None = None) -> None:
        self._elector = elector
        self._clock = clock
        self._margin_s = (timing if timing is not None else Timing()).write_margin_s

    def check(self, now: float | None = None) -> None:
        """Raises LostLeadership unless we lead and have enough of the lease left for one call; `now` is monotonic."""
        now = self._clock.monotonic() if now is None else now
        if not self._elector.holds(now):
            raise LostLeadership("not the leader")
        remaining_s = self._elector.remaining(now)
        if remaining_s < self._margin_s:
            raise LostLeadership(f"only {remaining_s:.1f} s of the lease are left", for_now=True)
