"""The words of `l7lb teardown`, for people and for programs. Decides nothing."""

from collections.abc import Iterable

from l7lb import ledger
from l7lb.app.ending import Row
from l7lb.app.showing import as_document, bold, plain, tinted
from l7lb.app.tearing import End, Report
from l7lb.model.ending import Fate
from l7lb.model.identity import Cluster

COLOURS = {Fate.DELETE: "red", Fate.RELEASE: "yellow", Fate.KEPT: "green", Fate.LEFT: "magenta"}
ENDS = {End.GONE: "green", End.RELEASED: "green", End.KEPT: "yellow", End.LEFT: "red"}


def list_text(rows: tuple[Row, ...], cluster: Cluster, *, alive: bool) -> str:
    """One block a load balancer, then the counts."""
    lines = [line for row in rows for line in _block(row)]
    counts = ", ".join(f"{count} to {fate.value}" for fate in Fate if (count := _count(rows, fate)))
    lines.append(f"cluster {cluster.id} ({cluster.uid}): {counts or 'no load balancer bears its id'}")
    if alive and any(row.ingress is not None for row in rows):
        lines.append("an l7lb that is started again makes new load balancers for the Ingresses that are still there")
    return "\n".join(lines) + "\n"


def result_json(rows: tuple[Row, ...], reports: Iterable[Report], cluster: Cluster, forbidden: str) -> str:
    """One object: the list, and what has become of it."""
    value = {
        "cluster": cluster.id,
        "identity": cluster.uid,
        "forbidden": forbidden,
        "loadBalancers": [_as_json(row) for row in rows],
        "ends": [{"what": one.what, "end": one.end.value, "why": one.why} for one in reports],
    }
    return as_document(value)


def report_line(report: Report) -> str:
    """What has become of one load balancer or Ingress."""
    word = tinted(report.end.value, ENDS[report.end])
    return f"{plain(report.what)}: {word}{f': {plain(report.why)}' if report.why else ''}"


def _block(row: Row) -> Iterable[str]:
    head, fate = row.ending.head, row.ending.fate
    address = ", ".join((*head.vips, head.hostname)).strip(", ") or "no address"
    word = tinted(fate.value, COLOURS[fate])
    yield f"{bold(head.ref)} {plain(head.name)} ({plain(address)}): {word}: {plain(row.ending.reason)}"
    if fate is Fate.KEPT:
        return
    uid = ledger.ingress_of(head.tags)
    whose = f"Ingress {row.ingress} ({uid})" if row.ingress is not None else f"Ingress UID {uid or 'none'}"
    listeners = ", ".join(row.listeners) or "none"
    yield plain(f"  {whose}; listeners {listeners}; {row.bound} targets bound, {row.serving} serving")


def _as_json(row: Row) -> dict[str, object]:
    head = row.ending.head
    return {
        "id": head.ref.id,
        "region": head.ref.region,
        "name": head.name,
        "addresses": [*head.vips, *([head.hostname] if head.hostname else [])],
        "ingress": str(row.ingress) if row.ingress is not None else "",
        "ingressUid": ledger.ingress_of(head.tags),
        "fate": row.ending.fate.value,
        "reason": row.ending.reason,
        "listeners": list(row.listeners),
        "targets": {"bound": row.bound, "serving": row.serving},
    }


def _count(rows: Iterable[Row], fate: Fate) -> int:
    return sum(row.ending.fate is fate for row in rows)
