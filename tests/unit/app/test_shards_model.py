"""Replicas that disagree about the number of shards, and everything that goes wrong: never two writers of one thing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Final, NamedTuple

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

TICK_S = 1.0
CUT_S = 15.0
"""So long after it was begun a write of a process that runs has ended: it is cut before."""
LATE_S = 15.0
"""So long after the end of the lease a write may arrive whose process has frozen."""
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
        if self.shards == 1:
            self.union, self.own = self._campaigner(self.world.plain, self.identity), {}
            return
        self.union = self._campaigner(self.world.plain, union_identity(self.shards))
        self.union.elector.is_shared = True
        self.own = {shard: self._shard(shard, self.identity) for shard in range(self.shards)}

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
        for one in self.campaigners():
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
        if one.elector.term is not None and not one.elector.term.settled(self.world.clock.now):
            return
        one.elector.release()
        self.world.last.pop(Place(self.identity, self.shards, shard), None)
        self.begun.discard(shard)
        self.own[shard] = self._shard(shard, self.identity)
        self.own[shard].due = self.world.clock.now + 2.0

    def stop(self) -> None:
        """In order: drained, shards let go, then the plain Lease; and started anew."""
        if self.world.clock.now < self.frozen_until or any(one.is_calling for one in self.campaigners()):
            return
        for shard, _ in self.leads():
            self.world.last.pop(Place(self.identity, self.shards, shard), None)
        for one in (*self.own.values(), self.union):
            one.elector.release()
        self.start()

    @property
    def identity(self) -> str:
        return f"{self.name}-{self.lives}"

    def campaigners(self) -> tuple[Campaigner, ...]:
        return (self.union, *self.own.values())

    def _campaigner(self, lease: FakeLease, identity: str) -> Campaigner:
        client = FakeLeaseClient(lease, self.world.clock, self.world.run)
        return Campaigner(Elector(client, identity, self.world.clock, on_lost=lambda _reason: None), client)

    def _shard(self, shard: int, me: str) -> Campaigner:
        one = self._campaigner(self.world.leases[shard], me)
        one.elector.courtesy = lambda _record: 0.0 if self.union.elector.holds(self.world.clock.now) else inf
        return one


class Place(NamedTuple):
    """What a process writes: one shard of so many."""

    process: str
    shards: int
    shard: int

    def meets(self, other: "Place") -> bool:
        """Whether another process may write the same load balancer."""
        return self.process != other.process and (self.shards != other.shards or self.shard == other.shard)


class Last(NamedTuple):
    """The last moment at which a write could be begun, and the end of the leases that it was begun under."""

    begun: float
    ends: float


class World:
    def __init__(self, shards: tuple[int, ...]) -> None:
        self.clock = FakeClock()
        self.plain = FakeLease()
        self.leases: dict[int, FakeLease] = defaultdict(FakeLease)
        self.last: dict[Place, Last] = {}
        """Of all that have not drained and let go."""
        self.held: set[Elector] = set()
        self.over: set[Elector] = set()
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

    def writers(self) -> dict[Place, Last]:
        now = self.clock.now
        return {
            Place(one.identity, one.shards, shard): Last(now, now + lead.remaining(now))
            for one in self.replicas
            for shard, lead in one.leads()
            if one.may_write(lead)
        }

    def look(self) -> None:
        """Whoever writes does so after all writes of others have ended; and what was lost does not come back."""
        writers = self.writers()
        self.last |= writers
        for place in writers:
            late = {other: last.begun for other, last in self.last.items() if other.meets(place)}
            late = {other: begun for other, begun in late.items() if begun + CUT_S > self.clock.now}
            assert not late, f"{place} is written at {self.clock.now}, and there may be writes of {late}"
        now = {one.elector for each in self.replicas for one in each.campaigners() if one.elector.holds(self.clock.now)}
        assert not now & self.over, "a leadership has come back that was over"
        self.over |= self.held - now
        self.held = now

    def began(self, replica: Replica, shard: int, trusted: float) -> None:
        """What it reads from now on, or from `trusted` on, no write of anybody else may change who has frozen."""
        believed = max(self.clock.now, trusted)
        place = Place(replica.identity, replica.shards, shard)
        late = {other: last.ends + LATE_S for other, last in self.last.items() if other.meets(place)}
        late = {other: until for other, until in late.items() if until > believed}
        assert not late, f"{place} believes what it reads from {believed} on, and there may be writes of {late}"


AWAY = ("refused",) * 60
"""Longer than any lease lasts."""
TROUBLE: Final[dict[str, tuple[str | float, ...]]] = {
    "one is refused": ("refused",),
    "none arrives": AWAY,
    "done, but unanswered": ("unanswered",),
    "all are done, but unanswered": ("unanswered",) * 60,
    "done late": (12.0,),
    "answered late": (-12.0,),
    "answered when we have given up": (-17.0,),
    "done after the lease": (28.0,),
    "answered after the lease": (-28.0,),
    "answered late, the last": (-12.0, *AWAY),
    "done late, the last": (12.0, *AWAY),
    "one passes yet": (0.0, 0.0, *AWAY),
    "the second is answered late, the last": (0.0, -12.0, *AWAY),
    "done late, then a look, the last": (12.0, 0.0, *AWAY),
}
"""What becomes of the next calls about a Lease."""
EVENTS = st.tuples(
    st.sampled_from([1.0, 4.0, 9.0, 31.0]),
    st.integers(0, 3),
    st.one_of(
        st.tuples(st.sampled_from(["union", "shards", "both"]), st.sampled_from(list(TROUBLE))),
        st.tuples(st.just("freeze"), st.sampled_from([6.0, 21.0, 45.0])),
        st.tuples(st.sampled_from(["crash", "stop"]), st.none()),
        st.tuples(st.just("hand over"), st.sampled_from([0, 1, 2])),
        st.tuples(st.just("number"), st.sampled_from([1, 2, 3])),
    ),
)
Event = tuple[float, int, tuple[str, str | float | int | None]]
"""After so many seconds, with whom, and what."""


WAIT: Event = (60.0, 0, ("nothing", None))
A_LEADER_FREEZES_AND_A_SHARD_GOES_TO_WHO_HAS_NOT_SEEN_HIM: list[Event] = [
    (31.0, 0, ("freeze", 45.0)), (31.0, 2, ("crash", None)), (0.0, 3, ("crash", None)), (1.0, 1, ("hand over", 0)),
]  # fmt: skip
A_LEADER_FREEZES_AND_WHO_FOLLOWS_STOPS_AT_ONCE: list[Event] = [(31.0, 0, ("freeze", 45.0)), (31.0, 1, ("stop", None))]

ONE_OF_TWO_STOPS: list[Event] = [
    (4.0, 0, ("hand over", 0)), (23.0, 3, ("stop", None)), (0.0, 3, ("freeze", 45.0)), WAIT,
]  # fmt: skip
ONE_FREEZES_AND_THE_OTHER_HAS_SEEN_HIS_RENEWAL_LATE: list[Event] = [
    (9.0, 0, ("union", "done late, then a look, the last")), (9.0, 1, ("freeze", 45.0)), (20.0, 0, ("freeze", 45.0)),
    WAIT,
]  # fmt: skip


def play(world: World, events: Iterable[Event]) -> None:
    for seconds, number, (kind, what) in events:
        world.run(seconds)
        replica = world.replicas[number]
        match kind, what:
            case "union" | "shards" | "both", str(trouble):
                for one in replica.campaigners():
                    if kind == "both" or (kind == "union") == (one is replica.union):
                        one.client.faults.extend(TROUBLE[trouble])
            case "freeze", float(long):
                replica.frozen_until = world.clock.now + long
            case "crash", None:
                replica.start()
            case "stop", None:
                replica.stop()
            case "hand over", int(shard):
                replica.hand_over(shard)
            case "number", int(other):
                replica.shards = other
                replica.start()
            case "nothing", None:
                pass
            case _:
                raise AssertionError((kind, what))


@settings(max_examples=60, deadline=None)
@example((2, 2, 2, 2), [(9.0, 0, ("shards", "answered when we have given up")), WAIT])
@example((1, 3, 3, 3), A_LEADER_FREEZES_AND_A_SHARD_GOES_TO_WHO_HAS_NOT_SEEN_HIM)
@example((1, 1, 1, 2), A_LEADER_FREEZES_AND_WHO_FOLLOWS_STOPS_AT_ONCE)
@example((2, 2, 1, 1), [(0.0, 0, ("shards", "the second is answered late, the last")), WAIT])
@example((2, 2, 1, 1), [(9.0, 0, ("shards", "answered late, the last")), WAIT])
@example((2, 1, 1, 1), [(9.0, 0, ("union", "done after the lease")), WAIT])
@example((2, 1, 1, 1), [(9.0, 0, ("union", "answered late, the last")), WAIT])
@example((2, 1, 1, 2), ONE_OF_TWO_STOPS)
@example((2, 2, 3, 3), ONE_FREEZES_AND_THE_OTHER_HAS_SEEN_HIS_RENEWAL_LATE)
@given(shards=st.tuples(*[st.sampled_from([1, 2, 3, 3])] * 4), events=st.lists(EVENTS, min_size=6, max_size=12))
def test_never_two_writers_of_one_thing_whoever_believes_in_which_number(
    shards: tuple[int, ...], events: list[Event]
) -> None:
    world = World(shards)
    play(world, events)
    for replica in world.replicas:
        for one in replica.campaigners():
            one.client.faults.clear()
    world.run(110.0)
    (number,) = {place.shards for place in world.writers()}
    assert len(world.writers()) == number, "each shard has its writer"


def test_all_of_one_number_hold_the_plain_lease_together_and_another_number_waits_until_the_last_has_ended() -> None:
    world = World((3, 3, 2))
    world.run(20.0)
    assert len(world.writers()) == 3
    assert {shards for _, shards, _ in world.writers()} == {3}
    world.replicas[0].frozen_until = 1e9
    world.run(100.0)
    assert {(name, shards) for name, shards, _ in world.writers()} == {("b-1", 3)}
    assert len(world.writers()) == 3
    world.replicas[1].frozen_until = 1e9
    world.run(25.0)
    assert not world.writers()
    world.run(12.0)
    assert {(name, shards) for name, shards, _ in world.writers()} == {("c-1", 2)}


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
