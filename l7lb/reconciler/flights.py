"""Plans on their way, and who may write to which load balancer. Memory only: a restart starts from observing again.

A flight is a plan between its first step and its last. While the cloud works on one of its tasks no worker is held: the
flight waits here, and the key comes back to the queue when the next look at the task is due.
"""

import threading
from dataclasses import dataclass, field
from typing import Final

from l7lb.model.cloud import Accepted
from l7lb.model.identity import BindingKey, CloudRef, TaskId
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedLoadBalancer
from l7lb.model.plan import CreateLoadBalancer, Plan, Step

PLAN_AGE_S_MAX: Final = 600.0
"""An older plan is made anew (DESIGN: a wait is not a blocked thread)."""
TASK_S_MAX: Final = 600.0
CREATION_S_MAX: Final = 1800.0
SOONER: Final = 0.98
LATER: Final = 0.5
"""From what was believed to what was seen, when that is longer."""
LATE_S: Final = 0.25
"""A look that comes so much later than it was meant to does not show when the task was over."""
FOLLOWING: Final = 0.15
"""From one look to the next, of what such a task takes."""
LONGER: Final = 1.25
"""Each such time against the one before."""
FOLLOWING_ONE: Final = 0.06
LONGER_ONE: Final = 1.1
"""The same of a creation, which is looked at together with others (`arrivals`)."""


@dataclass(slots=True)
class PendingTask:
    """One accepted write whose task has not ended."""

    id: TaskId
    step: Step
    accepted: Accepted
    sent: float
    next_look: float
    looks: int = 0
    running_at: float | None = None
    """When it was last seen running."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look has shown of a load balancer."""

    at: float
    """When the question was sent; monotonic."""
    head: LoadBalancerHead | None
    """None: not listed, which is not "gone"."""


@dataclass(slots=True)
class Flight:
    """One plan on its way; times by the monotonic clock."""

    key: BindingKey
    region: str
    plan: Plan
    fingerprint: str
    observed: ObservedLoadBalancer | None
    """What is there after the steps done so far; None before a creation has ended."""
    started: float
    done: int = 0
    task: PendingTask | None = None
    binding: BindingKey | None = None
    """The key in the queue under which it was last worked on; set by `Flights.work_on`."""
    fresh: ObservedLoadBalancer | None = None
    """A load balancer created by this plan whose tags have not been read back yet."""
    shown: Sight | None = None
    """The look by which the end of its creation was seen; its tags may show in it already."""
    unasked: bool = False
    """The end of its creation was seen by a look, its task was not asked, and no write has been accepted since."""
    first_order: bool = False
    """Nothing was ordered for this Ingress before: when the order is declined, nothing can be on its way."""
    told: bool = False
    """Its id has been written down."""
    confirm_until: float = 0.0

    @property
    def ref(self) -> CloudRef | None:
        """The load balancer, once there is one."""
        seen = self.observed or self.fresh
        return seen.head.ref if seen else None

    @property
    def step(self) -> Step | None:
        """The next step, or None at the end."""
        return self.plan.steps[self.done] if self.done < len(self.plan.steps) else None


@dataclass(slots=True)
class Delays:
    """How long tasks of each kind of step took lately, so that the first look comes when it is likely to be over.

    The API allows few looks, so most tasks should cost one. What is known of a task is between which looks it ended: a
    look that came late, because others used the budget up, says little, and teaches nothing that is longer.
    """

    first_s: float = 0.3
    cap_s: float = 5.0
    learned: dict[str, float] = field(default_factory=dict)

    def first(self, step: Step) -> float:
        """Seconds from the write to the first look."""
        return min(self.cap_s, max(self.first_s, self.learned.get(type(step).__name__, 0.0)))

    def following(self, step: Step, looks: int) -> float:
        """Seconds from one look to the next: a part of what such a task takes, then longer and longer."""
        known = self.learned.get(type(step).__name__, 0.0)
        if isinstance(step, CreateLoadBalancer):
            part = FOLLOWING_ONE * known or self.first_s
            return float(min(self.cap_s, part * LONGER_ONE**looks))
        return float(min(self.cap_s, max(self.first_s, FOLLOWING * known) * LONGER**looks))

    def learn(self, step: Step, running_s: float, ended_s: float, meant_s: float) -> None:
        """After its write a task was still running at `running_s`, and over at `ended_s`; seconds.

        The look that saw its end was meant for `meant_s`. One that was over at its first look may have been over
        before, so the next is looked at a little sooner.
        """
        name = type(step).__name__
        known = self.learned.get(name)
        if ended_s > meant_s + LATE_S:
            ended_s = running_s
        if known is None:
            self.learned.update({name: ended_s} if ended_s > 0 else {})
        elif running_s >= SOONER * known:
            self.learned[name] = known + LATER * (max(known, ended_s) - known)
        elif ended_s > running_s:
            self.learned[name] = min(known, SOONER * ended_s)


class Flights:
    """Flights by key and the one-writer lock by load balancer; safe for several workers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[BindingKey, Flight] = {}
        self._writers: dict[CloudRef, BindingKey] = {}
        self._under: dict[BindingKey, dict[BindingKey, Flight]] = {}
        """By the key of the queue: each pass asks, and there may be thousands on their way."""
        self._written: dict[BindingKey, set[CloudRef]] = {}
        """What each holds of the locks."""

    def of(self, key: BindingKey) -> Flight | None:
        """The flight of this key."""
        with self._lock:
            return self._flights.get(key)

    def under(self, binding: BindingKey) -> tuple[Flight, ...]:
        """Those that were last worked on under this key of the queue."""
        with self._lock:
            return tuple(self._under.get(binding, {}).values())

    def work_on(self, flight: Flight, binding: BindingKey) -> None:
        """It is worked on under this key of the queue from now on."""
        with self._lock:
            if self._flights.get(flight.key) is flight:
                self._leave(flight)
                self._under.setdefault(binding, {})[flight.key] = flight
            flight.binding = binding

    def underway(self) -> tuple[Flight, ...]:
        """All of them."""
        with self._lock:
            return tuple(self._flights.values())

    def begin(self, flight: Flight) -> bool:
        """Enter a flight and take the lock of its load balancer; False when another key holds that lock."""
        with self._lock:
            if flight.ref is not None and not self._take(flight.ref, flight.key):
                return False
            self._forget(flight.key)
            self._flights[flight.key] = flight
            if flight.binding is not None:
                self._under.setdefault(flight.binding, {})[flight.key] = flight
            return True

    def lock(self, ref: CloudRef, key: BindingKey) -> bool:
        """Take the lock of a load balancer that has just got its id."""
        with self._lock:
            return self._take(ref, key)

    def end(self, key: BindingKey) -> None:
        """Forget the flight and free what it locked; idempotent."""
        with self._lock:
            self._forget(key)
            for ref in self._written.pop(key, ()):
                del self._writers[ref]

    def clear(self) -> None:
        """Forget everything: the leadership ended."""
        with self._lock:
            for kept in (self._flights, self._writers, self._under, self._written):
                kept.clear()

    def _take(self, ref: CloudRef, key: BindingKey) -> bool:
        if self._writers.setdefault(ref, key) != key:
            return False
        self._written.setdefault(key, set()).add(ref)
        return True

    def _forget(self, key: BindingKey) -> None:
        flight = self._flights.pop(key, None)
        if flight is not None:
            self._leave(flight)

    def _leave(self, flight: Flight) -> None:
        if flight.binding is not None and flight.binding in self._under:
            self._under[flight.binding].pop(flight.key, None)
            if not self._under[flight.binding]:
                del self._under[flight.binding]
