"""Asking again: how often, how long, what is said, and when it ends."""

import logging
from collections.abc import Callable

import pytest

from l7lb.app.patience import RETRY_S, START_S_MAX, Patience
from l7lb.errors import AccessDenied, ConfigurationError, Throttled, Unavailable
from tests.unit.runtime.fake_clock import FakeClock


class Asking:
    """A patience whose pauses pass on the test's clock."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.pauses: list[float] = []
        self.ends_after = 10_000
        self.patience = Patience("the cloud", self.clock, self._pause)

    def _pause(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        self.clock.advance(seconds)
        return len(self.pauses) < self.ends_after


@pytest.fixture
def asking() -> Asking:
    return Asking()


def answers(*errors: Exception) -> Callable[[], str]:
    left = list(errors)

    def question() -> str:
        if left:
            raise left.pop(0)
        return "answer"

    return question


def never() -> str:
    raise Unavailable("no answer")


def test_an_answer_is_an_answer(asking: Asking) -> None:
    assert asking.patience.ask(answers()) == "answer"
    assert asking.pauses == []


def test_each_refusal_is_one_line_and_a_pause(asking: Asking, caplog: pytest.LogCaptureFixture) -> None:
    assert asking.patience.ask(answers(Unavailable("away"), AccessDenied("no", reason="Forbidden"))) == "answer"
    assert asking.pauses == [RETRY_S, RETRY_S]
    assert [record.getMessage() for record in caplog.records] == [
        "waiting for the cloud: away",
        "waiting for the cloud: no",
    ]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_who_names_a_later_time_is_asked_then(asking: Asking) -> None:
    asking.patience.ask(answers(Throttled("slow", retry_after_s=9.0), Throttled("slow", retry_after_s=0.1)))
    assert asking.pauses == [9.0, RETRY_S]


def test_the_problem_is_known_while_it_lasts(asking: Asking) -> None:
    assert asking.patience.problem == ""
    asking.ends_after = 1
    assert asking.patience.ask(never) is None
    assert asking.patience.problem == "the cloud: no answer"
    asking.patience.ask(answers())
    assert asking.patience.problem == ""


def test_after_two_minutes_it_is_given_up_with_the_last_reason(asking: Asking) -> None:
    with pytest.raises(Unavailable, match="no use of the cloud within 120 s: no answer"):
        asking.patience.ask(never)
    assert START_S_MAX <= sum(asking.pauses) <= START_S_MAX + RETRY_S


def test_a_process_that_ends_is_not_kept(asking: Asking) -> None:
    asking.ends_after = 3
    assert asking.patience.ask(never) is None
    assert len(asking.pauses) == 3


def test_a_wrong_configuration_is_not_waited_for(asking: Asking) -> None:
    with pytest.raises(ConfigurationError):
        asking.patience.ask(answers(ConfigurationError("--cluster-id: of another cluster")))
    assert asking.pauses == []


def test_a_bug_is_not_taken_for_silence(asking: Asking) -> None:
    with pytest.raises(ZeroDivisionError):
        asking.patience.ask(lambda: 1 // 0)
