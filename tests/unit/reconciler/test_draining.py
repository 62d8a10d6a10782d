"""Which suspects lose their traffic: the cloud's own check has the last word."""

from dataclasses import replace

import pytest

from l7lb.model.cloud import Health, TargetHealth
from l7lb.model.identity import CloudRef, ListenerId, ListenerKey, LoadBalancerId, LocationId, RuleKey
from l7lb.model.loadbalancer import (
    DesiredLoadBalancer,
    ListenerSpec,
    LoadBalancerHead,
    ObservedListener,
    ObservedLoadBalancer,
    Presence,
    RuleSpec,
    Target,
    TargetKey,
)
from l7lb.model.maybe import UNSET
from l7lb.reconciler.draining import drained, has_suspects

REF = CloudRef("ap-guangzhou", LoadBalancerId("lb-1"))
HTTP = ListenerKey("HTTP", 80)
RULE = RuleKey("a.example.com", "/")
GOOD, BAD = TargetKey("10.0.0.1", 30080), TargetKey("10.0.0.2", 30080)
SUSPECT = Target(BAD, presence=Presence.TOLERATED, suspect=True)


def wanted(*targets: Target) -> DesiredLoadBalancer:
    return DesiredLoadBalancer(listeners=(ListenerSpec(HTTP, rules=(RuleSpec(RULE, targets),)),))


def bound(*keys: TargetKey, weight: int = 10) -> ObservedLoadBalancer:
    spec = ListenerSpec(HTTP, rules=(RuleSpec(RULE, tuple(Target(key, weight=weight) for key in keys)),))
    listener = ObservedListener(ListenerId("lbl-1"), spec, {RULE: LocationId("loc-1")})
    return ObservedLoadBalancer(LoadBalancerHead(REF, "lb-1", running=True), (listener,))


def says(health: Health) -> dict[tuple[CloudRef, ListenerId, LocationId], tuple[TargetHealth, ...]]:
    return {(REF, ListenerId("lbl-1"), LocationId("loc-1")): (TargetHealth(BAD, health),)}


def weight_of(found: DesiredLoadBalancer) -> object:
    return next(target.weight for target in found.listeners[0].rules[0].targets if target.key == BAD)


@pytest.mark.parametrize(
    ("health", "weight"),
    [(Health.ALIVE, UNSET), (Health.DEAD, 0), (Health.UNKNOWN, 0), (Health.UNCHECKED, 0)],
    ids=["healthy: left alone", "dead: drained", "probing: drained", "no check: NotReady is enough"],
)
def test_a_suspect_is_drained_unless_its_check_calls_it_healthy(health: Health, weight: object) -> None:
    found = drained(wanted(Target(GOOD), SUSPECT), bound(GOOD, BAD), says(health))
    assert weight_of(found) == weight


def test_the_last_target_with_traffic_is_never_drained() -> None:
    assert weight_of(drained(wanted(SUSPECT), bound(BAD), says(Health.DEAD))) is UNSET


def test_a_suspect_that_is_not_bound_is_left_alone() -> None:
    desired = wanted(Target(GOOD), SUSPECT)
    assert drained(desired, bound(GOOD), {}) == desired


def test_without_suspects_the_cloud_is_not_asked() -> None:
    assert not has_suspects(wanted(Target(GOOD), replace(SUSPECT, suspect=False)))
    assert has_suspects(wanted(SUSPECT))


def test_a_suspect_behind_a_rule_that_tke_wrote_without_its_equals_sign_is_drained() -> None:
    exact = RuleSpec(RuleKey("a.example.com", "=/"), (Target(GOOD), SUSPECT))
    desired = DesiredLoadBalancer(listeners=(ListenerSpec(HTTP, rules=(exact,)),))
    assert weight_of(drained(desired, bound(GOOD, BAD), says(Health.DEAD))) == 0
