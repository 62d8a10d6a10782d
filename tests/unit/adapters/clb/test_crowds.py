"""Many callers of one budget: what the rate gives is used, nobody is sent away again and again, nobody held up."""

import pytest

from l7lb.adapters.clb.ratelimit import Pace, divided, pace_of
from l7lb.model.lane import Lane
from tests.unit.adapters.clb.street import LIST, Street
from tests.unit.adapters.clb.test_allowance import most_in_a_second

SECONDS = 900.0
PACES = {
    "usual": Pace(),
    "3 shards": divided(Pace(), 3),
    "5 shards": divided(Pace(), 5),
    "11 shards": divided(Pace(), 11),
    "16 shards": divided(Pace(), 16),
    "11 shards of nearly all": divided(pace_of(0.95), 11),
    "a small share": pace_of(0.05),
}


def rate(pace: Pace) -> float:
    """Calls a second that it may make."""
    return 20.0 * pace.share


@pytest.mark.parametrize("lane", [Lane.CHANGE, Lane.VERIFY])
@pytest.mark.parametrize("pace", PACES.values(), ids=PACES)
def test_of_a_budget_that_is_nearly_used_up_nothing_is_lost_and_nobody_waits_for_long(pace: Pace, lane: Lane) -> None:
    street, part = Street(pace), pace.verify_share if lane is Lane.VERIFY else 1.0
    street.crowd(lane, [LIST], 0.85 * part * rate(pace), SECONDS)
    street.run(SECONDS + 60.0)
    assert street.under_way == 0
    assert max(street.waited[lane]) <= 60.0
    assert most_in_a_second(street.sent[LIST]) <= 20
    assert len(street.sent[LIST]) <= part * (rate(pace) * (SECONDS + 60.0) + 5.0) + 1.5


@pytest.mark.parametrize(("shards", "latency_s"), [(1, 0.02), (3, 0.1), (16, 0.1)])
def test_users_do_not_wait_for_the_end_of_a_long_list_of_the_verifier(shards: int, latency_s: float) -> None:
    street = Street(divided(Pace(), shards), latency_s=latency_s)
    street.at(5.0, lambda: street.list_all(300))
    street.crowd(Lane.CHANGE, [LIST], 0.3 * rate(street.limits.pace), 300.0)
    street.run(900.0)
    assert street.under_way == 0
    assert max(street.waited[Lane.CHANGE]) <= 1.0 + 0.5 * shards
    assert len(street.listed_s) == 1


@pytest.mark.parametrize("shards", [3, 5, 16])
def test_shards_that_list_at_the_same_time_keep_to_the_quota_together_also_when_answers_take_their_time(
    shards: int,
) -> None:
    street = Street(divided(Pace(), shards))
    street.list_all(60)
    street.run(300.0)
    assert len(street.listed_s) == 1
    assert most_in_a_second([at for at in street.sent[LIST] if at > 2.0]) * shards <= 20


@pytest.mark.parametrize("reads", [["A"] * 5, ["A"] * 10, ["A", "B", "C"] * 4], ids=["5", "10", "three in turn"])
@pytest.mark.parametrize("lane", list(Lane))
@pytest.mark.parametrize("pace", [Pace(), divided(Pace(), 16)], ids=["usual", "16 shards"])
def test_a_pass_of_many_reads_comes_to_its_end_beside_all_other_lanes(pace: Pace, lane: Lane, reads: list[str]) -> None:
    street = Street(pace)
    for other in (one for one in Lane if one not in (lane, Lane.VERIFY)):
        for action in "ABC":
            street.crowd(other, [action], 0.15 * rate(pace), 120.0)
    street.at(20.0, lambda: street.come(lane, reads))
    street.run(300.0)
    assert street.under_way == 0
