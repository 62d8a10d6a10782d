"""The cluster's nodes: a Node object, a cloud server and, on each NodePort, a backend that answers for the pods there.

It stands in for kubelets, kube-proxies and the controller manager. Load balancers are not known here, except that a
node that leaves keeps answering until a while after nobody sends it requests any more.
"""

from dataclasses import dataclass, field

from tests.demo.cloud import Cloud
from tests.demo.cluster import Cluster, Ref
from tests.demo.patience import Surprise
from tests.demo.wire import Json
from tests.emulators.backends import Backend

VPC = "vpc-4hd8w0pn"
REGION = "ap-guangzhou"
ZONE = "ap-guangzhou-3"


@dataclass
class Node:
    """One node with what listens on it."""

    name: str
    address: str
    instance: str
    backends: dict[Ref, Backend] = field(default_factory=dict)


class Fleet:
    """All nodes and the NodePorts that they open. Addresses are loopback addresses of one /24."""

    def __init__(self, cluster: Cluster, cloud: Cloud, network: str) -> None:
        """`network`: the first three octets, such as `127.10.0`."""
        self._cluster = cluster
        self._cloud = cloud
        self._network = network
        self._made = 0
        self._services: dict[Ref, Json] = {}
        self.nodes: dict[str, Node] = {}

    def join(self, name: str) -> Node:
        """A new node: a cloud server, its backends, then the Node object, Ready."""
        self._made += 1
        node = Node(name, f"{self._network}.{self._made}", f"ins-demo000{self._made}")
        instance = {
            "id": node.instance, "ip": node.address, "name": name, "region": REGION, "zone": ZONE, "vpc_id": VPC,
        }  # fmt: skip
        self._cloud.seed({"instances": [instance]})
        self.nodes[name] = node
        for service, port in self._services.items():
            _open(node, service, int(port["nodePort"]))
        manifest, status = _manifest(node)
        self._cluster.apply(manifest)
        self._cluster.apply(status, subresource="status")
        self._place_pods()
        return node

    def serve(self, service: Ref) -> None:
        """Open the NodePort of a Service on every node, and say where its pods are."""
        port: Json = self._cluster.get(service)["spec"]["ports"][0]
        self._services[service] = port
        for node in self.nodes.values():
            _open(node, service, int(port["nodePort"]))
        self._place_pods()

    def leave(self, name: str) -> Node:
        """Take the Node object away, as a scale-in does. Its backends go on until `close`."""
        self._cluster.delete(Ref("Node", "", name))
        node = self.nodes.pop(name)
        self._place_pods()
        return node

    def close(self) -> None:
        """Close every backend that is still open."""
        for node in self.nodes.values():
            close(node)

    def _place_pods(self) -> None:
        for service, port in self._services.items():
            self._cluster.apply(_slice(service, port, list(self.nodes.values())))


def close(node: Node) -> None:
    """The server is switched off: its ports refuse connections."""
    for backend in node.backends.values():
        backend.stop()


def _open(node: Node, service: Ref, port: int) -> None:
    if service in node.backends:
        return
    backend = Backend(f"{service.name}@{node.name}", port, node.address)
    try:
        backend.start()
    except OSError as error:
        raise Surprise(f"no backend can listen on {node.address}:{port}: {error}") from error
    node.backends[service] = backend


def _manifest(node: Node) -> tuple[Json, Json]:
    """The Node, and its status as the kubelet writes it."""
    head = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node.name}}
    labels = {"topology.kubernetes.io/region": REGION, "topology.kubernetes.io/zone": ZONE}
    spec = {"providerID": f"tencentcloud://{node.instance}"}
    status = {
        "addresses": [{"type": "InternalIP", "address": node.address}, {"type": "Hostname", "address": node.name}],
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
    }
    return {**head, "metadata": {"name": node.name, "labels": labels}, "spec": spec}, {**head, "status": status}


def _slice(service: Ref, port: Json, nodes: list[Node]) -> Json:
    """One pod per node, as the controller manager lists them."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{service.name}-demo",
            "namespace": service.namespace,
            "labels": {"kubernetes.io/service-name": service.name},
        },
        "addressType": "IPv4",
        "ports": [{"name": port.get("name", ""), "port": port["targetPort"], "protocol": "TCP"}],
        "endpoints": [
            {
                "addresses": [f"10.0.{node.address.rpartition('.')[2]}.10"],
                "nodeName": node.name,
                "conditions": {"ready": True},
            }
            for node in nodes
        ],
    }
