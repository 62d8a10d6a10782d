"""Never two load balancers for one Ingress: lost orders, failed orders, used-up tokens, gone ones, copied manifests."""

import gc
import json
import logging

import pytest

from l7lb.errors import Rejected
from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.cluster import FINALIZER, LOAD_BALANCER_ID, RECORD
from tests.simulation.world import World

pytestmark = pytest.mark.usefixtures("watchman")


def _serve(world: World) -> str:
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.settle()
    world.account.forget_calls()
    return world.account.lb().id


def test_a_load_balancer_that_was_deleted_by_hand_is_made_anew_with_the_next_attempt(
    world: World, watchman: Watchman
) -> None:
    old = _serve(world)
    world.account.edit("delete_load_balancer", old)
    world.live().verify()
    world.settle()
    assert world.account.lb().id != old
    assert world.users.ingress().record["attempt"] == 1
    assert world.users.ingress().addresses == [world.account.lb().vip]
    assert any(old in message for message in world.said("LoadBalancerGone"))
    watchman.check_rest()


def test_a_failed_order_is_given_again_after_two_looks_sixty_seconds_apart(world: World) -> None:
    world.account.fault("CreateLoadBalancer", "task_fail")
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.run(30.0)
    assert world.users.ingress().record["claim"] == "failed"
    assert "E4024" in world.users.ingress().why
    world.settle()
    orders = [entry["time"] for entry in world.account.emulator.calls.log if entry["action"] == "CreateLoadBalancer"]
    looks = [entry for entry in world.account.emulator.calls.log if "Filters" in entry["request"]]
    assert len(orders) == 2
    assert orders[1] - orders[0] >= 60
    assert sum(1 for entry in looks if orders[0] < entry["time"] <= orders[1]) >= 2
    assert world.users.ingress().record["attempt"] == 1
    assert len(world.account.lbs()) == 1


def test_a_refused_token_leads_to_the_next_attempt_after_two_looks(world: World) -> None:
    world.account.fault("CreateLoadBalancer", "error", code="InvalidParameter.ClientTokenLimitExceeded")
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.settle()
    assert world.account.calls()["CreateLoadBalancer"] == 2
    assert world.users.ingress().record["attempt"] == 1
    assert len(world.account.lbs()) == 1
    assert world.users.ingress().is_ready


@pytest.mark.parametrize("switch", ["refused", "old_id"])
def test_a_token_whose_load_balancer_is_gone_leads_to_the_next_attempt(switch: str) -> None:
    world = World(switches={"dead_token": switch})
    watchman = Watchman(world)
    _serve(world)
    world.account.edit("delete_load_balancer", world.account.lb().id)
    world.users.annotate({RECORD: None, LOAD_BALANCER_ID: None})
    world.start()
    world.settle()
    assert world.users.ingress().record["attempt"] == 1
    watchman.check_rest()


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "http_500"])
def test_an_order_without_an_answer_is_given_again_with_the_same_token(world: World, kind: str) -> None:
    world.account.fault("CreateLoadBalancer", kind)
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.settle()
    orders = [entry for entry in world.account.emulator.calls.log if entry["action"] == "CreateLoadBalancer"]
    assert len({entry["request"]["ClientToken"] for entry in orders}) == 1
    assert len(world.account.lbs()) == 1


@pytest.mark.parametrize("ids", ["empty", "null"])
def test_an_order_that_names_no_id_is_followed_by_its_task(ids: str) -> None:
    world = World(switches={"create_ids": ids})
    watchman = Watchman(world)
    _serve(world)
    watchman.check_rest()


def test_tags_that_show_late_are_waited_for_before_the_next_write() -> None:
    world = World(switches={"create_tag_lag_s": 20.0, "tag_filter_lag_s": 30.0})
    watchman = Watchman(world)
    _serve(world)
    watchman.check_rest()


def test_a_new_load_balancer_that_never_shows_our_tags_gets_nothing(world: World) -> None:
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.until("it is there", world.account.lbs)
    lb = world.account.lb()
    lb.tags_seen.clear()
    world.run(300.0)
    assert lb.listeners == {}
    assert world.account.calls()["CreateLoadBalancer"] == 1
    assert not world.users.ingress().is_ready


def test_an_ingress_deleted_in_the_middle_of_its_creation_leaves_nothing(world: World) -> None:
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.until("the order is out", lambda: world.account.calls().get("CreateLoadBalancer"))
    world.users.delete()
    world.settle()
    assert world.account.lbs() == []
    assert world.users.find() is None
    assert "CreateListener" not in world.account.calls()


def test_an_ingress_deleted_between_its_listener_and_its_rules_leaves_nothing(world: World) -> None:
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.until("a listener is on its way", lambda: world.account.calls().get("CreateListener"))
    world.users.delete()
    world.settle()
    assert world.account.lbs() == []
    assert world.users.find() is None
    assert "CreateRule" not in world.account.calls()


def test_an_edit_in_the_middle_of_a_flight_cuts_the_plan_short(world: World, watchman: Watchman) -> None:
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.until("a listener is on its way", lambda: world.account.calls().get("CreateListener"))
    world.users.rules(manifests.rule("b.example.com"))
    world.settle()
    assert world.account.paths() == {"b.example.com/"}
    assert world.account.calls()["CreateRule"] == 1
    watchman.check_rest()


def test_a_lost_record_is_found_again_by_the_tags(world: World, watchman: Watchman) -> None:
    lb_id = _serve(world)
    world.users.annotate({RECORD: None, LOAD_BALANCER_ID: None})
    world.start()
    world.settle()
    assert world.account.lb().id == lb_id
    assert world.users.ingress().record["lb"] == lb_id
    watchman.check_rest()


def test_a_copied_manifest_gets_a_load_balancer_of_its_own(world: World, watchman: Watchman) -> None:
    first = _serve(world)
    copied = world.users.ingress().annotations
    world.users.create(manifests.ingress("copy", manifests.rule("copy.example.com"), annotations=copied))
    world.settle()
    assert len(world.account.lbs()) == 2
    assert world.users.ingress("copy").record["lb"] not in ("", first)
    assert world.users.ingress().record["lb"] == first
    watchman.check_rest()


def test_an_id_annotation_that_leads_to_a_strangers_load_balancer_stops_everything(
    world: World, watchman: Watchman
) -> None:
    world.account.seed(load_balancers=[{"id": "lb-strange1", "tags": {"tke-lb-ingress-uuid": "somebody-gone"}}])
    watchman.remember()
    watchman.untouchable.add("lb-strange1")
    world.users.create(manifests.ingress("shop", annotations={LOAD_BALANCER_ID: "lb-strange1"}))
    world.start()
    world.settle()
    assert "E4017" in world.users.ingress().why
    assert world.account.writes() == {}


def test_two_load_balancers_with_our_tags_stop_everything_until_one_is_gone(world: World) -> None:
    tags = {"tke-createdBy-flag": "yes", "tke-clusterId": "cls-9mfq2k1t"}
    uid = world.users.create(manifests.ingress("shop"))
    for lb_id in ("lb-twin0001", "lb-twin0002"):
        world.account.seed(load_balancers=[{"id": lb_id, "tags": {**tags, "tke-lb-ingress-uuid": uid}}])
    world.after_step = lambda: None
    world.start()
    world.settle()
    assert "E4017" in world.users.ingress().why
    assert "lb-twin0001" in world.users.ingress().why
    assert world.account.writes() == {}
    world.account.edit("delete_load_balancer", "lb-twin0002")
    world.start()
    world.settle()
    assert world.users.ingress().record["lb"] == "lb-twin0001"
    assert world.users.ingress().is_ready


def test_a_load_balancer_that_tke_made_is_taken_over_without_a_write(world: World) -> None:
    lb_id = _serve(world)
    lb = world.account.lb()
    lb.tags.pop("l7lb-cluster-uid")
    world.users.annotate({RECORD: None})
    world.users.patch({"metadata": {"finalizers": ["ingress.k8s.tencent/resources"]}})
    world.account.forget_calls()
    world.start()
    world.settle()
    assert world.account.writes() == {}
    assert world.users.ingress().record["lb"] == lb_id
    assert "l7lb.dev/load-balancer" in world.users.ingress().finalizers


def test_a_region_without_money_is_asked_again_slowly(world: World) -> None:
    world.account.emulator.world.quotas["TOTAL_OPEN_CLB_QUOTA"] = 0
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.run(200.0)
    assert "CreateLoadBalancer" not in world.account.calls(), "it must be refused"
    assert "E4003" in world.users.ingress().why
    assert "TOTAL_OPEN_CLB_QUOTA: 0 of 0 in use" in world.users.ingress().why
    world.account.emulator.world.quotas["TOTAL_OPEN_CLB_QUOTA"] = 10
    world.settle()
    assert world.users.ingress().is_ready


def test_the_record_of_another_cluster_counts_as_absent(world: World) -> None:
    record = {
        "v": 1,
        "uid": "x",
        "cluster": "cls-other",
        "region": "ap-guangzhou",
        "lb": "lb-other001",
        "claim": "created",
    }
    world.users.create(manifests.ingress("shop", annotations={RECORD: json.dumps(record)}))
    world.start()
    world.settle()
    assert world.users.ingress().record["lb"] == world.account.lb().id


def _ordered_and_dead() -> World:
    """The process has died after its order; the new load balancer shows its tags two seconds later."""
    world = World(latency=0.1, switches={"create_tag_lag_s": 2.0})
    Watchman(world)
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.until("it is there", world.account.lbs)
    world.crash()
    world.clock.advance(0.5)
    return world


def test_tags_that_show_late_after_a_restart_are_waited_for() -> None:
    world = _ordered_and_dead()
    world.start()
    world.run(10.0)
    assert world.users.ingress().is_ready
    assert not world.said("OwnershipConflict")


def test_tags_that_show_late_are_waited_for_before_a_deleted_ingress_is_let_go() -> None:
    world = _ordered_and_dead()
    world.users.delete()
    world.start()
    world.settle()
    assert world.account.lbs() == []
    assert world.users.find() is None


def test_tags_of_ours_that_were_taken_off_by_hand_are_reported_after_a_minute(world: World) -> None:
    lb_id = _serve(world)
    world.account.edit("set_tags", lb_id, remove=["tke-createdBy-flag", "tke-clusterId", "tke-lb-ingress-uuid"])
    world.after_step = lambda: None
    world.live().verify()
    world.settle()
    assert "E4017" in world.users.ingress().why
    assert world.account.writes() == {}


@pytest.mark.parametrize("action", ["DescribeTaskStatus", "DescribeLoadBalancers"])
def test_a_refused_question_about_an_order_under_way_is_no_refusal_of_the_order(world: World, action: str) -> None:
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.until("the order is placed", lambda: world.account.calls().get("CreateLoadBalancer"))
    world.account.fault(action, "error", code="AuthFailure.UnauthorizedOperation", count=3)
    world.run(20.0)
    assert FINALIZER in world.users.ingress().finalizers
    world.users.delete()
    world.settle()
    assert not world.account.lbs()
    assert world.users.find() is None


def test_an_order_that_is_declined_outright_leaves_no_mark_and_is_not_placed_again(world: World) -> None:
    world.account.fault("CreateLoadBalancer", "error", code="InvalidParameterValue", count=0)
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.run(200.0)
    assert world.account.calls()["CreateLoadBalancer"] == 1
    refused = world.users.ingress()
    assert "E4024" in refused.why
    assert (refused.finalizers, refused.addresses) == ([], [])
    assert RECORD not in refused.annotations
    world.users.delete()
    assert world.users.find() is None


def test_an_edited_order_is_placed_at_once(world: World) -> None:
    world.account.fault("CreateLoadBalancer", "error", code="InvalidParameterValue", count=1)
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.run(20.0)
    assert world.account.lbs() == []
    world.users.annotate({"kubernetes.io/ingress.internetMaxBandwidthOut": "20"})
    world.settle()
    assert len(world.account.lbs()) == 1


def test_nothing_is_bought_while_no_node_is_known(world: World) -> None:
    for node in world.users.all("/api/v1/nodes"):
        world.users.remove(f"/api/v1/nodes/{node['metadata']['name']}")
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.run(60.0)
    assert world.account.writes() == {}
    assert not world.users.ingress().is_ready
    world.users.create(manifests.node("node-z", "10.0.0.99"))
    world.settle()
    assert world.users.ingress().is_ready


def test_orders_of_ingresses_that_have_gone_are_not_remembered(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="l7lb")  # a captured line remembers what it is about
    world.account.fault("CreateLoadBalancer", "error", code="InvalidParameterValue", count=0)
    world.start()
    for number in range(12):
        world.users.create(manifests.ingress(f"shop-{number}"))
        world.run_for(60.0)
        world.users.delete(f"shop-{number}")
    world.passes.clear()  # the simulation remembers everything
    gc.collect()
    kept = [one for one in gc.get_objects() if isinstance(one, Rejected) and one.code == "E4024"]
    assert len(kept) <= 6
    assert all(one.__traceback__ is None for one in kept)
