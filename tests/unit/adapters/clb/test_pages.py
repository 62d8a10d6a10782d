"""A list of many pages: read to its end within the quota, whatever else is going on."""

from collections.abc import Mapping
from typing import Any

import pytest

from l7lb.adapters.clb.calls import Caller
from l7lb.adapters.clb.loadbalancers import TencentLoadBalancers
from l7lb.adapters.clb.ratelimit import Pace, RateLimits, divided
from l7lb.adapters.clb.sdk import Refusal
from l7lb.model.lane import Lane
from tests.unit.adapters.clb.test_allowance import most_in_a_second

TOTAL = 3_000


class Account:
    """Answers pages of `TOTAL` load balancers at once; refuses the calls whose numbers are given."""

    def __init__(self, *refused: int, pace: Pace | None = None) -> None:
        self.now = 0.0
        self.sent: list[float] = []
        self._refused = refused
        self.limits = RateLimits(self.clock, pace or Pace())
        caller = Caller(self, self.limits, sleep=self.sleep, clock=self.clock)
        self.cloud = TencentLoadBalancers(caller, self.clock)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def send(self, _service: str, _action: str, _region: str, params: Mapping[str, Any]) -> dict[str, Any]:
        self.sent.append(self.now)
        if len(self.sent) in self._refused:
            raise Refusal("RequestLimitExceeded", "too fast", "r")
        numbers = range(params["Offset"], min(TOTAL, params["Offset"] + params["Limit"]))
        entries = [
            {"LoadBalancerId": f"lb-{number:08}", "CreateTime": "2026-01-01 00:00:00", "Status": 1, "Forward": 1}
            for number in numbers
        ]
        return {"TotalCount": TOTAL, "LoadBalancerSet": entries, "RequestId": "r"}


def test_thousands_of_load_balancers_are_listed_within_the_quota() -> None:
    account = Account()
    assert len(account.cloud.at(Lane.VERIFY).find("ap-guangzhou", {"a": "b"})) == TOTAL
    assert len(account.sent) == TOTAL / 100
    assert most_in_a_second(account.sent) <= 20


def test_a_page_that_is_refused_for_rate_does_not_cost_the_pages_before_it() -> None:
    account = Account(7, 8, 9, 20)
    assert len(account.cloud.at(Lane.VERIFY).find("ap-guangzhou", {"a": "b"})) == TOTAL
    assert len(account.sent) == TOTAL / 100 + 4


@pytest.mark.parametrize("lane", [Lane.VERIFY, Lane.CHANGE])
@pytest.mark.parametrize("shards", [1, 3, 16])
def test_a_list_of_many_pages_does_not_hold_up_who_changes_something_after_it_nor_the_next_list(
    lane: Lane, shards: int
) -> None:
    account = Account(pace=divided(Pace(), shards))
    account.cloud.at(lane).find("ap-guangzhou", {"a": "b"})
    account.now += 2.0
    account.limits.take("ap-guangzhou", "clb", "DescribeLoadBalancers", Lane.CHANGE)
    account.now += 3.0 * shards
    assert len(account.cloud.at(Lane.VERIFY).find("ap-guangzhou", {"a": "b"})) == TOTAL


@pytest.mark.parametrize("shards", [3, 5])
def test_shards_that_look_at_the_same_time_keep_to_the_quota_together(shards: int) -> None:
    account = Account(pace=divided(Pace(), shards))
    account.cloud.at(Lane.VERIFY).find("ap-guangzhou", {"a": "b"})
    assert most_in_a_second([at for at in account.sent if at > 1.0]) * shards <= 20
    assert account.now <= TOTAL / 100 / (20 / shards) + 3.0


def test_the_list_that_a_term_begins_with_may_fill_the_whole_second_also_with_shards() -> None:
    account = Account(pace=divided(Pace(), 16))
    account.cloud.at(Lane.CHANGE).find("ap-guangzhou", {"a": "b"})
    assert most_in_a_second(account.sent) == 20
    assert account.now <= TOTAL / 100 / 20 + 1.0
