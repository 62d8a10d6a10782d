"""All targets of a rule are replaced: the old ones stay until the cloud calls a new one healthy, or patience ends."""

import pytest

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.cluster import SERVICES
from tests.simulation.world import World

pytestmark = pytest.mark.usefixtures("watchman")

OLD, API, NEW, NEXT = 30080, 30081, 30091, 30092
NODES = ("10.0.0.1", "10.0.0.2")
SHARES = {"kubernetes.io/ingress.existLbId": "lb-lent0001", "ingress.cloud.tencent.com/enable-group": "true"}


def _serve(world: World) -> None:
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.settle()
    world.account.forget_calls()


def _probing(world: World, *ports: int, says: str = "Unknown") -> None:
    world.account.seed(health={f"{address}:{port}": says for address in NODES for port in ports})


def _number(world: World, port: int) -> None:
    world.users.update(f"{SERVICES}/web", {"spec": {"ports": [{"port": 80, "nodePort": port}]}})


def _bound(world: World, host: str = "a.example.com") -> set[int]:
    return {port for path, _, port in world.account.targets() if path == f"{host}/"}


def test_the_old_targets_stay_until_a_new_one_is_healthy(world: World) -> None:
    _serve(world)
    _probing(world, API)
    world.users.rules(manifests.rule("a.example.com", backend="api"))
    world.run(12.0)
    assert _bound(world) == {OLD, API}
    assert 2 <= world.account.calls()["DescribeTargetHealth"] <= 7
    world.account.seed(health={f"{NODES[0]}:{API}": "Alive"})
    world.settle(within_s=5.0)
    assert _bound(world) == {API}
    assert world.account.writes() == {"BatchRegisterTargets": 1, "BatchDeregisterTargets": 1}


def test_new_targets_that_are_never_healthy_are_waited_for_no_longer_than_their_check_takes(world: World) -> None:
    _serve(world)
    _probing(world, NEW, says="Dead")
    _number(world, NEW)
    world.run(20.0)
    assert _bound(world) == {OLD, NEW}
    world.settle(within_s=15.0)
    assert _bound(world) == {NEW}


def test_new_targets_that_are_healthy_at_once_cost_one_look(world: World) -> None:
    _serve(world)
    _number(world, NEW)
    world.settle()
    assert _bound(world) == {NEW}
    assert world.account.calls()["DescribeTargetHealth"] == 1


def test_after_a_restart_the_cloud_is_asked_again(world: World) -> None:
    _serve(world)
    _probing(world, NEW)
    _number(world, NEW)
    world.run(6.0)
    world.start()
    world.run(20.0)
    assert _bound(world) == {OLD, NEW}
    _probing(world, NEW, says="Alive")
    world.settle(within_s=5.0)
    assert _bound(world) == {NEW}


def test_a_second_swap_on_top_of_the_first_takes_nothing_away_too_early(world: World) -> None:
    _serve(world)
    _probing(world, NEW, NEXT)
    _number(world, NEW)
    world.run(6.0)
    _number(world, NEXT)
    world.run(6.0)
    assert _bound(world) == {OLD, NEW, NEXT}
    _probing(world, NEXT, says="Alive")
    world.settle(within_s=5.0)
    assert _bound(world) == {NEXT}


def test_a_swap_that_is_taken_back_leaves_the_old_targets_alone(world: World) -> None:
    _serve(world)
    _probing(world, NEW)
    _number(world, NEW)
    world.run(6.0)
    _number(world, OLD)
    world.settle(within_s=5.0)
    assert _bound(world) == {OLD}
    assert world.account.writes() == {"BatchRegisterTargets": 1, "BatchDeregisterTargets": 1}


def test_a_swap_under_way_holds_no_deletion(world: World) -> None:
    _serve(world)
    _probing(world, NEW)
    _number(world, NEW)
    world.run(6.0)
    world.users.delete()
    world.settle(within_s=10.0)
    assert world.account.lbs() == []


def test_other_rules_do_not_wait_for_a_swap(world: World) -> None:
    _serve(world)
    _probing(world, API)
    world.users.rules(manifests.rule("a.example.com", backend="api"), manifests.rule("b.example.com"))
    world.run(6.0)
    world.users.rules(manifests.rule("a.example.com", backend="api"), manifests.rule("c.example.com"))
    world.run(6.0)
    assert world.account.paths() == {"a.example.com/", "c.example.com/"}
    assert _bound(world) == {OLD, API}


def test_a_node_that_goes_while_another_one_stays_costs_no_look(world: World) -> None:
    _serve(world)
    world.users.remove("/api/v1/nodes/node-b")
    world.settle()
    assert world.account.targets() == {("a.example.com/", NODES[0], OLD)}
    assert "DescribeTargetHealth" not in world.account.calls()


def test_the_quota_goes_before_the_wait(world: World) -> None:
    world.account.seed(quotas={"TOTAL_TARGET_BIND_QUOTA": 3})
    _serve(world)
    _probing(world, NEW)
    _number(world, NEW)
    world.settle(within_s=20.0)
    assert _bound(world) == {NEW}


def test_the_members_of_a_group_are_swapped_each_by_itself(world: World, watchman: Watchman) -> None:
    world.account.lend("lb-lent0001")
    watchman.remember()
    for name in ("a", "b"):
        world.users.create(manifests.ingress(name, manifests.rule(f"{name}.example.com"), annotations=SHARES))
    world.start()
    world.settle()
    _probing(world, API)
    world.users.rules(manifests.rule("a.example.com", backend="api"), name="a")
    world.run(10.0)
    assert _bound(world) == {OLD, API}
    assert _bound(world, "b.example.com") == {OLD}
    _probing(world, API, says="Alive")
    world.settle(within_s=5.0)
    assert _bound(world) == {API}
