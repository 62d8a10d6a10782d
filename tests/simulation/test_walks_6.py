"""Random walks, slice 6 of 6: xdist gives each worker whole files."""

from tests.simulation.kept import go_slice


def test_all_promises_hold_at_every_step_of_a_random_walk_and_it_comes_to_rest() -> None:
    go_slice(6)
