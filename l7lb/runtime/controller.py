"""Workers: take a key, reconcile it, and react to what came back. Nobody else decides about retries.

The reaction table is the one `match` in `Controller._react`. What a key means does not belong here.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from l7lb.errors import (
    AccessDenied,
    AlreadyExists,
    GateClosed,
    LostLeadership,
    Protected,
    QuotaExceeded,
    RetryableError,
    TerminalError,
    Throttled,
    UnauthorizedPlan,
)
from l7lb.model.lane import Lane
from l7lb.model.outcome import Again, Done, Outcome
from l7lb.runtime.clock import Clock
from l7lb.runtime.workqueue import Deadline, Taken, WorkQueue

_logger = logging.getLogger(__name__)

Reconcile = Callable[[str, Lane], Outcome]
OnFailure = Callable[[str, Exception, int], None]
"""key, error, which failure in a row it is (1 = the first). Called on the worker; must not block for long."""


class Result(StrEnum):
    """How a pass is counted."""

    SUCCESS = "success"
    WAITING = "waiting"
    RETRY = "retry"
    TERMINAL = "terminal"
    LOST = "lost"
    GATE = "gate"
    UNAUTHORIZED = "unauthorized"
    """A bug of ours that the ledger has stopped: must stay 0."""
    BUG = "bug"


@dataclass(frozen=True, slots=True)
class Reactions:
    """The numbers of the reaction table, in seconds and failures in a row."""

    resync_s: float = 300.0
    """A quota or a right may be granted without a change of the object; so may a bug of ours be cured by an upgrade."""
    gate_s: float = 300.0
    """Whoever opens the gate queues everything; this is for a gate that opened unseen."""
    lease_s: float = 1.0
    """Renewals that come late are tried each second."""
    throttled_s: float = 1.0
    """Where nobody says when there will be a token."""
    quiet_failures: int = 4
    """So many retryable failures in a row are nobody's business."""


class ControllerMetrics(Protocol):
    """Whoever counts passes, or follows them. Told on the worker."""

    def started(self, taken: Taken) -> None:
        """A worker is busy."""
        ...

    def finished(self, result: Result, seconds: float, outcome: Outcome | Exception | None) -> None:
        """The same worker is free again; `outcome` is None when the pass has torn its thread with it."""
        ...


class NoControllerMetrics:
    """Counts nothing."""

    def started(self, taken: Taken) -> None:
        """Ignore."""

    def finished(self, result: Result, seconds: float, outcome: Outcome | Exception | None) -> None:
        """Ignore."""


def say_nothing(_key: str, _error: Exception, _failures: int) -> None:
    """Report failures to nobody."""


class Controller:
    """Any number of threads may call `run` or `process_next`; the queue keeps a key on one of them."""

    def __init__(
        self,
        queue: WorkQueue,
        reconcile: Reconcile,
        clock: Clock,
        *,
        reactions: Reactions | None = None,
        metrics: ControllerMetrics | None = None,
        on_failure: OnFailure = say_nothing,
    ) -> None:
        self._queue = queue
        self._reconcile = reconcile
        self._clock = clock
        self._reactions = reactions if reactions is not None else Reactions()
        self._metrics: ControllerMetrics = metrics if metrics is not None else NoControllerMetrics()
        self._on_failure = on_failure
        self._failures: dict[str, tuple[str, int]] = {}
        self._lock = threading.Lock()

    def process_next(self) -> Taken | Deadline | None:
        """Work on one key if one is ready, without waiting; else what `WorkQueue.take` says."""
        taken = self._queue.take(self._clock.monotonic())
        if isinstance(taken, Taken):
            self._process(taken)
        return taken

    def run(self) -> None:
        """One worker's life: until the queue is shut down."""
        while (taken := self._queue.get(self._clock)) is not None:
            self._process(taken)

    def stop(self) -> None:
        """Let running passes finish; every `run` returns after its own."""
        self._queue.shut_down()

    def _process(self, taken: Taken) -> None:
        started = self._clock.monotonic()
        self._metrics.started(taken)
        result: Result = Result.BUG
        outcome: Outcome | Exception | None = None
        try:
            outcome = self._attempt(taken)
            result = self._react(taken, outcome)
        finally:
            now = self._clock.monotonic()
            self._metrics.finished(result, now - started, outcome)
            self._queue.done(taken.key, now)

    def _attempt(self, taken: Taken) -> Outcome | Exception:
        try:
            return self._reconcile(taken.key, taken.lane)
        except MemoryError:
            raise  # Nothing is certain any more: the thread dies, and the process with it.
        except Exception as error:  # noqa: BLE001 - a poisoned key must not take the worker with it; _react says it
            return error

    def _react(self, taken: Taken, outcome: Outcome | Exception) -> Result:
        key, lane, queue, now = taken.key, taken.lane, self._queue, self._clock.monotonic()
        match outcome:
            case Done():
                self._forget(key)
                return Result.SUCCESS
            case Again(after_s):
                self._forget(key)
                queue.add_after(key, lane, after_s, now)
                return Result.WAITING
            case Throttled(retry_after_s=after_s):
                # Nothing was sent, or nothing was done: an expected wait for a token, not a failed try.
                _logger.debug("%s: waits for a token: %s", key, outcome)
                queue.add_after(key, lane, after_s or self._reactions.throttled_s, now)
                return Result.WAITING
            case RetryableError(retry_after_s=float() | int() as after_s) if after_s > 0:
                self._retryable(key, outcome)
                queue.add_after(key, lane, after_s, now)
                return Result.RETRY
            case RetryableError() | AlreadyExists():
                self._retryable(key, outcome)
                queue.add_rate_limited(key, lane, now)
                return Result.RETRY
            case QuotaExceeded() | AccessDenied() | Protected():
                self._terminal(key, outcome)
                queue.add_after(key, lane, self._reactions.resync_s, now)
                return Result.TERMINAL
            case TerminalError():
                self._terminal(key, outcome)
                return Result.TERMINAL
            case LostLeadership(for_now=True):
                # The lease is still ours, and its next renewal may well succeed.
                self._forget(key)
                queue.add_after(key, lane, self._reactions.lease_s, now)
                return Result.WAITING
            case LostLeadership():
                _logger.warning("%s: not the leader any more: %s", key, outcome)
                queue.shut_down()
                return Result.LOST
            case GateClosed():
                self._forget(key)
                queue.add_after(key, lane, self._reactions.gate_s, now)
                return Result.GATE
            case UnauthorizedPlan():
                self._bug(key, outcome)
                queue.add_after(key, lane, self._reactions.resync_s, now)
                return Result.UNAUTHORIZED
            case _:
                self._bug(key, outcome)
                queue.add_rate_limited(key, lane, now)
                return Result.BUG

    def _retryable(self, key: str, error: Exception) -> None:
        failures = self._count(key, error)[0]
        _logger.info("%s: try %d failed, will retry: %s", key, failures, error)
        if failures > self._reactions.quiet_failures:
            self._tell(key, error, failures)

    def _terminal(self, key: str, error: TerminalError) -> None:
        self._forget(key)
        _logger.warning("%s: %s: %s", key, error.reason, error)
        self._tell(key, error, 1)

    def _bug(self, key: str, error: Exception) -> None:
        failures, is_new = self._count(key, error)
        _logger.error("%s: internal error: %r", key, error, exc_info=error if is_new else None)
        self._tell(key, error, failures)

    def _count(self, key: str, error: Exception) -> tuple[int, bool]:
        """Failures in a row, and whether this one is of another kind than the last."""
        kind = type(error).__name__
        with self._lock:
            last, failures = self._failures.get(key, ("", 0))
            self._failures[key] = (kind, failures + 1)
        return failures + 1, kind != last

    def _forget(self, key: str) -> None:
        with self._lock:
            self._failures.pop(key, None)
        self._queue.forget(key)

    def _tell(self, key: str, error: Exception, failures: int) -> None:
        try:
            self._on_failure(key, error, failures)
        except MemoryError:
            raise
        except Exception:
            _logger.exception("%s: a failure could not be reported", key)
