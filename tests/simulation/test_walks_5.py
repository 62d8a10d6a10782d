"""Random walks, slice 5 of 6: xdist gives each worker whole files."""

import pytest

from tests.simulation.kept import go_new, seeds_of


@pytest.mark.parametrize("walks", seeds_of(5), ids=lambda walks: f"{walks[0]}-{walks[-1]}")
def test_all_promises_hold_at_every_step_of_a_random_walk_and_it_comes_to_rest(walks: list[int]) -> None:
    for seed in walks:
        go_new(seed)
