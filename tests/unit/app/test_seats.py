"""Shards of one process on its real threads: led while they are ours, and let go only when nothing of them runs."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from l7lb.app.balance import Balance
from l7lb.app.campaign import Campaign, Joint
from l7lb.app.door import Doorman
from l7lb.app.leadership import Leadership
from l7lb.app.seats import Fleet, Means, Seat
from l7lb.errors import LostLeadership
from l7lb.model.lease import LeaseRecord
from l7lb.runtime.clock import SystemClock
from l7lb.runtime.election import Lead
from tests.unit.runtime.fake_clock import FakeClock
from tests.unit.runtime.fake_lease import FakeLease, FakeLeaseClient

pytestmark = pytest.mark.system

CLOCK = SystemClock()
PATIENCE_S = 60.0


@dataclass
class Led:
    """Stands for a leadership: begins and ends, and says whether it has drained."""

    lease: Lead
    drains: bool = True
    terms: tuple[Any, ...] = ()
    problem: str = ""
    begun: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def start(self, _died: object) -> None:
        self.begun.set()

    def stop(self, _timeout_s: float) -> bool:
        self.ended.set()
        return self.drains


class Process:
    """One replica with so many shards, all of which it gets."""

    def __init__(self, shards: int, *, drains: bool = True) -> None:
        self.ends: list[str] = []
        self.deaths: list[str] = []
        self.made: list[Led] = []
        self.doors = [Doorman(CLOCK) for _ in range(shards)]
        self.leases = [FakeLease() for _ in range(shards)]
        self.union = Campaign(
            FakeLeaseClient(FakeLease(), FakeClock()), "shards", CLOCK, wait=True, on_lost=self.ends.append
        )
        self.union.elector.is_shared = True
        balance = Balance("us", self.union.elector, CLOCK.monotonic, lambda: True)

        def leading(lease: Lead) -> Leadership:
            self.made.append(Led(lease, drains))
            return cast(Leadership, self.made[-1])

        seats = []
        for shard, lease in enumerate(self.leases):
            client = FakeLeaseClient(lease, FakeClock())
            door = self.doors[shard]
            seats.append(
                Seat(shard, Means(client, "us", self.union.elector, CLOCK, door, leading, self.ends.append), balance)
            )
        balance.places.extend(seats)
        self.fleet = Fleet(tuple(seats), balance, self.ends.append)
        self.union.part.start(lambda name, _error: self.deaths.append(name))
        self.fleet.start(lambda name, _error: self.deaths.append(name))

    def until(self, what: Callable[[], bool]) -> None:
        pause = threading.Event()
        deadline = CLOCK.monotonic() + PATIENCE_S
        while not what():
            assert CLOCK.monotonic() < deadline
            pause.wait(0.02)

    def holds(self) -> list[bool]:
        now = CLOCK.monotonic()
        return [seat.holds(now) for seat in self.fleet.seats]

    def stop(self) -> bool:
        stopped = self.fleet.stop(PATIENCE_S)
        self.union.part.stop(PATIENCE_S)
        return stopped

    def holders(self) -> list[str]:
        return [lease.record.holder if lease.record is not None else "" for lease in self.leases]


def test_all_shards_that_nobody_else_has_are_ours_and_are_let_go_at_the_end() -> None:
    process = Process(2)
    process.until(lambda: all(process.holds()))
    assert process.holders() == ["us", "us"]
    assert process.stop()
    assert process.holders() == ["", ""]
    assert all(one.ended.is_set() for one in process.made)
    assert (process.ends, process.deaths) == ([], [])


def test_a_shard_that_has_not_drained_is_left_to_its_expiry() -> None:
    process = Process(1, drains=False)
    process.until(lambda: all(process.holds()))
    assert not process.stop()
    assert process.holders() == ["us"]


def test_a_shard_that_another_wants_is_drained_then_let_go_then_campaigned_for_anew() -> None:
    process = Process(2)
    process.until(lambda: all(process.holds()))
    lease = process.leases[1]
    assert lease.record is not None
    lease.store(replace(lease.record, wanted_by="them"))
    process.until(lambda: process.holders()[1] == "")
    assert lease.record.wanted_by == "them"
    process.until(lambda: len(process.made) == 3)
    assert process.made[1].ended.is_set()
    assert not process.made[0].ended.is_set()
    process.until(process.made[2].begun.is_set)
    assert process.holds() == [True, False]
    with pytest.raises(LostLeadership):
        process.doors[1].guard.check() if process.doors[1].guard is not None else None
    assert process.stop()
    assert (process.ends, process.deaths) == ([], [])


def test_a_shard_that_cannot_be_handed_over_ends_the_process() -> None:
    process = Process(2, drains=False)
    process.until(lambda: all(process.holds()))
    lease = process.leases[0]
    assert lease.record is not None
    lease.store(replace(lease.record, wanted_by="them"))
    process.until(lambda: bool(process.ends))
    assert "could not be handed over" in process.ends[0]
    assert process.holders()[0] == "us"
    process.stop()


def test_two_leases_count_only_together() -> None:
    lease = FakeLease()
    lease.store(LeaseRecord("them", 30))
    process = Process(1)
    process.until(lambda: all(process.holds()))
    ours = process.fleet.seats[0].elector
    other = Campaign(FakeLeaseClient(lease, FakeClock()), "us", CLOCK, wait=True, on_lost=pytest.fail).elector
    now = CLOCK.monotonic()
    assert not Joint(ours, other).holds(now)
    assert not Joint(other, ours).holds(now)
    assert Joint(other, ours).remaining(now) == 0.0
    assert Joint(other, ours).term is None
    assert process.stop()
