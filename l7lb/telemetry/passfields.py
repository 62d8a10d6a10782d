"""What is said of a pass and of a phase, by name: log lines and spans take the same fields from here.

`FIELDS` is what the docs page is made from. A value that is empty is not said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from l7lb.model.phases import Call, Pass, Phase, TaskEnd

Value: TypeAlias = str | int | float | list[str]


@dataclass(frozen=True, slots=True)
class Field:
    """One field, and where it is found."""

    name: str
    where: str
    """In which lines."""
    help: str
    span: bool = True
    """Whether spans have it too, as `l7lb.<name>`."""


ALWAYS: Final = "every line"
NAMES: Final = "each line of a pass"
WHOLE: Final = "a pass"
PART: Final = "a phase"

FIELDS: Final = (
    Field("time", ALWAYS, "When the line was written, UTC.", span=False),
    Field("level", ALWAYS, "`debug`, `info`, `warning`, `error` or `critical`.", span=False),
    Field("logger", ALWAYS, "Which part of l7lb speaks. Passes and their phases: `l7lb.pass`.", span=False),
    Field("message", ALWAYS, "The same for people.", span=False),
    Field("exception", ALWAYS, "The traceback, where there is one: a bug.", span=False),
    Field("reconcile_id", NAMES, "The pass: 16 hexadecimal digits, and the id of its trace."),
    Field("key", NAMES, "What the pass is about: `new/<UID of the Ingress>` or `lb/<region>/<id>`."),
    Field("ingress", NAMES, "`namespace/name`; several of a group, or of one key, joined by commas."),
    Field("load_balancer", NAMES, "Its id, once it is known."),
    Field("lane", WHOLE, "Why: `change`, `endpoints`, `removals`, `arrivals` or `verify`."),
    Field("result", WHOLE, "How it ended: `success`, `waiting`, `retry`, `terminal`, `gate`, `lost`, `bug`."),
    Field("error", WHOLE, "The class of the error that it ended in."),
    Field("reason", WHOLE, "What the error says, or what is waited for."),
    Field("again_s", WHOLE, "After so many seconds it is looked at again, where the pass says so itself."),
    Field("sent", WHOLE, "Steps that were sent to the cloud, in words."),
    Field("performed", WHOLE, "Steps that have ended well, in words."),
    Field("request_ids", WHOLE, "Action and RequestId of each write, and of each request that was refused."),
    Field("calls", WHOLE, "Requests to the cloud."),
    Field("left_out", WHOLE, "So many phases were too many to be kept."),
    Field("queue_s", WHOLE, "Seconds between being ready and being taken by a worker."),
    Field("phases", WHOLE, "Seconds by phase. `call` lies within the others.", span=False),
    Field("seconds", f"{WHOLE}, {PART}", "How long it took.", span=False),
    Field("phase", PART, "Which one; the list is below.", span=False),
    Field("service", PART, "Of a call: `clb`, `tag`, `ssl`, `cvm`, `vpc`, `sts` or `kubernetes`."),
    Field("action", PART, "Of a call: the API's action, or the HTTP method."),
    Field("code", PART, "Of a call: `OK`, the code of the refusal, an HTTP status, or `NoAnswer`."),
    Field("region", PART, "Of a call to the cloud."),
    Field("request_id", PART, "Of a call to the cloud: its RequestId."),
    Field("task", PART, "Id of a task that has ended; the RequestId of the call that began it."),
    Field("step", PART, "Of a task: which kind of step it was."),
    Field("status", PART, "Of a task: `succeeded`, `failed` or `unknown`."),
    Field("begun_by", PART, "Of a task: the pass that had sent the step; its span is linked."),
)


def of_phase(phase: Phase) -> dict[str, Value]:
    """What is said of one phase, beside its name and length."""
    match phase.detail:
        case Call(service, action, code, region, request_id):
            found = {"service": service, "action": action, "code": code, "region": region, "request_id": request_id}
        case TaskEnd(task, step, status, pass_id):
            found = {"task": task, "step": step, "status": status, "begun_by": pass_id}
        case None:
            found = {}
    return _said(found)


def about(phase: Phase) -> dict[str, Value]:
    """Whom a phase is about."""
    return _said({"ingress": phase.ingress, "load_balancer": phase.load_balancer})


def of_pass(done: Pass) -> dict[str, Value]:
    """What is said of a whole pass, beside its length."""
    return _said(
        {
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
            "calls": done.calls,
            "left_out": done.left_out or None,
        }
    )


def words(phase: Phase) -> str:
    """A phase for people: few different ones, so that it names a span too."""
    match phase.detail:
        case Call(service, action):
            return f"{service} {action}"
        case TaskEnd(_, step):
            return f"task {step}"
        case None:
            return str(phase.stage)


def _writes(done: Pass) -> list[str]:
    """What the cloud calls the writes of this pass, and the requests that it refused."""
    calls = (phase.detail for phase in done.phases if isinstance(phase.detail, Call))
    return [f"{one.action} {one.request_id}" for one in calls if one.request_id and (one.write or one.code != "OK")]


def _said(found: Mapping[str, Value | None]) -> dict[str, Value]:
    return {name: value for name, value in found.items() if value is not None and value not in ("", [])}
