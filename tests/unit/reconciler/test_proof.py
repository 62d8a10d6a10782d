"""Nothing is deleted, and nothing made anew, because of what a cache or a list says alone."""

import copy

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.cluster import INGRESSES
from tests.simulation.feeds import Post
from tests.simulation.world import World


def test_an_ingress_that_is_going_in_the_cache_and_alive_at_the_api_server_loses_nothing() -> None:
    world = World(post=Post(lag=lambda: 5.0))
    watchman = Watchman(world)
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.settle()
    lb = world.account.lb().id
    world.users.delete()
    world.live().hear()  # the news of the deletion is on its way
    world.clock.advance(3.0)
    _raise_from_the_dead(world)
    world.run(7.0)
    assert world.account.lb().id == lb
    world.settle()
    assert world.account.lb().id == lb
    assert world.users.ingress().is_ready
    watchman.check_rest()


def test_a_list_that_leaves_a_load_balancer_out_does_not_make_a_second_one() -> None:
    world = World()
    watchman = Watchman(world)
    world.users.create(manifests.ingress("shop"))
    world.account.fault("DescribeLoadBalancers", "stale_read", after=1_000, count=0)
    blind = world.account.emulator.gateway.faults.waiting()[0]
    world.start()
    world.settle()
    lb = world.account.lb().id
    blind.after = 0
    world.account.forget_calls()
    world.start()
    world.run(90.0)
    assert blind.hits > 0
    assert world.account.lb().id == lb
    world.account.emulator.gateway.faults.clear()
    world.settle()
    assert world.account.lb().id == lb
    assert world.account.writes() == {}
    watchman.check_rest()


def _raise_from_the_dead(world: World) -> None:
    """As when the store of the API server is put back to a moment before the deletion."""
    storage = world.users.emulator.world.storage
    alive = copy.deepcopy(world.users.object(f"{INGRESSES}/shop"))
    del alive["metadata"]["deletionTimestamp"]
    alive["metadata"].pop("deletionGracePeriodSeconds", None)
    bucket = next(name for name in storage.buckets() if name.startswith("ingresses"))
    storage.put(bucket, ("shop", "shop"), alive)
