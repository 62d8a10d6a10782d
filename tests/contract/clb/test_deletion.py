"""DeleteLoadBalancer and the guards before it."""

from typing import Any

import pytest

from tests.contract.clb.account import Account
from tests.contract.clb.conftest import Emulate


def delete(lb: str, **changes: Any) -> dict[str, Any]:
    return {"LoadBalancerIds": [lb], **changes}


def bound(account: Account, number: int) -> str:
    """A load balancer with so many targets."""
    lb = account.create()
    listener = account.listener(lb)
    (rule,) = account.rules(lb, listener, "a.example.com/")
    account.bind(lb, listener, rule, *range(8000, 8000 + number))
    return lb


def test_twenty_targets_guard_against_deletion_until_it_is_forced(account: Account) -> None:
    lb = bound(account, 20)

    assert account.code("DeleteLoadBalancer", **delete(lb)) == "FailedOperation.TargetNumCheckRisk"
    account.write("DeleteLoadBalancer", **delete(lb, ForceDelete=True))
    assert account.clb("DescribeLoadBalancers")["TotalCount"] == 0


def test_nineteen_targets_do_not(account: Account) -> None:
    account.write("DeleteLoadBalancer", **delete(bound(account, 19)))


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("traffic_mbps", "FailedOperation.TrafficCheckRisk"),
        ("eip_traffic_mbps", "FailedOperation.EipTrafficCheckRisk"),
    ],
)
def test_traffic_guards_against_deletion_until_it_is_forced(account: Account, field: str, code: str) -> None:
    lb = bound(account, 1)
    account.control("POST", "/console", {"edit": "update", "load_balancer": lb, "fields": {field: 11}})

    assert account.code("DeleteLoadBalancer", **delete(lb)) == code
    account.write("DeleteLoadBalancer", **delete(lb, ForceDelete=True))


def test_thirty_deletions_in_five_minutes_guard_the_region_even_when_forced(emulate: Emulate) -> None:
    account = emulate()
    account.world(load_balancers=[{"id": f"lb-{number:08}"} for number in range(31)])
    for number in range(30):
        account.write("DeleteLoadBalancer", **delete(f"lb-{number:08}"))

    refused = account.code("DeleteLoadBalancer", **delete("lb-00000030", ForceDelete=True))
    account.emulator.advance(301)
    account.write("DeleteLoadBalancer", **delete("lb-00000030"))

    assert refused == "FailedOperation.FrequencyCheckRisk"


@pytest.mark.parametrize("code", ["FailedOperation", "OperationDenied", "UnsupportedOperation"])
@pytest.mark.parametrize("protection", [{"delete_protect": True}, {"operate_protect": "100"}, {"endpoint": "vpce-1"}])
def test_protection_cannot_be_forced(emulate: Emulate, protection: dict[str, Any], code: str) -> None:
    account = emulate(switches={"protected_delete_code": code, "protection_scope": "attributes"})
    (made,) = account.world(load_balancers=[protection])

    assert account.code("DeleteLoadBalancer", **delete(made["id"], ForceDelete=True)) == code
    assert account.clb("DescribeLoadBalancers")["TotalCount"] == 1


def test_a_batch_with_one_missing_load_balancer_deletes_none(emulate: Emulate) -> None:
    account = emulate(refuse_forbidden=False)
    lb = account.create()

    code = account.code("DeleteLoadBalancer", LoadBalancerIds=[lb, "lb-none0000"])

    assert code == "InvalidParameter.LBIdNotFound"
    assert account.clb("DescribeLoadBalancers")["TotalCount"] == 1


def test_a_load_balancer_is_listed_until_its_deletion_has_ended(emulate: Emulate) -> None:
    account = emulate(latency={"*": 0.0, "DeleteLoadBalancer": 2.0})
    lb = account.create()
    account.clb("DeleteLoadBalancer", **delete(lb))

    during = account.clb("DescribeLoadBalancers")["TotalCount"]
    busy = account.code("CreateListener", LoadBalancerId=lb, Ports=[80], Protocol="HTTP")
    account.emulator.advance(2.0)

    assert (during, busy) == (1, "FailedOperation.ResourceInOperating")
    assert account.clb("DescribeLoadBalancers")["TotalCount"] == 0


@pytest.mark.parametrize(("scope", "listener_code"), [("attributes", None), ("all_writes", "OperationDenied")])
def test_what_modification_protection_stops_is_a_switch(
    emulate: Emulate, scope: str, listener_code: str | None
) -> None:
    account = emulate(switches={"protection_scope": scope})
    (made,) = account.world(load_balancers=[{"operate_protect": "100000000001"}])
    lb = made["id"]

    shown = account.clb("DescribeLBOperateProtect", LoadBalancerIds=[lb])["LoadBalancerSet"][0]
    attribute = account.code("ModifyLoadBalancerAttributes", LoadBalancerId=lb, LoadBalancerName="new")

    assert (shown["ProtectState"], shown["OperatorUin"]) == (True, "100000000001")
    assert attribute == "OperationDenied"
    if listener_code is None:
        account.listener(lb)
    else:
        assert account.code("CreateListener", LoadBalancerId=lb, Ports=[80], Protocol="HTTP") == listener_code
