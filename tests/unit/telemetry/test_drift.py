"""Which resource and field a step stands for; every kind of step has its place."""

from dataclasses import replace
from typing import get_args

import pytest

from l7lb.model.identity import ListenerId, ListenerKey, LoadBalancerId, RuleKey
from l7lb.model.loadbalancer import CreateSpec, HealthCheck, HostSpec, ListenerSpec, RuleSpec
from l7lb.model.plan import (
    AddTags,
    CreateListeners,
    CreateLoadBalancer,
    CreateRules,
    DeleteListeners,
    DeleteLoadBalancer,
    DeleteRules,
    DeregisterTargets,
    ModifyHost,
    ModifyListener,
    ModifyLoadBalancer,
    ModifyRule,
    ModifyWeights,
    Placement,
    Plan,
    RegisterTargets,
    RemoveTags,
    SetSecurityGroups,
    Step,
)
from l7lb.model.redirecting import CreateRedirects, DeleteRedirects, MirrorHosts
from l7lb.telemetry.drift import drifted
from tests.builders import certificate, key, ref, target

HTTP = ListenerKey("HTTP", 80)
RULE = RuleSpec(key("a.example.com/"))
PLACED = (Placement(ref("HTTP:80", "a.example.com/"), target()),)
CHECK = HealthCheck(interval_s=5, path="/healthz")

STEPS: list[tuple[Step, list[tuple[str, str]]]] = [
    (CreateLoadBalancer(CreateSpec(), (), "token"), [("load_balancer", "missing")]),
    (DeleteLoadBalancer(LoadBalancerId("lb-1"), "proof"), [("load_balancer", "surplus")]),
    (AddTags((("a", "b"),)), [("load_balancer", "tags")]),
    (RemoveTags(("a",)), [("load_balancer", "tags")]),
    (ModifyLoadBalancer(delete_protection=True), [("load_balancer", "delete_protection")]),
    (SetSecurityGroups(frozenset()), [("load_balancer", "security_groups")]),
    (CreateListeners("HTTP", (80,), "name"), [("listener", "missing")]),
    (DeleteListeners((HTTP,)), [("listener", "surplus")]),
    (
        ModifyListener(HTTP, ListenerSpec(HTTP), ListenerSpec(HTTP, name="x", certificate=certificate("one"))),
        [("listener", "certificate"), ("listener", "name")],
    ),
    (CreateRules(HTTP, (RULE,)), [("rule", "missing")]),
    (DeleteRules(HTTP, (RuleKey("a.example.com", "/"),)), [("rule", "surplus")]),
    (
        ModifyRule(HTTP, RULE, replace(RULE, scheduler="WRR", health_check=CHECK)),
        [("rule", "health_check_interval_s"), ("rule", "health_check_path"), ("rule", "scheduler")],
    ),
    (
        ModifyHost(HTTP, HostSpec("a"), HostSpec("a", certificate("one"), http2=True)),
        [("host", "certificate"), ("host", "http2")],
    ),
    (MirrorHosts((("a", 302),)), [("redirect", "missing")]),
    (CreateRedirects(HTTP, HTTP, ()), [("redirect", "missing")]),
    (DeleteRedirects(HTTP, ListenerId("lbl-1"), ()), [("redirect", "surplus")]),
    (RegisterTargets(PLACED), [("target", "missing")]),
    (DeregisterTargets(PLACED), [("target", "surplus")]),
    (ModifyWeights(PLACED), [("target", "weight")]),
]


@pytest.mark.parametrize(("step", "named"), STEPS, ids=[type(step).__name__ for step, _ in STEPS])
def test_a_step_names_its_resource_and_what_differs(step: Step, named: list[tuple[str, str]]) -> None:
    assert sorted(drifted(Plan((step,)))) == sorted(named)


def test_every_kind_of_step_is_in_these_tests() -> None:
    assert {type(step) for step, _ in STEPS} == set(get_args(Step))


def test_a_plan_names_all_of_its_steps() -> None:
    plan = Plan((CreateRules(HTTP, (RULE,)), RegisterTargets(PLACED), RegisterTargets(PLACED)))
    assert list(drifted(plan)) == [("rule", "missing"), ("target", "missing"), ("target", "missing")]
