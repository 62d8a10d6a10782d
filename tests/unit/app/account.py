"""A cloud account that counts its calls: load balancers with one rule each, and nothing can be written."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Self

from l7lb.errors import NotFound
from l7lb.model.cloud import Accepted, TargetHealth, TaskState, TaskStatus
from l7lb.model.identity import CloudRef, ListenerId, LoadBalancerId, LocationId, TaskId
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedListener, Target
from l7lb.model.plan import Bindings, Step
from l7lb.model.snapshot import Limits
from tests.builders import head, listener, observed, rule
from tests.unit.app.room import CLUSTER, REGION


@dataclass
class Account:
    """What exists, what was called, and what is to happen instead."""

    heads_by_id: dict[str, LoadBalancerHead] = field(default_factory=dict)
    calls: Counter[tuple[str, Lane]] = field(default_factory=Counter)
    performed: list[Step] = field(default_factory=list)
    trouble: Callable[[str], None] = lambda _call: None
    """Called with the name of each call; raises what the cloud would."""
    state: TaskStatus = TaskStatus.SUCCEEDED
    lane: Lane = Lane.CHANGE

    def own(self, *ids: str) -> None:
        """Load balancers that bear our cluster's tag."""
        self.heads_by_id |= {one: head(one, {"tke-clusterId": CLUSTER.id}) for one in ids}

    def at(self, lane: Lane) -> Self:
        """Shares everything but the lane."""
        return replace(self, lane=lane)

    def find(self, region: str, tags: Mapping[str, str]) -> tuple[LoadBalancerHead, ...]:
        self._count("find")
        return tuple(one for one in self.heads_by_id.values() if tags.items() <= one.tags.items())

    def heads(self, refs: tuple[CloudRef, ...], *, ahead: bool = False) -> Mapping[CloudRef, LoadBalancerHead]:
        self._count("heads")
        return {ref: self.heads_by_id[ref.id] for ref in refs if ref.id in self.heads_by_id}

    def listeners(self, head: LoadBalancerHead) -> tuple[ObservedListener, ...]:
        self._count("listeners")
        if head.ref.id not in self.heads_by_id:
            raise NotFound("gone", what="load balancer")
        return observed(listener("HTTP:80", rule())).listeners

    def targets(self, ref: CloudRef) -> Mapping[tuple[ListenerId, LocationId], tuple[Target, ...]]:
        self._count("targets")
        return {}

    def health(
        self, refs: tuple[CloudRef, ...]
    ) -> Mapping[tuple[CloudRef, ListenerId, LocationId], tuple[TargetHealth, ...]]:
        self._count("health")
        return {}

    def protected(self, refs: tuple[CloudRef, ...]) -> frozenset[CloudRef]:
        self._count("protected")
        return frozenset()

    def foreseen(self, region: str, step: Step) -> None:
        self._count("foreseen")

    def limits(self, region: str, max_age_s: float = inf) -> Limits:
        self._count("limits")
        return Limits()

    def perform(self, region: str, step: Step, bindings: Bindings) -> Accepted:
        self._count("perform")
        self.performed.append(step)
        return Accepted(task=TaskId(f"task-{len(self.performed)}"))

    def task(self, region: str, task: TaskId) -> TaskState:
        self._count("task")
        return TaskState(self.state)

    def reads(self) -> dict[str, int]:
        """Calls by name."""
        found: Counter[str] = Counter()
        for (name, _), count in self.calls.items():
            found[name] += count
        return dict(found)

    def lanes(self) -> set[Lane]:
        """In which calls were made."""
        return {lane for _, lane in self.calls}

    def _count(self, call: str) -> None:
        self.trouble(call)
        self.calls[call, self.lane] += 1


def ref(load_balancer: str) -> CloudRef:
    """In our region."""
    return CloudRef(REGION, LoadBalancerId(load_balancer))
