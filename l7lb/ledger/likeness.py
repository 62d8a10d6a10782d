"""Whether the load balancers that say they are ours serve this very cluster: a copy of a cluster has all of its tags.

Tags, records and UIDs come along when a cluster is copied; what is bound does not. A load balancer whose listeners of
ours send traffic to living targets, none of which is a node or a pod of this cluster, serves somebody else. When that
is so for half of those that serve anybody, this cluster is taken for a copy, and nothing is taken away until a person
says which is the original. Targets that the cloud's own check calls dead say nothing: machines and pods that were
replaced while nobody looked are dead, those of an original at work are not.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass

from l7lb.model.cloud import Health, TargetHealth
from l7lb.model.identity import CloudRef
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.ownership import Claim

_SERVING = frozenset({Health.ALIVE, Health.UNCHECKED})


@dataclass(frozen=True, slots=True)
class Likeness:
    """One load balancer: where the traffic of our listeners goes."""

    ref: CloudRef
    ours: int = 0
    """Bound addresses of this cluster, well or not."""
    strangers: int = 0
    """Living ones of somebody else."""

    @property
    def is_strange(self) -> bool:
        """Whether it serves somebody, and nobody of this cluster."""
        return self.strangers > 0 and self.ours == 0


def liken(ref: CloudRef, bound: Iterable[TargetHealth], inhabited: Set[str]) -> Likeness:
    """`inhabited`: addresses of this cluster's nodes and pods. A target with weight 0 gets nothing new: not counted."""
    at_work = [target for target in bound if target.weight != 0]
    ours = {target.key.address for target in at_work if target.key.address in inhabited}
    serving = {target.key.address for target in at_work if target.health in _SERVING}
    return Likeness(ref, len(ours), len(serving - ours))


def strange(found: Iterable[Likeness]) -> tuple[Likeness, ...]:
    """Those that speak for a copy, if they are at least half of all that serve anybody; else none."""
    serving = [one for one in found if one.ours or one.strangers]
    odd = tuple(one for one in serving if one.is_strange)
    return odd if 2 * len(odd) >= len(serving) else ()


def bound_addresses(observed: ObservedLoadBalancer, claim: Claim) -> frozenset[str]:
    """All that is bound to listeners of ours."""
    return frozenset(
        target.key.address
        for item in observed.listeners
        if item.spec.key in claim.listeners
        for rule in item.spec.rules
        for target in rule.targets
    )
