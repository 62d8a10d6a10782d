"""The guard: refuses a plan that takes away more than the change asks for. A person can let exactly that plan pass."""

from dataclasses import dataclass
from typing import Final

from l7lb.errors import UnsafePlan
from l7lb.model.identity import RuleKey, RuleRef
from l7lb.model.loadbalancer import DesiredLoadBalancer, ObservedLoadBalancer
from l7lb.model.maybe import given
from l7lb.model.plan import (
    CreateLoadBalancer,
    DeleteListeners,
    DeleteLoadBalancer,
    DeleteRules,
    DeregisterTargets,
    Plan,
    Step,
)
from l7lb.model.redirecting import DeleteRedirects
from l7lb.planner.describe import digest
from l7lb.planner.predict import predict

EXITS_MAX: Final = 5
"""Class exits that pass within 10 minutes."""
RULES_MAX: Final = 5
"""So many rules may go at any time, whatever their share is."""

_TAKES_AWAY = (DeleteLoadBalancer, DeleteListeners, DeleteRules, DeregisterTargets, DeleteRedirects)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the plan itself does not know."""

    ingress_changed: bool = False
    """Whether the Ingress has changed since its shape was last reached."""
    deleting: bool = False
    """The Ingress has a deletionTimestamp, and the claim is proof: never guarded."""
    class_exits: int = 0
    """Class exits within the last 10 minutes, this one counted; 0: this plan is none."""
    approved: str = ""
    """The digest that a person has approved."""


def guard(
    plan: Plan,
    desired: DesiredLoadBalancer | None,
    observed: ObservedLoadBalancer | None,
    circumstances: Circumstances,
) -> None:
    """Raise UnsafePlan, naming the digest to approve. `desired` None: a disposal, not a converge."""
    if not plan.steps or circumstances.deleting or circumstances.approved == digest(plan):
        return
    why = _too_many_exits(circumstances)
    if not why and desired is not None and observed is not None:
        why = (
            _removes_for_nothing(plan, desired)
            or ("" if circumstances.ingress_changed else _removes_most_rules(plan, observed))
            or _takes_last_target(plan, desired, observed)
        )
    if why:
        approval = f"annotate the Ingress with l7lb.dev/approve: {digest(plan)} to let it pass"
        raise UnsafePlan(f"{why}; {approval}", reason="UnsafePlan")


def _too_many_exits(circumstances: Circumstances) -> str:
    if circumstances.class_exits <= EXITS_MAX:
        return ""
    return f"{circumstances.class_exits} Ingresses have left the class within 10 minutes"


def _removes_for_nothing(plan: Plan, desired: DesiredLoadBalancer) -> str:
    if any(spec.rules for spec in desired.listeners) or not any(map(_takes_away, plan.steps)):
        return ""
    return "the Ingress asks for no rule at all, and the plan takes something away"


def _takes_away(step: Step) -> bool:
    return isinstance(step, _TAKES_AWAY)


def _removes_most_rules(plan: Plan, observed: ObservedLoadBalancer) -> str:
    before = {RuleRef(item.spec.key, rule.key) for item in observed.listeners for rule in item.spec.rules}
    gone: set[RuleRef] = set()
    for step in plan.steps:
        if isinstance(step, DeleteRules):
            gone |= {RuleRef(step.listener, key) for key in step.rules}
        elif isinstance(step, DeleteListeners):
            gone |= {ref for ref in before if ref.listener in step.keys}
    if len(gone) <= RULES_MAX or 2 * len(gone) <= len(before):
        return ""
    return f"{len(gone)} of {len(before)} rules would go, and the Ingress has not changed"


def _takes_last_target(plan: Plan, desired: DesiredLoadBalancer, observed: ObservedLoadBalancer) -> str:
    taken = {p.rule for step in plan.steps if isinstance(step, DeregisterTargets) for p in step.placements}
    if not taken:
        return ""
    after = observed
    for step in plan.steps:
        if not isinstance(step, CreateLoadBalancer):
            after = predict(after, step, {})
    excused = _endpointless(desired)
    live_before, live_after = _live(observed), _live(after)
    emptied = sorted(ref for ref in taken - excused if live_before.get(ref) and live_after.get(ref) == 0)
    if not emptied:
        return ""
    return f"the last live target of {emptied[0]} would go, and its Service is not known to have no endpoint"


def _endpointless(desired: DesiredLoadBalancer) -> set[RuleRef]:
    """Rules that are right without a target, redirecting ones among them; `/p` too where it stands for `=/p`."""
    rules = [(spec.key, rule.key) for spec in desired.listeners for rule in spec.rules if rule.endpointless]
    rules += [(spec.source.listener, spec.source.rule) for spec in given(desired.redirects, ())]
    exact = {RuleRef(listener, key) for listener, key in rules}
    return exact | {RuleRef(listener, RuleKey(key.host, key.path.removeprefix("="))) for listener, key in rules}


def _live(observed: ObservedLoadBalancer) -> dict[RuleRef, int]:
    """Targets with a weight, by rule."""
    return {
        RuleRef(item.spec.key, rule.key): sum(target.weight != 0 for target in rule.targets)
        for item in observed.listeners
        for rule in item.spec.rules
    }
