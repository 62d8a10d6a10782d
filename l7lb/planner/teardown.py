"""Steps for a disposal: delete the load balancer, or take off what is ours and leave the rest. The ledger chose."""

from typing import assert_never

from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.ownership import Claim, Disposal
from l7lb.model.plan import DeleteListeners, DeleteLoadBalancer, Plan, RemoveTags
from l7lb.planner.listeners import DELETIONS_PER_CALL
from l7lb.planner.order import Draft, Phase, chunks


def teardown(observed: ObservedLoadBalancer, claim: Claim, disposal: Disposal) -> Plan:
    """What becomes of a load balancer without its Ingress. Under `mode: skip` nothing does."""
    if claim.untouched:
        return Plan(notes=(claim.reason,))
    match disposal:
        case Disposal.DELETE_LOAD_BALANCER:
            return _delete(observed, claim)
        case Disposal.RELEASE_LISTENERS:
            return _release(observed, claim)
        case Disposal.LEAVE:
            return Plan(notes=(claim.reason,))
        case _:
            assert_never(disposal)


def _delete(observed: ObservedLoadBalancer, claim: Claim) -> Plan:
    draft = Draft()
    foreign = sorted(item.spec.key for item in observed.listeners if item.spec.key not in claim.listeners)
    if foreign:
        draft.note(f"listeners that are not ours go with it: {', '.join(map(str, foreign))}")
    draft.add(Phase.DELETE, DeleteLoadBalancer(claim.load_balancer, proof=claim.reason))
    return draft.plan()


def _release(observed: ObservedLoadBalancer, claim: Claim) -> Plan:
    draft = Draft()
    ours = sorted((item for item in observed.listeners if item.spec.key in claim.listeners), key=lambda i: i.spec.key)
    ids = {item.id for item in ours}
    for item in observed.listeners:
        for rule, redirect in sorted(item.redirects.items()):
            if item.id in ids or redirect.listener in ids:
                draft.note(f"E4006: {item.spec.key} {rule} redirects: the cloud may refuse to delete its listeners")
    for part in chunks([item.spec.key for item in ours], DELETIONS_PER_CALL):
        draft.add(Phase.SURPLUS_LISTENERS, DeleteListeners(part))
    left = sorted(item.spec.key for item in observed.listeners if item.id not in ids)
    if left:
        draft.note(f"W1002: not ours, left: {', '.join(map(str, left))}")
    tags = tuple(key for key in claim.removable_tags if key in observed.head.tags)
    if tags:
        draft.add(Phase.RELEASE, RemoveTags(tags))
    return draft.plan()
