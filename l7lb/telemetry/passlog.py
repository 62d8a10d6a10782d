"""Passes and their phases as log lines: one at `info` for a pass that changes something, the phases at `debug`.

A pass that fails has said so in a line of its own, with its error; here it is `debug` unless it has changed something.
"""

import logging
from typing import Final

from l7lb.model.phases import Call, Pass, Phase, Stage, TaskEnd
from l7lb.telemetry.passfields import about, of_pass, of_phase, words

_logger = logging.getLogger("l7lb.pass")
DIGITS: Final = 4
"""Of seconds, behind the point."""


class PassLog:
    """Observes passes."""

    def phase(self, phase: Phase, pass_id: str) -> None:
        """One line, for whoever looks closely. Requests to the API server outside of passes are left out: too many."""
        if not _logger.isEnabledFor(logging.DEBUG):
            return
        if not pass_id and isinstance(phase.detail, Call) and not phase.detail.region:
            return
        fields = {"phase": str(phase.stage), "seconds": round(phase.seconds, DIGITS)} | about(phase) | of_phase(phase)
        _logger.debug("%s", _line(phase), extra=fields)

    def passed(self, done: Pass) -> None:
        """One line for the whole pass."""
        level = logging.INFO if done.changed else logging.DEBUG
        if _logger.isEnabledFor(level):
            times = {"queue_s": round(done.queued_s, DIGITS), "seconds": round(done.seconds, DIGITS)}
            _logger.log(level, "%s", _summary(done), extra=of_pass(done) | times | {"phases": _sums(done)})


def _line(phase: Phase) -> str:
    match phase.detail:
        case Call(code=end) | TaskEnd(status=end):
            return f"{words(phase)}: {end}"
        case None:
            return words(phase)


def _summary(done: Pass) -> str:
    did = f"{len(done.performed)} steps performed, {len(done.sent)} sent"
    return f"pass: {did if done.changed else 'nothing changed'}; {done.error or done.reason or done.result}"


def _sums(done: Pass) -> dict[str, float]:
    """Seconds by phase, but for the time in the queue, and of tasks, which no worker has spent."""
    sums: dict[str, float] = {}
    for phase in done.phases:
        if phase.stage not in (Stage.QUEUE, Stage.TASK):
            sums[str(phase.stage)] = sums.get(str(phase.stage), 0.0) + phase.seconds
    return {name: round(seconds, DIGITS) for name, seconds in sums.items()}
