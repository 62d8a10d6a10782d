"""The reaction table, row by row: what happens to the key, who is told, how it is counted."""

import logging
from collections.abc import Callable

import pytest

from l7lb import errors
from l7lb.model.lane import Lane
from l7lb.model.outcome import Again, Done, Outcome
from l7lb.runtime.controller import Controller, Reactions, Result
from l7lb.runtime.ratelimit import ItemBackoff, RetryLimiter, TokenBucket
from l7lb.runtime.workqueue import Deadline, Taken, WorkQueue
from tests.unit.runtime.fake_clock import FakeClock


class World:
    """A controller over one queue, whose passes come back as the test says."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.queue = WorkQueue(limiter=RetryLimiter(ItemBackoff(first_s=1.0), TokenBucket(1000, 1000)))
        self.answer: Outcome | BaseException = Done()
        self.passes: list[tuple[str, Lane]] = []
        self.results: list[Result] = []
        self.told: list[tuple[str, str, int]] = []
        self.busy = 0
        self.controller = Controller(
            self.queue, self._reconcile, self.clock, reactions=Reactions(), metrics=self, on_failure=self._tell
        )

    def _reconcile(self, key: str, lane: Lane) -> Outcome:
        self.passes.append((key, lane))
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def _tell(self, key: str, error: Exception, failures: int) -> None:
        self.told.append((key, type(error).__name__, failures))

    def started(self, taken: Taken) -> None:
        self.busy += 1

    def finished(self, result: Result, seconds: float, outcome: Outcome | Exception | None) -> None:
        self.busy -= 1
        self.results.append(result)

    def passes_of(self, answer: Outcome | BaseException, lane: Lane = Lane.CHANGE) -> Taken | Deadline | None:
        """One pass that comes back so; what the queue says next, without another pass."""
        self.answer = answer
        self.queue.add("k", lane, self.clock.now)
        self.controller.process_next()
        return self.queue.take(self.clock.now)


@pytest.fixture
def world() -> World:
    return World()


def quota() -> errors.L7lbError:
    return errors.QuotaExceeded("no more", reason="QuotaExceeded")


REACTIONS: list[tuple[str, Callable[[], Outcome | Exception], float | None, Result]] = [
    ("done is forgotten", Done, None, Result.SUCCESS),
    ("an expected wait comes back when it said", lambda: Again(7.0, "task"), 7.0, Result.WAITING),
    ("a retryable error backs off", lambda: errors.Unavailable("down"), 1.0, Result.RETRY),
    ("a told delay is kept", lambda: errors.Unavailable("slow", retry_after_s=9.0), 9.0, Result.RETRY),
    (
        "a lease that is renewed late is waited for",
        lambda: errors.LostLeadership("12 s", for_now=True),
        1.0,
        Result.WAITING,
    ),
    ("a told delay of nothing backs off", lambda: errors.Unavailable("slow", retry_after_s=0.0), 1.0, Result.RETRY),
    ("the wait for a token is no failure", lambda: errors.Throttled("slow", retry_after_s=9.0), 9.0, Result.WAITING),
    ("a token without a time is asked for soon", lambda: errors.Throttled("slow"), 1.0, Result.WAITING),
    ("what exists already is observed again", lambda: errors.AlreadyExists("there"), 1.0, Result.RETRY),
    ("a terminal error waits for a change", lambda: errors.Rejected("no", reason="R"), None, Result.TERMINAL),
    ("a quota is tried again slowly", quota, 300.0, Result.TERMINAL),
    ("a missing right is tried again slowly", lambda: errors.AccessDenied("no", reason="R"), 300.0, Result.TERMINAL),
    ("a closed gate is looked at again", lambda: errors.GateClosed("TKE"), 300.0, Result.GATE),
    ("an unauthorised plan is tried again slowly", lambda: errors.UnauthorizedPlan("x"), 300.0, Result.UNAUTHORIZED),
    ("a bug backs off", lambda: ZeroDivisionError("x"), 1.0, Result.BUG),
    ("a lost NotFound is a bug", lambda: errors.NotFound("x"), 1.0, Result.BUG),
]


@pytest.mark.parametrize(
    ("answer", "after_s", "result"), [row[1:] for row in REACTIONS], ids=[row[0] for row in REACTIONS]
)
def test_reaction(
    world: World, answer: Callable[[], Outcome | Exception], after_s: float | None, result: Result
) -> None:
    assert world.passes_of(answer()) == (None if after_s is None else Deadline(after_s))
    assert world.results == [result]
    assert world.busy == 0


def test_what_comes_back_stays_in_its_lane(world: World) -> None:
    world.passes_of(Again(1.0, "task"), lane=Lane.VERIFY)
    world.clock.advance(1.0)
    world.controller.process_next()
    assert world.passes == [("k", Lane.VERIFY), ("k", Lane.VERIFY)]


def test_lost_leadership_stops_the_workers_and_drops_the_key(world: World) -> None:
    world.queue.add("other", Lane.CHANGE, world.clock.now)
    assert world.passes_of(errors.LostLeadership("lease")) is None
    world.controller.run()
    assert len(world.passes) == 1
    assert world.results == [Result.LOST]


def test_retryable_errors_are_told_from_the_fifth_in_a_row(world: World) -> None:
    for _ in range(6):
        world.passes_of(errors.Busy("other task"))
    assert world.told == [("k", "Busy", 5), ("k", "Busy", 6)]


@pytest.mark.parametrize("cure", [Done(), Again(1.0, "task")], ids=["done", "again"])
def test_a_success_in_between_starts_the_count_and_the_delay_over(world: World, cure: Outcome) -> None:
    for _ in range(4):
        world.passes_of(errors.Busy("other task"))
    world.passes_of(cure)
    world.clock.advance(100.0)
    world.queue.take(world.clock.now)
    world.queue.done("k", world.clock.now)
    assert world.passes_of(errors.Busy("other task")) == Deadline(1.0)
    assert world.told == []


def test_terminal_errors_and_bugs_are_told_at_once(world: World) -> None:
    world.passes_of(quota())
    world.passes_of(ZeroDivisionError())
    assert [name for _, name, _ in world.told] == ["QuotaExceeded", "ZeroDivisionError"]


def test_the_traceback_of_a_bug_is_logged_once_in_a_row(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            world.passes_of(ZeroDivisionError("x"))
    assert [record.exc_info is not None for record in caplog.records] == [True, False, False]


def test_a_report_that_fails_does_not_take_the_worker_with_it(world: World) -> None:
    def broken(key: str, error: Exception, failures: int) -> None:
        raise OSError("no API server")

    controller = Controller(world.queue, world._reconcile, world.clock, on_failure=broken)
    world.answer = quota()
    world.queue.add("k", Lane.CHANGE, world.clock.now)
    controller.process_next()
    assert world.queue.take(world.clock.now) == Deadline(300.0)


@pytest.mark.parametrize("fatal", [MemoryError(), KeyboardInterrupt(), SystemExit(1)], ids=repr)
def test_what_no_worker_survives_ends_it_and_gives_the_key_back(world: World, fatal: BaseException) -> None:
    with pytest.raises(type(fatal)):
        world.passes_of(fatal)
    assert world.queue.drain(0.0)
    assert world.busy == 0


def test_a_change_during_a_pass_runs_the_key_once_more(world: World) -> None:
    def reconcile(key: str, lane: Lane) -> Outcome:
        world.passes.append((key, lane))
        if len(world.passes) == 1:
            world.queue.add(key, Lane.CHANGE, world.clock.now)
        return Done()

    controller = Controller(world.queue, reconcile, world.clock)
    world.queue.add("k", Lane.CHANGE, world.clock.now)
    while isinstance(controller.process_next(), Taken):
        pass
    assert len(world.passes) == 2
