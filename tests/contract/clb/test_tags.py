"""The tag service, and how late its changes may be seen."""

from typing import Any

import pytest

from tests.contract.clb.account import OUR_TAGS, Account, as_tags
from tests.contract.clb.conftest import Emulate


def resource(lb: str, region: str = "ap-guangzhou") -> str:
    return f"qcs::clb:{region}:uin/:clb/{lb}"


def tags(account: Account, lb: str) -> dict[str, str]:
    return {tag["TagKey"]: tag["TagValue"] for tag in account.describe(lb)["Tags"]}


def found(account: Account, key: str, value: str) -> int:
    filters = [{"Name": f"tag:{key}", "Values": [value]}]
    return int(account.clb("DescribeLoadBalancers", Filters=filters)["TotalCount"])


def test_tags_are_set_over_old_values_and_taken_off(account: Account) -> None:
    lb = account.create()

    account.call(
        "tag", "TagResources", ResourceList=[resource(lb)], Tags=as_tags({"team": "a", "tke-clusterId": "cls-2"})
    )
    account.call("tag", "UnTagResources", ResourceList=[resource(lb)], TagKeys=["tke-lb-ingress-uuid"])

    expected = {**OUR_TAGS, "team": "a", "tke-clusterId": "cls-2"}
    del expected["tke-lb-ingress-uuid"]
    assert tags(account, lb) == expected


def test_a_resource_that_fails_is_listed_and_the_others_succeed(account: Account) -> None:
    lb = account.create()

    answer = account.call(
        "tag",
        "TagResources",
        ResourceList=[resource("lb-none0000"), resource(lb), "nonsense"],
        Tags=as_tags({"a": "b"}),
    )

    assert [item["Resource"] for item in answer["FailedResources"]] == [resource("lb-none0000"), "nonsense"]
    assert tags(account, lb)["a"] == "b"


def test_taking_off_a_tag_that_is_not_there_says_so(account: Account) -> None:
    lb = account.create()

    answer = account.call("tag", "UnTagResources", ResourceList=[resource(lb)], TagKeys=["team"])

    assert answer["FailedResources"][0]["Code"] == "ResourceNotFound.AttachedTagKeyNotFound"


def test_one_call_can_replace_and_delete_tags_of_one_resource(account: Account) -> None:
    lb = account.create(Tags=as_tags({**OUR_TAGS, "old": "1", "kept": "2"}))

    account.call(
        "tag",
        "ModifyResourceTags",
        Resource=resource(lb),
        ReplaceTags=as_tags({"new": "3"}),
        DeleteTags=[{"TagKey": "old"}],
    )

    assert tags(account, lb) == {**OUR_TAGS, "kept": "2", "new": "3"}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "nothing to do": ({}, "MissingParameter"),
    "an empty list": ({"ReplaceTags": []}, "InvalidParameterValue"),
    "one key twice": (
        {"ReplaceTags": as_tags({"a": "b"}), "DeleteTags": [{"TagKey": "a"}]},
        "InvalidParameterValue",
    ),
    "reserved key": ({"ReplaceTags": as_tags({"project": "b"})}, "InvalidParameter.ReservedTagKey"),
    "key not attached": ({"DeleteTags": [{"TagKey": "a"}]}, "ResourceNotFound.AttachedTagKeyNotFound"),
    "11 tags": (
        {"ReplaceTags": as_tags({f"k{number}": "v" for number in range(11)})},
        "LimitExceeded.TagNumPerRequest",
    ),
}


@pytest.mark.parametrize(("params", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_a_change_of_tags_that_cannot_be_is_refused(account: Account, params: dict[str, Any], code: str) -> None:
    lb = account.create()

    assert account.code("ModifyResourceTags", "tag", Resource=resource(lb), **params) == code
    assert tags(account, lb) == OUR_TAGS


def test_a_resource_has_at_most_fifty_tags(account: Account) -> None:
    (made,) = account.world(load_balancers=[{"tags": {f"k{number}": "v" for number in range(50)}}])

    answer = account.call("tag", "TagResources", ResourceList=[resource(made["id"])], Tags=as_tags({"one": "more"}))

    assert answer["FailedResources"][0]["Code"] == "LimitExceeded.ResourceAttachedTags"


def test_a_change_is_seen_inline_and_by_filters_after_their_lags(emulate: Emulate) -> None:
    account = emulate(switches={"tag_lag_s": 5.0, "tag_filter_lag_s": 30.0})
    (made,) = account.world(load_balancers=[{}])
    lb = made["id"]
    account.call("tag", "TagResources", ResourceList=[resource(lb)], Tags=as_tags({"team": "a"}))

    seen = []
    for _ in range(3):
        seen.append((tags(account, lb), found(account, "team", "a")))
        account.emulator.advance(15.0)

    assert seen == [({}, 0), ({"team": "a"}, 0), ({"team": "a"}, 1)]


def test_tags_of_a_creation_may_be_seen_late_too(emulate: Emulate) -> None:
    account = emulate(switches={"create_tag_lag_s": 2.0, "tag_filter_lag_s": 5.0})
    lb = account.create()

    early = (tags(account, lb), found(account, "tke-clusterId", "cls-test"))
    account.emulator.advance(2.0)
    later = (tags(account, lb), found(account, "tke-clusterId", "cls-test"))
    account.emulator.advance(3.0)

    assert early == ({}, 0)
    assert later == (OUR_TAGS, 0)
    assert found(account, "tke-clusterId", "cls-test") == 1


def test_tags_can_be_read_by_resource(account: Account) -> None:
    lb = account.create()

    answer = account.call(
        "tag", "DescribeResourceTagsByResourceIds",
        ServiceType="clb", ResourcePrefix="clb", ResourceIds=[lb], ResourceRegion="ap-guangzhou",
    )  # fmt: skip

    assert {row["TagKey"]: row["TagValue"] for row in answer["Tags"]} == OUR_TAGS


def test_resources_can_be_found_by_tag_across_regions_page_by_page(account: Account) -> None:
    made = account.world(load_balancers=[{"tags": {"a": "1"}}, {"tags": {"a": "2"}, "region": "ap-shanghai"}, {}])

    first = account.call("tag", "GetResources", TagFilters=[{"TagKey": "a"}], MaxResults=1)
    second = account.call("tag", "GetResources", TagFilters=[{"TagKey": "a"}], PaginationToken=first["PaginationToken"])

    resources = [item["Resource"] for page in (first, second) for item in page["ResourceTagMappingList"]]
    assert [name.rpartition("/")[2] for name in resources] == [made[0]["id"], made[1]["id"]]
    assert second["PaginationToken"] == ""
