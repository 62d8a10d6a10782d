"""A copy of a cluster runs beside its original: not one delete, not one target of the original's taken off."""

import copy
import json
from collections.abc import Callable

import pytest

from l7lb.errors import Unavailable
from tests.emulators.clb.nouns import LoadBalancer
from tests.simulation import manifests
from tests.simulation.cluster import NODES, RECORD
from tests.simulation.copies import OWN, copy_of
from tests.simulation.outages import Outage
from tests.simulation.world import CLUSTER, World

LENT = "lb-lent0001"
ANNOTATED = {"kubernetes.io/ingress.existLbId": LENT}
GROUP = {**ANNOTATED, "ingress.cloud.tencent.com/enable-group": "true"}
LONG_S = 3600.0


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def original(world: World) -> World:
    """Two Ingresses are served: one with a load balancer of its own, one with a lent one."""
    world.account.lend(LENT)
    world.users.create(manifests.ingress("shop", manifests.rule("a.example.com", "/", "/x")))
    world.users.create(manifests.ingress("blog", manifests.rule("b.example.com"), annotations=ANNOTATED))
    world.start()
    world.settle()
    world.crash()
    return world


def state(world: World) -> dict[str, LoadBalancer]:
    return {one.id: copy.deepcopy(one) for one in world.account.lbs()}


def said(world: World) -> str:
    return world.users.ingress().why


def test_a_copy_changes_nothing_of_its_originals_load_balancers_and_says_why(original: World) -> None:
    before = state(original)
    made = copy_of(original, "shop", "blog")
    original.account.forget_calls()
    made.start()
    made.run(LONG_S)
    assert (state(made), made.account.writes()) == (before, {})
    assert "DeletesHeld" in said(made)
    assert "--confirm-cluster" in said(made)
    assert made.around.metrics.registry.get_sample_value("l7lb_deletes_held", {"controller": "ingress"}) == 1


def _bury(made: World) -> None:
    for name in OWN:
        made.users.remove(f"{NODES}/{name}")


DEEDS: dict[str, Callable[[World], None]] = {
    "an Ingress is deleted": lambda made: made.users.delete(),
    "what borrows is deleted": lambda made: made.users.delete("blog"),
    "an Ingress leaves the class": lambda made: made.users.annotate({"kubernetes.io/ingress.class": "nginx"}),
    "its rules are replaced": lambda made: made.users.rules(manifests.rule("c.example.com", backend="api")),
    "its port goes": lambda made: made.users.annotate({"ingress.cloud.tencent.com/listen-ports": '[{"HTTP":8081}]'}),
    "its nodes go": _bury,
}


@pytest.mark.parametrize("deed", DEEDS)
def test_whatever_happens_in_the_copy_the_originals_load_balancers_stay_as_they_are(deed: str, original: World) -> None:
    before = state(original)
    made = copy_of(original, "shop", "blog")
    made.start()
    made.run(LONG_S)
    DEEDS[deed](made)
    made.run(LONG_S)
    made.start()
    made.run(LONG_S)
    assert state(made) == before


def test_a_copy_whose_nodes_have_not_come_yet_changes_nothing(original: World) -> None:
    before = state(original)
    made = copy_of(original, "shop", "blog", nodes=False)
    made.users.delete("shop")
    made.start()
    made.run(LONG_S)
    assert state(made) == before
    assert "DeletesHeld" in said(made)


def test_what_is_new_in_a_copy_is_served_by_a_load_balancer_of_its_own(original: World) -> None:
    before = state(original)
    made = copy_of(original, "shop", "blog")
    made.users.create(manifests.ingress("wiki", manifests.rule("w.example.com")))
    made.start()
    made.run(LONG_S)
    assert made.users.ingress("wiki").is_ready
    after = state(made)
    assert {name: after[name] for name in before} == before


def test_a_group_is_not_touched_by_its_copy(world: World) -> None:
    world.account.lend(LENT)
    for name in ("shop", "blog"):
        world.users.create(manifests.ingress(name, manifests.rule(f"{name}.example.com"), annotations=GROUP))
    world.start()
    world.settle()
    world.crash()
    before = state(world)
    made = copy_of(world, "shop", "blog")
    made.start()
    made.run(LONG_S)
    made.users.delete("blog")
    made.users.rules(manifests.rule("c.example.com"))
    made.run(LONG_S)
    assert state(made) == before
    assert "DeletesHeld" in said(made)


def test_a_copy_that_is_confirmed_takes_over(original: World) -> None:
    made = copy_of(original, "shop", "blog", confirm_cluster=CLUSTER)
    made.start()
    made.settle()
    (own,) = (one for one in made.account.lbs() if one.id != LENT)
    assert {ip for _, ip, _ in made.account.targets(lb=own)} == {address for address, _ in OWN.values()}
    assert made.users.ingress().is_ready


def test_a_copy_takes_over_by_itself_when_its_originals_machines_are_dead(original: World) -> None:
    made = copy_of(original, "shop", "blog")
    made.account.seed(health={"10.0.0.1": "Dead", "10.0.0.2": "Dead", "10.9.9.9": "Dead"})
    made.start()
    made.settle()
    assert made.users.ingress().is_ready
    assert made.users.ingress("blog").is_ready


def test_deletes_are_not_held_any_more_once_the_originals_machines_are_dead(original: World) -> None:
    made = copy_of(original, "shop", "blog")
    made.users.delete("shop")
    made.start()
    made.run(LONG_S)
    assert made.users.find("shop") is not None
    made.account.seed(health={"10.0.0.1": "Dead", "10.0.0.2": "Dead"})
    made.run(LONG_S)
    made.settle()
    assert made.users.find("shop") is None
    assert [one.id for one in made.account.lbs()] == [LENT]


def test_the_original_goes_on_beside_its_copy(original: World) -> None:
    made = copy_of(original, "shop", "blog")
    made.start()
    made.run(LONG_S)
    original.start()
    original.settle()
    original.users.delete("shop")
    original.settle()
    assert original.users.find("shop") is None
    assert [one.id for one in original.account.lbs()] == [LENT]


def test_a_cluster_whose_machines_were_all_replaced_while_nobody_looked_goes_on(original: World) -> None:
    for name, (address, _) in {"node-a": ("10.0.0.1", ""), "node-b": ("10.0.0.2", "")}.items():
        original.users.remove(f"{NODES}/{name}")
        original.account.seed(health={address: "Dead"})
    original.account.seed(instances=[{"id": "ins-0000000c", "ip": "10.0.0.3"}])
    original.users.create(manifests.node("node-c", "10.0.0.3", "ins-0000000c"))
    original.start()
    original.settle()
    (own,) = (one for one in original.account.lbs() if one.id != LENT)
    assert {ip for _, ip, _ in original.account.targets(lb=own)} == {"10.0.0.3"}


def test_what_an_author_writes_into_a_record_makes_no_copy_of_a_cluster() -> None:
    """It names another cluster's load balancer, which serves machines of that one."""
    world = World()
    other = world.account.lend("lb-other001", tags={"tke-createdBy-flag": "yes", "tke-clusterId": "cls-another0"})
    (listener,) = other.listeners.values()
    uid = world.users.create(manifests.ingress("blog", annotations={"ingress.cloud.tencent.com/mode": "skip"}))
    record = {
        "v": 1, "uid": uid, "cluster": CLUSTER, "region": "ap-guangzhou", "lb": other.id,
        "claim": "created", "listeners": {"HTTP:8080": [listener.id, "owner"]},
    }  # fmt: skip
    world.users.annotate({RECORD: json.dumps(record)}, "blog")
    world.users.create(manifests.ingress("shop", manifests.rule("a.example.com")))
    before = copy.deepcopy(other)
    world.start()
    world.settle()
    world.crash()
    world.start()
    world.users.delete()
    world.settle()
    assert world.account.lbs() == [before]


@pytest.mark.parametrize("code", ["AuthFailure", "UnauthorizedOperation", "InvalidParameter", "InternalError"])
@pytest.mark.parametrize("count", [1, 5, -1])
def test_a_copy_that_is_refused_the_look_takes_nothing_away(
    original: World, monkeypatch: pytest.MonkeyPatch, code: str, count: int
) -> None:
    before = state(original)
    made = copy_of(original, "shop", "blog")
    Outage("ap-guangzhou", code, ("DescribeTargetHealth",), count).begin(made, monkeypatch)
    made.users.delete("shop")
    made.start()
    made.run(LONG_S)
    assert state(made) == before


@pytest.mark.parametrize("action", ["DescribeTargetHealth", "DescribeLoadBalancers"])
def test_while_one_region_is_silent_a_copy_takes_nothing_away_in_another(
    world: World, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    there = {"ingress.cloud.tencent.com/cross-region-id": "ap-shanghai"}
    there |= {"ingress.cloud.tencent.com/cross-vpc-id": "vpc-6sh0remo"}
    world.users.create(manifests.ingress("shop", manifests.rule("a.example.com")))
    world.users.create(manifests.ingress("far", manifests.rule("b.example.com"), annotations=there))
    world.start()
    world.settle()
    world.crash()
    made = copy_of(world, "shop", "far")
    far = next(lb for lb in made.account.lbs() if lb.region == "ap-shanghai")
    home = next(lb for lb in made.account.lbs() if lb is not far)
    assert (home.region, far.region) == ("ap-guangzhou", "ap-shanghai")
    outage = Outage("ap-guangzhou", actions=(action,))
    made.users.delete("far")
    # What is bound there says nothing: it is dead.
    for listener in far.listeners.values():
        for rule in listener.rules.values():
            rule.targets.clear()
    before = state(made)
    outage.begin(made, monkeypatch)
    if action == "DescribeTargetHealth":
        made.start()
        made.run(LONG_S)
        assert outage.tried
        assert state(made) == before
        outage.end()
        made.run(LONG_S)
    else:
        with pytest.raises(Unavailable):
            made.start()
    assert state(made) == before
