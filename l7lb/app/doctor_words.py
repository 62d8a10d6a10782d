"""The words of `l7lb doctor`, for people and for programs. Decides nothing."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from l7lb.adapters.clb.probing import Finding
from l7lb.app.diagnosing import Diagnosis, Level
from l7lb.app.facts import Facts, Known
from l7lb.app.showing import as_document, bold, faint, plain, tinted

COLOURS: Final = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}
AREAS: Final = {"cluster": "Cluster", "control": "Who is in charge", "account": "Account"}


def doctor_text(found: Sequence[Diagnosis], facts: Facts) -> str:
    """One line a check, what to do below it, and the counts."""
    lines: list[str] = []
    width = max(len(one.name) for one in found)
    for area, title in AREAS.items():
        lines.append(bold(title))
        for one in found:
            if one.area == area:
                lines += _lines(one, width)
    lines += _unproven(facts)
    counts = Counter(one.level for one in found)
    told = ", ".join(f"{counts[level]} {level.value}" for level in Level)
    return "\n".join((*lines, "", f"l7lb {facts.version}, {len(found)} checks: {told}")) + "\n"


def doctor_json(found: Sequence[Diagnosis], facts: Facts) -> str:
    """One object: every check, every right that was asked for, every action that was tried."""
    granted = facts.rights.value if isinstance(facts.rights, Known) else ()
    counts = Counter(one.level for one in found)
    return as_document(
        {
            "version": facts.version,
            "cluster": facts.cluster_id,
            "region": facts.region,
            "checks": [
                {"area": one.area, "name": one.name, "level": one.level.value, "says": one.says, "cure": one.cure}
                for one in found
            ],
            "rights": [{"right": str(one.right), "allowed": one.allowed} for one in granted],
            "actions": [
                {"action": one.action, "finding": one.finding.value, "why": one.why} for one in facts.cloud.probes
            ],
            "counts": {level.value: counts[level] for level in Level},
        }
    )


def _lines(one: Diagnosis, width: int) -> Iterator[str]:
    mark = tinted(f"{one.level.value:<4}", COLOURS[one.level])
    yield f"  {mark}  {plain(one.name):<{width}}  {plain(one.says)}"
    if one.cure:
        yield f"        {'':<{width}}  {faint('-> ' + one.cure)}"


def _unproven(facts: Facts) -> Iterator[str]:
    unproven = [one for one in facts.cloud.probes if one.finding is Finding.UNPROVEN]
    for why in dict.fromkeys(one.why for one in unproven):
        actions = ", ".join(one.action for one in unproven if one.why == why)
        yield faint(f"  not proven, because {why}: {actions}")
