"""The line of those who wait to be deleted: each is told its turn once, no window has too many."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l7lb.adapters.clb.deletions import DELETIONS_MAX, DELETIONS_SPAN_S, GRACE_S, LATE_S, Deletions


def asked(line: Deletions, name: str, now: float) -> float:
    """As a caller does: it goes when it may."""
    wait = line.wait_s(name, now)
    if wait <= 0:
        line.sent(name, now)
    return wait


@given(st.integers(1, 400), st.integers(1, 30), st.floats(0.0, 0.9))
def test_each_comes_twice_at_most_whatever_is_before_it_and_no_window_has_too_many(
    count: int, most: int, late_s: float
) -> None:
    line, sent, asks = Deletions(most), list[float](), 0
    due = [(0.0, number) for number in range(count)]
    while due:
        due.sort()
        at, number = due.pop(0)
        at += late_s if at else 0.0
        asks += 1
        wait = asked(line, f"lb-{number}", at)
        if wait > 0:
            due.append((at + wait, number))
        else:
            sent.append(at)
    assert len(sent) == count
    assert asks <= 2 * count
    assert all(later - first >= DELETIONS_SPAN_S for first, later in zip(sent, sent[most:], strict=False))
    windows = (count - 1) // most
    assert sent[-1] <= windows * (DELETIONS_SPAN_S + LATE_S + late_s)


def test_who_asks_again_before_its_time_keeps_its_place_and_its_time() -> None:
    line = Deletions(1)
    assert asked(line, "lb-0", 0.0) == 0.0
    assert [asked(line, name, 0.0) for name in ("lb-1", "lb-2")] == [300.0, 601.0]
    assert [asked(line, name, 100.0) for name in ("lb-1", "lb-2", "lb-1")] == [200.0, 501.0, 200.0]
    assert asked(line, "lb-3", 100.0) == 802.0


def test_who_comes_when_others_wait_does_not_go_before_them() -> None:
    line = Deletions(1)
    asked(line, "lb-0", 0.0)
    asked(line, "lb-1", 0.0)
    assert asked(line, "lb-2", 300.0) > 0
    assert asked(line, "lb-1", 300.0) == 0.0


def test_who_does_not_come_for_its_turn_holds_nobody_up_for_long() -> None:
    line = Deletions(1)
    asked(line, "lb-0", 0.0)
    asked(line, "lb-1", 0.0)
    assert asked(line, "lb-2", 300.0 + GRACE_S + 0.1) == 0.0


def test_when_the_clouds_count_is_full_all_wait_and_their_order_stays() -> None:
    line = Deletions(2)
    line.none_before(60.0)
    assert [asked(line, name, 0.0) for name in ("lb-0", "lb-1", "lb-2")] == pytest.approx([60.0, 60.0, 300.0])
    assert [asked(line, name, 60.0) for name in ("lb-0", "lb-1")] == [0.0, 0.0]


def test_turns_never_go_backwards() -> None:
    line = Deletions()
    waits = [asked(line, f"lb-{number}", number / 10) + number / 10 for number in range(200)]
    assert all(later >= earlier for earlier, later in pairwise(waits[DELETIONS_MAX:]))
