"""Real processes that divide the load balancers among them: each writes its part, one follows another, one number."""

from collections.abc import Iterator

import pytest

from tests.system.replicas import Replica, holder, wait
from tests.system.world import World, ingress, rule, service

pytestmark = pytest.mark.system

SHOPS = 8


@pytest.fixture
def world() -> Iterator[World]:
    """Without a controller."""
    with World() as one:
        yield one


def test_two_replicas_serve_a_shard_each_and_one_takes_both_when_the_other_is_stopped(world: World) -> None:
    first = Replica(world, "first", shards="2")
    started = [first]
    try:
        first.wait("it holds both", lambda: first.metric("leader_election_master_status") == 2)
        second = Replica(world, "second", shards="2")
        started.append(second)
        wait(
            "each holds one",
            lambda: all(one.metric("leader_election_master_status") == 1 for one in started), 60.0, *started,
        )  # fmt: skip
        world.namespace("shop")
        world.kube.create(service("web", "shop", 0))
        for number in range(SHOPS):
            world.kube.create(ingress(f"web-{number}", "shop", rule("a.example.com", "web")))
        for number in range(SHOPS):
            world.ready(f"web-{number}", "shop")
        assert all(one.writes() for one in started)
        second.process.terminate()
        assert second.ends(40.0) == 0
        first.wait("it holds both again", lambda: first.metric("leader_election_master_status") == 2, 10.0)
        assert first.metric("l7lb_unauthorized_plans_total") == 0
        for one in started:
            one.check()
    finally:
        for one in started:
            one.stop()


def test_a_replica_without_shards_stands_by_while_shards_are_led(world: World) -> None:
    divided, alone = Replica(world, "divided", shards="2"), None
    try:
        divided.wait("it holds both", lambda: divided.metric("leader_election_master_status") == 2)
        alone = Replica(world, "alone")
        alone.wait("it stands by", lambda: alone.said(r"lease: shards/2 has it") if alone is not None else None)
        assert alone.is_ready
        assert not alone.writes()
        assert holder(world) == "shards/2"
    finally:
        divided.stop()
        if alone is not None:
            alone.stop()
