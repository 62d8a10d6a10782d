"""`--secrets-from referenced`: certificates without the right to list Secrets, also on a kube-apiserver with RBAC."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import envtest
from tests.system.conftest import SERVERS
from tests.system.kube import Json
from tests.system.replicas import Replica, wait
from tests.system.rights import documents, grant, kubeconfig_of_the_account
from tests.system.world import World, ingress, rule, service

pytestmark = pytest.mark.system

CERTIFICATES = [
    {"id": "certfrst", "domain": "a.example.com", "algorithm": "RSA"},
    {"id": "certscnd", "domain": "a.example.com", "algorithm": "RSA"},
]


@dataclass
class Site:
    """A world with a controller that may get and watch the Secrets of the namespaces `shop` and `late`, not list."""

    world: World
    controller: Replica
    kubeconfig: Path

    def publish(self, name: str, namespace: str, secret: str) -> str:
        """An Ingress with a certificate; its UID."""
        kube = self.world.kube
        self.world.namespace(namespace)
        if kube.find("Service", "web", namespace) is None:
            kube.create(service("web", namespace, 0))
        entry = {"hosts": ["a.example.com"], "secretName": secret}
        made = kube.create(ingress(name, namespace, rule("a.example.com", "web"), tls=[entry]))
        return str(made["metadata"]["uid"])

    def certificate_of(self, uid: str) -> str:
        """What its HTTPS listener shows; empty: there is none."""
        listeners = [one for lb in self.world.of(uid) for one in lb["listeners"] if one["protocol"] == "HTTPS"]
        found = re.search(r"cert(frst|scnd)", str(listeners))
        return found[0] if found else ""


def secret(name: str, namespace: str, certificate: str) -> Json:
    data = {"qcloud_cert_id": base64.b64encode(certificate.encode()).decode()}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": metadata, "data": data}


def role(namespace: str, names: list[str]) -> list[Json]:
    """The right to look at these Secrets, and to watch each by its name."""
    group = "rbac.authorization.k8s.io"
    rules = [{"apiGroups": [""], "resources": ["secrets"], "resourceNames": names, "verbs": ["get", "watch"]}]
    reference = {"apiGroup": group, "kind": "Role", "name": "l7lb"}
    subject = {"kind": "ServiceAccount", "name": "l7lb", "namespace": "l7lb"}
    head = {"apiVersion": f"{group}/v1", "metadata": {"name": "l7lb", "namespace": namespace}}
    return [
        {**head, "kind": "Role", "rules": rules},
        {**head, "kind": "RoleBinding", "roleRef": reference, "subjects": [subject]},
    ]


def without_secrets(document: Json) -> Json:
    """The manifest's ClusterRole, its rule about Secrets taken out."""
    if document["kind"] == "ClusterRole":
        document["rules"] = [rule for rule in document["rules"] if rule["resources"] != ["secrets"]]
    return document


@pytest.fixture(scope="module", params=SERVERS)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    if request.param and envtest.assets() is None:
        pytest.skip("no etcd and kube-apiserver in KUBEBUILDER_ASSETS")
    with World(real=request.param) as world:
        world.seed({"certificates": CERTIFICATES})
        kubeconfig = world._folder / "kubeconfig"
        for namespace in ("shop", "late", "closed"):
            world.namespace(namespace)
        if request.param:
            grant(world, [without_secrets(document) for document in documents()])
            grant(world, role("shop", ["cert", "absent"]))
            kubeconfig = kubeconfig_of_the_account(world, kubeconfig)
        world.kube.create(secret("cert", "shop", "certfrst"))
        controller = Replica(world, "one", kubeconfig=str(kubeconfig), secrets_from="referenced")
        try:
            controller.leads()
            made = Site(world, controller, kubeconfig)
            yield made
        finally:
            controller.stop()


def test_a_secret_that_is_there_is_used_and_nobody_hears_of_a_moment_without_it(site: Site) -> None:
    uid = site.publish("web", "shop", "cert")
    site.world.ready("web", "shop")
    assert site.certificate_of(uid) == "certfrst"
    assert [event for event in site.world.kube.events("web", "shop") if "Secret" in event] == []


def test_a_rotated_secret_reaches_its_listener(site: Site) -> None:
    uid = site.publish("rotated", "shop", "cert")
    site.world.ready("rotated", "shop")
    change = {"data": {"qcloud_cert_id": base64.b64encode(b"certscnd").decode()}}
    site.world.kube.patch("Secret", "cert", "shop", change)
    wait("the other certificate is shown", lambda: site.certificate_of(uid) == "certscnd", 60.0, site.controller)


def test_a_secret_that_is_not_there_is_told_and_used_when_it_comes(site: Site) -> None:
    uid = site.publish("early", "shop", "absent")
    site.world.not_ready("early", "shop", "E4010")
    site.world.kube.create(secret("absent", "shop", "certfrst"))
    site.world.ready("early", "shop")
    assert site.certificate_of(uid) == "certfrst"


def test_secrets_were_watched_one_by_one_and_never_listed(site: Site) -> None:
    emulator = site.world.kube_emulator
    if emulator is None:
        assert not site.controller.said("secrets is forbidden.*cannot list")
        return
    asked = [line for line in emulator.controls.log.lines if line["resource"] == "secrets" and "l7lb" in line["agent"]]
    assert {line["verb"] for line in asked} == {"get", "watch"}
    watches = [line["query"].get("fieldSelector", "") for line in asked if line["verb"] == "watch"]
    assert all(selector.startswith("metadata.name=") for selector in watches)


def test_a_secret_that_must_not_be_read_holds_only_who_names_it(site: Site) -> None:
    if site.world.kube_emulator is not None:
        pytest.skip("the emulator refuses nobody")
    closed = site.publish("web", "closed", "secret")
    wait("it is refused", lambda: site.controller.said("Secret closed/secret: AccessDenied"), 60.0, site.controller)
    uid = site.publish("beside", "shop", "cert")
    site.world.ready("beside", "shop")
    assert site.certificate_of(uid)
    assert site.certificate_of(closed) == ""


def test_after_a_restart_one_closed_secret_keeps_nobody_waiting(site: Site) -> None:
    assert site.controller.terminate() == 0
    site.controller = Replica(site.world, "two", kubeconfig=str(site.kubeconfig), secrets_from="referenced")
    try:
        site.controller.leads()
        assert site.controller.is_ready
        uid = site.publish("after", "shop", "cert")
        site.world.ready("after", "shop")
        assert site.certificate_of(uid)
        assert site.controller.terminate() == 0
    finally:
        site.controller.stop()
