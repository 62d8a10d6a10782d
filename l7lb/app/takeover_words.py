"""The words of `l7lb adopt` and `l7lb release`, for people and for programs. Decides nothing."""

from collections.abc import Iterator
from typing import Final

from l7lb import ledger, planner
from l7lb.app.adopting import Assessment, Takeover, Verdict
from l7lb.app.releasing import End, Release
from l7lb.app.showing import as_document, bold, plain, tinted

UNPROTECT: Final = (
    "no public API takes modification protection off: set the annotation"
    ' ingress.cloud.tencent.com/modification-protection: "false" while TKE\'s controller still runs,'
    " or switch it off in the console"
)
COLOURS: Final = {
    Verdict.TAKEN: "green",
    Verdict.RIGHT: "green",
    Verdict.CHANGES: "yellow",
    Verdict.WAITS: "yellow",
    Verdict.REFUSED: "red",
}
RELEASE_COLOURS: Final = {End.RELEASED: "green", End.GONE: "green", End.LEFT: "red"}


def takeover_text(takeover: Takeover) -> str:
    """One block an Ingress, then what concerns the whole, then the count."""
    lines = [line for one in takeover.assessments for line in _block(one)]
    lines += [
        f"load balancer {plain(head.ref.id)} bears this cluster's id and the Ingress UID"
        f" {plain(ledger.ingress_of(head.tags))}, which does not exist: left as it is"
        for head in takeover.strangers
    ]
    if any(one.protected for one in takeover.assessments):
        lines.append(tinted(f"protected: {UNPROTECT}", "yellow"))
    state = "open" if takeover.gate_open else "closed"
    lines.append(f"gate {state}: {plain(takeover.gate)}")
    lines.append(_summary(takeover))
    return "\n".join(lines) + "\n"


def takeover_json(takeover: Takeover) -> str:
    """One object: the Ingresses, the gate, load balancers without an Ingress, and the counts."""
    return as_document(
        {
            "ingresses": [_as_json(one) for one in takeover.assessments],
            "gate": {"open": takeover.gate_open, "reason": takeover.gate},
            "loadBalancersWithoutIngress": [head.ref.id for head in takeover.strangers],
            "counts": {verdict.name.lower(): len(takeover.having(verdict)) for verdict in Verdict},
            "writes": takeover.writes,
        }
    )


def release_line(release: Release) -> str:
    """One Ingress."""
    word = tinted(release.end.value, RELEASE_COLOURS[release.end])
    return f"Ingress {plain(release.ingress)}: {word}{f': {plain(release.why)}' if release.why else ''}"


def release_json(releases: tuple[Release, ...]) -> str:
    """An array, one object an Ingress."""
    return as_document([{"ingress": str(one.ingress), "end": one.end.value, "why": one.why} for one in releases])


def _block(one: Assessment) -> Iterator[str]:
    where = f" ({one.load_balancer})" if one.load_balancer is not None else ""
    word = tinted(one.verdict.value, COLOURS[one.verdict])
    count = f", {one.writes} write{'' if one.writes == 1 else 's'}" if one.verdict is not Verdict.REFUSED else ""
    yield f"{bold(f'Ingress {one.ingress}')}{plain(where)}: {word}{count}"
    yield from (plain(f"  {planner.describe(step)}") for step in one.finding.plan.steps)
    told = one.finding.problems
    yield from (plain(f"  ! {message}") for message in told)
    if one.finding.error and not any(one.finding.error in message for message in told):
        yield plain(f"  ! {one.finding.error}")
    if one.finding.waits:
        yield plain(f"  waits: {one.finding.waits}")
    if one.must_be_unprotected:
        yield tinted("  must be unprotected first: modification protection refuses these writes", "red")
    elif one.protected:
        yield "  modification protection is on: later edits would be refused"
    if one.delete_protected:
        yield "  deletion protection is on: it survives its Ingress"
    yield from (plain(f"  differs from TKE: {sentence}") for sentence in one.rulings)


def _summary(takeover: Takeover) -> str:
    counts = ", ".join(f"{len(found)} {verdict.value}" for verdict in Verdict if (found := takeover.having(verdict)))
    total = len(takeover.assessments)
    noun = "Ingress" if total == 1 else "Ingresses"
    return f"{total} {noun}: {counts or 'none is ours'}; {takeover.writes} writes to the cloud in all"


def _as_json(one: Assessment) -> dict[str, object]:
    return {
        **one.finding.as_json(),
        "verdict": one.verdict.value,
        "loadBalancer": str(one.load_balancer) if one.load_balancer is not None else "",
        "writes": one.writes,
        "modificationProtected": one.protected,
        "deletionProtected": one.delete_protected,
        "mustBeUnprotected": one.must_be_unprotected,
        "differsFromTke": list(one.rulings),
    }
