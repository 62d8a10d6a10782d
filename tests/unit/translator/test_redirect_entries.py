"""Redirects that entries of the rule sets declare, and those that are refused by name."""

import json
from collections.abc import Mapping

import pytest

from l7lb import translator
from l7lb.model.cluster import IngressRule
from l7lb.model.maybe import UNSET
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
from .layouts import redirects, shapes

HOST = "store.acme-demo.com"
WEB: Mapping[str, object] = {"serviceName": "web", "servicePort": "80"}
AUTO = {Name.AUTO_REWRITE: "true"}
MANUAL = {Name.RULE_MIX: "true", Name.REWRITE_SUPPORT: "true"}


def translate(*rules: IngressRule, said: Mapping[Name, str], secure: bool = True) -> Translation:
    it = ingress(*(rules or (rule(HOST),)), annotations=said, certs=[tls("cert")] if secure else [])
    return translator.translate(snapshot(it, secret("cert"), service("web"), service("api")), SETTINGS)


def entry(path: str, *, host: str = "", to: Mapping[str, object] | None = None, **more: object) -> dict[str, object]:
    return {"host": host, "path": path, **({"rewrite": to} if to is not None else {}), **more}


def manual(*entries: Mapping[str, object], https: object = None, paths: tuple[str, ...] = ("/new",)) -> Translation:
    """Rules without a host on HTTP:80 at `paths`, and the entries on top."""
    direct = [entry(one, backend=WEB) for one in paths]
    sets = {Name.HTTP_RULES: json.dumps([*direct, *entries]), Name.HTTPS_RULES: json.dumps(https)}
    return translate(rule(None, *(path(one) for one in paths)), rule(HOST, path("/s")), said={**MANUAL, **sets})


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


def test_a_bad_entry_on_a_declared_rule_gives_way_as_well() -> None:
    found = manual(entry("/new2", to={"port": 80, "path": "/nowhere"}), paths=("/new", "/new2"))
    assert codes(found) == ["RedirectRefused"]
    assert not found.held.rules


def test_a_bad_entry_with_a_backend_holds_its_rule_on_every_listener() -> None:
    found = manual(https=[entry("/s", host=HOST, backend=WEB, to={"port": 80, "path": "/nowhere"})])
    assert codes(found) == ["RedirectRefused"]
    assert {str(one) for one in found.held.rules} == {f"HTTP:80 {HOST}/s", f"HTTPS:443 {HOST}/s"}


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
