"""What the API server can do to us: conflicts, lost answers, old news, objects that go; and the gate."""

import random

import pytest

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.cluster import FINALIZER, NODES, RECORD
from tests.simulation.feeds import Post
from tests.simulation.world import World, lag


def _serve(world: World) -> str:
    uid = world.users.create(manifests.ingress("shop"))
    world.start()
    world.settle()
    world.account.forget_calls()
    return uid


@pytest.mark.parametrize("kind", ["conflict", "drop", "lost", "http_500", "http_429", "hang"])
@pytest.mark.parametrize("resource", ["ingresses", "ingresses/status"])
def test_a_write_to_the_api_server_that_goes_wrong_is_made_again(world: World, kind: str, resource: str) -> None:
    watchman = Watchman(world)
    for _ in range(3):
        world.users.fault(kind, "patch", resource)
    _serve(world)
    watchman.check_rest()
    world.users.fault(kind, "patch", resource)
    world.users.delete()
    world.settle()
    assert world.account.lbs() == []
    assert world.users.find() is None


def test_the_finalizer_is_on_before_the_first_write_to_the_cloud(world: World) -> None:
    Watchman(world)
    world.users.fault("conflict", "patch", "ingresses", 5)
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.until("it is held", lambda: FINALIZER in world.users.ingress().finalizers)
    assert world.account.writes().get("CreateLoadBalancer", 0) <= 1
    world.settle()
    assert world.users.ingress().is_ready


def test_old_news_does_not_make_us_forget_what_we_wrote_ourselves() -> None:
    world = World(post=Post(lag=lambda: 8.0))
    watchman = Watchman(world)
    _serve(world)
    watchman.check_rest()
    assert len(world.account.lbs()) == 1


def test_an_edit_that_crosses_our_own_write_is_not_lost() -> None:
    world = World(post=Post(lag=lambda: 4.0))
    watchman = Watchman(world)
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.until("the order is out", lambda: world.account.calls().get("CreateLoadBalancer"))
    world.users.rules(manifests.rule("b.example.com"))
    world.settle()
    assert world.account.paths() == {"b.example.com/"}
    watchman.check_rest()


@pytest.mark.parametrize("seed", range(8))
def test_late_doubled_and_overtaking_news_lead_to_the_same_end(seed: int) -> None:
    world = World(post=lag(random.Random(seed)))
    watchman = Watchman(world)
    _serve(world)
    world.users.rules(manifests.rule("a.example.com", "/", "/y"), manifests.rule("b.example.com", backend="api"))
    world.users.remove(f"{NODES}/node-b")
    world.settle()
    watchman.check_rest()


def test_annotations_of_others_survive_our_writes(world: World) -> None:
    _serve(world)
    world.users.annotate({"example.com/theirs": "kept"})
    world.users.rules(manifests.rule("b.example.com"))
    world.settle()
    assert world.users.ingress().annotations["example.com/theirs"] == "kept"


def test_a_finalizer_that_somebody_took_off_is_put_on_again(world: World) -> None:
    _serve(world)
    world.users.patch({"metadata": {"finalizers": None}})
    world.settle()
    assert world.users.ingress().finalizers == [FINALIZER]


def test_a_finalizer_that_was_taken_off_a_refused_ingress_is_put_on_again(world: World) -> None:
    _serve(world)
    world.users.patch(
        {"metadata": {"finalizers": None, "annotations": {"ingress.cloud.tencent.com/direct-access": "perhaps"}}}
    )
    world.settle()
    assert not world.users.ingress().is_ready
    assert world.users.ingress().finalizers == [FINALIZER]


def test_a_record_that_somebody_took_off_is_written_again(world: World) -> None:
    _serve(world)
    record = world.users.ingress().record
    world.users.annotate({RECORD: None})
    world.settle()
    assert world.users.ingress().record == record
    assert world.account.writes() == {}


def test_a_status_that_somebody_cleared_is_written_again(world: World) -> None:
    _serve(world)
    world.users.update("/apis/networking.k8s.io/v1/namespaces/shop/ingresses/shop/status",
                       {"status": {"loadBalancer": {"ingress": None}}})  # fmt: skip
    world.live().verify()
    world.settle()
    assert world.users.ingress().addresses == [world.account.lb().vip]


def test_an_ingress_torn_away_in_the_middle_holds_nobody_up(world: World) -> None:
    """Its finalizer was taken off by hand and it was deleted while a task of ours was running."""
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.until("a listener is on its way", lambda: world.account.calls().get("CreateListener"))
    world.users.patch({"metadata": {"finalizers": None}})
    world.users.delete()
    world.settle()
    assert world.users.find() is None
    assert not any("internal error" in repr(one.outcome) for one in world.passes)
    uid = world.users.create(manifests.ingress("shop"))
    world.settle()
    assert [lb.tags["tke-lb-ingress-uuid"] == uid for lb in world.account.lbs()] == [False, True]
    assert world.users.ingress().is_ready


def test_a_lender_is_free_again_when_the_borrower_was_torn_away_in_the_middle(world: World) -> None:
    world.account.lend("lb-lent0001")
    named = {"kubernetes.io/ingress.existLbId": "lb-lent0001"}
    world.users.create(manifests.ingress("shop", annotations=named))
    world.start()
    world.until("a listener is on its way", lambda: world.account.calls().get("CreateListener"))
    world.users.patch({"metadata": {"finalizers": None}})
    world.users.delete()
    world.settle()
    world.clock.advance(5.0)
    assert len(world.account.lb().listeners) == 2
    world.account.edit("set_tags", "lb-lent0001", remove=["tke-lb-ingress-uuid", "tke-clusterId"])
    world.account.edit("delete_listener", "lb-lent0001", listener="HTTP:80")
    world.users.create(manifests.ingress("shop", annotations=named))
    world.settle()
    assert world.users.ingress().is_ready, world.users.ingress().why


def test_the_same_name_again_is_another_ingress(world: World) -> None:
    watchman = Watchman(world)
    _serve(world)
    world.users.delete()
    world.settle()
    world.users.create(manifests.ingress("shop", manifests.rule("b.example.com")))
    world.settle()
    assert world.account.paths() == {"b.example.com/"}
    watchman.check_rest()


def test_while_the_gate_is_closed_nothing_is_written_anywhere(world: World) -> None:
    watchman = Watchman(world)
    world.gate_open = False
    world.users.create(manifests.ingress("shop"))
    before = world.users.ingress().json
    world.start()
    world.run(120.0)
    assert world.account.writes() == {}
    assert world.users.ingress().json == before
    reads = world.account.calls()
    world.run(120.0)
    assert world.account.calls() == reads, "a closed gate costs no calls"
    world.gate_open = True
    world.settle()
    watchman.check_rest()


def test_a_gate_that_closes_in_the_middle_stops_before_the_next_call(world: World) -> None:
    watchman = Watchman(world)
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.until("a listener is on its way", lambda: world.account.calls().get("CreateListener"))
    world.gate_open = False
    written = world.account.writes()
    world.run(300.0)
    assert world.account.writes() == written
    world.gate_open = True
    world.settle()
    watchman.check_rest()


def test_a_deletion_behind_a_closed_gate_waits_and_then_finishes(world: World) -> None:
    _serve(world)
    world.gate_open = False
    world.users.delete()
    world.run(120.0)
    assert world.account.writes() == {}
    assert world.users.ingress().finalizers == [FINALIZER]
    world.gate_open = True
    world.settle()
    assert world.account.lbs() == []
    assert world.users.find() is None


def test_an_api_server_that_is_away_for_a_minute_loses_nothing(world: World) -> None:
    watchman = Watchman(world)
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.until("a listener is on its way", lambda: world.account.calls().get("CreateListener"))
    world.users.fault("http_503", "patch", "*", 30)
    world.settle()
    watchman.check_rest()


def test_a_finalizer_of_somebody_else_is_named_and_left_and_nothing_that_is_gone_is_shown(
    world: World, watchman: Watchman
) -> None:
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.settle()
    assert world.users.ingress().addresses
    world.users.patch({"metadata": {"finalizers": [FINALIZER, "example.com/audit"]}})
    world.users.delete()
    world.settle()
    left = world.users.ingress()
    assert (left.finalizers, left.addresses) == (["example.com/audit"], [])
    assert world.account.lbs() == []
    assert any("example.com/audit" in message for message in world.said("FinalizersLeft"))
    world.users.patch({"metadata": {"finalizers": None}})
    assert world.users.find() is None
    world.settle()
