"""One target that the cloud refuses: it is found, left out and named; all others are bound, and no old one is lost."""

import pytest

from l7lb.reconciler.culprits import SPACING_S
from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.cluster import SERVICES
from tests.simulation.world import World

pytestmark = pytest.mark.usefixtures("watchman")

TKE = "ingress.cloud.tencent.com"
SHARES = {"kubernetes.io/ingress.existLbId": "lb-lent0001", f"{TKE}/enable-group": "true"}
FORMS = ("call", "listener")
MANY = 40


def _nodes(world: World, count: int = MANY) -> set[str]:
    """More nodes, each of them good for itself."""
    addresses = {f"10.0.1.{number}" for number in range(1, count + 1)}
    for address in sorted(addresses):
        world.users.create(manifests.node(f"node-{address}", address))
    return addresses | {"10.0.0.1", "10.0.0.2"}


def _bound(world: World, path: str = "a.example.com/") -> set[str]:
    return {address for rule, address, _ in world.account.targets() if rule == path}


@pytest.mark.parametrize("form", FORMS)
def test_all_targets_but_the_one_at_fault_are_bound(world: World, form: str) -> None:
    good = _nodes(world)
    world.users.create(manifests.node("bad", "10.0.9.9"))
    world.account.seed(refused={"10.0.9.9": form})
    world.users.create(manifests.ingress("shop", manifests.rule("a.example.com", "/", "/x")))
    world.start()
    world.run(60.0)
    assert _bound(world) == _bound(world, "a.example.com/x") == good
    assert world.users.ingress().condition["reason"] == "TargetRefused"
    assert "10.0.9.9:30080 (Node bad, Service shop/web) of HTTP:80 a.example.com/" in world.users.ingress().why


def test_a_target_that_is_left_out_for_long_does_not_put_off_what_time_tells_sooner(world: World) -> None:
    world.users.create(manifests.node("bad", "10.0.9.9"))
    world.account.seed(refused={"10.0.9.9": "call"})
    world.users.create(manifests.service("old", 30_555))
    rules = manifests.rule("a.example.com"), manifests.rule("b.example.com", backend="old")
    world.users.create(manifests.ingress("shop", *rules))
    world.start()
    world.run_for(1300.0)  # it is tried every ten minutes by now, next at 1,835 s
    assert _bound(world, "b.example.com/")
    world.users.remove(f"{SERVICES}/old")
    world.run_for(320.0)
    assert not _bound(world, "b.example.com/")
    assert _bound(world)


@pytest.mark.parametrize("form", FORMS)
def test_the_culprits_are_found_in_few_calls(world: World, form: str) -> None:
    _nodes(world, 96)
    for number in (1, 2):
        world.users.create(manifests.node(f"bad-{number}", f"10.0.9.{number}"))
    world.account.seed(refused={"10.0.9.1": form, "10.0.9.2": form})
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.run(4.0)
    assert len(_bound(world)) == 98
    # Two among a hundred: 2 k log2(n), and a first doubt where the call was done in part.
    assert world.account.calls()["BatchRegisterTargets"] <= 2 * 2 * 7 + 2


@pytest.mark.parametrize(("form", "count", "all_s"), [("listener", 10, 900.0), ("call", 50, 900.0)])
def test_many_culprits_among_good_ones_cost_a_bounded_number_of_calls_and_in_the_end_all_others_are_bound(
    world: World, form: str, count: int, all_s: float
) -> None:
    total = 80
    bad = {f"10.0.1.{1 + number * total // count}" for number in range(count)}
    good = _nodes(world, total) - bad
    world.account.seed(refused=dict.fromkeys(bad, form))
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.run_for(all_s)
    assert _bound(world) == good
    assert world.account.calls()["BatchRegisterTargets"] <= 2 * 2 * count * 7
    world.run_for(1800.0)
    world.account.forget_calls()
    world.run_for(1200.0)
    assert world.account.calls()["BatchRegisterTargets"] <= 1200.0 / SPACING_S + 1


@pytest.mark.parametrize("form", FORMS)
def test_a_known_culprit_is_tried_by_itself_ever_more_rarely_and_keeps_nobody_waiting(world: World, form: str) -> None:
    _nodes(world)
    world.users.create(manifests.node("bad", "10.0.9.9"))
    world.account.seed(refused={"10.0.9.9": form})
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.run_for(60.0)
    world.account.forget_calls()
    world.users.create(manifests.node("late", "10.0.2.1"))
    world.run(1.0)
    assert "10.0.2.1" in _bound(world)
    assert world.account.writes() == {"BatchRegisterTargets": 1}
    world.run_for(3600.0)
    assert world.account.writes()["BatchRegisterTargets"] <= 12


@pytest.mark.parametrize("form", FORMS)
def test_it_is_bound_when_it_is_refused_no_more_and_the_ingress_is_ready(world: World, form: str) -> None:
    world.users.create(manifests.node("bad", "10.0.9.9"))
    world.account.seed(refused={"10.0.9.9": form})
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.run_for(60.0)
    assert not world.users.ingress().is_ready
    world.account.seed(refused={"10.0.9.9": ""})
    world.settle()
    assert "10.0.9.9" in _bound(world)
    assert world.users.ingress().is_ready


@pytest.mark.parametrize("form", FORMS)
def test_a_changed_value_is_a_new_try_at_once(world: World, form: str) -> None:
    world.users.create(manifests.node("bad", "10.0.9.9"))
    world.account.seed(refused={"10.0.9.9": form})
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.run_for(400.0)
    world.users.remove("/api/v1/nodes/bad")
    world.users.create(manifests.node("bad", "10.0.2.2"))
    world.run(5.0)
    assert "10.0.2.2" in _bound(world)
    assert world.users.ingress().is_ready


@pytest.mark.parametrize("form", FORMS)
def test_where_all_new_targets_are_refused_the_old_ones_go_on_serving(world: World, form: str) -> None:
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.settle()
    old = world.account.targets()
    world.account.seed(refused={"10.0.0.1": form, "10.0.0.2": form})
    world.users.update(f"{SERVICES}/web", {"spec": {"ports": [{"port": 80, "nodePort": 30091}]}})
    world.run_for(300.0)
    assert world.account.targets() == old
    world.account.seed(refused={"10.0.0.1": "", "10.0.0.2": ""})
    world.settle()
    assert {port for _, _, port in world.account.targets()} == {30091}


@pytest.mark.parametrize("form", FORMS)
def test_as_many_old_targets_stay_as_new_ones_are_refused(world: World, form: str) -> None:
    _nodes(world, 6)
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.settle()
    world.account.seed(refused={"10.0.1.1:30091": form})
    world.users.update(f"{SERVICES}/web", {"spec": {"ports": [{"port": 80, "nodePort": 30091}]}})
    world.run_for(300.0)
    ports = [port for _, _, port in world.account.targets()]
    assert (ports.count(30091), ports.count(30080)) == (7, 1)


@pytest.mark.parametrize("form", FORMS)
def test_a_target_that_cannot_be_taken_off_keeps_no_other_from_going(world: World, form: str) -> None:
    gone = _nodes(world, 8) - {"10.0.0.1", "10.0.0.2"}
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.settle()
    world.account.seed(refused={"10.0.1.3": form})
    for address in gone:
        world.users.remove(f"/api/v1/nodes/node-{address}")
    world.run_for(60.0)
    assert _bound(world) == {"10.0.0.1", "10.0.0.2", "10.0.1.3"}
    assert "10.0.1.3:30080" in world.users.ingress().why
    world.account.seed(refused={"10.0.1.3": ""})
    world.settle()
    assert _bound(world) == {"10.0.0.1", "10.0.0.2"}


@pytest.mark.parametrize("form", FORMS)
def test_in_a_group_only_the_member_at_fault_hears_of_it_and_all_others_converge(
    world: World, watchman: Watchman, form: str
) -> None:
    world.account.lend("lb-lent0001")
    watchman.remember()
    world.users.create(manifests.ingress("a", manifests.rule("a.example.com"), annotations=SHARES))
    world.users.create(manifests.ingress("b", manifests.rule("b.example.com", backend="api"), annotations=SHARES))
    world.start()
    world.settle()
    world.account.seed(refused={f"10.0.0.{number}:30091": form for number in (1, 2)})
    world.users.update(f"{SERVICES}/web", {"spec": {"ports": [{"port": 80, "nodePort": 30091}]}})
    world.users.update(f"{SERVICES}/api", {"spec": {"ports": [{"port": 80, "nodePort": 30092}]}})
    world.run_for(60.0)
    assert {(path, port) for path, _, port in world.account.targets()} == {
        ("a.example.com/", 30080),
        ("b.example.com/", 30092),
    }
    assert world.users.ingress("b").is_ready
    assert "10.0.0.1:30091 (Node node-a, Service shop/web) of HTTP:80 a.example.com/" in world.users.ingress("a").why
    world.users.delete("b")
    world.run_for(30.0)
    assert world.users.find("b") is None


def test_a_weight_that_is_refused_keeps_no_other_from_changing(world: World) -> None:
    """Also where only the end of the task says so."""
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.settle()
    world.account.seed(refused={"10.0.0.1": "task"})
    for rule in world.account.listener().rules.values():
        for target in rule.targets:
            target.weight = 0
    world.crash()
    world.start()
    world.run_for(60.0)
    weights = {target.ip: target.weight for rule in world.account.listener().rules.values() for target in rule.targets}
    assert weights == {"10.0.0.1": 0, "10.0.0.2": 10}
    assert "10.0.0.1:30080 (Node node-a, Service shop/web)" in world.users.ingress().why
