"""Steps to calls: one allowed form each; what is written is what would be read; a forbidden form cannot be written."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l7lb import errors
from l7lb.adapters.clb import codec, wire
from l7lb.adapters.clb.steps import request
from l7lb.model.identity import CloudRef, ListenerKey, LoadBalancerId, RuleKey, RuleRef
from l7lb.model.loadbalancer import (
    Certificate,
    CreateSpec,
    HealthCheck,
    HostSpec,
    ListenerSpec,
    LoadBalancerHead,
    RuleSpec,
    Target,
    TargetKey,
)
from l7lb.model.maybe import UNSET, over
from l7lb.model.plan import (
    AddTags,
    Bindings,
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
    RegisterTargets,
    RemoveTags,
    SetSecurityGroups,
    Step,
)

REGION = "ap-guangzhou"
HTTPS = ListenerKey("HTTPS", 443)
KEY = RuleKey("a.example.com", "/")
OTHER = RuleKey("b.example.com", "/")
REF = RuleRef(HTTPS, KEY)
BINDINGS = Bindings(
    load_balancer="lb-1",
    default_host="1.2.3.4",
    listeners={HTTPS: "lbl-1"},
    locations={REF: "loc-1", RuleRef(HTTPS, OTHER): "loc-2"},
)
HEAD = LoadBalancerHead(CloudRef(REGION, LoadBalancerId("lb-1")), "web", running=True, vips=("1.2.3.4",))
TARGET = Target(TargetKey("10.0.0.1", 80))


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.just(UNSET), values)


CHECKS = st.builds(
    HealthCheck,
    enabled=maybe(st.booleans()),
    timeout_s=maybe(st.integers(2, 60)),
    interval_s=maybe(st.integers(2, 300)),
    healthy_num=maybe(st.integers(2, 10)),
    unhealthy_num=maybe(st.integers(2, 10)),
    http_code=maybe(st.integers(1, 31)),
    path=maybe(st.sampled_from(["/", "/ok"])),
    host=maybe(st.sampled_from(["", "h.example.com"])),
    method=maybe(st.sampled_from(["HEAD", "GET"])),
    check_type=maybe(st.sampled_from(["HTTP", "TCP"])),
    source_ip_type=maybe(st.sampled_from([0, 1])),
    port=maybe(st.integers(1, 65535)),
)
RULES = st.builds(
    RuleSpec,
    key=st.builds(
        RuleKey, st.sampled_from(["", "a.example.com", "b.example.com"]), st.sampled_from(["/", "/x", "=/y"])
    ),
    health_check=CHECKS,
    scheduler=maybe(st.sampled_from(["WRR", "LEAST_CONN", "IP_HASH"])),
    session_s=maybe(st.sampled_from([0, 30, 86400])),
    forward_type=maybe(st.sampled_from(["HTTP", "HTTPS", "GRPC"])),
)
CERTIFICATES = st.builds(
    Certificate, st.frozensets(st.sampled_from(["aa", "bb"]), min_size=1), st.sampled_from([None, "ca"])
)


@given(st.lists(RULES, min_size=1, max_size=8, unique_by=lambda rule: rule.key))
def test_rules_read_back_as_they_were_written(rules: list[RuleSpec]) -> None:
    call = request(REGION, CreateRules(HTTPS, tuple(rules)), BINDINGS)
    entries = [{"LocationId": f"loc-{number}", **entry} for number, entry in enumerate(call.params["Rules"])]
    answer = wire.read(
        {"Listeners": [{"ListenerId": "l", "Protocol": "HTTPS", "Port": 443, "Rules": entries}]}, wire.Listeners
    )
    assert answer.listeners is not None
    observed = {rule.key: rule for rule in codec.listener(HEAD, answer.listeners[0]).spec.rules}
    assert set(observed) == {rule.key for rule in rules}
    for rule in rules:
        seen = observed[rule.key]
        assert over(rule.health_check, seen.health_check) == seen.health_check
        assert over(rule, seen).scheduler == seen.scheduler
        assert (over(rule, seen).session_s, over(rule, seen).forward_type) == (seen.session_s, seen.forward_type)


@given(CERTIFICATES)
def test_certificates_read_back_as_they_were_written(certificate: Certificate) -> None:
    params = request(REGION, CreateListeners("HTTPS", (443,), "x", certificate), BINDINGS).params
    if "Certificate" in params:
        shown = params["Certificate"]
    else:
        ids = [item["CertId"] for item in params["MultiCertInfo"]["CertList"]]
        servers = [item for item in ids if item != "ca"]
        ca = "ca" if "ca" in ids else None
        mode = params["MultiCertInfo"]["SSLMode"]
        shown = {"SSLMode": mode, "CertId": servers[0], "ExtCertIds": servers[1:], "CertCaId": ca}
    entry = {"ListenerId": "l", "Protocol": "HTTPS", "Port": 443, "Certificate": shown}
    answer = wire.read({"Listeners": [entry]}, wire.Listeners)
    assert answer.listeners is not None
    assert codec.listener(HEAD, answer.listeners[0]).spec.certificate == certificate


TAGS = (("tke-clusterId", "cls-1"), ("a", "b"))
FORMS: list[tuple[Step, str, dict[str, Any]]] = [
    (
        CreateLoadBalancer(CreateSpec(vpc_id="vpc-1", name="n"), TAGS, "token"),
        "CreateLoadBalancer",
        {
            "LoadBalancerType": "OPEN", "Forward": 1, "Number": 1, "ClientToken": "token", "VpcId": "vpc-1",
            "LoadBalancerName": "n",
            "Tags": [{"TagKey": "a", "TagValue": "b"}, {"TagKey": "tke-clusterId", "TagValue": "cls-1"}],
        },
    ),
    (DeleteLoadBalancer(LoadBalancerId("lb-9"), "proof"), "DeleteLoadBalancer", {"LoadBalancerIds": ["lb-9"]}),
    (
        DeleteLoadBalancer(LoadBalancerId("lb-9"), "proof", force=True),
        "DeleteLoadBalancer",
        {"LoadBalancerIds": ["lb-9"], "ForceDelete": True},
    ),
    (
        AddTags((("k", "v"),)),
        "ModifyResourceTags",
        {"Resource": "qcs::clb:ap-guangzhou:uin/:clb/lb-1", "ReplaceTags": [{"TagKey": "k", "TagValue": "v"}]},
    ),
    (
        RemoveTags(("k",)),
        "ModifyResourceTags",
        {"Resource": "qcs::clb:ap-guangzhou:uin/:clb/lb-1", "DeleteTags": [{"TagKey": "k"}]},
    ),
    (
        ModifyLoadBalancer(pass_to_target=False),
        "ModifyLoadBalancerAttributes",
        {"LoadBalancerId": "lb-1", "LoadBalancerPassToTarget": False},
    ),
    (
        SetSecurityGroups(frozenset()),
        "SetLoadBalancerSecurityGroups",
        {"LoadBalancerId": "lb-1", "SecurityGroups": []},
    ),
    (
        CreateListeners("HTTPS", (443, 8443), "n", Certificate(frozenset({"c"})), keepalive=False),
        "CreateListener",
        {
            "LoadBalancerId": "lb-1", "Ports": [443, 8443], "Protocol": "HTTPS", "ListenerNames": ["n", "n"],
            "Certificate": {"SSLMode": "UNIDIRECTIONAL", "CertId": "c"}, "KeepaliveEnable": 0,
        },
    ),
    (
        CreateListeners("HTTPS", (443,), "n", Certificate(frozenset({"c"})), sni=True),
        "CreateListener",
        {"LoadBalancerId": "lb-1", "Ports": [443], "Protocol": "HTTPS", "ListenerNames": ["n"], "SniSwitch": 1},
    ),
    (
        ModifyListener(HTTPS, ListenerSpec(HTTPS), ListenerSpec(HTTPS, sni=True)),
        "ModifyListener",
        {"LoadBalancerId": "lb-1", "ListenerId": "lbl-1", "SniSwitch": 1},
    ),
    (
        DeleteListeners((HTTPS,)),
        "DeleteLoadBalancerListeners",
        {"LoadBalancerId": "lb-1", "ListenerIds": ["lbl-1"]},
    ),
    (
        CreateRules(HTTPS, (RuleSpec(RuleKey("", "/")),), (HostSpec("", default=True),)),
        "CreateRule",
        {
            "LoadBalancerId": "lb-1", "ListenerId": "lbl-1",
            "Rules": [{"Domain": "1.2.3.4", "Url": "/", "DefaultServer": True}],
        },
    ),
    (
        ModifyRule(HTTPS, RuleSpec(KEY), RuleSpec(KEY, health_check=HealthCheck(enabled=False))),
        "ModifyRule",
        {"LoadBalancerId": "lb-1", "ListenerId": "lbl-1", "LocationId": "loc-1", "HealthCheck": {"HealthSwitch": 0}},
    ),
    (
        ModifyHost(HTTPS, HostSpec(""), HostSpec("", Certificate(frozenset({"c"}), "ca"), http2=False)),
        "ModifyDomainAttributes",
        {
            "LoadBalancerId": "lb-1", "ListenerId": "lbl-1", "Domain": "1.2.3.4", "Http2": False,
            "Certificate": {"SSLMode": "MUTUAL", "CertId": "c", "CertCaId": "ca"},
        },
    ),
    (
        DeleteRules(HTTPS, (KEY, OTHER), new_default=""),
        "DeleteRule",
        {
            "LoadBalancerId": "lb-1", "ListenerId": "lbl-1", "LocationIds": ["loc-1", "loc-2"],
            "NewDefaultServerDomain": "1.2.3.4",
        },
    ),
    (
        RegisterTargets((Placement(REF, TARGET), Placement(REF, Target(TargetKey("10.0.0.2", 80), "ins-1", 3)))),
        "BatchRegisterTargets",
        {
            "LoadBalancerId": "lb-1",
            "Targets": [
                {"ListenerId": "lbl-1", "LocationId": "loc-1", "EniIp": "10.0.0.1", "Port": 80, "Weight": 10},
                {"ListenerId": "lbl-1", "LocationId": "loc-1", "InstanceId": "ins-1", "Port": 80, "Weight": 3},
            ],
        },
    ),
    (
        DeregisterTargets((Placement(REF, TARGET),)),
        "BatchDeregisterTargets",
        {
            "LoadBalancerId": "lb-1",
            "Targets": [{"ListenerId": "lbl-1", "LocationId": "loc-1", "EniIp": "10.0.0.1", "Port": 80}],
        },
    ),
    (
        ModifyWeights((Placement(REF, Target(TargetKey("10.0.0.1", 80), weight=0)),)),
        "BatchModifyTargetWeight",
        {
            "LoadBalancerId": "lb-1",
            "ModifyList": [
                {
                    "ListenerId": "lbl-1", "LocationId": "loc-1",
                    "Targets": [{"EniIp": "10.0.0.1", "Port": 80, "Weight": 0}],
                },
            ],
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("step", "action", "params"), FORMS, ids=[f"{form[1]}-{n}" for n, form in enumerate(FORMS)])
def test_a_step_has_exactly_one_form(step: Step, action: str, params: dict[str, Any]) -> None:
    call = request(REGION, step, BINDINGS)
    assert (call.action, dict(call.params), call.write) == (action, params, True)
    assert call.service == ("tag" if action == "ModifyResourceTags" else "clb")


def test_a_host_brings_its_certificate_to_each_rule_and_asks_for_the_default_once() -> None:
    host = HostSpec("a.example.com", Certificate(frozenset({"c"})), http2=True, default=True)
    rules = (RuleSpec(KEY), RuleSpec(RuleKey("a.example.com", "/x")), RuleSpec(OTHER))
    first, second, third = request(REGION, CreateRules(HTTPS, rules, (host,)), BINDINGS).params["Rules"]
    assert (first["DefaultServer"], first["Http2"], first["Certificate"]["CertId"]) == (True, True, "c")
    assert ("DefaultServer" in second, second["Http2"], second["Certificate"]["CertId"]) == (False, True, "c")
    assert set(third) == {"Domain", "Url"}


@pytest.mark.parametrize(
    "step",
    [
        CreateLoadBalancer(CreateSpec(), (), "token"),
        CreateLoadBalancer(CreateSpec(), TAGS, ""),
        DeleteLoadBalancer(LoadBalancerId(""), "proof"),
        AddTags(()),
        RemoveTags(()),
        ModifyLoadBalancer(),
        CreateListeners("HTTP", (), "n"),
        CreateListeners("HTTPS", (443,), "n", Certificate(frozenset())),
        ModifyListener(HTTPS, ListenerSpec(HTTPS), ListenerSpec(HTTPS, sni=False)),
        DeleteListeners(()),
        CreateRules(HTTPS, ()),
        ModifyRule(HTTPS, RuleSpec(KEY), RuleSpec(KEY)),
        ModifyHost(HTTPS, HostSpec("a.example.com"), HostSpec("a.example.com", default=False)),
        DeleteRules(HTTPS, ()),
        RegisterTargets(()),
        DeregisterTargets(()),
        ModifyWeights(()),
    ],
    ids=lambda step: type(step).__name__,
)
def test_a_call_that_says_less_than_it_does_cannot_be_written(step: Step) -> None:
    with pytest.raises(errors.UnauthorizedPlan):
        request(REGION, step, BINDINGS)


@pytest.mark.parametrize("form", FORMS, ids=[f"{form[1]}-{n}" for n, form in enumerate(FORMS)])
def test_nothing_but_creating_and_deleting_is_written_without_a_load_balancer(form: tuple[Step, str, Any]) -> None:
    step, action, _ = form
    if action in ("CreateLoadBalancer", "DeleteLoadBalancer"):
        assert request(REGION, step, Bindings()).action == action
    else:
        with pytest.raises(errors.UnauthorizedPlan):
            request(REGION, step, Bindings())


@pytest.mark.parametrize(
    "step",
    [
        DeleteListeners((ListenerKey("HTTP", 80),)),
        DeleteRules(HTTPS, (RuleKey("c.example.com", "/"),)),
        RegisterTargets((Placement(RuleRef(HTTPS, RuleKey("c.example.com", "/")), TARGET),)),
    ],
    ids=lambda step: type(step).__name__,
)
def test_an_id_that_was_not_read_back_is_a_conflict(step: Step) -> None:
    with pytest.raises(errors.Conflict):
        request(REGION, step, BINDINGS)


def test_a_rule_without_a_host_waits_for_the_address() -> None:
    with pytest.raises(errors.Conflict):
        request(REGION, CreateRules(HTTPS, (RuleSpec(RuleKey("", "/")),)), Bindings("lb-1", "", {HTTPS: "lbl-1"}))
