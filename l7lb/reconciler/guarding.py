"""The guard over the plan of an Ingress that is alone: what it stops is left out and said, and the rest goes on.

For a group the same is done member by member, in `drafting`.
"""

from l7lb import planner
from l7lb.errors import UnsafePlan
from l7lb.model.loadbalancer import DesiredLoadBalancer, ObservedLoadBalancer
from l7lb.model.plan import Plan
from l7lb.reconciler import records
from l7lb.reconciler.passes import Matter, Workshop, problem

REASON = "UnsafePlan"


def guarded(
    shop: Workshop,
    matter: Matter,
    plan: Plan,
    desired: DesiredLoadBalancer,
    told: DesiredLoadBalancer,
    observed: ObservedLoadBalancer,
) -> Plan:
    """The part of the plan that is safe. Raises UnsafePlan where its parts rest on each other.

    `told`: `desired`, with all that is known of bound targets.
    """
    said: list[str] = []
    changed = records.is_edited(matter.record, matter.ingress, planner.shape_digest(desired))
    around = planner.Circumstances(changed, dead=planner.dead_targets(told), approved=matter.options.approve)
    left, why = planner.stop_last_targets(plan, desired, observed, around)
    said += [why] if why else []
    if left and around.approved != planner.digest(plan):
        try:
            planner.guard(left, desired, observed, around)
        except UnsafePlan as refusal:
            said.append(str(refusal))
            try:
                left = planner.stop_deletions(left, refusal)
            except UnsafePlan:
                shop.telemetry.refused(matter.key, matter.ingress.key, REASON, str(refusal))
                raise
    for text in said:
        shop.telemetry.refused(matter.key, matter.ingress.key, REASON, text)
        matter.problems.append(problem("", "UnsafePlan", text))
    return left
