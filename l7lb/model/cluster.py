"""What is read from Kubernetes: typed views that name only the fields we use.

They are msgspec structs in the shape of the Kubernetes API (camelCase on the wire), so that a watch event is decoded
straight into them: what is not named here never stays in memory, above all the other keys of a Secret. Every list may
be null (Go writes it so).
`gc=False` is safe because a decoded JSON tree has no cycles.
"""

from typing import Annotated, TypeAlias

import msgspec

from l7lb.model.identity import ObjectKey


class View(msgspec.Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """Base of all views: immutable, untracked by the garbage collector, camelCase on the wire."""


Texts: TypeAlias = dict[str, str] | None


class ObjectMeta(View, frozen=True):
    """metadata; labels only where somebody reads them."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    annotations: Texts = None
    finalizers: tuple[str, ...] | None = None


class LabelledMeta(ObjectMeta, frozen=True):
    """metadata with labels."""

    labels: Texts = None


class Object(View, frozen=True):
    """Any object of which nothing but the metadata is read."""

    metadata: ObjectMeta

    @property
    def key(self) -> ObjectKey:
        """Namespace and name."""
        return ObjectKey(self.metadata.namespace, self.metadata.name)

    @property
    def annotations(self) -> dict[str, str]:
        """The annotations, never None."""
        return self.metadata.annotations or {}


class ServicePortRef(View, frozen=True):
    """backend.service.port: a number, or the name of a port."""

    number: int | None = None
    name: str | None = None


class ServiceBackend(View, frozen=True):
    """backend.service."""

    name: str = ""
    port: ServicePortRef | None = None


class TypedReference(View, frozen=True):
    """backend.resource: read only to say that it is not supported."""

    kind: str = ""
    name: str = ""


class Backend(View, frozen=True):
    """Where an ingress rule points."""

    service: ServiceBackend | None = None
    resource: TypedReference | None = None


class HttpPath(View, frozen=True):
    """One path of an ingress rule."""

    path: str | None = None
    path_type: str | None = None
    backend: Backend = Backend()


class HttpRule(View, frozen=True):
    """rule.http."""

    paths: tuple[HttpPath, ...] | None = None


class IngressRule(View, frozen=True):
    """One entry of spec.rules."""

    host: str | None = None
    http: HttpRule | None = None


class IngressTls(View, frozen=True):
    """One entry of spec.tls."""

    hosts: tuple[str, ...] | None = None
    secret_name: str | None = None


class IngressSpec(View, frozen=True):
    """spec."""

    ingress_class_name: str | None = None
    default_backend: Backend | None = None
    rules: tuple[IngressRule, ...] | None = None
    tls: tuple[IngressTls, ...] | None = None


class IngressAddress(View, frozen=True):
    """One entry of status.loadBalancer.ingress."""

    ip: str | None = None
    hostname: str | None = None


class IngressLoadBalancer(View, frozen=True):
    """status.loadBalancer."""

    ingress: tuple[IngressAddress, ...] | None = None


class IngressStatus(View, frozen=True):
    """status."""

    load_balancer: IngressLoadBalancer | None = None


class Ingress(Object, frozen=True):
    """networking.k8s.io/v1 Ingress."""

    spec: IngressSpec = IngressSpec()
    status: IngressStatus | None = None

    @property
    def deleting(self) -> bool:
        """Whether it has a deletionTimestamp."""
        return self.metadata.deletion_timestamp is not None

    @property
    def finalizers(self) -> tuple[str, ...]:
        """Never None."""
        return self.metadata.finalizers or ()

    @property
    def addresses(self) -> tuple[IngressAddress, ...]:
        """What its status says; never None."""
        return (self.status and self.status.load_balancer and self.status.load_balancer.ingress) or ()


class IngressClassSpec(View, frozen=True):
    """spec of an IngressClass."""

    controller: str = ""


class IngressClass(Object, frozen=True):
    """networking.k8s.io/v1 IngressClass."""

    spec: IngressClassSpec = IngressClassSpec()


class ServicePort(View, frozen=True):
    """One port of a Service; `target_port` is a number or a name."""

    name: str | None = None
    port: int = 0
    target_port: int | str | None = None
    node_port: int | None = None
    protocol: str | None = None


class ServiceSpec(View, frozen=True):
    """spec of a Service."""

    type: str | None = None
    cluster_ip: Annotated[str | None, msgspec.Meta(description="None or 'None': headless")] = msgspec.field(
        default=None, name="clusterIP"
    )
    selector: Texts = None
    ports: tuple[ServicePort, ...] | None = None
    external_traffic_policy: str | None = None


class Service(Object, frozen=True):
    """core/v1 Service."""

    spec: ServiceSpec = ServiceSpec()

    @property
    def ports(self) -> tuple[ServicePort, ...]:
        """Never None."""
        return self.spec.ports or ()


class Taint(View, frozen=True):
    """One taint of a Node."""

    key: str = ""
    effect: str = ""


class NodeSpec(View, frozen=True):
    """spec of a Node."""

    provider_id: str | None = msgspec.field(default=None, name="providerID")
    pod_cidr: str | None = msgspec.field(default=None, name="podCIDR")
    unschedulable: bool | None = None
    taints: tuple[Taint, ...] | None = None


class NodeAddress(View, frozen=True):
    """One address of a Node."""

    type: str = ""
    address: str = ""


class NodeCondition(View, frozen=True):
    """One condition of a Node."""

    type: str = ""
    status: str = ""
    last_transition_time: str | None = None


class NodeStatus(View, frozen=True):
    """status of a Node."""

    addresses: tuple[NodeAddress, ...] | None = None
    conditions: tuple[NodeCondition, ...] | None = None


class Node(Object, frozen=True):
    """core/v1 Node; of its conditions the adapter keeps Ready only, of its annotations none."""

    metadata: LabelledMeta
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class Secret(Object, frozen=True):
    """core/v1 Secret of type Opaque, without its data: only the two certificate ids are ever kept.

    The adapter decodes them from base64; None: the key is absent.
    """

    qcloud_cert_id: str | None = None
    qcloud_ca_cert_id: str | None = None


class TkeServiceConfig(Object, frozen=True):
    """cloud.tencent.com/v1alpha1 TkeServiceConfig; its spec stays undecoded until a listener asks for it."""

    spec: msgspec.Raw = msgspec.Raw(b"{}")


class ConfigMap(Object, frozen=True):
    """core/v1 ConfigMap."""

    data: Texts = None


class DeploymentSpec(View, frozen=True):
    """spec of a Deployment."""

    replicas: int | None = None


class DeploymentStatus(View, frozen=True):
    """status of a Deployment."""

    replicas: int | None = None


class Deployment(Object, frozen=True):
    """apps/v1 Deployment: read only for the gate."""

    metadata: LabelledMeta
    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()
