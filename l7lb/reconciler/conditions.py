"""The annotation `ingress.cloud.tencent.com/status.conditions`: the durable word to the object's author.

A JSON array in the shape of Kubernetes conditions. Pure: the time is an argument, and text that says the same is kept
as it stands, so that writing it back twice is writing it once.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from l7lb.model.problems import Problem, Severity
from l7lb.model.shapes import json_decoder

MESSAGE_MAX = 1024


class Condition(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One entry; `lastTransitionTime` is when `status` took its value."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: str = ""


@dataclass(frozen=True, slots=True)
class Readiness:
    """How an Ingress stands: what becomes its Ready condition."""

    ready: bool
    reason: str
    message: str


READY = Readiness(True, "Ensured", "the load balancer is as the Ingress asks")


def readiness(problems: tuple[Problem, ...], fallback: Readiness = READY) -> Readiness:
    """Not ready with the first error; all messages, so that nothing has to be guessed."""
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    if not errors:
        warnings = "; ".join(told(problem) for problem in problems)
        if warnings and fallback.ready:
            return Readiness(True, fallback.reason, f"{fallback.message}; {warnings}")
        return fallback
    first = errors[0]
    return Readiness(False, first.reason or first.code, "; ".join(told(problem) for problem in errors))


def told(problem: Problem) -> str:
    """`E4041: Service shop/web ...`."""
    return f"{problem.code}: {problem.message}" if problem.code else problem.message


def render(current: str | None, readiness: Readiness, now: float) -> str:
    """The annotation's new text; `current` itself when it says the same already."""
    before = ready_of(current)
    status = "True" if readiness.ready else "False"
    message = readiness.message[:MESSAGE_MAX]
    if before is not None and (before.status, before.reason, before.message) == (status, readiness.reason, message):
        return current or ""
    since = before.last_transition_time if before is not None and before.status == status else _rfc3339(now)
    condition = Condition("Ready", status, readiness.reason, message, since)
    return msgspec.json.encode([condition]).decode()


def ready_of(text: str | None) -> Condition | None:
    """The Ready condition in the annotation; None when it cannot be read or has none."""
    if not text:
        return None
    try:
        conditions = json_decoder(list[Condition]).decode(text)
    except (ValueError, RecursionError):
        return None  # anybody may write there: no JSON, text that is no Unicode, nesting without end
    return next((condition for condition in conditions if condition.type == "Ready"), None)


def _rfc3339(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
