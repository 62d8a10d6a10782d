"""Whether load balancers serve this cluster or somebody else: what each target says, and what all say together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l7lb import ledger
from l7lb.model.cloud import Health, TargetHealth
from l7lb.model.identity import CloudRef, LoadBalancerId
from l7lb.model.loadbalancer import TargetKey

OURS = frozenset({"10.0.0.1", "10.0.0.2"})
REF = CloudRef("ap-guangzhou", LoadBalancerId("lb-1"))


def bound(address: str, health: Health = Health.ALIVE, weight: int | None = 10) -> TargetHealth:
    return TargetHealth(TargetKey(address, 30080), health, weight)


@pytest.mark.parametrize(
    ("targets", "is_strange"),
    [
        pytest.param([], False, id="nothing is bound"),
        pytest.param([bound("10.0.0.1")], False, id="ours"),
        pytest.param([bound("10.9.9.9")], True, id="a living stranger"),
        pytest.param([bound("10.9.9.9", Health.UNCHECKED)], True, id="a stranger that nobody checks"),
        pytest.param([bound("10.9.9.9", Health.DEAD)], False, id="a dead stranger: a machine that was replaced"),
        pytest.param([bound("10.9.9.9", Health.UNKNOWN)], False, id="a stranger that is still probed"),
        pytest.param([bound("10.9.9.9", weight=0)], False, id="a stranger that gets nothing new"),
        pytest.param([bound("10.9.9.9"), bound("10.0.0.1")], False, id="one of ours among strangers"),
        pytest.param([bound("10.9.9.9"), bound("10.0.0.1", Health.DEAD)], False, id="one of ours, which is not well"),
        pytest.param([bound("10.9.9.9"), bound("10.0.0.1", weight=0)], True, id="one of ours, which gets nothing new"),
    ],
)
def test_a_load_balancer_is_strange_that_serves_somebody_and_nobody_of_ours(
    targets: list[TargetHealth], is_strange: bool
) -> None:
    assert ledger.liken(REF, targets, OURS).is_strange is is_strange


@pytest.mark.parametrize(
    ("ours", "odd", "silent", "held"),
    [(0, 0, 0, False), (0, 0, 5, False), (5, 0, 0, False), (0, 1, 0, True), (0, 1, 9, True), (1, 1, 0, True),
     (2, 1, 0, False), (99, 98, 0, False), (98, 98, 50, True)],
)  # fmt: skip
def test_half_of_those_that_serve_anybody_speak_for_a_copy(ours: int, odd: int, silent: int, held: bool) -> None:
    found = [ledger.Likeness(REF, ours=2)] * ours + [ledger.Likeness(REF, strangers=2)] * odd
    assert len(ledger.strange(found + [ledger.Likeness(REF)] * silent)) == (odd if held else 0)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3))), st.integers(0, 3))
def test_what_serves_nobody_decides_nothing_and_what_serves_us_speaks_for_us(
    counts: list[tuple[int, int]], more: int
) -> None:
    found = [ledger.Likeness(REF, ours, strangers) for ours, strangers in counts]
    assert ledger.strange(found + [ledger.Likeness(REF)] * more) == ledger.strange(found)
    if not ledger.strange(found):
        assert not ledger.strange([*found, *[ledger.Likeness(REF, ours=1)] * more])
