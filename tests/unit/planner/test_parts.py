"""A plan for a group, taken apart: each step is somebody's, and nobody's part has anything of another's."""

from dataclasses import replace

import pytest

from l7lb import planner
from l7lb.model.identity import ListenerKey, LocationId, RuleKey
from l7lb.model.loadbalancer import HostSpec, ListenerSpec, RuleSpec
from l7lb.model.plan import (
    AddTags,
    CreateListeners,
    CreateRules,
    DeleteListeners,
    DeleteRules,
    ModifyHost,
    ModifyListener,
    ModifyLoadBalancer,
    ModifyRule,
    Placement,
    Plan,
    RegisterTargets,
    RemoveTags,
    SetSecurityGroups,
    Step,
)
from l7lb.model.redirecting import CreateRedirects, DeleteRedirects, FormerRedirect, MirrorHosts, RedirectPair
from tests.builders import desired, key, listener, observed, ref, rule, target

HTTP, HTTPS, OWN = ListenerKey("HTTP", 80), ListenerKey("HTTPS", 443), ListenerKey("HTTP", 8081)
A, B = RuleKey("a.example.com", "/"), RuleKey("b.example.com", "/")
MINE = planner.Extent(frozenset({ref("HTTP:80", "a.example.com/")}), frozenset({HTTP}))


def _placed(*rules: str) -> tuple[Placement, ...]:
    return tuple(Placement(ref("HTTP:80", text), target()) for text in rules)


def _former(source: RuleKey) -> FormerRedirect:
    return FormerRedirect(source, LocationId("loc-1"))


@pytest.mark.parametrize(
    ("step", "mine"),
    [
        pytest.param(
            CreateRules(HTTP, (RuleSpec(A), RuleSpec(B)), (HostSpec(A.host), HostSpec(B.host))),
            CreateRules(HTTP, (RuleSpec(A),), (HostSpec(A.host),)),
            id="rules with their hosts",
        ),
        pytest.param(DeleteRules(HTTP, (A, B)), DeleteRules(HTTP, (A,)), id="deletions"),
        pytest.param(DeleteRules(HTTP, (B,)), None, id="only another's"),
        pytest.param(ModifyRule(HTTP, RuleSpec(A), RuleSpec(A)), ModifyRule(HTTP, RuleSpec(A), RuleSpec(A)), id="own"),
        pytest.param(ModifyRule(HTTP, RuleSpec(B), RuleSpec(B)), None, id="another's rule"),
        pytest.param(
            ModifyHost(HTTP, HostSpec(A.host), HostSpec(A.host)),
            ModifyHost(HTTP, HostSpec(A.host), HostSpec(A.host)),
            id="own host",
        ),
        pytest.param(ModifyHost(HTTP, HostSpec(B.host), HostSpec(B.host)), None, id="another's host"),
        pytest.param(
            RegisterTargets(_placed("a.example.com/", "b.example.com/")),
            RegisterTargets(_placed("a.example.com/")),
            id="targets",
        ),
        pytest.param(
            CreateListeners("HTTP", (80, 8081), "x"), CreateListeners("HTTP", (80,), "x"), id="one of two listeners"
        ),
        pytest.param(DeleteListeners((HTTP, OWN)), DeleteListeners((HTTP,)), id="one of two deletions"),
        pytest.param(ModifyListener(OWN, ListenerSpec(OWN), ListenerSpec(OWN)), None, id="another's listener"),
        pytest.param(
            CreateRedirects(HTTP, HTTPS, (RedirectPair(A, A, 302), RedirectPair(B, B, 302))),
            CreateRedirects(HTTP, HTTPS, (RedirectPair(A, A, 302),)),
            id="redirects",
        ),
        pytest.param(
            DeleteRedirects(HTTP, observed(listener("HTTP:80")).listeners[0].id, (_former(A), _former(B))),
            DeleteRedirects(HTTP, observed(listener("HTTP:80")).listeners[0].id, (_former(A),)),
            id="redirects off",
        ),
        pytest.param(MirrorHosts(((A.host, 302), (B.host, 302))), MirrorHosts(((A.host, 302),)), id="mirrors"),
    ],
)
def test_a_part_has_nothing_of_another_member(step: Step, mine: Step | None) -> None:
    assert planner.part(Plan((step,)), MINE).steps == ((mine,) if mine is not None else ())


@pytest.mark.parametrize(
    "step",
    [
        AddTags((("tke-clusterId", "cls-1"),)),
        RemoveTags(("tke-clusterId",)),
        ModifyLoadBalancer(pass_to_target=True),
        SetSecurityGroups(frozenset({"sg-1"})),
    ],
)
def test_what_is_the_load_balancers_own_is_in_the_part_of_one(step: Step) -> None:
    assert not planner.part(Plan((step,)), MINE)
    assert planner.part(Plan((step,)), replace(MINE, whole=True)).steps == (step,)


def test_both_worlds_are_narrowed_to_rules_and_hosts_of_one() -> None:
    both = listener("HTTP:80", rule("a.example.com/"), rule("b.example.com/"))
    wanted = planner.wanted_of(desired(both), MINE).listeners[0]
    assert [one.key for one in wanted.rules] == [key("a.example.com/")]
    assert [one.host for one in wanted.hosts] == ["a.example.com"]
    seen = planner.seen_of(observed(both), MINE).listeners[0].spec
    assert [one.key for one in seen.rules] == [key("a.example.com/")]
