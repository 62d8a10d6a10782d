"""Dying anywhere in the fourth quarter of the golden cases changes nothing about the end."""

from tests.simulation.shares import assert_a_share_ends_as_undisturbed


def test_a_case_ends_as_if_nobody_had_died() -> None:
    assert_a_share_ends_as_undisturbed(3)
