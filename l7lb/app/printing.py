"""Plans for people and for programs. Readable without colour; colour only on a terminal."""

from collections.abc import Iterable

import click
import msgspec

from l7lb import planner
from l7lb.app.planning import PLACEHOLDER, Finding
from l7lb.model.plan import (
    AddTags,
    CreateListeners,
    CreateLoadBalancer,
    CreateRules,
    DeleteListeners,
    DeleteLoadBalancer,
    DeleteRules,
    DeregisterTargets,
    RegisterTargets,
    RemoveTags,
    Step,
)
from l7lb.model.writing import EventType

_ADDS = (CreateLoadBalancer, CreateListeners, CreateRules, RegisterTargets, AddTags)
_TAKES = (DeleteLoadBalancer, DeleteListeners, DeleteRules, DeregisterTargets, RemoveTags)


def as_json(findings: Iterable[Finding]) -> str:
    """A JSON array, one object an Ingress."""
    return msgspec.json.format(msgspec.json.encode([finding.as_json() for finding in findings])).decode() + "\n"


def as_text(findings: tuple[Finding, ...], *, offline: bool) -> str:
    """One block an Ingress, one line a step, and a count at the end."""
    lines = [line for finding in findings for line in _block(finding)]
    steps = sum(len(finding.plan.steps) for finding in findings)
    errors = sum(bool(finding.error) for finding in findings)
    lines.append(f"{len(findings)} Ingresses: {steps} steps" + (f", {errors} could not be planned" if errors else ""))
    if offline:
        lines.append(click.style(f"offline: {PLACEHOLDER}", dim=True))
    return "\n".join(lines) + "\n"


def _block(finding: Finding) -> Iterable[str]:
    yield click.style(f"Ingress {finding.ingress}", bold=True)
    yield from (f"  {_sign(step)} {planner.describe(step)}" for step in finding.plan.steps)
    told = [note.message for note in finding.notes if note.type is EventType.WARNING]
    yield from (click.style(f"  ! {message}", fg="yellow") for message in told)
    if finding.error and not any(finding.error in message for message in told):
        yield click.style(f"  ! {finding.error}", fg="red")
    if not (finding.plan or finding.error or told):
        yield "  nothing to do"


def _sign(step: Step) -> str:
    if isinstance(step, _ADDS):
        return click.style("+", fg="green")
    if isinstance(step, _TAKES):
        return click.style("-", fg="red")
    return click.style("~", fg="yellow")
