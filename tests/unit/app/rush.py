"""A rush hour: the product's queue, workers, verifier and API budget; the passes are models of what real ones call.

A pass holds the interpreter for `CPU_S` and each call takes `CALL_S`; the numbers of calls are those of the budgets
(DESIGN: a build, an endpoint change, a user's change). The cloud refuses nothing: the budget below its quota is meant.
"""

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self

from l7lb.adapters.clb.ratelimit import RateLimits
from l7lb.app.sweep import Sweep
from l7lb.app.verifying import Beat, Verifier
from l7lb.errors import Throttled
from l7lb.model.identity import BindingKey, CloudRef, ListenerId, LocationId
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedListener, Target
from l7lb.model.outcome import Again, Done, Outcome
from l7lb.reconciler.observations import Observations, read
from l7lb.runtime.controller import Controller
from l7lb.runtime.workqueue import Deadline, Taken, WorkQueue
from tests.simulation.clock import SimClock
from tests.unit.app.account import Account, ref
from tests.unit.app.hands import Hands
from tests.unit.app.room import CLUSTER, REGION, SETTINGS, Room, named, served
from tests.unit.translator.builders import ingress, rule

WORKERS: Final = 8
CALL_S: Final = 0.08
CPU_S: Final = 0.004
IDLE_S: Final = 0.02
TASK_S: Final = 0.5
BUILD: Final = (
    "DescribeLoadBalancers", "CreateLoadBalancer", "task", "DescribeLoadBalancers", "CreateListener", "task",
    "CreateRule", "task", "DescribeListeners", "BatchRegisterTargets",
)  # fmt: skip
CHANGE: Final = ("CreateRule", "task", "DescribeListeners")
ORDER: Final = {"removal": 0, "change": 1}
REMOVE: Final = ("BatchDeregisterTargets",)
ADD: Final = ("BatchRegisterTargets",)


@dataclass(slots=True)
class Deed:
    """Calls to be made for one reason, and when the first was."""

    why: str
    asked: float
    calls: deque[str]
    issued: float | None = None


@dataclass
class Wire(Account):
    """An account whose reads go through the budget and take time."""

    rush: "Rush | None" = None

    def find(self, region: str, tags: Mapping[str, str]) -> tuple[LoadBalancerHead, ...]:
        """Pages of 100; the later ones are borrowed."""
        for page in range(max(1, len(self.heads_by_id) // 100)):
            self._ask("DescribeLoadBalancers", borrow=page > 0)
        return super().find(region, tags)

    def heads(self, refs: tuple[CloudRef, ...], *, ahead: bool = False) -> Mapping[CloudRef, LoadBalancerHead]:
        """One call."""
        self._ask("DescribeLoadBalancers", borrow=ahead)
        return super().heads(refs, ahead=ahead)

    def listeners(self, head: LoadBalancerHead) -> tuple[ObservedListener, ...]:
        """One call."""
        self._ask("DescribeListeners")
        return super().listeners(head)

    def targets(self, ref: CloudRef) -> Mapping[tuple[ListenerId, LocationId], tuple[Target, ...]]:
        """One call."""
        self._ask("DescribeTargets")
        return super().targets(ref)

    def at(self, lane: Lane) -> Self:
        """Shares everything but the lane."""
        return replace(self, lane=lane)

    def _ask(self, action: str, *, borrow: bool = False) -> None:
        assert self.rush is not None
        self.rush.call(action, self.lane, borrow=borrow)


@dataclass
class Rush:
    """`count` load balancers that are served; `known`: all were read in this term."""

    count: int
    known: bool
    done: list[Deed] = field(default_factory=list)
    calls: list[tuple[float, str, Lane]] = field(default_factory=list)
    verifying_most: int = 0

    def __post_init__(self) -> None:
        self.clock = SimClock()
        self.hands = Hands(self.clock)
        self.limits = RateLimits(self.clock.monotonic)
        self.queue = WorkQueue(workers=WORKERS)
        self.room = Room()
        self.observations = Observations()
        self.names = [f"{number:04}" for number in range(self.count)]
        self.wire = Wire(rush=self)
        sweep = Sweep()
        for name in self.names:
            self.wire.own(f"lb-{name}")
            self.room.put(served(named(ingress(rule()), name), f"lb-{name}"))
        if self.known:
            plain = Account(self.wire.heads_by_id)
            for head in self.wire.heads_by_id.values():
                self.observations.keep(read(plain, head))
        sweep.enter(self.wire.heads_by_id.values())
        beat = Beat(
            cluster=CLUSTER, settings=SETTINGS, stores=self.room.stores, caches=self.room.caches, cloud=self.wire,
            clock=self.clock, queue=self.queue, observations=self.observations, sweep=sweep,
        )  # fmt: skip
        self.verifier = Verifier(beat, interval_s=0.0)
        self.controller = Controller(self.queue, self._pass, self.clock)
        self._deeds: dict[str, deque[Deed]] = defaultdict(deque)
        self._verifying = 0

    def ask(self, name: str, why: str, calls: tuple[str, ...], lane: Lane, *, urgent: bool = False) -> None:
        """Somebody changes something now."""
        self._deeds[f"new/uid-{name}"].append(Deed(why, self.clock.now(), deque(calls)))
        self.queue.add(f"new/uid-{name}", lane, self.clock.now(), urgent)

    def run(self, until: float) -> None:
        """All workers, until then."""
        for _ in range(WORKERS):
            self.hands.start(self._work)
        self.hands.run(until)

    def waits(self, why: str) -> list[float]:
        """From the asking to the first call, sorted; what was never called counts as of now."""
        open_ = [deed for deeds in self._deeds.values() for deed in deeds]
        now = self.clock.now()
        return sorted(
            (deed.issued if deed.issued is not None else now) - deed.asked
            for deed in (*self.done, *open_)
            if deed.why == why
        )

    def finished(self, why: str) -> int:
        """How many are done."""
        return sum(deed.why == why for deed in self.done)

    def call(self, action: str, lane: Lane, *, borrow: bool = False) -> None:
        """One call, or Throttled."""
        self.limits.take(REGION, "clb", action, lane, borrow=borrow)
        self.calls.append((self.clock.now(), action, lane))
        self.hands.sleep(CALL_S)

    def _work(self) -> None:
        while True:
            came = self.controller.process_next()
            if not isinstance(came, Taken):
                self.hands.sleep(min(came.after_s, IDLE_S) if isinstance(came, Deadline) else IDLE_S)

    def _pass(self, key: str, lane: Lane) -> Outcome:
        self._verifying += lane is Lane.VERIFY
        self.verifying_most = max(self.verifying_most, self._verifying)
        try:
            self.hands.think(CPU_S)
            with self.verifier.turn(BindingKey(key), lane):
                return self._perform(key, lane)
        finally:
            self._verifying -= lane is Lane.VERIFY

    def _perform(self, key: str, lane: Lane) -> Outcome:
        name = key.removeprefix("new/uid-")
        deeds = self._deeds[key]
        cloud = self.wire.at(lane)
        if f"lb-{name}" in self.wire.heads_by_id and self.observations.get(ref(f"lb-{name}")) is None:
            self.observations.keep(read(cloud, cloud.heads((ref(f"lb-{name}"),))[ref(f"lb-{name}")]))
        # What is dead goes off first; a changed rule comes before targets are put on, also when that has begun.
        for deed in sorted(deeds, key=lambda deed: ORDER.get(deed.why, len(ORDER))):
            while deed.calls:
                try:
                    if deed.calls[0] != "task":
                        began = self.clock.now()
                        self.call(deed.calls[0], lane)
                        deed.issued = began if deed.issued is None else deed.issued
                    else:
                        self.call("DescribeTaskStatus", lane)
                except Throttled as refusal:
                    return Again(refusal.retry_after_s or 1.0, "no token")
                deed.calls.popleft()
                if deed.calls and deed.calls[0] == "task":
                    return Again(TASK_S, "a task")
            deeds.remove(deed)
            self.done.append(deed)
        return Done()
