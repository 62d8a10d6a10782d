"""Plans for people and for programs, and what a code means. Readable without colour; colour only on a terminal."""

from collections.abc import Iterable

import click
import msgspec

from l7lb import planner
from l7lb.app.dry import Finding
from l7lb.app.manifests import PLACEHOLDER
from l7lb.model.codes import Row
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
from l7lb.model.redirecting import CreateRedirects, DeleteRedirects, MirrorHosts

_ADDS = (CreateLoadBalancer, CreateListeners, CreateRules, RegisterTargets, AddTags, MirrorHosts, CreateRedirects)
_TAKES = (DeleteLoadBalancer, DeleteListeners, DeleteRules, DeregisterTargets, RemoveTags, DeleteRedirects)


def as_json(findings: Iterable[Finding]) -> str:
    """A JSON array, one object an Ingress."""
    return msgspec.json.format(msgspec.json.encode([finding.as_json() for finding in findings])).decode() + "\n"


def as_text(findings: tuple[Finding, ...], *, offline: bool = False, blocked: str = "") -> str:
    """One block an Ingress, one line a step, and a count at the end. `blocked`: why `run` would not write."""
    lines = [line for finding in findings for line in _block(finding)]
    steps = sum(len(finding.plan.steps) for finding in findings)
    failures = sum(finding.failed for finding in findings)
    told = f"{_count(len(findings), 'Ingress', 'es')}: {_count(steps, 'step', 's')}"
    lines.append(told + (f", {failures} failed" if failures else ""))
    if blocked:
        lines.append(click.style(would_not_write(blocked), fg="yellow"))
    if offline:
        lines.append(click.style(f"offline: {PLACEHOLDER}", dim=True))
    return "\n".join(lines) + "\n"


def explanation(row: Row) -> str:
    """What a code of TKE's means, in lines."""
    lines = [f"{row.code}: {row.says}", f"What to do: {row.cure}"]
    if row.unmet:
        return "\n".join((*lines, f"Never told by l7lb: {row.unmet}")) + "\n"
    return "\n".join((*lines, f"Holds at most: {row.held.value}", f"Next try: {row.retry.value}")) + "\n"


def would_not_write(reason: str) -> str:
    """The note about a closed gate."""
    return f"run would not write: {reason}"


def _count(number: int, noun: str, plural: str) -> str:
    return f"{number} {noun}{'' if number == 1 else plural}"


def _block(finding: Finding) -> Iterable[str]:
    yield click.style(f"Ingress {finding.ingress}", bold=True)
    yield from (f"  {_sign(step)} {planner.describe(step)}" for step in finding.plan.steps)
    told = finding.problems
    yield from (click.style(f"  ! {message}", fg="yellow") for message in told)
    if finding.error and not any(finding.error in message for message in told):
        yield click.style(f"  ! {finding.error}", fg="red")
    if finding.waits:
        yield f"  waits: {finding.waits}"
    if not (finding.plan or finding.error or told or finding.waits):
        yield "  nothing to do"


def _sign(step: Step) -> str:
    if isinstance(step, _ADDS):
        return click.style("+", fg="green")
    if isinstance(step, _TAKES):
        return click.style("-", fg="red")
    return click.style("~", fg="yellow")
