"""Pods behind Services with direct access: who takes traffic, who rests, who is gone."""

from dataclasses import dataclass
from typing import Any

import pytest

from l7lb import translator
from l7lb.model.cluster import Service, ServicePort
from l7lb.model.endpoints import EndpointSlice
from l7lb.model.identity import ObjectKey
from l7lb.model.maybe import UNSET
from l7lb.model.pods import NETWORKS, READINESS_GATE, Pod, PodCondition, PodIP, PodReadinessGate, PodSpec, PodStatus
from l7lb.model.site import Family, Site
from l7lb.model.snapshot import Switches, Translation
from l7lb.translator.names import Name

from .builders import (
    SETTINGS,
    codes,
    ingress,
    node,
    ref,
    rule,
    rules,
    service,
    snapshot,
)
from .pod_builders import endpoint, pod, slice_of

HOST = "store.acme-demo.com"
KEY = f"{HOST}/"
A = "172.16.0.1"
B = "172.16.0.2"
DIRECT: dict[Name, str] = {Name.DIRECT_ACCESS: "true"}
GATE: tuple[PodReadinessGate, ...] = (PodReadinessGate(condition_type=READINESS_GATE),)

Told = tuple[str, object]
REQUIRED: Told = ("required", UNSET)
RESTING: Told = ("tolerated", 0)
LEFT_ALONE: Told = ("tolerated", UNSET)
GONE: Told = ("gone", UNSET)


def web(kind: str = "ClusterIP", **fields: Any) -> Service:
    return service(kind=kind, **fields)


def translated(*objects: Any, annotations: dict[Name, str] | None = None, **fields: Any) -> Translation:
    services = () if any(isinstance(one, Service) for one in objects) else (web(),)
    it = ingress(rule(HOST), annotations=DIRECT | (annotations or {}))
    return translator.translate(snapshot(it, *services, *objects, **fields), SETTINGS)


def told(found: Translation) -> dict[str, Told]:
    return {str(one.key): (one.presence.value, one.weight) for one in rules(found)[KEY].targets}


def gated(*, containers: str = "True", gate: str = "False", other: str | None = None) -> tuple[PodSpec, dict[str, Any]]:
    """Spec and status of a pod with our readiness gate."""
    conditions = [
        PodCondition(type="ContainersReady", status=containers),
        PodCondition(type=READINESS_GATE, status=gate),
    ]
    gates = GATE
    if other is not None:
        gates += (PodReadinessGate(condition_type="example.com/other"),)
        conditions.append(PodCondition(type="example.com/other", status=other))
    return PodSpec(node_name="a", readiness_gates=gates), {"conditions": tuple(conditions)}


@dataclass(frozen=True)
class Standing:
    """Of one pod."""

    name: str
    ready: bool | None
    terminating: bool | None
    pod: Pod | None
    expected: Told


def one(**fields: Any) -> Pod:
    return pod("web-a", A, **fields)


def waiting(**fields: Any) -> Pod:
    spec, status = gated(**fields)
    return pod("web-a", A, spec=spec, **status)


STANDINGS = [
    Standing("ready", True, False, one(), REQUIRED),
    Standing("nothing said of it", None, None, one(), REQUIRED),
    Standing("ready, its address is not known yet", True, None, pod("web-a"), REQUIRED),
    Standing("not ready", False, False, one(), RESTING),
    Standing("terminating and serving", False, True, one(terminating=True), RESTING),
    Standing("published although it terminates", True, True, one(terminating=True), RESTING),
    Standing("terminating, the pod does not say so yet", False, True, one(), RESTING),
    Standing("terminating, the slice does not say so yet", True, False, one(terminating=True), RESTING),
    Standing("no such pod any more", True, False, None, GONE),
    Standing("terminating until a moment ago", False, True, None, GONE),
    Standing("succeeded", True, False, one(phase="Succeeded"), GONE),
    Standing("failed", False, False, one(phase="Failed"), GONE),
    Standing("the pod has moved", True, False, pod("web-a", "172.16.9.9"), GONE),
    Standing("waits for our gate only", False, False, waiting(), REQUIRED),
    Standing("waits for its containers too", False, False, waiting(containers="False"), RESTING),
    Standing("waits for another gate too", False, False, waiting(other="False"), RESTING),
    Standing("its other gate is open", False, False, waiting(other="True"), REQUIRED),
    Standing("not ready though its gate is open", False, False, waiting(gate="True"), RESTING),
    Standing("on its node's network", True, False, one(spec=PodSpec(host_network=True)), LEFT_ALONE),
]


@pytest.mark.parametrize("it", STANDINGS, ids=[row.name for row in STANDINGS])
def test_what_is_wanted_of_a_pod(it: Standing) -> None:
    part = slice_of("web", endpoint(A, "web-a", ready=it.ready, terminating=it.terminating))
    pods = [it.pod] if it.pod is not None else []
    assert told(translated(part, *pods)) == {f"{A}:8080": it.expected}


def test_a_pod_of_the_same_name_made_anew_is_another() -> None:
    part = slice_of("web", endpoint(A, "web-a"))
    anew = Pod(metadata=pod("web-a").metadata.__class__(name="web-a", namespace="shop", uid="uid-second"))
    assert told(translated(part, anew)) == {f"{A}:8080": GONE}


def test_an_address_that_another_pod_has_already_is_given_up_before_its_pod_is_gone() -> None:
    part = slice_of("web", endpoint(A, "web-a", ready=False, terminating=True))
    found = translated(part, one(terminating=True), reused=frozenset({A}))
    assert told(found) == {f"{A}:8080": GONE}


def test_an_address_that_passes_to_another_pod_of_the_service_belongs_to_that_one() -> None:
    part = slice_of("web", endpoint(A, "web-a", ready=False, terminating=True), endpoint(A, "web-b"))
    found = translated(part, one(terminating=True), pod("web-b", A), reused=frozenset({A}))
    assert told(found) == {f"{A}:8080": REQUIRED}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (endpoint(A, "web-a"), REQUIRED),
        (endpoint(A, "web-a", ready=False), REQUIRED),
        (endpoint(A, "web-a", ready=False, terminating=True), RESTING),
    ],
    ids=["repeated", "not ready in the other", "terminating in the other"],
)
def test_a_pod_in_two_slices_is_one_target(second: Any, expected: Told, turned: bool) -> None:
    parts = [slice_of("web", endpoint(A, "web-a")), slice_of("web", second, name="2")]
    assert told(translated(*(reversed(parts) if turned else parts), one())) == {f"{A}:8080": expected}


def test_slices_may_lead_to_different_ports() -> None:
    parts = (slice_of("web", endpoint(A, "web-a")), slice_of("web", endpoint(B, "web-b"), name="2", port=9090))
    assert set(told(translated(*parts, one(), pod("web-b", B)))) == {f"{A}:8080", f"{B}:9090"}


def test_only_the_port_of_the_backend_is_bound() -> None:
    parts = (slice_of("web", endpoint(A, "web-a")), slice_of("web", endpoint(A, "web-a"), name="2", port_name="admin"))
    assert set(told(translated(*parts, one()))) == {f"{A}:8080"}


@pytest.mark.parametrize("slices", [(), (slice_of("web"),)], ids=["no slice", "none in the slice"])
def test_a_terminating_pod_that_no_slice_names_any_more_rests(slices: tuple[EndpointSlice, ...]) -> None:
    port = ServicePort(name="http", port=80, target_port=8080)
    of_others = pod("api-a", B, of="api", terminating=True)
    found = (
        translated(web("ClusterIP"), *slices, one(terminating=True), of_others)
        if slices
        else translated(service("web", port, kind="ClusterIP"), slice_of("api"), one(terminating=True), of_others)
    )
    assert told(found) == {f"{A}:8080": RESTING}


@pytest.mark.parametrize("kind", ["ClusterIP", "NodePort", "LoadBalancer"])
def test_no_node_port_is_needed(kind: str) -> None:
    found = translated(web(kind), slice_of("web", endpoint(A, "web-a")), one())
    assert told(found) == {f"{A}:8080": REQUIRED}
    assert found.problems == ()


@pytest.mark.parametrize(
    ("of", "code"),
    [(web(selector={}), "E4082"), (web("ExternalName"), "E4042")],
    ids=["without a selector", "ExternalName"],
)
def test_a_service_that_has_no_pods_of_its_own_holds_its_rule(of: Service, code: str) -> None:
    found = translated(of)
    assert codes(found) == [code]
    assert ref(KEY) in found.held.rules


@pytest.mark.parametrize("kind", ["Pod", "EndpointSlice"])
def test_what_cannot_be_read_freezes_the_targets(kind: str) -> None:
    found = translated(slice_of("web", endpoint(A, "web-a")), one(), unread=frozenset({kind}))
    assert codes(found) == ["NotRead"]
    assert not rules(found)[KEY].targets_known


def test_nodes_are_not_asked_for() -> None:
    found = translated(slice_of("web", endpoint(A, "web-a")), one(), nodes=(), unread=frozenset({"Node"}))
    assert told(found) == {f"{A}:8080": REQUIRED}


@pytest.mark.parametrize(
    ("ready", "expected"), [(True, False), (False, True)], ids=["one serves", "none serves: to have none is right"]
)
def test_the_guard_hears_when_no_pod_may_serve(ready: bool, expected: bool) -> None:
    found = translated(slice_of("web", endpoint(A, "web-a", ready=ready)), one())
    assert rules(found)[KEY].endpointless is expected


NETWORK = [
    ("tke-route-eni", "10.0.0.0/8", False, REQUIRED),
    ("tke-bridge,tke-route-eni", "", False, REQUIRED),
    ("tke-bridge", "", False, LEFT_ALONE),
    ("tke-bridge", "", True, REQUIRED),
    ("", "172.16.0.0/24", False, LEFT_ALONE),
    ("", "172.16.0.0/24", True, REQUIRED),
    ("", "172.17.0.0/24", False, REQUIRED),
    ("", "nonsense", False, REQUIRED),
    ("", "", False, REQUIRED),
]


@pytest.mark.parametrize(("networks", "cidr", "allowed", "expected"), NETWORK)
def test_pods_whose_addresses_are_routes_need_the_switch(
    networks: str, cidr: str, allowed: bool, expected: Told
) -> None:
    host = node("a", "10.0.0.11")
    host = type(host)(metadata=host.metadata, spec=type(host.spec)(pod_cidr=cidr or None), status=host.status)
    found = translated(
        slice_of("web", endpoint(A, "web-a")),
        one(annotations={NETWORKS: networks}),
        nodes=(host,),
        switches=Switches(global_route_direct_access=allowed),
    )
    assert told(found) == {f"{A}:8080": expected}
    assert codes(found) == (["PodNotRoutable"] if expected == LEFT_ALONE else [])


def test_endpoints_that_name_no_pod_are_said_and_not_bound() -> None:
    found = translated(slice_of("web", endpoint(A, None)))
    assert told(found) == {}
    assert codes(found) == ["EndpointWithoutPod"]


V6 = "2001:db8::1"
FULL_CHAIN = '{"AddressIPVersion":"IPv6FullChain"}'


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ({}, A),
        ({Name.MIX_TARGET_PREFER: "ipv6"}, A),
        ({Name.EXTENSIVE: '{"AddressIPVersion":"IPV6"}'}, A),
        ({Name.EXTENSIVE: FULL_CHAIN}, V6),
        ({Name.EXTENSIVE: FULL_CHAIN, Name.MIX_TARGET_PREFER: "ipv6"}, V6),
        ({Name.EXTENSIVE: FULL_CHAIN, Name.MIX_TARGET_PREFER: "ipv4"}, A),
        ({Name.EXIST_LB_ID: "lb-0000lent"}, A),
        ({Name.EXIST_LB_ID: "lb-0000lent", Name.MIX_TARGET_PREFER: "ipv6"}, A),
    ],
    ids=[
        "IPv4", "IPv4 takes nothing else", "NAT64", "IPv6", "IPv6 by both", "IPv6 that takes IPv4", "lent", "unseen"
    ],
)  # fmt: skip
@pytest.mark.parametrize("both", [True, False], ids=["dual-stack Service", "the pods alone have both"])
def test_the_family_of_the_load_balancer_decides(annotations: dict[Name, str], expected: str, both: bool) -> None:
    parts = [slice_of("web", endpoint(A, "web-a"))]
    if both:
        parts.append(slice_of("web", endpoint(V6, "web-a"), name="6"))
    dual = Pod(metadata=one().metadata, status=PodStatus(phase="Running", pod_ips=(PodIP(ip=A), PodIP(ip=V6))))
    found = translated(*parts, dual, annotations=annotations)
    assert [target.key.address for target in rules(found)[KEY].targets] == [expected]


@pytest.mark.parametrize(("prefer", "expected"), [("", V6), ("ipv6", V6), ("ipv4", A)])
def test_the_family_of_a_lent_load_balancer_is_what_was_seen_of_it(prefer: str, expected: str) -> None:
    dual = Pod(metadata=one().metadata, status=PodStatus(phase="Running", pod_ips=(PodIP(ip=A), PodIP(ip=V6))))
    lent = {Name.EXIST_LB_ID: "lb-0000lent", Name.MIX_TARGET_PREFER: prefer}
    parts = (slice_of("web", endpoint(A, "web-a")), dual)
    found = translated(*parts, annotations=lent, site=Site(Family.FULL_CHAIN))
    assert [target.key.address for target in rules(found)[KEY].targets] == [expected]


def test_a_service_gone_for_long_has_no_pods_either() -> None:
    it = snapshot(
        ingress(rule(HOST), annotations=DIRECT), services={}, slices={},
        services_gone_since={ObjectKey("shop", "web"): 0.0},
    )  # fmt: skip
    found = translator.translate(it, SETTINGS)
    assert rules(found)[KEY].targets == ()
    assert codes(found) == ["E4041"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, False),
        ({"ContainersReady": "False"}, False),
        ({"ContainersReady": "True"}, True),
        ({"ContainersReady": "True", READINESS_GATE: "False", "Ready": "False"}, True),
        ({"ContainersReady": "True", "example.com/other": "False"}, False),
        ({"ContainersReady": "True", READINESS_GATE: "True", "Ready": "True"}, True),
        ({"ContainersReady": "True", READINESS_GATE: "True", "Ready": "False ReadinessGatesNotReady"}, True),
        ({"ContainersReady": "True", READINESS_GATE: "True", "Ready": "False"}, False),
        ({"ContainersReady": "False", READINESS_GATE: "True", "Ready": "False ContainersNotReady"}, False),
    ],
)  # fmt: skip
def test_a_gated_pod_serves_as_soon_as_only_the_gate_is_in_its_way(said: dict[str, str], expected: bool) -> None:
    kinds = [READINESS_GATE, *(["example.com/other"] if "example.com/other" in said else [])]
    conditions = tuple(
        PodCondition(type=kind, status=text.partition(" ")[0], reason=text.partition(" ")[2] or None)
        for kind, text in said.items()
    )
    gates = tuple(PodReadinessGate(condition_type=kind) for kind in kinds)
    assert pod("a", spec=PodSpec(readiness_gates=gates), conditions=conditions).is_ready_but_for_the_gate is expected
    assert not pod("a", conditions=conditions).is_ready_but_for_the_gate
