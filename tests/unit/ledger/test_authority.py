"""The second check: what passes, and what is refused, whoever planned it."""

from dataclasses import replace

import pytest

from l7lb import ledger
from l7lb.errors import UnauthorizedPlan
from l7lb.model.identity import ListenerKey, LoadBalancerId, LocationId, RuleKey, RuleRef
from l7lb.model.loadbalancer import CreateSpec, HostSpec, ListenerSpec, ObservedLoadBalancer, RuleSpec
from l7lb.model.ownership import Claim, Disposal, Ownership
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
from l7lb.model.redirecting import CreateRedirects, DeleteRedirects, FormerRedirect, MirrorHosts, RedirectPair
from tests.builders import LB, LENT_TAGS, OWNER, claim, head, listener, listener_id, observed, ref, rule, target, there

HTTP = ListenerKey("HTTP", 80)
SSH = ListenerKey("TCP", 22)
WORLD = observed(listener("HTTP:80"), listener("TCP:22", name="ssh"))
KEY = RuleKey("a.example.com", "/")
CREATE = CreateLoadBalancer(CreateSpec(), ledger.stamp(OWNER), "token")
DELETE = DeleteLoadBalancer(LB, "we made it")


def on(key: ListenerKey) -> dict[str, Step]:
    placed = (Placement(ref(str(key), "a.example.com/"), target()),)
    return {
        "modify listener": ModifyListener(key, ListenerSpec(key), ListenerSpec(key, sni=True)),
        "delete listener": DeleteListeners((key,)),
        "create rules": CreateRules(key, (RuleSpec(KEY),)),
        "modify rule": ModifyRule(key, RuleSpec(KEY), RuleSpec(KEY, scheduler="WRR")),
        "modify host": ModifyHost(key, HostSpec(KEY.host), HostSpec(KEY.host, default=True)),
        "delete rules": DeleteRules(key, (KEY,)),
        "register": RegisterTargets(placed),
        "deregister": DeregisterTargets(placed),
        "weights": ModifyWeights(placed),
    }


def refused(plan: Plan, of: Claim, world: ObservedLoadBalancer | None = WORLD) -> bool:
    try:
        ledger.authorize(plan, of, world)
    except UnauthorizedPlan:
        return True
    return False


OURS = claim(Ownership.CREATED, "HTTP:80")


@pytest.mark.parametrize("name", on(HTTP))
@pytest.mark.parametrize("ownership", list(Ownership))
def test_listener_steps_pass_only_on_our_listeners_under_a_held_claim(name: str, ownership: Ownership) -> None:
    of = claim(ownership, "HTTP:80")
    held = ownership in {Ownership.CREATED, Ownership.KEPT, Ownership.ADOPTED, Ownership.SHARED}
    if ownership is Ownership.SHARED:
        of = replace(of, rules=frozenset({RuleRef(HTTP, KEY)}))
    assert refused(Plan((on(HTTP)[name],)), of) is not held
    assert refused(Plan((on(SSH)[name],)), of)
    assert refused(Plan((on(HTTP)[name],)), replace(of, untouched=True))


@pytest.mark.parametrize("step", [ModifyLoadBalancer(pass_to_target=True), SetSecurityGroups(frozenset({"sg-1"}))])
@pytest.mark.parametrize("ownership", list(Ownership))
def test_attributes_pass_only_under_a_held_claim(step: Step, ownership: Ownership) -> None:
    held = ownership in {Ownership.CREATED, Ownership.KEPT, Ownership.ADOPTED, Ownership.SHARED}
    of = replace(claim(ownership), rules=frozenset() if ownership is Ownership.SHARED else None)
    assert refused(Plan((step,)), of) is not held


@pytest.mark.parametrize("ownership", [o for o in Ownership if o is not Ownership.CREATED])
def test_only_what_we_created_is_deleted(ownership: Ownership) -> None:
    assert not refused(Plan((DELETE,)), OURS)
    of = replace(claim(ownership), disposal=Disposal.DELETE_LOAD_BALANCER)
    assert refused(Plan((DELETE,)), of)


@pytest.mark.parametrize(
    ("plan", "of", "world"),
    [
        pytest.param(Plan((replace(DELETE, id=LoadBalancerId("lb-2")),)), OURS, WORLD, id="another id"),
        pytest.param(Plan((replace(DELETE, proof=""),)), OURS, WORLD, id="no proof"),
        pytest.param(Plan((DELETE, DELETE)), OURS, WORLD, id="not alone"),
        pytest.param(Plan((DELETE,)), replace(OURS, disposal=Disposal.LEAVE), WORLD, id="another disposal"),
        pytest.param(Plan((DELETE,)), OURS, None, id="nothing observed"),
        pytest.param(Plan((DELETE,)), OURS, observed(on=head(tags=LENT_TAGS)), id="no created flag on it"),
        pytest.param(Plan((DELETE,)), OURS, observed(on=head("lb-2")), id="another one observed"),
        pytest.param(Plan((DELETE,)), ledger.to_create(OWNER), None, id="does not exist yet"),
    ],
)
def test_a_doubtful_deletion_is_refused(plan: Plan, of: Claim, world: ObservedLoadBalancer | None) -> None:
    assert refused(plan, of, world)


OLD = FormerRedirect(KEY, LocationId("loc-HTTPS:443 a.example.com/"))
REDIRECTED = observed(
    there(listener("HTTP:80", rule("a.example.com/")), {"a.example.com/": "HTTPS:443 a.example.com/"}),
    listener("HTTPS:443", rule("a.example.com/"), shown="one"),
)
HTTPS = ListenerKey("HTTPS", 443)
BOTH = claim(Ownership.CREATED, "HTTP:80", "HTTPS:443")
PAIR = (RedirectPair(KEY, KEY, 302),)


@pytest.mark.parametrize(
    ("step", "of", "is_refused"),
    [
        pytest.param(MirrorHosts((("a.example.com", 302),)), BOTH, False, id="a mirror between two of ours"),
        pytest.param(MirrorHosts((("a.example.com", 302),)), OURS, True, id="a mirror of a lender's listener"),
        pytest.param(MirrorHosts(()), BOTH, True, id="a mirror of all hosts"),
        pytest.param(CreateRedirects(HTTP, HTTPS, PAIR), OURS, False, id="from ours"),
        pytest.param(CreateRedirects(HTTPS, HTTP, PAIR), OURS, True, id="from a lender's"),
        pytest.param(CreateRedirects(HTTP, ListenerKey("HTTP", 81), PAIR), OURS, True, id="to nowhere"),
        pytest.param(DeleteRedirects(HTTP, listener_id(HTTPS), (OLD,)), OURS, False, id="off ours, as seen"),
        pytest.param(DeleteRedirects(HTTP, listener_id(HTTP), (OLD,)), OURS, True, id="off to another listener"),
        pytest.param(DeleteRedirects(HTTPS, listener_id(HTTP), (OLD,)), BOTH, True, id="off that was not seen"),
        pytest.param(
            DeleteRedirects(HTTP, listener_id(HTTPS), (OLD,)), claim(Ownership.CREATED, "HTTPS:443"), True,
            id="off a lender's",
        ),
    ],
)  # fmt: skip
def test_a_redirect_is_made_and_taken_off_only_where_it_begins_with_us(step: Step, of: Claim, is_refused: bool) -> None:
    assert refused(Plan((step,)), of, REDIRECTED) is is_refused


def test_a_forced_deletion_needs_no_less_proof() -> None:
    assert not refused(Plan((replace(DELETE, force=True),)), OURS)


def test_a_creation_may_go_on_with_its_own_listeners() -> None:
    made = CreateListeners("HTTP", (80,), "name")
    plan = Plan((CREATE, made, on(HTTP)["create rules"], on(HTTP)["register"]))
    assert not refused(plan, ledger.to_create(OWNER), None)


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param((CREATE, CREATE), id="two of them"),
        pytest.param((on(HTTP)["create rules"],), id="nothing created first"),
        pytest.param((CREATE, on(HTTP)["create rules"]), id="rules without a listener"),
        pytest.param((replace(CREATE, tags=ledger.stamp(OWNER)[1:]),), id="a tag is missing"),
        pytest.param((replace(CREATE, client_token=""),), id="no token"),
        pytest.param((CREATE, AddTags((("tke-clusterId", "cls-1"),))), id="tags again"),
        pytest.param((CREATE, CreateListeners("HTTP", (80,), "n"), DeleteListeners((HTTP,))), id="undone at once"),
    ],
)
def test_a_doubtful_creation_is_refused(steps: tuple[Step, ...]) -> None:
    assert refused(Plan(steps), ledger.to_create(OWNER), None)


def test_nothing_is_created_beside_what_exists() -> None:
    assert refused(Plan((CREATE,)), OURS)


def test_a_new_listener_takes_no_port_of_another() -> None:
    assert refused(Plan((CreateListeners("HTTP", (22,), "n"),)), OURS)
    assert refused(Plan((CreateListeners("TCP", (23,), "n"),)), OURS)
    assert not refused(Plan((CreateListeners("HTTP", (81,), "n"),)), OURS)
    assert not refused(Plan((DeleteListeners((HTTP,)), CreateListeners("HTTPS", (80,), "n"))), OURS)


def test_an_empty_deletion_of_listeners_is_refused() -> None:
    assert refused(Plan((DeleteListeners(()),)), OURS)


def test_until_our_tags_are_read_back_only_they_are_written() -> None:
    of = replace(claim(Ownership.TO_ADOPT), missing_tags=tuple(LENT_TAGS.items()))
    tags = AddTags(tuple(LENT_TAGS.items()))
    assert not refused(Plan((tags,)), of)
    assert refused(Plan((tags, CreateListeners("HTTP", (80,), "n"))), of)
    assert refused(Plan((SetSecurityGroups(frozenset()),)), of)


@pytest.mark.parametrize(
    "tags",
    [(("tke-clusterId", "cls-2"),), (("tke-createdBy-flag", "yes"),), (("team", "shop"),)],
    ids=["another value", "a claim to have made it", "the user's"],
)
def test_no_other_tag_is_written(tags: tuple[tuple[str, str], ...]) -> None:
    of = replace(claim(Ownership.ADOPTED), missing_tags=(("tke-clusterId", "cls-1"),))
    assert refused(Plan((AddTags(tags),)), of)


def test_a_tag_of_ours_alone_is_not_enough_to_write_the_created_flag() -> None:
    flag = (("tke-createdBy-flag", "yes"),)
    assert refused(Plan((AddTags(flag),)), replace(claim(Ownership.ADOPTED), missing_tags=flag))


def test_only_removable_tags_are_removed() -> None:
    of = replace(claim(Ownership.ADOPTED), removable_tags=("tke-clusterId", "team"))
    assert not refused(Plan((RemoveTags(("tke-clusterId",)),)), of)
    assert refused(Plan((RemoveTags(("tke-lb-ingress-uuid",)),)), of)
    assert refused(Plan((RemoveTags(("team",)),)), of)


def test_an_empty_plan_passes_under_any_claim() -> None:
    for ownership in Ownership:
        ledger.authorize(Plan(), claim(ownership), None)
