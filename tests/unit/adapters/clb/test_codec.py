"""Answers as the API's description and samples show them, with their nulls, against the model."""

from typing import Any

import pytest

from l7lb import errors
from l7lb.adapters.clb import codec, wire, wire_targets
from l7lb.model.cloud import Health, TaskStatus
from l7lb.model.identity import CloudRef, ListenerId, ListenerKey, LoadBalancerId, LocationId, RuleKey
from l7lb.model.loadbalancer import Certificate, HealthCheck, HostSpec, LoadBalancerHead, Redirect, TargetKey
from l7lb.model.site import Family
from l7lb.model.snapshot import Limits

REGION = "ap-guangzhou"
HEAD = LoadBalancerHead(CloudRef(REGION, LoadBalancerId("lb-1")), "web", running=True, vips=("1.2.3.4",))

LOAD_BALANCER: dict[str, Any] = {
    "LoadBalancerId": "lb-1", "LoadBalancerName": "web", "LoadBalancerType": "OPEN", "Forward": 1, "Domain": "",
    "LoadBalancerVips": ["1.2.3.4"], "Status": 1, "CreateTime": "2026-01-01 08:00:00", "VpcId": "vpc-1",
    "SecureGroups": ["sg-1"], "AddressIPVersion": "IPv4", "AddressIPv6": None, "Isolation": 0, "ExtraInfo": None,
    "LoadBalancerPassToTarget": True, "AttributeFlags": ["DeleteProtect"], "AssociateEndpoint": "vpce-1",
    "Tags": [{"TagKey": "tke-clusterId", "TagValue": "cls-1"}], "BackupZoneSet": None, "LoadBalancerDomain": None,
}  # fmt: skip


def listener(**members: Any) -> wire.Listener:
    entry = {"ListenerId": "lbl-1", "ListenerName": "x", "Protocol": "HTTPS", "Port": 443, **members}
    return wire.read({"Listeners": [entry]}, wire.Listeners).listeners[0]  # type: ignore[index]  # one was given


def rule(**members: Any) -> dict[str, Any]:
    return {"LocationId": "loc-1", "Domain": "a.example.com", "Url": "/", **members}


def certificate(id_: str, **members: Any) -> dict[str, Any]:
    return {"SSLMode": "UNIDIRECTIONAL", "CertId": id_, "CertCaId": None, "ExtCertIds": None, **members}


def test_a_head_has_all_that_is_decided_on() -> None:
    entry = wire.read({"TotalCount": 1, "LoadBalancerSet": [LOAD_BALANCER], "RequestId": "r"}, wire.LoadBalancers)
    assert entry.load_balancer_set is not None
    assert codec.head(REGION, entry.load_balancer_set[0]) == LoadBalancerHead(
        ref=CloudRef(REGION, LoadBalancerId("lb-1")),
        name="web",
        running=True,
        application=True,
        vips=("1.2.3.4",),
        family=Family.IPV4,
        vpc_id="vpc-1",
        tags={"tke-clusterId": "cls-1"},
        security_groups=frozenset({"sg-1"}),
        pass_to_target=True,
        delete_protection=True,
        private_link=True,
        created="2026-01-01 08:00:00",
    )


@pytest.mark.parametrize(
    ("member", "value", "field", "expected"),
    [
        ("Status", 0, "running", False),
        ("Status", None, "running", False),
        ("Forward", 0, "application", False),
        ("Isolation", 1, "isolated", True),
        ("LoadBalancerDomain", "lb-1.clb.example", "hostname", "lb-1.clb.example"),
        ("Domain", "lb-1.clb.example", "hostname", "lb-1.clb.example"),
        ("AddressIPv6", "2402::1", "ipv6", "2402::1"),
        ("Tags", None, "tags", {}),
        ("LoadBalancerVips", None, "vips", ()),
        ("AttributeFlags", None, "delete_protection", False),
    ],
)
def test_each_member_of_a_head_may_be_null_or_telling(member: str, value: Any, field: str, expected: Any) -> None:
    answer = wire.read({"TotalCount": 1, "LoadBalancerSet": [LOAD_BALANCER | {member: value}]}, wire.LoadBalancers)
    assert answer.load_balancer_set is not None
    assert getattr(codec.head(REGION, answer.load_balancer_set[0]), field) == expected


def test_rules_and_hosts_come_sorted_and_whole() -> None:
    found = codec.listener(
        HEAD,
        listener(
            Certificate=certificate("own"),
            Rules=[
                rule(LocationId="loc-3", Domain="b.example.com", DefaultServer=True, Http2=True),
                rule(LocationId="loc-2", Url="/b"),
                rule(LocationId="loc-1", Url="/a"),
                rule(LocationId="loc-0", Domain="1.2.3.4"),
            ],
        ),
    )
    assert found.spec.key == ListenerKey("HTTPS", 443)
    assert [str(item.key) for item in found.spec.rules] == ["/", "a.example.com/a", "a.example.com/b", "b.example.com/"]
    own = Certificate(frozenset({"own"}))
    assert found.spec.hosts == (
        HostSpec("", own, http2=False, default=False),
        HostSpec("a.example.com", own, http2=False, default=False),
        HostSpec("b.example.com", own, http2=True, default=True),
    )
    assert found.locations[RuleKey("", "/")] == "loc-0"


def test_no_field_of_an_observed_rule_is_unset_and_defaults_are_the_documented_ones() -> None:
    (only,) = codec.listener(HEAD, listener(Rules=[rule(HealthCheck=None)])).spec.rules
    assert (only.scheduler, only.session_s, only.forward_type) == ("WRR", 0, "HTTP")
    assert only.health_check == HealthCheck(
        enabled=True, timeout_s=2, interval_s=5, healthy_num=3, unhealthy_num=3, http_code=31, path="/", host="",
        method="HEAD", check_type="HTTP", source_ip_type=0, port=0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sni", "of_rule", "of_listener", "effective"),
    [
        (0, None, "own", "own"),
        (0, "stale", "own", "own"),
        (1, "host", "own", "host"),
        (1, None, "own", "own"),
        (1, None, None, None),
        (None, None, None, None),
    ],
)
def test_the_effective_certificate_is_the_rules_under_sni_else_the_listeners(
    sni: int | None, of_rule: str | None, of_listener: str | None, effective: str | None
) -> None:
    entry = listener(
        SniSwitch=sni,
        Certificate=certificate(of_listener) if of_listener else None,
        Rules=[rule(Certificate=certificate(of_rule) if of_rule else None)],
    )
    (host,) = codec.listener(HEAD, entry).spec.hosts
    assert host.certificate == (Certificate(frozenset({effective})) if effective else None)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (certificate("a"), Certificate(frozenset({"a"}))),
        (certificate("a", ExtCertIds=["b"]), Certificate(frozenset({"a", "b"}))),
        (certificate("a", SSLMode="MUTUAL", CertCaId="ca"), Certificate(frozenset({"a"}), "ca")),
        (certificate("a", CertCaId="left-over"), Certificate(frozenset({"a"}))),
        (certificate(""), None),
        (certificate("a") | {"CertId": None}, None),
    ],
)
def test_certificates_are_sets_of_ids(entry: dict[str, Any], expected: Certificate | None) -> None:
    assert codec.listener(HEAD, listener(Certificate=entry)).spec.certificate == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (None, None),
        ({"TargetListenerId": None, "TargetLocationId": None, "RewriteCode": None, "TakeUrl": None}, None),
        ({"TargetListenerId": "", "TargetLocationId": "", "RewriteCode": 0}, None),
        (
            {"TargetListenerId": "lbl-9", "TargetLocationId": "loc-9", "RewriteCode": 301, "RewriteType": "Auto"},
            Redirect(ListenerId("lbl-9"), LocationId("loc-9"), 301, automatic=True),
        ),
        (
            {"TargetListenerId": "lbl-9", "TargetLocationId": "loc-9", "RewriteCode": None},
            Redirect(ListenerId("lbl-9"), LocationId("loc-9")),
        ),
    ],
)
def test_a_redirect_is_there_only_when_it_leads_somewhere(target: Any, expected: Redirect | None) -> None:
    found = codec.listener(HEAD, listener(Rules=[rule(RewriteTarget=target)])).redirects
    assert found.get(RuleKey("a.example.com", "/")) == expected


def test_a_rule_of_several_domains_is_seen_under_each() -> None:
    found = codec.listener(HEAD, listener(Rules=[rule(Domains=["a.example.com", "b.example.com"])]))
    assert set(found.locations) == {RuleKey("a.example.com", "/"), RuleKey("b.example.com", "/")}
    assert set(found.locations.values()) == {"loc-1"}


def test_targets_are_keyed_by_address_however_they_were_bound() -> None:
    backends = [
        {"Type": "cvm", "InstanceId": "ins-1", "Port": 80, "Weight": 5, "PrivateIpAddresses": ["10.0.0.2"]},
        {"Type": "ENI", "InstanceId": "ins-9", "Port": 80, "Weight": None, "PrivateIpAddresses": ["10.0.0.1"]},
    ]
    rules = [{"LocationId": "loc-1", "Targets": backends}, {"LocationId": "loc-2", "Targets": None}]
    layer_4 = {"ListenerId": "lbl-4", "Rules": None, "Targets": backends}
    answer = wire.read({"Listeners": [{"ListenerId": "lbl-1", "Rules": rules}, layer_4]}, wire_targets.Targets)
    found = codec.targets(answer)
    assert set(found) == {("lbl-1", "loc-1"), ("lbl-1", "loc-2")}
    assert [(item.key, item.instance_id, item.weight) for item in found[ListenerId("lbl-1"), LocationId("loc-1")]] == [
        (TargetKey("10.0.0.1", 80), None, 10),
        (TargetKey("10.0.0.2", 80), "ins-1", 5),
    ]


def test_a_target_without_an_address_makes_the_observation_worthless() -> None:
    backends = [{"Type": "CVM", "InstanceId": "ins-1", "Port": 80, "PrivateIpAddresses": None}]
    rules = [{"LocationId": "loc-1", "Targets": backends}]
    answer = wire.read({"Listeners": [{"ListenerId": "lbl-1", "Rules": rules}]}, wire_targets.Targets)
    with pytest.raises(errors.Unavailable):
        codec.targets(answer)


@pytest.mark.parametrize(
    ("status", "detail", "health"),
    [
        (True, "Alive", Health.ALIVE),
        (False, "Dead", Health.DEAD),
        (False, "Unknown", Health.UNKNOWN),
        (True, "Close", Health.UNCHECKED),
        (True, None, Health.ALIVE),
        (False, None, Health.UNKNOWN),
        (False, "SomethingNew", Health.UNKNOWN),
    ],
)
def test_health_is_never_called_dead_by_guessing(status: bool, detail: str | None, health: Health) -> None:
    target = {"IP": "10.0.0.1", "Port": 80, "HealthStatus": status, "HealthStatusDetail": detail, "Weight": 10}
    rules = [{"LocationId": "loc-1", "Targets": [target]}]
    balancer = {"LoadBalancerId": "lb-1", "Listeners": [{"ListenerId": "lbl-1", "Rules": rules}]}
    answer = wire.read({"LoadBalancers": [balancer]}, wire_targets.Health)
    ((found,),) = codec.health(REGION, answer).values()
    assert found.health is health


def test_quotas_fall_back_on_the_documented_ones() -> None:
    quotas = [
        {"QuotaId": "TOTAL_TARGET_BIND_QUOTA", "QuotaCurrent": None, "QuotaLimit": 200},
        {"QuotaId": "TOTAL_LISTENER_QUOTA", "QuotaCurrent": 1, "QuotaLimit": None},
    ]
    assert codec.limits(wire.read({"QuotaSet": quotas}, wire.Quotas)) == Limits(50, 50, 200)


@pytest.mark.parametrize(
    ("number", "status"), [(0, TaskStatus.SUCCEEDED), (1, TaskStatus.FAILED), (2, TaskStatus.RUNNING)]
)
def test_a_task_has_one_of_three_states(number: int, status: TaskStatus) -> None:
    answer = wire.read({"Status": number, "LoadBalancerIds": None, "Message": None}, wire.Task)
    assert codec.task(answer).status is status


@pytest.mark.parametrize(
    "answer",
    [{}, {"Status": None}, {"Status": "0"}, {"Status": 0, "LoadBalancerIds": "lb-1"}, {"Status": True}],
)
def test_an_answer_that_does_not_fit_its_description_is_no_answer(answer: dict[str, Any]) -> None:
    with pytest.raises(errors.Unavailable):
        wire.read(answer, wire.Task)


def test_a_status_that_is_not_described_is_no_answer() -> None:
    with pytest.raises(errors.Unavailable):
        codec.task(wire.Task(status=9))
