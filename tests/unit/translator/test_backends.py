"""Services behind rules: what is bound, what is held, what is taken off."""

import pytest

from l7lb import translator
from l7lb.model.cluster import Backend, Service, ServiceBackend, ServicePort, ServicePortRef, TypedReference
from l7lb.model.identity import ObjectKey
from l7lb.model.problems import Severity

from .builders import (
    NOW,
    SETTINGS,
    backend,
    codes,
    endpoints,
    ingress,
    listener,
    path,
    ref,
    rule,
    rules,
    service,
    snapshot,
    targets,
)

HOST = "store.acme-demo.com"
KEY = f"{HOST}/"
WEB = ObjectKey("shop", "web")


@pytest.mark.parametrize("kind", ["NodePort", "LoadBalancer"])
def test_a_node_port_is_bound_on_every_ready_node(kind: str) -> None:
    found = translator.translate(snapshot(ingress(rule(HOST)), service(kind=kind)), SETTINGS)
    assert targets(found, KEY) == ["10.0.0.11:31080", "10.0.0.12:31080"]
    assert found.problems == ()


TWO_PORTS = (
    ServicePort(name="http", port=80, node_port=31080, protocol="TCP"),
    ServicePort(name="admin", port=8080, node_port=31081),
    ServicePort(name="dns", port=53, node_port=31053, protocol="UDP"),
)


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        pytest.param(80, "31080", id="by number"),
        pytest.param("admin", "31081", id="by name, without a protocol"),
    ],
)
def test_a_port_is_found_by_number_or_by_name(port: int | str, expected: str) -> None:
    it = ingress(rule(HOST, path("/", to=backend("web", port))))
    found = translator.translate(snapshot(it, service("web", *TWO_PORTS)), SETTINGS)
    assert {target.rpartition(":")[2] for target in targets(found, KEY)} == {expected}


@pytest.mark.parametrize(
    ("to", "services", "code"),
    [
        pytest.param(backend("gone"), (), "E4041", id="no such Service"),
        pytest.param(backend("web", 81), (service(),), "E4042", id="no such port number"),
        pytest.param(backend("web", "grpc"), (service(),), "E4042", id="no such port name"),
        pytest.param(backend("web", None), (service(),), "E4042", id="no port said"),
        pytest.param(backend("web", "dns"), (service("web", *TWO_PORTS),), "E4042", id="a UDP port"),
        pytest.param(backend("web"), (service(kind="ClusterIP"),), "E4047", id="ClusterIP"),
        pytest.param(
            backend("web"),
            (service("web", ServicePort(port=80), kind="LoadBalancer"),),
            "E4047",
            id="LoadBalancer without node ports",
        ),
        pytest.param(backend("web"), (service(kind="ExternalName"),), "E4042", id="ExternalName"),
        pytest.param(
            Backend(resource=TypedReference(kind="StorageBucket", name="x")), (), "E4042", id="resource backend"
        ),
        pytest.param(Backend(), (), "E4042", id="a backend that says nothing"),
        pytest.param(
            Backend(service=ServiceBackend(name="", port=ServicePortRef(number=80))), (), "E4041", id="an empty name"
        ),
    ],
)
def test_a_bad_backend_holds_its_rule_and_nothing_else(to: Backend, services: tuple[Service, ...], code: str) -> None:
    it = ingress(rule(HOST, path("/", to=to), path("/good", to="good")))
    found = translator.translate(snapshot(it, *services, service("good")), SETTINGS)
    assert codes(found) == [code]
    assert found.problems[0].severity is Severity.ERROR
    assert list(rules(found)) == [f"{HOST}/good"]
    assert ref(KEY) in found.held.rules
    assert not found.held.covers(ref(f"{HOST}/good"))


@pytest.mark.parametrize(
    ("kinds", "held"),
    [
        pytest.param(("Exact",), {f"{HOST}=/a", f"{HOST}/a"}, id="as TKE wrote it, and as we do"),
        pytest.param(("Exact", "Prefix"), {f"{HOST}=/a"}, id="the plain path is another rule"),
    ],
)
def test_a_broken_exact_rule_is_held_in_both_spellings(kinds: tuple[str, ...], held: set[str]) -> None:
    to = {"Exact": "gone", "Prefix": "web"}
    it = ingress(rule(HOST, *(path("/a", kind, to[kind]) for kind in kinds)))
    found = translator.translate(snapshot(it), SETTINGS)
    assert {str(one.rule) for one in found.held.rules} == held


def test_a_missing_service_of_many_rules_is_said_once() -> None:
    it = ingress(rule(HOST, path("/a", to="gone"), path("/b", to="gone")))
    found = translator.translate(snapshot(it), SETTINGS)
    assert codes(found) == ["E4041"]
    assert "Service shop/gone not found" in found.problems[0].message
    assert {str(held.rule) for held in found.held.rules} == {f"{HOST}/a", f"{HOST}/b"}
    assert listener(found).rules == ()


@pytest.mark.parametrize(
    ("gone_for_s", "followed"),
    [
        pytest.param(299.0, False, id="just under five minutes: frozen"),
        pytest.param(300.0, True, id="five minutes: no targets"),
    ],
)
def test_a_service_proven_deleted_loses_its_targets_after_five_minutes(gone_for_s: float, followed: bool) -> None:
    of = snapshot(ingress(rule(HOST)), services={}, slices={}, services_gone_since={WEB: NOW - gone_for_s})
    found = translator.translate(of, SETTINGS)
    assert codes(found) == ["E4041"]
    assert ref(KEY) in found.held.rules, "the rule itself stays"
    assert (KEY in rules(found)) is followed
    if followed:
        assert rules(found)[KEY].targets == ()
        assert rules(found)[KEY].targets_known
        assert rules(found)[KEY].endpointless


def test_services_that_cannot_be_read_hold_their_rules_without_blaming_anybody() -> None:
    found = translator.translate(snapshot(ingress(rule(HOST)), unread=frozenset({"Service"})), SETTINGS)
    assert codes(found) == ["NotRead"]
    assert found.problems[0].severity is Severity.WARNING
    assert ref(KEY) in found.held.rules
    assert listener(found).rules == ()


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"unread": frozenset({"Node"})}, id="nodes not read"),
        pytest.param({"nodes": ()}, id="an empty list of nodes"),
    ],
)
def test_without_a_view_of_the_nodes_targets_are_frozen(fields: dict[str, object]) -> None:
    found = translator.translate(snapshot(ingress(rule(HOST)), **fields), SETTINGS)
    assert codes(found) == ["NodesUnknown"]
    assert not rules(found)[KEY].targets_known


@pytest.mark.parametrize(
    ("slices", "unread", "expected"),
    [
        pytest.param((("172.16.0.9", "a", True),), (), False, id="an endpoint"),
        pytest.param((("172.16.0.9", "a", False),), (), False, id="an endpoint that is not ready"),
        pytest.param((), (), True, id="none in synced slices"),
        pytest.param((), ("EndpointSlice",), False, id="none, but slices are not read"),
    ],
)
def test_a_service_without_endpoints_is_said_so_for_the_guard(
    slices: tuple[tuple[str, str, bool], ...], unread: tuple[str, ...], expected: bool
) -> None:
    of = snapshot(ingress(rule(HOST)), service(), endpoints("web", *slices), unread=frozenset(unread))
    found = translator.translate(of, SETTINGS)
    assert rules(found)[KEY].endpointless is expected


LOCAL_ONLY = {"service.kubernetes.io/local-svc-only-bind-node-with-pod": "true"}


@pytest.mark.parametrize(
    ("policy", "annotations", "expected"),
    [
        pytest.param("Local", {}, ["10.0.0.11", "10.0.0.12"], id="Local alone: all nodes, as TKE"),
        pytest.param("Local", LOCAL_ONLY, ["10.0.0.11"], id="Local with the annotation: nodes with a pod"),
        pytest.param("Cluster", LOCAL_ONLY, ["10.0.0.11", "10.0.0.12"], id="the annotation needs Local"),
        pytest.param(
            "Local", {next(iter(LOCAL_ONLY)): "false"}, ["10.0.0.11", "10.0.0.12"], id="the annotation switched off"
        ),
    ],
)
def test_the_traffic_policy_chooses_nodes_only_when_the_service_asks(
    policy: str, annotations: dict[str, str], expected: list[str]
) -> None:
    it = service(policy=policy, annotations=annotations)
    found = translator.translate(snapshot(ingress(rule(HOST)), it), SETTINGS)
    assert [target.key.address for target in rules(found)[KEY].targets] == expected


def test_a_node_whose_pods_are_all_unready_is_left_alone_but_not_added() -> None:
    it = service(policy="Local", annotations=LOCAL_ONLY)
    slices = endpoints("web", ("172.16.0.9", "a", True), ("172.16.0.10", "b", False))
    found = translator.translate(snapshot(ingress(rule(HOST)), it, slices), SETTINGS)
    assert [target.presence.value for target in rules(found)[KEY].targets] == ["required", "tolerated"]


def test_without_slices_the_nodes_with_pods_cannot_be_told() -> None:
    it = service(policy="Local", annotations=LOCAL_ONLY)
    found = translator.translate(snapshot(ingress(rule(HOST)), it, unread=frozenset({"EndpointSlice"})), SETTINGS)
    assert codes(found) == ["NotRead"]
    assert not rules(found)[KEY].targets_known
