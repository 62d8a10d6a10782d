"""DescribeLoadBalancers: filters, pages, order."""

from typing import Any

import pytest

from tests.contract.clb.account import OUR_TAGS, Account, as_tags
from tests.contract.clb.conftest import Emulate


def ids(account: Account, **params: Any) -> list[str]:
    return [lb["LoadBalancerId"] for lb in account.clb("DescribeLoadBalancers", **params)["LoadBalancerSet"]]


def test_values_of_a_tag_filter_are_alternatives_and_filters_must_all_fit(account: Account) -> None:
    one = account.create(Tags=as_tags({**OUR_TAGS, "tke-lb-ingress-uuid": "uid-1"}))
    two = account.create(Tags=as_tags({**OUR_TAGS, "tke-lb-ingress-uuid": "uid-2"}))
    account.create(Tags=as_tags({**OUR_TAGS, "tke-clusterId": "cls-other", "tke-lb-ingress-uuid": "uid-1"}))
    cluster = {"Name": "tag:tke-clusterId", "Values": ["cls-test"]}

    both = ids(account, Filters=[cluster, {"Name": "tag:tke-lb-ingress-uuid", "Values": ["uid-1", "uid-2"]}])
    first = ids(account, Filters=[cluster, {"Name": "tag:tke-lb-ingress-uuid", "Values": ["uid-1"]}])

    assert sorted(both) == [one, two]
    assert first == [one]
    assert len(ids(account, Filters=[{"Name": "tag-key", "Values": ["tke-clusterId"]}])) == 3


def test_the_newest_comes_first_unless_ascending_order_is_asked(account: Account) -> None:
    made = [account.create() for _ in range(3)]

    assert ids(account) == made[::-1]
    assert ids(account, OrderType=0) == made


def test_pages_cover_the_list_and_tell_the_total(emulate: Emulate) -> None:
    account = emulate()
    made = [account.create() for _ in range(5)]

    pages = [ids(account, OrderType=0, Offset=offset, Limit=2) for offset in (0, 2, 4)]

    assert [lb for page in pages for lb in page] == made
    assert account.clb("DescribeLoadBalancers", Limit=1)["TotalCount"] == 5


@pytest.mark.parametrize(("paging", "missed"), [("shift_left", True), ("shift_right", False)])
def test_a_page_with_an_offset_may_shift(emulate: Emulate, paging: str, missed: bool) -> None:
    account = emulate(switches={"paging": paging})
    made = [account.create() for _ in range(4)]

    seen = [
        ids(account, OrderType=0, Offset=0, Limit=2) + ids(account, OrderType=0, Offset=2, Limit=2) for _ in range(20)
    ]

    assert any(len(set(made) - set(page)) > 0 for page in seen)
    assert any(len(page) != len(set(page)) for page in seen) is not missed


def test_an_unknown_id_is_absent_and_no_error(account: Account) -> None:
    lb = account.create()

    assert ids(account, LoadBalancerIds=[lb, "lb-none0000"]) == [lb]


REFUSED_LISTS: dict[str, tuple[dict[str, Any], str]] = {
    "21 ids": ({"LoadBalancerIds": [f"lb-{number:08}" for number in range(21)]}, "InvalidParameterValue.Length"),
    "page of 101": ({"Limit": 101}, "InvalidParameterValue.Range"),
    "unknown filter": ({"Filters": [{"Name": "colour", "Values": ["red"]}]}, "InvalidParameter.InvalidFilter"),
    "filter without values": ({"Filters": [{"Name": "tag-key", "Values": []}]}, "InvalidParameter.InvalidFilter"),
    "unknown order": ({"OrderBy": "Age"}, "InvalidParameterValue"),
}


@pytest.mark.parametrize(("params", "code"), REFUSED_LISTS.values(), ids=REFUSED_LISTS.keys())
def test_a_list_that_cannot_be_asked_is_refused(account: Account, params: dict[str, Any], code: str) -> None:
    assert account.code("DescribeLoadBalancers", **params) == code


def test_lists_can_be_narrowed_by_type_name_network_and_targets(account: Account) -> None:
    public = account.create(LoadBalancerName="shop-public")
    internal = account.create(
        LoadBalancerName="shop-internal", LoadBalancerType="INTERNAL", VpcId="vpc-00000001", SubnetId="subnet-00000001"
    )
    listener = account.listener(public)
    (rule,) = account.rules(public, listener, "a.example.com/")
    account.bind(public, listener, rule, 80)

    assert ids(account, LoadBalancerType="INTERNAL") == [internal]
    assert ids(account, LoadBalancerName="public") == [public]
    assert ids(account, VpcId="vpc-other") == []
    assert ids(account, WithRs=1) == [public]
    assert ids(account, BackendPrivateIps=["10.0.0.1"]) == [public]
    assert ids(account, LoadBalancerVips=["127.80.0.2"]) == [internal]
    assert (
        account.clb("DescribeLoadBalancers", LoadBalancerIds=[public], AdditionalFields=["TargetCount"])[
            "LoadBalancerSet"
        ][0]["TargetCount"]
        == 1
    )
