"""What the record on an Ingress is to say, out of the matter at hand. Writing it is the business of `writeback`."""

from dataclasses import replace

from l7lb import translator
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.maybe import given
from l7lb.model.ownership import Claim, Ownership, Record
from l7lb.reconciler.passes import Matter

_CLAIM_WORDS = {
    Ownership.CREATED: "created",
    Ownership.KEPT: "created",
    Ownership.ADOPTED: "adopted",
}


def reached(matter: Matter, region: str, observed: ObservedLoadBalancer, claim: Claim) -> Record:
    """What the record says while this claim holds: the listeners that are ours, with ids and names."""
    adopting = claim.ownership is Ownership.TO_ADOPT
    kept = matter.record if matter.record is not None else blank(matter)
    return replace(
        kept,
        region=observed.head.ref.region or region,
        lb=observed.head.ref.id,
        claim="adopting" if adopting else _CLAIM_WORDS[claim.ownership],
        ingress_class=translator.class_pair(matter.ingress),
        listeners={
            str(listener.spec.key): (listener.id, given(listener.spec.name, ""))
            for listener in observed.listeners
            if listener.spec.key in claim.listeners
        },
    )


def blank(matter: Matter) -> Record:
    """A record that says only whose it is."""
    attempt = matter.record.attempt if matter.record is not None else 0
    return Record(
        uid=matter.owner.ingress_uid,
        cluster=matter.owner.cluster.id,
        ingress_class=translator.class_pair(matter.ingress),
        attempt=attempt,
    )
