"""Passes and their phases as log lines: one at `info` for a pass that changes something, the phases at `debug`.

A pass that fails has said so in a line of its own, with its error; here it is `debug` unless it has changed something.
"""

import logging
from typing import Final

from l7lb.model.phases import Call, Pass, Phase, Stage, TaskEnd

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
        fields = {"phase": str(phase.stage), "seconds": round(phase.seconds, DIGITS)} | _detail(phase)
        _logger.debug("%s", _words(phase), extra=fields)

    def passed(self, done: Pass) -> None:
        """One line for the whole pass."""
        level = logging.INFO if done.changed else logging.DEBUG
        if _logger.isEnabledFor(level):
            _logger.log(level, "%s", _summary(done), extra=_fields(done))


def _words(phase: Phase) -> str:
    match phase.detail:
        case Call(service, action, code):
            return f"{service} {action}: {code}"
        case TaskEnd(_, step, status):
            return f"task of {step}: {status}"
        case None:
            return str(phase.stage)


def _detail(phase: Phase) -> dict[str, object]:
    match phase.detail:
        case Call(service, action, code, region, request_id):
            found = {"service": service, "action": action, "code": code, "region": region, "request_id": request_id}
            return {name: value for name, value in found.items() if value}
        case TaskEnd(task, step, status, pass_id):
            found = {"task": task, "step": step, "status": status, "begun_by": pass_id}
            return {name: value for name, value in found.items() if value}
        case None:
            return {}


def _summary(done: Pass) -> str:
    did = f"{len(done.performed)} steps performed, {len(done.sent)} sent"
    return f"pass: {did if done.changed else 'nothing changed'}; {done.error or done.reason or done.result}"


def _fields(done: Pass) -> dict[str, object]:
    fields: dict[str, object] = {
        "reconcile_id": done.id,
        "key": done.key,
        "ingress": done.ingress,
        "load_balancer": done.load_balancer,
        "lane": done.lane,
        "result": done.result,
        "error": done.error,
        "reason": done.reason,
        "again_s": done.again_s,
        "sent": list(done.sent),
        "performed": list(done.performed),
        "request_ids": _writes(done),
    }
    told: dict[str, object] = {name: value for name, value in fields.items() if value not in ("", None, [])}
    told |= {"calls": done.calls, "queue_s": round(done.queued_s, DIGITS), "seconds": round(done.seconds, DIGITS)}
    return told | {"phases": _sums(done)}


def _writes(done: Pass) -> list[str]:
    """What the cloud calls the writes of this pass, and the requests that it refused."""
    calls = [phase.detail for phase in done.phases if isinstance(phase.detail, Call)]
    return [
        f"{call.action} {call.request_id}" for call in calls if call.request_id and (call.write or call.code != "OK")
    ]


def _sums(done: Pass) -> dict[str, float]:
    """Seconds by phase, but for the time in the queue, and of tasks, which no worker has spent."""
    sums: dict[str, float] = {}
    for phase in done.phases:
        if phase.stage not in (Stage.QUEUE, Stage.TASK):
            sums[str(phase.stage)] = sums.get(str(phase.stage), 0.0) + phase.seconds
    return {name: round(seconds, DIGITS) for name, seconds in sums.items()}
