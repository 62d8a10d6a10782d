"""Many load balancers in creation at once: looked at together, and what is wrong with one is the matter of one."""

import pytest

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.world import World

FLEET = tuple(f"shop-{number}" for number in range(12))


def _calls(world: World, action: str) -> list[manifests.Json]:
    return [entry for entry in world.account.emulator.calls.log if entry["action"] == action]


def _looks(world: World) -> list[int]:
    """How many load balancers each look by id has named."""
    asked = [entry["request"] for entry in _calls(world, "DescribeLoadBalancers")]
    return [len(request["LoadBalancerIds"]) for request in asked if "LoadBalancerIds" in request]


def test_new_load_balancers_are_looked_at_together_and_their_tasks_are_not_asked() -> None:
    world = World(latency={"CreateLoadBalancer": 3.5, "*": 0.1})
    watchman = Watchman(world)
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.settle()  # after one it is known how long it takes
    world.account.forget_calls()
    for name in FLEET:
        world.users.create(manifests.ingress(name))
    world.settle()
    assert all(world.users.ingress(name).is_ready for name in FLEET)
    looks = _looks(world)
    assert max(looks) > len(FLEET) // 2
    assert len(looks) <= len(FLEET) // 2
    asked = [entry["request"]["TaskId"] for entry in _calls(world, "DescribeTaskStatus")]
    orders = {entry["request_id"] for entry in _calls(world, "CreateLoadBalancer")}
    assert len(orders.intersection(asked)) == 0
    watchman.check_rest()


def test_one_order_among_many_that_fails_is_told_with_its_reason(world: World, watchman: Watchman) -> None:
    world.account.fault("CreateLoadBalancer", "task_fail", message="sold out", count=1)
    for name in FLEET[:5]:
        world.users.create(manifests.ingress(name))
    world.start()
    world.run(30.0)
    failed = [name for name in FLEET[:5] if not world.users.ingress(name).is_ready]
    assert len(failed) == 1
    assert "E4024" in world.users.ingress(failed[0]).why
    assert "sold out" in world.users.ingress(failed[0]).why
    world.settle()
    assert world.users.ingress(failed[0]).record["attempt"] == 1
    assert len(world.account.lbs()) == 5
    watchman.check_rest()


def test_a_load_balancer_that_runs_before_its_task_has_ended_is_served_and_tasks_are_asked_from_then_on() -> None:
    world = World(switches={"create_tail_s": 1.0})
    watchman = Watchman(world)
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.settle()
    assert world.users.ingress().is_ready
    busy = world.account.emulator.calls.errors["FailedOperation.ResourceInOperating"]
    assert busy > 0
    world.users.create(manifests.ingress("late"))
    world.settle()
    assert world.users.ingress("late").is_ready
    assert world.account.emulator.calls.errors["FailedOperation.ResourceInOperating"] == busy
    assert len(world.account.lbs()) == 2
    watchman.check_rest()


@pytest.mark.parametrize("kind", ["drop_before", "http_500"])
def test_a_region_that_does_not_answer_looks_is_waited_for(world: World, watchman: Watchman, kind: str) -> None:
    for name in FLEET[:5]:
        world.users.create(manifests.ingress(name))
    world.start()
    world.until("all are ordered", lambda: world.account.calls().get("CreateLoadBalancer", 0) >= 5)
    world.account.fault("DescribeLoadBalancers", kind, count=12)
    world.settle()
    assert all(world.users.ingress(name).is_ready for name in FLEET[:5])
    assert world.account.calls()["CreateLoadBalancer"] == len(world.account.lbs()) == 5
    watchman.check_rest()
