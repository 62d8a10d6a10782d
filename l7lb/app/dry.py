"""Worlds that cannot be written to, and a note-pad for what would have been: what `plan` gives the reconciler."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Self

import msgspec

from l7lb import ledger, planner, translator
from l7lb.app.caches import Caches, Stores, record_of
from l7lb.errors import NotFound
from l7lb.model.cloud import Accepted, TargetHealth, TaskState
from l7lb.model.cluster import Ingress, IngressAddress, IngressClass, TkeServiceConfig
from l7lb.model.identity import BindingKey, CloudRef, Cluster, ListenerId, LocationId, ObjectKey, Owner, TaskId
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedListener, Target, TargetKey
from l7lb.model.marks import RECORD
from l7lb.model.plan import Bindings, Plan, Step
from l7lb.model.snapshot import Limits, Snapshot, Switches
from l7lb.model.writing import EventType, MetadataChange, Note, ObjectReference
from l7lb.reconciler.passes import is_grouped
from l7lb.reconciler.ports import Ingresses


@dataclass(slots=True)
class Finding:
    """What one Ingress would lead to."""

    ingress: ObjectKey
    plan: Plan = field(default_factory=Plan)
    notes: list[Note] = field(default_factory=list)
    error: str = ""
    waits: str = ""
    """What has to end before anything can be planned; empty: nothing."""
    served: bool = True
    """All that it asks for is there, or would be after the plan."""
    record: str = ""
    """The record as the pass has left it; empty: it has entered none."""
    load_balancer: CloudRef | None = None
    """None: it has none yet."""

    @property
    def failed(self) -> bool:
        """It cannot be planned, or nothing can be done although something is missing."""
        hopeless = not self.served and not self.plan and any(note.code.startswith("E") for note in self.notes)
        return bool(self.error) or hopeless

    @property
    def problems(self) -> list[str]:
        """What its author would hear."""
        return [note.message for note in self.notes if note.type is EventType.WARNING]

    def as_json(self) -> dict[str, object]:
        """For `-o json`."""
        return {
            "ingress": str(self.ingress),
            "loadBalancer": str(self.load_balancer) if self.load_balancer is not None else "",
            "plan": planner.to_json(self.plan),
            "problems": self.problems,
            "waits": self.waits,
            "error": self.error,
        }


class Collector:
    """Takes down what a pass would have done; is the reconciler's Telemetry and its Events."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.findings: dict[ObjectKey, Finding] = {}

    def of(self, ingress: ObjectKey) -> Finding:
        """The finding about this Ingress."""
        with self._lock:
            return self.findings.setdefault(ingress, Finding(ingress))

    def emit(self, note: Note) -> None:
        """An Event that would be written."""
        finding = self.of(note.about.key)
        if note not in finding.notes:
            finding.notes.append(note)

    def planned(self, key: BindingKey, ingress: ObjectKey, plan: Plan) -> None:  # noqa: ARG002 - the protocol's shape
        """The plan that would be performed."""
        self.of(ingress).plan = plan

    def drifted(self, key: BindingKey, plan: Plan) -> None:
        """Not told: the plan says it."""

    def left_out(self, key: BindingKey, fields: int) -> None:
        """Not told: a pass that is alone has no history."""

    def performed(self, key: BindingKey, step: Step) -> None:
        """Cannot happen: nothing is performed."""

    def isolated(self, key: BindingKey, step: Step, *, found: bool) -> None:
        """Nothing is sent, so nothing is refused."""

    def refused(self, key: BindingKey, ingress: ObjectKey, rule: str, message: str) -> None:
        """The refusal is an Event as well."""

    def observed(self, source: str) -> None:
        """Not of interest."""

    def settled(self, ingress: Ingress, ready: bool, deleting: bool) -> None:
        """Looked at: it has a finding, if an empty one."""
        finding = self.of(ingress.key)
        finding.served = ready or deleting
        finding.record = ingress.annotations.get(RECORD, "")


class OneAtATime:
    """The caches with one Ingress to each key, so that what a pass raises is about this one. A group stays together."""

    def __init__(self, caches: Caches, cluster: Cluster, among: frozenset[ObjectKey] | None = None) -> None:
        """`among`: no other Ingress is looked at; None: any."""
        self._caches = caches
        self._cluster = cluster
        self._among = among
        self.only = ObjectKey("", "")
        """The Ingress whose turn it is."""

    def members(self, key: BindingKey) -> tuple[Ingress, ...]:
        """That one, if it is of this key; with all others where a group is among them."""
        found = tuple(one for one in self._caches.members(key) if self._among is None or one.key in self._among)
        if any(is_grouped(record_of(one, self._cluster), translator.options(one)) for one in found):
            return found
        return tuple(ingress for ingress in found if ingress.key == self.only)

    def snapshot(self, ingress: Ingress) -> Snapshot:
        """As the caches cut it."""
        return self._caches.snapshot(ingress)

    def vacant(self, ingress: Ingress, addresses: frozenset[str]) -> frozenset[str]:
        """Likewise."""
        return self._caches.vacant(ingress, addresses)

    def taken(self, ingress: Ingress, targets: frozenset[TargetKey]) -> frozenset[TargetKey]:
        """Likewise."""
        return self._caches.taken(ingress, targets)

    def classes(self) -> tuple[Mapping[str, IngressClass], bool]:
        """Likewise."""
        return self._caches.classes()

    def switches(self) -> Switches:
        """Likewise."""
        return self._caches.switches()

    def living(self, uid: str) -> bool:
        """Likewise."""
        return self._caches.living(uid)


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """Ingresses whose writes reach nobody."""

    live_from: Ingresses | None
    """None: offline, the stores are all there is."""
    stores: Stores

    def live(self, key: ObjectKey) -> Ingress | None:
        """As the API server, or the files, have it."""
        if self.live_from is not None:
            return self.live_from.live(key)
        item = self.stores.ingresses.get(key)
        return item.object if item is not None else None

    def live_class(self, name: str) -> IngressClass | None:
        """Likewise."""
        if self.live_from is not None:
            return self.live_from.live_class(name)
        item = self.stores.classes.get(ObjectKey("", name))
        return item.object if item is not None else None

    def patch_metadata(self, ingress: Ingress, change: MetadataChange) -> Ingress:
        """The Ingress as it would be, so that the next look goes on from there. Nothing is written."""
        meta = ingress.metadata
        merged = {**ingress.annotations, **change.annotations}
        annotations = {name: text for name, text in merged.items() if text is not None}
        version = str(int(meta.resource_version) + 1) if meta.resource_version.isdecimal() else meta.resource_version
        written = msgspec.structs.replace(meta, annotations=annotations, resource_version=version)
        return msgspec.structs.replace(ingress, metadata=written)

    def set_addresses(
        self,
        ingress: Ingress,
        addresses: tuple[IngressAddress, ...],  # noqa: ARG002 - dropped
    ) -> Ingress:
        """Dropped."""
        return ingress


class NoConfigs:
    """TkeServiceConfigs that nobody keeps in step: a plan is about load balancers."""

    def create(self, key: ObjectKey, owner: ObjectReference, spec: Mapping[str, object]) -> None:
        """Dropped."""

    def patch(self, config: TkeServiceConfig, spec: Mapping[str, object]) -> None:
        """Dropped."""

    def delete(self, config: TkeServiceConfig) -> None:
        """Dropped."""


@dataclass(frozen=True, slots=True)
class EmptyCloud:
    """An account in which nothing exists but the load balancers that manifests name, each lent to its Ingress."""

    cluster: Cluster
    lent: Mapping[str, str]
    """Load balancer id -> UID of the Ingress that names it; empty where a group does."""

    def at(self, lane: Lane) -> Self:  # noqa: ARG002 - one lane is all there is
        """The same."""
        return self

    def find(self, region: str, tags: Mapping[str, str]) -> tuple[LoadBalancerHead, ...]:  # noqa: ARG002 - empty
        """Nothing."""
        return ()

    def heads(
        self,
        refs: tuple[CloudRef, ...],
        *,
        ahead: bool = False,  # noqa: ARG002 - nobody waits
    ) -> Mapping[CloudRef, LoadBalancerHead]:
        """The lent ones, with the tags that adopting gives them."""
        return {
            ref: LoadBalancerHead(
                ref,
                name=ref.id,
                running=True,
                vips=("0.0.0.0",),  # noqa: S104 - stands for an address that is not known offline
                tags=self._tags(self.lent[ref.id]),
            )
            for ref in refs
            if ref.id in self.lent
        }

    def _tags(self, uid: str) -> Mapping[str, str]:
        return ledger.lookup(Owner(self.cluster, uid)) if uid else ledger.of_cluster(self.cluster)

    def listeners(self, head: LoadBalancerHead) -> tuple[ObservedListener, ...]:
        """None on a lent one."""
        if head.ref.id not in self.lent:
            raise NotFound(f"{head.ref.id} does not exist", what="load balancer")
        return ()

    def targets(
        self,
        ref: CloudRef,  # noqa: ARG002 - empty
    ) -> Mapping[tuple[ListenerId, LocationId], tuple[Target, ...]]:
        """None."""
        return {}

    def health(
        self,
        refs: tuple[CloudRef, ...],  # noqa: ARG002 - empty
    ) -> Mapping[tuple[CloudRef, ListenerId, LocationId], tuple[TargetHealth, ...]]:
        """Nobody checks anything."""
        return {}

    def protected(self, refs: tuple[CloudRef, ...]) -> frozenset[CloudRef]:  # noqa: ARG002 - empty
        """None."""
        return frozenset()

    def limits(self, region: str, max_age_s: float = inf) -> Limits:  # noqa: ARG002 - the documented ones everywhere
        """The documented quotas."""
        return Limits()

    def foreseen(self, region: str, step: Step) -> None:
        """Nothing can be read."""

    def perform(self, region: str, step: Step, bindings: Bindings) -> Accepted:
        """Never."""
        raise AssertionError(f"offline, yet {planner.describe(step)} in {region} on {bindings.load_balancer}")

    def task(self, region: str, task: TaskId) -> TaskState:
        """Never."""
        raise AssertionError(f"offline, yet task {task} in {region}")
