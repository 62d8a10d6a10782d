"""Keys without end that all want one action, the product's queue and limiter, and others who call it as well."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from l7lb.adapters.clb.calls import Caller, CallRecord, Request
from l7lb.adapters.clb.ratelimit import RateLimits
from l7lb.adapters.clb.sdk import Refusal
from l7lb.model.lane import Lane
from l7lb.model.outcome import Again, Outcome
from l7lb.runtime.controller import Controller
from l7lb.runtime.workqueue import Deadline, Taken, WorkQueue
from tests.emulators.clb.emulator import ClbEmulator
from tests.simulation.clock import SimClock
from tests.simulation.toll import Toll
from tests.simulation.wires import CloudWire

REGION = "ap-guangzhou"
ACTION = "DescribeLoadBalancers"
REQUEST = Request("clb", ACTION, {"Limit": 1})


@dataclass
class Street:
    """`neighbour`: calls a second that somebody else makes, by the clock; refused or not, he makes the next one."""

    neighbour: Callable[[float], float]
    keys: int = 40
    sent: list[tuple[float, str]] = field(default_factory=list)
    """When and how each call of ours was answered."""
    passes: int = 0
    repeated: int = 0
    """Calls that were a second try."""

    def __post_init__(self) -> None:
        self.clock = SimClock()
        cloud = ClbEmulator(seed=None, latency=0.0, clock=self.clock, wall=self.clock.time)
        self._wire = CloudWire(cloud, self.clock, Toll(), lambda _action, _params: None, self.clock.advance)
        self.limits = RateLimits(self.clock.monotonic)
        self._caller = Caller(
            self._wire, self.limits, on_call=self._heard, sleep=self._sleep, clock=self.clock.monotonic
        )
        self._queue = WorkQueue(workers=8)
        self._controller = Controller(self._queue, self._pass, self.clock)
        self._next = 0.0
        self._tries = 0
        for number in range(self.keys):
            self._queue.add(f"key-{number}", Lane.CHANGE, 0.0)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            came = self._controller.process_next()
            if not isinstance(came, Taken):
                due = self.clock.now() + came.after_s if isinstance(came, Deadline) else end
                self._until(min(due, end))

    def answered(self, begin: float, end: float, code: str = "OK") -> int:
        """How many calls of ours were answered so in this time."""
        return sum(begin <= at < end and found == code for at, found in self.sent)

    def rate(self) -> float:
        """What we allow ourselves now."""
        return self.limits.rates()[(REGION, "clb", ACTION)]

    def _pass(self, _key: str, lane: Lane) -> Outcome:
        self.passes += 1
        self._tries = 0
        self._caller.call(REQUEST, region=REGION, lane=lane)
        return Again(0.0, "once more")

    def _heard(self, record: CallRecord) -> None:
        self.sent.append((self.clock.now(), record.code))
        self.repeated += self._tries
        self._tries = 0

    def _sleep(self, seconds: float) -> None:
        self._tries = 1
        self._until(self.clock.now() + seconds)

    def _until(self, end: float) -> None:
        """Move the clock, the neighbour calling on the way."""
        while True:
            rate = self.neighbour(self.clock.now())
            due = max(self._next, self.clock.now()) if rate > 0 else end + 1.0
            if due > end:
                self.clock.advance(max(end - self.clock.now(), 1e-6))
                return
            self.clock.advance(due - self.clock.now())
            self._next = due + 1.0 / rate
            with contextlib.suppress(Refusal):
                self._wire.send("clb", ACTION, REGION, REQUEST.params)
