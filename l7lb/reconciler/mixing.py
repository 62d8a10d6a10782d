"""Ingresses in a group and Ingresses outside of one never use one load balancer: who came first has it (E4406)."""

from collections.abc import Sequence
from typing import Final

from l7lb import ledger
from l7lb.model.cluster import Ingress
from l7lb.model.identity import LoadBalancerId, Owner
from l7lb.model.marks import RECORD
from l7lb.reconciler.passes import Matter, Workshop
from l7lb.reconciler.seats import age

MIXED: Final = "E4406"


def turned_away(alone: Sequence[Matter], group: Sequence[Matter]) -> frozenset[str]:
    """UIDs of those that are refused because of the other side; who has a claim is judged by the tags alone.

    Only Ingresses that are ours and stay, or have a claim, are to be given.
    """
    if not (alone and group):
        return frozenset()
    claimed = any(map(_claims, group)), any(map(_claims, alone))
    if not any(claimed):
        first = min((*alone, *group), key=lambda matter: age(matter.ingress))
        claimed = first.grouped, not first.grouped
    out = (*(alone if claimed[0] else ()), *(group if claimed[1] else ()))
    return frozenset(matter.owner.ingress_uid for matter in out if not _claims(matter))


def begun_outside(shop: Workshop, strangers: Sequence[Ingress], load_balancer: LoadBalancerId) -> Ingress | None:
    """Before the first write for a group: one outside of it that has begun to take the load balancer.

    Read live, because a record whose writing was not answered is in no cache.
    """
    for stranger in strangers:
        live = shop.ingresses.live(stranger.key)
        if live is None:
            continue
        record = ledger.parse_record(live.annotations.get(RECORD), Owner(shop.cluster, live.metadata.uid))
        if record is not None and record.lb == load_balancer and record.claim:
            return live
    return None


def _claims(matter: Matter) -> bool:
    return matter.record is not None and bool(matter.record.claim and matter.record.lb)
