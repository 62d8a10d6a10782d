"""The queue against the simplest thing that could be right: sets of keys and a dictionary of times."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from l7lb.model.lane import Lane
from l7lb.runtime.delays import AFTER_S, PATIENCE_S
from l7lb.runtime.workqueue import Deadline, Taken, WorkQueue

KEYS = st.sampled_from(["a", "b", "c", "d", "e"])
LANES = st.sampled_from(list(Lane))
WORKERS = 4


class QueueAndModel(RuleBasedStateMachine):
    """Every key that was added is handed out, by the time it is due, and never to two workers."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = WorkQueue(workers=WORKERS)
        self.now = 0.0
        self.ready: dict[str, set[Lane]] = {}
        self.again: dict[str, set[Lane]] = {}
        self.waiting: dict[tuple[str, bool], tuple[float, set[Lane], float]] = {}
        self.running: dict[str, Lane] = {}

    def _ready(self, key: str, lanes: set[Lane]) -> None:
        (self.again if key in self.running else self.ready).setdefault(key, set()).update(lanes)

    def _promote(self) -> None:
        while due_now := sorted((due, which) for which, (due, _, _) in self.waiting.items() if due <= self.now):
            which = due_now[0][1]
            _, lanes, since = self.waiting.pop(which)
            better, _, _ = self.waiting.get((which[0], False), (0.0, set(), 0.0))
            if which[1] and self.now < better <= self.now + PATIENCE_S and self.now - since < PATIENCE_S:
                self.waiting[which] = (better + AFTER_S, lanes, since)
            else:
                self._ready(which[0], lanes)

    @rule(key=KEYS, lane=LANES, urgent=st.booleans())
    def add(self, key: str, lane: Lane, urgent: bool) -> None:
        self.queue.add(key, lane, self.now, urgent=urgent)
        self._ready(key, {Lane.REMOVALS if urgent and lane is Lane.ENDPOINTS else lane})

    @rule(key=KEYS, lane=LANES, delay=st.sampled_from([0.5, 1.0, 3.0]))
    def add_after(self, key: str, lane: Lane, delay: float) -> None:
        self.queue.add_after(key, lane, delay, self.now)
        which = key, lane is Lane.VERIFY
        due, lanes, since = self.waiting.get(which, (self.now + delay, set(), self.now))
        self.waiting[which] = (min(due, self.now + delay), lanes | {lane}, since)

    @rule(seconds=st.sampled_from([0.125, 0.25, 1.0, 5.0]))
    def advance(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    @precondition(lambda self: len(self.running) < WORKERS)
    def take(self) -> None:
        self._promote()
        taken = self.queue.take(self.now)
        verifying = sum(lane is Lane.VERIFY for lane in self.running.values())
        better = {key for key, lanes in self.ready.items() if lanes - {Lane.VERIFY}}
        if isinstance(taken, Taken):
            assert taken.key not in self.running
            lanes = self.ready.pop(taken.key)
            assert taken.lane in lanes
            assert taken.lane is not Lane.VERIFY or (not better and verifying < WORKERS // 4)
            self.running[taken.key] = taken.lane
        else:
            assert not better
            assert not self.ready or verifying >= WORKERS // 4
            expected = min((due for due, _, _ in self.waiting.values()), default=None)
            assert taken == (None if expected is None else Deadline(expected - self.now))

    @rule(data=st.data())
    @precondition(lambda self: self.running)
    def done(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.running)))
        self.queue.done(key, self.now)
        del self.running[key]
        if key in self.again:
            self._ready(key, self.again.pop(key))

    @invariant()
    def unfinished_work_is_what_was_taken(self) -> None:
        assert (self.queue.unfinished(self.now + 1.0)[0] > 0) == bool(self.running)

    def teardown(self) -> None:
        """Whatever happened: with time and hands enough, everything is served."""
        for key in sorted(self.running):
            self.queue.done(key, self.now)
        self.running.clear()
        for key, lanes in self.again.items():
            self._ready(key, lanes)
        expected = set(self.ready) | {key for key, _ in self.waiting}
        self.now += 100.0
        served = set()
        while isinstance(taken := self.queue.take(self.now), Taken):
            served.add(taken.key)
            self.queue.done(taken.key, self.now)
        assert served == expected
        assert taken is None


TestQueueAndModel = QueueAndModel.TestCase
TestQueueAndModel.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
