"""Steps for a disposal: delete the load balancer, or take off what is ours and leave the rest. The ledger chose."""

from typing import Final, assert_never

from l7lb.model.identity import ListenerId, ListenerKey
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.ownership import Claim, Disposal
from l7lb.model.plan import DeleteListeners, DeleteLoadBalancer, Plan, RemoveTags
from l7lb.model.redirecting import DeleteRedirects, FormerRedirect
from l7lb.planner.listeners import DELETIONS_PER_CALL
from l7lb.planner.order import Draft, Phase, chunks
from l7lb.planner.ties import Link, links

REDIRECTS_PER_CALL: Final = 20
"""No page gives a bound."""


def teardown(observed: ObservedLoadBalancer, claim: Claim, disposal: Disposal, *, redirects_ours: bool = False) -> Plan:
    """What becomes of a load balancer without its Ingress. Under `mode: skip` nothing does.

    A shared one converges: to what the members that stay ask for.
    `redirects_ours`: an annotation has asked for redirects, so all that begin on our listeners are ours. A listener
    that is tied by another's redirect is left, with a note that begins with "E4006:", and so are our tags.
    """
    if claim.untouched:
        return Plan(notes=(claim.reason,))
    match disposal:
        case Disposal.DELETE_LOAD_BALANCER:
            return _delete(observed, claim)
        case Disposal.RELEASE_LISTENERS:
            return _release(observed, claim, redirects_ours=redirects_ours)
        case Disposal.LEAVE | Disposal.RELEASE_RULES:
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


def _release(observed: ObservedLoadBalancer, claim: Claim, *, redirects_ours: bool) -> Plan:
    """Our listeners, as far as no redirect of somebody else's ties them. Our tags go when nothing of ours is left."""
    draft = Draft()
    ours = sorted(item.spec.key for item in observed.listeners if item.spec.key in claim.listeners)
    tied: set[ListenerKey] = set()
    off: dict[tuple[ListenerKey, ListenerId], list[FormerRedirect]] = {}
    for link in links(sorted(observed.listeners, key=lambda item: item.spec.key)):
        ends = {link.source.listener, link.listener} & set(ours)
        if ends and _is_ours(link, ours, redirects_ours=redirects_ours):
            former = FormerRedirect(link.source.rule, link.seen.location, link.target)
            off.setdefault((link.source.listener, link.seen.listener), []).append(former)
        elif ends:
            tied |= {key for key in ends if key is not None}
            draft.note(f"E4006: {link} is not ours to take off, and ties {', '.join(sorted(map(str, ends)))}")
    for (source, to), formers in off.items():
        for few in chunks(formers, REDIRECTS_PER_CALL):
            draft.add(Phase.REDIRECTS_OFF, DeleteRedirects(source, to, few))
    for part in chunks([key for key in ours if key not in tied], DELETIONS_PER_CALL):
        draft.add(Phase.SURPLUS_LISTENERS, DeleteListeners(part))
    left = sorted(item.spec.key for item in observed.listeners if item.spec.key not in ours)
    if left:
        draft.note(f"W1002: not ours, left: {', '.join(map(str, left))}")
    tags = tuple(key for key in claim.removable_tags if key in observed.head.tags)
    if tags and not tied:
        draft.add(Phase.RELEASE, RemoveTags(tags))
    return draft.plan()


def _is_ours(link: Link, ours: list[ListenerKey], *, redirects_ours: bool) -> bool:
    """Between two listeners of ours it ends with them; from one of ours to another's, if we have made it."""
    if link.source.listener not in ours or not (link.seen.listener and link.seen.location):
        return False
    return redirects_ours or link.listener in ours
