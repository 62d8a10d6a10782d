"""Each scenario gets a world of its own, and a watchman who asks after every step whether all promises hold."""

from collections.abc import Iterator

import pytest

from tests.simulation.checkers import Watchman
from tests.simulation.world import World


@pytest.fixture
def world() -> World:
    """Calm: every open point of the cloud has its usual value, each task takes half a second."""
    return World()


@pytest.fixture
def watchman(world: World) -> Iterator[Watchman]:
    """In charge of `world`; call `remember` once a lender's load balancers are there."""
    watchman = Watchman(world)
    yield watchman
    watchman.check()
