"""What each load balancer of the cluster is, with and without the Ingresses: used, kept, somebody's, or an orphan.

The strategy. Whose a load balancer is, it says by itself (`provenance`): the rows below are tried in order, and only
the last one may ever lead to a deletion. Whether it is used, only the Ingresses can say (`inventory`), and only all of
them: read whole, for all namespaces, from the API server itself. An Ingress uses a load balancer when the tag bears its
UID. One whose UID differs but that names it (a restored manifest, which traffic may follow) keeps it from being an
orphan. Without the Ingresses nothing is an orphan, and nothing is free of suspicion.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from l7lb.ledger import tags
from l7lb.model.identity import Cluster
from l7lb.model.inventory import Census, Entry, Provenance, Use
from l7lb.model.loadbalancer import LoadBalancerHead

Test = Callable[[LoadBalancerHead, Cluster], str]
"""Why the row applies, in words; empty: it does not."""


def provenance(head: LoadBalancerHead, cluster: Cluster) -> tuple[Provenance, str]:
    """Where it comes from, and why that is so. Total: it never raises; an unknown own identity equals nothing."""
    for of, test in ROWS:
        reason = test(head, cluster)
        if reason:
            return of, reason
    return Provenance.MADE, "this cluster made it for an Ingress"


def inventory(heads: Iterable[LoadBalancerHead], cluster: Cluster, census: Census | None) -> tuple[Entry, ...]:
    """Every load balancer once, in the given order. `census` None: the Ingresses could not be read."""
    there = tuple(heads)
    sharers = Counter(tags.ingress_of(head.tags) for head in there if not _foreign(head, cluster))
    return tuple(_entry(head, cluster, census, sharers) for head in there)


def _entry(head: LoadBalancerHead, cluster: Cluster, census: Census | None, sharers: Mapping[str, int]) -> Entry:
    of, reason = provenance(head, cluster)
    uid = tags.ingress_of(head.tags)
    use, why = _use(head, of, census, sharers)
    return Entry(head, of, use, uid, why or reason)


def _use(head: LoadBalancerHead, of: Provenance, census: Census | None, sharers: Mapping[str, int]) -> tuple[Use, str]:
    uid = tags.ingress_of(head.tags)
    if of is Provenance.FOREIGN:
        return Use.FOREIGN, ""
    if census is None:
        return Use.UNKNOWN, "the Ingresses could not be read"
    if uid and uid in census.uids:
        return _among(head, uid, census, sharers[uid])
    namers = census.named.get(head.ref.id, frozenset())
    if namers and not uid and of is Provenance.LENT:
        return Use.USED, f"it is lent to {len(namers)} Ingress{'' if len(namers) == 1 else 'es'} that name it"
    if namers:
        return Use.NAMED, f"its tags are not those of Ingress {', '.join(sorted(namers))}, which names it"
    if of is Provenance.MADE and not head.running:
        return Use.HALF_MADE, f"its creation has not ended, and its Ingress {uid} is not there"
    says = _ORPHANED.get(of, "")
    return WITHOUT_INGRESS[of], says and f"{says}, and its Ingress {uid} is not there"


def _among(head: LoadBalancerHead, uid: str, census: Census, sharers: int) -> tuple[Use, str]:
    """Its Ingress lives; more than one load balancer may say so."""
    meant = census.recorded.get(uid)
    if meant == head.ref.id or (meant is None and sharers == 1):
        return Use.USED, f"Ingress {uid} uses it"
    if meant is not None:
        return Use.DUPLICATE, f"it bears the UID of Ingress {uid}, whose record names {meant}"
    return Use.DUPLICATE, f"it is one of {sharers} that bear the UID of Ingress {uid}, which has no record"


def _foreign(head: LoadBalancerHead, cluster: Cluster) -> str:
    named = head.tags.get(tags.CLUSTER)
    if not cluster.id or named != cluster.id:
        return f"its tag {tags.CLUSTER} is {named or 'not there'}"
    if tags.another_identity(head.tags, cluster):
        return f"its tag {tags.IDENTITY} is that of another cluster"
    return ""


def _kept(head: LoadBalancerHead, _: Cluster) -> str:
    reasons = {
        f"its tag {tags.LIFECYCLE} says {tags.OWNER_USER}": head.tags.get(tags.LIFECYCLE) == tags.OWNER_USER,
        "it has deletion protection": head.delete_protection,
        "PrivateLink uses it": head.private_link,
    }
    return ", ".join(reason for reason, holds in reasons.items() if holds)


ROWS: Final[tuple[tuple[Provenance, Test], ...]] = (
    (Provenance.FOREIGN, _foreign),
    (Provenance.SERVICE, lambda head, _: "a Service uses it" if tags.serves_a_service(head.tags) else ""),
    (
        Provenance.LENT,
        lambda head, _: "" if head.tags.get(tags.CREATED_BY) == tags.YES else "no cluster made it: it is lent",
    ),
    (
        Provenance.UNCLAIMED,
        lambda head, _: "" if tags.ingress_of(head.tags) else f"it has no tag {tags.INGRESS}: made for nobody",
    ),
    (Provenance.KEPT, _kept),
    (
        Provenance.UNPROVEN,
        lambda head, _: "" if tags.IDENTITY in head.tags else f"it has no tag {tags.IDENTITY}: not proven who made it",
    ),
)
"""Tried in this order. What passes all of them was made by this very cluster for an Ingress, and nothing keeps it."""

WITHOUT_INGRESS: Final[Mapping[Provenance, Use]] = {
    Provenance.SERVICE: Use.SERVICE,
    Provenance.LENT: Use.LEFT_BEHIND,
    Provenance.UNCLAIMED: Use.UNCLAIMED,
    Provenance.KEPT: Use.KEPT,
    Provenance.UNPROVEN: Use.UNPROVEN_ORPHAN,
    Provenance.MADE: Use.ORPHAN,
}
"""What it is when no Ingress uses or names it."""

_ORPHANED: Final[Mapping[Provenance, str]] = {
    Provenance.UNPROVEN: "it does not say by which cluster it was made",
    Provenance.MADE: "this cluster made it for an Ingress",
}
