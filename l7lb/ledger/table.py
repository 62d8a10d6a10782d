"""The table of claims: eight rows, tried in order, exactly one for every load balancer and Ingress. Only data.

What follows from a row (listeners, tags, disposal, codes) is in `claims`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from l7lb.ledger import tags
from l7lb.model.ownership import Evidence, Ownership


class Mark(Enum):
    """What one tag says about us."""

    MISSING = "missing"
    OURS = "ours"
    ANOTHERS = "another's"


@dataclass(frozen=True, slots=True)
class Papers:
    """The evidence, reduced to what the rows ask."""

    created: bool
    """`createdBy=yes`; any other value says no more than its absence."""
    cluster: Mark
    ingress: Mark
    identity: Mark
    service: bool
    named: bool
    recorded: bool
    """The record names this load balancer."""
    adopting: bool
    """The record says that we were about to tag it."""
    group: bool
    skip: bool
    kept_for: str
    """Why a load balancer that we made outlives its Ingress; empty: it does not."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `ownership` None: the rows below decide, and nothing is touched."""

    number: int
    says: str
    applies: Callable[[Papers], bool]
    ownership: Ownership | None


def papers(evidence: Evidence) -> Papers:
    """Read tags, annotations and record once."""
    record = evidence.record
    recorded = (
        record is not None
        and record.uid == evidence.ingress_uid
        and record.cluster == evidence.cluster.id
        and record.lb == evidence.load_balancer
        and bool(record.lb)
    )
    return Papers(
        created=evidence.tags.get(tags.CREATED_BY) == tags.YES,
        cluster=_mark(evidence.tags.get(tags.CLUSTER), evidence.cluster.id),
        ingress=_ingress(evidence),
        identity=_identity(evidence),
        service=tags.serves_a_service(evidence.tags),
        named=evidence.named,
        recorded=recorded,
        adopting=recorded and record is not None and record.claim == "adopting",
        group=evidence.group and evidence.named,
        skip=evidence.skip,
        kept_for=_kept_for(evidence),
    )


def find(of: Papers) -> tuple[Row, bool]:
    """The row that decides the ownership, and whether row 2 (untouched) was met on the way to it."""
    row = next(row for row in ROWS if row.applies(of))
    if row.ownership is not None:
        return row, False
    return next(below for below in ROWS if below.number > row.number and below.applies(of)), True


def _mark(value: str | None, ours: str) -> Mark:
    if value is None:
        return Mark.MISSING
    return Mark.OURS if ours and value == ours else Mark.ANOTHERS


def _ingress(evidence: Evidence) -> Mark:
    """In a group the tag may name any of its members."""
    value = evidence.tags.get(tags.INGRESS)
    if value and evidence.group and evidence.named and value in evidence.group_uids:
        return Mark.OURS
    return _mark(value, evidence.ingress_uid)


def _identity(evidence: Evidence) -> Mark:
    if tags.IDENTITY not in evidence.tags:
        return Mark.MISSING
    return Mark.ANOTHERS if tags.another_identity(evidence.tags, evidence.cluster) else Mark.OURS


def _kept_for(evidence: Evidence) -> str:
    reasons = {
        "a Service uses it": tags.serves_a_service(evidence.tags),
        f"its tag {tags.LIFECYCLE} says {tags.OWNER_USER}": evidence.tags.get(tags.LIFECYCLE) == tags.OWNER_USER,
        "the Ingress says loadbalance-retain": evidence.retain,
        "it has deletion protection": evidence.delete_protection,
        "PrivateLink uses it": evidence.private_link,
        "the cloud refused to delete it": evidence.delete_refused,
    }
    return ", ".join(reason for reason, holds in reasons.items() if holds)


def _foreign(of: Papers) -> bool:
    return Mark.ANOTHERS in (of.cluster, of.identity, of.ingress)


def _to_adopt(of: Papers) -> bool:
    clean = of.cluster is Mark.MISSING and of.ingress is Mark.MISSING and of.identity is Mark.MISSING
    # Both tags go on in one call, but nobody promises that both appear at once: our own half-made adoption goes on.
    half_made = of.adopting and of.ingress is Mark.MISSING and of.cluster is Mark.OURS
    return of.named and not of.created and not of.service and (clean or half_made)


ROWS: Final[tuple[Row, ...]] = (
    Row(1, "its tags name another cluster or another Ingress", _foreign, Ownership.FOREIGN),
    Row(2, "mode: skip", lambda of: of.skip and not of.group, None),
    Row(3, "it is shared by a group of Ingresses", lambda of: of.group and not of.created, Ownership.SHARED),
    Row(
        4,
        "we made it for this Ingress, and it outlives it",
        lambda of: of.ingress is Mark.OURS and of.created and bool(of.kept_for) and not of.group,
        Ownership.KEPT,
    ),
    Row(
        5,
        "we made it for this Ingress",
        lambda of: of.ingress is Mark.OURS and of.cluster is Mark.OURS and of.created and not of.group,
        Ownership.CREATED,
    ),
    Row(
        6,
        "it is lent to this Ingress and bears our tags",
        lambda of: of.ingress is Mark.OURS and not of.created and (of.named or of.recorded),
        Ownership.ADOPTED,
    ),
    Row(7, "it is lent to this Ingress and bears no tag of ours yet", _to_adopt, Ownership.TO_ADOPT),
    Row(8, "its tags do not say that we may use it", lambda _: True, Ownership.UNCLAIMED),
)
