"""The end of a whole cluster: what its operator has said, and what becomes of each load balancer. Values only."""

from dataclasses import dataclass
from enum import Enum

from l7lb.model.identity import Cluster
from l7lb.model.loadbalancer import LoadBalancerHead
from l7lb.model.ownership import Evidence


class Fate(Enum):
    """What becomes of one load balancer when its cluster goes away."""

    DELETE = "delete"
    RELEASE = "release"
    """It is lent: our listeners go, then our tags."""
    KEPT = "keep"
    """Somebody's word or tag keeps it, or it is none of this cluster's."""
    LEFT = "leave"
    """Nothing proves what may be done to it: a person has to look."""


@dataclass(frozen=True, slots=True)
class Order:
    """The operator's word: the proof that stands where an Ingress being deleted stands otherwise."""

    cluster: Cluster
    """`uid`: read from the cluster, or typed where there is none to be read."""
    typed: str
    """The id as it was typed once more, after the list was shown."""
    alive: bool
    """Whether the cluster answers, so that Ingresses and records can be read."""


@dataclass(frozen=True, slots=True)
class Ending:
    """One load balancer and what becomes of it."""

    head: LoadBalancerHead
    fate: Fate
    reason: str
    evidence: Evidence | None = None
    """Of the Ingress that its tag names, while that lives; None: of nobody."""
