"""The webhook of the readiness gate on a kube-apiserver: who gets the gate, and what its absence costs."""

import base64
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import envtest
from tests.system.kube import Json, documents
from tests.system.pods import Pods
from tests.system.world import World, ingress, rule, service

pytestmark = [pytest.mark.system, pytest.mark.skipif(envtest.assets() is None, reason="no kube-apiserver")]

MANIFEST = Path(__file__).parents[2] / "examples/deploy/readiness-webhook.yaml"
GATES = [{"conditionType": "cloud.tencent.com/load-balancer-backendgroup-ready"}]
NAME = "l7lb-readiness-gate"
DIRECT = {"ingress.cloud.tencent.com/direct-access": "true"}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """`web` and `nodes` stand behind Ingresses, of which the first has direct access; `api` behind none."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{probe.getsockname()[1]}"
    flags = {"readiness-webhook": "l7lb/l7lb-webhook", "readiness-webhook-bind-address": where}
    with World(real=True, flags=flags) as made:
        made.namespace("l7lb")
        made.namespace("shop")
        made.kube.create(configuration(f"https://{where}/"))
        made.start()
        made.leads()
        for name, port in (("web", 0), ("nodes", 30081), ("api", 30082)):
            made.kube.create(service(name, "shop", port, type="NodePort" if port else "ClusterIP"))
        pods = Pods(made.kube, "shop", "web")
        pods.run("web-early", "172.16.9.1")
        pods.endpoints(**{"web-early": ("172.16.9.1", "ready")})
        made.kube.create(ingress("web", "shop", rule("web.example.com", "web"), annotations=DIRECT))
        made.kube.create(ingress("nodes", "shop", rule("nodes.example.com", "nodes")))
        made.ready("web", "shop")
        made.wait("the API server trusts it", lambda: bundle(made))
        yield made


def configuration(url: str) -> Json:
    """Of the manifest, with an address in place of the Service: nothing routes to Services here."""
    (made,) = (one for one in documents(MANIFEST) if one["kind"] == "MutatingWebhookConfiguration")
    for hook in made["webhooks"]:
        hook["clientConfig"] = {"url": url}
    return made


def bundle(world: World) -> str:
    hook = world.kube.get("MutatingWebhookConfiguration", NAME)["webhooks"][0]
    return str(hook["clientConfig"].get("caBundle", ""))


def pod(name: str, app: str = "web", labels: dict[str, str] | None = None, **spec: Any) -> Json:
    meta = {"name": name, "namespace": "shop", "labels": {"app": app, **(labels or {})}}
    containers = [{"name": "app", "image": "demo:1"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": containers, **spec}}


def gates(made: Json) -> list[Json]:
    found: list[Json] = made["spec"].get("readinessGates") or []
    return found


def test_a_pod_behind_an_ingress_with_direct_access_gets_the_gate(world: World) -> None:
    world.wait("one gets it", lambda: gates(world.kube.create(pod(f"web-{len(world.kube.all('Pod', 'shop'))}"))))
    assert gates(world.kube.create(pod("web-made"))) == GATES


def test_the_gate_is_never_there_twice_and_others_stay(world: World) -> None:
    other = [{"conditionType": "example.com/ready"}]
    assert gates(world.kube.create(pod("web-has", readinessGates=GATES))) == GATES
    assert gates(world.kube.create(pod("web-other", readinessGates=other))) == [*other, *GATES]


@pytest.mark.parametrize(
    "made",
    [
        pod("nodes-a", "nodes"),
        pod("api-a", "api"),
        pod("nobody-a", "nobody"),
        pod("web-not", labels={"l7lb.dev/readiness-gate": "false"}),
        pod("web-host", hostNetwork=True),
    ],
    ids=lambda made: made["metadata"]["name"],
)
def test_all_others_are_left_as_they_are(world: World, made: Json) -> None:
    assert gates(world.kube.create(made)) == []


def test_the_trust_of_the_api_server_is_repaired(world: World) -> None:
    wanted = bundle(world)
    secret = world.kube.get("Secret", "l7lb-webhook", "l7lb")
    assert secret["data"]["ca.crt"] == wanted
    broken = world.kube.get("MutatingWebhookConfiguration", NAME)["webhooks"]
    broken[0]["clientConfig"]["caBundle"] = base64.b64encode(base64.b64decode(wanted) * 2).decode()
    world.kube.patch("MutatingWebhookConfiguration", NAME, "", {"webhooks": broken})
    world.wait("it is as before", lambda: bundle(world) == wanted)


def test_without_the_webhook_pods_are_made_without_the_gate(world: World) -> None:
    assert world.controller is not None
    assert world.controller.terminate() == 0
    assert gates(world.kube.create(pod("web-late"))) == []
    world.start()
    world.leads(2)
    world.wait("it serves again", lambda: gates(world.kube.create(pod(f"web-{len(world.kube.all('Pod', 'shop'))}"))))
