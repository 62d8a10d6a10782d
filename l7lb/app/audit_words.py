"""The words of `l7lb audit`, for people and for programs. Decides nothing."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from l7lb.app.auditing import Audit, Held
from l7lb.app.showing import as_document, bold, counted, plain, tinted


def audit_text(audit: Audit) -> str:
    """What somebody should look at, line by line; then the counts, and where was looked."""
    lines = [*_not_ready(audit), *_findings(audit), *_summary(audit)]
    return "\n".join(lines) + "\n"


def audit_json(audit: Audit) -> str:
    """One object: all load balancers, what there is to say about Ingresses, regions, and what would be stranded."""
    whole = {
        "cluster": audit.cluster.id,
        "identity": audit.cluster.uid,
        "regions": {"read": list(audit.look.regions), "notRead": dict(audit.look.refused)},
        "loadBalancers": [_as_json(one) for one in audit.load_balancers],
        "ingresses": [{"ingress": str(one.ingress), "kind": one.kind, "text": one.text} for one in audit.words],
        "stranded": {"finalizers": audit.finalizers, "deleting": audit.deleting},
        "ingressesNotReady": audit.not_ready,
        "findings": audit.findings,
    }
    return as_document(whole)


def _not_ready(audit: Audit) -> Iterator[str]:
    """Told first: who reads that there are no findings must not take it for a word about what is served."""
    if audit.not_ready:
        one = audit.not_ready == 1
        text = f"{counted(audit.not_ready, 'Ingress', 'es')} {'is' if one else 'are'} not ready: l7lb status says why"
        yield tinted(text, "yellow")


def _findings(audit: Audit) -> Iterator[str]:
    for one in audit.load_balancers:
        if one.is_finding:
            yield from _block(one)
    for word in audit.words:
        yield f"{bold(f'Ingress {word.ingress}')}: {tinted(word.kind, 'yellow')}: {plain(word.text)}"


def _block(one: Held) -> Iterator[str]:
    entry = one.entry
    name = bold(f"load balancer {entry.head.ref}")
    yield f"{name}: {tinted(entry.use.value, 'yellow')}: {plain(entry.reason)}"
    if one.sighting is not None:
        yield f"  an orphan since {_day(one.sighting.first)}, seen {one.sighting.count} times"
    if one.left_listeners:
        yield f"  listeners of ours that no Ingress knows: {plain(', '.join(one.left_listeners))}"


def _summary(audit: Audit) -> Iterator[str]:
    counts = Counter(one.entry.use.value for one in audit.load_balancers)
    told = ", ".join(f"{count} {use}" for use, count in sorted(counts.items()))
    yield f"load balancers of {audit.cluster.id}: {len(audit.load_balancers)}{f' ({told})' if told else ''}"
    yield f"regions: {plain(', '.join(audit.look.regions))}; in others was not looked, --more-regions names them"
    for region, why in audit.look.refused.items():
        yield tinted(f"region {region} could not be read: {why}", "red")
    yield (
        f"{audit.finalizers} Ingresses bear our finalizer, {audit.deleting} of them are being deleted: without l7lb "
        "deletions wait for ever; l7lb release --all takes it off"
    )
    yield f"findings: {audit.findings}"


def _as_json(one: Held) -> dict[str, object]:
    entry, seen = one.entry, one.sighting
    return {
        "region": entry.head.ref.region,
        "id": entry.head.ref.id,
        "use": entry.use.value,
        "madeBy": entry.provenance.value,
        "reason": entry.reason,
        "ingressUid": entry.ingress_uid,
        "ingresses": [str(key) for key in one.ingresses],
        "orphanSince": _day(seen.first) if seen is not None else "",
        "seen": seen.count if seen is not None else 0,
        "leftListeners": list(one.left_listeners),
        "finding": one.is_finding,
    }


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
