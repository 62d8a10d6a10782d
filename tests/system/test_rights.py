"""The manifest for a real cluster gives the rights that the command uses: no fewer, and no more.

No fewer is also shown on a kube-apiserver with RBAC, with the account that the manifest makes.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests import envtest
from tests.system.access import Access, Right, access_of, rights_in
from tests.system.kube import Json
from tests.system.pods import Pods
from tests.system.world import CLUSTER, World, ingress, rule, service

MANIFEST = Path(__file__).parents[2] / "examples/deploy/l7lb.yaml"
RIGHTS = "/apis/rbac.authorization.k8s.io/v1"
PATHS = {
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": "/api/v1/namespaces/{namespace}/serviceaccounts",
    "ClusterRole": f"{RIGHTS}/clusterroles",
    "ClusterRoleBinding": f"{RIGHTS}/clusterrolebindings",
    "Role": f"{RIGHTS}/namespaces/{{namespace}}/roles",
    "RoleBinding": f"{RIGHTS}/namespaces/{{namespace}}/rolebindings",
    "Secret": "/api/v1/namespaces/{namespace}/secrets",
    "Deployment": "/apis/apps/v1/namespaces/{namespace}/deployments",
}


SLOW = {
    Access("get", "", "services"): "whether a Service is gone is asked five minutes after it went",
    Access("patch", "", "events"): "an Event is counted up after half a minute",
}
"""Not seen within the seconds of a test."""
CRD: Json = yaml.safe_load(
    (MANIFEST.parents[2] / "charts/l7lb/crds/tkeserviceconfigs.yaml").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def seen() -> set[Access]:
    """What the command asks for while an Ingress comes, leaves its class, and another one goes."""
    with World() as world:
        assert world.kube_emulator is not None
        world.kube.create(CRD)
        nginx = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "nginx"}}
        world.kube.create({**nginx, "spec": {"controller": "example.com/nginx"}})
        controller = world.start()
        live(world)
        assert controller.terminate() == 0
        lines = [line for line in world.kube_emulator.controls.log.lines if line["agent"].startswith("l7lb/")]
    return {access_of(line) for line in lines}


def live(world: World) -> None:
    namespace = world.namespace("rights")
    world.kube.create(service("web", namespace, 0))
    for name in ("web", "leaving"):
        host = rule(f"{name}.example.com", "web")
        world.kube.create(ingress(name, namespace, host, ingressClassName="qcloud"))
        world.ready(name, namespace)
    _open_a_gate(world, namespace)
    auto = {"ingress.cloud.tencent.com/tke-service-config-auto": "true"}
    world.kube.patch("Ingress", "web", namespace, {"metadata": {"annotations": auto}})
    world.wait("its object is there", lambda: _entries(world, namespace) == 1)
    rules = [rule(f"{name}.example.com", "web") for name in ("web", "more")]
    world.kube.patch("Ingress", "web", namespace, {"spec": {"rules": rules}})
    world.wait("its object follows", lambda: _entries(world, namespace) == 2)
    world.kube.patch("Ingress", "leaving", namespace, {"spec": {"ingressClassName": "nginx"}})
    world.wait("its Event is there", lambda: [one for one in world.kube.events("web", namespace) if "Ensured" in one])
    world.wait(
        "it is let go", lambda: not world.kube.get("Ingress", "leaving", namespace)["metadata"].get("finalizers")
    )
    world.gone("web", namespace)


def _open_a_gate(world: World, namespace: str) -> None:
    """Of a pod behind an Ingress of its own, which stays."""
    world.kube.create(service("gated", namespace, 0, type="ClusterIP"))
    direct = {"ingress.cloud.tencent.com/direct-access": "true"}
    world.kube.create(ingress("gated", namespace, rule("gated.example.com", "gated"), annotations=direct))
    pods, gate = Pods(world.kube, namespace, "gated"), "cloud.tencent.com/load-balancer-backendgroup-ready"
    pods.run("gated-a", "127.36.0.1", readinessGates=[{"conditionType": gate}])
    well = {"type": "ContainersReady", "status": "True"}
    world.kube.patch("Pod", "gated-a", namespace, {"status": {"conditions": [well]}}, part="status")
    pods.endpoints(**{"gated-a": ("127.36.0.1", "unready")})
    world.wait(
        "its gate is open", lambda: len(world.kube.get("Pod", "gated-a", namespace)["status"]["conditions"]) == 2
    )


def _entries(world: World, namespace: str) -> int:
    """Hosts in the object that is kept for the Ingress; 0 while there is none."""
    found = [
        one
        for one in world.kube.all("TkeServiceConfig", namespace)
        if one["metadata"]["name"] == "web-auto-ingress-config"
    ]
    return len(found[0]["spec"]["loadBalancer"]["l7Listeners"][0]["domains"]) if found else 0


@pytest.mark.system
def test_everything_that_is_asked_for_is_allowed(seen: set[Access]) -> None:
    rights = rights_in(documents())
    assert [access for access in sorted(seen) if not any(right.allows(access) for right in rights)] == []


@pytest.mark.system
def test_nothing_is_allowed_that_is_not_asked_for(seen: set[Access]) -> None:
    def is_used(right: Right) -> bool:
        names = {access.name for access in seen | set(SLOW) if right.allows(access)}
        return bool(names) and right.names <= names

    assert [right for right in rights_in(documents()) if not is_used(right)] == []


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A cluster in which the manifest has been applied."""
    if envtest.assets() is None:
        pytest.skip("no etcd and kube-apiserver in KUBEBUILDER_ASSETS")
    with World(real=True) as made:
        for document in documents():
            path = PATHS[document["kind"]].format(namespace=document["metadata"].get("namespace", ""))
            made.kube._send("POST", path, document)
        yield made


def documents() -> list[Json]:
    text = MANIFEST.read_text(encoding="utf-8").replace("cls-xxxxxxxx", CLUSTER)
    return [document for document in yaml.safe_load_all(text) if document]


def kubeconfig_of_the_account(world: World, admins: Path) -> Path:
    """A copy of the administrator's kubeconfig with the token of the account instead."""
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = world.kube._send("POST", "/api/v1/namespaces/l7lb/serviceaccounts/l7lb/token", asked)["status"]["token"]
    made = admins.with_name("kubeconfig-of-the-account")
    made.write_text(re.sub(r"token: \S+", f"token: {token}", admins.read_text(encoding="utf-8")), encoding="utf-8")
    return made


@pytest.mark.system
@pytest.mark.envtest
def test_an_ingress_lives_and_goes_with_the_rights_of_the_manifest(world: World) -> None:
    account = kubeconfig_of_the_account(world, world._folder / "kubeconfig")
    controller = world.start(kubeconfig=str(account))
    namespace = world.namespace("rights")
    world.kube.create(service("web", namespace, 0))
    world.kube.create(ingress("web", namespace, rule("a.example.com", "web")))
    world.ready("web", namespace)
    world.wait("its Event is there", lambda: [one for one in world.kube.events("web", namespace) if "Ensured" in one])
    world.gone("web", namespace)
    log = controller.log.read_text(encoding="utf-8")
    assert [line for line in log.splitlines() if "orbidden" in line or "AccessDenied" in line] == []
