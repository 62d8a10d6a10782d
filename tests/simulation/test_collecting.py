"""`--collect-orphans` on a virtual clock: a day, three sightings, five an hour, across deaths and restores."""

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.simulation import manifests
from tests.simulation.copies import copy_of
from tests.simulation.test_orphans import look, served, shown, sweep, vanish
from tests.simulation.toll import Death, Died
from tests.simulation.world import CLUSTER, World

EXAMPLE = Path(__file__).parents[2] / "examples/deploy/collect-orphans.yaml"
HOUR = 3600.0
MEMORY = f"/api/v1/namespaces/kube-system/configmaps/l7lb-{CLUSTER}"
COLLECTED = "l7lb_orphans_collected_total"
ROUND_S = 1800.0


def collecting(*, memory: bool = True, **setup: object) -> World:
    made = World(config={"collect_orphans": True}, **setup)  # type: ignore[arg-type]  # handed on
    if memory:
        make_room(made)
    return made


def make_room(world: World) -> None:
    """The ConfigMap of the memory."""
    place = {"namespace": "kube-system", "name": f"l7lb-{CLUSTER}"}
    world.users.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": place})


@pytest.fixture
def world() -> World:
    return collecting()


def live_for(world: World, hours: float) -> None:
    """With a round of verification every half hour, and the sweeper as often as it wants."""
    end = world.clock.now() + hours * HOUR
    while world.clock.now() < end:
        world.live().verify()
        due = world.clock.now() + ROUND_S
        while (wait_s := sweep(world)) is not None and world.clock.now() + wait_s < due:
            world.clock.advance(max(wait_s, 1e-3))
        world.run_for(max(0.0, due - world.clock.now()))


def _collect(world: World) -> None:
    """As long as the sweeper has something to do at once."""
    while (wait_s := sweep(world)) is not None and wait_s < 50:
        world.clock.advance(wait_s)


def remembered(world: World) -> dict[str, dict[str, object]]:
    said = world.users.object(MEMORY).get("data") or {}
    return dict(json.loads(said.get("orphans.json", "{}")).get("orphans", {}))


def test_an_orphan_is_collected_after_a_day_and_not_before(world: World) -> None:
    served(world, "shop", "blog")
    vanish(world)
    world.start()
    live_for(world, 23.5)
    assert len(world.account.lbs()) == 2
    (seen,) = remembered(world).values()
    assert seen["seen"] == 3
    live_for(world, 2)
    assert len(world.account.lbs()) == 1
    assert world.users.ingress("blog").is_ready
    (said,) = world.said("OrphanDeleting")
    # Half hours are added up to a day but for a rounding error, and then it is the next round.
    assert re.search(r"no list of all Ingresses shows; seen 4 times over 24\.[05] h", said)
    assert len(world.said("OrphanDeleted")) == 1
    assert shown(world, COLLECTED) == 1
    assert remembered(world) == {}
    assert shown(world, "l7lb_unauthorized_plans_total") == 0


def test_sightings_outlive_a_process(world: World) -> None:
    served(world, "shop")
    vanish(world)
    for _ in range(9):
        world.start()
        live_for(world, 3)
    assert world.account.lbs() == []


def test_without_a_place_for_its_memory_nothing_is_collected() -> None:
    world = collecting(memory=False)
    served(world, "shop")
    vanish(world)
    world.start()
    live_for(world, 72)
    assert len(world.account.lbs()) == 1


def test_a_memory_that_is_lost_only_delays(world: World) -> None:
    served(world, "shop")
    vanish(world)
    world.start()
    live_for(world, 20)
    world.users.update(MEMORY, {"data": None})
    world.start()
    live_for(world, 20)
    assert len(world.account.lbs()) == 1
    live_for(world, 6)
    assert world.account.lbs() == []


def test_nothing_is_collected_while_the_gate_is_closed(world: World) -> None:
    served(world, "shop")
    vanish(world)
    world.start()
    live_for(world, 20)
    world.gate_open = False
    live_for(world, 48)
    assert len(world.account.lbs()) == 1
    world.gate_open = True
    live_for(world, 26)
    assert world.account.lbs() == []


def test_nothing_is_collected_while_the_ingresses_cannot_be_listed(world: World) -> None:
    served(world, "shop")
    vanish(world)
    world.start()
    live_for(world, 20)
    world.users.fault("http_500", verb="list", resource="ingresses", count=10_000)
    live_for(world, 24)
    assert len(world.account.lbs()) == 1
    assert shown(world, COLLECTED) == 0


def test_five_an_hour_and_no_more_whoever_leads(world: World) -> None:
    names = [f"shop-{number}" for number in range(12)]
    served(world, *names)
    world.crash()
    for name in names:
        vanish(world, name)
    world.start()
    live_for(world, 24)
    left = [len(world.account.lbs())]
    for _ in range(6):
        world.start()
        live_for(world, 0.5)
        left.append(len(world.account.lbs()))
    assert left[-1] == 0
    gone = [before - after for before, after in zip(left, left[2:], strict=False)]
    assert max(gone) <= 5


def test_a_cluster_restored_from_an_older_state_keeps_what_it_has_forgotten_for_a_day(world: World) -> None:
    served(world, "blog")
    before = world.users.emulator.world.storage.revision
    world.users.create(manifests.ingress("shop"))
    world.settle()
    new = world.users.ingress("shop")
    world.users.emulator.controls.restore(before, counter_rises=True)
    assert world.users.find("shop") is None
    world.start()
    live_for(world, 23)
    assert len(world.account.lbs()) == 2
    # Somebody applies the manifest again: it has another UID, and nothing of ours on it.
    world.users.create(manifests.ingress("shop"))
    world.run_for(60)
    assert world.users.ingress("shop").uid != new.uid
    live_for(world, 2.5)
    assert len(world.account.lbs()) == 2
    assert all(world.users.ingress(name).is_ready for name in ("shop", "blog"))


def test_a_backup_that_brings_the_ingress_itself_back_ends_the_count(world: World) -> None:
    served(world, "shop")
    storage = world.users.emulator.world.storage
    then = storage.revision
    vanish(world)
    world.start()
    live_for(world, 20)
    world.crash()
    world.users.emulator.controls.restore(then, counter_rises=True)
    world.users.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
    world.start()
    live_for(world, 48)
    assert len(world.account.lbs()) == 1
    assert world.users.ingress("shop").is_ready
    assert world.said("OrphanDeleting") == []


TOUCHES: dict[str, tuple[str, dict[str, object]]] = {
    "tagged as the user's": ("set_tags", {"set": {"tke-lifecycle-owner": "user"}}),
    "used by a Service": ("set_tags", {"set": {"tke-lb-serviceuuid": "abc"}}),
    "given to another cluster": ("set_tags", {"set": {"tke-clusterId": "cls-another"}}),
    "stripped of its maker": ("set_tags", {"remove": ["tke-createdBy-flag"]}),
    "stripped of its identity": ("set_tags", {"remove": ["l7lb-cluster-uid"]}),
    "stripped of its Ingress": ("set_tags", {"remove": ["tke-lb-ingress-uuid"]}),
    "protected": ("update", {"fields": {"delete_protect": True}}),
}


@pytest.mark.parametrize("touch", TOUCHES)
def test_what_somebody_touches_meanwhile_stays(world: World, touch: str) -> None:
    served(world, "shop")
    vanish(world)
    world.start()
    live_for(world, 23)
    edit, body = TOUCHES[touch]
    world.account.edit(edit, world.account.lb().id, **body)
    live_for(world, 30)
    assert len(world.account.lbs()) == 1
    assert "DeleteLoadBalancer" not in world.account.calls()


def test_a_tag_that_changes_between_the_look_and_the_deletion_stops_it(world: World) -> None:
    served(world, "shop")
    vanish(world)
    world.start()
    live_for(world, 23.9)
    world.run_for(1800)
    world.live().verify()
    world.account.edit("set_tags", world.account.lb().id, set={"tke-lifecycle-owner": "user"})
    _collect(world)
    assert len(world.account.lbs()) == 1
    assert "DeleteLoadBalancer" not in world.account.calls()
    (said,) = world.said("OrphanLeft")
    assert "tke-lifecycle-owner says user" in said


def test_what_the_cloud_finds_risky_is_never_forced(world: World) -> None:
    served(world, "shop")
    vanish(world)
    world.account.edit("update", world.account.lb().id, fields={"traffic_mbps": 50})
    forced: list[object] = []
    world.inspect = lambda action, params: (
        forced.append(params.get("ForceDelete")) if action == "DeleteLoadBalancer" else None
    )
    world.start()
    live_for(world, 72)
    assert len(world.account.lbs()) == 1
    assert set(forced) == {None}
    assert 1 <= len(forced) <= 3
    assert world.said("OrphanLeft")


@pytest.mark.parametrize("kept", [("blog",), ()], ids=["with an Ingress of its original", "with none"])
def test_a_copy_of_a_cluster_collects_nothing_that_serves_its_original(kept: tuple[str, ...]) -> None:
    original = World()
    served(original, "blog", "shop")
    original.crash()
    before = {lb.id for lb in original.account.lbs()}
    made = copy_of(original, *kept, collect_orphans=True)
    make_room(made)
    made.start()
    live_for(made, 50)
    assert {lb.id for lb in made.account.lbs()} == before
    assert "DeleteLoadBalancer" not in made.account.calls()
    assert shown(made, "l7lb_orphaned_loadbalancers", "orphan") == len(before) - len(kept)


def test_the_manifest_gives_the_rights_that_it_needs(world: World) -> None:
    served(world, "shop")
    vanish(world)
    world.start()
    world.users.emulator.controls.log.lines.clear()
    live_for(world, 26)
    lines = world.users.emulator.controls.log.lines
    touched = {(line["verb"], line["path"]) for line in lines if "configmaps" in line["path"]}
    text = EXAMPLE.read_text(encoding="utf-8").replace("cls-xxxxxxxx", CLUSTER)
    place, role, _ = yaml.safe_load_all(text)
    (rule,) = role["rules"]
    assert f"/api/v1/namespaces/{place['metadata']['namespace']}/configmaps/{place['metadata']['name']}" == MEMORY
    assert (rule["resources"], rule["resourceNames"]) == (["configmaps"], [place["metadata"]["name"]])
    assert {(verb, MEMORY) for verb in rule["verbs"]} == {one for one in touched if one[1] == MEMORY}


def test_one_of_tkes_making_is_never_collected(world: World) -> None:
    served(world, "shop")
    world.account.edit("set_tags", world.account.lb().id, remove=["l7lb-cluster-uid"])
    vanish(world)
    world.start()
    live_for(world, 48)
    assert len(world.account.lbs()) == 1
    assert shown(world, "l7lb_orphaned_loadbalancers", "unproven") == 1


@pytest.mark.parametrize("death", [Death.BEFORE, Death.AFTER])
@pytest.mark.parametrize(
    "call",
    ["clb DescribeListeners", f"PATCH configmaps/l7lb-{CLUSTER}", "clb DeleteLoadBalancer", "clb DescribeTaskStatus"],
)
def test_dying_at_any_call_of_a_collection_deletes_it_once_and_nothing_else(call: str, death: Death) -> None:
    world = collecting()
    served(world, "shop", "blog")
    vanish(world)
    world.start()
    live_for(world, 23.9)
    world.run_for(1800)
    world.live().verify()
    world.live().toll.arm(1, death, only=call)
    with pytest.raises(Died):
        _collect(world)
    assert world.said("OrphanDeleted") == []
    world.start()
    live_for(world, 30)
    assert [world.users.ingress("blog").record["lb"]] == [lb.id for lb in world.account.lbs()]
    assert world.account.calls()["DeleteLoadBalancer"] <= 2, "the second finds the first on its way"


def test_until_the_word_of_the_leader_before_has_died_away_nothing_is_collected(world: World) -> None:
    served(world, "shop")
    vanish(world)
    world.start()
    live_for(world, 23.9)
    world.run_for(3600)
    world.start(trusted_in_s=15.0)
    world.live().verify()
    waits = [sweep(world)]
    assert len(world.account.lbs()) == 1
    assert waits[0] is not None
    world.run_for(16)
    look(world)
    assert len(world.account.lbs()) == 0
