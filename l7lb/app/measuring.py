"""The account with a stop-watch and a tell-tale: how long tasks take, and which load balancers were written lately.

Everything is passed on as it is; what is seen on the way is told to others.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Self

from l7lb import planner
from l7lb.errors import Rejected
from l7lb.model.cloud import Accepted, TargetHealth, TaskState, TaskStatus
from l7lb.model.identity import CloudRef, ListenerId, LocationId, TaskId
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedListener, Target
from l7lb.model.plan import Bindings, DeleteLoadBalancer, Step
from l7lb.model.snapshot import Limits
from l7lb.reconciler.ports import LoadBalancers
from l7lb.runtime.clock import Clock
from l7lb.telemetry.metrics import Metrics
from l7lb.telemetry.passes import Passes

TASKS_MAX = 10_000


class StopWatch:
    """Tasks on their way. One that nobody asks for any more is forgotten when there are too many."""

    def __init__(self, clock: Clock, on_end: Callable[[str, str, TaskStatus, float], None]) -> None:
        """`on_end` gets task, kind of the step, status, and seconds from acceptance to the look that found its end."""
        self._clock = clock
        self._on_end = on_end
        self._lock = threading.Lock()
        self._running: dict[TaskId, tuple[str, str, float]] = {}

    def start(self, task: TaskId, step: Step, load_balancer: str) -> None:
        """It was accepted."""
        with self._lock:
            self._running[task] = (type(step).__name__, load_balancer, self._clock.monotonic())
            while len(self._running) > TASKS_MAX:
                del self._running[next(iter(self._running))]

    def end(self, task: TaskId, status: TaskStatus) -> str:
        """It has ended, well or not; the load balancer that it was about, empty when it is not known."""
        with self._lock:
            kind, load_balancer, since = self._running.pop(task, ("", "", 0.0))
        if kind:
            self._on_end(task, kind, status, self._clock.monotonic() - since)
        return load_balancer


def measured(
    cloud: LoadBalancers, clock: Clock, metrics: Metrics, passes: Passes, on_write: Callable[[str], None]
) -> "MeasuredCloud":
    """An account whose tasks are measured, and whose steps the pass that sends them is told."""

    def ended(task: str, step: str, status: TaskStatus, seconds: float) -> None:
        metrics.observe("l7lb_cloud_task_duration_seconds", seconds, step)
        passes.task_ended(task, step, status.name.lower(), seconds)

    def sent(step: Step, task: str, load_balancer: str) -> None:
        passes.sent(planner.describe(step), task, load_balancer)

    return MeasuredCloud(cloud, StopWatch(clock, ended), on_write, sent)


@dataclass(frozen=True, slots=True)
class MeasuredCloud:
    """Implements the reconciler's `LoadBalancers` by handing everything on to another."""

    cloud: LoadBalancers
    watch: StopWatch
    on_write: Callable[[str], None] = field(default=lambda _load_balancer: None)
    """Told the id of a load balancer when a write to it is sent, and when its task has ended."""
    on_sent: Callable[[Step, str, str], None] = field(default=lambda _step, _task, _load_balancer: None)
    """Told a step when it was accepted, with its task (empty: it has none) and its load balancer."""

    def at(self, lane: Lane) -> Self:
        """The same, spending the API budget of this lane."""
        return replace(self, cloud=self.cloud.at(lane))

    def find(self, region: str, tags: Mapping[str, str]) -> tuple[LoadBalancerHead, ...]:
        """Handed on."""
        return self.cloud.find(region, tags)

    def heads(self, refs: tuple[CloudRef, ...], *, ahead: bool = False) -> Mapping[CloudRef, LoadBalancerHead]:
        """Handed on."""
        return self.cloud.heads(refs, ahead=ahead)

    def listeners(self, head: LoadBalancerHead) -> tuple[ObservedListener, ...]:
        """Handed on."""
        return self.cloud.listeners(head)

    def targets(self, ref: CloudRef) -> Mapping[tuple[ListenerId, LocationId], tuple[Target, ...]]:
        """Handed on."""
        return self.cloud.targets(ref)

    def health(
        self, refs: tuple[CloudRef, ...]
    ) -> Mapping[tuple[CloudRef, ListenerId, LocationId], tuple[TargetHealth, ...]]:
        """Handed on."""
        return self.cloud.health(refs)

    def protected(self, refs: tuple[CloudRef, ...]) -> frozenset[CloudRef]:
        """Handed on."""
        return self.cloud.protected(refs)

    def limits(self, region: str, max_age_s: float = inf) -> Limits:
        """Handed on."""
        return self.cloud.limits(region, max_age_s)

    def foreseen(self, region: str, step: Step) -> Rejected | None:
        """Handed on."""
        return self.cloud.foreseen(region, step)

    def perform(self, region: str, step: Step, bindings: Bindings) -> Accepted:
        """Handed on; told before it is sent, since an answer may be lost."""
        target = step.id if isinstance(step, DeleteLoadBalancer) else bindings.load_balancer
        self.on_write(target)
        accepted = self.cloud.perform(region, step, bindings)
        self.on_sent(step, accepted.task or "", target)
        if accepted.task is not None:
            self.watch.start(accepted.task, step, target)
        return accepted

    def task(self, region: str, task: TaskId) -> TaskState:
        """Handed on."""
        state = self.cloud.task(region, task)
        if state.status is not TaskStatus.RUNNING:
            self.on_write(self.watch.end(task, state.status))
        return state

    def ended_well(self, task: TaskId) -> None:
        """Seen by what it has made; it is not asked for."""
        self.on_write(self.watch.end(task, TaskStatus.SUCCEEDED))
