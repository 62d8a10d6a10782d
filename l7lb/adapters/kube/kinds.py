"""The kinds that are read: where each lives in the API, how it is paged, and how its wire form becomes a view.

One row per kind; no request and no decoding happens here. A Secret's row is what keeps its other data out of memory,
a Pod's what makes fifty thousand of them cheap.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

import msgspec

from l7lb.model.cluster import (
    ConfigMap,
    Deployment,
    Ingress,
    IngressClass,
    LabelledMeta,
    Node,
    NodeSpec,
    NodeStatus,
    Object,
    ObjectMeta,
    Secret,
    Service,
    TkeServiceConfig,
    View,
)
from l7lb.model.endpoints import Endpoint, EndpointPort, EndpointSlice
from l7lb.model.identity import ObjectKey
from l7lb.model.lease import LeaseRecord
from l7lb.model.marks import WANTED_BY
from l7lb.model.pods import CUSTOM_WEIGHT, NETWORKS, Pod, PodSpec, PodStatus

T = TypeVar("T")
Applied = TypeVar("Applied", bound=Object)


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """One kind. `wire` is the struct that is decoded, `view` makes of it what the model knows."""

    name: str
    api_version: str
    plural: str
    wire: Any
    view: Callable[[Any], T]
    namespaced: bool = True
    page_size: int = 500
    """Bounds both the memory of a page and how long its decoding holds all other threads."""
    field_selector: str = ""
    newest_only: bool = False
    """List always at the newest version: the API server honours the page size only then."""

    def path(self, namespace: str = "") -> str:
        """Of the collection, in one namespace or in all."""
        root = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        place = f"/namespaces/{quote(namespace, safe='')}" if namespace and self.namespaced else ""
        return f"{root}{place}/{self.plural}"

    def object_path(self, key: ObjectKey) -> str:
        """Of one object."""
        return f"{self.path(key.namespace)}/{quote(key.name, safe='')}"


def _same(wire: T) -> T:
    return wire


_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


def _applied(wire: Applied) -> Applied:
    """Without kubectl's copy of the whole object, which as an annotation is as large as all that is read of it."""
    if wire.metadata.annotations:
        wire.metadata.annotations.pop(_LAST_APPLIED, None)
    return wire


class _SecretMeta(View, frozen=True):
    """metadata of a Secret without annotations: `last-applied-configuration` repeats all its data."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""


class _SecretData(View, frozen=True):
    """The two keys of TKE's certificate Secrets; all others are skipped while decoding."""

    certificate: str | None = msgspec.field(default=None, name="qcloud_cert_id")
    authority: str | None = msgspec.field(default=None, name="qcloud_ca_cert_id")


class _SecretWire(View, frozen=True):
    """core/v1 Secret."""

    metadata: _SecretMeta
    data: _SecretData | None = None


def _secret(wire: _SecretWire) -> Secret:
    data = wire.data or _SecretData()
    meta = wire.metadata
    return Secret(
        metadata=ObjectMeta(
            name=meta.name, namespace=meta.namespace, uid=meta.uid, resource_version=meta.resource_version
        ),
        qcloud_cert_id=_plain(data.certificate),
        qcloud_ca_cert_id=_plain(data.authority),
    )


def _plain(encoded: str | None) -> str | None:
    """The text behind base64; empty when it is none, which is the author's mistake and not a missing key."""
    if encoded is None:
        return None
    try:
        return base64.b64decode(encoded, validate=True).decode("utf-8").strip()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""


class _PodAnnotations(View, frozen=True):
    """The annotations that decide about a target; all others are skipped while decoding."""

    custom_weight: str | None = msgspec.field(default=None, name=CUSTOM_WEIGHT)
    networks: str | None = msgspec.field(default=None, name=NETWORKS)


class _PodMeta(View, frozen=True):
    """metadata of a Pod."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    deletion_timestamp: str | None = None
    annotations: _PodAnnotations | None = None
    labels: dict[str, str] | None = None


class _PodWire(View, frozen=True):
    """core/v1 Pod."""

    metadata: _PodMeta
    spec: PodSpec | None = None
    status: PodStatus | None = None


def _pod(wire: _PodWire) -> Pod:
    meta, spec, status = wire.metadata, wire.spec or PodSpec(), wire.status or PodStatus()
    said = meta.annotations or _PodAnnotations()
    kept = {CUSTOM_WEIGHT: said.custom_weight, NETWORKS: said.networks}
    annotations = {name: text for name, text in kept.items() if text is not None}
    if not spec.readiness_gates:
        status = PodStatus(phase=status.phase, pod_ips=status.pod_ips)
    return Pod(
        metadata=LabelledMeta(
            name=meta.name,
            namespace=meta.namespace,
            uid=meta.uid,
            resource_version=meta.resource_version,
            deletion_timestamp=meta.deletion_timestamp,
            annotations=annotations or None,
            labels=meta.labels,
        ),
        spec=spec,
        status=status,
    )


class _SliceLabels(View, frozen=True):
    """The label that says whose it is; all others are skipped while decoding."""

    service_name: str = msgspec.field(default="", name="kubernetes.io/service-name")


class _SliceMeta(View, frozen=True):
    """metadata of an EndpointSlice."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    labels: _SliceLabels | None = None


class _SliceWire(View, frozen=True):
    """discovery.k8s.io/v1 EndpointSlice."""

    metadata: _SliceMeta
    endpoints: tuple[Endpoint, ...] | None = None
    ports: tuple[EndpointPort, ...] | None = None


def _slice(wire: _SliceWire) -> EndpointSlice:
    meta = wire.metadata
    kept = ObjectMeta(name=meta.name, namespace=meta.namespace, uid=meta.uid, resource_version=meta.resource_version)
    service_name = meta.labels.service_name if meta.labels is not None else ""
    return EndpointSlice.of(kept, service_name, ports=wire.ports, endpoints=wire.endpoints or ())


class _NodeMeta(View, frozen=True):
    """metadata of a Node without annotations, in which others keep what is theirs."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    labels: dict[str, str] | None = None


class _NodeWire(View, frozen=True):
    """core/v1 Node."""

    metadata: _NodeMeta
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


def _node(wire: _NodeWire) -> Node:
    meta, status = wire.metadata, wire.status
    ready = tuple(condition for condition in status.conditions or () if condition.type == "Ready")
    return Node(
        metadata=LabelledMeta(name=meta.name, uid=meta.uid, resource_version=meta.resource_version, labels=meta.labels),
        spec=wire.spec,
        status=NodeStatus(addresses=status.addresses, conditions=ready),
    )


def _service_config(wire: TkeServiceConfig) -> TkeServiceConfig:
    # A Raw is a window into the whole page: without the copy one object would keep all of it in memory.
    return msgspec.structs.replace(wire, spec=wire.spec.copy())


class _LeaseSpec(View, frozen=True):
    """spec of a Lease; Go writes absent ones as null."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class _LeaseWire(View, frozen=True):
    """coordination.k8s.io/v1 Lease."""

    metadata: ObjectMeta
    spec: _LeaseSpec | None = None


def _lease(wire: _LeaseWire) -> LeaseRecord:
    spec = wire.spec or _LeaseSpec()
    return LeaseRecord(
        holder=spec.holder_identity or "",
        duration_s=spec.lease_duration_seconds or 0,
        acquire_time=spec.acquire_time or "",
        renew_time=spec.renew_time or "",
        transitions=spec.lease_transitions or 0,
        wanted_by=(wire.metadata.annotations or {}).get(WANTED_BY, ""),
        resource_version=wire.metadata.resource_version,
    )


INGRESS: Kind[Ingress] = Kind("Ingress", "networking.k8s.io/v1", "ingresses", Ingress, _applied)
INGRESS_CLASS: Kind[IngressClass] = Kind(
    "IngressClass", "networking.k8s.io/v1", "ingressclasses", IngressClass, _applied, namespaced=False
)
SERVICE: Kind[Service] = Kind("Service", "v1", "services", Service, _applied)
ENDPOINT_SLICE: Kind[EndpointSlice] = Kind(
    "EndpointSlice", "discovery.k8s.io/v1", "endpointslices", _SliceWire, _slice, page_size=200
)
POD: Kind[Pod] = Kind("Pod", "v1", "pods", _PodWire, _pod, page_size=200)
NODE: Kind[Node] = Kind("Node", "v1", "nodes", _NodeWire, _node, namespaced=False)
SECRET: Kind[Secret] = Kind(
    "Secret", "v1", "secrets", _SecretWire, _secret, page_size=100, field_selector="type=Opaque", newest_only=True
)
TKE_SERVICE_CONFIG: Kind[TkeServiceConfig] = Kind(
    "TkeServiceConfig", "cloud.tencent.com/v1alpha1", "tkeserviceconfigs", TkeServiceConfig, _service_config
)
CONFIG_MAP: Kind[ConfigMap] = Kind("ConfigMap", "v1", "configmaps", ConfigMap, _same)
DEPLOYMENT: Kind[Deployment] = Kind("Deployment", "apps/v1", "deployments", Deployment, _same)
LEASE: Kind[LeaseRecord] = Kind("Lease", "coordination.k8s.io/v1", "leases", _LeaseWire, _lease)
