"""What may go with a whole cluster: the one deletion that stands on the operator's word. Pure.

The strategy. The word names a cluster id, and ids can be copied; so it reaches only what proves by itself that it is
this very cluster's. That is the tag with the cluster's identity, or a living Ingress of this cluster that the tag with
the UID names. A load balancer with neither (made by TKE's controller, lent, shared) is left for a person to look at.
Where no cluster answers there is no Ingress to ask, so the identity alone counts, and it has to be the only one that
load balancers with this id bear: whoever types the wrong one of two would delete those of a cluster that lives.
`authorize` for plans on behalf of an Ingress knows no such word; `authorize_ending` asks for it, and then `authorize`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from l7lb.errors import UnauthorizedPlan
from l7lb.ledger import tags
from l7lb.ledger.authority import authorize
from l7lb.ledger.claims import read
from l7lb.ledger.orphans import provenance
from l7lb.model.ending import Ending, Fate, Order
from l7lb.model.inventory import Provenance
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedLoadBalancer
from l7lb.model.ownership import Claim, Disposal, Evidence, Ownership
from l7lb.model.plan import Plan

_KEPT: Final = frozenset({Provenance.FOREIGN, Provenance.SERVICE, Provenance.UNCLAIMED, Provenance.KEPT})
_FATES: Final[Mapping[Ownership, Fate]] = {
    Ownership.CREATED: Fate.DELETE,
    Ownership.KEPT: Fate.KEPT,
    Ownership.ADOPTED: Fate.RELEASE,
}
"""Of what a living Ingress has a claim on; any other claim leaves it."""
_DISPOSALS: Final = {Fate.DELETE: Disposal.DELETE_LOAD_BALANCER, Fate.RELEASE: Disposal.RELEASE_LISTENERS}


def forbids(order: Order, heads: Iterable[LoadBalancerHead]) -> str:
    """Why nothing at all may be torn down, in words; empty: something may. Whether the id was typed is asked later."""
    if not order.cluster.id or not order.cluster.uid:
        return "the identity of the cluster is not known"
    if order.alive:
        return ""
    borne = {
        head.tags[tags.IDENTITY]
        for head in heads
        if head.tags.get(tags.CLUSTER) == order.cluster.id and tags.IDENTITY in head.tags
    }
    others = sorted(borne - {order.cluster.uid})
    if others:
        return (
            f"load balancers with the id {order.cluster.id} bear another identity than {order.cluster.uid}:"
            f" {', '.join(others)};"
            " where two clusters have one id, only the cluster itself can say which are its own"
        )
    return ""


def endings(order: Order, heads: Iterable[LoadBalancerHead], living: Mapping[str, Evidence]) -> tuple[Ending, ...]:
    """Every load balancer once. `living`: by UID, what each Ingress of the cluster says of its load balancer."""
    there = tuple(heads)
    forbidden = forbids(order, there)
    sharers = Counter(tags.ingress_of(head.tags) for head in there if _is_this_clusters(head, order))
    found = []
    for head in there:
        uid = tags.ingress_of(head.tags)
        evidence = _of_this_one(living.get(uid), head) if uid else None
        fate, reason = _fate(order, head, evidence)
        if fate is Fate.DELETE and sharers[uid] > 1 and not (evidence and _is_meant(evidence)):
            fate, reason = (
                Fate.LEFT,
                f"{sharers[uid]} load balancers bear the UID of Ingress {uid}, and no record names it",
            )
        if forbidden and fate in _DISPOSALS:
            fate, reason = Fate.LEFT, forbidden
        found.append(Ending(head, fate, reason, evidence))
    return tuple(found)


def end(order: Order, ending: Ending, observed: ObservedLoadBalancer) -> Claim:
    """The claim under which it goes. For a fate that is none it covers nothing."""
    evidence = _of_this_one(ending.evidence, observed.head) or _alone(order, observed.head)
    claim = read(evidence, observed, frozenset(), {})
    if ending.fate not in _DISPOSALS or claim.disposal is not _DISPOSALS[ending.fate]:
        return replace(claim, disposal=Disposal.LEAVE, listeners=frozenset(), removable_tags=())
    return replace(claim, reason=f"the operator has typed {order.typed} to tear this cluster down; {ending.reason}")


def authorize_ending(plan: Plan, order: Order, ending: Ending, observed: ObservedLoadBalancer) -> None:
    """Raise UnauthorizedPlan unless the id was typed, it goes by its tags as they are now, and each step is claimed."""
    if not plan.steps:
        return
    if not order.typed or order.typed != order.cluster.id:
        raise UnauthorizedPlan("refused by the ledger: the operator has not typed the id of this cluster")
    if why := forbids(order, (observed.head,)):
        raise UnauthorizedPlan(f"refused by the ledger: {why}")
    fate, reason = fate_now(order, ending, observed.head)
    if fate not in _DISPOSALS or fate is not ending.fate:
        raise UnauthorizedPlan(f"refused by the ledger: {fate.value}: {reason}")
    authorize(plan, end(order, ending, observed), observed)


def fate_now(order: Order, ending: Ending, head: LoadBalancerHead) -> tuple[Fate, str]:
    """The same question by tags and protection as they are now."""
    return _fate(order, head, _of_this_one(ending.evidence, head))


def _fate(order: Order, head: LoadBalancerHead, evidence: Evidence | None) -> tuple[Fate, str]:
    of, reason = provenance(head, order.cluster)
    if of in _KEPT:
        return Fate.KEPT, reason
    if evidence is not None:
        return _by_its_ingress(evidence)
    if of is Provenance.MADE:
        return Fate.DELETE, reason
    if of is Provenance.LENT:
        return Fate.LEFT, f"{reason}, and nothing on it says what of it is this cluster's"
    return Fate.LEFT, f"{reason}, and no Ingress of this cluster is there that its tag names"


def _by_its_ingress(evidence: Evidence) -> tuple[Fate, str]:
    claim = read(evidence, None, frozenset(), {})
    if claim.untouched:
        return Fate.KEPT, claim.reason
    return _FATES.get(claim.ownership, Fate.LEFT), claim.reason


def _of_this_one(evidence: Evidence | None, head: LoadBalancerHead) -> Evidence | None:
    """What the Ingress says, with what is seen of the load balancer; None where it means another one."""
    if evidence is None or tags.ingress_of(head.tags) != evidence.ingress_uid:
        return None
    record = evidence.record
    if record is not None and record.lb and record.lb != head.ref.id:
        return None
    return replace(
        evidence,
        tags=head.tags,
        load_balancer=head.ref.id,
        delete_protection=head.delete_protection,
        private_link=head.private_link,
    )


def _is_meant(evidence: Evidence) -> bool:
    return evidence.record is not None and evidence.record.lb == evidence.load_balancer


def _is_this_clusters(head: LoadBalancerHead, order: Order) -> bool:
    return bool(tags.ingress_of(head.tags)) and provenance(head, order.cluster)[0] is not Provenance.FOREIGN


def _alone(order: Order, head: LoadBalancerHead) -> Evidence:
    """As the table asks for one whose Ingress is not there."""
    return Evidence(
        cluster=order.cluster,
        ingress_uid=tags.ingress_of(head.tags),
        tags=head.tags,
        record=None,
        load_balancer=head.ref.id,
        delete_protection=head.delete_protection,
        private_link=head.private_link,
    )
