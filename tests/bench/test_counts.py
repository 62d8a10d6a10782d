"""The counts behind the budgets, with few load balancers: what is linear in calls there is linear with a thousand."""

import pytest

from tests.bench import bounds
from tests.bench.bounds import LOOK, Latencies, build
from tests.bench.fleet import CALL_S, REAL
from tests.bench.growing import Grown, grown
from tests.bench.removing import removed

SIZES = (4, 12)


@pytest.fixture(scope="module", params=SIZES, ids=str)
def fleet(request: pytest.FixtureRequest) -> tuple[int, Grown]:
    return request.param, grown(request.param)


def test_what_is_done_with_a_fleet_costs_the_least_writes_and_polls_and_shares_its_looks(
    fleet: tuple[int, Grown],
) -> None:
    count, done = fleet
    least = bounds.calls(build(Latencies(REAL, CALL_S), bulk=True), count)
    looks = done.built.calls[LOOK]
    assert done.built.calls | {LOOK: least[LOOK]} == least
    # Those that come one after the other are not kept waiting for each other, and two looks at each were too many.
    assert least[LOOK] <= looks < 2 * count, looks
    assert (done.joined.calls, done.left.calls) == (count, count)
    assert done.verified.reads == bounds.verification_reads(count)
    assert done.verified.writes == 0
    assert done.verified.part <= 0.25


def test_a_deletion_costs_two_looks_and_its_ingress_is_let_go_soon_after() -> None:
    done = removed(6)
    polls = {"DescribeTaskStatus"}  # as many as it takes to learn how long the task takes
    assert {action: made for action, made in done.calls.items() if action not in polls} == {
        "DescribeLoadBalancers": 2 * 6, "DescribeListeners": 6, "DeleteLoadBalancer": 6,
    }  # fmt: skip
    assert done.finalizer_s <= 15
