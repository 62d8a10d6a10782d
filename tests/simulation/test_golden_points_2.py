"""Dying anywhere in the second quarter of the golden cases changes nothing about the end."""

import pytest

from tests.simulation.shares import PATIENCE_S, assert_a_share_ends_as_undisturbed


@pytest.mark.timeout(PATIENCE_S)
def test_a_case_ends_as_if_nobody_had_died() -> None:
    assert_a_share_ends_as_undisturbed(1)
