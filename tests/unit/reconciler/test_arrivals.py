"""New load balancers are looked at together: who is asked, how often, and who is woken."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from l7lb.errors import Throttled, Unavailable
from l7lb.model.cloud import Accepted, TaskState, TaskStatus
from l7lb.model.identity import BindingKey, CloudRef, LoadBalancerId, TaskId
from l7lb.model.loadbalancer import CreateSpec, LoadBalancerHead
from l7lb.model.plan import CreateListeners, CreateLoadBalancer, Plan, Step
from l7lb.reconciler.arrivals import (
    EVERY_S,
    HEADS_PER_CALL,
    PATIENCE,
    REFUSED_S_MAX,
    TASK_EVERY,
    Arrivals,
    Later,
)
from l7lb.reconciler.flights import Flight, Flights, PendingTask
from tests.unit.app.account import Account

DUE_S = 3.5
ORDER = CreateLoadBalancer(CreateSpec(), (), "token")
RUNNING = TaskState(TaskStatus.RUNNING)


def ref(number: int, region: str = "ap-guangzhou") -> CloudRef:
    return CloudRef(region, LoadBalancerId(f"lb-{number:02}"))


@dataclass
class Cloud(Account):
    """Load balancers are listed; those in `running` have been created."""

    asked: list[tuple[CloudRef, ...]] = field(default_factory=list)
    running: set[CloudRef] = field(default_factory=set)
    unlisted: set[CloudRef] = field(default_factory=set)
    meanwhile: Callable[[], None] = lambda: None

    def heads(self, refs: tuple[CloudRef, ...], *, ahead: bool = False) -> Mapping[CloudRef, LoadBalancerHead]:
        assert ahead
        self.asked.append(refs)
        self.meanwhile()
        return {one: LoadBalancerHead(one, "", running=one in self.running) for one in refs if one not in self.unlisted}


class Scene:
    """Some orders on their way; the first is due first."""

    def __init__(self, count: int, region: str = "ap-guangzhou") -> None:
        self.now = 0.0
        self.cloud = Cloud()
        self.flights = Flights()
        self.woken: dict[str, float] = {}
        self.ended: list[str] = []
        self.arrivals = Arrivals(self.flights, lambda: self.now, wake=self._wake, ended=self.ended.append)
        self.orders = [self.order(number, region) for number in range(count)]

    def _wake(self, key: BindingKey, after_s: float) -> None:
        self.woken[key] = after_s

    def order(self, number: int, region: str = "ap-guangzhou", step: Step = ORDER) -> Flight:
        flight = Flight(BindingKey(f"uid-{number}"), region, Plan((step,)), "print", None, started=0.0)
        self.flights.begin(flight)
        self.flights.work_on(flight, BindingKey(f"new/uid-{number}"))
        accepted = Accepted(TaskId(f"task-{number}"), load_balancer=ref(number).id)
        flight.task = PendingTask(accepted.task or TaskId(""), step, accepted, 0.0, DUE_S + number * 0.001)
        self.arrivals.expect(flight, flight.task)
        return flight

    def state(self, number: int) -> TaskState | Later | None:
        flight = self.orders[number]
        assert flight.task is not None
        return self.arrivals.state(flight, flight.task, self.cloud)


def test_one_look_at_all_that_are_on_their_way_tells_each_and_wakes_those_that_have_come() -> None:
    scene = Scene(5)
    scene.cloud.running = {ref(0), ref(2), ref(3)}
    scene.now = DUE_S
    state = scene.state(0)
    assert isinstance(state, TaskState)
    assert (state.status, state.load_balancers) == (TaskStatus.SUCCEEDED, (ref(0).id,))
    assert set(scene.woken) == {"new/uid-2", "new/uid-3"}
    assert scene.orders[0].shown is not None
    for number in (2, 3):
        told = scene.state(number)
        assert isinstance(told, TaskState)
        assert told.status is TaskStatus.SUCCEEDED
    assert scene.cloud.asked == [(ref(0), ref(1), ref(2), ref(3), ref(4))]
    assert scene.ended == ["task-0", "task-2", "task-3"]
    assert scene.cloud.reads() == {}


def test_nobody_is_looked_at_before_its_time() -> None:
    scene = Scene(2)
    scene.now = DUE_S - 0.1
    assert scene.state(0) is None
    assert scene.cloud.asked == []


def test_more_than_one_call_takes_are_looked_at_by_their_age() -> None:
    scene = Scene(HEADS_PER_CALL + 5)
    scene.now = DUE_S + 1.0
    assert scene.state(7) == RUNNING
    assert scene.cloud.asked == [(ref(7), *(ref(number) for number in range(HEADS_PER_CALL) if number != 7))]
    scene.now += EVERY_S
    assert scene.state(HEADS_PER_CALL + 1) == RUNNING
    assert len(scene.cloud.asked[1]) == HEADS_PER_CALL


def test_those_that_have_come_make_room_for_others() -> None:
    scene = Scene(HEADS_PER_CALL + 5)
    scene.cloud.running = {ref(number) for number in range(10)}
    scene.now = DUE_S + 1.0
    scene.state(0)
    scene.now += EVERY_S
    scene.state(24)
    assert set(scene.cloud.asked[1]) == {ref(number) for number in range(10, 25)}


@pytest.mark.parametrize(("count", "pause_s"), [(40, EVERY_S), (4, EVERY_S / 5)])
def test_a_crowd_is_looked_at_four_times_a_second_and_few_sooner(count: int, pause_s: float) -> None:
    scene = Scene(count)
    scene.cloud.running = {ref(0)}
    scene.now = DUE_S + 1.0
    scene.state(0)
    task = scene.orders[1].task
    assert task is not None
    task.next_look = scene.now = scene.now + 0.01
    wait = scene.state(1)
    assert isinstance(wait, Later)
    assert round(wait.after_s, 6) == round(pause_s - 0.01, 6)
    scene.now += wait.after_s
    assert scene.state(1) == RUNNING


def test_one_that_is_not_listed_is_asked_by_its_task_at_once() -> None:
    scene = Scene(2)
    scene.cloud.unlisted = {ref(0)}
    scene.now = DUE_S + 1.0
    assert scene.state(0) is None
    assert scene.state(1) == RUNNING
    assert len(scene.cloud.asked) == 1


def test_one_that_takes_long_is_asked_by_its_task_now_and_then() -> None:
    scene = Scene(1)
    task = scene.orders[0].task
    assert task is not None
    asked = []
    for _ in range(3 * TASK_EVERY):
        scene.now = task.next_look
        asked.append(scene.state(0) is None)
        task.looks, task.next_look = task.looks + 1, task.next_look + 1.0
    assert asked == [*[False] * (TASK_EVERY - 1), True] * 3


def test_others_looks_do_not_put_off_the_question_to_its_task() -> None:
    scene = Scene(2)
    slow = scene.orders[0].task
    assert slow is not None
    slow.looks = TASK_EVERY - 1
    scene.now = DUE_S + 1.0
    assert scene.state(1) == RUNNING
    assert scene.state(0) is None


def test_an_order_that_named_no_id_and_every_other_step_have_their_task_alone() -> None:
    scene = Scene(0)
    listeners = scene.order(1, step=CreateListeners("HTTP", (80,), "name"))
    nameless = scene.order(2)
    assert nameless.task is not None
    nameless.task = PendingTask(nameless.task.id, ORDER, Accepted(nameless.task.id), 0.0, DUE_S)
    scene.orders = [listeners, nameless]
    scene.now = DUE_S + 1.0
    assert (scene.state(0), scene.state(1)) == (None, None)
    assert scene.cloud.asked == []


def test_while_a_look_is_not_answered_nobody_else_looks_at_this_region() -> None:
    scene = Scene(3)
    waits: list[object] = []

    def hang() -> None:
        scene.now += 8.0
        waits.append(scene.state(1))
        raise Unavailable("no answer")

    scene.cloud.meanwhile = hang
    scene.now = DUE_S + 1.0
    with pytest.raises(Unavailable):
        scene.state(0)
    assert waits == [Later(8.0)]
    assert len(scene.cloud.asked) == 1
    scene.cloud.meanwhile = lambda: None
    scene.now += 1.0
    assert scene.state(1) == RUNNING


def test_regions_do_not_wait_for_each_other() -> None:
    scene = Scene(1)
    scene.orders.append(scene.order(1, "ap-beijing"))
    scene.now = DUE_S + 1.0
    assert (scene.state(0), scene.state(1)) == (RUNNING, RUNNING)
    assert scene.cloud.asked == [(ref(0),), (ref(1, "ap-beijing"),)]


def refuse() -> None:
    raise Throttled("used up", retry_after_s=40.0)


def test_a_look_that_is_refused_for_rate_is_taken_again_later_and_later_by_anybody() -> None:
    scene = Scene(2)
    scene.cloud.meanwhile = refuse
    scene.now = DUE_S + 1.0
    waits = []
    for turn in range(PATIENCE - 1):
        found = scene.state(turn % 2)
        assert isinstance(found, Later)
        other = scene.state((turn + 1) % 2)
        assert isinstance(other, Later)
        assert round(other.after_s, 6) == round(found.after_s, 6)
        waits.append(found.after_s)
        scene.now += found.after_s
    assert waits == [0.1, 0.2, 0.4]
    assert len(scene.cloud.asked) == 3
    scene.cloud.meanwhile = lambda: None
    assert scene.state(0) == RUNNING


def test_while_looks_go_on_being_refused_tasks_are_asked_and_a_creation_that_has_failed_is_not_missed() -> None:
    scene = Scene(2)
    scene.cloud.meanwhile = refuse
    scene.now = DUE_S + 1.0
    for _ in range(PATIENCE):
        found = scene.state(0)
        scene.now += found.after_s if isinstance(found, Later) else 0.0
    assert (scene.state(0), scene.state(1)) == (None, None)
    asked = len(scene.cloud.asked)
    scene.now += REFUSED_S_MAX
    assert scene.state(0) is None
    assert len(scene.cloud.asked) == asked + 1, "nobody looks any more"
    scene.cloud.meanwhile = lambda: None
    scene.now += REFUSED_S_MAX
    assert scene.state(0) == RUNNING
    assert isinstance(scene.state(1), TaskState), "seen in the same look"


def test_those_that_come_together_are_woken_one_after_the_other() -> None:
    scene = Scene(12)
    scene.cloud.running = {ref(number) for number in range(12)}
    scene.now = DUE_S + 1.0
    scene.state(0)
    waits = [scene.woken[f"new/uid-{number}"] for number in range(1, 12)]
    assert waits[:4] == [0.0] * 4
    assert all(later > sooner for sooner, later in pairwise(waits[3:]))


def test_flights_that_were_given_up_are_looked_at_no_more() -> None:
    scene = Scene(4)
    scene.flights.end(scene.orders[1].key)
    scene.orders[2].task = None
    scene.now = DUE_S + 1.0
    scene.state(0)
    assert scene.cloud.asked == [(ref(0), ref(3))]


def test_the_order_that_is_placed_anew_under_the_same_id_is_another_one() -> None:
    scene = Scene(1)
    scene.cloud.running = {ref(0)}
    scene.orders.append(scene.order(0))
    scene.now = DUE_S + 1.0
    assert isinstance(scene.state(1), TaskState)
    assert scene.ended == ["task-0"]
