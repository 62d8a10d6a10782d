"""What the machinery and the reconciler tell, as metrics and log lines. Shapes match the protocols of the tellers."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from l7lb.model.cluster import Ingress
from l7lb.model.identity import BindingKey, ObjectKey
from l7lb.model.lane import Lane
from l7lb.model.outcome import Outcome
from l7lb.model.plan import Plan, Step
from l7lb.telemetry.drift import drifted
from l7lb.telemetry.metrics import CONTROLLER, Metrics
from l7lb.telemetry.passes import Passes, Taken

_logger = logging.getLogger("l7lb.reconcile")
_PRIORITY: Final = {
    Lane.CHANGE: "0",
    Lane.REMOVALS: "-10",
    Lane.ENDPOINTS: "-10",
    Lane.ARRIVALS: "-10",
    Lane.VERIFY: "-100",
}

SAID_MAX: Final = 10_000
"""Plans on their way that are remembered. One of an Ingress that was torn away is never told to have ended."""


class QueueCounting:
    """workqueue_*; lanes are told as controller-runtime tells priorities."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def depth(self, lane: Lane, keys: int) -> None:
        """Keys ready in a lane."""
        self._metrics.set("workqueue_depth", keys, CONTROLLER, _PRIORITY[lane])

    def added(self, lane: Lane) -> None:
        """One accepted add."""
        self._metrics.count("workqueue_adds_total", CONTROLLER, _PRIORITY[lane])

    def taken(self, lane: Lane, waited_s: float) -> None:
        """One key handed out."""
        self._metrics.observe("workqueue_queue_duration_seconds", waited_s, CONTROLLER, _PRIORITY[lane])

    def worked(self, seconds: float) -> None:
        """One key given back."""
        self._metrics.observe("workqueue_work_duration_seconds", seconds, CONTROLLER)

    def retried(self) -> None:
        """One rate-limited add."""
        self._metrics.count("workqueue_retries_total", CONTROLLER)


class ControllerCounting:
    """controller_runtime_*; expected waits are counted as `requeue_after`, as controller-runtime does."""

    def __init__(self, metrics: Metrics, workers: int, passes: Passes | None = None) -> None:
        self._metrics = metrics
        self._passes = passes if passes is not None else Passes()
        metrics.set("controller_runtime_max_concurrent_reconciles", workers, CONTROLLER)

    def started(self, taken: Taken) -> None:
        """A worker is busy."""
        self._passes.began(taken)
        self._metrics.add("controller_runtime_active_workers", 1, CONTROLLER)

    def finished(self, result: str, seconds: float, outcome: Outcome | Exception | None) -> None:
        """A worker is free; `result` is one of the controller's results."""
        self._passes.ended(result, outcome)
        self._metrics.add("controller_runtime_active_workers", -1, CONTROLLER)
        self._metrics.observe("controller_runtime_reconcile_time_seconds", seconds, CONTROLLER)
        self._metrics.count("controller_runtime_reconcile_total", CONTROLLER, _RESULTS.get(str(result), "error"))
        for name in _ERRORS.get(str(result), ()):
            self._metrics.count(name, CONTROLLER)


_RESULTS = {"success": "success", "waiting": "requeue_after", "gate": "requeue_after", "lost": "requeue"}
_ERROR = "controller_runtime_reconcile_errors_total"
_ERRORS = {
    "retry": (_ERROR,),
    "terminal": (_ERROR, "controller_runtime_terminal_reconcile_errors_total"),
    "bug": (_ERROR, "controller_runtime_reconcile_panics_total"),
    "unauthorized": (_ERROR, "l7lb_unauthorized_plans_total"),
}


class ReconcileCounting:
    """What the reconciler tells: log lines by phase, and the l7lb_* metrics."""

    def __init__(
        self,
        metrics: Metrics,
        describe: Callable[[Step], str],
        passes: Passes | None = None,
        on_plan: Callable[[BindingKey], None] = lambda _key: None,
    ) -> None:
        """`on_plan` hears of each key for which there is something to do."""
        self._metrics = metrics
        self._passes = passes if passes is not None else Passes()
        self._on_plan = on_plan
        self._describe = describe
        self._lock = threading.Lock()
        self._said: dict[ObjectKey, int] = {}
        self._left_out: dict[BindingKey, int] = {}

    def planned(self, key: BindingKey, ingress: ObjectKey, plan: Plan) -> None:
        """A plan that changes something, step by step; in the log once, however often it has to be made again."""
        self._metrics.count("l7lb_plans_total", CONTROLLER)
        self._on_plan(key)
        steps = [self._describe(step) for step in plan.steps]
        digest = hash(tuple(steps))
        with self._lock:
            is_new = self._said.pop(ingress, None) != digest
            self._said[ingress] = digest
            while len(self._said) > SAID_MAX:
                del self._said[next(iter(self._said))]  # the one that was planned longest ago
        level = logging.INFO if is_new else logging.DEBUG
        _logger.log(level, "planned %d steps", len(steps), extra={"key": key, "ingress": str(ingress), "steps": steps})

    def drifted(self, key: BindingKey, plan: Plan) -> None:
        """A plan that puts right what somebody else has changed."""
        for resource, field in drifted(plan):
            self._metrics.count("l7lb_drift_detected_total", resource, field)
        _logger.warning("drift: %d steps put it right", len(plan.steps), extra={"key": key})

    def left_out(self, key: BindingKey, fields: int) -> None:
        """So many fields of this key's load balancers do not keep what is written, and are left alone for now."""
        with self._lock:
            self._left_out.pop(key, None)
            if fields:
                self._left_out[key] = fields
            total = sum(self._left_out.values())
        self._metrics.set("l7lb_unstable_fields", total, CONTROLLER)

    def performed(self, key: BindingKey, step: Step) -> None:
        """One step that ended well."""
        self._metrics.count("l7lb_plan_steps_total", type(step).__name__)
        words = self._describe(step)
        self._passes.performed(words)
        _logger.debug("performed: %s", words, extra={"key": key})

    def refused(self, key: BindingKey, ingress: ObjectKey, rule: str, message: str) -> None:
        """A plan that was stopped."""
        self._metrics.count("l7lb_plan_blocked_total", rule)
        _logger.warning("refused: %s", message, extra={"key": key, "ingress": str(ingress), "rule": rule})

    def isolated(self, key: BindingKey, step: Step, *, found: bool) -> None:
        """A step that the cloud refused for its content."""
        self._metrics.count("l7lb_refused_steps_total", type(step).__name__, "left_out" if found else "divided")
        word = "left out" if found else "taken apart"
        _logger.warning("refused by the cloud, %s: %s", word, self._describe(step), extra={"key": key})

    def observed(self, source: str) -> None:
        """Where an observation came from."""
        self._metrics.count("l7lb_inventory_reads_total", source)

    def settled(self, ingress: Ingress, ready: bool, deleting: bool) -> None:  # noqa: ARG002 - as all who hear of it
        """A pass has ended: the same plan, made again after it, is another one."""
        with self._lock:
            self._said.pop(ingress.key, None)
