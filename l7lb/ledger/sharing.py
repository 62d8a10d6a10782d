"""The claim of a group: several Ingresses on one load balancer, each with rules of its own.

Whose the load balancer is says the same table; here is what that means listener by listener and rule by rule. A rule
is the group's when a member asks for it or the record of a member lists it. Everything else on it is somebody else's,
also on listeners of ours.
"""

from dataclasses import replace

from l7lb.ledger import tags
from l7lb.ledger.claims import LAYER_7, read
from l7lb.model import marks
from l7lb.model.identity import ListenerKey, RuleRef
from l7lb.model.loadbalancer import ObservedListener, ObservedLoadBalancer
from l7lb.model.maybe import given
from l7lb.model.ownership import Claim, Evidence, GroupEvidence, Ownership
from l7lb.model.plan import Tags
from l7lb.model.sharing import redirect_part


def read_shared(evidence: GroupEvidence, observed: ObservedLoadBalancer) -> Claim:
    """What we may do to this load balancer on behalf of all members of the group together. Total: it never raises."""
    claim = read(_one(evidence), None, frozenset(), {})
    if claim.ownership is not Ownership.SHARED:
        return claim
    if not observed.head.application:
        reason = "it is a classic load balancer, which cannot carry HTTP listeners"
        return replace(claim, ownership=Ownership.UNCLAIMED, code="E4030", reason=reason)
    rules: set[RuleRef] = set()
    parts: set[str] = set()
    for member in evidence.members:
        rules |= member.record.rules if member.record is not None else frozenset()
        parts |= member.record.parts if member.record is not None else frozenset()
        rules |= frozenset() if member.leaving else member.rules
    return replace(
        claim,
        listeners=_listeners(evidence, observed),
        rules=frozenset(rules),
        redirects=frozenset(ref for ref in rules if redirect_part(ref) in parts),
        missing_tags=_missing(evidence),
        removable_tags=_removable(evidence),
    )


def _one(evidence: GroupEvidence) -> Evidence:
    """The group as the table asks for it."""
    return Evidence(
        cluster=evidence.cluster,
        ingress_uid="",
        tags=evidence.tags,
        record=None,
        load_balancer=evidence.load_balancer,
        named=True,
        group=True,
        group_uids=frozenset(member.uid for member in evidence.members),
    )


def _listeners(evidence: GroupEvidence, observed: ObservedLoadBalancer) -> frozenset[ListenerKey]:
    """Known by a record's id and name; by our name alone only where a member asks for it or has announced it."""
    recorded: set[tuple[str, str]] = set()
    wanted: set[ListenerKey] = set()
    announced: set[str] = set()
    for member in evidence.members:
        listeners = member.record.listeners if member.record is not None else {}
        recorded |= set(listeners.values())
        announced |= {key for key, (listener, _) in listeners.items() if not listener}
        if not member.leaving:
            wanted |= member.listeners
    service = tags.serves_a_service(evidence.tags)

    def is_ours(item: ObservedListener) -> bool:
        key, name = item.spec.key, given(item.spec.name, "")
        if key.protocol not in LAYER_7:
            return False
        if name and (item.id, name) in recorded:
            return True
        return not service and name == marks.LISTENER_NAME and (key in wanted or str(key) in announced)

    return frozenset(item.spec.key for item in observed.listeners if is_ours(item))


def _missing(evidence: GroupEvidence) -> Tags:
    """Only the cluster's, and only while somebody stays: no member's UID, for it would shut out the others."""
    stays = any(not (member.leaving or member.idle) for member in evidence.members)
    return ((tags.CLUSTER, evidence.cluster.id),) if stays and tags.CLUSTER not in evidence.tags else ()


def _removable(evidence: GroupEvidence) -> tuple[str, ...]:
    """The UID of a member goes with that member, the cluster's id with the last one."""
    leaving = {member.uid for member in evidence.members if member.leaving}
    removable = {tags.INGRESS} if evidence.tags.get(tags.INGRESS) in leaving else set()
    last = bool(leaving) and all(member.leaving or member.idle for member in evidence.members)
    ours = evidence.tags.get(tags.CLUSTER) == evidence.cluster.id
    if last and ours and not tags.serves_a_service(evidence.tags):
        removable.add(tags.CLUSTER)
    return tuple(sorted(removable))
