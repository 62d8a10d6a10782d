"""The budget on a clock that is moved by hand."""

from itertools import pairwise

import pytest

from l7lb.adapters.clb.ratelimit import DELETIONS_MAX, Pace, RateLimits
from l7lb.errors import Throttled
from l7lb.model.lane import Lane

REGION = "ap-guangzhou"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(clock: Clock) -> RateLimits:
    return RateLimits(clock)


def taken(limits: RateLimits, lane: Lane = Lane.CHANGE, action: str = "CreateRule", region: str = REGION) -> int:
    """How many calls go through until one is refused."""
    for count in range(1000):
        try:
            limits.take(region, "clb", action, lane)
        except Throttled:
            return count
    return 1000


def wait(limits: RateLimits, lane: Lane = Lane.CHANGE, action: str = "CreateRule") -> float:
    with pytest.raises(Throttled) as caught:
        limits.take(REGION, "clb", action, lane)
    assert caught.value.retry_after_s is not None
    return caught.value.retry_after_s


def test_a_second_never_sees_more_than_the_documented_quota(limits: RateLimits, clock: Clock) -> None:
    sent = taken(limits)
    for _ in range(100):
        clock.now += 0.01
        sent += taken(limits)
    assert 15 <= sent <= 20


def test_a_refused_call_is_told_when_and_then_goes_through(limits: RateLimits, clock: Clock) -> None:
    taken(limits)
    clock.now += wait(limits) + 1e-9
    limits.take(REGION, "clb", "CreateRule", Lane.CHANGE)


def test_those_that_are_refused_together_are_sent_back_one_after_the_other(limits: RateLimits) -> None:
    taken(limits)
    waits = [wait(limits) for _ in range(30)]
    gaps = [later - earlier for earlier, later in pairwise(waits)]
    assert all(gap == pytest.approx(1 / 15) for gap in gaps)


def test_actions_and_regions_have_budgets_of_their_own(limits: RateLimits) -> None:
    taken(limits)
    assert taken(limits, action="CreateListener") == 5
    assert taken(limits, region="ap-shanghai") == 5


def test_the_verifier_gets_a_quarter_and_leaves_the_rest(limits: RateLimits, clock: Clock) -> None:
    sent = taken(limits, Lane.VERIFY)
    for _ in range(100):
        clock.now += 0.1
        sent += taken(limits, Lane.VERIFY)
    assert sent <= 10 * 15 * 0.25 + 2
    assert taken(limits, Lane.CHANGE) >= 3


def test_users_do_not_wait_for_the_verifier(limits: RateLimits) -> None:
    taken(limits, Lane.VERIFY)
    assert taken(limits, Lane.ENDPOINTS) >= 3


def test_later_pages_are_borrowed_and_paid_back(limits: RateLimits, clock: Clock) -> None:
    for number in range(10):
        limits.take(REGION, "clb", "DescribeLoadBalancers", Lane.VERIFY, borrow=number > 0)
    assert wait(limits, Lane.VERIFY, "DescribeLoadBalancers") == pytest.approx(9.75 / 3.75, abs=0.1)
    clock.now += 3
    limits.take(REGION, "clb", "DescribeLoadBalancers", Lane.VERIFY)


def test_a_complaint_of_the_cloud_halves_the_rate_and_calm_brings_it_back(limits: RateLimits, clock: Clock) -> None:
    limits.slow_down(REGION, "clb", "CreateRule")
    assert taken(limits) == 0
    clock.now += 1.0
    assert taken(limits) == 5
    assert wait(limits) == pytest.approx(2 / 7.5)  # the first token is promised to the one that `taken` saw refused
    for _ in range(5):
        limits.slow_down(REGION, "clb", "CreateRule")
    clock.now += 0.9
    assert taken(limits) == 0
    for _ in range(10):
        clock.now += 11
        taken(limits)
    clock.now += 1 / 15 + 1e-6
    assert taken(limits) == 1


def test_slower_services_have_slower_budgets(limits: RateLimits, clock: Clock) -> None:
    for _ in range(5):
        limits.take(REGION, "ssl", "DescribeCertificates", Lane.CHANGE)
    with pytest.raises(Throttled) as caught:
        limits.take(REGION, "ssl", "DescribeCertificates", Lane.CHANGE)
    assert caught.value.retry_after_s == pytest.approx(1 / 7.5)
    assert clock.now == 1000.0


def test_deletions_stay_below_the_clouds_guard(clock: Clock) -> None:
    limits = RateLimits(clock, Pace(burst=1000.0))
    assert taken(limits, action="DeleteLoadBalancer") == DELETIONS_MAX
    assert wait(limits, action="DeleteLoadBalancer") == pytest.approx(300.0)
    limits.give_back(REGION, "DeleteLoadBalancer")
    assert taken(limits, action="DeleteLoadBalancer") == 1
    clock.now += 300.0
    assert taken(limits, action="DeleteLoadBalancer") == DELETIONS_MAX
    assert taken(limits, action="DeleteLoadBalancer", region="ap-shanghai") == DELETIONS_MAX
