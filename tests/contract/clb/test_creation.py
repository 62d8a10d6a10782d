"""CreateLoadBalancer: token, name, network, quota, and what the answer may leave out."""

from typing import Any

import pytest

from tests.contract.clb.account import OUR_TAGS, Account, as_tags
from tests.contract.clb.conftest import Emulate


def test_the_same_token_gives_the_same_load_balancer(account: Account) -> None:
    params = account.creation()

    first, second = account.clb("CreateLoadBalancer", **params), account.clb("CreateLoadBalancer", **params)

    assert first["LoadBalancerIds"] == second["LoadBalancerIds"]
    assert account.done(second)["LoadBalancerIds"] == first["LoadBalancerIds"]
    assert account.clb("DescribeLoadBalancers")["TotalCount"] == 1


def test_a_token_whose_load_balancer_is_gone_is_refused(account: Account) -> None:
    params = account.creation()
    (lb,) = account.clb("CreateLoadBalancer", **params)["LoadBalancerIds"]
    account.write("DeleteLoadBalancer", LoadBalancerIds=[lb])

    assert account.code("CreateLoadBalancer", **params) == "InvalidParameter.ClientTokenLimitExceeded"


def test_a_token_whose_load_balancer_is_gone_may_also_give_the_old_id(emulate: Emulate) -> None:
    account = emulate(switches={"dead_token": "old_id"})
    params = account.creation()
    (lb,) = account.clb("CreateLoadBalancer", **params)["LoadBalancerIds"]
    account.write("DeleteLoadBalancer", LoadBalancerIds=[lb])

    assert account.clb("CreateLoadBalancer", **params)["LoadBalancerIds"] == [lb]
    assert account.clb("DescribeLoadBalancers")["TotalCount"] == 0


@pytest.mark.parametrize("answer", ["same", "refused"])
def test_a_token_that_comes_again_with_another_body_is_a_switch(emulate: Emulate, answer: str) -> None:
    account = emulate(switches={"token_with_other_request": answer})
    params = account.creation(LoadBalancerName="one")
    (lb,) = account.clb("CreateLoadBalancer", **params)["LoadBalancerIds"]
    other = {**params, "LoadBalancerName": "two"}

    if answer == "same":
        assert account.clb("CreateLoadBalancer", **other)["LoadBalancerIds"] == [lb]
    else:
        assert account.code("CreateLoadBalancer", **other) == "InvalidParameter.ClientTokenLimitExceeded"
    assert account.describe(lb)["LoadBalancerName"] == "one"


def test_a_token_whose_order_failed_is_refused(account: Account) -> None:
    params = account.creation()
    account.control("POST", "/faults", {"action": "CreateLoadBalancer", "kind": "task_fail", "message": "sold out"})
    order = account.clb("CreateLoadBalancer", **params)

    task = account.clb("DescribeTaskStatus", TaskId=order["RequestId"])

    assert (task["Status"], task["Message"], task["LoadBalancerIds"]) == (1, "sold out", None)
    assert account.clb("DescribeLoadBalancers")["TotalCount"] == 0
    assert account.code("CreateLoadBalancer", **params) == "InvalidParameter.ClientTokenLimitExceeded"


def test_a_new_load_balancer_is_listed_at_once_as_creating_without_an_address(emulate: Emulate) -> None:
    account = emulate(latency=3.0)
    order = account.clb("CreateLoadBalancer", **account.creation())
    (lb,) = order["LoadBalancerIds"]

    creating = account.describe(lb)
    account.control("POST", "/clock", {"advance": 3.0})
    running = account.describe(lb)

    assert (creating["Status"], creating["LoadBalancerVips"]) == (0, [])
    assert (running["Status"], len(running["LoadBalancerVips"])) == (1, 1)


def test_a_new_load_balancer_may_run_before_its_task_has_ended(emulate: Emulate) -> None:
    account = emulate(latency=3.0, switches={"create_tail_s": 1.0})
    order = account.clb("CreateLoadBalancer", **account.creation())
    (lb,) = order["LoadBalancerIds"]
    listener = {"LoadBalancerId": lb, "Protocol": "HTTP", "Ports": [80], "ListenerNames": ["web"]}

    account.control("POST", "/clock", {"advance": 3.0})
    early = account.clb("DescribeTaskStatus", TaskId=order["RequestId"])["Status"], account.describe(lb)["Status"]
    refused = account.code("CreateListener", **listener)
    account.control("POST", "/clock", {"advance": 1.0})
    late = account.clb("DescribeTaskStatus", TaskId=order["RequestId"])

    assert (early, refused) == ((2, 1), "FailedOperation.ResourceInOperating")
    assert (late["Status"], late["LoadBalancerIds"]) == (0, [lb])
    account.clb("CreateListener", **listener)


@pytest.mark.parametrize("shape", ["empty", "null"])
def test_ids_that_the_answer_leaves_out_are_found_by_task_or_order(emulate: Emulate, shape: str) -> None:
    account = emulate(switches={"create_ids": shape})

    order = account.clb("CreateLoadBalancer", **account.creation())

    assert not order["LoadBalancerIds"]
    by_task = account.clb("DescribeTaskStatus", TaskId=order["RequestId"])["LoadBalancerIds"]
    by_order = account.clb("DescribeTaskStatus", DealName=order["DealName"])["LoadBalancerIds"]
    assert by_task == by_order == ["lb-00000001"]


def test_a_name_that_is_taken_is_replaced_by_another(account: Account) -> None:
    first, second = account.create(LoadBalancerName="shop"), account.create(LoadBalancerName="shop")

    assert account.describe(first)["LoadBalancerName"] == "shop"
    assert account.describe(second)["LoadBalancerName"] != "shop"


def test_an_internal_load_balancer_takes_an_address_of_its_subnet(account: Account) -> None:
    network = {"LoadBalancerType": "INTERNAL", "VpcId": "vpc-00000001", "SubnetId": "subnet-00000001"}

    lb = account.create(**network)

    shown = account.describe(lb)
    assert (shown["LoadBalancerType"], shown["SubnetId"]) == ("INTERNAL", "subnet-00000001")
    assert account.call("vpc", "DescribeSubnets")["SubnetSet"][0]["AvailableIpAddressCount"] == 249
    account.write("DeleteLoadBalancer", LoadBalancerIds=[lb])
    assert account.call("vpc", "DescribeSubnets")["SubnetSet"][0]["AvailableIpAddressCount"] == 250


REFUSED_CREATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "internal without subnet": ({"LoadBalancerType": "INTERNAL", "VpcId": "vpc-00000001"}, "MissingParameter"),
    "internal without vpc": ({"LoadBalancerType": "INTERNAL", "SubnetId": "subnet-00000001"}, "MissingParameter"),
    "unknown subnet": (
        {"LoadBalancerType": "INTERNAL", "VpcId": "vpc-00000001", "SubnetId": "subnet-none"},
        "InvalidParameterValue",
    ),
    "full subnet": (
        {"LoadBalancerType": "INTERNAL", "VpcId": "vpc-00000001", "SubnetId": "subnet-00000002"},
        "ResourceInsufficient",
    ),
    "public with subnet": ({"SubnetId": "subnet-00000001"}, "InvalidParameterValue"),
    "unknown type": ({"LoadBalancerType": "BOTH"}, "InvalidParameterValue"),
    "classic": ({"Forward": 0}, "InvalidParameterValue"),
    "long name": ({"LoadBalancerName": "n" * 81}, "InvalidParameterValue.Length"),
    "long token": ({"ClientToken": "t" * 65}, "InvalidParameterValue.Length"),
    "too much bandwidth": ({"InternetAccessible": {"InternetMaxBandwidthOut": 0}}, "InvalidParameterValue.Range"),
    "reserved tag": ({"Tags": as_tags({**OUR_TAGS, "qcs:x": "y"})}, "InvalidParameter.ReservedTagKey"),
    "21 tags": (
        {"Tags": as_tags({**OUR_TAGS, **{f"k{number}": "v" for number in range(17)}})},
        "LimitExceeded.TagNumPerRequest",
    ),
}


@pytest.mark.parametrize(("changes", "code"), REFUSED_CREATIONS.values(), ids=REFUSED_CREATIONS.keys())
def test_a_creation_that_cannot_be_is_refused(account: Account, changes: dict[str, Any], code: str) -> None:
    assert account.code("CreateLoadBalancer", **account.creation(**changes)) == code
    assert account.clb("DescribeLoadBalancers")["TotalCount"] == 0


def test_the_quota_of_load_balancers_holds_per_type(emulate: Emulate) -> None:
    account = emulate(quotas={"TOTAL_OPEN_CLB_QUOTA": 1})
    account.create()

    assert account.code("CreateLoadBalancer", **account.creation()) == "LimitExceeded"
    account.create(LoadBalancerType="INTERNAL", VpcId="vpc-00000001", SubnetId="subnet-00000001")
    quotas = {row["QuotaId"]: row for row in account.clb("DescribeQuota")["QuotaSet"]}
    assert quotas["TOTAL_OPEN_CLB_QUOTA"]["QuotaCurrent"] == 1
    assert quotas["TOTAL_INTERNAL_CLB_QUOTA"]["QuotaCurrent"] == 1


def test_an_ipv6_load_balancer_has_its_address_in_a_field_of_its_own(account: Account) -> None:
    lb = account.create(AddressIPVersion="IPv6FullChain", SubnetId="subnet-00000001")

    shown = account.describe(lb)

    assert (shown["AddressIPVersion"], shown["IPv6Mode"], shown["LoadBalancerVips"]) == ("ipv6", "IPv6FullChain", [])
    assert ":" in shown["AddressIPv6"]


def test_a_domain_based_load_balancer_shows_a_name_and_no_address(emulate: Emulate) -> None:
    account = emulate(switches={"public_address": "domain"})

    shown = account.describe(account.create())

    assert shown["LoadBalancerVips"] == []
    assert shown["LoadBalancerDomain"].startswith("lb-00000001")


def test_attributes_change_only_where_they_are_given(account: Account) -> None:
    lb = account.create(LoadBalancerName="shop", LoadBalancerPassToTarget=True)

    account.write("ModifyLoadBalancerAttributes", LoadBalancerId=lb, DeleteProtect=True)

    shown = account.describe(lb)
    assert "DeleteProtect" in shown["AttributeFlags"]
    assert (shown["LoadBalancerName"], shown["LoadBalancerPassToTarget"]) == ("shop", True)


@pytest.mark.parametrize("as_task", [True, False])
def test_security_groups_are_set_as_a_whole(emulate: Emulate, as_task: bool) -> None:
    account = emulate(switches={"security_groups_task": as_task})
    lb = account.create()

    account.write("SetLoadBalancerSecurityGroups", LoadBalancerId=lb, SecurityGroups=["sg-1", "sg-2"])
    account.write("SetLoadBalancerSecurityGroups", LoadBalancerId=lb, SecurityGroups=["sg-3"])

    assert account.describe(lb)["SecureGroups"] == ["sg-3"]
    assert (
        account.code("SetLoadBalancerSecurityGroups", LoadBalancerId=lb, SecurityGroups=["x"])
        == "InvalidParameterValue"
    )
