"""A Lease that is older than before, or gone: the API server was set back to an older state."""

from dataclasses import replace

import pytest

from l7lb.runtime.election import State
from tests.unit.runtime.test_election import World


@pytest.fixture
def world() -> World:
    return World()


def _set_back(world: World, version: int, holder: str) -> None:
    """The API server comes back with the Lease of an earlier moment."""
    world.lease.version = version - 1
    world.lease.store(replace(world.record(), holder=holder))


@pytest.mark.parametrize("holder", ["a", "former"])
def test_a_holder_ends_when_the_lease_is_older_than_what_it_has_written(world: World, holder: str) -> None:
    world.a.live(50.0)
    _set_back(world, 3, holder)
    world.a.live(6.0)
    assert not world.a.may_write()
    assert len(world.a.lost) == 1


def test_a_standby_ends_when_the_lease_is_older_than_what_it_has_seen(world: World) -> None:
    world.a.live(50.0)
    world.b.elector.step()
    _set_back(world, 3, "a")
    world.b.live(3.0)
    assert world.b.lost
    assert world.b.elector.step().state is State.LOST


def test_a_holder_whose_lease_was_made_anew_in_the_past_ends(world: World) -> None:
    world.a.live(50.0)
    world.lease.record, world.lease.version = None, 2
    world.a.live(6.0)
    assert world.a.lost


def test_a_standby_waits_for_a_holder_whose_lease_has_vanished(world: World) -> None:
    world.a.elector.step()
    world.b.elector.step()
    world.lease.record = None
    world.b.live(29.0)
    assert not world.b.holds
    world.b.live(2.0)
    assert world.b.holds
