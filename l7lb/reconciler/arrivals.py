"""New load balancers on their way are looked at together: one DescribeLoadBalancers names twenty of them.

Each has a task, and the API allows few questions about tasks. Its head says the same while all goes well, and is to be
read anyway before the next write: "running" is the end of a creation. What a look shows of others is kept for them, and
their keys are woken. That a creation has failed, and why, is said by its task only: it is still asked now and then.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import inf
from typing import Final

from l7lb.errors import Throttled
from l7lb.model.cloud import TaskState, TaskStatus
from l7lb.model.identity import BindingKey, CloudRef, TaskId
from l7lb.model.plan import CreateLoadBalancer
from l7lb.reconciler.flights import Flight, Flights, PendingTask, Sight
from l7lb.reconciler.ports import LoadBalancers

HEADS_PER_CALL: Final = 20
EVERY_S: Final = 0.25
"""From one look at a region to the next, when many are on their way: a fifth of the quota."""
CROWD: Final = 20
"""So many are on their way when it is that long; with fewer it is less."""
TOO_EARLY: Final = 0.4
"""Of that, after a look that has shown nobody's arrival."""
AT_ONCE: Final = 4
APART_S: Final = 0.05
"""So many of those that were seen are woken at once beside the one that looked, the others one after the other."""
REFUSED_S: Final = 0.1
REFUSED_S_MAX: Final = 1.0
"""So long nobody looks after a look was refused for rate: twice as long after each refusal in a row."""
PATIENCE: Final = 4
"""After so many in a row tasks are asked until a look is answered: their budget is another one."""
DOUBT_S: Final = 600.0
"""So long tasks are asked after a load balancer that was said to run was refused as being worked on."""
TASK_EVERY: Final = 6
"""Each so-manieth question of one creation goes to its task."""


@dataclass(frozen=True, slots=True)
class Later:
    """Nobody may look before so many seconds have passed; who is seen earlier is woken."""

    after_s: float


@dataclass(slots=True)
class _Awaited:
    """One creation whose end has not been seen by its own flight."""

    flight: Flight
    task: PendingTask
    sight: Sight | None = None


@dataclass(slots=True)
class _Watch:
    """The looks at one region."""

    due: float = -inf
    doubted_until: float = -inf
    """Until then tasks are asked."""
    refused: int = 0
    """Looks in a row that were refused for rate."""
    begun: float | None = None
    """When the look that has not been answered yet was begun."""
    awaited: dict[CloudRef, _Awaited] = field(default_factory=dict)


def _nobody(_key: BindingKey, _after_s: float) -> None:
    """For programs without a queue, and for tests."""


def _untold(_task: TaskId) -> None:
    """Nobody counts."""


class Arrivals:
    """What all flights of one executor wait for together; safe for several workers."""

    def __init__(
        self,
        flights: Flights,
        monotonic: Callable[[], float],
        *,
        wake: Callable[[BindingKey, float], None] = _nobody,
        ended: Callable[[TaskId], None] = _untold,
    ) -> None:
        """`wake` brings a key of the queue forward, to so many seconds from now.

        `ended` hears of tasks that were not asked for, since what they have made was seen.
        """
        self._flights = flights
        self._monotonic = monotonic
        self._wake = wake
        self._ended = ended
        self._lock = threading.Lock()
        self._watches: dict[str, _Watch] = {}

    def expect(self, flight: Flight, task: PendingTask) -> None:
        """An order was accepted: from now on others' looks are at it too. One that names no id has its task alone."""
        ref = _ordered(flight, task)
        if ref is not None:
            with self._lock:
                self._watches.setdefault(ref.region, _Watch()).awaited[ref] = _Awaited(flight, task)

    def state(self, flight: Flight, task: PendingTask, cloud: LoadBalancers) -> TaskState | Later | None:
        """What a creation has come to; None: its task has to be asked. Raises what the cloud raises."""
        ref = _ordered(flight, task)
        if ref is None:
            return None
        with self._lock:
            watch = self._watches.setdefault(ref.region, _Watch())
            sight = watch.awaited.setdefault(ref, _Awaited(flight, task)).sight
            doubted = self._monotonic() < watch.doubted_until
        if doubted:
            return None
        if not _runs(sight):
            if self._monotonic() < task.next_look or task.looks % TASK_EVERY == TASK_EVERY - 1:
                return None
            if sight is None or sight.at < task.next_look:
                found = self._look(watch, ref, cloud)
                if isinstance(found, Later):
                    return found if watch.refused < PATIENCE else None
                sight = found
        if sight is None or sight.head is None:
            return None
        if not sight.head.running:
            return TaskState(TaskStatus.RUNNING)
        self._ended(task.id)
        flight.shown, flight.unasked = sight, True
        with self._lock:
            watch.awaited.pop(ref, None)
        return TaskState(TaskStatus.SUCCEEDED, load_balancers=(ref.id,))

    def doubt(self, flight: Flight) -> None:
        """Its first write was refused as busy: no page says that what runs has no task of its creation any more."""
        with self._lock:
            self._watches.setdefault(flight.region, _Watch()).doubted_until = self._monotonic() + DOUBT_S

    def _look(self, watch: _Watch, ref: CloudRef, cloud: LoadBalancers) -> Sight | Later:
        with self._lock:
            now = self._monotonic()
            if watch.begun is not None:
                return Later(max(EVERY_S, now - watch.begun))
            if now < watch.due:
                return Later(watch.due - now)
            asked = self._together(watch, ref)
            pause = EVERY_S * min(1.0, len(watch.awaited) / CROWD)
            watch.begun, watch.due = now, now + pause
        try:
            heads = cloud.heads(asked, ahead=True)
        except Throttled:
            # What it says is when its turn comes in the line of all; this one does not stand in it.
            with self._lock:
                pause = min(REFUSED_S_MAX, REFUSED_S * 2**watch.refused)
                watch.due, watch.refused = now + pause, watch.refused + 1
            return Later(pause)
        finally:
            with self._lock:
                watch.begun = None
        with self._lock:
            watch.refused = 0
            if not any(head.running for head in heads.values()):
                watch.due = now + TOO_EARLY * pause
            for one in asked:
                if one in watch.awaited:
                    watch.awaited[one].sight = Sight(now, heads.get(one))
            others = [watch.awaited[one] for one in asked if one != ref and one in watch.awaited]
        self._rouse(other.flight.binding for other in others if _runs(other.sight))
        return Sight(now, heads.get(ref))

    def _rouse(self, bindings: Iterable[BindingKey | None]) -> None:
        """Not all at once: each goes on with a write for which there is an API budget as well."""
        for place, binding in enumerate(bindings, 1):
            if binding is not None:
                self._wake(binding, max(0, place - AT_ONCE) * APART_S)

    def _together(self, watch: _Watch, ref: CloudRef) -> tuple[CloudRef, ...]:
        """It, and of the others those whose time is nearest. Flights that were given up are forgotten."""
        for other, one in tuple(watch.awaited.items()):
            if self._flights.of(one.flight.key) is not one.flight or one.flight.task is not one.task:
                del watch.awaited[other]
        others = (other for other, one in watch.awaited.items() if other != ref and not _runs(one.sight))
        nearest = sorted(others, key=lambda other: watch.awaited[other].task.next_look)
        return (ref, *nearest[: HEADS_PER_CALL - 1])


def _ordered(flight: Flight, task: PendingTask) -> CloudRef | None:
    """The load balancer that an order has named; None: none, or it is no order."""
    named = task.accepted.load_balancer if isinstance(task.step, CreateLoadBalancer) else None
    return None if named is None else CloudRef(flight.region, named)


def _runs(sight: Sight | None) -> bool:
    return sight is not None and sight.head is not None and sight.head.running
