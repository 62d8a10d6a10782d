"""The counts behind the budgets, with few load balancers: what is linear in calls there is linear with a thousand."""

import pytest

from tests.bench import bounds
from tests.bench.bounds import LOOK, Latencies, build
from tests.bench.fleet import CALL_S, REAL
from tests.bench.growing import Grown, grown

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
