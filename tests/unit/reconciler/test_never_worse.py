"""What goes wrong must not make things worse: what serves goes on serving, what is not gone is not let go."""

import pytest

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.world import World

pytestmark = pytest.mark.usefixtures("watchman")

RETAIN = "ingress.cloud.tencent.com/loadbalance-retain"
EXISTING = "kubernetes.io/ingress.existLbId"


def _serve(world: World, **annotations: str) -> None:
    world.users.create(manifests.ingress("shop", manifests.rule("a.example.com"), annotations=annotations))
    world.start()
    world.settle()
    world.account.forget_calls()


def test_a_listener_goes_on_serving_when_the_one_that_replaces_it_is_refused(world: World) -> None:
    _serve(world)
    world.users.create(manifests.secret("bad", "nosuch01"))
    world.users.patch({"spec": {"tls": [{"secretName": "bad"}]}})
    world.settle()
    assert world.account.paths() == {"a.example.com/"}
    assert "E4036" in world.users.ingress().why


@pytest.mark.parametrize("certificate", [None, "nosuch01"], ids=["no Secret", "a refused certificate"])
def test_a_rule_that_waits_for_its_place_on_https_follows_its_nodes(world: World, certificate: str | None) -> None:
    _serve(world)
    if certificate is not None:
        world.users.create(manifests.secret("late", certificate))
    world.users.patch({"spec": {"tls": [{"secretName": "late"}]}})
    world.settle()
    world.account.seed(instances=[{"id": "ins-0000000c", "ip": "10.0.0.3"}])
    world.users.create(manifests.node("node-c", "10.0.0.3", "ins-0000000c"))
    world.users.remove("/api/v1/nodes/node-b")
    world.settle()
    assert {address for _, address, _ in world.account.targets(80)} == {"10.0.0.1", "10.0.0.3"}
    world.account.forget_calls()
    world.live().verify()
    world.settle()
    assert world.account.writes() == {}


def test_a_rule_goes_on_serving_when_the_one_that_replaces_it_is_refused(world: World) -> None:
    _serve(world)
    world.account.fault("CreateRule", "error", code="InvalidParameterValue", message="Url is not valid", count=0)
    world.users.rules(manifests.rule("a.example.com", "/new"))
    world.run_for(100.0)
    assert world.account.paths() == {"a.example.com/"}


@pytest.mark.parametrize("crash", [True, False], ids=["restarted in between", "held up in between"])
def test_a_load_balancer_that_was_to_be_given_back_is_not_deleted_when_its_ingress_returns(
    world: World, watchman: Watchman, crash: bool
) -> None:
    world.users.create(manifests.ingress_class("nginx", "k8s.io/ingress-nginx"))
    _serve(world, **{RETAIN: "true"})
    if not crash:
        world.account.fault("DeleteLoadBalancerListeners", "error", code="FailedOperation", count=3)
    world.users.patch({"spec": {"ingressClassName": "nginx"}})
    world.until("the release begins", lambda: world.users.ingress().record.get("claim") == "releasing")
    if crash:
        world.crash()
    world.users.patch({"spec": {"ingressClassName": None}, "metadata": {"annotations": {RETAIN: None}}})
    if crash:
        world.start()
    world.settle()
    assert "DeleteLoadBalancer" not in world.account.writes()
    assert world.users.ingress().is_ready
    watchman.check_rest()


def test_a_protected_listener_is_asked_for_more_and_more_slowly(world: World) -> None:
    world.account.lend("lb-lent0001")
    _serve(world, **{EXISTING: "lb-lent0001"})
    world.account.fault(
        "DeleteLoadBalancerListeners",
        "error",
        code="OperationDenied",
        message="protected against modification",
        count=0,
    )
    world.users.delete()
    world.run(600.0)
    assert world.account.writes()["DeleteLoadBalancerListeners"] < 30
    world.account.emulator.gateway.faults.clear()
    world.settle()
    assert world.users.find() is None


def test_another_not_found_than_that_of_the_load_balancer_does_not_let_go(world: World) -> None:
    _serve(world)
    world.crash()
    world.account.fault("DescribeListeners", "error", code="ResourceNotFound", message="try later", count=1)
    world.users.delete()
    world.start()
    world.settle()
    assert world.account.lbs() == []
    assert world.users.find() is None
