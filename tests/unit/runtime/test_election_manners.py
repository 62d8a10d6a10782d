"""Leases that several hold together, that are left to others for a while, and that somebody else has asked for."""

from dataclasses import replace
from math import inf

import pytest

from l7lb.model.lease import LeaseRecord
from l7lb.runtime.election import Elector
from tests.unit.runtime.test_election import World


@pytest.fixture
def world() -> World:
    return World()


def test_a_free_lease_is_left_to_others_for_as_long_as_courtesy_says(world: World) -> None:
    world.lease.store(LeaseRecord("", 1))
    world.a.elector.courtesy = lambda _record: 3.0
    world.a.live(2.9)
    assert not world.a.holds
    world.a.live(0.2)
    assert world.a.holds


def test_a_lease_that_another_takes_meanwhile_is_not_taken_after_the_courtesy(world: World) -> None:
    world.lease.store(LeaseRecord("", 1))
    world.a.elector.courtesy = lambda _record: 3.0
    world.a.elector.step()
    world.b.elector.step()
    world.a.live(4.0)
    assert (world.a.holds, world.b.holds) == (False, True)


@pytest.mark.parametrize("stored", [LeaseRecord("", 1), None], ids=["free", "absent"])
def test_a_lease_that_is_only_looked_at_is_never_taken(world: World, stored: LeaseRecord | None) -> None:
    if stored is not None:
        world.lease.store(stored)
    world.a.elector.courtesy = lambda _record: inf
    world.a.live(100.0)
    assert not world.a.holds


def test_a_shared_lease_is_held_by_all_of_one_name_and_let_go_by_none() -> None:
    world = World()
    for one, name in ((world.a, "together"), (world.b, "together")):
        one.elector = Elector(one.client, name, world.clock, on_lost=one.lost.append)
        one.elector.is_shared = True
    for _ in range(30):
        for one in (world.a, world.b):
            while one.elector.step().wait_s == 0.0:
                pass  # the other was there since; nobody waits for that
        world.clock.advance(5.0)
    assert (world.a.holds, world.b.holds) == (True, True)
    world.a.elector.release()
    assert (world.a.holds, world.b.holds, world.record().holder) == (False, True, "together")
    assert world.a.lost + world.b.lost == []


def test_a_mark_of_who_wants_a_lease_does_not_prolong_it_and_is_gone_when_it_is_taken(world: World) -> None:
    world.a.elector.step()
    world.b.elector.step()
    world.clock.advance(20.0)
    world.lease.store(replace(world.record(), wanted_by="c"))
    world.b.live(10.5)
    assert world.b.holds
    assert world.record().wanted_by == ""


def test_a_holder_keeps_the_mark_of_who_wants_its_lease(world: World) -> None:
    world.a.elector.step()
    world.lease.store(replace(world.record(), wanted_by="b"))
    world.a.live(11.0)
    assert (world.a.holds, world.record().wanted_by) == (True, "b")
    world.a.elector.release()
    assert (world.record().holder, world.record().wanted_by) == ("", "b")
