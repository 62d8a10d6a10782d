"""The bounds are bounds: no fleet of any size is given less time than its calls, or its longest chain, must take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench import bounds
from tests.bench.bounds import LOOK, POLL, Latencies, Stage, build, calls, chain_s, converged_s, plain_s

CALL_S = 0.08
LATENCIES = Latencies({"CreateLoadBalancer": 3.5, "*": 1.15}, CALL_S)
ALONE = 0.08 * (7 + 3) + 3.5 + 1.15 + 1.15


def test_a_build_is_four_writes_three_polls_and_three_looks() -> None:
    found = calls(build(LATENCIES, bulk=False), 1)
    assert found == {
        "CreateLoadBalancer": 1, "CreateListener": 1, "CreateRule": 1, "BatchRegisterTargets": 1,
        POLL: 3, LOOK: 2, "DescribeListeners": 1,
    }  # fmt: skip


def test_a_look_at_twenty_replaces_the_polls_and_the_looks_of_twenty() -> None:
    single, bulk = (calls(build(LATENCIES, bulk=way), 1_000) for way in (False, True))
    assert (single[POLL], single[LOOK]) == (3_000, 2_000)
    assert (bulk[POLL], bulk[LOOK]) == (2_000, 1_050)


def test_few_are_bound_by_their_tasks_and_many_by_the_busiest_action() -> None:
    stages = build(LATENCIES, bulk=False)
    assert round(plain_s(stages, 1, CALL_S), 6) == round(chain_s(stages, CALL_S), 6) == round(ALONE, 6)
    assert plain_s(stages, 1_000, CALL_S) == 3_000 / 20
    # The first poll comes after a look and an order; after the last one the ids are read and the targets bound.
    assert converged_s(stages, 1_000, CALL_S) == pytest.approx(2 * CALL_S + 3.5 + 2_980 / 20 + 3 * CALL_S)


def test_the_last_one_cannot_begin_before_its_turn() -> None:
    stages = (Stage("A", 10.0), Stage("B"))
    assert plain_s(stages, 100, 0.0) == 10.0
    assert converged_s(stages, 100, 0.0) == 80 / 20 + 10.0  # both of the other actions can begin 10 s later only


@given(st.integers(1, 5_000), st.booleans())
def test_more_load_balancers_never_take_less(count: int, bulk: bool) -> None:
    stages = build(LATENCIES, bulk=bulk)
    assert converged_s(stages, count, CALL_S) <= converged_s(stages, count + 1, CALL_S)
    assert plain_s(stages, count, CALL_S) <= converged_s(stages, count, CALL_S)
    assert calls(build(LATENCIES, bulk=True), count).total() <= calls(build(LATENCIES, bulk=False), count).total()


def test_the_other_bounds_are_the_limits_of_the_pages() -> None:
    assert bounds.node_s(1_000) == 50.0
    assert bounds.deleted_s(100) == 4 * 300.0 + 30.0
    assert bounds.verification_reads(1_000) == 10 + 2_000
    assert bounds.endpoint_calls(501, 1) == 2 + 1
    assert bounds.endpoint_calls(0, 0) == 0
    assert bounds.failed_over_s(30.0, planned=True) == 3.0
    assert bounds.failed_over_s(30.0, planned=False) == 32.0
