"""Passes as numbers: stages by their length, requests to the cloud by whether one of them wrote."""

import pytest

from l7lb.model.phases import STEADY, Call, Pass, Phase, Stage
from l7lb.telemetry.metrics import TABLE, Metrics
from l7lb.telemetry.pass_metrics import MEASURED, PassMetrics

READ = Call("clb", "DescribeListeners", "OK", "ap-guangzhou", "r-1")
WRITE = Call("clb", "CreateRule", "LimitExceeded", "ap-guangzhou", "r-2", write=True)
PATCH = Call("kubernetes", "PATCH", "200", write=True)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("test")


def made(*calls: Call) -> Pass:
    phases = tuple(Phase(Stage.CALL, 0.0, 0.1, detail=call) for call in calls)
    return Pass("id", "key", "change", 0.0, 0.0, 0.0, 1.0, "success", phases)


def shown(metrics: Metrics, name: str, **labels: str) -> tuple[float | None, float | None]:
    """How often, and how much in all."""
    value = metrics.registry.get_sample_value
    return value(f"{name}_count", labels), value(f"{name}_sum", labels)


@pytest.mark.parametrize(
    ("calls", "noop", "change"),
    [
        ((), (1, 0), (0, 0)),
        ((READ, READ), (1, 2), (0, 0)),
        ((READ, WRITE), (0, 0), (1, 2)),
        ((READ, PATCH), (1, 1), (0, 0)),
    ],
    ids=["none", "reads", "a refused write", "a write to the cluster alone"],
)
def test_requests_to_the_cloud_are_counted_by_pass(
    metrics: Metrics, calls: tuple[Call, ...], noop: tuple[float, float], change: tuple[float, float]
) -> None:
    PassMetrics(metrics).passed(made(*calls))
    assert shown(metrics, "l7lb_reconcile_api_calls", outcome="noop") == noop
    assert shown(metrics, "l7lb_reconcile_api_calls", outcome="change") == change


@pytest.mark.parametrize("stage", Stage)
def test_stages_are_measured_and_single_calls_are_not(metrics: Metrics, stage: Stage) -> None:
    PassMetrics(metrics).phase(Phase(stage, 10.0, 2.5), "id")
    expected = (None, None) if stage is Stage.CALL else (1, 2.5)
    assert shown(metrics, "l7lb_reconcile_stage_duration_seconds", stage=stage.value) == expected


def test_every_stage_is_there_from_the_start() -> None:
    row = next(row for row in TABLE if row.name == "l7lb_reconcile_stage_duration_seconds")
    assert {labels[0] for labels in row.known} == {stage.value for stage in MEASURED}
    assert STEADY < MEASURED
