"""Three replicas, one Lease, and everything that goes wrong: never two leaders, and one again when it is over."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from l7lb.model.lease import LeaseRecord
from l7lb.runtime.election import Elector, State
from tests.unit.runtime.fake_clock import FakeClock
from tests.unit.runtime.fake_lease import FakeLease, FakeLeaseClient

TICK_S = 0.5


class Replica:
    """A process that is restarted with a new identity whenever it has lost."""

    def __init__(self, world: "World", name: str) -> None:
        self.world = world
        self.name = name
        self.lives = 0
        self.due = 0.0
        self.frozen_until = 0.0
        self.is_calling = False
        self.elector: Elector
        self.client = FakeLeaseClient(world.lease, world.clock, self._hang)
        self.start()

    def start(self) -> None:
        self.lives += 1
        self.elector = Elector(self.client, f"{self.name}-{self.lives}", self.world.clock, on_lost=lambda _reason: None)

    def tick(self) -> None:
        now = self.world.clock.now
        if self.is_calling or now < self.frozen_until or now < self.due:
            return
        self.is_calling = True
        before = self.elector.term
        action = self.elector.step()
        self.is_calling = False
        self.due = self.world.clock.now + action.wait_s
        if action.state is State.LOST:
            self.start()
        elif self.elector.term is not before:
            for other in self.world.replicas:
                # Nobody who did not release has a second of his lease left: no write of his can still be begun.
                assert other is self or other.elector.remaining(self.world.clock.now) == 0.0

    def _hang(self, seconds: float) -> None:
        self.world.run(seconds)


class World:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.lease = FakeLease()
        self.replicas: list[Replica] = []
        self.replicas.extend(Replica(self, name) for name in "abc")

    def run(self, seconds: float) -> None:
        end = self.clock.now + seconds
        while self.clock.now < end:
            for replica in self.replicas:
                replica.tick()
            self.clock.advance(TICK_S)
            leaders = [each.elector for each in self.replicas if each.elector.holds(self.clock.now)]
            assert len(leaders) <= 1


FAULTS = st.sampled_from(["refused", "unanswered", 3.0, -3.0, 12.0, -12.0, 28.0, -28.0])
EVENTS = st.one_of(
    st.tuples(st.just("fault"), st.integers(0, 2), FAULTS),
    st.tuples(st.just("freeze"), st.integers(0, 2), st.sampled_from([6.0, 21.0, 45.0])),
    st.tuples(st.just("crash"), st.integers(0, 2), st.just(0.0)),
    st.tuples(st.just("release"), st.integers(0, 2), st.just(0.0)),
    st.tuples(st.just("wall clock"), st.integers(0, 2), st.sampled_from([-3600.0, 3600.0])),
    st.tuples(st.just("run"), st.integers(0, 2), st.sampled_from([0.5, 2.0, 7.0, 31.0])),
)


SLOW_ANSWER_THEN_FROZEN: list[tuple[str, int, str | float]] = [
    ("run", 0, 0.5),
    ("fault", 0, -12.0),
    ("run", 0, 7.0),
    ("freeze", 0, 45.0),
    ("run", 0, 31.0),
]


@settings(max_examples=400, deadline=None)
@example(events=SLOW_ANSWER_THEN_FROZEN)
@given(events=st.lists(EVENTS, max_size=25))
def test_never_two_leaders_and_one_again_when_the_trouble_is_over(
    events: list[tuple[str, int, str | float]],
) -> None:
    world = World()
    for kind, number, what in events:
        replica = world.replicas[number]
        match kind, what:
            case "fault", _:
                replica.client.faults.append(what)
            case "freeze", float(seconds):
                replica.frozen_until = world.clock.now + seconds
            case "crash", _:
                replica.start()
            case "release", _:
                replica.elector.release()
                replica.start()
            case "wall clock", float(seconds):
                world.clock.wall += seconds
            case "run", float(seconds):
                world.run(seconds)
    for replica in world.replicas:
        replica.client.faults.clear()
    world.run(100.0)
    assert sum(each.elector.holds(world.clock.now) for each in world.replicas) == 1
    assert isinstance(world.lease.record, LeaseRecord)
