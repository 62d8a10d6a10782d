"""What a TkeServiceConfig declares: entry by entry, field by field; what does not fit is left out and named."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from l7lb.model.cluster import Ingress, ObjectMeta, TkeServiceConfig
from l7lb.model.identity import ListenerKey, RuleKey
from l7lb.model.loadbalancer import HealthCheck, HostSpec, ListenerSpec, RuleSpec
from l7lb.model.maybe import UNSET
from l7lb.model.problems import Problem, Severity
from l7lb.translator.names import Name
from l7lb.translator.notebook import HTTP, HTTPS, Notebook
from l7lb.translator.serviceconfig import decorate, matches
from l7lb.translator.serviceconfig_form import HealthCheck as CheckForm
from l7lb.translator.serviceconfig_reading import fields_of
from l7lb.translator.tuning import auto_key, config_key

from .builders import SPACE, ingress

Json = dict[str, Any]
A, B = "a.example.com", "b.example.com"
RULE = "spec.loadBalancer.l7Listeners[0].domains[0].rules[0]"


def config(*listeners: Any, name: str = "tuning", **balancer: Any) -> TkeServiceConfig:
    spec = {"loadBalancer": {"l7Listeners": list(listeners), **balancer}}
    return raw(msgspec.json.encode(spec), name)


def raw(spec: bytes, name: str = "tuning") -> TkeServiceConfig:
    return TkeServiceConfig(metadata=ObjectMeta(name=name, namespace=SPACE), spec=msgspec.Raw(spec))


def entry(protocol: str = "HTTP", port: int = 80, *domains: Json, **said: Any) -> Json:
    return {"protocol": protocol, "port": port, "domains": list(domains), **said}


def of_rule(protocol: str = "HTTP", url: str = "/", host: str = A, **said: Any) -> Json:
    return entry(protocol, 443 if protocol == "HTTPS" else 80, {"domain": host, "rules": [{"url": url, **said}]})


def spec(key: ListenerKey = HTTP, *rules: tuple[str, str]) -> ListenerSpec:
    keys = [RuleKey(*rule) for rule in rules or ((A, "/"),)]
    hosts = dict.fromkeys(key.host for key in keys)
    return ListenerSpec(key, hosts=tuple(map(HostSpec, hosts)), rules=tuple(map(RuleSpec, keys)))


def decorated(made: TkeServiceConfig, *listeners: ListenerSpec) -> tuple[tuple[ListenerSpec, ...], tuple[Problem, ...]]:
    notebook = Notebook(ingress())
    found = decorate(listeners or (spec(),), made, notebook)
    return found, notebook.findings().problems


def one_rule(made: TkeServiceConfig, key: ListenerKey = HTTP) -> RuleSpec:
    ((listener,), _) = decorated(made, spec(key))
    return listener.rules[0]


CHECKS = [
    ("intervalTime", 10, "interval_s"), ("timeout", 4, "timeout_s"), ("healthNum", 4, "healthy_num"),
    ("unHealthNum", 4, "unhealthy_num"), ("httpCode", 3, "http_code"), ("httpCheckPath", "/x", "path"),
    ("httpCheckDomain", B, "host"), ("httpCheckMethod", "GET", "method"), ("checkType", "TCP", "check_type"),
    ("checkPort", 81, "port"), ("sourceIpType", 1, "source_ip_type"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "ours"), CHECKS)
def test_a_field_of_the_check_says_itself_and_nothing_else(name: str, value: Any, ours: str) -> None:
    rule = one_rule(config(of_rule(healthCheck={"enable": True, name: value})))
    said: Json = {"enabled": True, ours: value}
    assert rule == RuleSpec(RuleKey(A, "/"), health_check=HealthCheck(**said))


def test_every_field_of_the_check_is_in_the_table_above() -> None:
    assert {one.encode_name for one, _, _ in fields_of(CheckForm)} == {"enable", *(name for name, _, _ in CHECKS)}


@pytest.mark.parametrize(
    ("said", "session_s", "sticky"),
    [
        pytest.param({"enable": False}, 0, UNSET, id="off"),
        pytest.param({"enable": False, "sessionExpireTime": 60}, 0, UNSET, id="off with a length"),
        pytest.param({"enable": True, "sessionExpireTime": 60}, 60, True, id="on with a length"),
        pytest.param({"enable": True}, UNSET, True, id="on"),
        pytest.param({"enabled": True, "sessionExpireTime": 86400}, 86400, True, id="first edition"),
        pytest.param({"enabled": True, "enable": False}, 0, UNSET, id="both spellings: today's counts"),
        pytest.param({"sessionExpireTime": 60}, UNSET, UNSET, id="neither on nor off"),
    ],
)
def test_sessions(said: Json, session_s: object, sticky: object) -> None:
    rule = one_rule(config(of_rule(session=said)))
    assert (rule.session_s, rule.sticky) == (session_s, sticky)


def test_a_listener_and_a_host_say_what_is_theirs() -> None:
    made = entry("HTTPS", 443, {"domain": B, "http2": True}, listenerName="a", keepaliveEnable=0, snatEnable=True)
    ((listener,), problems) = decorated(config({**made, "defaultServer": B}), spec(HTTPS, (A, "/"), (B, "/")))
    assert (listener.name, listener.keepalive, listener.snat) == ("a", False, True)
    assert listener.hosts == (HostSpec(A), HostSpec(B, http2=True, default=True))
    assert problems == ()


@pytest.mark.parametrize(
    ("protocol", "said", "path", "what"),
    [
        ("HTTP", {"healthCheck": {"enable": True, "timeout": 61}}, ".healthCheck.timeout", "must be 2 to 60"),
        ("HTTP", {"healthCheck": {"enable": True, "timeout": "5"}}, ".healthCheck.timeout", "must be 2 to 60"),
        ("HTTP", {"healthCheck": {"enable": True, "timeout": True}}, ".healthCheck.timeout", "must be 2 to 60"),
        ("HTTP", {"healthCheck": {"enable": "yes"}}, ".healthCheck.enable", "must be true or false"),
        ("HTTP", {"healthCheck": {}}, ".healthCheck.enable", "is missing"),
        ("HTTP", {"healthCheck": []}, ".healthCheck", "must be an object"),
        ("HTTP", {"scheduler": "wrr"}, ".scheduler", "must be IP_HASH or LEAST_CONN or WRR"),
        ("HTTP", {"forwardType": "GRPC"}, ".forwardType", "GRPC needs an HTTPS listener with http2"),
        ("HTTP", {"session": {"enable": True, "sessionExpireTime": 29}}, ".session.sessionExpireTime", "must be 30 to"),
        ("HTTP", {"healthCheck": {"enable": True, "checkType": "HTTPS"}}, ".healthCheck.checkType", "HTTPS needs an"),
        ("HTTP", {"healthCheck": {"enable": True, "httpCheckPath": "x"}}, ".healthCheck.httpCheckPath", "must fit"),
        ("HTTP", {"healthCheck": {"enable": True, "httpCheckDomain": "*"}}, ".healthCheck.httpCheckDomain", "must fit"),
        (
            "HTTPS",
            {"healthCheck": {"enable": True, "timeout": 6, "intervalTime": 5}},
            ".healthCheck.timeout",
            "must not be more than intervalTime (5)",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_left_out_and_named_by_its_path(protocol: str, said: Json, path: str, what: str) -> None:
    made = config(of_rule(protocol, **{"scheduler": "IP_HASH", **said}))
    ((listener,), (problem,)) = decorated(made, spec(HTTPS if protocol == "HTTPS" else HTTP))
    assert f"TkeServiceConfig {SPACE}/tuning: {RULE}{path} {what}" in problem.message
    assert (problem.severity, problem.field) == (Severity.ERROR, f"{RULE}{path}")
    if "scheduler" not in said:
        assert listener.rules[0].scheduler == "IP_HASH"


def test_a_time_out_as_long_as_the_interval_is_taken_because_tke_itself_writes_it() -> None:
    rule = one_rule(config(of_rule(healthCheck={"enable": True, "timeout": 5, "intervalTime": 5})))
    assert (rule.health_check.timeout_s, rule.health_check.interval_s) == (5, 5)


@pytest.mark.parametrize(
    ("url", "path", "siblings", "meant"),
    [
        ("/p", "/p", ["/p"], True),
        ("/p", "=/p", ["=/p"], True),
        ("/p", "=/p", ["=/p", "/p"], False),
        ("=/p", "=/p", ["=/p", "/p"], True),
        ("=/p", "/p", ["/p"], False),
        ("/p", "/pp", ["/pp"], False),
    ],
)
def test_a_url_stands_for_an_exact_path_where_no_other_rule_has_it(
    url: str, path: str, siblings: list[str], meant: bool
) -> None:
    assert matches(url, path, siblings) is meant


def test_the_own_address_of_the_load_balancer_means_the_rules_without_a_host() -> None:
    made = {**of_rule(host="203.0.113.10", scheduler="IP_HASH"), "defaultServer": "203.0.113.10"}
    ((listener,), problems) = decorated(config(made), spec(HTTP, ("", "/")))
    assert (listener.rules[0].scheduler, listener.hosts[0].default, problems) == ("IP_HASH", True, ())


@pytest.mark.parametrize(
    "spec_", [b"null", b"[]", b'""', b"{}", b"{", b'{"loadBalancer":[]}', b'{"loadBalancer":null}']
)
def test_a_spec_that_says_nothing_changes_nothing(spec_: bytes) -> None:
    assert decorated(raw(spec_))[0] == (spec(),)


def test_a_hundred_faults_are_counted_and_not_all_told() -> None:
    rules = [{"url": f"/{number}", "scheduler": 1} for number in range(100)]
    _, problems = decorated(config(entry("HTTP", 80, {"domain": A, "rules": rules})))
    told = [problem for problem in problems if problem.reason == "InvalidServiceConfig"]
    assert len(told) == 21
    assert "80 more" in told[-1].message


def test_nobody_is_told_of_entries_that_stand_for_a_rule_that_is_held() -> None:
    notebook = Notebook(ingress())
    notebook.hold_rule(RuleKey(A, "/broken"))
    made = config(of_rule(url="/broken", scheduler="IP_HASH"))
    decorate((spec(),), made, notebook)
    assert notebook.findings().problems == ()


@pytest.mark.parametrize(
    ("annotations", "kept", "counts"),
    [
        ({}, None, None),
        ({Name.CONFIG: "tuning"}, None, "tuning"),
        ({Name.CONFIG_AUTO: "true"}, "storefront-auto-ingress-config", "storefront-auto-ingress-config"),
        ({Name.CONFIG_AUTO: "false"}, None, None),
        ({Name.CONFIG_AUTO: "often"}, None, None),
        ({Name.CONFIG_AUTO: "true", Name.CONFIG: "tuning"}, None, "tuning"),
        ({Name.CONFIG_AUTO: "true", Name.GROUP: "true"}, None, None),
        ({Name.CONFIG: "x-auto-ingress-config"}, None, None),
        ({Name.CONFIG: "x-auto-service-config"}, None, None),
    ],
)
def test_which_object_counts(annotations: dict[Name, str], kept: str | None, counts: str | None) -> None:
    one: Ingress = ingress(annotations=annotations)
    found = auto_key(one), config_key(one)
    assert tuple(key and key.name for key in found) == (kept, counts)


words = st.sampled_from(["HTTP", "HTTPS", "TCP", A, B, "", "/", "=/", "WRR", "GRPC", "enable", "true", "x" * 200])
scalars = st.none() | st.booleans() | st.integers(-1, 500) | words
above = ["loadBalancer", "l7Listeners", "protocol", "port", "domains", "domain", "rules", "url", "nonsense"]
below = [
    "session",
    "healthCheck",
    "enable",
    "enabled",
    "timeout",
    "defaultServer",
    "listenerName",
    "scheduler",
    "http2",
]
keys = st.sampled_from([*above, *below])
trees = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4))
rule_entries = st.fixed_dictionaries(
    {"url": words | trees}, optional=dict.fromkeys(("session", "healthCheck", "scheduler", "forwardType"), trees)
)
domain_entries = st.fixed_dictionaries(
    {"domain": words}, optional={"http2": trees, "rules": st.lists(rule_entries, max_size=3) | trees}
)
listener_entries = st.fixed_dictionaries(
    {"protocol": words, "port": st.sampled_from([80, 443])},
    optional={
        "domains": st.lists(domain_entries, max_size=3) | trees,
        **dict.fromkeys(("defaultServer", "listenerName", "keepaliveEnable", "snatEnable"), trees),
    },
)


@given(st.lists(listener_entries, max_size=4) | trees)
def test_whatever_is_declared_no_listener_host_or_rule_comes_or_goes(listeners: Any) -> None:
    before = (spec(HTTP, (A, "/"), (A, "=/"), ("", "/")), spec(HTTPS, (A, "/"), (B, "/x")))
    made = raw(msgspec.json.encode({"loadBalancer": {"l7Listeners": listeners}}))
    after, _ = decorated(made, *before)
    assert _shape(after) == _shape(before)


def _shape(listeners: tuple[ListenerSpec, ...]) -> list[tuple[object, ...]]:
    return [(one.key, [host.host for host in one.hosts], [rule.key for rule in one.rules]) for one in listeners]


@given(listener_entries)
def test_a_second_time_declares_the_same(listener: Json) -> None:
    once, _ = decorated(config(listener))
    twice, _ = decorated(config(listener), *once)
    assert twice == once
