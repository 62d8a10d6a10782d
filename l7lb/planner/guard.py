"""The guard: refuses a plan that takes away more than the change asks for. A person can let exactly that plan pass."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from l7lb.errors import UnsafePlan
from l7lb.model.identity import RuleKey, RuleRef
from l7lb.model.loadbalancer import DesiredLoadBalancer, ObservedLoadBalancer, Presence, TargetKey
from l7lb.model.maybe import given
from l7lb.model.plan import (
    CreateListeners,
    CreateLoadBalancer,
    CreateRules,
    DeleteListeners,
    DeleteLoadBalancer,
    DeleteRules,
    DeregisterTargets,
    Placement,
    Plan,
    Step,
)
from l7lb.model.redirecting import CreateRedirects, DeleteRedirects, MirrorHosts
from l7lb.planner.describe import digest
from l7lb.planner.predict import predict

EXITS_MAX: Final = 5
"""Class exits that pass within 10 minutes."""
RULES_MAX: Final = 5
"""So many rules may go at any time, whatever their share is."""

Dead: TypeAlias = Collection[tuple[RuleRef, TargetKey]]
_MAKES = (CreateListeners, CreateRules, CreateRedirects, MirrorHosts)
_DELETES = (DeleteListeners, DeleteRules, DeleteRedirects)
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
    dead: frozenset[tuple[RuleRef, TargetKey]] = frozenset()
    """Bound targets where nobody is, or somebody else: to take them off is no loss."""
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
        why = _removes_for_nothing(plan, desired, circumstances.dead) or (
            "" if circumstances.ingress_changed else _removes_most_rules(plan, observed)
        )
        emptied = _emptied(plan, desired, observed, circumstances.dead) if not why else ()
        why = why or (_last_target(emptied) if emptied else "")
    if why:
        raise UnsafePlan(_with_approval(why, plan), reason="UnsafePlan")


def dead_targets(desired: DesiredLoadBalancer) -> frozenset[tuple[RuleRef, TargetKey]]:
    """Those that are told to be gone; TKE's `/p` stands for our `=/p`."""
    found: set[tuple[RuleRef, TargetKey]] = set()
    for spec in desired.listeners:
        for rule in spec.rules:
            plain = RuleKey(rule.key.host, rule.key.path.removeprefix("="))
            gone = [one.key for one in rule.targets if one.presence is Presence.GONE]
            found |= {(RuleRef(spec.key, name), key) for name in (rule.key, plain) for key in gone}
    return frozenset(found)


def stop_last_targets(
    plan: Plan, desired: DesiredLoadBalancer, observed: ObservedLoadBalancer, circumstances: Circumstances
) -> tuple[Plan, str]:
    """The plan without what takes the last live target off a rule, and why; nothing else rests on that.

    Only an approval of the whole plan lets it pass.
    """
    if circumstances.approved == digest(plan):
        return plan, ""
    emptied = _emptied(plan, desired, observed, circumstances.dead)
    if not emptied:
        return plan, ""
    dead = circumstances.dead
    steps = [_sparing(step, emptied, dead) if isinstance(step, DeregisterTargets) else step for step in plan.steps]
    left = replace(plan, steps=tuple(step for step in steps if step is not None))
    return left, _with_approval(_last_target(emptied), plan)


def stop_deletions(plan: Plan, why: UnsafePlan) -> Plan:
    """The plan without what it deletes. Raises `why` where something is made in the place of what was to go."""
    made = [number for number, step in enumerate(plan.steps) if isinstance(step, _MAKES)]
    gone = [number for number, step in enumerate(plan.steps) if isinstance(step, _DELETES)]
    if not gone or (made and gone[0] < made[-1]):
        raise why
    return replace(plan, steps=tuple(step for step in plan.steps if not isinstance(step, _DELETES)))


def _with_approval(why: str, plan: Plan) -> str:
    return f"{why}; annotate the Ingress with l7lb.dev/approve: {digest(plan)} to let it pass"


def _sparing(step: DeregisterTargets, rules: Collection[RuleRef], dead: Dead) -> Step | None:
    """What does not serve goes all the same."""
    left = tuple(one for one in step.placements if one.rule not in rules or not _is_live(one, dead))
    return replace(step, placements=left) if left else None


def _too_many_exits(circumstances: Circumstances) -> str:
    if circumstances.class_exits <= EXITS_MAX:
        return ""
    return f"{circumstances.class_exits} Ingresses have left the class within 10 minutes"


def _removes_for_nothing(plan: Plan, desired: DesiredLoadBalancer, dead: Dead) -> str:
    if any(spec.rules for spec in desired.listeners) or not any(_takes_away(step, dead) for step in plan.steps):
        return ""
    return "the Ingress asks for no rule at all, and the plan takes something away"


def _takes_away(step: Step, dead: Dead) -> bool:
    if isinstance(step, DeregisterTargets):
        return any((one.rule, one.target.key) not in dead for one in step.placements)
    return isinstance(step, _TAKES_AWAY)


def _is_live(one: Placement, dead: Dead) -> bool:
    return one.target.weight != 0 and (one.rule, one.target.key) not in dead


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


def _emptied(
    plan: Plan, desired: DesiredLoadBalancer, observed: ObservedLoadBalancer, dead: Dead
) -> tuple[RuleRef, ...]:
    """Rules that the plan leaves without a live target, and that are not known to be right without one."""
    taken = {p.rule for step in plan.steps if isinstance(step, DeregisterTargets) for p in step.placements}
    if not taken:
        return ()
    after = observed
    for step in plan.steps:
        if not isinstance(step, CreateLoadBalancer):
            after = predict(after, step, {})
    excused = _endpointless(desired)
    live_before, live_after = _live(observed, dead), _live(after, dead)
    return tuple(sorted(ref for ref in taken - excused if live_before.get(ref) and live_after.get(ref) == 0))


def _last_target(emptied: Sequence[RuleRef]) -> str:
    more = f" and of {len(emptied) - 1} more rules" if len(emptied) > 1 else ""
    return f"the last live target of {emptied[0]}{more} would go, and its Service is not known to have no endpoint"


def _endpointless(desired: DesiredLoadBalancer) -> set[RuleRef]:
    """Rules that are right without a target, redirecting ones among them; `/p` too where it stands for `=/p`."""
    rules = [(spec.key, rule.key) for spec in desired.listeners for rule in spec.rules if rule.endpointless]
    rules += [(spec.source.listener, spec.source.rule) for spec in given(desired.redirects, ())]
    exact = {RuleRef(listener, key) for listener, key in rules}
    return exact | {RuleRef(listener, RuleKey(key.host, key.path.removeprefix("="))) for listener, key in rules}


def _live(observed: ObservedLoadBalancer, dead: Dead) -> dict[RuleRef, int]:
    """Targets with a weight, by rule."""
    rules = [(RuleRef(item.spec.key, rule.key), rule) for item in observed.listeners for rule in item.spec.rules]
    return {ref: sum(_is_live(Placement(ref, one), dead) for one in rule.targets) for ref, rule in rules}
