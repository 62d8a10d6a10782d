"""What passes through on the way to the cloud: nothing is changed, tasks are timed, writes are told."""

from dataclasses import replace

from l7lb.app.measuring import TASKS_MAX, MeasuredCloud, StopWatch
from l7lb.model.cloud import TaskStatus
from l7lb.model.identity import LoadBalancerId, TaskId
from l7lb.model.lane import Lane
from l7lb.model.plan import AddTags, Bindings, CreateListeners, DeleteLoadBalancer
from tests.builders import head
from tests.unit.app.account import Account, ref
from tests.unit.app.room import REGION
from tests.unit.runtime.fake_clock import FakeClock

LISTENERS = CreateListeners("HTTP", (80,), "name")
ON = Bindings(load_balancer="lb-a")


class Scene:
    """An account behind a stop-watch."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.account = Account()
        self.account.own("lb-a")
        self.ended: list[tuple[str, float]] = []
        self.written: list[str] = []
        self.watch = StopWatch(self.clock, self._end)
        self.cloud = MeasuredCloud(self.account, self.watch, self.written.append)

    def _end(self, task: str, step: str, status: TaskStatus, seconds: float) -> None:
        self.ended.append((step, seconds))


def test_reads_are_handed_on_in_their_lane() -> None:
    scene = Scene()
    cloud = scene.cloud.at(Lane.VERIFY)
    assert cloud.find(REGION, {}) == (scene.account.heads_by_id["lb-a"],)
    assert set(cloud.heads((ref("lb-a"),))) == {ref("lb-a")}
    assert cloud.listeners(head("lb-a"))
    assert cloud.targets(ref("lb-a")) == {}
    assert cloud.health((ref("lb-a"),)) == {}
    assert cloud.limits(REGION).rules_per_listener == 50
    assert scene.account.lanes() == {Lane.VERIFY}
    assert scene.written == []


def test_a_task_is_timed_from_its_write_to_the_look_that_finds_it_ended() -> None:
    scene = Scene()
    task = scene.cloud.perform(REGION, LISTENERS, ON).task
    assert task is not None
    scene.account.state = TaskStatus.RUNNING
    scene.clock.advance(1.0)
    scene.cloud.at(Lane.ENDPOINTS).task(REGION, task)
    assert scene.ended == []
    scene.account.state = TaskStatus.SUCCEEDED
    scene.clock.advance(0.5)
    assert scene.cloud.task(REGION, task).status is TaskStatus.SUCCEEDED
    scene.cloud.task(REGION, task)
    assert scene.ended == [("CreateListeners", 1.5)]


def test_a_write_is_told_when_it_is_sent_and_when_its_task_has_ended() -> None:
    scene = Scene()
    task = scene.cloud.perform(REGION, LISTENERS, ON).task
    assert scene.written == ["lb-a"]
    assert task is not None
    scene.cloud.task(REGION, task)
    assert scene.written == ["lb-a", "lb-a"]


def test_a_write_whose_answer_is_lost_is_told_as_well() -> None:
    scene = Scene()

    def lost(call: str) -> None:
        raise TimeoutError(call)

    cloud = replace(scene.cloud, cloud=replace(scene.account, trouble=lost))
    try:
        cloud.perform(REGION, AddTags((("a", "b"),)), ON)
    except TimeoutError:
        assert scene.written == ["lb-a"]
    else:
        raise AssertionError("the account was not asked")


def test_a_deletion_is_told_by_the_id_that_it_names() -> None:
    scene = Scene()
    scene.cloud.perform(REGION, DeleteLoadBalancer(LoadBalancerId("lb-b"), "proof"), Bindings())
    assert scene.written == ["lb-b"]


def test_tasks_that_nobody_asks_for_do_not_pile_up() -> None:
    scene = Scene()
    for number in range(TASKS_MAX + 5):
        scene.watch.start(TaskId(f"t{number}"), LISTENERS, "lb-a")
    assert scene.watch.end(TaskId("t0"), TaskStatus.SUCCEEDED) == ""
    assert scene.watch.end(TaskId(f"t{TASKS_MAX}"), TaskStatus.SUCCEEDED) == "lb-a"
