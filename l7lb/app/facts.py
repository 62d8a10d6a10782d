"""What is known of an installation from outside: each fact as it was read, or why it could not be. Decides nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from l7lb.adapters.clb.probing import Probe
from l7lb.adapters.kube.cluster import ServerVersion
from l7lb.adapters.kube.examining import Replica
from l7lb.adapters.kube.rights import Right
from l7lb.app.gate import Standing
from l7lb.errors import L7lbError, Throttled, Unavailable
from l7lb.model.cluster import Ingress, IngressClass
from l7lb.model.identity import Cluster
from l7lb.model.lease import LeaseRecord
from l7lb.model.loadbalancer import LoadBalancerHead
from l7lb.model.snapshot import Limits

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """An answer."""

    value: T


@dataclass(frozen=True, slots=True)
class Unread:
    """No answer that helps, and why."""

    why: str
    reached: bool = True
    """Whether the other side has said so itself; False: asking for more is of no use."""


def ask(question: Callable[[], T]) -> Known[T] | Unread:
    """One failure is one fact that is missing, and nothing more."""
    try:
        return Known(question())
    except Throttled as refusal:
        return Unread(f"{refusal}; ask again in a minute")
    except Unavailable as error:
        return Unread(str(error), reached=False)
    except L7lbError as error:
        return Unread(str(error))


@dataclass(frozen=True, slots=True)
class Granted:
    """One right, and whether the account has it."""

    right: Right
    allowed: bool


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """What the API server said."""

    version: Known[ServerVersion] | Unread
    identity: Known[Cluster] | Unread
    skew_s: Known[float | None] | Unread
    """How far its clock is ahead of ours."""
    definitions: Known[tuple[str, ...]] | Unread
    """Versions in which TkeServiceConfig is served."""
    classes: Known[tuple[IngressClass, ...]] | Unread
    ingresses: Known[tuple[Ingress, ...]] | Unread
    gate: Standing
    lease: Known[LeaseRecord | None] | Unread
    """None: there is none."""
    replicas: Known[tuple[Replica, ...]] | Unread
    shards: tuple[Known[LeaseRecord | None] | Unread, ...] = ()
    """The Lease of each; empty: one leads for all."""


@dataclass(frozen=True, slots=True)
class CloudFacts:
    """What the cloud said."""

    source: str
    """Where the keys come from, without them."""
    heads: Known[tuple[LoadBalancerHead, ...]] | Unread
    """Load balancers that bear the cluster's id."""
    limits: Known[Limits] | Unread
    skew_s: float | None
    """How far its clock is ahead of ours; None: it does not tell."""
    probes: tuple[Probe, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """All of them, and when and by whom they were read."""

    cluster_id: str
    region: str
    version: str
    """Of the command that asks."""
    now: float
    """Seconds since 1970."""
    cluster: ClusterFacts
    cloud: CloudFacts
    rights: Known[tuple[Granted, ...]] | Unread = Unread("not asked")
    account: str = ""
    """Whose rights; empty: those of whoever asks."""
    copy: Known[str] | Unread = Unread("not asked")
    """Why this cluster may be a copy of another; empty: it is not."""
