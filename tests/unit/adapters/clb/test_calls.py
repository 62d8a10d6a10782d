"""One call: what is tried again, what is asked before, what is told afterwards."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from l7lb import errors
from l7lb.adapters.clb.calls import Caller, CallRecord, Request
from l7lb.adapters.clb.ratelimit import Pace, RateLimits
from l7lb.adapters.clb.sdk import NoAnswer, Refusal
from l7lb.model.lane import Lane

READ = Request("clb", "DescribeListeners")
WRITE = Request("clb", "CreateRule", write=True)
DELETE = Request("clb", "DeleteLoadBalancer", write=True)
ANSWER = {"RequestId": "r-1"}

LOST = NoAnswer("cut", sent=True)
UNSENT = NoAnswer("refused", sent=False)
THROTTLED = Refusal("RequestLimitExceeded", "too fast", "r-2")
BUSY = Refusal("FailedOperation.ResourceInOperating", "busy", "r-3")


class World:
    """A scripted cloud, a clock that only sleeping moves, and what was told."""

    def __init__(self, *script: Exception | None, guard: Callable[[], None] = lambda: None) -> None:
        self.script = list(script)
        self.now = 0.0
        self.latency_s = 0.0
        self.sent: list[str] = []
        self.records: list[CallRecord] = []
        self.limits = RateLimits(self.clock, Pace(burst=100.0))
        self.calls: list[CallRecord] = []
        self.caller = Caller(
            self, self.limits, guard, self.records.append, self.sleep, self.clock, on_end=self.calls.append
        )

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def send(self, service: str, action: str, region: str, params: Mapping[str, Any]) -> dict[str, Any]:
        self.sent.append(f"{service}.{action}@{region}")
        self.now += self.latency_s
        outcome = self.script.pop(0) if self.script else None
        if outcome is not None:
            raise outcome
        return dict(ANSWER)

    def call(self, request: Request) -> dict[str, Any]:
        return self.caller.call(request, region="ap-guangzhou", lane=Lane.CHANGE)


@pytest.mark.parametrize(
    ("request_", "failure", "tries"),
    [
        (READ, LOST, 2),
        (READ, UNSENT, 2),
        (READ, THROTTLED, 2),
        (READ, BUSY, 1),
        (WRITE, LOST, 1),
        (WRITE, UNSENT, 2),
        (WRITE, THROTTLED, 2),
        (WRITE, BUSY, 1),
        (WRITE, Refusal("InternalError", "", ""), 1),
    ],
)
def test_only_what_is_certain_not_to_have_happened_is_sent_again(
    request_: Request, failure: Exception, tries: int
) -> None:
    world = World(failure)
    if tries == 1:
        with pytest.raises(errors.RetryableError):
            world.call(request_)
    else:
        assert world.call(request_) == ANSWER
    assert len(world.sent) == tries


@pytest.mark.parametrize(
    ("script", "code", "tries"),
    [((), "OK", 1), ((LOST, LOST), "OK", 3), ([LOST] * 9, "NoAnswer", 4), ((BUSY,), BUSY.code, 1)],
)
def test_a_call_is_told_once_by_its_last_answer_and_with_the_length_of_all_its_tries(
    script: tuple[Exception, ...], code: str, tries: int
) -> None:
    world = World(*script)
    world.latency_s = 0.1
    with contextlib.suppress(errors.RetryableError):
        world.call(READ)
    (told,) = world.calls
    assert (told.code, len(world.records)) == (code, tries)
    assert told.seconds == pytest.approx(world.now)


def test_a_call_that_has_no_token_or_no_right_to_write_is_none() -> None:
    world = World(*[THROTTLED] * 50)
    for _ in range(2):
        with pytest.raises(errors.Throttled):
            world.call(READ)
    assert len(world.calls) == 1

    def forbid() -> None:
        raise errors.GateClosed("closed")

    world = World(guard=forbid)
    with pytest.raises(errors.GateClosed):
        world.call(WRITE)
    assert world.calls == []


@pytest.mark.parametrize("failure", [LOST, UNSENT, THROTTLED])
def test_trying_again_ends_within_two_seconds(failure: Exception) -> None:
    world = World(*[failure] * 50)
    with pytest.raises(errors.RetryableError):
        world.call(READ)
    assert world.now <= 2.0
    assert 1 < len(world.sent) <= 4


def test_what_is_refused_for_rate_is_sent_twice_at_most_and_comes_back_with_the_time_of_its_token() -> None:
    world = World(*[THROTTLED] * 50)
    with pytest.raises(errors.Throttled) as caught:
        world.call(READ)
    assert len(world.sent) == 2
    assert caught.value.retry_after_s == pytest.approx(1 / 3.75, rel=0.1)
    with pytest.raises(errors.Throttled) as second:
        world.call(READ)
    assert len(world.sent) == 2, "there is no token: the cloud is not asked"
    assert (second.value.retry_after_s or 0.0) > (caught.value.retry_after_s or 0.0)


@pytest.mark.parametrize(
    "code",
    [
        "RequestLimitExceeded",
        "RequestLimitExceeded.IPLimitExceeded",
        "RequestLimitExceeded.UinLimitExceeded",
        "RequestLimitExceeded.GlobalRegionUinLimitExceeded",
        "FailedOperation.RateLimitExceeded",
    ],
)
def test_every_refusal_for_rate_slows_its_action_down_once(code: str) -> None:
    world = World(Refusal(code, "too fast", "r-9"))
    assert world.call(WRITE) == ANSWER
    rate = world.limits.rates()[("ap-guangzhou", "clb", "CreateRule")]
    assert 7.5 <= rate < 8.0


@pytest.mark.parametrize(
    "code", ["InternalError", "RequestLimit", "LimitExceeded", "FailedOperation.ResourceInOperating"]
)
def test_other_refusals_slow_nothing_down(code: str) -> None:
    world = World(Refusal(code, "", "r-9"))
    with pytest.raises(errors.L7lbError):
        world.call(WRITE)
    assert set(world.limits.rates().values()) == {15.0}


def test_after_the_clouds_own_count_of_deletions_is_full_no_other_deletion_is_tried() -> None:
    world = World(Refusal("FailedOperation.FrequencyCheckRisk", "", "r-9"))
    for _ in range(3):
        with pytest.raises(errors.Throttled) as caught:
            world.call(DELETE)
        assert caught.value.retry_after_s == pytest.approx(60.0)
    assert len(world.sent) == 1


def test_a_read_that_was_slow_to_fail_is_not_tried_again() -> None:
    world = World(LOST)
    world.latency_s = 10.0
    with pytest.raises(errors.Unavailable):
        world.call(READ)
    assert len(world.sent) == 1


def test_a_stopping_process_cancels_the_wait() -> None:
    world = World(LOST)

    def stop(_: float) -> None:
        raise errors.LostLeadership("stopping")

    caller = Caller(world, world.limits, sleep=stop, clock=world.clock)
    with pytest.raises(errors.LostLeadership):
        caller.call(READ, region="ap-guangzhou", lane=Lane.CHANGE)


def test_a_lost_write_says_so_and_an_unsent_one_too() -> None:
    with pytest.raises(errors.Unavailable, match="may or may not have happened"):
        World(LOST).call(WRITE)
    with pytest.raises(errors.Unavailable, match="was not sent"):
        World(*[UNSENT] * 9).call(WRITE)


def test_the_guard_is_asked_before_each_time_that_a_write_is_sent() -> None:
    asked: list[int] = []

    def guard() -> None:
        asked.append(len(world.sent))
        if len(asked) == 2:
            raise errors.GateClosed("closed meanwhile")

    world = World(THROTTLED, guard=guard)
    with pytest.raises(errors.GateClosed):
        world.call(WRITE)
    assert (asked, len(world.sent)) == ([0, 1], 1)
    World(guard=guard).call(READ)
    assert len(asked) == 2


def test_without_a_token_nothing_is_sent_and_the_wait_is_named() -> None:
    world = World()
    world.limits.pace = Pace(burst=0.05)
    world.call(READ)
    with pytest.raises(errors.Throttled) as caught:
        world.call(READ)
    assert caught.value.retry_after_s == pytest.approx(1 / 15)
    assert (len(world.sent), world.now) == (1, 0.0)


def test_each_request_on_the_wire_is_counted_with_its_code() -> None:
    world = World(THROTTLED, LOST)
    world.call(READ)
    assert [(record.action, record.code) for record in world.records] == [
        ("DescribeListeners", "RequestLimitExceeded"),
        ("DescribeListeners", "NoAnswer"),
        ("DescribeListeners", "OK"),
    ]


def test_a_deletion_that_was_refused_does_not_count() -> None:
    world = World(*[BUSY] * 60)
    for _ in range(60):
        with pytest.raises(errors.Busy):
            world.call(DELETE)
    for _ in range(25):
        world.call(DELETE)
    with pytest.raises(errors.Throttled):
        world.call(DELETE)


def test_an_error_keeps_its_request_id_and_drops_foreign_exceptions() -> None:
    with pytest.raises(errors.Busy, match="r-3") as busy:
        World(BUSY).call(WRITE)
    assert busy.value.__cause__ is BUSY
    with pytest.raises(errors.Unavailable) as lost:
        World(LOST).call(WRITE)
    assert lost.value.__cause__ is None
