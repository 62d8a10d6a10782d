"""Replicas that divide the load balancers among them: failover, hand-over, another number, and walks with all of it.

Whether a write was begun by who holds the shard, and whether two shards write one load balancer, `Divided` judges.
"""

import pytest

from l7lb.app.campaign import lease_key, shard_key
from l7lb.app.shards import shard_of
from l7lb.model.identity import BindingKey
from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.cluster import INGRESSES
from tests.simulation.divided import Divided
from tests.simulation.kept import go
from tests.simulation.staff import Rig
from tests.simulation.walk import Walk
from tests.simulation.world import CLUSTER, REGION

THREE = 3
SHOPS = 6


def _served(shards: int = THREE, replicas: int = THREE) -> tuple[Divided, Watchman]:
    world = Divided(shards=shards, rig=Rig(replicas=replicas))
    watchman = Watchman(world)
    for number in range(SHOPS):
        world.users.create(manifests.ingress(f"shop-{number}"))
    world.start()
    world.until("each replica has its part", lambda: set(world.held().values()) == {shards // replicas})
    world.settle()
    assert len(world.account.lbs()) == SHOPS
    return world, watchman


def test_three_replicas_come_to_hold_a_shard_each_and_serve_all() -> None:
    world, watchman = _served()
    assert sorted(world.held().values()) == [1, 1, 1]
    watchman.check_rest()


def test_what_a_crashed_replica_had_is_served_again_within_its_lease_and_the_rest_is_not_disturbed() -> None:
    world, watchman = _served()
    lost = world.replicas()[0]
    (shard,) = lost.led
    began, others = world.clock.now(), {one.name: set(one.led) for one in world.replicas() if one is not lost}
    world.rig.restart_s = lambda: 100.0
    world.staff.kill(lost)
    world.until("another works on its shard", lambda: any(shard in one.led for one in world.replicas()))
    assert world.clock.now() - began < 30.0 + 2.0 + 1.0 + 15.0
    assert all(others[one.name] <= one.led for one in world.replicas())
    watchman.check_rest()


def test_a_replica_that_is_stopped_lets_its_shard_go_and_another_has_it_at_once() -> None:
    world, watchman = _served()
    old, began = world.replicas()[0], world.clock.now()
    (shard,) = old.led
    old.leave()
    world.until(
        "another works on its shard", lambda: any(shard in one.led for one in world.replicas() if one is not old)
    )
    assert world.clock.now() - began <= 5.0
    world.until("each has one again", lambda: sorted(world.held().values()) == [1, 1, 1])
    watchman.check_rest()


def test_another_number_is_waited_for_until_the_last_of_the_old_one_has_ended() -> None:
    world, watchman = _served()
    first, *rest = world.replicas()
    world.shards = 2
    first.leave()
    world.run_for(60.0)
    assert sum(world.held().values()) == THREE
    assert not any(one.shards == 2 and one.led for one in world.replicas())
    began = world.clock.now()
    for one in rest:
        one.leave()
    world.until("both shards are led", lambda: sum(world.held().values()) == 2)
    assert 30.0 <= world.clock.now() - began <= 60.0
    watchman.check_rest()


@pytest.mark.parametrize(("before", "after"), [(1, THREE), (THREE, 1)])
def test_one_leader_and_shards_exclude_each_other(before: int, after: int) -> None:
    world = Divided(shards=before, rig=Rig(replicas=2))
    watchman = Watchman(world)
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.settle()
    plain = lease_key(CLUSTER).name
    former = world.registers.holders[plain]
    first, second = world.replicas()
    world.shards = after
    first.leave()
    world.run_for(60.0)
    assert world.registers.holders[plain] == former or before == 1
    second.leave()
    world.settle()
    assert world.registers.holders[plain] != former
    watchman.check_rest()


def test_a_load_balancer_made_in_one_shard_and_named_in_another_goes_on_under_its_own() -> None:
    world, watchman = _served()
    for lb in world.account.lbs():
        uid = lb.tags["tke-lb-ingress-uuid"]
        own, named = BindingKey(f"new/{uid}"), BindingKey(f"lb/{REGION}/{lb.id}")
        if shard_of(own, THREE) != shard_of(named, THREE):
            break
    else:
        pytest.fail("both keys of every load balancer are in one shard")
    name = next(one["metadata"]["name"] for one in world.users.all(INGRESSES) if one["metadata"]["uid"] == uid)
    marks = {"kubernetes.io/ingress.existLbId": lb.id, "l7lb.dev/record": None}
    world.users.annotate(marks, name)
    world.settle()
    watchman.excuse()
    assert len(world.account.lbs()) == SHOPS
    watchman.check_rest()


def test_the_lease_of_each_shard_is_named_by_its_number() -> None:
    world, _ = _served()
    assert set(world.registers.holders) == {
        lease_key(CLUSTER).name,
        *(shard_key(CLUSTER, n).name for n in range(THREE)),
    }


@pytest.mark.parametrize("seed", range(1, 9))
def test_all_promises_hold_with_shards_whose_number_changes_and_it_comes_to_rest(seed: int) -> None:
    go(Walk(seed, profile="shards"))
