"""Plans for people and for programs, and what a code means. Readable without colour; colour only on a terminal."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import click

from l7lb import planner
from l7lb.app.dry import Finding
from l7lb.app.manifests import PLACEHOLDER
from l7lb.app.showing import as_document, bold, counted, faint, plain, tinted
from l7lb.model.codes import Row
from l7lb.model.identity import CloudRef, ObjectKey
from l7lb.model.plan import CreateLoadBalancer, Step
from l7lb.planner import Detail, Totals, Turn

COLOURS: Final = {Turn.ADD: "green", Turn.CHANGE: "yellow", Turn.REMOVE: "red"}
PIECES_MAX: Final = 12
"""So many pieces of a step are listed unless all are asked for."""
KINDS: Final = ("load balancer", "tag", "listener", "host", "rule", "redirect", "redirected host", "target", "setting")


def as_json(findings: Iterable[Finding]) -> str:
    """A JSON array, one object an Ingress."""
    return as_document([finding.as_json() for finding in findings])


def as_text(findings: tuple[Finding, ...], *, offline: bool = False, blocked: str = "", full: bool = False) -> str:
    """One block a load balancer, a heading a step with its pieces below, and the counts at the end.

    `blocked`: why `run` would not write. `full`: every piece, and also Ingresses with nothing to do.
    """
    lines = [line for block in _blocks(findings) for line in _block(block, full=full)]
    lines += _summary(findings)
    if blocked:
        lines.append(tinted(would_not_write(blocked), "yellow"))
    if offline:
        lines.append(faint(f"offline: {PLACEHOLDER}"))
    return "\n".join(lines) + "\n"


def explanation(row: Row) -> str:
    """What a code of TKE's means, in lines."""
    lines = [f"{row.code}: {row.says}", f"What to do: {row.cure}"]
    if row.unmet:
        return "\n".join((*lines, f"Never told by l7lb: {row.unmet}")) + "\n"
    return "\n".join((*lines, f"Holds at most: {row.held.value}", f"Next try: {row.retry.value}")) + "\n"


def explanation_json(row: Row) -> str:
    """The same as one object."""
    return as_document(
        {
            "code": row.code,
            "says": row.says,
            "cure": row.cure,
            "reasons": list(row.reasons),
            "severities": sorted(one.value for one in row.severities),
            "holds": row.held.value,
            "nextTry": row.retry.value,
            "neverToldBecause": row.unmet,
        }
    )


def would_not_write(reason: str) -> str:
    """The note about a closed gate."""
    return f"run would not write: {reason}"


def plan_lines(steps: Iterable[Step], *, full: bool = False) -> Iterator[str]:
    """The steps of one plan, each with its pieces."""
    for step in steps:
        pieces = planner.details(step)
        yield f"  {_sign(step, pieces)} {plain(planner.headline(step))}"
        yield from _pieces(pieces, None if full else PIECES_MAX)


def totals(tally: Totals) -> str:
    """`3 to add, 1 to change, 0 to remove`."""
    counts: Counter[Turn] = Counter()
    for (sign, _), number in tally.items():
        counts[sign] += number
    words = ((Turn.ADD, "to add"), (Turn.CHANGE, "to change"), (Turn.REMOVE, "to remove"))
    return ", ".join(
        tinted(told, COLOURS[sign]) if counts[sign] else told
        for sign, what in words
        for told in (f"{counts[sign]} {what}",)
    )


@dataclass(frozen=True, slots=True)
class _Block:
    """All that concerns one load balancer, or one Ingress that has none."""

    ref: CloudRef | None
    findings: list[Finding]

    @property
    def title(self) -> str:
        names = ", ".join(str(one.ingress) for one in self.findings)
        steps = [step for one in self.findings for step in one.plan.steps]
        if any(isinstance(step, CreateLoadBalancer) for step in steps):
            return f"{bold('new load balancer')} for Ingress {bold(names)}"
        if self.ref is None:
            return f"Ingress {bold(names)}"
        return f"load balancer {bold(self.ref)} of Ingress {bold(names)}"


def _blocks(findings: Iterable[Finding]) -> Iterable[_Block]:
    found: dict[CloudRef | ObjectKey, _Block] = {}
    for one in findings:
        key: CloudRef | ObjectKey = one.load_balancer or one.ingress
        found.setdefault(key, _Block(one.load_balancer, [])).findings.append(one)
    return found.values()


def _block(block: _Block, *, full: bool) -> Iterator[str]:
    if not full and all(_is_quiet(one) for one in block.findings):
        return
    yield block.title
    for one in block.findings:
        yield from plan_lines(one.plan.steps, full=full)
        yield from _told(one, named=len(block.findings) > 1)
    yield from (faint(f"  digest {planner.digest(one.plan)}") for one in block.findings if one.plan)
    if all(_is_quiet(one) for one in block.findings):
        yield "  nothing to do"
    yield ""


def _told(finding: Finding, *, named: bool) -> Iterator[str]:
    """Problems, errors and waits; with its name where several Ingresses share the block."""
    whose = f"{finding.ingress}: " if named else ""
    told = finding.problems
    yield from (tinted(f"  ! {whose}{message}", "yellow") for message in told)
    if finding.error and not any(finding.error in message for message in told):
        yield tinted(f"  ! {whose}{finding.error}", "red")
    if finding.waits:
        yield plain(f"  waits: {whose}{finding.waits}")


def _is_quiet(finding: Finding) -> bool:
    return not (finding.plan or finding.error or finding.problems or finding.waits)


def _summary(findings: Sequence[Finding]) -> Iterator[str]:
    steps = [step for one in findings for step in one.plan.steps]
    quiet = sum(_is_quiet(one) for one in findings)
    failures = sum(one.failed for one in findings)
    if steps:
        tally = planner.tally(steps)
        yield f"{click.style('Plan:', bold=True)} {totals(tally)}."
        yield from _by_kind(tally)
    else:
        yield f"{click.style('Plan:', bold=True)} nothing to do."
    counts = [counted(len(findings), "Ingress", "es"), counted(len(steps), "step")]
    counts += [f"{quiet} already right"] if quiet else []
    counts += [tinted(f"{failures} failed", "red")] if failures else []
    yield ", ".join(counts)


def _by_kind(tally: Totals) -> Iterator[str]:
    for sign in Turn:
        told = [counted(number, kind) for kind in KINDS if (number := tally[sign, kind])]
        if told:
            yield f"  {click.style(sign.value, fg=COLOURS[sign])} {', '.join(told)}"


def _pieces(pieces: Sequence[Detail], most: int | None) -> Iterator[str]:
    shown = pieces[:most]
    names = [plain(f"tag {one.name}" if one.kind == "tag" else one.name) for one in shown]
    width = max((len(name) for name, one in zip(names, shown, strict=True) if one.text), default=0)
    place = ""
    for name, one in zip(names, shown, strict=True):
        if one.place != place:
            place = one.place
            yield f"      {plain(place)}"
        indent = "        " if place else "      "
        line = f"{name:<{width}}  {plain(one.text)}".rstrip()
        yield f"{indent}{click.style(one.sign.value, fg=COLOURS[one.sign])} {line}"
    if len(pieces) > len(shown):
        yield faint(f"        and {len(pieces) - len(shown)} more; --full lists them")


def _sign(step: Step, pieces: Sequence[Detail]) -> str:
    signs = {one.sign for one in pieces}
    sign = signs.pop() if len(signs) == 1 else Turn.ADD if isinstance(step, CreateLoadBalancer) else Turn.CHANGE
    return click.style(sign.value, fg=COLOURS[sign])
