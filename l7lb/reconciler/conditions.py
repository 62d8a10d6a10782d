"""The annotation `ingress.cloud.tencent.com/status.conditions`: the durable word to the object's author.

A JSON array in the shape of Kubernetes conditions. Pure: the time is an argument, and text that says the same is kept
as it stands, so that writing it back twice is writing it once.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from l7lb.model.problems import Problem, Severity
from l7lb.model.shapes import json_decoder

MESSAGE_MAX = 1024
MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
"""A time as RFC 3339 writes it: with its zone, so that it is the same one everywhere."""


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


def render(current: str | None, readiness: Readiness, now: float, created: str | None = None) -> str:
    """The annotation's new text; `current` itself when it says the same already.

    `created`: the object's creationTimestamp. Anybody may write the annotation, and alerts go by its time: one that
    cannot be true (no time, before the object was, still to come) is not kept.
    """
    before = ready_of(current)
    status = "True" if readiness.ready else "False"
    message = readiness.message[:MESSAGE_MAX]
    born = _seconds(created) or 0.0
    latest = max(now, born)  # the API server's clock may be ahead of ours; what is written has to stand next time
    since = before.last_transition_time if before is not None and before.status == status else ""
    moment = _seconds(since)
    if moment is None or not born <= moment <= latest:
        since = _rfc3339(latest)
    elif before is not None and (before.reason, before.message) == (readiness.reason, message):
        return current or ""
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


def _seconds(text: str | None) -> float | None:
    """Seconds since 1970; None for what is no time."""
    if not text or MOMENT.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None  # the 31st of February


def _rfc3339(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
