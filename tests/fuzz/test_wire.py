"""What the other sides answer: pages and watch lines of the API server, answers of the cloud, reviews of pods."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from l7lb.adapters.clb import codec, wire, wire_targets
from l7lb.adapters.clb.sdk import NoAnswer, Refusal, _response
from l7lb.adapters.kube import errors as kube_errors
from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.decode import Decoder
from l7lb.app.injecting import answer as review_answer
from l7lb.errors import L7lbError, Unavailable
from l7lb.model.identity import CloudRef, LoadBalancerId
from l7lb.model.loadbalancer import LoadBalancerHead
from l7lb.model.watch import Bookmark, Change, Page, Quarantined, StreamError
from tests.fuzz.nasty import MEGABYTE, bent, broken, texts

KINDS = (
    kinds.INGRESS, kinds.INGRESS_CLASS, kinds.SERVICE, kinds.ENDPOINT_SLICE, kinds.POD, kinds.NODE, kinds.SECRET,
    kinds.TKE_SERVICE_CONFIG, kinds.CONFIG_MAP, kinds.DEPLOYMENT, kinds.LEASE,
)  # fmt: skip
META = {
    "name": "web", "namespace": "shop", "uid": "uid-1", "resourceVersion": "7", "annotations": {"a": "b"},
    "labels": {"app": "web"}, "finalizers": ["x/y"], "creationTimestamp": "2026-01-01T00:00:00Z",
}  # fmt: skip
BACKEND = {"service": {"name": "web", "port": {"number": 80}}}
PATH = {"path": "/", "pathType": "Exact", "backend": BACKEND}
OBJECT: dict[str, Any] = {
    "metadata": META,
    "spec": {
        "rules": [{"host": "a.example.com", "http": {"paths": [PATH]}}],
        "tls": [{"hosts": ["a.example.com"], "secretName": "cert"}], "type": "NodePort", "controller": "x/y",
        "ports": [{"name": "http", "port": 80, "nodePort": 31080, "protocol": "TCP", "targetPort": "http"}],
        "selector": {"app": "web"}, "replicas": 1, "holderIdentity": "me", "leaseDurationSeconds": 30,
        "renewTime": "2026-01-01T00:00:00.000000Z", "leaseTransitions": 1, "providerID": "qcloud:///1/ins-1",
        "nodeName": "a", "readinessGates": [{"conditionType": "x"}], "loadBalancer": {"l7Listeners": []},
    },
    "status": {
        "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}], "podIP": "10.0.0.2", "replicas": 1,
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
    },
    "addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.2"], "conditions": {"ready": True}, "nodeName": "a"}],
    "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
    "type": "Opaque", "data": {"qcloud_cert_id": "Y2VydHJzYTE=", "EnableIngressController": "true"},
}  # fmt: skip
NAMES = tuple({*META, *OBJECT, *OBJECT["spec"], *OBJECT["status"]})
LIST = {"kind": "IngressList", "metadata": {"resourceVersion": "9", "continue": ""}, "items": [OBJECT, OBJECT]}
LINE = {"type": "MODIFIED", "object": OBJECT}
WHOLE = json.dumps(LINE).encode()


def decoders() -> list[Decoder[Any]]:
    return [Decoder(kind) for kind in KINDS]


def read_line(line: bytes) -> None:
    for decoder in decoders():
        try:
            event = decoder.event(line)
        except Unavailable:
            continue
        assert event is None or isinstance(event, Change | Bookmark | Quarantined | StreamError)


def read_page(body: bytes) -> None:
    for decoder in decoders():
        try:
            page = decoder.page(body)
        except Unavailable:
            continue
        assert isinstance(page, Page)
        if body.isascii():
            assert len(page.items) + len(page.quarantined) == len(json.loads(body)["items"] or ())


@given(bent(LINE, NAMES).map(json.dumps).map(str.encode) | broken(WHOLE))
@example(b'{"type":"ADDED","object":' + b"[" * 100_000)
@example(b'{"type":"ERROR","object":{"code":1e999}}')
def test_a_line_of_a_watch_is_an_event_or_no_answer(line: bytes) -> None:
    read_line(line)


@given(bent(LIST, NAMES).map(json.dumps).map(str.encode) | broken(json.dumps(LIST).encode()))
def test_a_page_of_a_list_has_all_its_objects_or_is_no_answer(body: bytes) -> None:
    read_page(body)


@pytest.mark.parametrize("piece", ["\u202e", "\0", "a", "\U0001f4a3"])
def test_a_megabyte_in_a_field_is_read(piece: str) -> None:
    text = piece * (MEGABYTE // len(piece.encode()))
    read_line(
        json.dumps({"type": "ADDED", "object": {**OBJECT, "metadata": {**META, "annotations": {"a": text}}}}).encode()
    )
    read_page(json.dumps({**LIST, "items": [{**OBJECT, "addressType": text}]}).encode())


STATUS = {
    "kind": "Status", "message": "x", "reason": "Gone", "code": 410,
    "details": {"retryAfterSeconds": 3, "causes": [{"message": "x"}]},
}  # fmt: skip
statuses = bent(STATUS, ("code", "details")).map(json.dumps).map(str.encode) | broken(b'{"kind":"Status"}')


@given(st.integers(300, 599), statuses, texts("3", "1e999"))
def test_a_refusal_of_the_api_server_is_one_of_our_errors(status: int, body: bytes, after: str) -> None:
    assert isinstance(kube_errors.from_response(status, {"Retry-After": after}, body, "Ingress"), L7lbError)


HEAD = LoadBalancerHead(CloudRef("ap-guangzhou", LoadBalancerId("lb-1")), "web", running=True, vips=("1.2.3.4",))
CERTIFICATE = {"SSLMode": "MUTUAL", "CertId": "c", "CertCaId": "d", "ExtCertIds": ["e"]}
RULE = {
    "LocationId": "loc-1", "Domain": "a.example.com", "Url": "/", "Domains": ["a.example.com"],
    "Certificate": CERTIFICATE, "SessionExpireTime": 30, "Scheduler": "WRR", "ListenerId": "l",
    "HealthCheck": {"HealthSwitch": 1, "TimeOut": 2, "IntervalTime": 5, "HealthNum": 3, "UnHealthNum": 3,
                    "HttpCode": 31, "HttpCheckPath": "/", "HttpCheckDomain": "a", "HttpCheckMethod": "HEAD",
                    "CheckType": "HTTP"},
    "RewriteTarget": {"TargetListenerId": "lbl-1", "TargetLocationId": "loc-2", "RewriteCode": 301, "TakeUrl": True,
                      "RewriteType": "Manual"},
    "DefaultServer": True, "Http2": False, "ForwardType": "HTTP",
}  # fmt: skip
LISTENER = {
    "ListenerId": "lbl-1", "ListenerName": "x", "Protocol": "HTTPS", "Port": 443, "Certificate": CERTIFICATE,
    "SniSwitch": 1, "Rules": [RULE, RULE], "KeepaliveEnable": 1, "AttrFlags": ["SnatEnable"],
}  # fmt: skip
BALANCER = {
    "LoadBalancerId": "lb-1", "LoadBalancerName": "web", "LoadBalancerType": "OPEN", "Forward": 1, "Domain": "",
    "LoadBalancerVips": ["1.2.3.4"], "Status": 1, "CreateTime": "2026-01-01 08:00:00", "VpcId": "vpc-1",
    "SecureGroups": ["sg-1"], "AddressIPVersion": "IPv4", "Isolation": 0, "LoadBalancerPassToTarget": True,
    "AttributeFlags": ["DeleteProtect"], "Tags": [{"TagKey": "tke-clusterId", "TagValue": "cls-1"}],
}  # fmt: skip
BACKENDS = {
    "Type": "CVM",
    "InstanceId": "ins-1",
    "Port": 80,
    "Weight": 10,
    "PrivateIpAddresses": ["10.0.0.1"],
    "EniId": "e",
}
BOUND = {"LocationId": "loc-1", "Domain": "a", "Url": "/", "Targets": [BACKENDS]}
TARGETS = {"Listeners": [{"ListenerId": "lbl-1", "Protocol": "HTTP", "Port": 80, "Rules": [BOUND]}]}
TARGET = {"IP": "10.0.0.1", "Port": 80, "HealthStatus": True, "TargetId": "ins-1", "HealthStatusDetail": "Alive"}
HEALTH = {"LoadBalancers": [{"LoadBalancerId": "lb-1", "Listeners": [{"ListenerId": "lbl-1",
                             "Rules": [{"LocationId": "loc-1", "Targets": [TARGET]}]}]}]}  # fmt: skip
QUOTAS = {"QuotaSet": [{"QuotaId": "TOTAL_LISTENER_QUOTA", "QuotaLimit": 50, "QuotaCurrent": 1}]}
Reader = Callable[[dict[str, Any]], object]


def _heads(answer: dict[str, Any]) -> object:
    return [codec.head("ap-guangzhou", one) for one in wire.read(answer, wire.LoadBalancers).load_balancer_set or ()]


def _listeners(answer: dict[str, Any]) -> object:
    return [codec.listener(HEAD, one) for one in wire.read(answer, wire.Listeners).listeners or ()]


ANSWERS: dict[str, tuple[dict[str, Any], Reader]] = {
    "DescribeLoadBalancers": ({"TotalCount": 1, "LoadBalancerSet": [BALANCER]}, _heads),
    "DescribeListeners": ({"Listeners": [LISTENER]}, _listeners),
    "DescribeTargets": (TARGETS, lambda answer: codec.targets(wire.read(answer, wire_targets.Targets))),
    "DescribeTargetHealth": (
        HEALTH,
        lambda answer: codec.health("ap-guangzhou", wire.read(answer, wire_targets.Health)),
    ),
    "DescribeQuota": (QUOTAS, lambda answer: codec.limits(wire.read(answer, wire.Quotas))),
    "DescribeTaskStatus": (
        {"Status": 0, "LoadBalancerIds": ["lb-1"], "Message": "x"},
        lambda answer: codec.task(wire.read(answer, wire.Task)),
    ),
}
MEMBERS = tuple({*BALANCER, *LISTENER, *RULE, *CERTIFICATE, *BACKENDS, *TARGET})


@pytest.mark.parametrize("action", ANSWERS)
def test_the_answers_that_are_bent_are_read_when_they_are_straight(action: str) -> None:
    straight, reader = ANSWERS[action]
    assert reader(straight)


@pytest.mark.parametrize("action", ANSWERS)
@given(data=st.data())
def test_an_answer_of_the_cloud_is_read_or_is_one_of_our_errors(action: str, data: st.DataObject) -> None:
    straight, reader = ANSWERS[action]
    bent_answer = data.draw(bent(straight, MEMBERS))
    try:
        reader(bent_answer)
    except L7lbError as error:
        said = str(error)
    else:
        return
    assert len(said) < 1000


@given(bent({"Response": {"RequestId": "r", "Error": {"Code": "a", "Message": "b"}}}, ("Error", "Response", "Code")))
def test_an_envelope_is_opened_refused_or_no_answer(answer: Any) -> None:
    with contextlib.suppress(Refusal, NoAnswer):
        assert isinstance(_response("DescribeQuota", answer), dict)


REVIEW = {
    "apiVersion": "admission.k8s.io/v1",
    "kind": "AdmissionReview",
    "request": {"uid": "u", "operation": "CREATE", "namespace": "shop", "object": OBJECT},
}


@given(bent(REVIEW, NAMES).map(json.dumps).map(str.encode) | broken(json.dumps(REVIEW).encode()))
@example(b'{"request":{"uid":"u","x":' + b"[" * 100_000)
@example(b'{"request":{"uid":"u","x":' + b"[" * 5_000 + b"]" * 5_000 + b"}}")
def test_a_review_is_answered_or_said_to_be_none(body: bytes) -> None:
    try:
        said = json.loads(review_answer(body, lambda pod: True))  # noqa: ARG005 - the least that is asked
    except ValueError:
        return
    assert said["response"]["allowed"] is True
