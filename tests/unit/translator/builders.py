"""Small cluster objects for the translator's tests: everything has a default that works."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from l7lb.model.cluster import (
    Backend,
    HttpPath,
    HttpRule,
    Ingress,
    IngressClass,
    IngressClassSpec,
    IngressRule,
    IngressSpec,
    IngressTls,
    LabelledMeta,
    Node,
    NodeAddress,
    NodeCondition,
    NodeSpec,
    NodeStatus,
    ObjectMeta,
    Secret,
    Service,
    ServiceBackend,
    ServicePort,
    ServicePortRef,
    ServiceSpec,
)
from l7lb.model.endpoints import Endpoint, EndpointConditions, EndpointPort, EndpointSlice
from l7lb.model.identity import ListenerKey, RuleKey, RuleRef
from l7lb.model.loadbalancer import ListenerSpec, RuleSpec
from l7lb.model.ownership import Record
from l7lb.model.pods import Pod
from l7lb.model.snapshot import Settings, Snapshot, Translation
from l7lb.translator.names import Name

NOW = 1_750_000_000.0
HTTP = ListenerKey("HTTP", 80)
HTTPS = ListenerKey("HTTPS", 443)
SETTINGS = Settings(cluster_id="cls-9mfq2k1t", region="ap-guangzhou", vpc_id="vpc-4hd8w0pn")
UID = "6f2d1c9e-0000-4000-8000-000000000001"
SPACE = "shop"


def backend(name: str = "web", port: int | str | None = 80) -> Backend:
    if port is None:
        return Backend(service=ServiceBackend(name=name))
    ref = ServicePortRef(number=port) if isinstance(port, int) else ServicePortRef(name=port)
    return Backend(service=ServiceBackend(name=name, port=ref))


def path(
    text: str | None = "/", kind: str | None = "ImplementationSpecific", to: Backend | str | None = None
) -> HttpPath:
    return HttpPath(path=text, path_type=kind, backend=to if isinstance(to, Backend) else backend(to or "web"))


def rule(host: str | None = "store.acme-demo.com", *paths: HttpPath) -> IngressRule:
    return IngressRule(host=host, http=HttpRule(paths=paths or (path(),)))


def tls(secret: str | None, *hosts: str) -> IngressTls:
    return IngressTls(hosts=hosts or None, secret_name=secret)


def ingress(
    *rules: IngressRule,
    annotations: Mapping[str, str] | Mapping[Name, str] | None = None,
    certs: Sequence[IngressTls] = (),
    default: Backend | None = None,
    class_name: str | None = None,
    finalizers: tuple[str, ...] = (),
) -> Ingress:
    return Ingress(
        metadata=ObjectMeta(
            name="storefront",
            namespace=SPACE,
            uid=UID,
            annotations={str(name): text for name, text in (annotations or {}).items()},
            finalizers=finalizers,
        ),
        spec=IngressSpec(
            rules=rules or None, tls=tuple(certs) or None, default_backend=default, ingress_class_name=class_name
        ),
    )


def service(
    name: str = "web",
    *ports: ServicePort,
    kind: str = "NodePort",
    policy: str | None = None,
    annotations: Mapping[str, str] | None = None,
    selector: Mapping[str, str] | None = None,
) -> Service:
    return Service(
        metadata=ObjectMeta(name=name, namespace=SPACE, annotations=dict(annotations or {})),
        spec=ServiceSpec(
            type=kind,
            ports=ports or (ServicePort(name="http", port=80, node_port=31080, protocol="TCP"),),
            external_traffic_policy=policy,
            selector={"app": name} if selector is None else dict(selector) or None,
        ),
    )


def node(
    name: str,
    address: str | None = None,
    *,
    ready: str | None = "True",
    since: str = "2025-06-01T00:00:00Z",
    labels: Mapping[str, str] | None = None,
    cordoned: bool = False,
    provider_id: str | None = "",
) -> Node:
    number = sum(ord(letter) for letter in name) % 200
    return Node(
        metadata=LabelledMeta(name=name, labels=dict(labels or {})),
        spec=NodeSpec(
            provider_id=f"qcloud:///800002/ins-{name}" if provider_id == "" else provider_id,
            unschedulable=cordoned or None,
        ),
        status=NodeStatus(
            addresses=(NodeAddress(type="InternalIP", address=address or f"10.0.0.{number}"),),
            conditions=(NodeCondition(type="Ready", status=ready, last_transition_time=since),) if ready else None,
        ),
    )


def secret(name: str, ids: str | None = "Kd83hQ2x", ca: str | None = None) -> Secret:
    return Secret(metadata=ObjectMeta(name=name, namespace=SPACE), qcloud_cert_id=ids, qcloud_ca_cert_id=ca)


def endpoints(of: str, *where: tuple[str, str, bool]) -> EndpointSlice:
    """`where`: (pod address, node name, ready)."""
    return EndpointSlice.of(
        ObjectMeta(name=f"{of}-1", namespace=SPACE),
        of,
        endpoints=(
            Endpoint(addresses=(address,), node_name=name, conditions=EndpointConditions(ready=ready))
            for address, name, ready in where
        ),
        ports=(EndpointPort(name="http", port=8080, protocol="TCP"),),
    )


def class_object(name: str, controller: str) -> IngressClass:
    return IngressClass(metadata=ObjectMeta(name=name), spec=IngressClassSpec(controller=controller))


def record(claim: str = "created", lb: str = "lb-own00001", **fields: Any) -> Record:
    values = {"uid": UID, "cluster": SETTINGS.cluster_id, "region": "ap-guangzhou", **fields}
    return Record(claim=claim, lb=lb, **values)


NODES = (node("a", "10.0.0.11"), node("b", "10.0.0.12"))


def snapshot(of: Ingress, *objects: Service | Secret | EndpointSlice | Pod, **fields: Any) -> Snapshot:
    """A snapshot with two ready nodes and, unless Services are given, the Service `web` with one endpoint."""
    services = [thing for thing in objects if isinstance(thing, Service)] or [service()]
    slices = [thing for thing in objects if isinstance(thing, EndpointSlice)] or [
        endpoints(one.metadata.name, ("172.16.0.9", "a", True)) for one in services
    ]
    values: dict[str, Any] = {
        "now": NOW,
        "nodes": NODES,
        "services": {one.key: one for one in services},
        "slices": {one.service: tuple(other for other in slices if other.service == one.service) for one in slices},
        "pods": {thing.key: thing for thing in objects if isinstance(thing, Pod)},
        "secrets": {thing.key: thing for thing in objects if isinstance(thing, Secret)},
    }
    return Snapshot(ingress=of, **{**values, **fields})


def decode(manifest: Mapping[str, object]) -> Ingress:
    """An Ingress as the adapter would decode it from its JSON."""
    return msgspec.convert(manifest, Ingress)


def listener(translation: Translation) -> ListenerSpec:
    assert translation.desired is not None
    assert len(translation.desired.listeners) == 1
    return translation.desired.listeners[0]


def rules(translation: Translation) -> dict[str, RuleSpec]:
    """Desired rules by `host/path`."""
    return {str(one.key): one for one in listener(translation).rules}


def targets(translation: Translation, key: str) -> list[str]:
    return [str(target.key) for target in rules(translation)[key].targets]


def codes(translation: Translation) -> list[str]:
    """Code of each problem, or its reason where it has none."""
    return [problem.code or problem.reason for problem in translation.problems]


def ref(key: str, on: ListenerKey = HTTP) -> RuleRef:
    host, slash, rest = key.partition("/")
    return RuleRef(on, RuleKey(host.removesuffix("="), ("=" if host.endswith("=") else "") + slash + rest))
