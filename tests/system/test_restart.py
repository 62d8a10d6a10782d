"""Dying and standing aside: whoever ends in the middle or may not write, there is one load balancer and no leak."""

from collections.abc import Iterator

import pytest

from tests import envtest
from tests.system.kube import Json
from tests.system.test_trouble import CREATE, becomes_whole, edit, is_whole, shop
from tests.system.world import FINALIZER, World

pytestmark = pytest.mark.system

SLOW = {"CreateLoadBalancer": 0.6, "DeleteLoadBalancer": 0.6, "CreateListener": 0.4, "CreateRule": 0.4, "*": 0.0}


@pytest.fixture(scope="module")
def slow() -> Iterator[World]:
    """A cloud that takes its time, so that there is an instant to die at."""
    with World(setup={"latency": SLOW}) as world:
        world.start()
        yield world


def die_at(world: World, action: str) -> None:
    namespace = f"killed-{action.lower()}"
    before = world.calls().get(action, 0)
    uid = shop(world, namespace)
    world.wait(f"{action} is called", lambda: world.calls().get(action, 0) > before)
    world.crash()
    world.start()
    becomes_whole(world, uid, namespace)
    world.gone("web", namespace)
    assert not world.of(uid)


@pytest.mark.parametrize("action", [CREATE, "CreateListener", "CreateRule", "BatchRegisterTargets"])
def test_killed_in_the_middle_of_a_creation_there_is_one_load_balancer(slow: World, action: str) -> None:
    die_at(slow, action)


@pytest.mark.envtest
@pytest.mark.skipif(envtest.assets() is None, reason="no etcd and kube-apiserver in KUBEBUILDER_ASSETS")
def test_killed_in_the_middle_of_a_creation_on_a_real_api_server_there_is_one_load_balancer() -> None:
    with World(real=True, setup={"latency": SLOW}) as world:
        world.start()
        die_at(world, CREATE)


def test_killed_in_the_middle_of_a_deletion_the_deletion_ends(slow: World) -> None:
    uid = shop(slow, "killed-deleting")
    becomes_whole(slow, uid, "killed-deleting")
    before = slow.calls().get("DeleteLoadBalancer", 0)
    slow.kube.delete("Ingress", "web", "killed-deleting")
    slow.wait("the deletion is on its way", lambda: slow.calls().get("DeleteLoadBalancer", 0) > before)
    slow.crash()
    slow.start()
    slow.gone("web", "killed-deleting")
    assert not slow.of(uid)


# beside TKE's own controller


def writes(world: World) -> list[str]:
    return sorted(action for action in world.calls() if not action.startswith("Describe"))


def config(switch: str) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "tke-service-controller-config", "namespace": "kube-system"},
        "data": {"EnableIngressController": switch},
    }


TKES_CONTROLLER: Json = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "l7-lb-controller", "namespace": "kube-system"},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "l7-lb-controller"}},
        "template": {
            "metadata": {"labels": {"app": "l7-lb-controller"}},
            "spec": {"containers": [{"name": "controller", "image": "l7-lb-controller:1"}]},
        },
    },
}


def test_nothing_is_written_while_tkes_controller_may_run_and_work_begins_when_it_is_off() -> None:
    with World() as world:
        world.kube.create(TKES_CONTROLLER)
        world.kube.create(config("true"))
        uid = shop(world, "gated")
        made = world.kube.get("Ingress", "web", "gated")
        log = world.start().log
        world.leads()
        world.wait("the log says why it waits", lambda: "gate closed" in log.read_text(encoding="utf-8"))
        world.wait("the cloud was looked at", lambda: world.calls().get("DescribeLoadBalancers", 0) >= 2)
        edit(world, "gated")
        edited = world.kube.get("Ingress", "web", "gated")
        shop(world, "gated-too")
        world.wait("both were looked at", lambda: world.calls()["DescribeLoadBalancers"] >= 4)
        assert writes(world) == []
        now = world.kube.get("Ingress", "web", "gated")
        assert now["metadata"]["resourceVersion"] == edited["metadata"]["resourceVersion"]
        assert not made["metadata"].get("finalizers")
        assert world.kube.events("web", "gated") == []

        world.kube.patch("ConfigMap", "tke-service-controller-config", "kube-system", {"data": config("false")["data"]})
        becomes_whole(world, uid, "gated")
        assert FINALIZER in world.kube.get("Ingress", "web", "gated")["metadata"]["finalizers"]

        world.kube.patch("ConfigMap", "tke-service-controller-config", "kube-system", {"data": config("true")["data"]})
        world.wait("it is closed again", lambda: log.read_text(encoding="utf-8").count("gate closed") == 2)
        world.cloud.calls.reset()
        before = world.load_balancers()
        world.kube.delete("Ingress", "web", "gated")
        shop(world, "gated-later")
        world.wait("what came later was looked at", lambda: world.calls().get("DescribeLoadBalancers", 0) > 0)
        assert writes(world) == []
        assert world.load_balancers() == before
        assert is_whole(world, uid)
