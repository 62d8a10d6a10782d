"""What becomes of a load balancer that we made when its Ingress goes: how it is kept, and what makes deleting hard."""

import pytest

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.world import World

pytestmark = pytest.mark.usefixtures("watchman")

RETAIN = {"ingress.cloud.tencent.com/loadbalance-retain": "true"}


def _serve(world: World, annotations: dict[str, str] | None = None, *rules: manifests.Json) -> str:
    world.users.create(manifests.ingress("shop", *rules, annotations=annotations))
    world.start()
    world.settle()
    world.account.forget_calls()
    return world.account.lb().id


def _is_kept(world: World) -> None:
    """It is there without anything of ours, and the Ingress is gone."""
    lb = world.account.lb()
    assert lb.listeners == {}
    assert {"tke-clusterId", "tke-lb-ingress-uuid", "tke-createdBy-flag", "l7lb-cluster-uid"}.isdisjoint(lb.tags)
    assert world.users.find() is None
    assert "DeleteLoadBalancer" not in world.account.calls()


def test_deletion_protection_keeps_the_load_balancer(world: World) -> None:
    world.account.edit("update", _serve(world), fields={"delete_protect": True})
    world.users.delete()
    world.settle()
    lb = world.account.lb()
    assert lb.delete_protect
    assert lb.listeners == {}
    assert world.users.find() is None


def test_the_owner_tag_that_users_may_edit_keeps_the_load_balancer(world: World) -> None:
    world.account.edit("set_tags", _serve(world), set={"tke-lifecycle-owner": "user"})
    world.live().verify()
    world.settle()
    world.users.delete()
    world.settle()
    _is_kept(world)
    assert world.account.lb().tags == {"tke-lifecycle-owner": "user"}


def test_an_owner_tag_set_right_before_the_deletion_is_honoured_although_nobody_looked(world: World) -> None:
    world.account.edit("set_tags", _serve(world), set={"tke-lifecycle-owner": "user"})
    world.users.delete()
    world.settle()
    _is_kept(world)


def test_the_retain_annotation_keeps_the_load_balancer(world: World) -> None:
    _serve(world, RETAIN)
    world.users.delete()
    world.settle()
    _is_kept(world)


def test_a_service_that_uses_the_load_balancer_keeps_it_and_its_listeners(world: World) -> None:
    lb_id = _serve(world)
    world.account.edit("set_tags", lb_id, set={"tke-lb-serviceId": "svc-1"})
    world.account.edit(
        "add_listener", lb_id, listener={"name": "TKE-DEDICATED-LISTENER", "protocol": "TCP", "port": 9000}
    )
    world.users.delete()
    world.settle()
    assert [item.port for item in world.account.lb().listeners.values()] == [9000]
    assert world.users.find() is None


def test_many_bound_targets_do_not_keep_what_the_user_has_deleted(world: World) -> None:
    _serve(world, None, manifests.rule("a.example.com", *(f"/{number}" for number in range(12))))
    world.users.delete()
    world.settle()
    assert world.account.emulator.calls.errors["FailedOperation.TargetNumCheckRisk"] == 1
    assert world.account.lbs() == []
    assert world.users.find() is None
    assert world.said("ForcingDeletion")


def test_the_deletion_guard_of_the_cloud_is_waited_for(world: World) -> None:
    _serve(world)
    at = world.clock.now()
    world.account.emulator.world.deletions["ap-guangzhou"] = [at] * 30
    world.users.delete()
    world.settle()
    assert world.account.emulator.calls.errors["FailedOperation.FrequencyCheckRisk"] >= 1
    assert world.clock.now() >= at + 300
    assert world.account.lbs() == []
    assert world.users.find() is None


def test_the_wait_for_the_deletion_guard_shows_in_the_condition(world: World) -> None:
    _serve(world)
    world.account.emulator.world.deletions["ap-guangzhou"] = [world.clock.now()] * 30
    world.users.delete()
    world.run(10.0)
    assert "Deleting" in world.users.ingress().why


def test_mode_skip_lets_a_deleted_ingress_go_and_touches_nothing(world: World, watchman: Watchman) -> None:
    lb_id = _serve(world)
    world.users.annotate({"ingress.cloud.tencent.com/mode": "skip"})
    world.settle()
    world.account.forget_calls()
    before = world.account.lb().listeners.copy()
    world.after_step = lambda: None  # the one way in which something of ours is left behind on purpose
    world.users.delete()
    world.settle()
    assert world.account.writes() == {}
    assert world.account.lb().listeners == before
    assert world.users.find() is None
    assert any(lb_id in message for message in world.said("LoadBalancerLeft"))
    watchman.broken.clear()
    world.account.edit("delete_load_balancer", lb_id)


def test_mode_skip_on_a_living_ingress_means_not_one_write(world: World) -> None:
    _serve(world)
    world.users.annotate({"ingress.cloud.tencent.com/mode": "skip"})
    world.users.rules(manifests.rule("b.example.com"))
    world.settle()
    assert world.account.writes() == {}
    assert any("skip" in message for message in world.said("Skipped"))


def test_tags_taken_away_by_hand_leave_the_load_balancer_and_let_the_ingress_go(world: World) -> None:
    lb_id = _serve(world)
    world.account.edit("set_tags", lb_id, remove=["tke-createdBy-flag", "tke-clusterId", "tke-lb-ingress-uuid"])
    world.users.delete()
    world.settle()
    assert world.account.lb().id == lb_id
    assert world.users.find() is None
    assert any(message.startswith("W1001") and lb_id in message for message in world.said("LoadBalancerLeft"))


def test_other_controllers_finalizers_are_left_alone(world: World) -> None:
    _serve(world)
    world.users.patch({"metadata": {"finalizers": ["l7lb.dev/load-balancer", "example.com/other"]}})
    world.settle()
    world.users.delete()
    world.settle()
    assert world.account.lbs() == []
    assert world.users.ingress().finalizers == ["example.com/other"]


def test_the_finalizer_of_the_old_controller_goes_with_ours(world: World) -> None:
    _serve(world)
    world.users.patch({"metadata": {"finalizers": ["l7lb.dev/load-balancer", "ingress.k8s.tencent/resources"]}})
    world.settle()
    world.users.delete()
    world.settle()
    assert world.users.find() is None


def test_what_was_deleted_before_it_was_taken_over_is_told_that_the_old_controller_has_to_end_it(world: World) -> None:
    going = manifests.ingress("shop")
    going["metadata"]["finalizers"] = ["ingress.k8s.tencent/resources"]
    world.users.create(going)
    world.users.delete()
    world.start()
    world.settle()
    (message,) = world.said("LeftToTke")
    assert "ingress.k8s.tencent/resources holds it" in message
    assert world.users.ingress().finalizers == ["ingress.k8s.tencent/resources"]
    assert not world.account.writes()


def test_a_listener_whose_creation_was_not_answered_is_waited_for_before_the_load_balancer_is_left_alone(
    world: World,
) -> None:
    world.account.fault("CreateListener", "drop_after")
    world.users.create(manifests.ingress("shop", annotations=RETAIN))
    world.start()
    world.until("a listener is on its way", lambda: world.account.calls().get("CreateListener"))
    world.users.delete()
    world.settle()
    _is_kept(world)
