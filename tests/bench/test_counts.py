"""The counts behind the budgets, with few load balancers: what is linear in calls there is linear with a thousand."""

import pytest

from tests.bench import bounds
from tests.bench.bounds import Latencies, build
from tests.bench.fleet import CALL_S, REAL
from tests.bench.growing import Grown, grown

SIZES = (4, 12)


@pytest.fixture(scope="module", params=SIZES, ids=str)
def fleet(request: pytest.FixtureRequest) -> tuple[int, Grown]:
    return request.param, grown(request.param)


def test_what_is_done_with_a_fleet_costs_the_least_calls_and_no_more(fleet: tuple[int, Grown]) -> None:
    count, done = fleet
    assert done.built.calls == bounds.calls(build(Latencies(REAL, CALL_S), bulk=False), count)
    assert (done.joined.calls, done.left.calls) == (count, count)
    assert done.verified.reads == bounds.verification_reads(count)
    assert done.verified.writes == 0
    assert done.verified.part <= 0.25
