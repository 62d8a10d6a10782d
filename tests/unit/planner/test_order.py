"""The table of phases, and the one property that the table itself must have."""

from l7lb import planner
from l7lb.planner.order import Phase


def test_every_phase_has_its_reason_and_its_place() -> None:
    assert list(planner.RANK) == sorted(Phase)
    assert all(planner.RANK.values())
