"""Pages and lines: what fits, what is quarantined, and what is no answer at all."""

import base64
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.decode import Decoder
from l7lb.adapters.kube.interning import Interner
from l7lb.adapters.kube.kinds import Kind
from l7lb.errors import Unavailable
from l7lb.model.endpoints import Endpoint
from l7lb.model.identity import ObjectKey
from l7lb.model.lease import LeaseRecord
from l7lb.model.watch import Bookmark, Change, ChangeType, Quarantined, StreamError


def ingress(name: str, version: str = "7", **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop", "uid": f"uid-{name}", "resourceVersion": version}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec}


def page(*items: object, kind: str = "IngressList", **meta: str) -> bytes:
    return json.dumps({"kind": kind, "metadata": {"resourceVersion": "9"} | meta, "items": list(items)}).encode()


def line(change: str, obj: object) -> bytes:
    return json.dumps({"type": change, "object": obj}).encode()


POISON = ingress("bad", rules="not a list")


def test_page_has_items_version_and_continue_token() -> None:
    got = Decoder(kinds.INGRESS).page(page(ingress("a"), ingress("b", "8"), **{"continue": "more"}))
    assert [(item.key, item.uid, item.resource_version) for item in got.items] == [
        (ObjectKey("shop", "a"), "uid-a", "7"),
        (ObjectKey("shop", "b"), "uid-b", "8"),
    ]
    assert (got.resource_version, got.continue_token, got.quarantined) == ("9", "more", ())


def test_null_lists_as_go_writes_them_are_read() -> None:
    body = b'{"kind":"IngressList","metadata":{"resourceVersion":"9"},"items":null}'
    assert Decoder(kinds.INGRESS).page(body).items == ()
    [item] = Decoder(kinds.INGRESS).page(page(ingress("a", rules=[{"http": {"paths": None}}], tls=None))).items
    assert item.object.spec.tls is None


def test_one_poisoned_object_is_quarantined_and_the_others_are_read() -> None:
    items = [ingress(f"i{n}") for n in range(499)]
    got = Decoder(kinds.INGRESS).page(page(*items[:250], POISON, *items[250:]))
    assert len(got.items) == 499
    [poisoned] = got.quarantined
    assert poisoned.key == ObjectKey("shop", "bad")
    assert "rules" in poisoned.message


@pytest.mark.parametrize("broken", [{"metadata": {"name": "x"}}, {"metadata": {}}, {}, 3, None, "text", []])
def test_object_without_name_or_version_is_quarantined(broken: object) -> None:
    got = Decoder(kinds.INGRESS).page(page(ingress("a"), broken))
    assert len(got.items) == 1
    assert len(got.quarantined) == 1
    assert isinstance(Decoder(kinds.INGRESS).event(line("ADDED", broken)), Quarantined)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b"<html>ok</html>",
        page(ingress("a"))[:-1],
        b'{"kind":"IngressList","metadata":{},"items":[]}',
        b'{"kind":"IngressList","metadata":{"resourceVersion":""},"items":[]}',
        b'{"kind":"IngressList","metadata":{"resourceVersion":"9"}}',
        page(kind="Status"),
        page(kind=""),
        b"[" * 100_000,
    ],
)
def test_what_is_no_list_is_unavailable_and_never_an_empty_one(body: bytes) -> None:
    with pytest.raises(Unavailable):
        Decoder(kinds.INGRESS).page(body)


@pytest.mark.parametrize("change", list(ChangeType))
def test_line_is_a_change(change: ChangeType) -> None:
    event = Decoder(kinds.INGRESS).event(line(change.value, ingress("a")))
    assert isinstance(event, Change)
    assert (event.type, event.item.key, event.item.object.spec.rules) == (change, ObjectKey("shop", "a"), None)


def test_bookmark_carries_only_a_version() -> None:
    bookmark = line("BOOKMARK", {"kind": "Ingress", "metadata": {"resourceVersion": "12", "creationTimestamp": None}})
    assert Decoder(kinds.INGRESS).event(bookmark) == Bookmark("12")
    with pytest.raises(Unavailable):
        Decoder(kinds.INGRESS).event(line("BOOKMARK", {"metadata": {}}))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"code": 410, "reason": "Expired", "message": "too old"}, StreamError(410, "Expired", "too old")),
        ({"code": 429, "details": {"retryAfterSeconds": 5}}, StreamError(429, "", "", 5.0)),
        ({"reason": "InternalError"}, StreamError(0, "InternalError", "")),
        ({}, StreamError(0, "", "")),
        ("nonsense", StreamError(0, "", "")),
    ],
)
def test_error_event_is_read_as_far_as_it_goes(status: object, expected: StreamError) -> None:
    assert Decoder(kinds.INGRESS).event(line("ERROR", status)) == expected


def test_unknown_type_of_event_is_nothing() -> None:
    assert Decoder(kinds.INGRESS).event(line("RENAMED", ingress("a"))) is None


def test_undecodable_change_is_quarantined_but_a_delete_is_heard() -> None:
    decoder = Decoder(kinds.INGRESS)
    for change in ("ADDED", "MODIFIED"):
        event = decoder.event(line(change, POISON))
        assert isinstance(event, Quarantined)
        assert event.key == ObjectKey("shop", "bad")
    gone = decoder.event(line("DELETED", POISON))
    assert isinstance(gone, Change)
    assert (gone.type, gone.item.key, gone.item.uid) == (ChangeType.DELETED, ObjectKey("shop", "bad"), "uid-bad")


@pytest.mark.parametrize("broken", [b"", b"x", b"10", b'{"type":"ADDED"}', b'{"object":{}}', b"[]", b"\xff\xfe"])
def test_what_is_no_event_is_unavailable(broken: bytes) -> None:
    with pytest.raises(Unavailable):
        Decoder(kinds.INGRESS).event(broken)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_unavailable(garbage: bytes) -> None:
    decoder = Decoder(kinds.ENDPOINT_SLICE)
    for read in (decoder.page, decoder.event, decoder.item):
        try:
            read(garbage)
        except Unavailable:
            continue


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["metadata", "spec", "x"]), inner),
    max_leaves=8,
)


@given(st.lists(JSON, max_size=5), st.sampled_from([kinds.INGRESS, kinds.SECRET, kinds.NODE, kinds.LEASE]))
def test_any_objects_between_good_ones_never_take_a_good_one_with_them(strange: list[Any], kind: Any) -> None:
    good = {"metadata": {"name": "good", "namespace": "n", "resourceVersion": "1", "uid": "u"}}
    got = Decoder(kind).page(page(good, *strange, good, kind="List"))
    assert [item.key.name for item in got.items].count("good") >= 2
    assert len(got.items) + len(got.quarantined) == len(strange) + 2


def secret(data: object, **annotations: str) -> dict[str, Any]:
    metadata = {"name": "s", "namespace": "n", "uid": "u", "resourceVersion": "3", "annotations": annotations}
    return {"kind": "Secret", "metadata": metadata, "data": data, "type": "Opaque"}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (encoded("abc123"), "abc123"),
        (encoded(" abc123\n"), "abc123"),
        ("", ""),
        ("not base64!", ""),
        ("YWJj=ZGVm", ""),
        (base64.b64encode(b"\xff\xfe").decode(), ""),
        (None, None),
    ],
)
def test_certificate_id_is_plain_text_and_empty_when_it_is_none(value: str | None, expected: str | None) -> None:
    [item] = Decoder(kinds.SECRET).page(page(secret({"qcloud_cert_id": value}), kind="SecretList")).items
    assert item.object.qcloud_cert_id == expected
    assert item.object.qcloud_ca_cert_id is None


def test_nothing_else_of_a_secret_is_kept_nor_quoted() -> None:
    hush = encoded("hush-hush")
    data = {"password": hush, "qcloud_cert_id": encoded("abc"), "qcloud_ca_cert_id": encoded("ca")}
    copy = json.dumps({"data": data})
    decoder = Decoder(kinds.SECRET)
    [item] = decoder.page(page(secret(data, **{"last-applied-configuration": copy}), kind="SecretList")).items
    assert (item.object.qcloud_cert_id, item.object.qcloud_ca_cert_id) == ("abc", "ca")
    assert hush.encode() not in msgspec.json.encode(item.object)
    poisoned = decoder.event(line("ADDED", secret({"qcloud_cert_id": {"deep": hush}})))
    assert isinstance(poisoned, Quarantined)
    assert hush not in poisoned.message


def test_raw_part_of_an_object_does_not_hold_the_page_it_came_in() -> None:
    config = {"metadata": {"name": "c", "namespace": "n", "resourceVersion": "1"}, "spec": {"loadBalancer": {}}}
    [item] = Decoder(kinds.TKE_SERVICE_CONFIG).page(page(config, kind="TkeServiceConfigList")).items
    assert bytes(item.object.spec) == b'{"loadBalancer": {}}'


def wire_pod(name: str, **labels: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name, "namespace": "shop", "uid": name, "resourceVersion": "7", "labels": labels,
            "annotations": {"ingress.cloud.tencent.com/custom-weight": "5", "example.com/long": "x" * 1000},
        },
        "spec": {"nodeName": "node-a", "containers": [{"name": "app", "env": [{"name": "TOKEN", "value": "secret"}]}]},
        "status": {"podIPs": [{"ip": "172.16.0.1"}], "conditions": [{"type": "Ready", "status": "True"}]},
    }  # fmt: skip


def test_of_a_pod_only_what_decides_about_a_target_is_kept() -> None:
    [item] = Decoder(kinds.POD).page(page(wire_pod("web-a", app="web"), kind="PodList")).items
    assert item.object.annotations == {"ingress.cloud.tencent.com/custom-weight": "5"}
    assert item.object.addresses == ("172.16.0.1",)
    assert item.object.status.conditions is None
    assert b"secret" not in msgspec.json.encode(item.object)


def test_conditions_of_a_pod_are_kept_while_it_has_a_gate() -> None:
    one = wire_pod("web-a")
    one["spec"]["readinessGates"] = [{"conditionType": "example.com/gate"}]
    [item] = Decoder(kinds.POD).page(page(one, kind="PodList")).items
    assert [condition.type for condition in item.object.status.conditions or ()] == ["Ready"]


def test_equal_labels_of_many_pods_are_one() -> None:
    pods = [wire_pod("web-a", app="web"), wire_pod("web-b", app="web"), wire_pod("api-a", app="api")]
    first, second, other = (item.object for item in Decoder(kinds.POD).page(page(*pods, kind="PodList")).items)
    assert first.metadata.labels is second.metadata.labels
    assert first.spec is second.spec
    assert other.labels == {"app": "api"}


def test_lease_becomes_a_record() -> None:
    lease = {
        "metadata": {"name": "l", "namespace": "kube-system", "resourceVersion": "5"},
        "spec": {"holderIdentity": "a", "leaseDurationSeconds": 30, "leaseTransitions": 2, "renewTime": None},
    }
    found = Decoder(kinds.LEASE).item(json.dumps(lease).encode())
    assert found.object == LeaseRecord(holder="a", duration_s=30, transitions=2, resource_version="5")


def test_what_the_slices_of_a_service_have_in_common_is_kept_once() -> None:
    decoder = Decoder(kinds.ENDPOINT_SLICE)
    labels = {"kubernetes.io/service-name": "a name", "app": "a b"}
    slices = [
        {
            "metadata": {"name": f"s{n}", "namespace": "shop", "resourceVersion": "1", "labels": labels},
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        }
        for n in range(2)
    ]
    first, second = decoder.page(page(*slices, kind="EndpointSliceList")).items
    assert first.key.namespace is second.key.namespace
    assert first.object.service_name is second.object.service_name
    assert first.object.ports is second.object.ports


def test_equal_labels_of_many_nodes_are_one() -> None:
    labels = {"zone": "a zone"}
    nodes = [{"metadata": {"name": f"n{n}", "resourceVersion": "1", "labels": labels}} for n in range(2)]
    first, second = Decoder(kinds.NODE).page(page(*nodes, kind="NodeList")).items
    assert (first.object.metadata.labels or {})["zone"] is (second.object.metadata.labels or {})["zone"]


def test_what_kubectl_keeps_for_itself_is_not_kept() -> None:
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": "{}", "team": "a"}
    wire = {"metadata": {"name": "web", "namespace": "shop", "resourceVersion": "1", "annotations": annotations}}
    both: tuple[Kind[Any], ...] = (kinds.INGRESS, kinds.SERVICE)
    for kind in both:
        found = Decoder(kind).item(json.dumps(wire).encode()).object
        assert found.annotations == {"team": "a"}


def test_of_a_node_what_is_read_is_kept() -> None:
    conditions = [{"type": kind, "status": "True"} for kind in ("MemoryPressure", "Ready")]
    wire = {
        "metadata": {"name": "a", "resourceVersion": "1", "labels": {"zone": "a"}, "annotations": {"csi": "..."}},
        "spec": {"providerID": "qcloud:///1/ins-1", "unschedulable": True},
        "status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.1"}], "conditions": conditions},
    }
    found = Decoder(kinds.NODE).item(json.dumps(wire).encode()).object
    assert (found.metadata.labels, found.annotations) == ({"zone": "a"}, {})
    assert (found.spec.provider_id, found.spec.unschedulable) == ("qcloud:///1/ins-1", True)
    assert [one.address for one in found.status.addresses or ()] == ["10.0.0.1"]
    assert [one.type for one in found.status.conditions or ()] == ["Ready"]


def test_endpoints_come_out_of_a_slice_as_they_went_in() -> None:
    endpoints = [
        {"addresses": ["10.0.0.1"], "nodeName": "a", "conditions": {"ready": True, "serving": True},
         "targetRef": {"kind": "Pod", "name": "web-0", "uid": "u0"}},
        {"addresses": ["10.0.0.2", "10.0.0.3"], "conditions": {"ready": False, "terminating": True}},
        {"addresses": ["10.0.0.4"], "conditions": {"ready": True, "terminating": True}},
        {"addresses": ["10.0.0.5"], "conditions": {}},
        {"addresses": ["10.0.0.6"]},
        {"addresses": None},
    ]  # fmt: skip
    wire = {"metadata": {"name": "s", "namespace": "shop", "resourceVersion": "1"}, "endpoints": endpoints}
    found = Decoder(kinds.ENDPOINT_SLICE).item(json.dumps(wire).encode()).object
    assert found.endpoints == tuple(msgspec.convert(one, Endpoint) for one in endpoints)
    assert found.serving == {"10.0.0.1", "10.0.0.5", "10.0.0.6"}


def test_interner_forgets_what_nobody_asked_for_in_a_generation() -> None:
    interner = Interner(size=10)
    kept = interner.one("kept")
    for number in range(1000):
        interner.one(f"passing-{number}")
        assert interner.one(str(b"kept", "ascii")) is kept
    assert len(interner) <= 20


@pytest.mark.parametrize(
    ("kind", "namespace", "path"),
    [
        (kinds.INGRESS, "", "/apis/networking.k8s.io/v1/ingresses"),
        (kinds.INGRESS, "shop", "/apis/networking.k8s.io/v1/namespaces/shop/ingresses"),
        (kinds.NODE, "", "/api/v1/nodes"),
        (kinds.SECRET, "a/b", "/api/v1/namespaces/a%2Fb/secrets"),
        (kinds.TKE_SERVICE_CONFIG, "", "/apis/cloud.tencent.com/v1alpha1/tkeserviceconfigs"),
    ],
)
def test_kind_knows_its_path(kind: kinds.Kind[Any], namespace: str, path: str) -> None:
    assert kind.path(namespace) == path
