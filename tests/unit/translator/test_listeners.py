"""Which listeners an Ingress gets, and which of its rules stand on each."""

import pytest

from l7lb import translator
from l7lb.model.cluster import Ingress
from l7lb.model.identity import ListenerKey
from l7lb.model.loadbalancer import Certificate
from l7lb.model.maybe import UNSET
from l7lb.model.snapshot import Translation
from l7lb.translator.names import Name

from .builders import HTTP, HTTPS, SETTINGS, backend, codes, ingress, path, ref, rule, secret, snapshot, tls
from .layouts import shapes

HOST = "store.acme-demo.com"
SHOP = f"{HOST}/"
BOTH = '[{"HTTP":80},{"HTTPS":443}]'


def translate(it: Ingress) -> Translation:
    return translator.translate(snapshot(it, secret("cert")), SETTINGS)


def plain(**annotations: str) -> Ingress:
    return ingress(rule(HOST), annotations=named(annotations))


def secured(**annotations: str) -> Ingress:
    return ingress(rule(HOST), annotations=named(annotations), certs=[tls("cert")])


def named(annotations: dict[str, str]) -> dict[Name, str]:
    return {Name[word]: text for word, text in annotations.items()}


@pytest.mark.parametrize(
    ("it", "expected"),
    [
        pytest.param(plain(), {"HTTP:80": [SHOP]}, id="no TLS"),
        pytest.param(secured(), {"HTTPS:443": [SHOP]}, id="TLS"),
        pytest.param(secured(RULE_MIX="true"), {"HTTP:80": [], "HTTPS:443": [SHOP]}, id="mixed, nothing on HTTP"),
        pytest.param(secured(RULE_MIX="false"), {"HTTPS:443": [SHOP]}, id="mixing switched off"),
        pytest.param(secured(RULE_MIX_BOTH="true"), {"HTTP:80": [SHOP], "HTTPS:443": [SHOP]}, id="doubled"),
        pytest.param(secured(AUTO_REWRITE="true"), {"HTTP:80": [], "HTTPS:443": [SHOP]}, id="redirected"),
        pytest.param(secured(AUTO_REWRITE="false"), {"HTTPS:443": [SHOP]}, id="redirects switched off"),
        pytest.param(plain(LISTEN_PORTS='[{"HTTP":8080}]'), {"HTTP:8080": [SHOP]}, id="another port"),
        pytest.param(
            plain(LISTEN_PORTS='[{"HTTP":8080},{"HTTP":80},{"HTTP":80}]'),
            {"HTTP:80": [SHOP], "HTTP:8080": [SHOP]},
            id="several ports, each once",
        ),
        pytest.param(
            secured(LISTEN_PORTS='[{"HTTP":80},{"HTTPS":443},{"HTTPS":8443}]'),
            {"HTTP:80": [SHOP], "HTTPS:443": [SHOP], "HTTPS:8443": [SHOP]},
            id="ports of both protocols",
        ),
        pytest.param(secured(LISTEN_PORTS='[{"HTTP":80}]'), {"HTTP:80": [SHOP]}, id="TLS, but HTTP alone is listed"),
        pytest.param(secured(LISTEN_PORTS=""), {"HTTPS:443": [SHOP]}, id="an empty list says nothing"),
        pytest.param(secured(LISTEN_PORTS="[]"), {"HTTPS:443": [SHOP]}, id="a list of nothing says nothing"),
        pytest.param(
            secured(LISTEN_PORTS='[{"HTTP":80},{"HTTP":8080},{"HTTPS":443}]', AUTO_REWRITE="true"),
            {"HTTP:80": [], "HTTP:8080": [SHOP], "HTTPS:443": [SHOP]},
            id="only HTTP:80 redirects",
        ),
    ],
)
def test_the_listeners_of_an_ingress(it: Ingress, expected: dict[str, list[str]]) -> None:
    found = translate(it)
    assert shapes(found) == expected
    assert found.problems == ()
    assert not found.held.listeners


def test_every_https_listener_has_the_certificate() -> None:
    found = translate(secured(LISTEN_PORTS='[{"HTTPS":443},{"HTTPS":8443}]'))
    assert found.desired is not None
    assert {one.certificate for one in found.desired.listeners} == {Certificate(frozenset({"Kd83hQ2x"}))}


@pytest.mark.parametrize(
    "annotations",
    [{"LISTEN_PORTS": BOTH}, {"RULE_MIX_BOTH": "true"}],
    ids=["listed", "doubled"],
)
def test_https_without_a_certificate_is_held_and_http_goes_on(annotations: dict[str, str]) -> None:
    found = translate(plain(**annotations))
    assert codes(found) == ["E4040"]
    assert shapes(found)["HTTP:80"] == [SHOP]
    assert found.held.listeners == {HTTPS}
    assert not found.held.covers(ref(SHOP, HTTP))


def test_a_listed_https_port_without_a_certificate_leaves_the_rules_on_the_old_port() -> None:
    found = translate(plain(LISTEN_PORTS='[{"HTTPS":8443}]'))
    assert codes(found) == ["E4040"]
    assert found.held.listeners == {ListenerKey("HTTPS", 8443)}
    assert found.held.covers(ref(SHOP, HTTP))


def test_a_rule_that_is_to_move_to_https_stays_on_http_while_there_is_no_certificate() -> None:
    direct = f'[{{"host":"{HOST}","path":"/ping","backend":{{"serviceName":"web","servicePort":"80"}}}}]'
    it = ingress(rule(HOST, path("/"), path("/ping")), annotations={Name.RULE_MIX: "true", Name.HTTP_RULES: direct})
    found = translate(it)
    assert codes(found) == ["E4040"]
    assert shapes(found) == {"HTTP:80": [f"{HOST}/ping"], "HTTPS:443": [SHOP]}
    assert found.held.covers(ref(SHOP, HTTP))
    assert not found.held.covers(ref(f"{HOST}/ping", HTTP))
    assert HTTPS in found.held.listeners


def test_a_host_with_a_bad_certificate_gets_its_new_rule_on_http() -> None:
    it = ingress(
        rule("bad.acme-demo.com"),
        rule(HOST),
        annotations={Name.RULE_MIX_BOTH: "true"},
        certs=[tls("cert", HOST), tls("gone", "bad.acme-demo.com")],
    )
    found = translate(it)
    assert codes(found) == ["E4010"]
    assert found.held.covers(ref("bad.acme-demo.com/", HTTPS))
    assert not found.held.covers(ref("bad.acme-demo.com/", HTTP))
    assert not found.held.covers(ref(SHOP, HTTPS))
    assert not found.held.listeners


def test_a_broken_backend_is_held_on_every_listener_that_is_asked_for() -> None:
    ports = '[{"HTTP":8080},{"HTTPS":8443}]'
    it = ingress(
        rule(HOST, path("/a", to="missing"), path("/")), annotations={Name.LISTEN_PORTS: ports}, certs=[tls("cert")]
    )
    found = translate(it)
    held = {str(one.listener) for one in found.held.rules if one.rule.path == "/a"}
    assert held == {"HTTP:80", "HTTPS:443", "HTTP:8080", "HTTPS:8443"}
    assert not any(found.held.covers(ref(SHOP, key)) for key in (HTTP, HTTPS, ListenerKey("HTTP", 8080)))


def test_a_broken_exact_rule_holds_its_plain_twin_only_where_that_is_not_wanted() -> None:
    direct = f'[{{"host":"{HOST}","path":"/a","backend":{{"serviceName":"web","servicePort":"80"}}}}]'
    it = ingress(
        rule(HOST, path("/a", "Exact", "missing"), path("/a", "Prefix")),
        annotations={Name.RULE_MIX: "true", Name.HTTP_RULES: direct},
        certs=[tls("cert")],
    )
    found = translate(it)
    assert shapes(found)["HTTP:80"] == [f"{HOST}/a"]
    assert not found.held.covers(ref(f"{HOST}/a", HTTP))
    assert found.held.covers(ref(f"{HOST}/a", HTTPS))
    assert found.held.covers(ref(f"{HOST}=/a", HTTPS))


def test_a_rule_whose_protocol_has_no_port_is_held() -> None:
    it = ingress(
        rule(HOST), annotations={Name.RULE_MIX: "true", Name.LISTEN_PORTS: '[{"HTTP":80}]'}, certs=[tls("cert")]
    )
    found = translate(it)
    assert codes(found) == ["RuleWithoutListener"]
    assert shapes(found) == {"HTTP:80": []}
    assert found.held.covers(ref(SHOP, HTTP))


def test_an_empty_https_set_without_a_certificate_asks_for_http_alone() -> None:
    direct = f'[{{"host":"{HOST}","path":"/","backend":{{"serviceName":"web","servicePort":"80"}}}}]'
    found = translate(plain(RULE_MIX="true", HTTP_RULES=direct, HTTPS_RULES="null"))
    assert shapes(found) == {"HTTP:80": [SHOP]}
    assert found.problems == ()
    assert not found.held.listeners


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ("RULE_MIX", "ContradictingAnnotations"),
        ("REWRITE_SUPPORT", "ContradictingAnnotations"),
        ("AUTO_REWRITE", "E4068"),
    ],
)
def test_doubled_rules_exclude_mixing_and_redirects(other: str, code: str) -> None:
    found = translate(secured(RULE_MIX_BOTH="true", **{other: "true"}))
    assert found.desired is None
    assert found.held.everything
    assert codes(found) == [code]
    assert found.refusal is not None
    assert Name[other].value in found.refusal.message
    assert translate(secured(RULE_MIX_BOTH="true", **{other: "false"})).desired is not None


@pytest.mark.parametrize(
    "value",
    [
        "x",
        "{}",
        '[{"TCP":80}]',
        '[{"HTTP":0}]',
        '[{"HTTP":65536}]',
        '[{"HTTP":"80"}]',
        '[{"HTTP":true}]',
        '[{"HTTP":80,"HTTPS":443}]',
        '[{"HTTP":80},{"HTTPS":80}]',
        "[80]",
    ],
)
def test_a_list_of_ports_that_cannot_be_read_holds_the_ingress(value: str) -> None:
    found = translate(plain(LISTEN_PORTS=value))
    assert found.desired is None
    assert codes(found) == ["InvalidAnnotation"]
    assert found.refusal is not None
    assert Name.LISTEN_PORTS in found.refusal.message


def test_the_default_backend_stands_on_every_listed_listener() -> None:
    it = ingress(
        rule(HOST, path("/a")), default=backend("web"), annotations={Name.LISTEN_PORTS: BOTH}, certs=[tls("cert")]
    )
    expected = [f"{HOST}/a", "/", SHOP]
    assert shapes(translate(it)) == {"HTTP:80": expected, "HTTPS:443": expected}


def test_the_first_host_of_the_ingress_comes_first_on_a_listener_that_only_redirects() -> None:
    it = ingress(
        rule("z.acme-demo.com"), rule("a.acme-demo.com"), annotations={Name.AUTO_REWRITE: "true"}, certs=[tls("cert")]
    )
    found = translate(it)
    assert found.desired is not None
    assert [[host.host for host in one.hosts] for one in found.desired.listeners] == [
        ["z.acme-demo.com", "a.acme-demo.com"]
    ] * 2


def test_nothing_asked_is_no_listener_whatever_is_listed() -> None:
    found = translate(ingress(annotations={Name.LISTEN_PORTS: BOTH}))
    assert found.desired is not None
    assert found.desired.listeners == ()
    assert found.desired.redirects is UNSET
