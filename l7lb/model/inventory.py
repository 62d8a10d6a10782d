"""All load balancers of a cluster side by side: where each comes from, and who uses it. Values only.

The deciding is in `ledger`. What is read of a single load balancer is in `loadbalancer`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from l7lb.model.identity import CloudRef, Cluster, LoadBalancerId
from l7lb.model.loadbalancer import LoadBalancerHead


class Provenance(Enum):
    """Where a load balancer comes from and to whom it belongs, by itself: no Ingress is asked."""

    FOREIGN = "foreign"
    """Of another cluster, or not of this one."""
    SERVICE = "a Service's"
    LENT = "lent"
    """In use by this cluster, which did not make it."""
    UNCLAIMED = "unclaimed"
    """Made by this cluster, and for nobody."""
    KEPT = "kept"
    """Made for an Ingress, and to outlive it."""
    UNPROVEN = "unproven"
    """Made for an Ingress under this cluster's id, but it does not say by which cluster: TKE's controller made it."""
    MADE = "made"
    """Made for an Ingress by this very cluster."""


class Use(Enum):
    """What becomes clear when it is held against all Ingresses there are."""

    USED = "used"
    DUPLICATE = "duplicate"
    """Bears the UID of an Ingress that uses another one, or one of several."""
    NAMED = "named"
    """Its Ingress is gone, but another one names it: not used by it, and not free either."""
    ORPHAN = "orphan"
    """Made by this very cluster for an Ingress that is not there any more."""
    UNPROVEN_ORPHAN = "unproven orphan"
    """The same, but that this cluster made it is not proven: never collected."""
    HALF_MADE = "half-made"
    """An orphan whose creation has not ended."""
    KEPT = "kept"
    LEFT_BEHIND = "left behind"
    """Lent, and still bears our tags although nobody uses it."""
    UNCLAIMED = "unclaimed"
    SERVICE = "a Service's"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"
    """The Ingresses could not be read."""


@dataclass(frozen=True, slots=True)
class Census:
    """Every Ingress of the whole cluster, ours or not, as one reading has shown them."""

    uids: frozenset[str]
    named: Mapping[LoadBalancerId, frozenset[str]] = field(default_factory=dict)
    """Load balancer -> UIDs of the Ingresses that name it in any way: `existLbId`, record, id annotation, also in a
    record that was copied from another Ingress."""
    recorded: Mapping[str, LoadBalancerId] = field(default_factory=dict)
    """UID -> the load balancer in the Ingress's own record."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One load balancer in the inventory."""

    head: LoadBalancerHead
    provenance: Provenance
    use: Use
    ingress_uid: str = ""
    """Of the Ingress that its tag names; empty: none."""
    reason: str = ""
    """Why, in words."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """How often one load balancer was seen to be an orphan; times by the wall clock, in seconds since 1970."""

    ingress_uid: str
    """Of the Ingress that was not there."""
    first: float
    last: float
    """The last that counts; what is seen soon after it does not."""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Memory:
    """What has to outlive a process before an orphan may be collected. Lost, it only delays."""

    sightings: Mapping[CloudRef, Sighting] = field(default_factory=dict)
    collected: tuple[float, ...] = ()
    """When deletions of orphans were begun, by the wall clock; those of the last hour matter."""


@dataclass(frozen=True, slots=True)
class Warrant:
    """All that the ledger looks at before it lets an orphan be deleted."""

    cluster: Cluster
    head: LoadBalancerHead
    """Read by its id just now."""
    census: Census
    """Read just now."""
    sighting: Sighting
    collected: tuple[float, ...]
    now: float
    """By the wall clock."""
