"""Bound targets that lead nowhere or to somebody else, also behind rules that are held: these go before anything else.

Pure but for the questions. What is held keeps its shape and its living targets; of what cannot be told nothing goes.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeAlias

from l7lb import planner
from l7lb.model.identity import RuleRef
from l7lb.model.loadbalancer import (
    DesiredLoadBalancer,
    ListenerSpec,
    ObservedListener,
    ObservedLoadBalancer,
    Presence,
    RuleSpec,
    Target,
    TargetKey,
)
from l7lb.model.problems import Held

Addresses: TypeAlias = Callable[[frozenset[str]], frozenset[str]]
Keys: TypeAlias = Callable[[frozenset[TargetKey]], frozenset[TargetKey]]


def told(
    desired: DesiredLoadBalancer, observed: ObservedLoadBalancer, held: Held, vacant: Addresses, taken: Keys
) -> DesiredLoadBalancer:
    """`desired` with strays as GONE. `vacant`: addresses where nobody is; `taken`: targets that are another's now."""
    there = {item.spec.key: item for item in observed.listeners}
    known = [(spec, rule, bound) for spec in desired.listeners for rule, bound in _known(spec, there.get(spec.key))]
    frozen = [(spec.key, bound) for spec in desired.listeners for bound in _held(spec, there.get(spec.key), held)]
    asked = frozenset(
        target.key
        for rule, bound in [*((rule, bound) for _, rule, bound in known), *((None, bound) for _, bound in frozen)]
        for target in _unasked(rule, bound)
    )
    if not asked:
        return desired
    others = taken(asked)
    addresses = frozenset(target.key.address for _, bound in frozen for target in bound.targets)
    empty = vacant(addresses) if addresses else frozenset()
    found: dict[RuleRef, RuleSpec] = {}
    for spec, rule, bound in known:
        if gone := [target for target in _unasked(rule, bound) if target.key in others]:
            found[RuleRef(spec.key, rule.key)] = replace(rule, targets=(*rule.targets, *_gone(gone)))
    for key, bound in frozen:
        gone = [target for target in bound.targets if target.key in others or target.key.address in empty]
        if gone:
            left = (Target(one.key, presence=Presence.TOLERATED) for one in bound.targets if one not in gone)
            found[RuleRef(key, bound.key)] = RuleSpec(bound.key, (*left, *_gone(gone)))
    return replace(desired, listeners=tuple(_with(spec, found) for spec in desired.listeners)) if found else desired


def _known(spec: ListenerSpec, item: ObservedListener | None) -> Iterable[tuple[RuleSpec, RuleSpec]]:
    """Rules whose targets are told, with what is there; TKE's `/p` stands for our `=/p`."""
    there = {rule.key: rule for rule in item.spec.rules} if item is not None else {}
    names = planner.aliases((rule.key for rule in spec.rules), there, native=False)
    for rule in spec.rules:
        if rule.targets_known and names[rule.key] in there:
            yield rule, there[names[rule.key]]


def _held(spec: ListenerSpec, item: ObservedListener | None, held: Held) -> Iterable[RuleSpec]:
    """Rules that are there and held, and of which nothing is said."""
    there = {rule.key: rule for rule in item.spec.rules} if item is not None else {}
    said = set(planner.aliases((rule.key for rule in spec.rules), there, native=False).values())
    redirects = item.redirects if item is not None else {}
    for key, rule in there.items():
        if key not in said and key not in redirects and held.covers(RuleRef(spec.key, key)):
            yield rule


def _unasked(rule: RuleSpec | None, bound: RuleSpec) -> Iterable[Target]:
    wanted = {target.key for target in rule.targets} if rule is not None else set()
    return (target for target in bound.targets if target.key not in wanted)


def _gone(targets: Iterable[Target]) -> tuple[Target, ...]:
    return tuple(Target(key, presence=Presence.GONE) for key in sorted({target.key for target in targets}))


def _with(spec: ListenerSpec, found: dict[RuleRef, RuleSpec]) -> ListenerSpec:
    said = {rule.key for rule in spec.rules}
    rules = [found.get(RuleRef(spec.key, rule.key), rule) for rule in spec.rules]
    more = [rule for ref, rule in found.items() if ref.listener == spec.key and rule.key not in said]
    return replace(spec, rules=(*rules, *more))
