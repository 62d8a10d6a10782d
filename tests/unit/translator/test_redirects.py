"""When redirects are declared, and the automatic ones from HTTP to HTTPS."""

import json
from collections.abc import Mapping

import pytest

from l7lb import translator
from l7lb.model.cluster import IngressRule
from l7lb.model.identity import ListenerKey
from l7lb.model.loadbalancer import RedirectSpec
from l7lb.model.maybe import UNSET, Maybe
from l7lb.model.problems import Severity
from l7lb.model.snapshot import Translation
from l7lb.translator.names import Name

from .builders import (
    HTTP,
    HTTPS,
    SETTINGS,
    codes,
    ingress,
    path,
    ref,
    rule,
    secret,
    service,
    snapshot,
    tls,
)
from .layouts import redirects, shapes

HOST = "store.acme-demo.com"
WEB: Mapping[str, object] = {"serviceName": "web", "servicePort": "80"}
AUTO = {Name.AUTO_REWRITE: "true"}
MANUAL = {Name.RULE_MIX: "true", Name.REWRITE_SUPPORT: "true"}


def translate(*rules: IngressRule, said: Mapping[Name, str], secure: bool = True) -> Translation:
    it = ingress(*(rules or (rule(HOST),)), annotations=said, certs=[tls("cert")] if secure else [])
    return translator.translate(snapshot(it, secret("cert"), service("web"), service("api")), SETTINGS)


def mirror(rule_key: str, code: Maybe[int] = UNSET) -> RedirectSpec:
    return RedirectSpec(ref(rule_key, HTTP), ref(rule_key, HTTPS), code, mirrored=True)


def test_every_https_rule_gets_a_redirect_on_http_80() -> None:
    found = translate(rule(HOST, path("/"), path("/a", "Exact")), rule(None, path("/x")), said=AUTO)
    assert found.desired is not None
    assert found.desired.redirects == (mirror("/x"), mirror(f"{HOST}/"), mirror(f"{HOST}=/a"))
    assert shapes(found)["HTTP:80"] == []
    assert found.problems == ()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param({}, UNSET, id="nothing is said"),
        pytest.param({Name.AUTO_REWRITE: ""}, UNSET, id="an empty value says nothing"),
        pytest.param(AUTO, (mirror(f"{HOST}/"),), id="on"),
        pytest.param({**AUTO, Name.REWRITE_SUPPORT: "true"}, (mirror(f"{HOST}/"),), id="on, with support"),
        pytest.param({Name.AUTO_REWRITE: "false"}, (), id="off"),
        pytest.param({Name.REWRITE_SUPPORT: "false"}, (), id="support off"),
        pytest.param(
            {Name.REWRITE_SUPPORT: "true"}, UNSET, id="support alone: auto-rewrite was deleted, not switched off"
        ),
        pytest.param(MANUAL, (), id="support with mixed rules: all are declared, and none is"),
        pytest.param({**AUTO, Name.REWRITE_SUPPORT: "false"}, (), id="support off wins"),
        pytest.param({Name.AUTO_REWRITE: "false", Name.REWRITE_SUPPORT: "true"}, (), id="automatic ones off"),
    ],
)
def test_when_redirects_are_declared_and_when_left_alone(
    said: dict[Name, str], expected: Maybe[tuple[RedirectSpec, ...]]
) -> None:
    found = translate(said=said)
    assert found.desired is not None
    assert found.desired.redirects == expected
    assert found.problems == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("", (UNSET, UNSET), id="nothing is said"),
        pytest.param("{}", (UNSET, UNSET), id="an empty object"),
        pytest.param('{"defaultRewriteCode":301}', (301, 301), id="one for all"),
        pytest.param('{"defaultRewriteCode":"307"}', (307, 307), id="as text"),
        pytest.param(
            '{"rewriteCodeInfos":[{"host":"b.acme-demo.com","rewriteCode":307}]}', (UNSET, 307), id="one host"
        ),
        pytest.param(
            '{"defaultRewriteCode":302,"rewriteCodeInfos":[{"host":"b.acme-demo.com","rewriteCode":301}]}',
            (302, 301),
            id="both",
        ),
        pytest.param(
            '{"defaultRewriteCode":302,"rewriteCodeInfos":null,"x":1}', (302, 302), id="null and unknown keys"
        ),
    ],
)
def test_codes_of_automatic_redirects(value: str, expected: tuple[Maybe[int], ...]) -> None:
    found = translate(rule("a.acme-demo.com"), rule("b.acme-demo.com"), said={**AUTO, Name.AUTO_REWRITE_CODE: value})
    assert found.desired is not None
    specs = found.desired.redirects
    assert specs is not UNSET
    assert tuple(spec.code for spec in specs) == expected
    assert found.problems == ()


@pytest.mark.parametrize(
    "value",
    [
        "301",
        "[]",
        '{"defaultRewriteCode":308}',
        '{"defaultRewriteCode":true}',
        '{"defaultRewriteCode":301.0}',
        '{"rewriteCodeInfos":{}}',
        '{"rewriteCodeInfos":[301]}',
        '{"rewriteCodeInfos":[{"host":1,"rewriteCode":301}]}',
        '{"rewriteCodeInfos":[{"host":"a.acme-demo.com"}]}',
        '{"rewriteCodeInfos":[{"rewriteCode":301},{"rewriteCode":302}]}',
    ],
)
def test_codes_that_cannot_be_read_leave_the_codes_as_they_are(value: str) -> None:
    found = translate(said={**AUTO, Name.AUTO_REWRITE_CODE: value})
    assert codes(found) == ["InvalidAnnotation"]
    assert found.desired is not None
    assert found.desired.redirects == (mirror(f"{HOST}/"),)


def test_a_code_for_a_host_that_has_no_https_rule_is_told() -> None:
    value = '{"rewriteCodeInfos":[{"host":"gone.acme-demo.com","rewriteCode":307}]}'
    found = translate(said={**AUTO, Name.AUTO_REWRITE_CODE: value})
    assert codes(found) == ["EntryWithoutRule"]
    assert found.problems[0].severity is Severity.WARNING


@pytest.mark.parametrize("ports", ['[{"HTTPS":443}]', '[{"HTTP":80},{"HTTPS":8443}]', '[{"HTTP":8080}]'])
def test_automatic_redirects_need_both_ports_and_hold_both_ends_without(ports: str) -> None:
    found = translate(said={**AUTO, Name.LISTEN_PORTS: ports})
    assert codes(found) == ["E4068"]
    assert redirects(found) == {}
    assert {HTTP, HTTPS} <= found.held.listeners
    assert found.held.covers(ref(f"{HOST}/", HTTP))
    assert ListenerKey("HTTPS", 8443) not in found.held.listeners


def test_automatic_redirects_without_a_certificate_leave_http_as_it_is() -> None:
    found = translate(said=AUTO, secure=False)
    assert codes(found) == ["E4040"]
    assert shapes(found)["HTTP:80"] == [f"{HOST}/"], "its targets are followed"
    assert found.held.listeners == {HTTP, HTTPS}
    assert found.held.covers(ref(f"{HOST}/", HTTP))
    assert redirects(found) == {}


def test_a_rule_that_is_declared_on_http_does_not_redirect() -> None:
    direct = [{"host": HOST, "path": "/a", "backend": WEB}]
    sets = {Name.HTTP_RULES: json.dumps(direct), Name.HTTPS_RULES: json.dumps(direct)}
    found = translate(rule(HOST, path("/a"), path("/b")), said={**AUTO, Name.RULE_MIX: "true", **sets})
    assert codes(found) == ["E4068"]
    assert shapes(found) == {"HTTP:80": [f"{HOST}/a"], "HTTPS:443": [f"{HOST}/a", f"{HOST}/b"]}
    assert redirects(found) == {f"HTTP:80 {HOST}/b": f"HTTPS:443 {HOST}/b"}
    assert not found.held.covers(ref(f"{HOST}/a", HTTP))


def test_a_rule_on_http_alone_is_neither_a_redirect_nor_a_conflict() -> None:
    direct = [{"host": HOST, "path": "/a", "backend": WEB}]
    found = translate(
        rule(HOST, path("/a"), path("/b")), said={**AUTO, Name.RULE_MIX: "true", Name.HTTP_RULES: json.dumps(direct)}
    )
    assert redirects(found) == {f"HTTP:80 {HOST}/b": f"HTTPS:443 {HOST}/b"}
    assert found.problems == ()


def test_a_broken_backend_holds_the_redirect_to_it() -> None:
    found = translate(rule(HOST, path("/a", to="missing"), path("/b")), said=AUTO)
    assert codes(found) == ["E4041"]
    assert found.held.covers(ref(f"{HOST}/a", HTTP))
    assert found.held.covers(ref(f"{HOST}/a", HTTPS))
    assert not found.held.covers(ref(f"{HOST}/b", HTTP))
