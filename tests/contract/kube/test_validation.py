"""Objects that are refused, with the reason and field of each cause, and unknown fields."""

from typing import Any

import pytest

from tests.contract.kube.api import (
    CLASSES,
    CONFIG_MAPS,
    DEPLOYMENTS,
    EVENTS,
    INGRESSES,
    LEASES,
    SECRETS,
    SERVICES,
    SLICES,
    Json,
    KubeApi,
    config_map,
    ingress,
    service,
)

RULE = "spec.rules[0].http.paths[0]"
BACKEND = f"{RULE}.backend"


def _path(**entry: Any) -> Json:
    body = ingress("a")
    found = body["spec"]["rules"][0]["http"]["paths"][0]
    found.update(entry)
    body["spec"]["rules"][0]["http"]["paths"] = [{key: value for key, value in found.items() if value is not None}]
    return body


def _service_backend(**service_part: Any) -> Json:
    return _path(backend={"service": {"name": "shop", **service_part}})


def _hosts(*hosts: str) -> Json:
    return ingress("a", rules=[{"host": host} for host in hosts])


@pytest.mark.parametrize(
    ("body", "causes"),
    [
        pytest.param(ingress("a", rules=[]), {("FieldValueInvalid", "spec")}, id="neither rules nor default"),
        pytest.param(_hosts("Shop_1"), {("FieldValueInvalid", "spec.rules[0].host")}, id="host no DNS name"),
        pytest.param(_hosts("192.0.2.1"), {("FieldValueInvalid", "spec.rules[0].host")}, id="host an address"),
        pytest.param(_hosts("shop.example.com:80"), {("FieldValueInvalid", "spec.rules[0].host")}, id="host with port"),
        pytest.param(
            _hosts("*", "a.*.example.com", "*.example.com"),
            {("FieldValueInvalid", "spec.rules[0].host"), ("FieldValueInvalid", "spec.rules[1].host")},
            id="wildcards",
        ),
        pytest.param(
            ingress("a", rules=[{"http": {"paths": []}}]),
            {("FieldValueRequired", "spec.rules[0].http.paths")},
            id="no paths",
        ),
        pytest.param(_path(pathType=None), {("FieldValueRequired", f"{RULE}.pathType")}, id="no path type"),
        pytest.param(_path(pathType="Regex"), {("FieldValueNotSupported", f"{RULE}.pathType")}, id="odd path type"),
        pytest.param(_path(path=""), {("FieldValueInvalid", f"{RULE}.path")}, id="empty path"),
        pytest.param(_path(path="shop"), {("FieldValueInvalid", f"{RULE}.path")}, id="relative path"),
        pytest.param(_path(path="/a//b"), {("FieldValueInvalid", f"{RULE}.path")}, id="double slash"),
        pytest.param(_path(path="/a/../b"), {("FieldValueInvalid", f"{RULE}.path")}, id="path upwards"),
        pytest.param(_path(path="/a%2fb"), {("FieldValueInvalid", f"{RULE}.path")}, id="escaped slash"),
        pytest.param(
            _path(path="shop", pathType="ImplementationSpecific"),
            {("FieldValueInvalid", f"{RULE}.path")},
            id="relative path of another type",
        ),
        pytest.param(_path(backend={}), {("FieldValueInvalid", BACKEND)}, id="no backend"),
        pytest.param(_service_backend(port={}), {("FieldValueRequired", BACKEND)}, id="no port"),
        pytest.param(
            _service_backend(port={"number": 80, "name": "web"}), {("FieldValueInvalid", BACKEND)}, id="two ports"
        ),
        pytest.param(
            _service_backend(port={"number": 70000}),
            {("FieldValueInvalid", f"{BACKEND}.service.port.number")},
            id="port too large",
        ),
        pytest.param(
            _service_backend(port={"name": "Web_1"}),
            {("FieldValueInvalid", f"{BACKEND}.service.port.name")},
            id="port name",
        ),
        pytest.param(
            _service_backend(name="", port={"number": 80}),
            {("FieldValueRequired", f"{BACKEND}.service.name")},
            id="no service name",
        ),
        pytest.param(
            ingress("a", tls=[{"hosts": ["Shop_1"], "secretName": "A_b"}]),
            {("FieldValueInvalid", "spec.tls[0].hosts[0]"), ("FieldValueInvalid", "spec.tls[0].secretName")},
            id="tls",
        ),
        pytest.param(
            ingress("a", ingressClassName=""), {("FieldValueInvalid", "spec.ingressClassName")}, id="empty class"
        ),
        pytest.param(ingress("A_b"), {("FieldValueInvalid", "metadata.name")}, id="name"),
    ],
)
def test_bad_ingress_is_refused_with_its_causes(kube_api: KubeApi, body: Json, causes: set[tuple[str, str]]) -> None:
    answer = kube_api.post(INGRESSES, body)
    assert (answer.status, answer.body["reason"], answer.causes) == (422, "Invalid", causes)
    details = answer.body["details"]
    assert (details["kind"], details["group"]) == ("Ingress", "networking.k8s.io")


def _ports(*ports: Json, **spec: Any) -> Json:
    return service("a", ports=list(ports), **spec)


@pytest.mark.parametrize(
    ("body", "causes"),
    [
        pytest.param(_ports(), {("FieldValueRequired", "spec.ports")}, id="no ports"),
        pytest.param(
            _ports({"port": 0}),
            {("FieldValueInvalid", "spec.ports[0].port"), ("FieldValueInvalid", "spec.ports[0].targetPort")},
            id="port zero",
        ),
        pytest.param(
            _ports({"port": 80, "protocol": "HTTP"}),
            {("FieldValueNotSupported", "spec.ports[0].protocol")},
            id="protocol",
        ),
        pytest.param(
            _ports({"port": 80}, {"port": 81}),
            {("FieldValueRequired", "spec.ports[0].name"), ("FieldValueRequired", "spec.ports[1].name")},
            id="unnamed ports",
        ),
        pytest.param(
            _ports({"name": "a", "port": 80}, {"name": "a", "port": 81}),
            {("FieldValueDuplicate", "spec.ports[1].name")},
            id="one name twice",
        ),
        pytest.param(
            _ports({"name": "a", "port": 80}, {"name": "b", "port": 80}),
            {("FieldValueDuplicate", "spec.ports[1]")},
            id="one port twice",
        ),
        pytest.param(
            _ports({"port": 80, "nodePort": 30999}),
            {("FieldValueForbidden", "spec.ports[0].nodePort")},
            id="stray node port",
        ),
        pytest.param(
            _ports({"port": 80, "nodePort": 80}, type="NodePort"),
            {("FieldValueInvalid", "spec.ports[0].nodePort")},
            id="node port range",
        ),
        pytest.param(service("a", type="Magic"), {("FieldValueNotSupported", "spec.type")}, id="type"),
        pytest.param(service("a", clusterIP="192.0.2.1"), {("FieldValueInvalid", "spec.clusterIPs")}, id="address"),
        pytest.param(service("1a"), {("FieldValueInvalid", "metadata.name")}, id="name begins with a digit"),
    ],
)
def test_bad_service_is_refused_with_its_causes(kube_api: KubeApi, body: Json, causes: set[tuple[str, str]]) -> None:
    answer = kube_api.post(SERVICES, body)
    assert (answer.status, answer.causes) == (422, causes)


def _slice(**part: Any) -> Json:
    body = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "a"},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.0.0.1"]}],
        "ports": [{"port": 80}],
    }
    return {key: value for key, value in {**body, **part}.items() if value is not None}


def _lease(**spec: Any) -> Json:
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "a"}, "spec": spec}


def _secret(**part: Any) -> Json:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, **part}


def _class(**spec: Any) -> Json:
    return {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "bad"}, "spec": spec}


@pytest.mark.parametrize(
    ("path", "body", "causes"),
    [
        pytest.param(SLICES, _slice(addressType="Odd"), {("FieldValueNotSupported", "addressType")}, id="slice type"),
        pytest.param(
            SLICES, _slice(addressType=None), {("FieldValueRequired", "addressType")}, id="slice without type"
        ),
        pytest.param(
            SLICES,
            _slice(endpoints=[{"addresses": []}]),
            {("FieldValueRequired", "endpoints[0].addresses")},
            id="no address",
        ),
        pytest.param(
            SLICES,
            _slice(endpoints=[{"addresses": ["x"]}]),
            {("FieldValueInvalid", "endpoints[0].addresses[0]")},
            id="no IP",
        ),
        pytest.param(
            SLICES,
            _slice(ports=[{"port": 1}, {"port": 2}]),
            {("FieldValueDuplicate", "ports[1].name")},
            id="port names",
        ),
        pytest.param(
            LEASES, _lease(leaseDurationSeconds=0), {("FieldValueInvalid", "spec.leaseDurationSeconds")}, id="lease"
        ),
        pytest.param(
            SECRETS,
            _secret(type="kubernetes.io/tls"),
            {("FieldValueRequired", "data[tls.crt]"), ("FieldValueRequired", "data[tls.key]")},
            id="tls secret",
        ),
        pytest.param(CONFIG_MAPS, config_map("a", **{"a b": "1"}), {("FieldValueInvalid", "data[a b]")}, id="key"),
        pytest.param(CLASSES, _class(), {("FieldValueRequired", "spec.controller")}, id="class without controller"),
        pytest.param(CLASSES, _class(controller="plain"), {("FieldValueInvalid", "spec.controller")}, id="controller"),
    ],
)
def test_other_bad_object_is_refused_with_its_causes(
    kube_api: KubeApi, path: str, body: Json, causes: set[tuple[str, str]]
) -> None:
    answer = kube_api.post(path, body)
    assert (answer.status, answer.causes) == (422, causes)


@pytest.mark.parametrize(
    ("metadata", "causes"),
    [
        pytest.param({"labels": {"a": "no good"}}, {("FieldValueInvalid", "metadata.labels")}, id="label value"),
        pytest.param({"labels": {"no good": "a"}}, {("FieldValueInvalid", "metadata.labels")}, id="label key"),
        pytest.param(
            {"annotations": {"a b/c": "x"}}, {("FieldValueInvalid", "metadata.annotations")}, id="annotation key"
        ),
        pytest.param({"finalizers": ["plain"]}, {("FieldValueInvalid", "metadata.finalizers[0]")}, id="finalizer"),
        pytest.param(
            {"annotations": {"a": "x" * 300_000}}, {("FieldValueTooLong", "metadata.annotations")}, id="too much"
        ),
    ],
)
def test_bad_metadata_is_refused_with_its_causes(
    kube_api: KubeApi, metadata: Json, causes: set[tuple[str, str]]
) -> None:
    body = config_map("a")
    body["metadata"] |= metadata
    answer = kube_api.post(CONFIG_MAPS, body)
    assert (answer.status, answer.causes) == (422, causes)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param(INGRESSES, ingress("a", rules="none"), id="text for a list"),
        pytest.param(INGRESSES, _service_backend(port={"number": "80"}), id="text for a number"),
        pytest.param(SERVICES, _ports({"port": True}), id="flag for a number"),
        pytest.param(SECRETS, _secret(data={"a": "!"}), id="no base64"),
        pytest.param(LEASES, _lease(renewTime="2026-01-01T00:00:00Z"), id="time stamp without microseconds"),
        pytest.param(CONFIG_MAPS, config_map("a") | {"data": ["x"]}, id="list for a map"),
    ],
)
def test_object_of_the_wrong_types_cannot_be_read(kube_api: KubeApi, path: str, body: Json) -> None:
    answer = kube_api.post(path, body)
    assert (answer.status, answer.body["reason"]) == (400, "BadRequest")
    assert f"cannot be handled as a {body['kind']}" in answer.body["message"]


def test_unknown_field_is_dropped_with_a_warning(kube_api: KubeApi) -> None:
    answer = kube_api.post(INGRESSES, ingress("a", colour="red"))
    assert answer.status == 201
    assert "colour" not in answer.body["spec"]
    assert answer.headers["Warning"] == '299 - "unknown field \\"spec.colour\\""'


def test_unknown_field_is_refused_under_strict_validation(kube_api: KubeApi) -> None:
    answer = kube_api.post(f"{INGRESSES}?fieldValidation=Strict", ingress("a", colour="red"))
    assert answer.status == 400
    assert 'strict decoding error: unknown field "spec.colour"' in answer.body["message"]


def test_unknown_field_is_dropped_in_silence_when_asked(kube_api: KubeApi) -> None:
    answer = kube_api.post(f"{INGRESSES}?fieldValidation=Ignore", ingress("a", colour="red"))
    assert (answer.status, answer.headers.get("Warning")) == (201, None)


@pytest.mark.parametrize(
    ("path", "body", "change", "field"),
    [
        pytest.param(SECRETS, _secret(), {"type": "x"}, "type", id="type of a secret"),
        pytest.param(SLICES, _slice(), {"addressType": "IPv6", "endpoints": []}, "addressType", id="type of a slice"),
        pytest.param(SERVICES, service("a"), {"spec": {"clusterIP": "10.96.9.9"}}, "spec.clusterIPs[0]", id="address"),
    ],
)
def test_what_is_fixed_at_creation_cannot_be_changed(
    kube_api: KubeApi, path: str, body: Json, change: Json, field: str
) -> None:
    kube_api.made(path, body)
    answer = kube_api.patch(f"{path}/a", change)
    assert (answer.status, answer.causes) == (422, {("FieldValueInvalid", field)})


def test_immutable_secret_keeps_its_data(kube_api: KubeApi) -> None:
    kube_api.made(SECRETS, _secret(data={"a": "YQ=="}, immutable=True))
    answer = kube_api.patch(f"{SECRETS}/a", {"data": {"a": "Yg=="}})
    assert (answer.status, answer.causes) == (422, {("FieldValueForbidden", "data")})


def test_event_must_live_with_its_object(kube_api: KubeApi) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "a"},
        "reason": "x",
        "type": "Normal",
        "involvedObject": {"kind": "Ingress", "name": "a", "namespace": "elsewhere"},
    }
    answer = kube_api.post(EVENTS, body)
    assert (answer.status, answer.causes) == (422, {("FieldValueInvalid", "involvedObject.namespace")})


def test_deployment_selector_must_fit_its_pods(kube_api: KubeApi) -> None:
    template = {"metadata": {"labels": {"app": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    spec = {"selector": {"matchLabels": {"app": "a"}}, "template": template}
    answer = kube_api.post(
        DEPLOYMENTS, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": spec}
    )
    assert (answer.status, answer.causes) == (422, {("FieldValueInvalid", "spec.template.metadata.labels")})
