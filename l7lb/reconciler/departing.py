"""Bound pods that nobody lists any more: of those that are really gone the planner hears that they are.

Pure. One that has only left its Service goes when its successors are bound; where nobody is any more, or somebody
else may be soon, traffic must not go on until then.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from l7lb import planner
from l7lb.model.identity import RuleKey
from l7lb.model.loadbalancer import (
    DesiredLoadBalancer,
    ListenerSpec,
    ObservedLoadBalancer,
    Presence,
    RuleSpec,
    Target,
    TargetKey,
)


def told(
    desired: DesiredLoadBalancer,
    observed: ObservedLoadBalancer,
    vacant: Callable[[frozenset[str]], frozenset[str]],
) -> DesiredLoadBalancer:
    """`desired` with those among bound pods that are really gone; `vacant` says at which addresses nobody is."""
    missing = unlisted(desired, observed)
    return gone(desired, observed, vacant(missing)) if missing else desired


def unlisted(desired: DesiredLoadBalancer, observed: ObservedLoadBalancer) -> frozenset[str]:
    """Addresses that are bound as such and take traffic, in rules whose targets are known and do not have them."""
    return frozenset(
        target.key.address
        for spec in desired.listeners
        for rule, bound in _pairs(spec.rules, _bound(observed, spec))
        for target in _strangers(rule, bound)
    )


def gone(desired: DesiredLoadBalancer, observed: ObservedLoadBalancer, vacant: frozenset[str]) -> DesiredLoadBalancer:
    """`desired`, with what is bound at a vacant address as GONE."""
    if not vacant:
        return desired
    listeners = tuple(
        replace(spec, rules=tuple(_told(rule, _bound(observed, spec), vacant) for rule in spec.rules))
        for spec in desired.listeners
    )
    return replace(desired, listeners=listeners)


def _bound(observed: ObservedLoadBalancer, spec: ListenerSpec) -> dict[RuleKey, tuple[Target, ...]]:
    """By the keys that the wanted rules have, also where a rule of TKE's stands in for one."""
    there = {
        rule.key: rule.targets
        for listener in observed.listeners
        if listener.spec.key.port == spec.key.port
        for rule in listener.spec.rules
    }
    names = planner.aliases((rule.key for rule in spec.rules), there, native=False)
    return {key: there[name] for key, name in names.items() if name in there}


def _pairs(
    rules: Iterable[RuleSpec], bound: dict[RuleKey, tuple[Target, ...]]
) -> Iterator[tuple[RuleSpec, tuple[Target, ...]]]:
    for rule in rules:
        if rule.targets_known and rule.key in bound:
            yield rule, bound[rule.key]


def _strangers(rule: RuleSpec, bound: tuple[Target, ...]) -> Iterator[Target]:
    listed: set[TargetKey] = {target.key for target in rule.targets}
    addresses = {key.address for key in listed}
    for target in bound:
        # What is bound through an instance is a machine and no pod.
        if target.key.address not in addresses and target.weight != 0 and not target.instance_id:
            yield target


def _told(rule: RuleSpec, bound: dict[RuleKey, tuple[Target, ...]], vacant: frozenset[str]) -> RuleSpec:
    dead = tuple(
        Target(target.key, presence=Presence.GONE)
        for one, there in _pairs((rule,), bound)
        for target in _strangers(one, there)
        if target.key.address in vacant
    )
    return replace(rule, targets=(*rule.targets, *dict.fromkeys(dead))) if dead else rule
