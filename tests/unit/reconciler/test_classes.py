"""Leaving our class and coming back: the grace for typos, changes of class objects, many exits at once."""

from typing import Any

import pytest

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.feeds import Post
from tests.simulation.world import World

pytestmark = pytest.mark.usefixtures("watchman")

CLASS = "kubernetes.io/ingress.class"
CLASSES = "/apis/networking.k8s.io/v1/ingressclasses"


def _serve(world: World, *names: str, **spec: Any) -> None:
    for name in names or ("shop",):
        world.users.create(manifests.ingress(name, manifests.rule(f"{name}.example.com"), **spec))
    world.start()
    world.settle()
    world.account.forget_calls()


def test_an_ingress_edited_out_of_the_class_is_released_after_the_grace(world: World, watchman: Watchman) -> None:
    _serve(world)
    at = world.clock.now()
    world.users.annotate({CLASS: "nginx"})
    world.run(29.0)
    assert world.account.calls() == {}
    world.settle()
    assert world.clock.now() >= at + 30.0
    assert world.account.lbs() == []
    seen = world.users.ingress()
    assert (seen.finalizers, seen.addresses, seen.condition) == ([], [], {})
    assert seen.record["attempt"] == 1
    watchman.check_rest()


def test_a_typo_that_is_taken_back_within_the_grace_costs_nothing(world: World, watchman: Watchman) -> None:
    _serve(world)
    world.users.annotate({CLASS: "qclout"})
    world.run(20.0)
    world.users.annotate({CLASS: None})
    world.settle()
    assert world.account.calls() == {}
    world.users.annotate({CLASS: "qclout"})
    world.run(20.0)
    assert world.account.calls() == {}, "the grace begins anew"
    world.users.annotate({CLASS: "qcloud"})
    world.settle()
    watchman.check_rest()


def test_who_comes_back_after_the_release_gets_another_load_balancer(world: World, watchman: Watchman) -> None:
    _serve(world)
    old = world.account.lb().id
    world.users.annotate({CLASS: "nginx"})
    world.settle()
    world.users.annotate({CLASS: "qcloud"})
    world.settle()
    assert world.account.lb().id != old
    watchman.check_rest()


def test_who_comes_back_in_the_middle_of_a_release_is_released_first(watchman: Watchman) -> None:
    world = World(switches={"tag_lag_s": 5.0, "tag_filter_lag_s": 5.0})
    _ = watchman
    inner = Watchman(world)
    world.account.lend("lb-lent0001")
    inner.remember()
    named = {"kubernetes.io/ingress.existLbId": "lb-lent0001"}
    world.users.create(manifests.ingress("shop", annotations=named))
    world.start()
    world.settle()
    world.account.forget_calls()
    world.users.annotate({CLASS: "nginx"})
    world.until("its listeners go", lambda: world.account.calls().get("DeleteLoadBalancerListeners"))
    world.users.annotate({CLASS: None})
    world.settle()
    inner.check_rest()
    assert world.users.ingress().record["claim"] == "adopted"


def test_the_sixth_exit_within_ten_minutes_is_stopped_until_somebody_approves(world: World, watchman: Watchman) -> None:
    names = [f"shop-{number}" for number in range(6)]
    _serve(world, *names)
    for name in names:
        world.users.annotate({CLASS: "nginx"}, name)
    world.settle()
    stopped = [name for name in names if world.users.ingress(name).finalizers]
    assert len(stopped) == 1
    why = world.users.ingress(stopped[0]).why
    assert "UnsafePlan" in why
    assert len(world.account.lbs()) == 1
    digest = why.split("l7lb.dev/approve: ")[1].split()[0]
    world.users.annotate({"l7lb.dev/approve": digest}, stopped[0])
    world.settle()
    assert world.account.lbs() == []
    watchman.check_rest()


def test_a_class_object_that_is_deleted_or_replaced_releases_nobody(world: World) -> None:
    world.users.create(manifests.ingress_class("ours"))
    _serve(world, ingressClassName="ours")
    world.users.remove(f"{CLASSES}/ours")
    world.settle()
    assert world.account.calls() == {}
    assert world.said("ClassUnresolved")
    world.users.create(manifests.ingress_class("ours", "example.com/other"))
    world.settle()
    world.run(600.0)
    assert world.account.calls() == {}
    assert world.users.ingress().finalizers


def test_an_unresolved_ingress_that_is_deleted_is_still_disposed_of(world: World) -> None:
    world.users.create(manifests.ingress_class("ours"))
    _serve(world, ingressClassName="ours")
    world.users.remove(f"{CLASSES}/ours")
    world.settle()
    world.users.delete()
    world.settle()
    assert world.account.lbs() == []
    assert world.users.find() is None


def test_a_class_that_is_not_ours_is_left_alone_and_one_that_becomes_ours_is_served(world: World) -> None:
    world.users.create(manifests.ingress("shop", annotations={CLASS: "nginx"}))
    world.start()
    world.settle()
    seen = world.users.ingress()
    assert (seen.finalizers, seen.record, seen.condition) == ([], {}, {})
    assert world.account.writes() == {}
    world.users.annotate({CLASS: None})
    world.settle()
    assert world.users.ingress().is_ready


def test_an_exit_that_the_api_server_does_not_confirm_is_none() -> None:
    """The cache has seen the edit; by the time the grace is over, the author has taken it back."""
    slow = [0.0]
    world = World(post=Post(lag=lambda: slow[0]))
    watchman = Watchman(world)
    _serve(world)
    world.users.annotate({CLASS: "nginx"})
    world.run(5.0)
    slow[0] = 60.0
    world.users.annotate({CLASS: None})
    world.run(40.0)
    assert world.account.calls() == {}
    slow[0] = 0.0
    world.settle()
    watchman.check_rest()
