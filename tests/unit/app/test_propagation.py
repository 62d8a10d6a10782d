"""From a change of endpoints to the load balancer: when the clock starts, when it stops, and what is not counted."""

import pytest

from l7lb.app.propagation import Propagation
from l7lb.errors import GateClosed, Unavailable
from l7lb.model.identity import BindingKey
from l7lb.model.outcome import Again, Done, Outcome

KEY = BindingKey("new/uid-1")


class Scene:
    """A clock that is set by hand, and what was measured."""

    def __init__(self) -> None:
        self.now = 100.0
        self.measured: list[float] = []
        self.propagation = Propagation(lambda: self.now, self.measured.append)

    def passes(self, outcome: Outcome, *, plans: bool = False, seconds: float = 1.0, hears: bool = False) -> None:
        """One pass; a change that it hears of comes in the middle."""
        with self.propagation.passing(KEY) as ended:
            self.now += seconds / 2
            if hears:
                self.propagation.seen(KEY)
            if plans:
                self.propagation.planned(KEY)
            self.now += seconds / 2
            assert ended(outcome) is outcome


def fail(scene: Scene) -> None:
    scene.propagation.planned(KEY)
    raise Unavailable("no answer")


def meet_a_closed_gate(scene: Scene) -> None:
    scene.propagation.planned(KEY)
    scene.propagation.seen(KEY)
    raise GateClosed("TKE's controller may be running")


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_the_clock_runs_from_the_change_to_the_pass_that_has_nothing_left_to_do(scene: Scene) -> None:
    scene.propagation.seen(KEY)
    scene.now += 5
    scene.passes(Again(2.0, "a task"), plans=True)
    scene.now += 2
    scene.passes(Done())
    assert scene.measured == [9]
    scene.passes(Done())
    assert scene.measured == [9]


def test_a_second_change_before_the_first_is_done_does_not_set_the_clock_back(scene: Scene) -> None:
    scene.propagation.seen(KEY)
    scene.now += 5
    scene.propagation.seen(KEY)
    scene.passes(Done(), plans=True)
    assert scene.measured == [6]


def test_what_changes_while_a_pass_runs_is_left_to_the_next_one(scene: Scene) -> None:
    scene.propagation.seen(KEY)
    scene.passes(Done(), plans=True, hears=True)
    assert scene.measured == [1]
    scene.now += 3
    scene.passes(Done(), plans=True)
    assert scene.measured == [1, 4.5]


def test_what_needs_nothing_is_not_counted_and_neither_is_a_pass_for_another_reason(scene: Scene) -> None:
    scene.propagation.seen(KEY)
    scene.passes(Done())
    scene.passes(Done(), plans=True)
    assert scene.measured == []


def test_what_is_first_heard_in_the_middle_of_a_pass_is_left_to_the_next(scene: Scene) -> None:
    scene.passes(Done(), plans=True, hears=True)
    assert scene.measured == []
    scene.passes(Done(), plans=True)
    assert scene.measured == [1.5]


def test_a_pass_that_fails_leaves_the_clock_running(scene: Scene) -> None:
    scene.propagation.seen(KEY)
    with pytest.raises(Unavailable), scene.propagation.passing(KEY):
        fail(scene)
    scene.now += 7
    scene.passes(Done())
    assert scene.measured == [8]


def test_what_a_closed_gate_keeps_waiting_is_not_counted_and_what_comes_afterwards_is(scene: Scene) -> None:
    scene.propagation.seen(KEY)
    with pytest.raises(GateClosed), scene.propagation.passing(KEY):
        meet_a_closed_gate(scene)
    scene.now += 3600
    scene.passes(Done(), plans=True)
    assert scene.measured == []
    scene.propagation.seen(KEY)
    scene.passes(Done(), plans=True)
    assert scene.measured == [1]
