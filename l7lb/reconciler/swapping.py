"""Swaps: rules of which a plan would take off all targets that serve, while others come. Pure; memory is in `swaps`.

The cloud sends nothing to a new target before its check has passed, so the old ones stay until one of the new ones is
trusted. What dies anyway is no part of a swap: pods that terminate, are not ready or are gone.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from l7lb.model.cloud import Health, TargetHealth
from l7lb.model.identity import CloudRef, ListenerId, LocationId, RuleKey, RuleRef
from l7lb.model.loadbalancer import (
    DesiredLoadBalancer,
    HealthCheck,
    ListenerSpec,
    ObservedLoadBalancer,
    Presence,
    RuleSpec,
    Target,
    TargetKey,
)
from l7lb.model.maybe import UNSET, given
from l7lb.model.plan import DeregisterTargets, ModifyWeights, Placement, Plan

Healths = Mapping[tuple[CloudRef, ListenerId, LocationId], tuple[TargetHealth, ...]]
Place = tuple[CloudRef, ListenerId, LocationId]

CHECKS: Final = 3
INTERVAL_S: Final = 5
"""What a check is by default (HealthCheck data type)."""
SPARE_S: Final = 10.0
PATIENCE_S_MAX: Final = 60.0

_TRUSTED = (Health.ALIVE, Health.UNCHECKED)


@dataclass(frozen=True, slots=True)
class Swap:
    """One rule: who leaves, and who may serve in their place."""

    ref: RuleRef
    """As it is observed."""
    wanted: RuleRef
    """As it is desired; another one where `/p` stands for `=/p`."""
    place: Place | None
    leaving: frozenset[TargetKey]
    heirs: frozenset[TargetKey]
    """Bound with a weight, and wanted. None: they are only being added."""
    patience_s: float
    """After so long the old ones go, whatever the check says of the new ones."""


def swaps(plan: Plan, desired: DesiredLoadBalancer, observed: ObservedLoadBalancer, limit: int) -> Iterator[Swap]:
    """Rules that would lose targets that serve and have others instead. `limit`: targets of a rule, by quota."""
    leaving: dict[RuleRef, set[TargetKey]] = {}
    for placement in _taken(plan):
        leaving.setdefault(placement.rule, set()).add(placement.target.key)
    if not leaving:
        return
    wanted = {RuleRef(spec.key, rule.key): rule for spec in desired.listeners for rule in spec.rules}
    for listener in observed.listeners:
        for rule in listener.spec.rules:
            ref = RuleRef(listener.spec.key, rule.key)
            name = ref if ref in wanted else RuleRef(ref.listener, RuleKey(ref.rule.host, f"={ref.rule.path}"))
            if ref not in leaving or name not in wanted:
                continue
            location = listener.locations.get(rule.key)
            place = (observed.head.ref, listener.id, location) if location is not None else None
            found = _swap(ref, name, wanted[name], rule, frozenset(leaving[ref]), limit)
            if found is not None:
                yield replace(found, place=place)


def trusted(swap: Swap, healths: Healths) -> frozenset[TargetKey]:
    """Heirs that get traffic, by what the cloud says."""
    told = healths.get(swap.place, ()) if swap.place is not None else ()
    return frozenset(one.key for one in told if one.health in _TRUSTED) & swap.heirs


def without(waiting: Iterable[Swap], vacant: frozenset[str]) -> tuple[Swap, ...]:
    """The same, for those only who leave an address where somebody is."""
    left = (
        replace(swap, leaving=frozenset(key for key in swap.leaving if key.address not in vacant)) for swap in waiting
    )
    return tuple(swap for swap in left if swap.leaving)


def kept(desired: DesiredLoadBalancer, waiting: Iterable[Swap]) -> DesiredLoadBalancer:
    """`desired` with those who leave as they are bound now."""
    stays = {swap.wanted: swap.leaving for swap in waiting}
    return replace(desired, listeners=tuple(_kept(spec, stays) for spec in desired.listeners)) if stays else desired


def _taken(plan: Plan) -> Iterator[Placement]:
    """What the plan takes the traffic from."""
    for step in plan.steps:
        if isinstance(step, DeregisterTargets):
            yield from (one for one in step.placements if one.target.weight != 0)
        elif isinstance(step, ModifyWeights):
            yield from (one for one in step.placements if one.target.weight == 0)


def _swap(
    ref: RuleRef, name: RuleRef, desired: RuleSpec, observed: RuleSpec, taken: frozenset[TargetKey], limit: int
) -> Swap | None:
    wanted = {target.key: target for target in desired.targets}
    weights = {target.key: target.weight for target in observed.targets}
    serving = {key for key, weight in weights.items() if weight != 0}
    leaving = frozenset(key for key in taken & serving if _is_asked_off(wanted.get(key)))
    heirs = frozenset(key for key in serving - taken if key in wanted)
    coming = [key for key, target in wanted.items() if _is_asked_on(target) and key not in serving]
    off = observed.health_check.enabled is False and desired.health_check.enabled is not True
    short = len(weights.keys() | set(coming)) > limit
    if not leaving or not (heirs or coming) or off or short:
        return None
    return Swap(ref, name, None, leaving, heirs, _patience(desired.health_check, observed.health_check))


def _is_asked_off(target: Target | None) -> bool:
    """It leaves alive: nobody wants it any more, or a user gives it no traffic."""
    return target is None or (target.presence is Presence.REQUIRED and target.weight == 0)


def _is_asked_on(target: Target) -> bool:
    return target.presence is Presence.REQUIRED and target.weight != 0


def _patience(desired: HealthCheck, observed: HealthCheck) -> float:
    """A new target is trusted after so many checks in a row."""
    interval = given(desired.interval_s, given(observed.interval_s, INTERVAL_S))
    checks = given(desired.healthy_num, given(observed.healthy_num, CHECKS))
    return min(interval * checks + SPARE_S, PATIENCE_S_MAX)


def _kept(spec: ListenerSpec, stays: Mapping[RuleRef, frozenset[TargetKey]]) -> ListenerSpec:
    rules = []
    for rule in spec.rules:
        left = stays.get(RuleRef(spec.key, rule.key), frozenset())
        here = tuple(replace(one, weight=UNSET) if one.key in left else one for one in rule.targets)
        gaps = sorted(left - {one.key for one in rule.targets})
        back = tuple(Target(key, presence=Presence.TOLERATED) for key in gaps)
        rules.append(replace(rule, targets=(*here, *back)) if left else rule)
    return replace(spec, rules=tuple(rules))
