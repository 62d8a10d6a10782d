"""Two Ingresses that name one load balancer: until tags show, only the records tell who has it."""

from dataclasses import dataclass
from typing import Final

from l7lb import ledger
from l7lb.model.cluster import Ingress
from l7lb.model.identity import ObjectKey, Owner
from l7lb.model.marks import RECORD
from l7lb.model.ownership import Claim, Ownership
from l7lb.reconciler.mixing import MIXED
from l7lb.reconciler.passes import SHARED, Matter, Workshop

ABROAD_S: Final = 10.0
"""Nobody says when another replica is done with a load balancer."""


@dataclass(frozen=True, slots=True)
class Rival:
    """Another Ingress that goes first, with TKE's code for it."""

    key: ObjectKey
    code: str = "E4020"
    again_s: float | None = None
    """When to look again; None: its own passes lead here."""


class Rivals:
    """Looks at the other members of a binding, and at what other replicas work on."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop

    def of(self, matter: Matter, claim: Claim) -> Rival | None:
        """Before the first listener: another Ingress whose record names the load balancer, and which goes first.

        Its tags may not show yet, or not be off yet. Read live, because a record whose writing was not answered is in
        no cache. Two that have both begun give way by age.
        """
        begun = matter.record is not None and matter.record.claim == "adopting"
        if claim.ownership is not Ownership.TO_ADOPT and not (begun and claim.ownership is Ownership.ADOPTED):
            return self._abroad(claim) if _is_found_anew(matter, claim) else None
        for member in self._shop.snapshots.members(matter.key):
            other = self._shop.ingresses.live(member.key) if member.key != matter.ingress.key else None
            if other is None:
                continue
            owner = Owner(self._shop.cluster, other.metadata.uid)
            record = ledger.parse_record(other.annotations.get(RECORD), owner)
            named = record is not None and record.lb == claim.load_balancer and bool(record.claim)
            if named and not (begun and _age(matter.ingress) < _age(other)):
                return Rival(other.key, MIXED if record is not None and record.claim == SHARED else "E4020")
        return self._abroad(claim)

    def _abroad(self, claim: Claim) -> Rival | None:
        """Another replica's Ingress: no lock reaches so far, but who begins has written it down before."""
        key = self._shop.borders.holder(claim.load_balancer, self._shop.cluster)
        return None if key is None else Rival(key, again_s=ABROAD_S)


def _is_found_anew(matter: Matter, claim: Claim) -> bool:
    """Whether its record does not name the load balancer yet."""
    return matter.record is None or matter.record.lb != claim.load_balancer


def _age(ingress: Ingress) -> tuple[str, str, str]:
    """Older is smaller, as the members of a binding are sorted."""
    meta = ingress.metadata
    return (meta.creation_timestamp or "", meta.namespace, meta.name)
