"""What the reconciler needs of the world: protocols beside their user; the adapters have these shapes unknowingly."""

from collections.abc import Mapping
from math import inf
from typing import Protocol, Self

from l7lb.errors import Rejected
from l7lb.model.cloud import Accepted, TargetHealth, TaskState
from l7lb.model.cluster import Ingress, IngressAddress, IngressClass, TkeServiceConfig
from l7lb.model.identity import BindingKey, CloudRef, ListenerId, LocationId, ObjectKey, TaskId
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedListener, Target, TargetKey
from l7lb.model.plan import Bindings, Plan, Step
from l7lb.model.pods import Pod
from l7lb.model.snapshot import Limits, Snapshot, Switches
from l7lb.model.writing import MetadataChange, Note, ObjectReference


class LoadBalancers(Protocol):
    """The CLB and tag APIs of one account. Every method may raise the classes of `errors` and nothing else."""

    def at(self, lane: Lane) -> Self:
        """The same, spending the API budget of this lane."""
        ...

    def find(self, region: str, tags: Mapping[str, str]) -> tuple[LoadBalancerHead, ...]:
        """All load balancers that bear all these tags, oldest first, joined by id over all pages."""
        ...

    def heads(self, refs: tuple[CloudRef, ...], *, ahead: bool = False) -> Mapping[CloudRef, LoadBalancerHead]:
        """Those of `refs` (one region, at most 20) that were listed. Absence is not "gone".

        `ahead`: not behind all others that wait for such a read, but as soon as the cloud allows one more.
        """
        ...

    def listeners(self, head: LoadBalancerHead) -> tuple[ObservedListener, ...]:
        """Every listener and rule, without targets. Raises NotFound(what="load balancer") when it is gone."""
        ...

    def targets(self, ref: CloudRef) -> Mapping[tuple[ListenerId, LocationId], tuple[Target, ...]]:
        """Every target bound to a rule."""
        ...

    def health(
        self, refs: tuple[CloudRef, ...]
    ) -> Mapping[tuple[CloudRef, ListenerId, LocationId], tuple[TargetHealth, ...]]:
        """What the cloud's own checks say of the targets of at most 30 load balancers of one region."""
        ...

    def protected(self, refs: tuple[CloudRef, ...]) -> frozenset[CloudRef]:
        """Those of `refs` (one region, at most 20) whose modification protection is on."""
        ...

    def limits(self, region: str, max_age_s: float = inf) -> Limits:
        """The quotas of the account, at most so old."""
        ...

    def foreseen(self, region: str, step: Step) -> Rejected | None:
        """The refusal that is sure to meet a step, as far as it can be read beforehand."""
        ...

    def perform(self, region: str, step: Step, bindings: Bindings) -> Accepted:
        """Send one step. Raises Unavailable when it may or may not have happened."""
        ...

    def task(self, region: str, task: TaskId) -> TaskState:
        """What a task has come to."""
        ...


class Ingresses(Protocol):
    """Reads and writes of single objects at the API server."""

    def live(self, key: ObjectKey) -> Ingress | None:
        """The object as the API server has it now; None when it is not there."""
        ...

    def live_class(self, name: str) -> IngressClass | None:
        """An IngressClass as the API server has it now."""
        ...

    def patch_metadata(self, ingress: Ingress, change: MetadataChange) -> Ingress:
        """Patch with the resourceVersion of `ingress`; raises Conflict when it moved, NotFound when it is gone."""
        ...

    def set_addresses(self, ingress: Ingress, addresses: tuple[IngressAddress, ...]) -> Ingress:
        """Replace status.loadBalancer; raises Conflict and NotFound likewise."""
        ...


class ServiceConfigs(Protocol):
    """Writes of TkeServiceConfigs that are kept for Ingresses."""

    def create(self, key: ObjectKey, owner: ObjectReference, spec: Mapping[str, object]) -> None:
        """A new one, which goes with its owner; raises AlreadyExists, and NotFound where the kind is not served."""
        ...

    def patch(self, config: TkeServiceConfig, spec: Mapping[str, object]) -> None:
        """Merge into the spec of this very version; raises Conflict when it moved, NotFound when it is gone."""
        ...

    def delete(self, config: TkeServiceConfig) -> None:
        """Exactly this object; raises NotFound when it is gone."""
        ...


class Pods(Protocol):
    """Writes to Pods: one condition, and nothing else."""

    def open_gate(self, pod: Pod, reason: str, message: str, at: float) -> None:
        """Set the condition of our readiness gate True at this time; raises NotFound and Conflict for another pod."""
        ...


class Events(Protocol):
    """Where Events go. Never raises: an Event that cannot be written holds nothing."""

    def emit(self, note: Note) -> None:
        """Queue one Event."""
        ...


class Snapshots(Protocol):
    """The caches, as the reconciler sees them."""

    def members(self, key: BindingKey) -> tuple[Ingress, ...]:
        """Ingresses whose binding this is: those with a claim first, then by age, namespace and name."""
        ...

    def snapshot(self, ingress: Ingress) -> Snapshot:
        """A frozen cut through the stores: all that this Ingress names."""
        ...

    def vacant(self, ingress: Ingress, addresses: frozenset[str]) -> frozenset[str]:
        """Of these addresses those where neither a pod of its namespace nor a node is; none while that is unknown."""
        ...

    def taken(self, ingress: Ingress, targets: frozenset[TargetKey]) -> frozenset[TargetKey]:
        """Of these targets those whose NodePort has passed from a Service of this Ingress to one that is not."""
        ...

    def classes(self) -> tuple[Mapping[str, IngressClass], bool]:
        """IngressClasses by name, and whether that cache is synced."""
        ...

    def switches(self) -> Switches:
        """TKE's switches of the cluster, as they are now."""
        ...

    def living(self, uid: str) -> bool:
        """Whether an Ingress with this UID is in the (synced) cache."""
        ...


class Telemetry(Protocol):
    """Told what happened; the words for logs and metrics are its own. Never raises."""

    def planned(self, key: BindingKey, ingress: ObjectKey, plan: Plan) -> None:
        """A plan was made that changes something."""
        ...

    def drifted(self, key: BindingKey, plan: Plan) -> None:
        """What somebody else has changed is put right by this plan."""
        ...

    def left_out(self, key: BindingKey, fields: int) -> None:
        """So many fields do not keep what is written, and are left alone for now."""
        ...

    def performed(self, key: BindingKey, step: Step) -> None:
        """A step has ended well."""
        ...

    def refused(self, key: BindingKey, ingress: ObjectKey, rule: str, message: str) -> None:
        """The guard or the ledger stopped a plan."""
        ...

    def isolated(self, key: BindingKey, step: Step, *, found: bool) -> None:
        """The cloud refused a step for its content; `found`: it is its own fault, else it is taken apart."""
        ...

    def observed(self, source: str) -> None:
        """An observation was used: `cache` or `api`."""
        ...

    def settled(self, ingress: Ingress, ready: bool, deleting: bool) -> None:
        """A pass has ended for this Ingress."""
        ...
