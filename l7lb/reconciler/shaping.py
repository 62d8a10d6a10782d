"""From what is desired to a plan that can succeed: without targets that are refused, and with old ones that must stay.

The same for an Ingress that is alone and for a group. What the plan then loses to refused rules and settings is decided
by `refusals` and `stability`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from l7lb import planner
from l7lb.model.loadbalancer import DesiredLoadBalancer, ObservedLoadBalancer
from l7lb.model.ownership import Claim
from l7lb.model.plan import Plan
from l7lb.model.snapshot import Limits
from l7lb.reconciler import blaming, swapping, swaps
from l7lb.reconciler.bad_certificates import Settled
from l7lb.reconciler.culprits import Culprits, LeftOut
from l7lb.reconciler.ports import LoadBalancers
from l7lb.reconciler.swaps import Swaps

REFUSED: Final = "a target that the cloud has refused is tried again"


@dataclass(frozen=True, slots=True)
class Scene:
    """What is planned on."""

    observed: ObservedLoadBalancer
    claim: Claim
    limits: Limits
    cloud: LoadBalancers
    vacant: Callable[[frozenset[str]], frozenset[str]]
    """Of these addresses those where nobody is."""


@dataclass(frozen=True, slots=True)
class Shaped:
    """A plan, and what it leaves for later."""

    plan: Plan
    left_out: tuple[LeftOut, ...] = ()
    wait_s: float | None = None
    """After so long to look again; None: there is no need."""
    why: str = ""


def shaped(settled: Settled, scene: Scene, culprits: Culprits, old: Swaps) -> Shaped:
    """Plan as often as it takes; the cloud is asked only about the health of targets that a swap waits for."""
    ref = scene.observed.head.ref

    def planned(desired: DesiredLoadBalancer) -> Plan:
        return planner.converge(desired, scene.observed, scene.claim, settled.held, scene.limits, None)

    desired = settled.desired
    plan = planned(desired)
    left_out = culprits.left_out(ref, plan)
    rest = blaming.without(desired, scene.observed, left_out)
    if rest is not desired:
        plan = planned(rest)
    found = swapping.swaps(plan, rest, scene.observed, scene.limits.targets_per_rule)
    kept, wait_s = old.kept(rest, ref, found, scene.cloud, scene.vacant)
    if kept is not rest:
        plan = planned(kept)
    waits = [(wait_s, swaps.WHY)] if wait_s is not None else []
    waits += [(left.again_s, REFUSED) for left in left_out]
    after_s, why = min(waits, default=(None, ""))
    return Shaped(culprits.apart(ref, plan), left_out, after_s, why)
