"""Passes as values: what belongs to which, how long each part took, and what is said of it."""

import logging
from dataclasses import dataclass, field

import pytest

from l7lb.errors import Busy
from l7lb.model.lane import Lane
from l7lb.model.outcome import Again, Done
from l7lb.model.phases import Call, Pass, Phase, Stage, TaskEnd
from l7lb.runtime.workqueue import Taken
from l7lb.telemetry import passes as measured
from l7lb.telemetry.passes import PHASES_MAX, TASKS_MAX, Passes
from l7lb.telemetry.passlog import PassLog
from tests.unit.runtime.fake_clock import FakeClock

WRITE = Call("clb", "CreateListener", "OK", "ap-guangzhou", "req-1", write=True)
READ = Call("clb", "DescribeListeners", "OK", "ap-guangzhou", "req-0")
PATCH = Call("kubernetes", "PATCH", "200", write=True)


@dataclass
class Notebook:
    """Keeps what it hears."""

    phases: list[tuple[str, Phase]] = field(default_factory=list)
    passes: list[Pass] = field(default_factory=list)

    def phase(self, phase: Phase, pass_id: str) -> None:
        self.phases.append((pass_id, phase))

    def passed(self, done: Pass) -> None:
        self.passes.append(done)


class Scene:
    """Passes on a clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.heard = Notebook()
        numbers = iter(range(1, 100))
        self.passes = Passes(
            (self.heard, PassLog()),
            monotonic=self.clock.monotonic,
            wall=self.clock.time,
            ids=lambda: f"{next(numbers):016x}",
        )

    def begin(self, key: str = "new/1", waited_s: float = 0.0) -> None:
        self.passes.began(Taken(key, Lane.CHANGE, waited_s))

    def spend(self, stage: Stage, seconds: float, load_balancer: str = "") -> None:
        self.passes.enter(stage, load_balancer)
        self.clock.advance(seconds)

    def call(self, call: Call, seconds: float = 0.1) -> None:
        self.clock.advance(seconds)
        self.passes.called(call, seconds)

    def end(self, outcome: Done | Again | Exception | None = None) -> Pass:
        self.passes.ended("success", outcome if outcome is not None else Done())
        return self.heard.passes[-1]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def spans(done: Pass) -> list[tuple[str, float, int, int]]:
    return [(str(one.stage), round(one.seconds, 3), one.number, one.within) for one in done.phases]


def test_stages_follow_one_another_and_calls_lie_within_them(scene: Scene) -> None:
    scene.begin(waited_s=2.0)
    scene.passes.about(("shop/web",))
    scene.spend(Stage.TRANSLATE, 0.5)
    scene.passes.enter(Stage.OBSERVE)
    scene.call(READ, 0.25)
    scene.spend(Stage.PLAN, 0.125, "lb-1")
    done = scene.end()
    assert spans(done) == [
        ("queue", 2.0, 1, 0),
        ("translate", 0.5, 2, 0),
        ("call", 0.25, 4, 3),
        ("observe", 0.25, 3, 0),
        ("plan", 0.125, 5, 0),
    ]
    assert (done.queued_s, done.seconds, done.calls, done.changed) == (2.0, 0.875, 1, False)
    assert (done.ingress, done.load_balancer, done.id) == ("shop/web", "lb-1", "0000000000000001")


def test_the_time_in_the_queue_ends_where_the_pass_begins(scene: Scene) -> None:
    scene.begin(waited_s=2.0)
    queue = scene.end().phases[0]
    assert queue.started + queue.seconds == scene.heard.passes[0].started


def test_a_stage_that_is_entered_again_goes_on(scene: Scene) -> None:
    scene.begin()
    scene.spend(Stage.APPLY, 1.0)
    scene.spend(Stage.APPLY, 1.0)
    assert spans(scene.end())[1:] == [("apply", 2.0, 2, 0)]


def test_each_member_of_a_key_has_its_own_phases(scene: Scene) -> None:
    scene.begin("lb/ap-guangzhou/lb-1")
    for name in ("shop/a", "shop/b"):
        scene.passes.about((name,))
        scene.spend(Stage.PLAN, 1.0)
    done = scene.end()
    assert [(one.stage, one.ingress) for one in done.phases[1:]] == [(Stage.PLAN, "shop/a"), (Stage.PLAN, "shop/b")]
    assert done.ingress == "shop/a,shop/b"


def test_a_task_names_the_pass_that_began_it_and_the_write_that_was_sent(scene: Scene) -> None:
    scene.begin()
    scene.spend(Stage.APPLY, 0.0, "lb-1")
    scene.call(WRITE)
    scene.passes.sent("create listeners HTTP:80", "req-1", "lb-1")
    first = scene.end(Again(0.3, "the cloud works on it"))
    scene.clock.advance(0.3)
    scene.begin()
    scene.passes.task_ended("req-1", "CreateListeners", "succeeded", 0.3)
    scene.passes.performed("create listeners HTTP:80")
    second = scene.end()
    wait = second.phases[-1]
    assert wait.detail == TaskEnd("req-1", "CreateListeners", "succeeded", first.id, 3)
    assert next(one for one in first.phases if one.number == 3).detail == WRITE
    assert wait.load_balancer == "lb-1"
    assert first.changed
    assert second.changed
    assert (first.sent, second.performed) == (("create listeners HTTP:80",), ("create listeners HTTP:80",))
    assert (first.again_s, first.reason) == (0.3, "the cloud works on it")


def test_a_call_outside_of_all_passes_is_told_without_one(scene: Scene) -> None:
    scene.call(READ)
    assert [(name, one.detail) for name, one in scene.heard.phases] == [("", READ)]
    scene.passes.enter(Stage.PLAN)
    scene.passes.ended("success", Done())
    assert scene.heard.passes == []


def test_what_one_product_does_during_a_pass_of_another_is_not_taken_for_its_own(scene: Scene) -> None:
    other = Scene()
    scene.begin()
    other.begin("new/other")
    scene.call(READ)
    other.end()
    scene.call(READ)
    assert [one.detail for one in scene.end().phases] == [None, READ]


def test_a_pass_that_fails_says_its_error(scene: Scene) -> None:
    scene.begin()
    done = scene.end(Busy("another task runs"))
    assert (done.error, done.reason) == ("Busy", "another task runs")


def test_too_many_phases_are_told_but_not_kept(scene: Scene) -> None:
    scene.begin()
    for _ in range(PHASES_MAX):
        scene.call(READ)
    done = scene.end()
    assert (len(done.phases), done.left_out) == (PHASES_MAX, 1)
    assert len(scene.heard.phases) == PHASES_MAX + 1


def test_tasks_that_nobody_asks_for_are_forgotten(scene: Scene) -> None:
    for number in range(TASKS_MAX + 1):
        scene.passes.sent("a step", f"req-{number}")
    assert len(scene.passes._tasks) == TASKS_MAX


def test_nothing_is_made_without_observers(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    monkeypatch.setattr(measured, "_Running", lambda *_: made.append(1))
    monkeypatch.setattr(measured, "Phase", lambda *_, **__: made.append(1))
    passes = Passes()
    passes.began(Taken("new/1", Lane.CHANGE))
    passes.about(("shop/web",))
    passes.enter(Stage.PLAN)
    passes.called(WRITE, 0.1)
    passes.sent("a step", "req-1")
    passes.task_ended("req-1", "CreateListeners", "succeeded", 0.1)
    passes.ended("success", Done())
    assert (made, passes._tasks) == ([], {})


def lines(log: pytest.LogCaptureFixture, level: int) -> list[logging.LogRecord]:
    return [one for one in log.records if one.name == "l7lb.pass" and one.levelno == level]


def test_a_pass_that_changes_something_is_one_line(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    scene.begin(waited_s=0.5)
    scene.passes.about(("shop/web",))
    scene.spend(Stage.APPLY, 0.0, "lb-1")
    scene.call(WRITE)
    scene.call(PATCH)
    scene.passes.sent("create listeners HTTP:80", "req-1", "lb-1")
    scene.end(Again(0.3, "the cloud works on it"))
    (line,) = lines(caplog, logging.INFO)
    said = vars(line)
    assert line.getMessage() == "pass: 0 steps performed, 1 sent; the cloud works on it"
    expected = {
        "reconcile_id": "0000000000000001", "key": "new/1", "ingress": "shop/web", "load_balancer": "lb-1",
        "lane": "change", "result": "success", "reason": "the cloud works on it", "again_s": 0.3,
        "sent": ["create listeners HTTP:80"], "request_ids": ["CreateListener req-1"], "calls": 1,
        "queue_s": 0.5, "seconds": 0.2, "phases": {"call": 0.2, "apply": 0.2},
    }  # fmt: skip
    assert {name: said.get(name) for name in expected} == expected
    assert "performed" not in said


def test_a_pass_that_changes_nothing_is_for_who_looks_closely(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    scene.begin()
    scene.call(READ)
    scene.end()
    assert lines(caplog, logging.INFO) == []
    assert [one.getMessage() for one in lines(caplog, logging.DEBUG)] == [
        "queue", "clb DescribeListeners: OK", "pass: nothing changed; success",
    ]  # fmt: skip


def test_requests_to_the_api_server_are_said_within_passes_only(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    scene.call(PATCH)
    assert lines(caplog, logging.DEBUG) == []
    scene.begin()
    scene.call(PATCH)
    assert lines(caplog, logging.DEBUG)[-1].getMessage() == "kubernetes PATCH: 200"
