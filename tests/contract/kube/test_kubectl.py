"""The unmodified kubectl against the API server: what people type works, and says what they expect."""

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.contract.kube.api import EVENTS, INGRESSES, Json, KubeApi, fresh_name

KUBECTL = shutil.which("kubectl")
pytestmark = [pytest.mark.skipif(KUBECTL is None, reason="there is no kubectl on this machine"), pytest.mark.system]

MANIFEST = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, annotations: {kubernetes.io/ingress.class: qcloud}}
spec:
  rules:
  - host: shop.example.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1", ports: [{containerPort: 8080}]}]}
"""
INGRESS_ONLY = MANIFEST.partition("---")[0]


@dataclass(frozen=True)
class Kubectl:
    """kubectl with a configuration and a home of its own."""

    api: KubeApi
    home: Path

    def start(self, *arguments: str, editor: str = "") -> subprocess.Popen[str]:
        """The program, running."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "KUBECONFIG": str(self.api.kubeconfig)}
        command = [str(KUBECTL), "--namespace", self.api.namespace, *arguments]
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
            env=environment | ({"KUBE_EDITOR": editor} if editor else {}),
        )

    def fails(self, *arguments: str, stdin: str = "") -> str:
        """What it complains of."""
        process = self.start(*arguments)
        _, errors = process.communicate(stdin, timeout=60)
        assert process.returncode != 0
        return errors

    def __call__(self, *arguments: str, stdin: str = "", editor: str = "") -> str:
        """What it prints; it must succeed."""
        process = self.start(*arguments, editor=editor)
        output, errors = process.communicate(stdin, timeout=60)
        assert process.returncode == 0, errors
        return output

    def json(self, *arguments: str) -> Json:
        """What it prints, decoded."""
        decoded: Json = json.loads(self(*arguments, "-o", "json"))
        return decoded


@pytest.fixture(scope="module")
def home(server: KubeApi, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache of discovery for each server."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def kubectl(kube_api: KubeApi, home: Path) -> Kubectl:
    return Kubectl(kube_api, home)


@pytest.fixture
def applied(kubectl: Kubectl) -> Kubectl:
    """The manifest, applied."""
    told = kubectl("apply", "-f", "-", stdin=MANIFEST)
    assert told.splitlines() == [
        "ingress.networking.k8s.io/web created",
        "service/web created",
        "deployment.apps/web created",
    ]
    return kubectl


def test_apply_twice_with_a_change_changes_only_that(applied: Kubectl) -> None:
    changed = MANIFEST.replace("shop.example.com", "www.example.com").replace(
        "port: 80, targetPort", "port: 81, targetPort"
    )
    told = applied("apply", "-f", "-", stdin=changed)
    assert told.splitlines() == [
        "ingress.networking.k8s.io/web configured",
        "service/web configured",
        "deployment.apps/web unchanged",
    ]
    assert applied.json("get", "ingress", "web")["spec"]["rules"][0]["host"] == "www.example.com"
    ports = applied.json("get", "service", "web")["spec"]["ports"]
    assert [(port["port"], port["name"]) for port in ports] == [(81, "http")]


def test_apply_of_a_manifest_without_an_annotation_takes_it_off(applied: Kubectl) -> None:
    applied("apply", "-f", "-", stdin=MANIFEST.replace(", annotations: {kubernetes.io/ingress.class: qcloud}", ""))
    annotations = applied.json("get", "ingress", "web")["metadata"]["annotations"]
    assert "kubernetes.io/ingress.class" not in annotations


def test_apply_refuses_an_unknown_field(kubectl: Kubectl) -> None:
    told = kubectl.fails("apply", "-f", "-", stdin=MANIFEST.replace("host:", "hostt:"))
    assert 'unknown field "spec.rules[0].hostt"' in told


def test_bad_ingress_is_refused_with_words(kubectl: Kubectl) -> None:
    told = kubectl.fails("create", "-f", "-", stdin=INGRESS_ONLY.replace("path: /,", "path: shop,"))
    assert 'spec.rules[0].http.paths[0].path: Invalid value: "shop": must be an absolute path' in told


def test_get_prints_the_table_and_all_of_the_object(applied: Kubectl) -> None:
    header, line = applied("get", "ingress").splitlines()
    assert header.split() == ["NAME", "CLASS", "HOSTS", "ADDRESS", "PORTS", "AGE"]
    assert line.split()[:4] == ["web", "<none>", "shop.example.com", "80"]
    assert "SELECTOR" in applied("get", "service", "web", "-o", "wide")
    held = yaml.safe_load(applied("get", "ingress", "web", "-o", "yaml"))
    assert (held["kind"], held["status"]) == ("Ingress", {"loadBalancer": {}})
    assert applied("get", "deploy/web", "-o", "jsonpath={.spec.replicas}") == "1"
    assert applied("get", "all", "-o", "name").split() == ["service/web", "deployment.apps/web"]


def test_get_watches(applied: Kubectl) -> None:
    process = applied.start("get", "ingress", "-w")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("NAME")
    assert process.stdout.readline().startswith("web")
    published = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    applied.api.patch(f"{INGRESSES}/web/status", published)
    assert "192.0.2.1" in process.stdout.readline()
    process.terminate()
    process.communicate(timeout=60)


def test_edit_saves_what_the_editor_left(applied: Kubectl) -> None:
    told = applied("edit", "ingress", "web", editor="sed -i s/shop.example.com/edited.example.com/")
    assert told.strip() == "ingress.networking.k8s.io/web edited"
    assert applied.json("get", "ingress", "web")["spec"]["rules"][0]["host"] == "edited.example.com"


def test_replace_takes_the_whole_object(applied: Kubectl) -> None:
    held = applied.json("get", "ingress", "web")
    held["spec"]["rules"][0]["host"] = "replaced.example.com"
    assert applied("replace", "-f", "-", stdin=json.dumps(held)).strip() == "ingress.networking.k8s.io/web replaced"
    held["spec"]["rules"][0]["host"] = "stale.example.com"
    assert "the object has been modified" in applied.fails("replace", "-f", "-", stdin=json.dumps(held))
    forced = applied("replace", "--force", "-f", "-", stdin=INGRESS_ONLY)
    assert "replaced" in forced


def test_patches_of_all_types(applied: Kubectl) -> None:
    applied("patch", "service", "web", "-p", '{"spec":{"ports":[{"port":90,"name":"more"}]}}')
    applied("patch", "service", "web", "--type", "merge", "-p", '{"metadata":{"labels":{"a":"b"}}}')
    applied(
        "patch", "service", "web", "--type", "json", "-p", '[{"op":"replace","path":"/metadata/labels/a","value":"c"}]'
    )
    held = applied.json("get", "service", "web")
    assert {port["port"] for port in held["spec"]["ports"]} == {80, 90}
    assert held["metadata"]["labels"] == {"a": "c"}


def test_label_and_annotate(applied: Kubectl) -> None:
    applied("label", "ingress", "web", "team=shop")
    applied("annotate", "ingress", "web", "kubernetes.io/ingress.class-")
    metadata = applied.json("get", "ingress", "web")["metadata"]
    assert metadata["labels"] == {"team": "shop"}
    assert "kubernetes.io/ingress.class" not in metadata["annotations"]


def test_server_side_apply_tells_conflicts(kubectl: Kubectl) -> None:
    manifest = INGRESS_ONLY
    kubectl("apply", "--server-side", "--field-manager=one", "-f", "-", stdin=manifest)
    changed = manifest.replace("shop.example.com", "www.example.com")
    told = kubectl.fails("apply", "--server-side", "--field-manager=two", "-f", "-", stdin=changed)
    assert 'conflict with "one"' in told
    assert ".spec.rules" in told
    kubectl("apply", "--server-side", "--field-manager=two", "--force-conflicts", "-f", "-", stdin=changed)
    assert kubectl.json("get", "ingress", "web")["spec"]["rules"][0]["host"] == "www.example.com"


def test_server_side_apply_takes_over_from_client_side_apply(applied: Kubectl) -> None:
    told = applied("apply", "--server-side", "-f", "-", stdin=MANIFEST)
    assert told.count("serverside-applied") == 3


def test_describe_an_ingress_with_its_events(applied: Kubectl) -> None:
    uid = applied.json("get", "ingress", "web")["metadata"]["uid"]
    about = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "name": "web",
        "namespace": applied.api.namespace,
        "uid": uid,
    }
    applied.api.made(
        EVENTS,
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "web.1"},
            "involvedObject": about,
            "type": "Warning",
            "reason": "ServiceNotFound",
            "message": "E4041: no such Service",
            "count": 2,
            "source": {"component": "l7lb"},
            "firstTimestamp": "2026-01-01T00:00:00Z",
            "lastTimestamp": "2026-01-01T00:00:00Z",
        },
    )
    described = applied("describe", "ingress", "web")
    assert "shop.example.com" in described
    assert "web:80" in described
    assert "E4041: no such Service" in described
    assert "E4041: no such Service" in applied("get", "events")
    assert "ServiceNotFound" in applied("events", "--for", "ingress/web")


def test_scale_a_deployment(applied: Kubectl) -> None:
    assert applied("scale", "deployment/web", "--replicas=3").strip() == "deployment.apps/web scaled"
    assert applied.json("get", "deployment", "web")["spec"]["replicas"] == 3
    refused = applied.fails("scale", "deploy/web", "--replicas=5", "--current-replicas=1")
    assert "xpected replicas to be 1, was 3" in refused


def test_create_commands(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "settings", "--from-literal=a=b")
    kubectl("create", "secret", "generic", "cert", "--from-literal=qcloud_cert_id=abc")
    kubectl("create", "deployment", "api", "--image=nginx:1", "--replicas=2", "--port=80")
    kubectl("create", "service", "nodeport", "api", "--tcp=80:8080")
    kubectl("create", "ingress", "api", "--class=qcloud", "--rule=api.example.com/v1*=api:80,tls=cert")
    kubectl("create", "serviceaccount", "robot")
    kubectl("create", "role", "reader", "--verb=get", "--resource=pods")
    kubectl("create", "rolebinding", "reads", "--role=reader", f"--serviceaccount={kubectl.api.namespace}:robot")
    assert kubectl.json("get", "configmap", "settings")["data"] == {"a": "b"}
    assert kubectl.json("get", "secret", "cert")["data"] == {"qcloud_cert_id": "YWJj"}
    assert kubectl.json("get", "deployment", "api")["spec"]["replicas"] == 2
    (rule,) = kubectl.json("get", "ingress", "api")["spec"]["rules"]
    assert (rule["host"], rule["http"]["paths"][0]["path"]) == ("api.example.com", "/v1")
    assert kubectl.json("get", "service", "api")["spec"]["ports"][0]["targetPort"] == 8080


def test_rollout_restart_and_set_image(applied: Kubectl) -> None:
    applied("set", "image", "deployment/web", "web=nginx:2")
    applied("rollout", "restart", "deployment/web")
    held = applied.json("get", "deployment", "web")
    assert held["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:2"
    assert held["metadata"]["generation"] == 3


def test_diff_shows_what_apply_would_do(applied: Kubectl) -> None:
    process = applied.start("diff", "-f", "-")
    output, _ = process.communicate(MANIFEST.replace("shop.example.com", "www.example.com"), timeout=60)
    assert process.returncode == 1
    assert "+  - host: www.example.com" in output
    assert applied.json("get", "ingress", "web")["spec"]["rules"][0]["host"] == "shop.example.com"


def test_delete_waits_for_finalizers(applied: Kubectl) -> None:
    applied.api.patch(f"{INGRESSES}/web", {"metadata": {"finalizers": ["example.com/hold"]}})
    process = applied.start("delete", "ingress", "web")
    deadline = time.monotonic() + 20
    while "deletionTimestamp" not in applied.api.get(f"{INGRESSES}/web").body["metadata"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert process.poll() is None
    applied.api.patch(f"{INGRESSES}/web", {"metadata": {"finalizers": None}})
    output, _ = process.communicate(timeout=60)
    assert (process.returncode, output.startswith('ingress.networking.k8s.io "web" deleted')) == (0, True)


def test_delete_by_manifest_takes_all(applied: Kubectl) -> None:
    told = applied("delete", "-f", "-", stdin=MANIFEST)
    assert len(told.splitlines()) == 3
    assert applied("get", "ingress,service,deployment", "-o", "name") == ""


def test_namespace_is_created_and_deleted_with_all_in_it(kubectl: Kubectl) -> None:
    if kubectl.api.is_real:
        pytest.skip("needs a namespace controller, which does not run beside this kube-apiserver")
    name = fresh_name("team")
    assert kubectl("create", "namespace", name).strip() == f"namespace/{name} created"
    kubectl("apply", "-n", name, "-f", "-", stdin=MANIFEST)
    assert kubectl("delete", "namespace", name).startswith(f'namespace "{name}" deleted')
    assert "not found" in kubectl.fails("get", "namespace", name)


def test_explain_names_the_fields(kubectl: Kubectl) -> None:
    told = kubectl("explain", "ingress.spec.rules.http.paths")
    assert "HTTPIngressPath" in told
    assert "pathType" in told


def test_api_resources_and_permissions(kubectl: Kubectl) -> None:
    lines = kubectl("api-resources", "--api-group=networking.k8s.io", "--no-headers").splitlines()
    assert {line.split()[0] for line in lines} >= {"ingresses", "ingressclasses"}
    assert kubectl("auth", "can-i", "create", "ingresses").strip() == "yes"
