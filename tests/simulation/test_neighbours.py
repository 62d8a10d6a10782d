"""The quota of the account is not ours alone: what of it we get, and how often we are refused, by who else is there."""

import pytest

from l7lb.adapters.clb.allowance import RECOVERY_S_MAX
from tests.simulation.neighbours import Street

THROTTLED = "RequestLimitExceeded"
QUOTA, OURS = 20.0, 15.0


@pytest.mark.parametrize("neighbour", [0.0, 5.0, 10.0, 15.0, 18.0])
def test_of_what_a_neighbour_leaves_we_use_four_fifths_and_are_seldom_refused(neighbour: float) -> None:
    street = Street(lambda _now: neighbour)
    street.run(240.0)
    left = min(OURS, QUOTA - neighbour)
    assert street.answered(60.0, 240.0) >= 0.8 * left * 180.0
    assert street.answered(0.0, 240.0, THROTTLED) <= (0 if neighbour <= QUOTA - OURS else 20)


@pytest.mark.parametrize("neighbour", [10.0, 15.0, 18.0, 40.0])
def test_when_a_neighbour_leaves_all_of_our_part_is_back_in_time(neighbour: float) -> None:
    street = Street(lambda now: neighbour if now < 120.0 else 0.0)
    street.run(120.0)
    assert street.rate() < OURS
    street.run(RECOVERY_S_MAX + 1.0)
    assert street.rate() == OURS
    refused = street.answered(122.0, 1000.0, THROTTLED)
    assert refused == 0
    now = street.clock.now()
    street.run(20.0)
    assert street.answered(now, now + 20.0) >= 0.95 * OURS * 20.0


def test_refused_calls_cost_at_most_one_more_call_each() -> None:
    """Nothing is left for us at all: the calls that we make are the first tries and as many second ones at most."""
    street = Street(lambda _now: 40.0)
    street.run(120.0)
    began = street.limits.rates()
    assert min(began.values()) < 2.0
    codes = [code for _, code in street.sent]
    first_tries = len(codes) - street.repeated
    assert codes.count(THROTTLED) >= 10
    assert len(codes) <= 2 * first_tries
    assert len(codes) <= 120 * 3, "a refusal slows down; the rate stays near its floor"
