"""Two clusters with one `--cluster-id` in one account: neither takes, orphans or deletes what is the other's."""

from dataclasses import replace

import pytest

from l7lb.errors import ConfigurationError
from tests.simulation import manifests
from tests.simulation.account import Account
from tests.simulation.world import World

IDENTITY = "l7lb-cluster-uid"
SERVICE = {
    "tke-createdBy-flag": "yes", "tke-clusterId": "cls-9mfq2k1t", "tke-lb-serviceId": "b5b9", "tke-lb-serviceuuid": "u",
}  # fmt: skip


def _pair() -> tuple[World, World]:
    """The same account and the same id, but another `kube-system`, and so another UID of everything."""
    first, second = World(), World(seed=7)
    second.account = Account(first.account.emulator)
    second.clock = first.clock
    second.around = replace(second.around, clock=first.clock, cloud=first.account.emulator)
    assert first.around.cluster.id == second.around.cluster.id
    assert first.around.cluster.uid != second.around.cluster.uid
    return first, second


def _serve(world: World, name: str = "shop") -> str:
    """Serve one Ingress; the id of its load balancer."""
    before = {lb.id for lb in world.account.lbs()}
    world.users.create(manifests.ingress(name))
    if world.process is None:
        world.start()
    world.settle()
    (made,) = {lb.id for lb in world.account.lbs()} - before
    return made


@pytest.mark.parametrize("order", [0, 1], ids=["the one first", "the other first"])
def test_the_second_cluster_with_an_id_does_not_start_and_changes_nothing(order: int) -> None:
    first, second = _pair()[:: -1 if order else 1]
    lb = _serve(first)
    second.users.create(manifests.ingress("theirs"))
    first.account.forget_calls()
    with pytest.raises(ConfigurationError, match=f"--cluster-id: load balancers {lb} bear"):
        second.start()
    assert first.account.writes() == {}
    first.start()
    first.settle()
    assert first.users.ingress().is_ready


def test_where_both_were_running_already_each_keeps_what_is_its_own_and_neither_starts_again() -> None:
    first, second = _pair()
    first.start()
    second.start()
    mine, theirs = _serve(first), _serve(second)
    for world in (first, second):
        world.live().verify()
        world.settle()
    tags = {lb.id: lb.tags[IDENTITY] for lb in first.account.lbs()}
    assert tags == {mine: first.around.cluster.uid, theirs: second.around.cluster.uid}
    first.users.delete()
    first.settle()
    assert [lb.id for lb in first.account.lbs()] == [theirs]
    with pytest.raises(ConfigurationError):
        first.start()


def test_a_cluster_that_was_built_anew_under_its_old_id_is_told_whose_load_balancers_are_there() -> None:
    before, after = _pair()
    lb = _serve(before)
    before.crash()
    after.users.create(manifests.ingress("shop"))
    with pytest.raises(ConfigurationError, match="were made for another cluster with that id"):
        after.start()
    # The way out: what is left of the old cluster is torn down by its own identity, or deleted in the console.
    after.account.edit("delete_load_balancer", lb)
    after.start()
    after.settle()
    assert after.users.ingress().is_ready


NAMED = "kubernetes.io/ingress.existLbId"
SHOWN = "kubernetes.io/ingress.qcloud-loadbalance-id"


@pytest.mark.parametrize("door", [NAMED, SHOWN, "record"])
def test_the_load_balancer_of_a_service_is_neither_taken_nor_given_up_through_any_door(door: str) -> None:
    world = World()
    lb = world.account.lend("lb-service1", tags=dict(SERVICE))
    before = dict(lb.tags), dict(lb.listeners)
    world.users.create(manifests.ingress("shop", annotations={door: lb.id} if door != "record" else None))
    if door == "record":
        uid = world.users.ingress().uid
        record = f'{{"v":1,"uid":"{uid}","cluster":"cls-9mfq2k1t","region":"ap-guangzhou","lb":"{lb.id}"}}'
        world.users.annotate({"l7lb.dev/record": record})
    world.start()
    world.run(300.0)
    assert {"E4017", "E4019"} & set(world.users.ingress().why.replace(":", "").split())
    assert len(world.account.lbs()) == 1
    world.users.delete()
    world.run(300.0)
    world.live().verify()
    world.run(300.0)
    assert world.users.find() is None
    assert (lb.tags, lb.listeners) == before
    assert world.account.writes() == {}
