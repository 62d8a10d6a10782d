"""A cluster goes away: what it made is gone, what was lent is given back, and nothing else has changed a byte."""

import copy
from collections.abc import Iterator
from dataclasses import replace

import pytest

from l7lb.app.tearing import End, doomed, tear_down
from l7lb.errors import UnauthorizedPlan
from l7lb.model.ending import Fate
from tests.emulators.clb.nouns import LoadBalancer
from tests.simulation import manifests
from tests.simulation.cluster import FINALIZER, RECORD
from tests.simulation.endings import Operator
from tests.simulation.toll import Death, Died
from tests.simulation.world import CLUSTER, World

LENT, SERVICE, FOREIGN, TWIN, USERS, TKES = (
    "lb-lent0001", "lb-service1", "lb-foreign1", "lb-twin0001", "lb-users001", "lb-tkes0001",
)  # fmt: skip
NAMED = {"kubernetes.io/ingress.existLbId": LENT}
BORN = {"tke-createdBy-flag": "yes", "tke-clusterId": CLUSTER, "tke-lifecycle-owner": "tke"}


def others(uid: str) -> list[dict[str, object]]:
    """Load balancers that nobody may touch, each for another reason."""
    listener = {"name": "TKE-DEDICATED-LISTENER", "protocol": "HTTP", "port": 80}
    tags = {
        SERVICE: {**BORN, "tke-lb-ingress-uuid": "uid-9", "l7lb-cluster-uid": uid, "tke-lb-serviceuuid": "svc-1"},
        FOREIGN: {**BORN, "tke-clusterId": "cls-another0", "tke-lb-ingress-uuid": "uid-8", "l7lb-cluster-uid": uid},
        USERS: {**BORN, "tke-lb-ingress-uuid": "uid-7", "l7lb-cluster-uid": uid, "tke-lifecycle-owner": "user"},
        TKES: {**BORN, "tke-lb-ingress-uuid": "uid-6"},
    }
    return [{"id": name, "tags": borne, "listeners": [listener]} for name, borne in tags.items()]


def state(world: World, *names: str) -> dict[str, LoadBalancer]:
    return {one.id: copy.deepcopy(one) for one in world.account.lbs() if not names or one.id in names}


def served() -> World:
    """Two Ingresses, one with a load balancer of its own, one with a lent one; and what is others'."""
    world = World()
    world.account.lend(LENT)
    world.account.seed(load_balancers=others(world.around.cluster.uid))
    world.users.create(manifests.ingress("shop", manifests.rule("a.example.com", "/", "/x")))
    world.users.create(manifests.ingress("blog", manifests.rule("b.example.com"), annotations=NAMED))
    world.start()
    world.settle()
    world.crash()
    return world


@pytest.fixture
def world() -> Iterator[World]:
    made = served()
    before = state(made, SERVICE, FOREIGN, USERS, TKES)
    yield made
    assert state(made, SERVICE, FOREIGN, USERS, TKES) == before
    assert not made.account.emulator.forbidden
    assert not made.account.emulator.gateway.defects


def own(world: World) -> str:
    (found,) = (one.id for one in world.account.lbs() if one.id not in {LENT, SERVICE, FOREIGN, USERS, TKES, TWIN})
    return found


def is_marked(world: World, name: str) -> bool:
    seen = world.users.ingress(name)
    return FINALIZER in seen.finalizers or RECORD in seen.annotations


def is_as_lent(world: World) -> bool:
    lent = world.account.emulator.world.load_balancers[LENT]
    return (lent.tags, [item.port for item in lent.listeners.values()]) == ({"team": "owner"}, [8080])


def test_a_cluster_that_answers_loses_all_that_was_its_own(world: World) -> None:
    made = own(world)
    assert Operator(world).call() == {
        made: End.GONE, "Ingress shop/shop": End.RELEASED, LENT: End.RELEASED, "Ingress shop/blog": End.RELEASED,
        SERVICE: End.KEPT, USERS: End.KEPT, TKES: End.LEFT,
    }  # fmt: skip
    assert set(state(world)) == {LENT, SERVICE, FOREIGN, USERS, TKES}
    assert is_as_lent(world)
    assert not is_marked(world, "shop")
    assert not is_marked(world, "blog")
    assert world.users.ingress("shop").addresses == []


def test_a_second_time_nothing_is_left_to_do(world: World) -> None:
    Operator(world).call()
    world.account.forget_calls()
    assert Operator(world).call() == {SERVICE: End.KEPT, USERS: End.KEPT, TKES: End.LEFT}
    assert not world.account.writes()


def test_without_a_cluster_only_what_bears_its_identity_goes(world: World) -> None:
    lent, made = state(world, LENT), own(world)
    assert Operator(world, alive=False).call() == {
        made: End.GONE, LENT: End.LEFT, SERVICE: End.KEPT, USERS: End.KEPT, TKES: End.LEFT,
    }  # fmt: skip
    assert state(world, LENT) == lent
    assert made not in state(world)


@pytest.mark.parametrize("alive", [True, False], ids=["with a cluster", "without"])
def test_the_wrong_word_reaches_nothing(alive: bool, world: World) -> None:
    before = state(world)
    with pytest.raises(UnauthorizedPlan):
        Operator(world, alive=alive, typed="cls-anotherone").call()
    if not alive:
        ground = Operator(world, alive=False, uid="some-other-uid").ground()
        assert not [one for one in doomed(ground) if one.fate in (Fate.DELETE, Fate.RELEASE)]
    assert state(world) == before


def twin(world: World) -> None:
    """Another cluster with the same id, and its load balancer."""
    tags = {**BORN, "tke-lb-ingress-uuid": "uid-5", "l7lb-cluster-uid": "uid-of-the-twin"}
    world.account.seed(load_balancers=[{"id": TWIN, "tags": tags}])


def test_of_two_clusters_with_one_id_only_the_one_that_answers_loses_anything(world: World) -> None:
    twin(world)
    before, made = state(world, TWIN), own(world)
    ends = Operator(world).call()
    assert (ends[made], ends[TWIN]) == (End.GONE, End.KEPT)
    assert state(world, TWIN) == before


@pytest.mark.parametrize("uid", ["", "uid-of-the-twin"])
def test_of_two_clusters_with_one_id_none_loses_anything_when_none_answers(uid: str, world: World) -> None:
    twin(world)
    before = state(world)
    assert End.GONE not in Operator(world, alive=False, uid=uid).call().values()
    assert state(world) == before


def test_what_is_kept_by_its_ingress_or_by_protection_stays_and_its_ingress_goes_free(world: World) -> None:
    made = own(world)
    world.account.edit("update", made, fields={"delete_protect": True})
    world.users.annotate({"ingress.cloud.tencent.com/mode": "skip"}, "blog")
    before = state(world)
    ends = Operator(world).call()
    assert (ends[made], ends[LENT], ends["Ingress shop/shop"]) == (End.KEPT, End.KEPT, End.RELEASED)
    assert state(world) == before
    assert not is_marked(world, "shop")


def test_two_load_balancers_of_one_ingress_without_a_record_are_left(world: World) -> None:
    made = own(world)
    double = world.account.emulator.world.load_balancers[made]
    world.account.seed(load_balancers=[{"id": TWIN, "tags": dict(double.tags)}])
    before = state(world)
    assert Operator(world, alive=False).call()[made] is End.LEFT
    assert state(world) == before
    ends = Operator(world).call()
    assert (ends[made], ends[TWIN]) == (End.GONE, End.LEFT)


def test_a_namespace_that_is_being_deleted_comes_to_its_end(world: World) -> None:
    world.users.delete("shop")
    world.users.delete("blog")
    Operator(world).call()
    assert world.users.find("shop") is None
    assert world.users.find("blog") is None


def test_what_was_tagged_for_somebody_else_after_the_list_was_shown_stays(world: World) -> None:
    made = own(world)
    operator = Operator(world)
    ground = operator.ground()
    world.account.edit("set_tags", made, set={"tke-lifecycle-owner": "user"})
    before = state(world)

    ends = {one.what: one.end for one in tear_down(ground, lambda _: None)}
    assert ends[f"ap-guangzhou/{made}"] is End.LEFT
    assert {name: one for name, one in state(world).items() if name == made} == {made: before[made]}
    assert is_marked(world, "shop")


def test_what_the_list_by_tag_did_not_show_yet_holds_its_ingress(world: World) -> None:
    """The index of tags lags: its load balancer is left, so its marks are too, and the next call finds it."""
    made, operator = own(world), Operator(world)
    ground = operator.ground()
    ground = replace(ground, heads=tuple(head for head in ground.heads if head.ref.id != made))
    ends = {one.what: one.end for one in tear_down(ground, lambda _: None)}
    assert ends["Ingress shop/shop"] is End.LEFT
    assert made in state(world)
    assert is_marked(world, "shop")


def test_more_than_the_cloud_deletes_in_five_minutes_take_their_time() -> None:
    world = World()
    uid = world.around.cluster.uid
    tags = {**BORN, "l7lb-cluster-uid": uid}
    world.account.seed(
        load_balancers=[
            {"id": f"lb-many{n:04}", "tags": {**tags, "tke-lb-ingress-uuid": f"uid-{n}"}} for n in range(30)
        ]
    )
    operator, began = Operator(world, alive=False), world.clock.now()
    assert set(operator.call().values()) == {End.GONE}
    assert 300 <= world.clock.now() - began < 700
    assert any(text.startswith("waiting ") for text in operator.said)


def scenario(alive: bool) -> tuple[str, ...]:
    world = served()
    operator = Operator(world, alive=alive)
    operator.call()
    return tuple(operator.toll.passed)


@pytest.mark.parametrize("alive", [True, False], ids=["with a cluster", "without"])
def test_killed_at_any_call_it_ends_as_if_it_had_not_been_when_it_is_called_again(alive: bool) -> None:
    passed = scenario(alive)
    assert len(passed) >= (12 if alive else 6)
    for at in range(1, len(passed) + 1):
        for death in (Death.BEFORE, Death.AFTER):
            world = served()
            before, made = state(world, SERVICE, FOREIGN, USERS, TKES), own(world)
            with pytest.raises(Died):
                Operator(world, alive=alive).call(at, death)
            world.clock.advance(60)
            Operator(world, alive=alive).call()
            about = f"{death.value} call {at}: {passed[at - 1]}"
            assert made not in state(world), about
            assert state(world, SERVICE, FOREIGN, USERS, TKES) == before, about
            if alive:
                assert is_as_lent(world), about
                assert not is_marked(world, "shop"), about
                assert not is_marked(world, "blog"), about
