"""The story of a release on a kube-apiserver: installed, upgraded, rolled back, used, narrowed, refused, kept, drained.

Tells what was seen, and judges nothing.
"""

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path

from tests.chart.cluster import NAMESPACE, Cluster, Uninstalled, define, rendered, webhook_at
from tests.chart.rendering import RELEASE
from tests.chart.schemas import write_schemas
from tests.system.access import Requests, requests_of
from tests.system.kube import Json, Refused
from tests.system.rights import live
from tests.system.test_rights import WORN_OUT, free_address
from tests.system.world import CLUSTER, FINALIZER, VPC, World, ingress, rule, service

ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"
GATE = "l7lb-readiness-gate"
SWITCHED_ON: Json = {
    "readinessWebhook": {"enabled": True},
    "collectOrphans": True,
    "verifyInterval": 1,
    "classExitGrace": 0.2,
    "networkPolicy": {"enabled": True},
    "monitoring": {name: {"enabled": True} for name in ("serviceMonitor", "prometheusRule", "dashboard")},
}
NARROW: Json = {
    "watchNamespace": "shop",
    "secretsFrom": "referenced",
    "referencedSecrets": [{"namespace": "shop", "names": ["cert"]}],
    "ingressClass": {"name": "nginx"},
}
DRAINING: Json = {"uninstall": {"policy": "drain", "confirmCluster": CLUSTER}}
NONE = Requests(frozenset())
TRUST = base64.b64encode(b"an authority").decode()
CHOICE = "l7lb.dev/uninstall"
KINDS = (
    "/api/v1/services", "/api/v1/serviceaccounts", "/api/v1/configmaps", "/apis/apps/v1/deployments",
    "/apis/batch/v1/jobs", "/apis/policy/v1/poddisruptionbudgets", "/apis/networking.k8s.io/v1/ingressclasses",
    "/apis/networking.k8s.io/v1/networkpolicies", "/apis/monitoring.coreos.com/v1/servicemonitors",
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    *(f"/apis/rbac.authorization.k8s.io/v1/{kind}" for kind in
      ("roles", "rolebindings", "clusterroles", "clusterrolebindings")),
)  # fmt: skip


@dataclass
class Ended:
    """An uninstall, and what was there after it."""

    by: Uninstalled
    ingress: Json
    balancers: list[Json]
    left: list[str]
    """Objects of the release."""


@dataclass
class Life:
    """What was seen of it."""

    schemas: Path
    notes: str = ""
    replicas: list[int] = field(default_factory=list)
    trust_after_upgrade: str = ""
    class_after_upgrade: str = ""
    pods: list[str] = field(default_factory=list)
    """Names of pods that a namespace with the restricted profile would take."""
    refused_pods: list[str] = field(default_factory=list)
    """What it said about the same pods without their security context."""
    generations: list[int] = field(default_factory=list)
    """Of the Deployment, before and after an upgrade that changes nothing."""
    refused: Ended | None = None
    upgrade_after_refusal: str = ""
    replicas_after_rollback: int = 0
    notes_of_a_choice: str = ""
    kept: Ended | None = None
    doctor: Json = field(default_factory=dict)
    notes_beside_a_class: str = ""
    controller_of_that_class: str = ""
    drained: Ended | None = None
    requests: Requests = NONE
    narrow: Requests = NONE


def lived(schemas: Path, folder: Path) -> Life:
    """About half a minute; `schemas` gets what kubeconform needs."""
    seen = Life(schemas)
    with World(real=True, audited=True) as world:
        assert world.plane is not None
        cluster = Cluster(world, folder)
        world.namespace(NAMESPACE)
        define(world)
        _install_upgrade_and_roll_back(cluster, seen)
        _ask_for_pods(world, seen)
        _use(cluster)
        _refuse_then_keep(cluster, seen)
        seen.requests = requests_of(world.plane.audit(), ACCOUNT)
        before = len(world.plane.audit())
        _watch_one_namespace(cluster, seen)
        seen.narrow = requests_of(world.plane.audit()[before:], ACCOUNT)
        _drain(cluster, seen)
        write_schemas(world.kube, seen.schemas)
    return seen


def _install_upgrade_and_roll_back(cluster: Cluster, seen: Life) -> None:
    kube = cluster.world.kube
    seen.notes = cluster.install(**SWITCHED_ON)
    hooks = kube.get("MutatingWebhookConfiguration", GATE)["webhooks"]
    hooks[0]["clientConfig"]["caBundle"] = TRUST
    kube.patch("MutatingWebhookConfiguration", GATE, "", {"webhooks": hooks})
    seen.replicas.append(cluster.replicas())
    changed = {"replicaCount": 3, "readinessWebhook": {"enabled": True, "timeoutSeconds": 5}}
    cluster.install("upgrade", **{**SWITCHED_ON, **changed})
    seen.replicas.append(cluster.replicas())
    hook = kube.get("MutatingWebhookConfiguration", GATE)["webhooks"][0]
    assert hook["timeoutSeconds"] == 5
    seen.trust_after_upgrade = hook["clientConfig"].get("caBundle", "")
    seen.class_after_upgrade = kube.get("IngressClass", "qcloud")["spec"]["controller"]
    cluster.helm("rollback", RELEASE, "1")
    seen.replicas.append(cluster.replicas())


def _ask_for_pods(world: World, seen: Life) -> None:
    """As Deployment and Job would, where Pod Security holds pods to its strictest profile."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "strict", "labels": labels}}
    world.kube.create(made)
    for one in rendered(**SWITCHED_ON):
        if one["kind"] in ("Deployment", "Job"):
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": one["metadata"]["name"]}}
            spec = one["spec"]["template"]["spec"]
            for asked in ({**pod, "spec": spec}, {**pod, "spec": {**spec, "securityContext": {}}}):
                try:
                    world.kube._send("POST", "/api/v1/namespaces/strict/pods?dryRun=All", asked)
                    seen.pods.append(one["metadata"]["name"])
                except Refused as refusal:
                    seen.refused_pods.append(str(refusal))


def _use(cluster: Cluster) -> None:
    """Every right is needed: Ingresses of every sort, the webhook's certificate made and renewed, an orphan."""
    world = cluster.world
    nginx = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "nginx"}}
    world.kube.create({**nginx, "spec": {"controller": "example.com/nginx"}})
    orphan = {
        "tke-createdBy-flag": "yes", "tke-clusterId": CLUSTER, "tke-lifecycle-owner": "tke",
        "l7lb-cluster-uid": world.kube.get("Namespace", "kube-system")["metadata"]["uid"],
        "tke-lb-ingress-uuid": "6f1c8f0e-0000-4000-8000-000000000000",
    }  # fmt: skip
    lent = [{"id": name, "vpc_id": VPC} for name in ("lb-0000lent", "lb-00shared")]
    world.seed({
        "load_balancers": [*lent, {"id": "lb-0orphan", "vpc_id": VPC, "tags": orphan}],
        "certificates": [{"id": "certrsa1", "names": ["secure.example.com"]}],
    })  # fmt: skip
    where = free_address()
    service_of_it = webhook_at(world, {"url": f"https://{where}/"})
    cluster.start(f"--readiness-webhook-bind-address={where}")
    live(world, "used")
    world.wait("it has a certificate", lambda: _certificate(world))
    world.kube.patch("Secret", "l7lb-webhook", NAMESPACE, {"data": {"tls.crt": WORN_OUT}})
    world.wait("its certificate is good", lambda: _certificate(world) not in ("", WORN_OUT))
    world.wait(
        "an orphan is remembered", lambda: world.kube.get("ConfigMap", f"l7lb-{CLUSTER}", "kube-system").get("data")
    )
    webhook_at(world, service_of_it)


def _certificate(world: World) -> str:
    found = world.kube.find("Secret", "l7lb-webhook", NAMESPACE)
    return str(found["data"]["tls.crt"]) if found else ""


def _refuse_then_keep(cluster: Cluster, seen: Life) -> None:
    world = cluster.world
    world.namespace("shop")
    world.kube.create(service("web", "shop", 0))
    world.kube.create(ingress("web", "shop", rule("web.example.com", "web"), ingressClassName="qcloud"))
    world.ready("web", "shop")
    seen.refused = _ended(world, cluster.uninstall())
    seen.upgrade_after_refusal = cluster.try_helm("upgrade", RELEASE, str(cluster.chart), "--reuse-values").stderr
    world.kube.patch("Deployment", RELEASE, NAMESPACE, {"spec": {"replicas": 0}}, part="scale")
    cluster.helm("rollback", RELEASE, "3")
    seen.replicas_after_rollback = cluster.replicas()
    world.kube.patch("Deployment", RELEASE, NAMESPACE, {"metadata": {"annotations": {CHOICE: "keep"}}})
    seen.generations.append(cluster.deployment()["metadata"]["generation"])
    seen.notes_of_a_choice = cluster.helm("upgrade", RELEASE, str(cluster.chart), "--reuse-values").stdout
    seen.generations.append(cluster.deployment()["metadata"]["generation"])
    seen.kept = _ended(world, cluster.uninstall())


def _watch_one_namespace(cluster: Cluster, seen: Life) -> None:
    """With the rights that are left then, and beside a class of somebody else."""
    world = cluster.world
    seen.notes_beside_a_class = cluster.install(**NARROW)
    seen.controller_of_that_class = world.kube.get("IngressClass", "nginx")["spec"]["controller"]
    cluster.start()
    world.wait("it holds its Ingress", lambda: FINALIZER in _web(world)["metadata"].get("finalizers", ()))
    world.ready("web", "shop")
    assert world.controller is not None
    assert world.controller.terminate() == 0
    world.controller = None
    cluster.helm("uninstall", RELEASE, "--no-hooks")


def _drain(cluster: Cluster, seen: Life) -> None:
    world = cluster.world
    cluster.install(**DRAINING)
    cluster.start()
    world.leads()
    seen.doctor = json.loads(cluster.run("doctor", "--output=json").stdout)
    seen.drained = _ended(world, cluster.uninstall())


def _web(world: World) -> Json:
    return world.kube.get("Ingress", "web", "shop")


def _ended(world: World, by: Uninstalled) -> Ended:
    selector = f"labelSelector=app.kubernetes.io%2Finstance%3D{RELEASE}"
    left = [
        f"{path}/{one['metadata']['name']}"
        for path in KINDS
        for one in world.kube._send("GET", f"{path}?{selector}")["items"]
    ]
    found = _web(world)
    return Ended(by, found, world.of(found["metadata"]["uid"]), left)
