"""A process freezes with one write on its way, and another takes over (promise 7)."""

import pytest

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.toll import Death, Died
from tests.simulation.world import World

LENT = "lb-lent0001"


def _freeze_at(world: World, action: str) -> None:
    """Run until a call of this action is on its way, and freeze."""
    world.live().toll.arm(1, Death.FROZEN, only=f"clb {action}")
    with pytest.raises(Died):
        world.settle()


def test_a_listener_that_arrives_after_its_ingress_was_deleted_is_not_left_on_a_lent_load_balancer() -> None:
    world = World()
    world.account.lend(LENT)
    watchman = Watchman(world)
    world.users.create(manifests.ingress("shop", annotations={"kubernetes.io/ingress.existLbId": LENT}))
    world.start()
    _freeze_at(world, "CreateListener")
    world.users.delete()
    world.succeed(arrives_after_s=12.0)
    world.settle()
    assert world.users.find() is None
    assert [item.port for item in world.account.lb().listeners.values()] == [8080]
    assert world.account.lb().tags == {"team": "owner"}
    watchman.check()


def test_an_order_that_arrives_after_the_successors_own_gives_the_same_load_balancer() -> None:
    world = World()
    watchman = Watchman(world)
    world.users.create(manifests.ingress("shop"))
    world.start()
    _freeze_at(world, "CreateLoadBalancer")
    world.succeed(arrives_after_s=5.0)
    world.settle()
    assert len(world.account.lbs()) == 1
    watchman.check_rest()


def test_an_order_that_arrives_after_its_ingress_was_deleted_is_found_and_deleted() -> None:
    world = World()
    Watchman(world)
    world.users.create(manifests.ingress("shop"))
    world.start()
    _freeze_at(world, "CreateLoadBalancer")
    world.users.delete()
    world.succeed(arrives_after_s=12.0)
    world.settle()
    assert world.account.lbs() == []
    assert world.users.find() is None


def test_targets_that_arrive_late_are_taken_off_again() -> None:
    world = World()
    watchman = Watchman(world)
    world.users.create(manifests.ingress("shop"))
    world.start()
    _freeze_at(world, "BatchRegisterTargets")
    world.users.rules(manifests.rule("a.example.com", backend="api"))
    world.succeed(arrives_after_s=12.0)
    world.settle()
    watchman.check_rest()
