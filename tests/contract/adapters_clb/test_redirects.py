"""Redirects: each step performed by the unmodified SDK and read back."""

import pytest

from l7lb import errors
from l7lb.model.identity import ListenerId, LocationId, RuleKey, RuleRef
from l7lb.model.loadbalancer import Certificate, LoadBalancerHead, RuleSpec
from l7lb.model.plan import Bindings, CreateListeners, CreateRules
from l7lb.model.redirecting import CreateRedirects, DeleteRedirects, FormerRedirect, MirrorHosts, RedirectPair
from tests.contract.adapters_clb.conftest import Rent
from tests.contract.adapters_clb.tenant import HTTP, HTTPS, REGION, Tenant

A, API, B, BARE = (
    RuleKey("a.example.com", "/"), RuleKey("a.example.com", "/api"), RuleKey("b.example.com", "/"), RuleKey("", "/"),
)  # fmt: skip
OLD = RuleKey("a.example.com", "/old")
TO = ListenerId("lbl-2")
Seen = dict[str, tuple[str, int | None, bool]]


def shop(tenant: Tenant, *plain: RuleKey) -> LoadBalancerHead:
    """HTTPS:443 with four rules, HTTP:80 with those that are named."""
    head = tenant.create()
    tenant.run(CreateListeners("HTTP", (80,), "mine"), tenant.bindings(head))
    tenant.run(CreateListeners("HTTPS", (443,), "mine", Certificate(frozenset({"certrsa1"}))), tenant.bindings(head))
    tenant.run(CreateRules(HTTPS, tuple(map(RuleSpec, (A, API, B, BARE)))), tenant.bindings(head))
    if plain:
        tenant.run(CreateRules(HTTP, tuple(map(RuleSpec, plain))), tenant.bindings(head))
    return head


def redirects(tenant: Tenant, head: LoadBalancerHead) -> Seen:
    """Rule of HTTP:80 -> (target rule, code, automatic)."""
    found = {item.spec.key: item for item in tenant.cloud.listeners(head)}
    names = {
        (item.id, location): f"{key} {rule}" for key, item in found.items() for rule, location in item.locations.items()
    }
    return {
        str(rule): (names[to.listener, to.location], to.code, to.automatic)
        for rule, to in found[HTTP].redirects.items()
    }


def former(tenant: Tenant, head: LoadBalancerHead, *sources: RuleKey) -> DeleteRedirects:
    plain = tenant.listener(head, HTTP)
    (to,) = {plain.redirects[source].listener for source in sources}
    return DeleteRedirects(
        HTTP, to, tuple(FormerRedirect(source, plain.redirects[source].location) for source in sources)
    )


@pytest.mark.parametrize("shape", ["null", "empty_object"])
def test_hosts_are_mirrored_in_one_call_each_with_its_code(rent: Rent, shape: str) -> None:
    tenant = rent(switches={"rewrite_target": shape})
    head = shop(tenant)
    assert redirects(tenant, head) == {}

    tenant.run(MirrorHosts((("a.example.com", 301), ("", 307))), tenant.bindings(head))

    assert redirects(tenant, head) == {
        "a.example.com/": ("HTTPS:443 a.example.com/", 301, True),
        "a.example.com/api": ("HTTPS:443 a.example.com/api", 301, True),
        "/": ("HTTPS:443 /", 307, True),
    }
    assert tenant.calls()["AutoRewrite"] == 1
    assert tenant.listener(head, HTTP).spec.name == "mine"


def test_a_host_that_is_mirrored_again_gets_its_new_urls(tenant: Tenant) -> None:
    head = shop(tenant)
    tenant.run(MirrorHosts((("a.example.com", 302),)), tenant.bindings(head))
    new = RuleKey("a.example.com", "/new")
    tenant.run(CreateRules(HTTPS, (RuleSpec(new),)), tenant.bindings(head))

    tenant.run(MirrorHosts((("a.example.com", 302),)), tenant.bindings(head))

    assert set(redirects(tenant, head)) == {"a.example.com/", "a.example.com/api", "a.example.com/new"}


def test_pairs_are_redirected_and_taken_off_in_one_call_each(tenant: Tenant) -> None:
    head = shop(tenant, A, OLD)
    pairs = (RedirectPair(A, A, 301), RedirectPair(OLD, API, 302))

    tenant.run(CreateRedirects(HTTP, HTTPS, pairs), tenant.bindings(head))
    there = redirects(tenant, head)
    stored = tenant.emulator.world.load_balancers[head.ref.id].listeners
    takes = {rule.url: rule.redirect.take_url
             for item in stored.values() for rule in item.rules.values() if rule.redirect}  # fmt: skip
    tenant.run(former(tenant, head, A, OLD), tenant.bindings(head))

    assert there == {
        "a.example.com/": ("HTTPS:443 a.example.com/", 301, False),
        "a.example.com/old": ("HTTPS:443 a.example.com/api", 302, False),
    }
    assert takes == {"/": True, "/old": False}
    assert redirects(tenant, head) == {}
    assert (tenant.calls()["ManualRewrite"], tenant.calls()["DeleteRewrite"]) == (1, 1)


def test_the_nameless_host_is_named_by_the_address_on_both_ends(tenant: Tenant) -> None:
    head = shop(tenant, BARE)
    tenant.run(CreateRedirects(HTTP, HTTPS, (RedirectPair(BARE, BARE, 307),)), tenant.bindings(head))
    assert redirects(tenant, head) == {"/": ("HTTPS:443 /", 307, False)}


def test_a_redirect_that_is_there_already_says_so(tenant: Tenant) -> None:
    head = shop(tenant, A)
    step = CreateRedirects(HTTP, HTTPS, (RedirectPair(A, A, 302),))
    tenant.run(step, tenant.bindings(head))
    with pytest.raises(errors.AlreadyExists):
        tenant.cloud.perform(REGION, step, tenant.bindings(head))


def test_a_redirect_that_is_not_there_is_not_found(tenant: Tenant) -> None:
    head = shop(tenant, A)
    to = tenant.listener(head, HTTPS)
    step = DeleteRedirects(HTTP, to.id, (FormerRedirect(A, to.locations[A]),))
    with pytest.raises(errors.NotFound):
        tenant.cloud.perform(REGION, step, tenant.bindings(head))


def test_a_list_that_is_too_long_makes_the_next_ones_shorter(rent: Rent) -> None:
    tenant = rent(switches={"rewrite_infos_max": 20})
    keys = [RuleKey("a.example.com", f"/{number}") for number in range(24)]
    head = shop(tenant, *keys)
    pairs = tuple(RedirectPair(key, A, 302) for key in keys)
    with pytest.raises(errors.Conflict):
        tenant.cloud.perform(REGION, CreateRedirects(HTTP, HTTPS, pairs), tenant.bindings(head))
    assert tenant.cloud.limits(REGION).rules_per_call == 12


@pytest.mark.parametrize(
    "step",
    [
        MirrorHosts(()),
        CreateRedirects(HTTP, HTTPS, ()),
        DeleteRedirects(HTTP, TO, ()),
        DeleteRedirects(HTTP, ListenerId(""), (FormerRedirect(A, LocationId("loc-2")),)),
        DeleteRedirects(HTTP, TO, (FormerRedirect(A, LocationId("")),)),
    ],
    ids=["all hosts", "no pair", "nothing off", "off to no listener", "off to no rule"],
)
def test_a_call_that_could_mean_more_is_never_made(
    tenant: Tenant, step: MirrorHosts | CreateRedirects | DeleteRedirects
) -> None:
    ref = {RuleRef(HTTP, A): "loc-1"}
    known = Bindings("lb-1", "203.0.113.10", {HTTP: "lbl-1", HTTPS: "lbl-2"}, ref)
    with pytest.raises(errors.UnauthorizedPlan):
        tenant.cloud.perform(REGION, step, known)


@pytest.mark.parametrize(
    "step",
    [
        MirrorHosts((("a.example.com", 302),)),
        CreateRedirects(HTTP, HTTPS, (RedirectPair(A, A, 302),)),
        DeleteRedirects(HTTP, TO, (FormerRedirect(A, LocationId("loc-2")),)),
    ],
    ids=["mirror", "on", "off"],
)
def test_ids_that_are_not_known_have_to_be_read_first(
    tenant: Tenant, step: MirrorHosts | CreateRedirects | DeleteRedirects
) -> None:
    with pytest.raises(errors.Conflict):
        tenant.cloud.perform(REGION, step, Bindings("lb-1"))
