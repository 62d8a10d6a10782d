"""Laws of listeners, mixed rules and redirects, whatever the annotations say."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from l7lb import translator
from l7lb.model.cluster import IngressRule
from l7lb.model.identity import RuleKey, RuleRef
from l7lb.model.maybe import UNSET
from l7lb.model.snapshot import Translation
from l7lb.translator.names import Name

from .builders import SETTINGS, ingress, path, rule, secret, service, snapshot, tls

HOSTS = [None, "a.acme-demo.com", "b.acme-demo.com"]
PATHS = ["/", "/p", "/q", "=/p"]

booleans = st.sampled_from([None, "true", "false"])
ports = st.none() | st.lists(
    st.sampled_from([("HTTP", 80), ("HTTPS", 443), ("HTTP", 8080), ("HTTPS", 8443)]), min_size=1, unique=True
).map(lambda pairs: json.dumps([{protocol: port} for protocol, port in pairs]))
rewrites = st.fixed_dictionaries(
    {"port": st.sampled_from([80, "443", 8080, 9]), "path": st.sampled_from(PATHS)},
    optional={"host": st.sampled_from(HOSTS)},
)
entries = st.fixed_dictionaries(
    {},
    optional={
        "host": st.sampled_from(HOSTS),
        "path": st.sampled_from(PATHS),
        "backend": st.sampled_from([{"serviceName": name, "servicePort": "80"} for name in ("web", "api")]),
        "rewrite": rewrites,
    },
)
sets = st.none() | st.lists(entries, max_size=5).map(json.dumps)
said = st.fixed_dictionaries(
    {
        Name.LISTEN_PORTS: ports,
        Name.RULE_MIX: booleans,
        Name.HTTP_RULES: sets,
        Name.HTTPS_RULES: sets,
        Name.REWRITE_SUPPORT: booleans,
        Name.AUTO_REWRITE: booleans,
    }
).map(lambda values: {name: value for name, value in values.items() if value is not None})
rules = st.lists(
    st.builds(
        lambda host, text, kind, to: rule(host, path(text, kind, to)),
        st.sampled_from(HOSTS),
        st.sampled_from(["/", "/p", "/q"]),
        st.sampled_from(["Prefix", "Exact"]),
        st.sampled_from(["web", "api"]),
    ),
    min_size=1,
    max_size=5,
)


def translate(of: list[IngressRule], annotations: dict[Name, str], secure: bool) -> Translation:
    it = ingress(*of, annotations=annotations, certs=[tls("cert")] if secure else [])
    return translator.translate(snapshot(it, secret("cert"), service("web"), service("api")), SETTINGS)


def keys(of: list[IngressRule]) -> set[RuleKey]:
    return {
        RuleKey(one.host or "", ("=" if part.path_type == "Exact" else "") + (part.path or "/"))
        for one in of
        for part in (one.http.paths if one.http else None) or ()
    }


translations = st.builds(translate, rules, said, st.booleans())


def forwarded(found: Translation) -> set[RuleRef]:
    assert found.desired is not None
    return {RuleRef(one.key, of.key) for one in found.desired.listeners for of in one.rules}


@given(rules, said, st.booleans())
@settings(max_examples=200, deadline=None)
def test_every_rule_stands_somewhere_or_redirects_or_is_told(
    of: list[IngressRule], annotations: dict[Name, str], secure: bool
) -> None:
    found = translate(of, annotations, secure)
    assert found.desired is not None
    redirects = () if found.desired.redirects is UNSET else found.desired.redirects
    placed = {one.rule for one in forwarded(found)} | {spec.source.rule for spec in redirects}
    assert keys(of) <= placed | {one.rule for one in found.held.rules}


@given(translations)
@settings(max_examples=300, deadline=None)
def test_redirects_have_one_target_each_and_lead_to_a_rule_and_never_on(found: Translation) -> None:
    assert found.desired is not None
    redirects = found.desired.redirects
    if redirects is UNSET:
        return
    sources = [spec.source for spec in redirects]
    assert len(sources) == len(set(sources))
    assert sources == sorted(sources)
    assert {spec.target for spec in redirects} <= forwarded(found)
    assert not {spec.target for spec in redirects} & set(sources)
    assert not forwarded(found) & set(sources)
    listeners = {one.key for one in found.desired.listeners}
    assert {source.listener for source in sources} <= listeners


@given(translations)
@settings(max_examples=200, deadline=None)
def test_a_port_is_asked_for_once_and_hosts_are_those_of_rules_and_redirects(found: Translation) -> None:
    assert found.desired is not None
    numbers = [one.key.port for one in found.desired.listeners]
    assert len(numbers) == len(set(numbers))
    redirects = () if found.desired.redirects is UNSET else found.desired.redirects
    for one in found.desired.listeners:
        begins = {spec.source.rule.host for spec in redirects if spec.source.listener == one.key}
        assert {host.host for host in one.hosts} == {of.key.host for of in one.rules} | begins
