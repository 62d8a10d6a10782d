"""What became of plans, from what the reconciler tells: bounded, in order, and never in the way of the telemetry."""

from typing import Any

import pytest

from l7lb.app.history import KEPT_MAX, LATEST_MAX, PLANS_MAX, QUIET_MAX, STEPS_MAX, History, Pause, Stumble
from l7lb.errors import Rejected, Throttled, Unavailable
from l7lb.model.cloud import Accepted
from l7lb.model.cluster import Ingress, ObjectMeta
from l7lb.model.identity import BindingKey, ListenerKey, ObjectKey, TaskId
from l7lb.model.outcome import Again, Done
from l7lb.model.plan import DeleteListeners, Plan
from l7lb.model.portrait import Fate
from l7lb.reconciler.flights import Flight, PendingTask

KEY = BindingKey("new/uid-1")
WEB = ObjectKey("shop", "web")
HTTP, HTTPS = (DeleteListeners((ListenerKey.parse(text),)) for text in ("HTTP:80", "HTTPS:443"))


class Heard:
    """A telemetry that notes which of its methods was called."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: self.names.append(name)


class Told:
    """A history with a clock that a test moves."""

    def __init__(self) -> None:
        self.now, self.heard = 100.0, Heard()
        self.history = History(self.heard, lambda: self.now)

    def plan(self, *steps: DeleteListeners, about: ObjectKey = WEB, key: BindingKey = KEY) -> None:
        self.history.planned(key, about, Plan(steps))

    def fates(self) -> list[Fate]:
        return [view.fate for view in self.history.of(KEY)]


@pytest.fixture
def told() -> Told:
    return Told()


def web() -> Ingress:
    return Ingress(metadata=ObjectMeta(name="web", namespace="shop", uid="uid-1"))


def test_a_plan_is_done_with_its_last_step(told: Told) -> None:
    told.plan(HTTP, HTTPS)
    told.now = 101.0
    told.history.performed(KEY, HTTP)
    assert told.fates() == [Fate.RUNNING]
    told.now = 102.0
    told.history.performed(KEY, HTTPS)
    (view,) = told.history.of(KEY)
    assert (view.fate, view.begun, view.ended, view.about) == (Fate.DONE, 100.0, 102.0, WEB)
    assert [(step.text, step.done) for step in view.steps] == [
        ("delete 1 listener HTTP:80", 101.0),
        ("delete 1 listener HTTPS:443", 102.0),
    ]


def test_the_newest_plan_comes_first_and_ends_the_one_before(told: Told) -> None:
    told.plan(HTTP, HTTPS)
    told.plan(HTTPS)
    assert told.fates() == [Fate.RUNNING, Fate.REPLACED]


def test_the_same_plan_begun_again_is_one_entry_that_says_how_often(told: Told) -> None:
    for _ in range(3):
        told.plan(HTTP, HTTPS)
        told.history.performed(KEY, HTTP)
        told.now += 10
        told.history.failed(KEY, Unavailable("no answer"))
    (view,) = told.history.of(KEY)
    assert (view.tries, view.fate, view.begun, view.ended, view.done) == (3, Fate.FAILED, 120.0, 130.0, 1)
    told.plan(HTTP, HTTPS)
    told.history.performed(KEY, HTTP)
    told.history.performed(KEY, HTTPS)
    assert told.fates() == [Fate.DONE]
    told.plan(HTTP, HTTPS)
    assert told.fates() == [Fate.RUNNING, Fate.DONE]


def test_a_step_for_all_members_of_a_group_counts_for_each(told: Told) -> None:
    told.plan(HTTP)
    told.plan(HTTPS, about=ObjectKey("shop", "other"))
    told.history.performed(KEY, DeleteListeners((*HTTP.keys, *HTTPS.keys)))
    assert told.fates() == [Fate.DONE, Fate.DONE]


def test_the_latest_of_all_keys_are_listed_together(told: Told) -> None:
    told.plan(HTTP)
    told.plan(HTTPS, about=ObjectKey("blog", "posts"), key=BindingKey("new/uid-2"))
    assert [str(view.about) for view in told.history.of(None)] == ["blog/posts", "shop/web"]


def test_a_plan_on_its_way_says_what_it_waits_for(told: Told) -> None:
    told.plan(HTTP, HTTPS)
    pending = PendingTask(TaskId("task-1"), HTTP, Accepted(), 0.0, 0.0)
    flight = Flight(KEY, "ap-guangzhou", Plan((HTTP, HTTPS)), "print", None, 0.0, task=pending)
    (view,) = told.history.of(KEY, [flight])
    assert (view.waiting, view.task) == ("the cloud works on: delete 1 listener HTTP:80", "task-1")


def test_plans_of_two_members_run_side_by_side(told: Told) -> None:
    told.plan(HTTP)
    told.plan(HTTPS, about=ObjectKey("shop", "other"))
    told.history.performed(KEY, HTTPS)
    assert told.fates() == [Fate.DONE, Fate.RUNNING]


def test_an_error_ends_what_runs_and_is_remembered_until_a_pass_succeeds(told: Told) -> None:
    told.plan(HTTP)
    told.history.failed(KEY, Unavailable("no answer"))
    told.history.failed(KEY, Unavailable("no answer"))
    (view,) = told.history.of(KEY)
    assert (view.fate, view.reason) == (Fate.FAILED, "no answer")
    _, stumble = told.history.lately(KEY)
    assert stumble is not None
    assert stumble.times == 2
    told.history.ended(KEY, Done())
    assert told.history.lately(KEY) == (None, None)


def test_a_budget_that_is_used_up_is_no_failure(told: Told) -> None:
    told.plan(HTTP)
    told.history.failed(KEY, Throttled("the API budget is used up"))
    assert told.fates() == [Fate.RUNNING]
    assert told.history.lately(KEY) == (Pause(100.0, "the API budget is used up"), None)


def test_what_a_later_try_may_cure_lasts_after_some_tries_and_all_else_at_once(told: Told) -> None:
    lasting = []
    for _ in range(QUIET_MAX + 1):
        told.history.failed(KEY, Unavailable("no answer"))
        stumble = told.history.lately(KEY)[1]
        lasting.append(stumble is not None and stumble.lasting)
    assert lasting == [False] * QUIET_MAX + [True]
    told.history.ended(KEY, Done())
    told.history.failed(KEY, Rejected("no", reason="x"))
    assert told.history.lately(KEY) == (None, Stumble(100.0, "no"))


def test_a_wait_is_told_with_the_time_since_when(told: Told) -> None:
    told.history.ended(KEY, Again(1.0, "the cloud works"))
    told.now = 150.0
    told.history.ended(KEY, Again(1.0, "the cloud works"))
    pause, _ = told.history.lately(KEY)
    assert pause is not None
    assert pause.since == 100.0
    told.history.ended(KEY, Again(0.0, "look once more"))
    assert told.history.lately(KEY) == (None, None)


def test_the_same_refusal_again_is_one_entry(told: Told) -> None:
    for _ in range(3):
        told.history.refused(KEY, WEB, "UnsafePlan", "it would remove all rules")
    assert told.fates() == [Fate.REFUSED]
    told.history.refused(KEY, ObjectKey("shop", "other"), "UnsafePlan", "it would remove all rules")
    assert [view.about for view in told.history.of(KEY)] == [ObjectKey("shop", "other"), WEB]


def test_what_a_settled_ingress_had_under_way_was_left_out(told: Told) -> None:
    told.plan(HTTP, HTTPS)
    told.history.settled(web(), ready=True, deleting=False)
    assert told.fates() == [Fate.REPLACED]


def test_steps_plans_and_keys_are_bounded(told: Told) -> None:
    told.plan(*(DeleteListeners((ListenerKey("HTTP", port),)) for port in range(STEPS_MAX + 5)))
    (view,) = told.history.of(KEY)
    assert (len(view.steps), view.more) == (STEPS_MAX, 5)
    for port in range(STEPS_MAX + 5):
        told.history.performed(KEY, DeleteListeners((ListenerKey("HTTP", port),)))
    assert told.fates() == [Fate.DONE]
    for number in range(PLANS_MAX + 3):
        told.plan(HTTP if number % 2 else HTTPS)
    assert len(told.history.of(KEY)) == PLANS_MAX
    for number in range(KEPT_MAX):
        told.plan(HTTP, key=BindingKey(f"new/{number}"), about=ObjectKey("shop", str(number)))
    assert told.history.of(KEY) == ()
    assert len(told.history.of(BindingKey("new/0"))) == 1
    assert len(told.history.of(None)) == LATEST_MAX


def test_whatever_it_hears_is_handed_on(told: Told) -> None:
    history = told.history
    told.plan(HTTP)
    history.drifted(KEY, Plan((HTTP,)))
    history.left_out(KEY, 1)
    history.performed(KEY, HTTP)
    history.refused(KEY, WEB, "rule", "why")
    history.isolated(KEY, HTTP, found=True)
    history.observed("api")
    history.settled(web(), ready=True, deleting=False)
    assert told.heard.names == [
        "planned", "drifted", "left_out", "performed", "refused", "isolated", "observed", "settled",
    ]  # fmt: skip
