"""A fleet that TKE's controller has left behind is taken over without a single write to the cloud."""

import pytest

from tests.fixtures.tke_fleet import TRAITS, fleet
from tests.simulation.clock import SimClock
from tests.simulation.fleets import settled_world
from tests.simulation.takeover import NOT_YET, look_again, take_over

SIZE = 200


@pytest.mark.parametrize("seed", range(20))
def test_every_dimension_occurs_in_a_fleet_whatever_its_seed(seed: int) -> None:
    assert sorted(TRAITS - fleet(seed, SIZE, SimClock().time()).traits) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_fleet_of_tkes_making_is_taken_over_without_a_write(seed: int) -> None:
    look_again(take_over(settled_world(seed, SIZE, NOT_YET)))
