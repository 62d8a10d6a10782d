"""Passes as metrics: how long each stage took, and how many requests to the cloud one pass has made."""

from typing import Final

from l7lb.model.phases import STEADY, Call, Pass, Phase, Stage
from l7lb.telemetry.metrics import Metrics

MEASURED: Final = STEADY | {Stage.QUEUE, Stage.TASK}
"""Single calls have metrics of their own, also those outside of passes."""


class PassMetrics:
    """An observer of passes."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def phase(self, phase: Phase, pass_id: str) -> None:  # noqa: ARG002 - the protocol's shape
        """One stretch of time."""
        if phase.stage in MEASURED:
            self._metrics.observe("l7lb_reconcile_stage_duration_seconds", phase.seconds, phase.stage.value)

    def passed(self, done: Pass) -> None:
        """One pass. One with a write is told apart, whatever came of the write."""
        wrote = any(isinstance(one.detail, Call) and one.detail.region and one.detail.write for one in done.phases)
        self._metrics.observe("l7lb_reconcile_api_calls", done.calls, "change" if wrote else "noop")
