"""Targets on nodes that are NotReady for a while: whether their weight goes to 0 is for the cloud's own check to say.

Pure but for the read that the caller makes. Never drains the last target of a rule that takes traffic (promise 4).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from l7lb import planner
from l7lb.model.cloud import Health, TargetHealth
from l7lb.model.identity import CloudRef, ListenerId, LocationId
from l7lb.model.loadbalancer import (
    DesiredLoadBalancer,
    ListenerSpec,
    ObservedListener,
    ObservedLoadBalancer,
    RuleSpec,
    Target,
    TargetKey,
)

Healths = Mapping[tuple[CloudRef, ListenerId, LocationId], tuple[TargetHealth, ...]]


def has_suspects(desired: DesiredLoadBalancer) -> bool:
    """Whether the cloud has to be asked at all."""
    return any(target.suspect for listener in desired.listeners for rule in listener.rules for target in rule.targets)


def asked(
    desired: DesiredLoadBalancer, observed: ObservedLoadBalancer, ask: Callable[[tuple[CloudRef, ...]], Healths]
) -> DesiredLoadBalancer:
    """As `drained`; the cloud is asked only where somebody is suspected."""
    return drained(desired, observed, ask((observed.head.ref,))) if has_suspects(desired) else desired


def drained(desired: DesiredLoadBalancer, observed: ObservedLoadBalancer, healths: Healths) -> DesiredLoadBalancer:
    """`desired` with weight 0 for suspects that are bound and not called healthy."""
    by_key = {listener.spec.key: listener for listener in observed.listeners}
    listeners = tuple(
        _listener(spec, by_key[spec.key], observed.head.ref, healths) if spec.key in by_key else spec
        for spec in desired.listeners
    )
    return replace(desired, listeners=listeners)


def _listener(spec: ListenerSpec, bound: ObservedListener, ref: CloudRef, healths: Healths) -> ListenerSpec:
    rules = {rule.key: rule for rule in bound.spec.rules}
    names = planner.aliases((rule.key for rule in spec.rules), rules, native=False)
    made = []
    for rule in spec.rules:
        there = rules.get(names[rule.key])
        location = bound.locations.get(names[rule.key])
        told = healths.get((ref, bound.id, location), ()) if location is not None else ()
        made.append(_rule(rule, there, told) if there is not None else rule)
    return replace(spec, rules=tuple(made))


def _rule(desired: RuleSpec, observed: RuleSpec, told: tuple[TargetHealth, ...]) -> RuleSpec:
    alive = {one.key for one in told if one.health is Health.ALIVE}
    serving = {target.key for target in observed.targets if target.weight != 0}
    out = {target.key for target in desired.targets if target.suspect and target.key not in alive} & serving
    if not out or out == serving:
        return desired
    return replace(desired, targets=tuple(_weighed(target, out) for target in desired.targets))


def _weighed(target: Target, out: set[TargetKey]) -> Target:
    return replace(target, weight=0) if target.key in out else target
