"""How an Ingress stands, from what is written on it: the controller's durable word, taken apart for people. Pure."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from l7lb.model.branches import Mark
from l7lb.model.cluster import Ingress
from l7lb.model.codes import CODES
from l7lb.model.identity import CloudRef, LoadBalancerId, ObjectKey
from l7lb.model.marks import CONDITIONS, LOAD_BALANCER_ID
from l7lb.model.ownership import Record
from l7lb.model.portrait import Member, Trouble
from l7lb.model.problems import Problem, Severity
from l7lb.reconciler.conditions import READY, Condition, ready_of

_SEVERAL = re.compile(r"; (?=[EW]\d{4}: )")
_CODED = re.compile(r"([EW]\d{4}): (.*)", re.DOTALL)
_WORD = re.compile(r"\w+")
_ON_THE_WAY: Final = frozenset({"Creating", "Deleting"})
"""Reasons of a condition that is false for now and not for good."""
SEVERITY: Final = {mark: number for number, mark in enumerate(Mark)}
"""The worst is the least."""


def worst(marks: Iterable[Mark], otherwise: Mark = Mark.OK) -> Mark:
    """The one to show where there is room for one."""
    return min(marks, key=SEVERITY.__getitem__, default=otherwise)


def member_of(ingress: Ingress, record: Record | None, home: str) -> Member:
    """From the object alone. `home`: the region of the cluster."""
    condition = ready_of(ingress.annotations.get(CONDITIONS))
    mark, says = _stands(ingress, condition)
    return Member(
        key=ingress.key,
        mark=mark,
        says=says,
        ref=ref_of(ingress, record, home),
        hosts=hosts_of(ingress),
        addresses=tuple(one.ip or one.hostname or "" for one in ingress.addresses),
        since=when(condition.last_transition_time) if condition is not None else None,
        deleting=ingress.deleting,
    )


def ref_of(ingress: Ingress, record: Record | None, home: str) -> CloudRef | None:
    """The load balancer that it uses, as its record says, else as we have noted on it."""
    if record is not None and record.lb:
        return CloudRef(record.region or home, LoadBalancerId(record.lb))
    noted = ingress.annotations.get(LOAD_BALANCER_ID, "")
    return CloudRef(home, LoadBalancerId(noted)) if noted and record is not None else None


def hosts_of(ingress: Ingress) -> tuple[str, ...]:
    """Each once, in the order of the Ingress; an empty one stands for "any"."""
    return tuple(dict.fromkeys(rule.host or "" for rule in ingress.spec.rules or ()))


def troubles_of(ingress: Ingress) -> tuple[Trouble, ...]:
    """What its condition complains about, piece by piece."""
    condition = ready_of(ingress.annotations.get(CONDITIONS))
    if condition is None:
        return ()
    message = condition.message
    if condition.status == "True":
        rest = message.removeprefix(READY.message).removeprefix("; ")
        pieces = _SEVERAL.split(rest) if rest and rest != message else []
        return tuple(_trouble(ingress.key, Mark.WARNING, "", piece, condition) for piece in pieces)
    if condition.reason in _ON_THE_WAY:
        return ()
    return tuple(
        _trouble(ingress.key, Mark.BAD, condition.reason if number == 0 else "", piece, condition)
        for number, piece in enumerate(_SEVERAL.split(message))
    )


def told(ingress: ObjectKey, problem: Problem) -> Trouble:
    """A finding of the translation."""
    mark = Mark.BAD if problem.severity is Severity.ERROR else Mark.WARNING
    said = advice(problem.code, problem.message)
    return Trouble(ingress, mark, problem.reason, problem.message, problem.code, advice=said)


def advice(code: str, message: str) -> str:
    """What the table of codes advises; empty: it has no such row, or the message says as much."""
    row = CODES.get(code)
    cure = row.cure.replace("`", "") if row is not None else ""
    return "" if set(_WORD.findall(cure.lower())) <= set(_WORD.findall(message.lower())) else cure


def when(text: str | None) -> float | None:
    """A time as Kubernetes writes it; None where it is none."""
    try:
        return datetime.fromisoformat(text or "").timestamp()
    except (ValueError, OverflowError):
        return None


def _stands(ingress: Ingress, condition: Condition | None) -> tuple[Mark, str]:
    if ingress.deleting:
        return Mark.WAITING, "is being deleted"
    if condition is None:
        return Mark.UNKNOWN, "nothing has been said about it yet"
    if condition.status == "True":
        extra = condition.message.removeprefix(READY.message).removeprefix("; ")
        return (Mark.WARNING, extra) if extra and extra != condition.message else (Mark.OK, condition.message)
    on_the_way = condition.reason in _ON_THE_WAY
    return Mark.WAITING if on_the_way else Mark.BAD, condition.message or condition.reason


def _trouble(about: ObjectKey, mark: Mark, reason: str, piece: str, condition: Condition) -> Trouble:
    coded = _CODED.fullmatch(piece)
    code, message = (coded[1], coded[2]) if coded is not None else ("", piece)
    row = CODES.get(code)
    word = reason or (row.reasons[0] if row is not None and row.reasons else "")
    since = when(condition.last_transition_time)
    return Trouble(about, mark, word, message, code, since, advice(code, message))
