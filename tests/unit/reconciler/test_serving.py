"""The main job: an Ingress becomes a load balancer, follows its edits and its nodes, and goes."""

import pytest

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.cluster import NODES, SERVICES
from tests.simulation.world import World

pytestmark = pytest.mark.usefixtures("watchman")


def _serve(world: World, *rules: manifests.Json, tls: str = "") -> str:
    uid = world.users.create(manifests.ingress("shop", *rules, tls=tls))
    world.start()
    world.settle()
    world.account.forget_calls()
    return uid


def test_an_ingress_becomes_a_load_balancer_with_its_rules_and_targets(world: World, watchman: Watchman) -> None:
    uid = _serve(world, manifests.rule("a.example.com", "/", "/x"))
    lb = world.account.lb()
    assert lb.tags == {
        "tke-createdBy-flag": "yes",
        "tke-clusterId": "cls-9mfq2k1t",
        "tke-lb-ingress-uuid": uid,
        "tke-lifecycle-owner": "tke",
        "l7lb-cluster-uid": world.around.cluster.uid,
    }
    assert world.users.ingress().addresses == [lb.vip]
    assert world.users.ingress().annotations["kubernetes.io/ingress.qcloud-loadbalance-id"] == lb.id
    watchman.check_rest()


def test_building_takes_the_calls_of_the_budget_when_each_task_ends_before_its_first_poll(watchman: Watchman) -> None:
    world = World(latency=0.1)
    _ = watchman
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.account.forget_calls()
    world.settle()
    assert world.account.calls() == {
        "DescribeLoadBalancers": 2,
        "CreateLoadBalancer": 1,
        "CreateListener": 1,
        "CreateRule": 1,
        "DescribeListeners": 1,
        "BatchRegisterTargets": 1,
        "DescribeTaskStatus": 2,
    }


def test_an_edit_changes_the_rules_and_takes_no_target_away_before_the_new_one_serves(
    world: World, watchman: Watchman
) -> None:
    _serve(world, manifests.rule("a.example.com", "/", "/x"))
    world.users.rules(manifests.rule("a.example.com", "/", backend="api"), manifests.rule("b.example.com"))
    world.settle()
    assert world.account.paths() == {"a.example.com/", "b.example.com/"}
    watchman.check_rest()


def test_a_node_that_joins_costs_one_write_and_no_read(world: World, watchman: Watchman) -> None:
    _serve(world)
    world.account.seed(instances=[{"id": "ins-0000000c", "ip": "10.0.0.3"}])
    world.users.create(manifests.node("node-c", "10.0.0.3", "ins-0000000c"))
    world.settle()
    assert world.account.calls() == {"BatchRegisterTargets": 1}
    assert ("a.example.com/", "10.0.0.3", 30080) in world.account.targets()
    watchman.check_rest()


def test_a_node_that_leaves_costs_one_write_and_no_read(world: World, watchman: Watchman) -> None:
    _serve(world)
    world.users.remove(f"{NODES}/node-b")
    world.settle()
    assert world.account.calls() == {"BatchDeregisterTargets": 1}
    watchman.check_rest()


def test_an_event_that_changes_nothing_costs_no_call(world: World) -> None:
    _serve(world)
    world.users.update(f"{SERVICES}/web", {"metadata": {"labels": {"seen": "yes"}}})
    world.users.patch({"metadata": {"labels": {"seen": "yes"}}})
    world.settle()
    assert world.account.calls() == {}


def test_a_rotated_certificate_is_put_in_the_place_of_the_old(world: World, watchman: Watchman) -> None:
    _serve(world, tls="cert")
    world.users.update("/api/v1/namespaces/shop/secrets/cert", {"stringData": {"qcloud_cert_id": "certecc1"}})
    world.settle()
    listener = world.account.listener(443)
    shown = listener.certificate or next(iter(listener.rules.values())).certificate
    assert shown is not None
    assert shown.server_ids == ("certecc1",)
    watchman.check_rest()


def test_a_deleted_ingress_takes_its_load_balancer_along(world: World) -> None:
    _serve(world)
    world.users.delete()
    world.settle()
    assert world.account.lbs() == []
    assert world.users.find() is None
    assert any("deleting load balancer lb-00000001" in message for message in world.said("Disposing"))


def test_the_finalizer_goes_when_the_load_balancer_is_gone_and_not_when_the_call_was_accepted() -> None:
    world = World(latency={"DeleteLoadBalancer": 20.0, "*": 0.1})
    Watchman(world)
    _serve(world)
    world.users.delete()
    world.run(15.0)
    assert world.account.emulator.calls.counts["DeleteLoadBalancer"] == 1
    assert world.users.ingress().finalizers == ["l7lb.dev/load-balancer"]
    world.settle()
    assert world.users.find() is None


def test_an_ingress_that_was_gone_before_we_saw_it_costs_nothing(world: World) -> None:
    world.start()
    world.users.create(manifests.ingress("shop"))
    world.users.delete()
    world.settle()
    assert world.account.writes() == {}


def test_a_rule_without_its_service_waits_alone(world: World) -> None:
    _serve(world, manifests.rule("a.example.com"), manifests.rule("b.example.com", backend="later"))
    assert world.account.paths() == {"a.example.com/"}
    assert "E4041" in world.users.ingress().why or "later" in world.users.ingress().why
    world.users.create(manifests.service("later", 30099))
    world.settle()
    assert world.account.paths() == {"a.example.com/", "b.example.com/"}


def test_nothing_is_bought_while_nothing_could_be_served(world: World) -> None:
    _serve(world, manifests.rule("a.example.com", backend="later"))
    assert world.account.writes() == {}
    assert world.users.ingress().finalizers == []
    world.users.create(manifests.service("later", 30099))
    world.settle()
    assert world.account.paths() == {"a.example.com/"}


def test_drift_on_what_is_ours_is_repaired_by_the_verifier(world: World, watchman: Watchman) -> None:
    _serve(world, manifests.rule("a.example.com", "/", "/x"))
    lb = world.account.lb()
    world.account.edit("delete_rule", lb.id, listener="HTTP:80", rule="a.example.com/x")
    world.account.edit("set_targets", lb.id, listener="HTTP:80", rule="a.example.com/", targets=[])
    world.live().verify()
    world.settle()
    watchman.check_rest()


@pytest.mark.parametrize("waits", [False, True], ids=["nothing else is waited for", "another wait ends before"])
def test_a_service_that_is_gone_loses_its_targets_after_five_minutes(world: World, waits: bool) -> None:
    _serve(world)
    assert world.account.targets()
    if waits:
        world.gate_open = False
        world.users.rules(manifests.rule("a.example.com", "/", "/new"))
        world.run_for(10.0)
        world.gate_open = True
    world.users.remove(f"{SERVICES}/web")
    world.run_for(295.0)
    assert world.account.targets(), "it may come back"
    world.settle()
    assert not world.account.targets()
    assert world.account.paths() == {"a.example.com/"}, "the rule stays, and none is made"


def test_a_service_that_nobody_can_ask_for_is_asked_for_again(world: World) -> None:
    _serve(world)
    world.users.remove(f"{SERVICES}/web")
    world.run_for(295.0)
    world.users.fault("http_500", resource="services", verb="get", count=2)
    world.settle()
    assert not world.account.targets()
