"""Each step piece by piece: nothing that a plan does is left out of what a person reads before letting it pass."""

from typing import get_args

import pytest

from l7lb import planner
from l7lb.model.identity import ListenerId, ListenerKey, LoadBalancerId, LocationId, RuleKey, RuleRef
from l7lb.model.loadbalancer import Certificate, CreateSpec, HealthCheck, HostSpec, ListenerSpec, RuleSpec, Target
from l7lb.model.loadbalancer import TargetKey as Key
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
    RegisterTargets,
    RemoveTags,
    SetSecurityGroups,
    Step,
)
from l7lb.model.redirecting import CreateRedirects, DeleteRedirects, FormerRedirect, MirrorHosts, RedirectPair

HTTP, HTTPS, RULE = ListenerKey("HTTP", 80), ListenerKey("HTTPS", 443), RuleKey("a.example.com", "/")
ON_RULE = Placement(RuleRef(HTTP, RULE), Target(Key("10.0.0.1", 80), "ins-1", weight=5))
TABLE: list[tuple[Step, str, list[str]]] = [
    (
        CreateLoadBalancer(CreateSpec(name="web", bandwidth_mbps=10), (("k", "v"),), "token", pass_to_target=True),
        "create load balancer",
        ["+ load balancer web: bandwidth_mbps 10", "+ tag k: v", "+ setting pass_to_target: on"],
    ),
    (
        DeleteLoadBalancer(LoadBalancerId("lb-1"), "its Ingress is gone", force=True),
        "delete load balancer lb-1 by force",
        ["- load balancer lb-1: its Ingress is gone"],
    ),
    (AddTags((("k", "v"),)), "set 1 tag", ["+ tag k: v"]),
    (RemoveTags(("k", "l")), "remove 2 tags", ["- tag k: ", "- tag l: "]),
    (ModifyLoadBalancer(delete_protection=True), "modify load balancer", ["~ setting delete_protection: on"]),
    (SetSecurityGroups(frozenset()), "modify load balancer", ["~ setting security groups: none"]),
    (
        CreateListeners("HTTPS", (443, 8443), "n", Certificate(frozenset({"c"}), "ca"), sni=True, snat=False),
        "create 2 listeners",
        [f"+ listener HTTPS:{port}: name n, certificate c, client CA ca, SNI, snat off" for port in (443, 8443)],
    ),
    (
        ModifyListener(HTTP, ListenerSpec(HTTP, name="old"), ListenerSpec(HTTP, name="new")),
        "modify listener HTTP:80",
        ["~ setting name: old -> new"],
    ),
    (DeleteListeners((HTTP,)), "delete 1 listener", ["- listener HTTP:80: "]),
    (
        CreateRules(HTTP, (RuleSpec(RULE, scheduler="WRR"),), (HostSpec("a.example.com", http2=True),)),
        "create 1 rule on HTTP:80",
        ["+ rule a.example.com/: scheduler WRR, host http2 on"],
    ),
    (
        ModifyRule(
            HTTP,
            RuleSpec(RULE, scheduler="WRR", health_check=HealthCheck(path="/")),
            RuleSpec(RULE, scheduler="IP_HASH", health_check=HealthCheck(path="/ok")),
        ),
        "modify rule HTTP:80 a.example.com/",
        ["~ setting health check path: / -> /ok", "~ setting scheduler: WRR -> IP_HASH"],
    ),
    (
        ModifyHost(HTTPS, HostSpec("", certificate=None), HostSpec("", certificate=Certificate(frozenset({"c"})))),
        "modify host (no host) on HTTPS:443",
        ["~ setting certificate: none -> c"],
    ),
    (
        DeleteRules(HTTP, (RULE,), new_default="b.example.com"),
        "delete 1 rule on HTTP:80; unknown hosts go to b.example.com",
        ["- rule a.example.com/: "],
    ),
    (
        MirrorHosts((("a.example.com", 301),)),
        "create 1 redirected host",
        ["+ redirected host a.example.com: HTTP:80 -> HTTPS:443 (301)"],
    ),
    (
        CreateRedirects(HTTP, HTTPS, (RedirectPair(RULE, RULE, 302),), again=True),
        "make anew 1 redirect",
        ["+ redirect HTTP:80 a.example.com/: -> HTTPS:443 a.example.com/ (302)"],
    ),
    (
        DeleteRedirects(HTTP, ListenerId("lbl-1"), (FormerRedirect(RULE, LocationId("loc-1")),), again=True),
        "take off for a moment 1 redirect",
        ["- redirect HTTP:80 a.example.com/: -> lbl-1 loc-1"],
    ),
    (RegisterTargets((ON_RULE,)), "register 1 target", ["+ target 10.0.0.1:80: weight 5, ins-1"]),
    (DeregisterTargets((ON_RULE,)), "deregister 1 target", ["- target 10.0.0.1:80: weight 5, ins-1"]),
    (ModifyWeights((ON_RULE,)), "set weights of 1 target", ["~ target 10.0.0.1:80: weight 5, ins-1"]),
]


@pytest.mark.parametrize(("step", "headline", "pieces"), TABLE, ids=lambda value: type(value).__name__)
def test_a_step_is_told_piece_by_piece(step: Step, headline: str, pieces: list[str]) -> None:
    assert planner.headline(step) == headline
    assert [f"{one.sign.value} {one.kind} {one.name}: {one.text}" for one in planner.details(step)] == pieces


def test_every_step_is_in_the_table() -> None:
    assert {type(step) for step, _, _ in TABLE} == set(get_args(Step))


def test_a_target_names_the_rule_that_it_is_on() -> None:
    assert [one.place for one in planner.details(RegisterTargets((ON_RULE,)))] == ["HTTP:80 a.example.com/"]


def test_settings_and_the_tags_of_a_new_load_balancer_are_counted_with_what_they_belong_to() -> None:
    counted = {
        f"{sign.value} {kind}": number for (sign, kind), number in planner.tally(row[0] for row in TABLE).items()
    }
    assert counted == {
        "+ load balancer": 1, "- load balancer": 1, "~ load balancer": 2, "+ tag": 1, "- tag": 2,
        "+ listener": 2, "~ listener": 1, "- listener": 1, "+ rule": 1, "~ rule": 1, "- rule": 1, "~ host": 1,
        "+ redirected host": 1, "+ redirect": 1, "- redirect": 1, "+ target": 1, "- target": 1, "~ target": 1,
    }  # fmt: skip
