"""Hosts, paths and the default backend become forwarding rules."""

import pytest

from l7lb import translator
from l7lb.model.cluster import IngressRule
from l7lb.model.maybe import UNSET
from l7lb.model.problems import Severity
from l7lb.model.snapshot import Limits, Settings
from l7lb.translator.names import Name

from .builders import (
    HTTP,
    HTTPS,
    SETTINGS,
    backend,
    codes,
    ingress,
    listener,
    path,
    ref,
    rule,
    rules,
    secret,
    snapshot,
    tls,
)

HOST = "store.acme-demo.com"


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        pytest.param("/a", "ImplementationSpecific", "/a", id="implementation specific is plain"),
        pytest.param("/a", "Prefix", "/a", id="prefix is plain"),
        pytest.param("/a", "Exact", "=/a", id="exact"),
        pytest.param(None, "ImplementationSpecific", "/", id="absent path"),
        pytest.param("", "Prefix", "/", id="empty path"),
        pytest.param("/a_b/c.d-e?x=1:2", "Prefix", "/a_b/c.d-e?x=1:2", id="every allowed character"),
        pytest.param("/" + "a" * 199, "Prefix", "/" + "a" * 199, id="the longest path"),
        pytest.param("=/a", "ImplementationSpecific", "=/a", id="CLB's exact form"),
        pytest.param("^~/a", "ImplementationSpecific", "^~/a", id="CLB's stopping prefix"),
        pytest.param("~/a(b|c)+$", "ImplementationSpecific", "~/a(b|c)+$", id="CLB's regular expression"),
        pytest.param("~*.png$", "ImplementationSpecific", "~*.png$", id="CLB's regular expression without case"),
        pytest.param("/a", None, "/a", id="no path type"),
    ],
)
def test_a_path_becomes_a_url_as_tke_reads_it(text: str | None, kind: str | None, expected: str) -> None:
    found = translator.translate(snapshot(ingress(rule(HOST, path(text, kind)))), SETTINGS)
    assert [one.key.path for one in listener(found).rules] == [expected]
    assert found.problems == ()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param("a", "Prefix", id="no slash in front"),
        pytest.param("/a%20b", "Prefix", id="percent"),
        pytest.param("/a b", "Prefix", id="blank"),
        pytest.param("/a\n", "Prefix", id="line end"),
        pytest.param("/~user", "Prefix", id="tilde"),
        pytest.param("/straße", "Prefix", id="letters of other alphabets"),
        pytest.param("=/a", "Prefix", id="CLB's exact form with Prefix"),
        pytest.param("~/a", "Exact", id="regular expression with Exact"),
        pytest.param("/" + "a" * 200, "Prefix", id="one too long"),
        pytest.param("/" + "a" * 199, "Exact", id="one too long with the modifier"),
        pytest.param("~/a{2}", "ImplementationSpecific", id="braces in a regular expression"),
        pytest.param("~", "ImplementationSpecific", id="empty regular expression"),
        pytest.param("/a", "Regex", id="a path type that does not exist"),
    ],
)
def test_a_bad_path_holds_its_rule_only(text: str, kind: str) -> None:
    it = ingress(rule(HOST, path(text, kind), path("/good")))
    found = translator.translate(snapshot(it), SETTINGS)
    assert codes(found) == ["E4031"]
    assert list(rules(found)) == [f"{HOST}/good"]
    assert len(found.held.rules) == 2, "on both listeners"
    assert not found.held.everything


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("localhost", id="no dot"),
        pytest.param("Store.Acme-Demo.com", id="capitals"),
        pytest.param("a.*.acme-demo.com", id="star inside"),
        pytest.param("*", id="star alone"),
        pytest.param("*x.acme-demo.com", id="star as part of a label"),
        pytest.param("-a.acme-demo.com", id="hyphen in front"),
        pytest.param("_a.acme-demo.com", id="underscore"),
        pytest.param("a..acme-demo.com", id="empty label"),
        pytest.param("a.acme-demo.com.", id="dot at the end"),
        pytest.param("a.acme-demo.com\n", id="line end"),
        pytest.param("a" * 70 + ".acme-demo.com", id="more than 80 characters"),
        pytest.param("店.acme-demo.com", id="letters of other alphabets"),
        pytest.param("10.0.0.1:80", id="port"),
    ],
)
def test_a_bad_host_holds_itself_only(host: str) -> None:
    found = translator.translate(snapshot(ingress(rule(host), rule(HOST))), SETTINGS)
    assert codes(found) == ["E4052"]
    assert list(rules(found)) == [f"{HOST}/"]
    assert found.held.hosts == {(HTTP, host), (HTTPS, host)}


def test_a_rule_without_http_holds_its_host() -> None:
    it = ingress(IngressRule(host="bare.acme-demo.com"), rule(HOST))
    found = translator.translate(snapshot(it), SETTINGS)
    assert codes(found) == ["E4013"]
    assert (HTTP, "bare.acme-demo.com") in found.held.hosts
    assert list(rules(found)) == [f"{HOST}/"]


def test_two_paths_that_give_one_rule_keep_the_first() -> None:
    it = ingress(rule(HOST, path("/a", "Prefix", "web"), path("/a", "ImplementationSpecific", "api")))
    found = translator.translate(snapshot(it), SETTINGS)
    assert codes(found) == ["DuplicateRule"]
    assert found.problems[0].severity is Severity.WARNING
    assert "spec.rules[0].http.paths[1]" in found.problems[0].message
    assert rules(found)[f"{HOST}/a"].targets


def test_exact_and_prefix_of_one_path_are_two_rules() -> None:
    found = translator.translate(snapshot(ingress(rule(HOST, path("/a", "Exact"), path("/a", "Prefix")))), SETTINGS)
    assert list(rules(found)) == [f"{HOST}=/a", f"{HOST}/a"]


def test_one_host_in_two_ingress_rules_is_merged() -> None:
    found = translator.translate(snapshot(ingress(rule(HOST, path("/a")), rule(HOST, path("/b")))), SETTINGS)
    assert list(rules(found)) == [f"{HOST}/a", f"{HOST}/b"]
    assert [host.host for host in listener(found).hosts] == [HOST]


def test_rules_without_a_host_live_under_the_empty_host() -> None:
    found = translator.translate(snapshot(ingress(rule(None, path("/admin")))), SETTINGS)
    assert list(rules(found)) == ["/admin"]
    assert found.problems == ()


def test_hosts_keep_the_order_of_the_ingress_with_the_empty_one_first() -> None:
    it = ingress(rule("z.acme-demo.com"), rule("a.acme-demo.com"), rule(None))
    found = translator.translate(snapshot(it), SETTINGS)
    assert [host.host for host in listener(found).hosts] == ["", "z.acme-demo.com", "a.acme-demo.com"]


def test_the_default_backend_fills_the_empty_host_and_each_host_without_a_root() -> None:
    it = ingress(rule(HOST, path("/")), rule("api.acme-demo.com", path("/v1")), default=backend("web"))
    found = translator.translate(snapshot(it), SETTINGS)
    assert set(rules(found)) == {f"{HOST}/", "api.acme-demo.com/v1", "/", "api.acme-demo.com/"}
    assert found.problems == ()


def test_a_default_backend_alone_is_one_rule() -> None:
    found = translator.translate(snapshot(ingress(default=backend("web"))), SETTINGS)
    assert list(rules(found)) == ["/"]


def test_an_exact_root_does_not_count_as_a_root_for_the_default_backend() -> None:
    found = translator.translate(snapshot(ingress(rule(HOST, path("/", "Exact")), default=backend("web"))), SETTINGS)
    assert set(rules(found)) == {f"{HOST}=/", f"{HOST}/", "/"}


def test_the_default_backend_gives_way_to_the_quota() -> None:
    tight = Settings(cluster_id="cls-9mfq2k1t", region="ap-guangzhou", limits=Limits(rules_per_listener=3))
    it = ingress(rule("a.acme-demo.com", path("/a")), rule("b.acme-demo.com", path("/b")), default=backend("web"))
    found = translator.translate(snapshot(it), tight)
    assert set(rules(found)) == {"a.acme-demo.com/a", "b.acme-demo.com/b", "/"}
    assert codes(found) == ["E4005", "E4005"]
    assert found.held.rules == frozenset()


@pytest.mark.parametrize("version", ["IPV6", "IPv6FullChain", "ipv6"])
def test_without_a_host_an_ipv6_load_balancer_cannot_serve_a_rule(version: str) -> None:
    it = ingress(
        rule(None, path("/admin")), rule(HOST), annotations={Name.EXTENSIVE: f'{{"AddressIPVersion":"{version}"}}'}
    )
    found = translator.translate(snapshot(it), SETTINGS)
    assert codes(found)[0] == "E4034"
    assert list(rules(found)) == [f"{HOST}/"]
    assert (HTTP, "") in found.held.hosts


def test_on_ipv6_the_default_backend_serves_the_hosts() -> None:
    it = ingress(
        rule(HOST, path("/a")), default=backend("web"), annotations={Name.EXTENSIVE: '{"AddressIPVersion":"IPV6"}'}
    )
    found = translator.translate(snapshot(it), SETTINGS)
    assert set(rules(found)) == {f"{HOST}/a", f"{HOST}/"}
    assert codes(found) == ["E4034"]


def test_without_tls_there_is_http_80_alone() -> None:
    found = translator.translate(snapshot(ingress(rule())), SETTINGS)
    assert (listener(found).key, listener(found).name) == (HTTP, UNSET)
    assert listener(found).certificate is None


def test_with_tls_there_is_https_443_alone() -> None:
    it = ingress(rule(), certs=[tls("cert")])
    found = translator.translate(snapshot(it, secret("cert")), SETTINGS)
    assert listener(found).key == HTTPS


def test_an_ingress_that_asks_for_nothing_has_no_listener() -> None:
    found = translator.translate(snapshot(ingress()), SETTINGS)
    assert found.desired is not None
    assert found.desired.listeners == ()


def test_a_problem_says_where_it_is_and_what_to_do() -> None:
    (problem,) = translator.translate(snapshot(ingress(rule("localhost"))), SETTINGS).problems
    assert problem.field == "spec.rules[0].host"
    assert problem.about is not None
    assert str(problem.about) == "shop/storefront"
    assert "at least one dot" in problem.message


def test_a_held_rule_is_named_on_both_listeners() -> None:
    found = translator.translate(snapshot(ingress(rule(HOST, path("/a", to="missing")))), SETTINGS)
    assert found.held.rules == {ref(f"{HOST}/a", HTTP), ref(f"{HOST}/a", HTTPS)}
