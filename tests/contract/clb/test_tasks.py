"""One task at a time per load balancer, and what is known of a task afterwards."""

import pytest

from tests.contract.clb.account import Account
from tests.contract.clb.conftest import Emulate


def test_a_second_write_while_a_task_runs_is_rejected_not_queued(emulate: Emulate) -> None:
    account = emulate(latency={"*": 1.0, "CreateLoadBalancer": 0.0})
    lb = account.create()
    task = account.clb("CreateListener", LoadBalancerId=lb, Ports=[80], Protocol="HTTP")

    refused = account.refusal("CreateListener", LoadBalancerId=lb, Ports=[81], Protocol="HTTP")

    assert refused.code == "FailedOperation.ResourceInOperating"
    assert f"Loadbalancer({lb}) is not in normal desState" in refused.message
    assert account.clb("DescribeTaskStatus", TaskId=task["RequestId"])["Status"] == 2
    account.emulator.advance(1.0)
    account.done(task)
    assert [item["Port"] for item in account.listeners(lb)] == [80]


def test_another_load_balancer_is_not_disturbed_by_a_task(emulate: Emulate) -> None:
    account = emulate(latency={"*": 1.0, "CreateLoadBalancer": 0.0})
    one, other = account.create(), account.create()
    account.clb("CreateListener", LoadBalancerId=one, Ports=[80], Protocol="HTTP")

    account.clb("CreateListener", LoadBalancerId=other, Ports=[80], Protocol="HTTP")
    account.emulator.advance(1.0)

    assert len(account.listeners(one)) == len(account.listeners(other)) == 1


@pytest.mark.parametrize("code", ["FailedOperation.ResourceInOperating", "FailedOperation.InvalidLBStatus"])
def test_a_load_balancer_in_creation_takes_no_write(emulate: Emulate, code: str) -> None:
    account = emulate(latency=2.0, switches={"creating_code": code})
    (lb,) = account.clb("CreateLoadBalancer", **account.creation())["LoadBalancerIds"]

    assert account.code("CreateListener", LoadBalancerId=lb, Ports=[80], Protocol="HTTP") == code


def test_a_failed_task_leaves_nothing_behind_although_ids_were_given(account: Account) -> None:
    lb = account.create()
    account.control("POST", "/faults", {"action": "CreateListener", "kind": "task_fail", "message": "backend timeout"})

    given = account.clb("CreateListener", LoadBalancerId=lb, Ports=[80], Protocol="HTTP")

    task = account.clb("DescribeTaskStatus", TaskId=given["RequestId"])
    assert (task["Status"], task["Message"]) == (1, "backend timeout")
    assert account.listeners(lb) == []
    assert account.code("DescribeListeners", LoadBalancerId=lb, ListenerIds=given["ListenerIds"]) == (
        "InvalidParameter.ListenerIdNotFound"
    )


@pytest.mark.parametrize(("visible", "seen_early"), [("after_task", 0), ("before_task", 1)])
def test_whether_parts_are_seen_before_their_task_has_ended_is_a_switch(
    emulate: Emulate, visible: str, seen_early: int
) -> None:
    account = emulate(latency={"*": 1.0, "CreateLoadBalancer": 0.0}, switches={"parts_visible": visible})
    lb = account.create()
    account.clb("CreateListener", LoadBalancerId=lb, Ports=[80], Protocol="HTTP")

    early = len(account.listeners(lb))
    account.emulator.advance(1.0)

    assert (early, len(account.listeners(lb))) == (seen_early, 1)


@pytest.mark.parametrize("code", ["InvalidParameter", "FailedOperation"])
def test_a_task_is_forgotten_after_its_retention(emulate: Emulate, code: str) -> None:
    account = emulate(switches={"unknown_task_code": code, "task_retention_s": 600.0})
    order = account.clb("CreateLoadBalancer", **account.creation())
    account.done(order)

    account.emulator.advance(601)

    assert account.code("DescribeTaskStatus", TaskId=order["RequestId"]) == code


def test_a_task_needs_an_id_or_an_order(account: Account) -> None:
    assert account.code("DescribeTaskStatus") == "MissingParameter"
    assert account.code("DescribeTaskStatus", TaskId="never") == "InvalidParameter"


def test_a_busy_load_balancer_may_also_say_internal_error(emulate: Emulate) -> None:
    account = emulate(latency={"*": 9.0, "CreateLoadBalancer": 0.0}, switches={"busy_code": "InternalError"})
    lb = account.create()
    account.clb("CreateListener", LoadBalancerId=lb, Ports=[80], Protocol="HTTP")

    codes = {account.code("CreateListener", LoadBalancerId=lb, Ports=[81], Protocol="HTTP") for _ in range(30)}

    assert codes == {"FailedOperation.ResourceInOperating", "InternalError"}


def test_real_latency_lies_within_the_published_experience(emulate: Emulate) -> None:
    account = emulate(latency="real", seed=3, switches={"create_tail_s": 0.0})
    account.clb("CreateLoadBalancer", **account.creation())

    (task,) = account.control("GET", "/state")["tasks"]

    assert 2.0 <= task["ends_at"] <= 5.0
