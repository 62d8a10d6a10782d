"""Two Ingresses that name one load balancer: until tags show, only the records tell who has it."""

from l7lb import ledger
from l7lb.model.cluster import Ingress
from l7lb.model.identity import ObjectKey, Owner
from l7lb.model.marks import RECORD
from l7lb.model.ownership import Claim, Ownership
from l7lb.reconciler.mixing import MIXED
from l7lb.reconciler.passes import SHARED, Matter, Workshop


class Rivals:
    """Looks at the other members of a binding."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop

    def of(self, matter: Matter, claim: Claim) -> tuple[ObjectKey, str] | None:
        """Before the first listener: another Ingress whose record names the load balancer, and which goes first.

        Its tags may not show yet, or not be off yet. Read live, because a record whose writing was not answered is in
        no cache. Two that have both begun give way by age. With TKE's code for it.
        """
        begun = matter.record is not None and matter.record.claim == "adopting"
        if claim.ownership is not Ownership.TO_ADOPT and not (begun and claim.ownership is Ownership.ADOPTED):
            return None
        for member in self._shop.snapshots.members(matter.key):
            other = self._shop.ingresses.live(member.key) if member.key != matter.ingress.key else None
            if other is None:
                continue
            owner = Owner(self._shop.cluster, other.metadata.uid)
            record = ledger.parse_record(other.annotations.get(RECORD), owner)
            named = record is not None and record.lb == claim.load_balancer and bool(record.claim)
            if named and not (begun and _age(matter.ingress) < _age(other)):
                return other.key, MIXED if record is not None and record.claim == SHARED else "E4020"
        return None


def _age(ingress: Ingress) -> tuple[str, str, str]:
    """Older is smaller, as the members of a binding are sorted."""
    meta = ingress.metadata
    return (meta.creation_timestamp or "", meta.namespace, meta.name)
