"""What the machinery and the reconciler tell, as numbers and log lines."""

import logging

import msgspec
import pytest

from l7lb import planner
from l7lb.model.cluster import Ingress
from l7lb.model.identity import BindingKey, ListenerKey, ObjectKey
from l7lb.model.lane import Lane
from l7lb.model.plan import AddTags, DeleteListeners, Plan
from l7lb.runtime.controller import Result
from l7lb.runtime.reflector import Reason
from l7lb.runtime.workqueue import Taken
from l7lb.telemetry import counting as counting_module
from l7lb.telemetry.counting import ControllerCounting, QueueCounting, ReconcileCounting
from l7lb.telemetry.informing import InformerCounting
from l7lb.telemetry.metrics import CONTROLLER, Metrics
from tests.unit.translator.builders import ingress

KEY = BindingKey("new/uid-1")
SHOP = ObjectKey("shop", "web")
TAGGING = Plan((AddTags((("a", "b"),)),))


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("test")


def value(metrics: Metrics, name: str, /, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


@pytest.mark.parametrize(
    ("result", "counted_as", "errors"),
    [
        (Result.SUCCESS, "success", set()),
        (Result.WAITING, "requeue_after", set()),
        (Result.GATE, "requeue_after", set()),
        (Result.LOST, "requeue", set()),
        (Result.RETRY, "error", {"controller_runtime_reconcile_errors_total"}),
        (
            Result.TERMINAL,
            "error",
            {"controller_runtime_reconcile_errors_total", "controller_runtime_terminal_reconcile_errors_total"},
        ),
        (
            Result.BUG,
            "error",
            {"controller_runtime_reconcile_errors_total", "controller_runtime_reconcile_panics_total"},
        ),
        (Result.UNAUTHORIZED, "error", {"controller_runtime_reconcile_errors_total", "l7lb_unauthorized_plans_total"}),
    ],
)
def test_a_pass_is_counted_by_its_result_and_an_expected_wait_is_no_error(
    metrics: Metrics, result: Result, counted_as: str, errors: set[str]
) -> None:
    counting = ControllerCounting(metrics, workers=4)
    counting.started(Taken("k", Lane.CHANGE))
    assert value(metrics, "controller_runtime_active_workers", controller=CONTROLLER) == 1
    counting.finished(result, 0.2, None)
    assert value(metrics, "controller_runtime_active_workers", controller=CONTROLLER) == 0
    assert value(metrics, "controller_runtime_max_concurrent_reconciles", controller=CONTROLLER) == 4
    results = ("success", "error", "requeue", "requeue_after")
    found = {
        one: value(metrics, "controller_runtime_reconcile_total", controller=CONTROLLER, result=one) for one in results
    }
    assert {one for one, count in found.items() if count} == {counted_as}
    counters = (
        "controller_runtime_reconcile_errors_total", "controller_runtime_terminal_reconcile_errors_total",
        "controller_runtime_reconcile_panics_total", "l7lb_unauthorized_plans_total",
    )  # fmt: skip
    assert {name for name in counters if value(metrics, name, controller=CONTROLLER)} == errors


def test_every_result_is_known() -> None:
    metrics = Metrics("test")
    counting = ControllerCounting(metrics, workers=1)
    for result in Result:
        counting.started(Taken("k", Lane.CHANGE))
        counting.finished(result, 0.0, None)
    total = sum(
        value(metrics, "controller_runtime_reconcile_total", controller=CONTROLLER, result=one) or 0
        for one in ("success", "error", "requeue", "requeue_after")
    )
    assert total == len(Result)


@pytest.mark.parametrize(("lane", "priority"), [(Lane.CHANGE, "0"), (Lane.ENDPOINTS, "-10"), (Lane.VERIFY, "-100")])
def test_lanes_are_shown_as_priorities(metrics: Metrics, lane: Lane, priority: str) -> None:
    counting = QueueCounting(metrics)
    counting.depth(lane, 3)
    counting.added(lane)
    counting.taken(lane, 0.1)
    assert value(metrics, "workqueue_depth", name=CONTROLLER, priority=priority) == 3
    assert value(metrics, "workqueue_adds_total", name=CONTROLLER, priority=priority) == 1
    assert value(metrics, "workqueue_queue_duration_seconds_count", name=CONTROLLER, priority=priority) == 1


def test_work_and_retries_are_counted(metrics: Metrics) -> None:
    counting = QueueCounting(metrics)
    counting.worked(0.1)
    counting.retried()
    assert value(metrics, "workqueue_work_duration_seconds_count", name=CONTROLLER) == 1
    assert value(metrics, "workqueue_retries_total", name=CONTROLLER) == 1


class TestReconcile:
    """The reconciler's own words."""

    def test_a_plan_is_logged_step_by_step(self, metrics: Metrics, caplog: pytest.LogCaptureFixture) -> None:
        counting = ReconcileCounting(metrics, planner.describe)
        with caplog.at_level(logging.INFO, "l7lb.reconcile"):
            counting.planned(KEY, SHOP, TAGGING)
        (record,) = caplog.records
        assert vars(record)["steps"] == ["set tags a=b"]
        assert vars(record)["ingress"] == "shop/web"

    def test_the_same_plan_made_again_is_counted_and_not_said(
        self, metrics: Metrics, caplog: pytest.LogCaptureFixture
    ) -> None:
        counting = ReconcileCounting(metrics, planner.describe)
        with caplog.at_level(logging.INFO, "l7lb.reconcile"):
            for _ in range(3):
                counting.planned(KEY, SHOP, TAGGING)
            counting.planned(KEY, SHOP, Plan((DeleteListeners((ListenerKey("HTTP", 80),)),)))
            counting.settled(_of(SHOP), ready=True, deleting=False)
            counting.planned(KEY, SHOP, TAGGING)
        assert len(caplog.records) == 3
        assert value(metrics, "l7lb_plans_total", controller=CONTROLLER) == 5

    def test_ingresses_that_are_torn_away_before_their_plan_has_ended_are_forgotten_in_the_end(
        self, metrics: Metrics, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(counting_module, "SAID_MAX", 50)
        counting = ReconcileCounting(metrics, planner.describe)
        with caplog.at_level(logging.INFO, "l7lb.reconcile"):
            counting.planned(KEY, SHOP, TAGGING)
            for number in range(50):
                counting.planned(BindingKey(f"new/{number}"), ObjectKey("shop", f"torn-{number}"), TAGGING)
                counting.planned(KEY, SHOP, TAGGING)
            assert len(caplog.records) == 51, "what is planned all the time is not forgotten"
            counting.planned(BindingKey("new/0"), ObjectKey("shop", "torn-0"), TAGGING)
        assert len(caplog.records) == 52

    def test_drift_is_counted_by_resource_and_field(self, metrics: Metrics) -> None:
        counting = ReconcileCounting(metrics, planner.describe)
        counting.planned(KEY, SHOP, TAGGING)
        assert value(metrics, "l7lb_drift_detected_total", resource="load_balancer", field="tags") is None
        counting.drifted(KEY, TAGGING)
        assert value(metrics, "l7lb_drift_detected_total", resource="load_balancer", field="tags") == 1

    def test_refused_parts_of_steps_are_counted_by_whether_they_were_found(self, metrics: Metrics) -> None:
        counting = ReconcileCounting(metrics, planner.describe)
        counting.isolated(KEY, TAGGING.steps[0], found=False)
        counting.isolated(KEY, TAGGING.steps[0], found=True)
        found = {
            sample.labels["result"]: sample.value
            for family in metrics.registry.collect()
            for sample in family.samples
            if sample.name == "l7lb_refused_steps_total" and sample.labels["step"] == "AddTags"
        }
        assert len(found) == 2
        assert set(found.values()) == {1}

    def test_fields_that_do_not_hold_are_counted_for_as_long_as_they_are_left_alone(self, metrics: Metrics) -> None:
        counting = ReconcileCounting(metrics, planner.describe)
        counting.left_out(KEY, 2)
        counting.left_out(BindingKey("new/other"), 1)
        assert value(metrics, "l7lb_unstable_fields", controller=CONTROLLER) == 3
        counting.left_out(KEY, 0)
        assert value(metrics, "l7lb_unstable_fields", controller=CONTROLLER) == 1

    def test_steps_refusals_and_observations_are_counted(self, metrics: Metrics) -> None:
        counting = ReconcileCounting(metrics, planner.describe)
        counting.performed(KEY, AddTags((("a", "b"),)))
        counting.refused(KEY, SHOP, "TooManyRules", "no")
        counting.observed("cache")
        assert value(metrics, "l7lb_plan_steps_total", step="AddTags") == 1
        assert value(metrics, "l7lb_plan_blocked_total", rule="TooManyRules") == 1
        assert value(metrics, "l7lb_inventory_reads_total", source="cache") == 1


def _of(key: ObjectKey) -> Ingress:
    one = ingress()
    return msgspec.structs.replace(one, metadata=msgspec.structs.replace(one.metadata, name=key.name))


def test_informers_are_counted_by_kind_and_never_by_object(metrics: Metrics) -> None:
    counting = InformerCounting(metrics)
    counting.listed("Secret shop/cert", Reason.START, 1)
    counting.changed("Secret shop/cert")
    counting.failed("Secret shop/cert", "Unavailable")
    counting.quarantined("Secret shop/cert")
    counting.handler_failed("Ingress")
    assert value(metrics, "l7lb_informer_lists_total", kind="Secret", reason="start") == 1
    assert value(metrics, "l7lb_informer_events_total", kind="Secret") == 1
    assert value(metrics, "l7lb_informer_failures_total", kind="Secret", error="Unavailable") == 1
    assert value(metrics, "l7lb_informer_failures_total", kind="Ingress", error="handler") == 1
    assert value(metrics, "l7lb_informer_quarantined_total", kind="Secret") == 1
