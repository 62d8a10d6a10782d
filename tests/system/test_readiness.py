"""The readiness gate of pods, through the shipped command: open when the cloud calls them healthy, and not before."""

import threading
from collections.abc import Iterator

import pytest

from tests.system.kube import Json
from tests.system.pods import Pods
from tests.system.world import World, ingress, rule, service

pytestmark = pytest.mark.system

DIRECT = {"ingress.cloud.tencent.com/direct-access": "true"}
GATE = "cloud.tencent.com/load-balancer-backendgroup-ready"
GATES = [{"conditionType": GATE}]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World() as made:
        made.start()
        made.leads()
        yield made


def conditions(*, containers: bool = True) -> list[Json]:
    """As a kubelet writes them of a pod that has our gate."""
    ready = {"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady" if containers else "NotReady"}
    return [{"type": "ContainersReady", "status": str(containers)}, ready]


def run(pods: Pods, name: str, address: str, *, containers: bool = True) -> None:
    """A pod with the gate, whose containers are ready."""
    pods.run(name, address, readinessGates=GATES)
    status = {"status": {"conditions": conditions(containers=containers)}}
    pods.kube.patch("Pod", name, pods.namespace, status, part="status")


def gate(pods: Pods, name: str) -> Json | None:
    """Its condition, once it is written."""
    said = pods.kube.get("Pod", name, pods.namespace)["status"].get("conditions") or []
    return next((one for one in said if one["type"] == GATE), None)


def opened(world: World, pods: Pods, name: str) -> Json:
    """Its condition; waits for it."""
    found = world.wait(f"the gate of {name} is open", lambda: gate(pods, name))
    assert found is not None
    return found


def start(world: World, namespace: str) -> Pods:
    world.namespace(namespace)
    world.kube.create(service("web", namespace, 0, type="ClusterIP"))
    return Pods(world.kube, namespace, "web")


def serve(world: World, namespace: str) -> None:
    world.kube.create(ingress("web", namespace, rule("gate.example.com", "web"), annotations=DIRECT))


def a_while(seconds: float) -> None:
    """For what should not happen, and would soon."""
    threading.Event().wait(seconds)


def bound(world: World, namespace: str) -> dict[str, int]:
    """Address -> weight on the load balancer."""
    (one,) = world.kube.all("Ingress", namespace)
    rules = [rule for lb in world.of(one["metadata"]["uid"]) for item in lb["listeners"] for rule in item["rules"]]
    return {target["ip"]: target["weight"] for rule in rules for target in rule["targets"]}


def looks(world: World) -> int:
    """How often the cloud was asked about health."""
    return world.calls().get("DescribeTargetHealth", 0)


def test_the_gate_opens_when_the_cloud_calls_the_pod_healthy_and_nobody_asks_after_that(world: World) -> None:
    pods, (a, b, c) = start(world, "opens"), ("127.34.1.1", "127.34.1.2", "127.34.1.3")
    world.seed({"health": {a: "Unknown", b: "Unknown", c: "Dead"}})
    serve(world, "opens")
    for name, address in (("web-a", a), ("web-b", b), ("web-c", c)):
        run(pods, name, address)
    pods.endpoints(**{"web-a": (a, "unready"), "web-b": (b, "unready"), "web-c": (c, "unready")})
    world.wait("all are bound", lambda: bound(world, "opens") == {a: 10, b: 10, c: 10})
    seen = looks(world)
    world.wait("it was asked twice", lambda: looks(world) >= seen + 2)
    assert [gate(pods, name) for name in ("web-a", "web-b", "web-c")] == [None, None, None]

    world.seed({"health": {a: "Alive", b: "Alive"}})
    found = opened(world, pods, "web-a")
    world.wait("so is the second", lambda: gate(pods, "web-b"), 1.0)
    assert gate(pods, "web-c") is None
    assert (found["status"], found["reason"]) == ("True", "LoadBalancerNetworkGroupReady")
    assert found["message"] == f'Marking condition "{GATE}" to True.'
    assert [one["type"] for one in pods.kube.get("Pod", "web-a", "opens")["status"]["conditions"]].count("Ready") == 1

    world.seed({"health": {c: "Alive"}})
    world.wait("the last is open", lambda: gate(pods, "web-c"))
    seen = looks(world)
    a_while(3.0)
    assert looks(world) == seen


def test_the_weight_stays_while_the_kubelet_has_not_seen_that_the_gate_is_open(world: World) -> None:
    pods, a = start(world, "lags"), "127.34.2.1"
    serve(world, "lags")
    run(pods, "web-a", a)
    pods.endpoints(**{"web-a": (a, "unready")})
    written = opened(world, pods, "web-a")
    world.cloud.calls.reset()
    status = {"conditions": [*conditions()[:1], {"type": "Ready", "status": "True"}, written]}
    pods.kube.patch("Pod", "web-a", "lags", {"status": status}, part="status")
    a_while(1.0)
    pods.endpoints(**{"web-a": (a, "ready")})
    a_while(1.0)
    assert bound(world, "lags") == {a: 10}
    assert world.calls() == {}


def test_a_pod_that_was_there_before_its_ingress_is_opened_too(world: World) -> None:
    pods, a = start(world, "earlier"), "127.34.3.1"
    run(pods, "web-a", a)
    pods.endpoints(**{"web-a": (a, "unready")})
    a_while(1.0)
    assert gate(pods, "web-a") is None
    serve(world, "earlier")
    assert opened(world, pods, "web-a")["status"] == "True"


def test_a_pod_whose_containers_are_not_ready_is_neither_bound_nor_opened(world: World) -> None:
    pods, a, b = start(world, "early"), "127.34.4.1", "127.34.4.2"
    serve(world, "early")
    run(pods, "web-a", a, containers=False)
    run(pods, "web-b", b)
    pods.endpoints(**{"web-a": (a, "unready"), "web-b": (b, "unready")})
    world.wait("the other one is open", lambda: gate(pods, "web-b"))
    assert (bound(world, "early"), gate(pods, "web-a")) == ({b: 10}, None)
    pods.kube.patch("Pod", "web-a", "early", {"status": {"conditions": conditions()}}, part="status")
    world.wait("it is open", lambda: gate(pods, "web-a"))
    assert bound(world, "early") == {a: 10, b: 10}


def test_one_load_balancer_that_is_gone_keeps_no_gates_of_others_closed(world: World) -> None:
    lost, pods, a, b = start(world, "lost"), start(world, "kept"), "127.34.5.1", "127.34.5.2"
    for namespace, ours, address in (("lost", lost, a), ("kept", pods, b)):
        world.seed({"health": {address: "Unknown"}})
        serve(world, namespace)
        run(ours, "web-a", address)
        ours.endpoints(**{"web-a": (address, "unready")})
        world.wait("it is bound", lambda: bound(world, namespace).values())  # noqa: B023  # asked at once
    (one,) = world.kube.all("Ingress", "lost")
    (load_balancer,) = world.of(one["metadata"]["uid"])
    world.console(edit="delete_load_balancer", load_balancer=load_balancer["id"])
    world.seed({"health": {b: "Alive"}})
    world.wait("it is open", lambda: gate(pods, "web-a"))
    assert gate(lost, "web-a") is None
