"""Load balancers whose Ingress has gone without us: found, told, and left where they are."""

import copy

import pytest

from l7lb.telemetry.metrics import CONTROLLER
from tests.emulators.clb.nouns import TagsSeen
from tests.simulation import manifests
from tests.simulation.cluster import INGRESSES
from tests.simulation.world import REGION, World

ORPHANS = "l7lb_orphaned_loadbalancers"


def served(world: World, *names: str) -> None:
    """Each by a load balancer of its own."""
    for name in names:
        world.users.create(manifests.ingress(name))
    world.start()
    world.settle()


def vanish(world: World, name: str = "shop") -> None:
    """Somebody takes the finalizer off a deleted Ingress by hand, while no controller runs."""
    world.crash()
    world.users.delete(name)
    world.users.patch({"metadata": {"finalizers": None}}, name)
    assert world.users.find(name) is None


def look(world: World) -> None:
    """One round of verification, and what comes of it."""
    world.live().verify()
    while (wait_s := sweep(world)) is not None:
        world.clock.advance(wait_s)
    world.run_for(60.0)


def sweep(world: World) -> float | None:
    term = world.live().term
    assert term is not None
    return term.orphans.step()


def shown(world: World, name: str, label: str = CONTROLLER) -> float:
    for family in world.around.metrics.registry.collect():
        for sample in family.samples:
            if sample.name == name and label in sample.labels.values():
                return float(sample.value)
    raise AssertionError(f"{name} is not shown")


def lists(world: World) -> int:
    """How often all Ingresses of the cluster were listed as metadata."""
    return sum(
        line["verb"] == "list"
        and line["path"] == "/apis/networking.k8s.io/v1/ingresses"
        and "limit" not in line["query"]
        for line in world.users.emulator.controls.log.lines
    )


@pytest.fixture
def world() -> World:
    return World()


def test_without_an_orphan_a_look_costs_nothing_more(world: World) -> None:
    served(world, "shop", "blog")
    world.account.forget_calls()
    look(world)
    assert world.account.calls()["DescribeLoadBalancers"] == 1
    assert lists(world) == 0
    assert world.said("OrphansFound") == []
    assert [shown(world, ORPHANS, kind) for kind in ("orphan", "unproven", "lent")] == [0, 0, 0]


def test_an_orphan_is_told_once_counted_and_left(world: World) -> None:
    served(world, "shop", "blog")
    vanish(world)
    world.start()
    for _ in range(3):
        look(world)
    (said,) = world.said("OrphansFound")
    orphan = next(lb for lb in world.account.lbs() if lb.id in said)
    assert f"{REGION}/{orphan.id}: this cluster made it" in said
    assert shown(world, ORPHANS, "orphan") == 1
    assert shown(world, "l7lb_orphan_oldest_seconds") > 0
    assert len(world.account.lbs()) == 2
    assert lists(world) == 1


def test_more_orphans_than_one_look_can_read_again_are_told_by_the_next_ones(world: World) -> None:
    served(world, "shop")
    vanish(world)
    left = world.account.lb()
    for number in range(449):
        one = copy.deepcopy(left)
        one.id, one.name = f"lb-5{number:07x}", f"{left.name}-{number}"
        one.tags = {**left.tags, "tke-lb-ingress-uuid": f"gone-{number}"}
        one.tags_seen = [TagsSeen(0.0, 0.0, one.tags)]
        world.account.emulator.world.load_balancers[one.id] = one
    world.start()
    world.run_for(60.0)
    found = []
    for _ in range(3):
        look(world)
        found.append(shown(world, ORPHANS, "orphan"))
    assert found == [200, 400, 450]


def test_weeks_of_looking_do_not_collect_what_nobody_asked_to_collect(world: World) -> None:
    served(world, "shop")
    vanish(world)
    world.start()
    for _ in range(60):
        look(world)
        world.run_for(12 * 3600.0)
    assert len(world.account.lbs()) == 1
    assert "DeleteLoadBalancer" not in world.account.calls()


def test_a_lent_load_balancer_that_is_left_behind_is_told_and_keeps_its_tags(world: World) -> None:
    world.account.lend("lb-lent0001")
    world.users.create(manifests.ingress("shop", annotations={"kubernetes.io/ingress.existLbId": "lb-lent0001"}))
    world.start()
    world.settle()
    vanish(world)
    before = dict(world.account.lb().tags)
    world.start()
    look(world)
    assert shown(world, ORPHANS, "lent") == 1
    assert world.account.lb().tags == before


def test_nothing_is_told_while_the_ingresses_cannot_be_listed(world: World) -> None:
    served(world, "shop")
    vanish(world)
    world.start()
    world.users.fault("http_500", verb="list", resource="ingresses", count=100)
    look(world)
    assert world.said("OrphansFound") == []
    assert shown(world, ORPHANS, "orphan") == 0
    assert shown(world, "l7lb_orphans_looked_timestamp_seconds") == 0


def test_an_ingress_that_is_being_deleted_in_the_usual_way_leaves_no_orphan(world: World) -> None:
    served(world, "shop", "blog")
    world.users.delete("shop")
    for _ in range(20):
        world.live().verify()
        sweep(world)
        world.run(1.0)
    world.settle()
    assert world.said("OrphansFound") == []
    assert len(world.account.lbs()) == 1


def test_what_went_in_the_usual_way_after_the_look_is_no_orphan(world: World) -> None:
    served(world, "shop", "blog")
    world.live().verify()
    world.users.delete("shop")
    world.settle()
    assert len(world.account.lbs()) == 1
    sweep(world)
    assert world.said("OrphansFound") == []
    assert shown(world, ORPHANS, "orphan") == 0


def test_a_restored_manifest_with_another_uid_keeps_its_load_balancer_from_being_an_orphan(world: World) -> None:
    served(world, "shop")
    saved = world.users.object(f"{INGRESSES}/shop")
    vanish(world)
    meta = {"name": "shop", "namespace": "shop", "annotations": saved["metadata"]["annotations"]}
    world.users.create({**manifests.ingress("shop"), "metadata": meta})
    world.start()
    world.run(60.0)
    look(world)
    assert world.said("OrphansFound") == []
    assert shown(world, ORPHANS, "orphan") == 0


def test_what_is_gone_is_counted_no_more(world: World) -> None:
    served(world, "shop")
    vanish(world)
    world.start()
    look(world)
    world.account.edit("delete_load_balancer", world.account.lb().id)
    look(world)
    assert shown(world, ORPHANS, "orphan") == 0
    assert shown(world, "l7lb_orphan_oldest_seconds") == 0
