"""The manifest for a real cluster is enough: a kube-apiserver with RBAC, and the account that the manifest makes."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests import envtest
from tests.system.kube import Json
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
