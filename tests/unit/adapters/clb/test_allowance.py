"""One action's allowance on a clock that is an argument."""

from bisect import bisect_left
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l7lb.adapters.clb.allowance import CATCH_UP_S, FLOOR, GRACE_S, HOLD_S, KNEE, RECOVERY_S_MAX, Allowance
from l7lb.model.lane import Lane

QUOTA, FULL, BURST, SHARE = 20.0, 15.0, 5.0, 0.25


def fresh() -> Allowance:
    return Allowance(QUOTA, FULL, BURST, SHARE, 0.0)


def most_in_a_second(times: Sequence[float]) -> int:
    """The most calls in any second, its end included and its beginning not."""
    return max((number + 1 - bisect_left(times, at - 1.0 + 1e-9) for number, at in enumerate(times)), default=0)


def taken(allowance: Allowance, lane: Lane, now: float) -> int:
    count = 0
    while allowance.take(lane, now) == 0.0:
        count += 1
    return count


_CALLS = st.tuples(st.floats(0.0, 0.4), st.sampled_from(list(Lane)), st.booleans(), st.integers(1, 8), st.booleans())


@given(st.lists(_CALLS, max_size=120))
def test_no_second_ever_sees_more_than_the_quota_and_the_verifier_never_more_than_its_share(
    calls: list[tuple[float, Lane, bool, int, bool]],
) -> None:
    allowance, now = fresh(), 0.0
    sent: list[float] = []
    verified = 0
    for pause, lane, borrow, at_once, refused in calls:
        now += pause
        for _ in range(at_once):
            if allowance.take(lane, now, borrow=borrow and lane is not Lane.VERIFY) == 0.0:
                sent.append(now)
                verified += lane is Lane.VERIFY
        if refused:
            allowance.complain(now, now)
        assert FULL * FLOOR <= allowance.rate <= FULL
    assert most_in_a_second(sent) <= QUOTA
    assert verified <= SHARE * (BURST + FULL * now) + 1


@given(st.lists(_CALLS, min_size=1, max_size=60))
def test_who_comes_when_it_was_told_to_and_is_alone_gets_its_token(
    calls: list[tuple[float, Lane, bool, int, bool]],
) -> None:
    allowance, now = fresh(), 0.0
    for pause, lane, borrow, at_once, refused in calls:
        now += pause
        for _ in range(at_once):
            allowance.take(lane, now, borrow=borrow)
        if refused:
            allowance.complain(now, now)
    lane = calls[-1][1]
    for _ in range(4):
        wait = allowance.take(lane, now)
        if wait == 0.0:
            return
        now += wait + 1e-9
    pytest.fail("sent away four times in a row")


def test_answers_to_calls_that_were_on_their_way_are_one_complaint() -> None:
    allowance = fresh()
    for answered in (1.0, 1.0, 1.1, 1.3):
        allowance.complain(0.9, answered)
    assert allowance.rate == pytest.approx(FULL / 2, rel=0.05)
    allowance.complain(1.2, 1.4)
    assert allowance.rate == pytest.approx(FULL / 4, rel=0.1)


def test_the_rate_comes_back_quickly_then_stays_then_climbs() -> None:
    allowance = fresh()
    allowance.complain(0.0, 0.0)
    course = {}
    for at in (0.0, CATCH_UP_S, CATCH_UP_S + HOLD_S, CATCH_UP_S + HOLD_S + 3.0, RECOVERY_S_MAX):
        allowance.look(at)
        course[at] = allowance.rate
    assert list(course.values()) == pytest.approx([FULL / 2, KNEE * FULL, KNEE * FULL, KNEE * FULL + 0.75, FULL])


def test_however_often_it_is_refused_something_is_tried_and_all_comes_back() -> None:
    allowance = fresh()
    for second in range(50):
        allowance.complain(float(second), float(second))
    assert allowance.rate == pytest.approx(FULL * FLOOR)
    assert allowance.take(Lane.CHANGE, 50.1) == 0.0
    allowance.look(49.0 + RECOVERY_S_MAX)
    assert allowance.rate == FULL


def test_the_verifiers_part_shrinks_with_the_rate() -> None:
    allowance = fresh()
    for second in range(10):
        allowance.complain(float(second), float(second))
    now, sent = 9.0, 0
    while now < 13.0:
        now += 0.05
        sent += taken(allowance, Lane.VERIFY, now)
    assert sent <= 4 * 1.5 * SHARE + 1, "a quarter of one to one and a half a second"


def test_a_token_that_was_named_to_a_user_is_not_taken_by_the_verifier() -> None:
    allowance = fresh()
    taken(allowance, Lane.CHANGE, 0.0)
    wait = allowance.take(Lane.CHANGE, 0.0)
    now = wait + 0.01
    assert allowance.take(Lane.VERIFY, now) > 0
    assert allowance.take(Lane.CHANGE, now) == 0.0


@pytest.mark.parametrize(("crowd", "other"), [(Lane.CHANGE, Lane.ENDPOINTS), (Lane.ENDPOINTS, Lane.CHANGE)])
def test_a_crowd_in_one_lane_lets_the_other_have_every_second_token(crowd: Lane, other: Lane) -> None:
    allowance, now = fresh(), 0.0
    taken(allowance, crowd, now)
    for _ in range(500):
        allowance.take(crowd, now)
    due, waits = now, []
    for _ in range(20):
        began = due
        while True:
            for _ in range(10):
                allowance.take(crowd, due)
            wait = allowance.take(other, due)
            if wait == 0.0:
                break
            assert wait < 2.5 / FULL
            due += wait + 1e-6
        waits.append(due - began)
    assert max(waits) <= 4 / FULL


def test_pods_do_not_wait_behind_a_node_that_came_to_all_load_balancers() -> None:
    allowance, now = fresh(), 0.0
    taken(allowance, Lane.ARRIVALS, now)
    for _ in range(1_000):
        allowance.take(Lane.ARRIVALS, now)
    for _ in range(20):
        now += 0.2
        wait = allowance.take(Lane.ENDPOINTS, now)
        assert wait <= 2 / FULL
        taken(allowance, Lane.ARRIVALS, now + wait / 2)
        if wait > 0:
            now += wait + 1e-6
            assert allowance.take(Lane.ENDPOINTS, now) == 0.0


def test_a_token_is_not_kept_for_long_for_one_that_does_not_come() -> None:
    allowance = fresh()
    taken(allowance, Lane.ENDPOINTS, 0.0)
    allowance.take(Lane.ENDPOINTS, 0.0)
    assert taken(allowance, Lane.VERIFY, 1.0 / FULL + GRACE_S + 1.0) >= 1
