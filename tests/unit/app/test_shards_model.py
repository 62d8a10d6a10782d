"""Replicas that disagree about the number of shards, and everything that goes wrong: never two writers of one thing."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from l7lb.app.campaign import Joint, union_identity
from l7lb.app.leadership import trusted_from
from l7lb.errors import LostLeadership
from l7lb.model.lease import LeaseRecord
from l7lb.runtime.election import Elector, Lead, State, WriteGuard
from tests.unit.runtime.fake_clock import FakeClock
from tests.unit.runtime.fake_lease import FakeLease, FakeLeaseClient

TICK_S = 0.5
LATE_S = 15.0
"""So long after it was begun a write may arrive."""
WHOLE = -1
"""Of a leader without shards."""


@dataclass
class Campaigner:
    """One elector of a replica, with a thread of its own."""

    elector: Elector
    client: FakeLeaseClient
    due: float = 0.0
    is_calling: bool = False

    def tick(self, clock: FakeClock) -> State | None:
        if self.is_calling or clock.now < self.due:
            return None
        self.is_calling = True
        action = self.elector.step()
        self.is_calling = False
        self.due = clock.now + action.wait_s
        return action.state


@dataclass
class Replica:
    """A process with so many shards; started anew, with another identity, whenever it has lost any lease."""

    world: "World"
    name: str
    shards: int
    lives: int = 0
    frozen_until: float = 0.0
    union: Campaigner = field(init=False)
    own: dict[int, Campaigner] = field(init=False)
    begun: set[int] = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.lives += 1
        self.begun = set()
        me = f"{self.name}-{self.lives}"
        if self.shards == 1:
            self.union, self.own = self._campaigner(self.world.plain, me), {}
            return
        self.union = self._campaigner(self.world.plain, union_identity(self.shards))
        self.union.elector.is_shared = True
        self.own = {shard: self._shard(shard, me) for shard in range(self.shards)}

    def leads(self) -> Iterator[tuple[int, Lead]]:
        if self.shards == 1:
            yield WHOLE, self.union.elector
        for shard, one in self.own.items():
            yield shard, Joint(self.union.elector, one.elector)

    def may_write(self, lead: Lead) -> bool:
        try:
            WriteGuard(lead, self.world.clock).check()
        except LostLeadership:
            return False
        return True

    def tick(self) -> None:
        if self.world.clock.now < self.frozen_until:
            return
        for one in (self.union, *self.own.values()):
            if one.tick(self.world.clock) is State.LOST:
                self.start()
                return
        for shard, lead in self.leads():
            if shard not in self.begun and lead.holds(self.world.clock.now):
                self.begun.add(shard)
                self.world.began(self, shard, trusted_from(lead.term))

    def hand_over(self, shard: int) -> None:
        """Drained first: nothing of this shard is on its way."""
        one = self.own.get(shard)
        if one is None or one.is_calling or self.world.clock.now < self.frozen_until:
            return
        one.elector.release()
        self.world.last.pop((self.name, self.shards, shard), None)
        self.begun.discard(shard)
        self.own[shard] = self._shard(shard, f"{self.name}-{self.lives}")
        self.own[shard].due = self.world.clock.now + 2.0

    def _campaigner(self, lease: FakeLease, identity: str) -> Campaigner:
        client = FakeLeaseClient(lease, self.world.clock, self.world.run)
        return Campaigner(Elector(client, identity, self.world.clock, on_lost=lambda _reason: None), client)

    def _shard(self, shard: int, me: str) -> Campaigner:
        one = self._campaigner(self.world.leases[shard], me)
        one.elector.courtesy = lambda _record: 0.0 if self.union.elector.holds(self.world.clock.now) else inf
        return one


class World:
    def __init__(self, shards: tuple[int, ...]) -> None:
        self.clock = FakeClock()
        self.plain = FakeLease()
        self.leases: dict[int, FakeLease] = defaultdict(FakeLease)
        self.last: dict[tuple[str, int, int], float] = {}
        """When which process, of so many shards, could last begin a write of which shard."""
        self.replicas: list[Replica] = []
        for name, number in zip("abcd", shards, strict=False):
            self.replicas.append(Replica(self, name, number))

    def run(self, seconds: float) -> None:
        end = self.clock.now + seconds
        while self.clock.now < end:
            for replica in self.replicas:
                replica.tick()
            self.clock.advance(TICK_S)
            self.look()

    def writers(self) -> list[tuple[str, int, int]]:
        return [
            (one.name, one.shards, shard) for one in self.replicas for shard, lead in one.leads() if one.may_write(lead)
        ]

    def look(self) -> None:
        writers = self.writers()
        self.last |= dict.fromkeys(writers, self.clock.now)
        for name, shards, shard in writers:
            others = [other for other in writers if other[0] != name and _meet(other, (name, shards, shard))]
            assert not others, f"{name} writes shard {shard} of {shards}, and so do {others}"

    def began(self, replica: Replica, shard: int, trusted: float) -> None:
        """What it reads from now on, or from `trusted` on, no late write of anybody else may change."""
        believed = max(self.clock.now, trusted)
        for (name, shards, theirs), at in self.last.items():
            if name != replica.name and _meet((name, shards, theirs), (replica.name, replica.shards, shard)):
                assert at + LATE_S <= believed + TICK_S, f"{name} may still write shard {theirs} of {shards}"


def _meet(one: tuple[str, int, int], other: tuple[str, int, int]) -> bool:
    return one[1] != other[1] or one[2] == other[2]


FAULTS = st.sampled_from(["refused", "unanswered", 3.0, -3.0, 12.0, -12.0, 28.0, -28.0])
EVENTS = st.one_of(
    st.tuples(st.just("union fault"), st.integers(0, 3), FAULTS),
    st.tuples(st.just("shard fault"), st.integers(0, 3), FAULTS),
    st.tuples(st.just("freeze"), st.integers(0, 3), st.sampled_from([6.0, 21.0, 45.0])),
    st.tuples(st.just("crash"), st.integers(0, 3), st.just(0.0)),
    st.tuples(st.just("hand over"), st.integers(0, 3), st.sampled_from([0, 1, 2])),
    st.tuples(st.just("shards"), st.integers(0, 3), st.sampled_from([1, 2, 3])),
    st.tuples(st.just("run"), st.integers(0, 3), st.sampled_from([0.5, 2.0, 7.0, 31.0])),
)
Event = tuple[str, int, str | float | int]
A_LEADER_CRASHES_AND_TWO_SHARDED_ONES_FOLLOW: list[Event] = [
    ("run", 0, 31.0), ("crash", 0, 0.0), ("shards", 0, 3), ("run", 0, 31.0), ("run", 0, 7.0), ("crash", 1, 0.0),
    ("run", 0, 7.0),
]  # fmt: skip


@settings(max_examples=40, deadline=None)
@example(shards=(1, 3, 3, 2), events=A_LEADER_CRASHES_AND_TWO_SHARDED_ONES_FOLLOW)
@given(shards=st.tuples(*[st.sampled_from([1, 2, 3, 3])] * 4), events=st.lists(EVENTS, max_size=15))
def test_never_two_writers_of_one_thing_whoever_believes_in_which_number(
    shards: tuple[int, ...], events: list[Event]
) -> None:
    world = World(shards)
    for kind, number, what in events:
        replica = world.replicas[number]
        match kind, what:
            case "union fault", _:
                replica.union.client.faults.append(what)
            case "shard fault", _:
                for one in replica.own.values():
                    one.client.faults.append(what)
            case "freeze", float(seconds):
                replica.frozen_until = world.clock.now + seconds
            case "crash", _:
                replica.start()
            case "hand over", int(shard):
                replica.hand_over(shard)
            case "shards", int(other):
                replica.shards = other
                replica.start()
            case "run", float(seconds):
                world.run(seconds)
    for replica in world.replicas:
        for one in (replica.union, *replica.own.values()):
            one.client.faults.clear()
    world.run(110.0)
    (number,) = {shards for _, shards, _ in world.writers()}
    assert len(world.writers()) == number, "each shard has its writer"


def test_all_of_one_number_hold_the_plain_lease_together_and_another_number_waits_until_the_last_has_ended() -> None:
    world = World((3, 3, 2))
    world.run(20.0)
    assert len(world.writers()) == 3
    assert {shards for _, shards, _ in world.writers()} == {3}
    world.replicas[0].frozen_until = 1e9
    world.run(100.0)
    assert {(name, shards) for name, shards, _ in world.writers()} == {("b", 3)}
    assert len(world.writers()) == 3
    world.replicas[1].frozen_until = 1e9
    world.run(25.0)
    assert not world.writers()
    world.run(12.0)
    assert {(name, shards) for name, shards, _ in world.writers()} == {("c", 2)}


def test_who_joins_believes_nothing_read_within_fifteen_seconds_of_joining() -> None:
    world = World((3,))
    world.plain.store(LeaseRecord(union_identity(3), 30))
    world.run(1.0)
    assert [trusted_from(lead.term) for _, lead in world.replicas[0].leads()] == [pytest.approx(1015.0, abs=1.0)] * 3


def test_a_shard_taken_long_after_the_joining_is_believed_at_once() -> None:
    world = World((2, 2))
    world.plain.store(LeaseRecord(union_identity(2), 30))
    world.run(60.0)
    holder = next(one for one in world.replicas if one.begun)
    shard = min(holder.begun)
    other = next(one for one in world.replicas if one is not holder)
    holder.hand_over(shard)
    holder.own[shard].due = world.clock.now + 60.0
    world.run(5.0)
    term = Joint(other.union.elector, other.own[shard].elector).term
    assert term is not None
    assert trusted_from(term) == 0.0
