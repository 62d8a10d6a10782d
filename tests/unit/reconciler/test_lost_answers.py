"""Every kind of step, with everything that the cloud can do to it: the end is the same, and nothing is done twice."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.cluster import NODES
from tests.simulation.world import World

LENT = "lb-lent0001"


def _served(world: World, watchman: Watchman) -> None:
    """An Ingress that is served, with everything that the edits below change."""
    _ = watchman
    world.users.create(manifests.ingress("shop", manifests.rule("a.example.com", "/", "/x")))
    world.start()
    world.settle()


def _adopted(world: World, watchman: Watchman) -> None:
    world.account.lend(LENT)
    watchman.remember()
    world.users.create(manifests.ingress("shop", annotations={"kubernetes.io/ingress.existLbId": LENT}))
    world.start()
    world.settle()


def _secured(world: World, watchman: Watchman) -> None:
    _ = watchman
    world.users.create(manifests.ingress("shop", tls="cert"))
    world.start()
    world.settle()


def _empty(world: World, watchman: Watchman) -> None:
    _ = watchman
    world.start()


def _lent(world: World, watchman: Watchman) -> None:
    world.account.lend(LENT)
    watchman.remember()
    world.start()


def _create(world: World) -> None:
    world.users.create(manifests.ingress("shop", manifests.rule("a.example.com", "/", "/x")))


def _borrow(world: World) -> None:
    world.users.create(manifests.ingress("shop", annotations={"kubernetes.io/ingress.existLbId": LENT}))


def _delete(world: World) -> None:
    world.users.delete()


def _edit_rules(world: World) -> None:
    world.users.rules(manifests.rule("a.example.com", "/", "/y"))


def _add_node(world: World) -> None:
    world.account.seed(instances=[{"id": "ins-0000000c", "ip": "10.0.0.3"}])
    world.users.create(manifests.node("node-c", "10.0.0.3", "ins-0000000c"))


def _lose_node(world: World) -> None:
    world.users.remove(f"{NODES}/node-b")


def _drained(world: World) -> None:
    """Somebody has set a weight to 0 by hand: it comes back."""
    lb = world.account.lb()
    targets = [{"ip": "10.0.0.1", "port": 30080, "weight": 0}, {"ip": "10.0.0.2", "port": 30080, "weight": 10}]
    world.account.edit("set_targets", lb.id, listener="HTTP:80", rule="a.example.com/", targets=targets)
    world.live().verify()


def _rotate(world: World) -> None:
    world.users.update("/api/v1/namespaces/shop/secrets/cert", {"stringData": {"qcloud_cert_id": "certrsa2"}})


def _move_to_tls(world: World) -> None:
    world.users.patch({"spec": {"tls": [{"secretName": "cert"}]}})


def _attributes(world: World) -> None:
    world.users.annotate({"ingress.cloud.tencent.com/security-groups": "sg-aaaaaaaa"})


def _protection(world: World) -> None:
    world.users.annotate({"ingress.cloud.tencent.com/pass-to-target": "true"})


Prepare = Callable[[World, Watchman], None]
Act = Callable[[World], None]
STEPS: dict[str, tuple[Prepare, Act, str]] = {
    "order": (_empty, _create, "CreateLoadBalancer"),
    "listener": (_empty, _create, "CreateListener"),
    "rules": (_empty, _create, "CreateRule"),
    "register": (_empty, _create, "BatchRegisterTargets"),
    "register-a-node": (_served, _add_node, "BatchRegisterTargets"),
    "deregister": (_served, _lose_node, "BatchDeregisterTargets"),
    "weights": (_served, _drained, "BatchModifyTargetWeight"),
    "new-rule": (_served, _edit_rules, "CreateRule"),
    "delete-rule": (_served, _edit_rules, "DeleteRule"),
    "certificate": (_secured, _rotate, "ModifyListener"),
    "another-listener": (_served, _move_to_tls, "CreateListener"),
    "delete-listener": (_served, _move_to_tls, "DeleteLoadBalancerListeners"),
    "security-groups": (_served, _attributes, "SetLoadBalancerSecurityGroups"),
    "pass-to-target": (_served, _protection, "ModifyLoadBalancerAttributes"),
    "tags-on": (_lent, _borrow, "ModifyResourceTags"),
    "give-back-listeners": (_adopted, _delete, "DeleteLoadBalancerListeners"),
    "tags-off": (_adopted, _delete, "ModifyResourceTags"),
    "delete": (_served, _delete, "DeleteLoadBalancer"),
}
ASYNCHRONOUS = [
    name for name, (_, _, action) in STEPS.items() if not action.startswith(("BatchR", "BatchD", "ModifyRes"))
]
FAULTS: dict[str, dict[str, Any]] = {
    "lost-before": {"kind": "drop_before"},
    "lost-after": {"kind": "drop_after"},
    "twice-lost": {"kind": "drop_after", "count": 2},
    "500": {"kind": "http_500"},
    "internal-error": {"kind": "error", "code": "InternalError"},
    "throttled": {"kind": "error", "code": "RequestLimitExceeded"},
    "throttled-for-long": {"kind": "error", "code": "RequestLimitExceeded", "count": 12},
    "busy-by-a-stranger": {"kind": "error", "code": "FailedOperation.ResourceInOperating", "count": 3},
}


def _run(name: str, faults: list[dict[str, Any]], **setup: Any) -> World:
    world = World(**setup)
    watchman = Watchman(world)
    prepare, act, action = STEPS[name]
    prepare(world, watchman)
    for fault in faults:
        world.account.fault(fault.get("action", action), **{key: fault[key] for key in fault if key != "action"})
    act(world)
    world.settle()
    _came_to_its_end(world, act)
    watchman.check_rest()
    return world


def _came_to_its_end(world: World, act: Act) -> None:
    if act is _delete:
        assert world.users.find() is None
        assert [lb.tags for lb in world.account.lbs()] in ([], [{"team": "owner"}])
        return
    assert world.users.ingress().is_ready, world.users.ingress().why
    lb = world.account.lb()
    if act is _attributes:
        assert lb.security_groups == ["sg-aaaaaaaa"]
    if act is _protection:
        assert lb.pass_to_target
    if act is _drained:
        assert {target.weight for rule in world.account.listener().rules.values() for target in rule.targets} == {10}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", STEPS)
def test_a_step_that_goes_wrong_once_changes_nothing_in_the_end(name: str, fault: str) -> None:
    world = _run(name, [FAULTS[fault]])
    assert len({entry["request"].get("ClientToken") for entry in world.account.emulator.calls.log} - {None}) <= 1


@pytest.mark.parametrize("name", [name for name in ASYNCHRONOUS if name != "order"])
def test_a_task_that_fails_is_planned_anew(name: str) -> None:
    _run(name, [{"kind": "task_fail"}])


@pytest.mark.parametrize("name", STEPS)
def test_a_poll_without_an_answer_does_not_lose_the_task(name: str) -> None:
    _run(name, [{"action": "DescribeTaskStatus", "kind": "drop_before", "count": 6}])


@pytest.mark.parametrize("name", ASYNCHRONOUS)
def test_a_task_that_the_cloud_has_forgotten_is_found_out_by_looking(name: str) -> None:
    _run(name, [{"action": "DescribeTaskStatus", "kind": "error", "code": "InvalidParameter", "count": 1}])


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("visible", ["before_task", "after_task"])
def test_slow_tasks_and_parts_that_show_early_or_late_make_no_difference(name: str, visible: str) -> None:
    _run(name, [], latency=7.0, switches={"parts_visible": visible, "batch_busy_s_max": 2.0})


@pytest.mark.parametrize("name", ["register", "register-a-node", "deregister"])
def test_a_batch_that_was_done_in_part_is_looked_at_and_completed(name: str) -> None:
    _run(name, [{"kind": "partial"}])


@pytest.mark.parametrize("name", STEPS)
def test_reads_that_fail_delay_and_take_nothing_away(name: str) -> None:
    reads = ("DescribeLoadBalancers", "DescribeListeners", "DescribeTargets")
    _run(name, [{"action": read, "kind": "http_500", "count": 6} for read in reads])


def test_a_creation_that_takes_minutes_is_waited_for() -> None:
    _run("order", [], latency={"CreateLoadBalancer": 400.0, "*": 0.5})


def test_a_task_without_end_is_given_up_after_ten_minutes_and_looked_at() -> None:
    world = World(latency={"CreateRule": 5000.0, "*": 0.5})
    Watchman(world)
    _empty(world, Watchman(world))
    _create(world)
    world.run(700.0)
    assert any("no end after" in repr(one.outcome) for one in world.passes)
    world.settle(within_s=9000.0)
    assert world.users.ingress().is_ready
