"""The table of metrics: conventional names and labels, zeros where an alert needs them, nothing twice."""

import re

import pytest
from prometheus_client import Counter, Histogram

from l7lb.telemetry.metrics import CONTROLLER, TABLE, Metrics
from tests.unit.telemetry.exposition import FROM_PYTHON, complaints, filled

CONVENTIONAL = {
    "workqueue_depth": {"name", "priority"},
    "workqueue_adds_total": {"name", "priority"},
    "workqueue_queue_duration_seconds": {"name", "priority"},
    "workqueue_work_duration_seconds": {"name"},
    "workqueue_unfinished_work_seconds": {"name"},
    "workqueue_longest_running_processor_seconds": {"name"},
    "workqueue_retries_total": {"name"},
    "controller_runtime_reconcile_total": {"controller", "result"},
    "controller_runtime_reconcile_errors_total": {"controller"},
    "controller_runtime_terminal_reconcile_errors_total": {"controller"},
    "controller_runtime_reconcile_panics_total": {"controller"},
    "controller_runtime_reconcile_time_seconds": {"controller"},
    "controller_runtime_max_concurrent_reconciles": {"controller"},
    "controller_runtime_active_workers": {"controller"},
    "controller_runtime_webhook_requests_total": {"webhook", "code"},
    "controller_runtime_webhook_latency_seconds": {"webhook"},
    "controller_runtime_webhook_requests_in_flight": {"webhook"},
    "rest_client_requests_total": {"code", "method", "host"},
    "rest_client_request_duration_seconds": {"verb", "host"},
    "leader_election_master_status": {"name"},
}
"""As other controllers have them, so that dashboards made for those work."""


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("1.2.3")


def text(metrics: Metrics) -> str:
    return metrics.render()[1].decode()


def test_conventional_metrics_have_the_conventional_labels() -> None:
    rows = {row.name: set(row.labels) for row in TABLE}
    assert {name: rows.get(name) for name in CONVENTIONAL} == CONVENTIONAL


def test_everything_else_is_ours_by_name() -> None:
    assert [row.name for row in TABLE if row.name not in CONVENTIONAL and not row.name.startswith("l7lb_")] == []


def test_names_are_there_once_and_say_their_unit() -> None:
    names = [row.name for row in TABLE]
    assert len(names) == len(set(names))
    assert [row.name for row in TABLE if (row.kind is Counter) is not row.name.endswith("_total")] == []
    unitless = [row.name for row in TABLE if row.kind is Histogram and not row.name.endswith("_seconds")]
    assert unitless == ["l7lb_reconcile_api_calls"]
    assert [row.name for row in TABLE if not re.fullmatch(r"[A-Z1].*\.", row.help)] == []


def test_a_strict_reader_has_nothing_to_complain_about_from_the_first_moment(metrics: Metrics) -> None:
    assert complaints(text(metrics)) == []


def test_what_alerts_stand_on_is_there_before_it_happens(metrics: Metrics) -> None:
    present = {name for name in filled(text(metrics)) if not name.startswith(FROM_PYTHON)}
    assert {row.name for row in TABLE if row.known} <= present
    assert f'l7lb_unauthorized_plans_total{{controller="{CONTROLLER}"}} 0.0' in text(metrics)
    assert 'l7lb_ingress_condition{condition="Ready",status="False"} 0.0' in text(metrics)
    assert 'l7lb_build_info{version="1.2.3"} 1.0' in text(metrics)


def test_known_labels_fit_their_row() -> None:
    assert [row.name for row in TABLE for labels in row.known if len(labels) != len(row.labels)] == []


def test_each_kind_counts_in_its_own_way(metrics: Metrics) -> None:
    metrics.count("l7lb_plan_steps_total", "CreateRules", by=2)
    metrics.set("l7lb_gate_open", 1, CONTROLLER)
    metrics.add("controller_runtime_active_workers", 3, CONTROLLER)
    metrics.add("controller_runtime_active_workers", -1, CONTROLLER)
    metrics.observe("l7lb_cloud_task_duration_seconds", 0.3, "CreateRules")
    shown = text(metrics)
    assert 'l7lb_plan_steps_total{step="CreateRules"} 2.0' in shown
    assert 'l7lb_gate_open{controller="ingress"} 1.0' in shown
    assert 'controller_runtime_active_workers{controller="ingress"} 2.0' in shown
    assert 'l7lb_cloud_task_duration_seconds_bucket{action="CreateRules",le="0.25"} 0.0' in shown
    assert 'l7lb_cloud_task_duration_seconds_bucket{action="CreateRules",le="0.5"} 1.0' in shown
    assert complaints(shown) == []


def test_gauges_that_are_counted_on_demand_are_fresh_in_every_answer(metrics: Metrics) -> None:
    answers = iter((1.0, 2.0))
    metrics.before_render(lambda: metrics.set("l7lb_gate_open", next(answers), CONTROLLER))
    assert 'l7lb_gate_open{controller="ingress"} 1.0' in text(metrics)
    assert 'l7lb_gate_open{controller="ingress"} 2.0' in text(metrics)


def test_two_processes_in_one_interpreter_do_not_share_a_registry() -> None:
    one, other = Metrics("a"), Metrics("b")
    one.count("l7lb_plans_total", CONTROLLER)
    assert 'l7lb_plans_total{controller="ingress"} 0.0' in text(other)
