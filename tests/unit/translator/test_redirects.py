"""Redirects that annotations declare, and those that are refused by name."""

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
    backend,
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
from .layouts import shapes

HOST = "store.acme-demo.com"
WEB: Mapping[str, object] = {"serviceName": "web", "servicePort": "80"}
AUTO = {Name.AUTO_REWRITE: "true"}
MANUAL = {Name.RULE_MIX: "true", Name.REWRITE_SUPPORT: "true"}


def translate(*rules: IngressRule, said: Mapping[Name, str], secure: bool = True) -> Translation:
    it = ingress(*(rules or (rule(HOST),)), annotations=said, certs=[tls("cert")] if secure else [])
    return translator.translate(snapshot(it, secret("cert"), service("web"), service("api")), SETTINGS)


def redirects(found: Translation) -> Maybe[dict[str, str]]:
    """Source -> target, as `HTTP:80 host/path`."""
    assert found.desired is not None
    specs = found.desired.redirects
    return UNSET if specs is UNSET else {str(spec.source): str(spec.target) for spec in specs}


def mirror(rule_key: str, code: Maybe[int] = UNSET) -> RedirectSpec:
    return RedirectSpec(ref(rule_key, HTTP), ref(rule_key, HTTPS), code, mirrored=True)


def entry(path: str, *, host: str = "", to: Mapping[str, object] | None = None, **more: object) -> dict[str, object]:
    return {"host": host, "path": path, **({"rewrite": to} if to is not None else {}), **more}


def manual(*entries: Mapping[str, object], https: object = None, paths: tuple[str, ...] = ("/new",)) -> Translation:
    """Rules without a host on HTTP:80 at `paths`, and the entries on top."""
    direct = [entry(one, backend=WEB) for one in paths]
    sets = {Name.HTTP_RULES: json.dumps([*direct, *entries]), Name.HTTPS_RULES: json.dumps(https)}
    return translate(rule(None, *(path(one) for one in paths)), rule(HOST, path("/s")), said={**MANUAL, **sets})


# automatic


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
        pytest.param({Name.REWRITE_SUPPORT: "true"}, (), id="support alone: all are declared, and none is"),
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


# by entries


NEW: Mapping[str, object] = {"port": 80, "path": "/new"}


def test_an_entry_redirects_to_a_declared_rule() -> None:
    found = manual(entry("/old", to=NEW), entry("/older", to={"port": "80", "host": "", "path": "/new"}))
    assert redirects(found) == {"HTTP:80 /old": "HTTP:80 /new", "HTTP:80 /older": "HTTP:80 /new"}
    assert shapes(found)["HTTP:80"] == ["/new"]
    assert found.problems == ()


def test_the_port_chooses_the_protocol_of_the_target() -> None:
    found = manual(entry("/s", host=HOST, to={"port": 443, "host": HOST, "path": "/s"}))
    assert redirects(found) == {f"HTTP:80 {HOST}/s": f"HTTPS:443 {HOST}/s"}
    assert found.problems == ()


def test_an_https_rule_can_redirect_and_its_host_has_a_certificate() -> None:
    found = manual(https=[entry("/old", host="b.acme-demo.com", to={"port": 443, "host": HOST, "path": "/s"})])
    assert redirects(found) == {"HTTPS:443 b.acme-demo.com/old": f"HTTPS:443 {HOST}/s"}
    assert found.desired is not None
    https = next(one for one in found.desired.listeners if one.key == HTTPS)
    assert [host.host for host in https.hosts] == [HOST, "b.acme-demo.com"]
    assert all(host.certificate not in (None, UNSET) for host in https.hosts)


def test_a_redirect_to_an_exact_rule_has_its_key() -> None:
    sets = {Name.HTTP_RULES: json.dumps([entry("/new", backend=WEB), entry("/old", to=NEW)])}
    found = translate(rule(None, path("/new", "Exact")), said={**MANUAL, **sets})
    assert redirects(found) == {"HTTP:80 /old": "HTTP:80 =/new"}
    assert found.problems == ()


@pytest.mark.parametrize("kind", ["Exact", "Prefix"])
def test_an_entry_with_backend_and_rewrite_redirects_and_says_so(kind: str) -> None:
    both = entry("/old", backend=WEB, to=NEW)
    sets = {Name.HTTP_RULES: json.dumps([entry("/new", backend=WEB), both])}
    found = translate(rule(None, path("/new"), path("/old", kind)), said={**MANUAL, **sets})
    source = "=/old" if kind == "Exact" else "/old"
    assert redirects(found) == {f"HTTP:80 {source}": "HTTP:80 /new"}
    assert shapes(found) == {"HTTP:80": ["/new"], "HTTPS:443": []}
    assert codes(found) == ["BackendUnused"]
    assert not found.held.rules


@pytest.mark.parametrize(
    ("bad", "code", "what"),
    [
        pytest.param(entry("/a", to={"port": 80, "path": "/a"}), "RedirectRefused", "to itself", id="a loop of one"),
        pytest.param(
            entry("/a", to={"port": 80, "path": "/nowhere"}), "RedirectRefused", "no forwarding rule", id="no target"
        ),
        pytest.param(
            entry("/a", to={"port": 443, "path": "/new"}), "RedirectRefused", "no forwarding rule", id="other protocol"
        ),
        pytest.param(entry("/a", to={"port": 8080, "path": "/new"}), "RedirectRefused", "port 8080", id="no listener"),
        pytest.param(
            entry("/a", to={"port": 80, "path": "/fine"}), "RedirectRefused", "redirects itself", id="a chain"
        ),
        pytest.param(entry("/a b", to=NEW), "E4031", "cannot be served", id="a bad path"),
        pytest.param(entry("/a", host="localhost", to=NEW), "E4052", "cannot be served", id="a bad host"),
    ],
)
def test_a_bad_entry_is_refused_by_name_and_holds_its_source_only(bad: dict[str, object], code: str, what: str) -> None:
    found = manual(entry("/fine", to=NEW), bad, paths=("/new", "/new2"))
    assert codes(found) == [code]
    assert f"entry 3 of {Name.HTTP_RULES.value}" in found.problems[0].message
    assert what in found.problems[0].message
    assert redirects(found) == {"HTTP:80 /fine": "HTTP:80 /new"}
    assert shapes(found)["HTTP:80"] == ["/new", "/new2"]
    assert {str(one) for one in found.held.rules} == {f"HTTP:80 {bad['host']}{bad['path']}"}


def test_an_entry_gives_way_to_a_declared_rule() -> None:
    found = manual(entry("/new2", to=NEW), paths=("/new", "/new2"))
    assert codes(found) == ["RedirectRefused"]
    assert "entry 2" in found.problems[0].message
    assert shapes(found)["HTTP:80"] == ["/new", "/new2"]
    assert redirects(found) == {}
    assert not found.held.rules


def test_an_https_entry_on_a_rule_has_a_code_of_its_own() -> None:
    found = manual(https=[entry("/s", host=HOST, to={"port": 80, "path": "/new"})])
    assert codes(found) == ["E4081"]
    assert not found.held.rules
    assert shapes(found)["HTTPS:443"] == [f"{HOST}/s"]


def test_two_entries_that_lead_to_each_other_are_both_refused() -> None:
    found = manual(entry("/a", to={"port": 80, "path": "/b"}), entry("/b", to={"port": 80, "path": "/a"}))
    assert codes(found) == ["RedirectRefused"] * 2
    assert redirects(found) == {}
    assert found.held.covers(ref("/a", HTTP))
    assert found.held.covers(ref("/b", HTTP))


def test_of_two_targets_for_one_source_the_first_stays() -> None:
    found = manual(entry("/old", to=NEW), entry("/old", to={"port": 80, "path": "/new2"}), paths=("/new", "/new2"))
    assert codes(found) == ["RedirectRefused"]
    assert "second target" in found.problems[0].message
    assert redirects(found) == {"HTTP:80 /old": "HTTP:80 /new"}
    assert not found.held.rules


def test_the_same_redirect_twice_is_one() -> None:
    found = manual(entry("/old", to=NEW), entry("/old", to=NEW))
    assert redirects(found) == {"HTTP:80 /old": "HTTP:80 /new"}
    assert found.problems == ()


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (Name.RULE_MIX, {Name.REWRITE_SUPPORT: "true"}),
        (Name.REWRITE_SUPPORT, {Name.RULE_MIX: "true"}),
        (Name.REWRITE_SUPPORT, {Name.RULE_MIX: "true", Name.REWRITE_SUPPORT: "false"}),
        (Name.REWRITE_SUPPORT, {Name.RULE_MIX: "true", Name.AUTO_REWRITE: "true"}),
    ],
)
def test_entries_without_what_they_need_redirect_nothing_and_are_told(missing: Name, said: dict[Name, str]) -> None:
    sets = {Name.HTTP_RULES: json.dumps([entry("/old", to=NEW)])}
    found = translate(said={**said, **sets})
    assert codes(found) == ["RewriteWithoutEffect"]
    assert missing.value in found.problems[0].message
    specs = redirects(found)
    assert specs is UNSET or "HTTP:80 /old" not in specs


def test_entries_redirect_from_every_port_of_their_protocol() -> None:
    sets = {Name.HTTP_RULES: json.dumps([entry("/new", backend=WEB), entry("/old", to=NEW)])}
    ports = {Name.LISTEN_PORTS: '[{"HTTP":80},{"HTTP":8080}]'}
    found = translate(rule(None, path("/new")), said={**MANUAL, **sets, **ports}, secure=False)
    assert redirects(found) == {"HTTP:80 /old": "HTTP:80 /new", "HTTP:8080 /old": "HTTP:80 /new"}


def test_an_entry_of_a_protocol_without_a_port_is_refused() -> None:
    sets = {
        Name.HTTPS_RULES: json.dumps([entry("/old", to=NEW)]),
        Name.HTTP_RULES: json.dumps([entry("/new", backend=WEB)]),
    }
    ports = {Name.LISTEN_PORTS: '[{"HTTP":80}]'}
    found = translate(rule(None, path("/new")), said={**MANUAL, **sets, **ports})
    assert codes(found) == ["RedirectRefused"]
    assert redirects(found) == {}


# both kinds


def both_kinds(*http: Mapping[str, object]) -> Translation:
    said = {**AUTO, **MANUAL, Name.HTTP_RULES: json.dumps(http)}
    return translate(rule(None, path("/new"), path("/s")), said=said)


def test_an_entry_that_repeats_an_automatic_redirect_is_no_conflict() -> None:
    found = both_kinds(entry("/s", to={"port": 443, "path": "/s"}))
    assert redirects(found) == {"HTTP:80 /new": "HTTPS:443 /new", "HTTP:80 /s": "HTTPS:443 /s"}
    assert found.problems == ()


def test_an_entry_wins_over_an_automatic_redirect() -> None:
    found = both_kinds(entry("/s", to={"port": 443, "path": "/new"}))
    assert redirects(found) == {"HTTP:80 /new": "HTTPS:443 /new", "HTTP:80 /s": "HTTPS:443 /new"}
    assert codes(found) == ["E4068"]


def test_an_entry_cannot_lead_to_an_automatic_redirect() -> None:
    found = both_kinds(entry("/old", to=NEW))
    assert redirects(found) == {"HTTP:80 /new": "HTTPS:443 /new", "HTTP:80 /s": "HTTPS:443 /s"}
    assert codes(found) == ["RedirectRefused"]


def test_without_a_host_an_ipv6_load_balancer_takes_no_redirect() -> None:
    sets = {Name.HTTP_RULES: json.dumps([entry("/old", to={"port": 443, "host": HOST, "path": "/"})])}
    found = translate(said={**MANUAL, **sets, Name.EXTENSIVE: '{"AddressIPVersion":"IPV6"}'})
    assert "E4034" in codes(found)
    assert redirects(found) == {}


def test_the_default_backend_redirects_as_the_rules_do() -> None:
    it = ingress(rule(HOST, path("/a")), default=backend(), annotations=AUTO, certs=[tls("cert")])
    found = translator.translate(snapshot(it, secret("cert")), SETTINGS)
    specs = redirects(found)
    assert specs is not UNSET
    assert set(specs) == {"HTTP:80 /", f"HTTP:80 {HOST}/", f"HTTP:80 {HOST}/a"}
