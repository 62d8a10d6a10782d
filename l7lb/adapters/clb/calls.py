"""One API call from token to answer: budget, write guard, the few retries that are safe, metrics, our errors.

A read may be tried again; a write only when it is certain that it was not executed. All of that takes 2 s at most, and
the wait can be cancelled. What the parameters mean is not known here.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tenacity import RetryCallState, Retrying, wait_exponential

from l7lb import errors
from l7lb.adapters.clb.actions import TABLE
from l7lb.adapters.clb.errors import (
    DELETE_WINDOW_FULL,
    DELETE_WINDOW_WAIT_S,
    OF_ALL_REGIONS,
    is_throttled,
    translate,
)
from l7lb.adapters.clb.ratelimit import DELETE, RateLimits
from l7lb.adapters.clb.sdk import NoAnswer, Refusal
from l7lb.model.lane import Lane

RETRY_S_MAX = 2.0
TRIES_MAX = 4
THROTTLED_TRIES_MAX = 2
_LISTED = frozenset((one.service, one.name, one.write) for one in TABLE)
_WAIT = wait_exponential(multiplier=0.2, max=1.0)
"""The first wait is longer than a halved bucket needs for its next token."""


@dataclass(frozen=True, slots=True)
class Request:
    """One API call as data. `write` is guarded, and is never repeated when it may have happened."""

    service: str
    action: str
    params: Mapping[str, Any] = field(default_factory=dict)
    write: bool = False


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What happened to one request on the wire, or to one call. `code` is `OK`, an API code, or `NoAnswer`."""

    service: str
    action: str
    region: str
    lane: Lane
    code: str
    seconds: float
    request_id: str = ""
    """What the cloud calls it; empty when there was no answer."""
    write: bool = False


class Sender(Protocol):
    """`sdk.Clients`."""

    def send(self, service: str, action: str, region: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Send once; raises Refusal or NoAnswer."""
        ...


def _unguarded() -> None:
    """For programs that only read, and for tests."""


def _unheard(record: CallRecord) -> None:
    """Nobody counts."""


@dataclass(frozen=True, slots=True)
class Caller:
    """`guard` raises LostLeadership or GateClosed; it is asked directly before each write leaves.

    `sleep` is the wait between tries: a stopping process passes one that returns early or raises.
    """

    sender: Sender
    limits: RateLimits
    guard: Callable[[], None] = _unguarded
    on_call: Callable[[CallRecord], None] = _unheard
    """Told of each request on the wire."""
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    on_end: Callable[[CallRecord], None] = _unheard
    """Told of each call that came to the wire, with all its tries as one."""

    def call(
        self, request: Request, *, region: str, lane: Lane, borrow: bool = False, payer: Lane | None = None
    ) -> dict[str, Any]:
        """The `Response` object with its RequestId (the id of the task, for asynchronous writes).

        Raises the classes of `errors`; Throttled with `retry_after_s` when the budget has no token. ValueError: the
        request is not in the table of actions, so that no documented policy would allow it.
        """
        if (request.service, request.action, request.write) not in _LISTED:
            raise ValueError(f"{request.service}:{request.action} is not listed as this kind of action")
        started, code = self.clock(), ""
        retrying = Retrying(
            sleep=self.sleep,
            wait=_WAIT,
            stop=self._stop(started),
            retry=lambda state: _may_repeat(request, state),
            reraise=True,
        )
        try:
            answer: dict[str, Any] = retrying(self._once, request, region, lane, borrow, payer)
            code = "OK"
            return answer
        except Refusal as refusal:
            code = refusal.code
            error = translate(request.action, refusal)
            if is_throttled(refusal.code) and isinstance(error, errors.Throttled):
                # The next token is not there sooner, and others have been told to come before.
                error.retry_after_s = self.limits.come_again(region, request.service, request.action, lane)
            raise error from refusal
        except NoAnswer as silence:
            code = "NoAnswer"
            raise errors.Unavailable(_lost(request, silence)) from None
        finally:
            if code:  # else it had no token, or was not allowed to write
                elapsed = self.clock() - started
                self.on_end(CallRecord(request.service, request.action, region, lane, code, elapsed))

    def _once(self, request: Request, region: str, lane: Lane, borrow: bool, payer: Lane | None) -> dict[str, Any]:
        if request.action == DELETE:
            self.limits.take_deletion(region, ",".join(request.params.get("LoadBalancerIds", ())), lane)
        else:
            self.limits.take(region, request.service, request.action, lane, borrow=borrow, payer=payer)
        if request.write:
            self._ask_guard(request, region)
        started, code, request_id = self.clock(), "OK", ""
        try:
            answer = self.sender.send(request.service, request.action, region, request.params)
            request_id = str(answer.get("RequestId", ""))
            return answer
        except Refusal as refusal:
            code, request_id = refusal.code, refusal.request_id
            self.limits.give_back(region, request.action)
            if is_throttled(code):
                everywhere = code in OF_ALL_REGIONS
                self.limits.slow_down(region, request.service, request.action, sent=started, everywhere=everywhere)
            elif code == DELETE_WINDOW_FULL:
                self.limits.no_deletions(region, DELETE_WINDOW_WAIT_S)
            raise
        except NoAnswer as error:
            code = "NoAnswer"
            if not error.sent:
                self.limits.give_back(region, request.action)
            raise
        finally:
            elapsed = self.clock() - started
            write = request.write
            self.on_call(CallRecord(request.service, request.action, region, lane, code, elapsed, request_id, write))

    def _ask_guard(self, request: Request, region: str) -> None:
        try:
            self.guard()
        except errors.L7lbError:
            self.limits.give_back(region, request.action)
            raise

    def _stop(self, started: float) -> Callable[[RetryCallState], bool]:
        """Give up after `TRIES_MAX`, or when the next wait would end more than `RETRY_S_MAX` after the start."""
        return lambda state: (
            state.attempt_number >= TRIES_MAX or self.clock() - started + state.upcoming_sleep > RETRY_S_MAX
        )


def _may_repeat(request: Request, state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome is not None else None
    if isinstance(error, Refusal):
        # Once: whoever repeats more often turns a shortage of calls into a storm of them.
        return is_throttled(error.code) and state.attempt_number < THROTTLED_TRIES_MAX
    if isinstance(error, NoAnswer):
        return not (request.write and error.sent)
    return False


def _lost(request: Request, error: NoAnswer) -> str:
    if not request.write:
        return str(error)
    return f"{error}; " + ("it may or may not have happened" if error.sent else "it was not sent")
