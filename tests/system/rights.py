"""A scenario in which the command needs every right that its manifests give; and how accounts are made.

The command is a copy of the product in which two waits are short: a Service counts as gone after a second instead of
five minutes, and an Event is counted up after one instead of thirty.
"""

import base64
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import yaml

import l7lb
from tests.system.kube import Json
from tests.system.pods import Pods
from tests.system.world import CLUSTER, VPC, World, ingress, rule, service, tree

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "examples/deploy/l7lb.yaml"
WEBHOOK = ROOT / "examples/deploy/readiness-webhook.yaml"
COMMANDS = ROOT / "examples/deploy/commands.yaml"
CRD: Json = yaml.safe_load((ROOT / "charts/l7lb/crds/tkeserviceconfigs.yaml").read_text(encoding="utf-8"))
RIGHTS = "/apis/rbac.authorization.k8s.io/v1"
PATHS = {
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": "/api/v1/namespaces/{namespace}/serviceaccounts",
    "ClusterRole": f"{RIGHTS}/clusterroles",
    "ClusterRoleBinding": f"{RIGHTS}/clusterrolebindings",
    "Role": f"{RIGHTS}/namespaces/{{namespace}}/roles",
    "RoleBinding": f"{RIGHTS}/namespaces/{{namespace}}/rolebindings",
    "Secret": "/api/v1/namespaces/{namespace}/secrets",
    "Service": "/api/v1/namespaces/{namespace}/services",
    "Deployment": "/apis/apps/v1/namespaces/{namespace}/deployments",
    "MutatingWebhookConfiguration": "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
}
SHORTENED = (
    ("app/caches.py", "SERVICE_GONE_S: Final = 300.0", "SERVICE_GONE_S: Final = 1.0"),
    ("translator/backends.py", "SERVICE_GONE_AFTER_S: Final = 300.0", "SERVICE_GONE_AFTER_S: Final = 1.0"),
    ("adapters/kube/event_queue.py", "REPEAT_INTERVAL_S = 30.0", "REPEAT_INTERVAL_S = 1.0"),
)
GATE = "cloud.tencent.com/load-balancer-backendgroup-ready"
DIRECT = {"ingress.cloud.tencent.com/direct-access": "true"}
AUTO = {"ingress.cloud.tencent.com/tke-service-config-auto": "true"}
EXIST, GROUP = "kubernetes.io/ingress.existLbId", "ingress.cloud.tencent.com/enable-group"


def documents(manifest: Path = MANIFEST) -> list[Json]:
    """Of a manifest, for the cluster of the tests."""
    text = manifest.read_text(encoding="utf-8").replace("cls-xxxxxxxx", CLUSTER)
    return [document for document in yaml.safe_load_all(text) if document]


def grant(world: World, made: Iterable[Json]) -> None:
    """Create what a manifest holds, in its order."""
    for document in made:
        path = PATHS[document["kind"]].format(namespace=document["metadata"].get("namespace", ""))
        world.kube._send("POST", path, document)


def kubeconfig_of_the_account(world: World, admins: Path, account: str = "l7lb") -> Path:
    """A copy of the administrator's kubeconfig with the token of a service account of the namespace `l7lb`."""
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = world.kube._send("POST", f"/api/v1/namespaces/l7lb/serviceaccounts/{account}/token", asked)
    made = admins.with_name(f"kubeconfig-of-{account}")
    text = admins.read_text(encoding="utf-8")
    made.write_text(re.sub(r"token: \S+", f"token: {token['status']['token']}", text), encoding="utf-8")
    return made


def shortened(folder: Path) -> Path:
    """A copy of the product in `folder`, with short waits."""
    (source,) = l7lb.__path__
    shutil.copytree(source, folder / "l7lb", ignore=shutil.ignore_patterns("__pycache__"))
    for name, old, new in SHORTENED:
        module = folder / "l7lb" / name
        text = module.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} has moved on"
        module.write_text(text.replace(old, new), encoding="utf-8")
    return folder


def furnish(world: World) -> None:
    """What is there before the command: the custom kind, another controller's class, two lent load balancers."""
    world.kube.create(CRD)
    world.wait("the custom kind is served", lambda: _is_served(world))
    nginx = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "nginx"}}
    world.kube.create({**nginx, "spec": {"controller": "example.com/nginx"}})
    world.seed({
        "load_balancers": [{"id": name, "vpc_id": VPC} for name in ("lb-0000lent", "lb-00shared")],
        "certificates": [{"id": "certrsa1", "names": ["secure.example.com"]}],
    })  # fmt: skip


def _is_served(world: World) -> bool:
    found = world.kube.get("CustomResourceDefinition", CRD["metadata"]["name"])
    conditions = (found.get("status") or {}).get("conditions") or []
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


def live(world: World, namespace: str) -> None:
    """Ingresses of every sort come, are edited, leave and go, while the command runs."""
    world.namespace(namespace)
    world.kube.create(service("web", namespace, 0))
    made = {"name": "cert", "namespace": namespace}
    data = {"qcloud_cert_id": base64.b64encode(b"certrsa1").decode()}
    world.kube.create({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": made, "data": data})
    for name in ("web", "leaving"):
        host = rule(f"{name}.example.com", "web")
        world.kube.create(ingress(name, namespace, host, ingressClassName="qcloud"))
        world.ready(name, namespace)
    entry = {"hosts": ["secure.example.com"], "secretName": "cert"}
    world.kube.create(ingress("secure", namespace, rule("secure.example.com", "web"), tls=[entry]))
    lent = {EXIST: "lb-0000lent"}
    world.kube.create(ingress("lent", namespace, rule("lent.example.com", "web"), annotations=lent))
    for name in ("first", "second"):
        shared = {EXIST: "lb-00shared", GROUP: "true"}
        world.kube.create(ingress(name, namespace, rule(f"{name}.example.com", "web"), annotations=shared))
    for name in ("secure", "lent", "first", "second"):
        world.ready(name, namespace)
    _open_a_gate(world, namespace)
    _keep_an_object(world, namespace)
    # A namespace has so many new Events a minute: what is wrong is to be heard.
    _lose_a_service(world, world.namespace(f"{namespace}-brief"))
    world.kube.patch("Ingress", "leaving", namespace, {"spec": {"ingressClassName": "nginx"}})
    world.wait("its Event is there", lambda: [one for one in world.kube.events("web", namespace) if "Ensured" in one])
    world.wait(
        "it is let go", lambda: not world.kube.get("Ingress", "leaving", namespace)["metadata"].get("finalizers")
    )
    for name in ("web", "lent", "first", "second"):
        world.gone(name, namespace)


def _open_a_gate(world: World, namespace: str) -> None:
    """Of a pod behind an Ingress of its own, which stays."""
    world.kube.create(service("gated", namespace, 0, type="ClusterIP"))
    world.kube.create(ingress("gated", namespace, rule("gated.example.com", "gated"), annotations=DIRECT))
    pods = Pods(world.kube, namespace, "gated")
    pods.run("gated-a", "172.16.9.1", readinessGates=[{"conditionType": GATE}])
    well = {"type": "ContainersReady", "status": "True"}
    world.kube.patch("Pod", "gated-a", namespace, {"status": {"conditions": [well]}}, part="status")
    pods.endpoints(**{"gated-a": ("172.16.9.1", "unready")})
    world.wait("its gate is open", lambda: _gate_of(world, "gated-a", namespace) == "True")


def _gate_of(world: World, name: str, namespace: str) -> str:
    conditions = world.kube.get("Pod", name, namespace)["status"].get("conditions") or []
    return next((str(one["status"]) for one in conditions if one["type"] == GATE), "")


def _keep_an_object(world: World, namespace: str) -> None:
    """A TkeServiceConfig that follows its Ingress."""
    world.kube.patch("Ingress", "web", namespace, {"metadata": {"annotations": AUTO}})
    world.wait("its object is there", lambda: _entries(world, namespace) == 1)
    rules = [rule(f"{name}.example.com", "web") for name in ("web", "more")]
    world.kube.patch("Ingress", "web", namespace, {"spec": {"rules": rules}})
    world.wait("its object follows", lambda: _entries(world, namespace) == 2)


def _entries(world: World, namespace: str) -> int:
    """Hosts in the object that is kept for the Ingress; 0 while there is none."""
    found = [
        one
        for one in world.kube.all("TkeServiceConfig", namespace)
        if one["metadata"]["name"] == "web-auto-ingress-config"
    ]
    return len(found[0]["spec"]["loadBalancer"]["l7Listeners"][0]["domains"]) if found else 0


def _lose_a_service(world: World, namespace: str) -> None:
    """Its targets go when it has been gone for a while, and what is said about it is counted up."""
    world.kube.create_all(service(name, namespace, 0) for name in ("brief", "web"))
    uid = world.kube.create(ingress("brief", namespace, rule("brief.example.com", "brief")))["metadata"]["uid"]
    world.ready("brief", namespace)
    world.kube.delete("Service", "brief", namespace)
    empty: dict[str, dict[str, list[int]]] = {"HTTP:80": {"brief.example.com/": []}}
    world.wait("its targets are gone", lambda: [tree(one) for one in world.of(uid)] == [empty])
    rules = [rule("brief.example.com", "brief"), rule("other.example.com", "web")]
    world.kube.patch("Ingress", "brief", namespace, {"spec": {"rules": rules}})
    world.wait("it is counted up", lambda: _times(world, "brief", namespace) > 1)


def _times(world: World, name: str, namespace: str) -> int:
    """How often what is wrong with it was said."""
    counts = [
        int(event.get("count") or 1)
        for event in world.kube.all("Event", namespace)
        if event["involvedObject"]["name"] == name and event["message"].startswith("E4041")
    ]
    return max(counts, default=0)
