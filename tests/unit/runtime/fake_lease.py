"""A Lease at an API server in memory, and calls to it that fail in every way a call can fail."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from l7lb import errors
from l7lb.model.lease import LeaseRecord
from tests.unit.runtime.fake_clock import FakeClock


class FakeLease:
    """What the API server holds."""

    def __init__(self) -> None:
        self.record: LeaseRecord | None = None
        self.version = 0

    def store(self, record: LeaseRecord) -> LeaseRecord:
        self.version += 1
        self.record = replace(record, resource_version=str(self.version))
        return self.record


class FakeLeaseClient:
    """One process's way to the Lease; `faults` hit its next calls.

    refused: not done. unanswered: done, but the answer is lost. A number: it takes so many seconds, done at the end;
    a negative one: done at the start.
    """

    def __init__(self, lease: FakeLease, clock: FakeClock, sleep: Callable[[float], None] | None = None) -> None:
        self._lease = lease
        self._sleep = sleep if sleep is not None else clock.advance
        self.faults: deque[str | float] = deque()
        self.calls = 0

    def get(self) -> LeaseRecord:
        return self._call(self._get)

    def create(self, record: LeaseRecord) -> LeaseRecord:
        return self._call(lambda: self._create(record))

    def update(self, record: LeaseRecord) -> LeaseRecord:
        return self._call(lambda: self._update(record))

    def _call(self, work: Callable[[], LeaseRecord]) -> LeaseRecord:
        self.calls += 1
        match self.faults.popleft() if self.faults else 0.0:
            case "refused":
                raise errors.Unavailable("connection refused")
            case "unanswered":
                work()
                raise errors.Unavailable("time-out")
            case float(seconds) if seconds < 0:
                done = work()
                self._sleep(-seconds)
                return done
            case float(seconds):
                if seconds:
                    self._sleep(seconds)
                return work()
            case fault:
                raise AssertionError(fault)

    def _get(self) -> LeaseRecord:
        if self._lease.record is None:
            raise errors.NotFound("lease")
        return self._lease.record

    def _create(self, record: LeaseRecord) -> LeaseRecord:
        if self._lease.record is not None:
            raise errors.AlreadyExists("lease")
        return self._lease.store(record)

    def _update(self, record: LeaseRecord) -> LeaseRecord:
        if self._lease.record is None:
            raise errors.NotFound("lease")
        if self._lease.record.resource_version != record.resource_version:
            raise errors.Conflict("the lease moved")
        return self._lease.store(record)
