"""The budget on a clock that is moved by hand."""

from contextlib import suppress
from itertools import pairwise

import pytest

from l7lb.adapters.clb.allowance import RECOVERY_S_MAX
from l7lb.adapters.clb.deletions import DELETIONS_MAX
from l7lb.adapters.clb.ratelimit import DELETE, Pace, RateLimits, divided, pace_of
from l7lb.errors import Throttled
from l7lb.model.lane import Lane
from tests.unit.adapters.clb.test_allowance import most_in_a_second

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


def take(limits: RateLimits, region: str, action: str, lane: Lane) -> None:
    if action == DELETE:
        limits.take_deletion(region, "", lane)
    else:
        limits.take(region, "clb", action, lane)


def taken(limits: RateLimits, lane: Lane = Lane.CHANGE, action: str = "CreateRule", region: str = REGION) -> int:
    """How many calls go through until one is refused."""
    for count in range(1000):
        try:
            take(limits, region, action, lane)
        except Throttled:
            return count
    return 1000


def wait(limits: RateLimits, lane: Lane = Lane.CHANGE, action: str = "CreateRule") -> float:
    with pytest.raises(Throttled) as caught:
        take(limits, REGION, action, lane)
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


@pytest.mark.parametrize("pace", [Pace(), pace_of(0.05), divided(Pace(), 16)], ids=["usual", "small", "16 shards"])
@pytest.mark.parametrize("lane", [Lane.CHANGE, Lane.VERIFY])
def test_however_low_the_rate_is_a_pass_of_five_reads_comes_to_its_end(clock: Clock, pace: Pace, lane: Lane) -> None:
    limits = RateLimits(clock, pace)
    for _ in range(8):
        limits.slow_down(REGION, "clb", "DescribeListeners", sent=clock.now)
        clock.now += 0.001
    clock.now += wait(limits, lane, "DescribeListeners")
    for number in range(5):
        limits.take(REGION, "clb", "DescribeListeners", lane, borrow=number > 0)


def test_a_complaint_of_the_cloud_halves_the_rate_and_calm_brings_it_back(limits: RateLimits, clock: Clock) -> None:
    limits.slow_down(REGION, "clb", "CreateRule", sent=clock.now)
    assert limits.rates() == {(REGION, "clb", "CreateRule"): 7.5}
    assert taken(limits) == 0
    clock.now += 1.0
    assert taken(limits) == 5
    clock.now += RECOVERY_S_MAX
    assert limits.rates() == {(REGION, "clb", "CreateRule"): 15.0}


def test_a_complaint_concerns_one_action_of_one_region_unless_it_says_otherwise(
    limits: RateLimits, clock: Clock
) -> None:
    for region in (REGION, "ap-shanghai"):
        limits.take(region, "clb", "CreateRule", Lane.CHANGE)
        limits.take(region, "clb", "CreateListener", Lane.CHANGE)
    limits.slow_down(REGION, "clb", "CreateRule", sent=clock.now)
    slow = {budget for budget, rate in limits.rates().items() if rate < 15.0}
    assert slow == {(REGION, "clb", "CreateRule")}
    limits.slow_down(REGION, "clb", "CreateListener", sent=clock.now, everywhere=True)
    slow |= {budget for budget, rate in limits.rates().items() if rate < 15.0}
    assert slow == {
        (REGION, "clb", "CreateRule"),
        (REGION, "clb", "CreateListener"),
        ("ap-shanghai", "clb", "CreateListener"),
    }


def test_when_others_have_deleted_as_well_no_deletion_of_the_region_is_tried_for_a_while(
    limits: RateLimits, clock: Clock
) -> None:
    limits.no_deletions(REGION, 60.0)
    assert wait(limits, action="DeleteLoadBalancer") == pytest.approx(60.0)
    assert taken(limits, action="DeleteLoadBalancer", region="ap-shanghai") > 0
    clock.now += 60.0
    assert taken(limits, action="DeleteLoadBalancer") > 0


@pytest.mark.parametrize(
    ("service", "action", "quota"),
    [
        ("clb", "CreateRule", 20),
        ("ssl", "DescribeCertificates", 10),
        ("cvm", "DescribeInstances", 40),
        ("vpc", "DescribeSubnets", 100),
    ],
)
def test_burst_and_share_follow_the_quota_of_the_action(
    limits: RateLimits, clock: Clock, service: str, action: str, quota: int
) -> None:
    sent = []
    for _ in range(400):
        clock.now += 0.01
        with suppress(Throttled):
            while True:
                limits.take(REGION, service, action, Lane.CHANGE)
                sent.append(clock.now)
    assert most_in_a_second(sent) <= quota
    assert len(sent) >= 0.75 * quota * 4


def test_deletions_stay_below_the_clouds_guard(clock: Clock) -> None:
    limits = RateLimits(clock, Pace(burst=50.0))
    assert taken(limits, action="DeleteLoadBalancer") == DELETIONS_MAX
    assert wait(limits, action="DeleteLoadBalancer") == pytest.approx(300.0)
    limits.give_back(REGION, "DeleteLoadBalancer")
    assert taken(limits, action="DeleteLoadBalancer") == 1
    clock.now += 300.0
    assert taken(limits, action="DeleteLoadBalancer") == DELETIONS_MAX
    assert taken(limits, action="DeleteLoadBalancer", region="ap-shanghai") == DELETIONS_MAX
