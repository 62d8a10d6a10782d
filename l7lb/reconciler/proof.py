"""The proof for taking something away, read again directly before it is taken (promise 1)."""

from l7lb import ledger
from l7lb.errors import Conflict, Unavailable
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.ownership import Claim, Ownership
from l7lb.reconciler.passes import Matter, Workshop

_MAY_TAKE = frozenset({Ownership.CREATED, Ownership.KEPT, Ownership.ADOPTED})


class Proof:
    """Live reads of tags and of the Ingress."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop

    def claim_now(self, matter: Matter, observed: ObservedLoadBalancer) -> Claim:
        """The claim by tags and protection as they are now.

        Raises Conflict when it is none under which anything may be taken away: to be observed and decided anew. Not
        being listed proves nothing, neither that it is gone nor that it is ours: Unavailable.
        """
        ref = observed.head.ref
        head = matter.cloud.heads((ref,)).get(ref)
        if head is None:
            raise Unavailable(f"{ref.id} is not listed now")
        now = ObservedLoadBalancer(head, observed.listeners)
        claim = ledger.read(matter.evidence(now), now, frozenset(), {})
        if claim.ownership not in _MAY_TAKE:
            raise Conflict(f"{ref.id} is not ours any more: {claim.reason}")
        return claim

    def is_leaving(self, matter: Matter) -> bool:
        """Whether the live Ingress is the one we know, and deleting or gone."""
        live = self._shop.ingresses.live(matter.ingress.key)
        if live is None or live.metadata.uid != matter.owner.ingress_uid:
            return True
        return live.deleting
