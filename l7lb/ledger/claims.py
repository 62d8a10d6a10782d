"""From a row of the table to a claim: whose listeners, which tags, what becomes of it, and the code of a refusal."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from l7lb.ledger import tags
from l7lb.ledger.table import Mark, Papers, Row, find, papers
from l7lb.model import marks
from l7lb.model.identity import ListenerKey, LoadBalancerId, Owner, Protocol
from l7lb.model.loadbalancer import ObservedListener, ObservedLoadBalancer
from l7lb.model.maybe import UNSET
from l7lb.model.ownership import Claim, Disposal, Evidence, Ownership
from l7lb.model.plan import Tags

DISPOSALS: Final[Mapping[Ownership, Disposal]] = {
    Ownership.CREATED: Disposal.DELETE_LOAD_BALANCER,
    Ownership.KEPT: Disposal.RELEASE_LISTENERS,
    Ownership.ADOPTED: Disposal.RELEASE_LISTENERS,
    Ownership.TO_ADOPT: Disposal.LEAVE,
    Ownership.SHARED: Disposal.RELEASE_RULES,
    Ownership.FOREIGN: Disposal.LEAVE,
    Ownership.UNCLAIMED: Disposal.LEAVE,
}
"""The whole policy: what becomes of a load balancer when its Ingress goes away or leaves our class."""

HELD: Final = frozenset({Ownership.CREATED, Ownership.KEPT, Ownership.ADOPTED})
"""Claims under which a listener can be one Ingress's."""

LAYER_7: Final = frozenset({Protocol.HTTP.value, Protocol.HTTPS.value})
OWN_PORT_SPACE: Final = frozenset({"UDP", "QUIC"})
"""Listeners that share a port number with a TCP-based one without a conflict."""


def disposal_for(ownership: Ownership, *, untouched: bool = False) -> Disposal:
    """What the claim means at the end; `mode: skip` leaves everything."""
    return Disposal.LEAVE if untouched else DISPOSALS[ownership]


def to_create(owner: Owner) -> Claim:
    """The claim on a load balancer that does not exist yet: without an id, so only a creation begins with it."""
    return Claim(
        load_balancer=LoadBalancerId(""),
        ownership=Ownership.CREATED,
        reason=f"Ingress {owner.ingress_uid} has no load balancer yet",
        disposal=Disposal.LEAVE,
        native=True,
    )


def read(
    evidence: Evidence,
    observed: ObservedLoadBalancer | None,
    wanted: frozenset[ListenerKey],
    declared_names: Mapping[ListenerKey, str],
) -> Claim:
    """What we may do to this load balancer on behalf of this Ingress. Total: it never raises.

    `wanted`: listeners that the Ingress asks for; `declared_names`: the name that a TkeServiceConfig gives to a
    listener. Without `observed` the tags alone are judged, and the claim covers no listener and no tag.
    """
    of = papers(evidence)
    row, untouched = find(of)
    ownership = row.ownership or Ownership.UNCLAIMED
    claim = Claim(
        load_balancer=evidence.load_balancer,
        ownership=ownership,
        reason=_reason(row, of, untouched),
        disposal=disposal_for(ownership, untouched=untouched),
        code=_code(ownership, of),
        untouched=untouched,
        native=of.identity is Mark.OURS,
        rules=frozenset() if ownership is Ownership.SHARED else None,
    )
    if untouched:
        return claim
    claim = replace(claim, removable_tags=_removable(evidence, claim))
    if observed is None:
        return claim
    ours = _ours(evidence, observed, wanted, declared_names)
    if ownership is Ownership.TO_ADOPT:
        refusal = _refusal(observed, wanted, ours)
        if refusal is not None:
            code, reason = refusal
            return replace(claim, ownership=Ownership.UNCLAIMED, code=code, reason=reason)
    return replace(
        claim,
        listeners=ours if ownership in HELD else frozenset(),
        missing_tags=_missing(evidence, of, ownership),
    )


def _reason(row: Row, of: Papers, untouched: bool) -> str:
    text = row.says
    if row.ownership is Ownership.KEPT:
        text = f"{text}: {of.kept_for}"
    return f"mode: skip, not touched; {text}" if untouched else text


def _code(ownership: Ownership, of: Papers) -> str:
    """TKE's code of a refusal. An `existLbId` that we have not taken yet is judged as one that is asked for anew."""
    if ownership not in {Ownership.FOREIGN, Ownership.UNCLAIMED}:
        return ""
    if not of.group and (not of.named or (of.recorded and not of.adopting)):
        return "E4017"
    return "E4019" if of.created else "E4020"


def _ours(
    evidence: Evidence,
    observed: ObservedLoadBalancer,
    wanted: frozenset[ListenerKey],
    declared_names: Mapping[ListenerKey, str],
) -> frozenset[ListenerKey]:
    record = evidence.record.listeners if evidence.record is not None else {}
    recorded = set(record.values())
    ids = {listener for listener, _ in recorded}
    # Announced before they were made: the answer to their creation may have been lost.
    announced = {key: name for key, (listener, name) in record.items() if not listener}
    created = evidence.tags.get(tags.CREATED_BY) == tags.YES
    service = tags.serves_a_service(evidence.tags)
    taken = evidence.record is not None and bool(evidence.record.claim)
    # TKE's controller took it for this Ingress, and named its listeners as it was told. Later the record tells.
    handed_over = not taken and evidence.tags.get(tags.INGRESS) == evidence.ingress_uid

    def is_ours(listener: ObservedListener) -> bool:
        key, name = listener.spec.key, listener.spec.name
        if key.protocol not in LAYER_7 or name is UNSET:
            return False
        if (listener.id, name) in recorded:
            return True
        if listener.id in ids and name == declared_names.get(key):
            # Renamed by us, before the record could say so.
            return True
        if service:
            return False
        if created:
            return name in {marks.LISTENER_NAME, declared_names.get(key), announced.get(str(key))}
        as_told = handed_over and name == declared_names.get(key)
        return (as_told or name in {marks.LISTENER_NAME, announced.get(str(key))}) and key in wanted

    return frozenset(listener.spec.key for listener in observed.listeners if is_ours(listener))


def _refusal(
    observed: ObservedLoadBalancer, wanted: frozenset[ListenerKey], ours: frozenset[ListenerKey]
) -> tuple[str, str] | None:
    if not observed.head.application:
        return "E4030", "it is a classic load balancer, which cannot carry HTTP listeners"
    ports = {key.port for key in wanted}
    taken = sorted(
        listener.spec.key
        for listener in observed.listeners
        if listener.spec.key.port in ports
        and listener.spec.key not in ours
        and listener.spec.key.protocol not in OWN_PORT_SPACE
    )
    if taken:
        return "E4101", f"a listener that is not ours is on a port we need: {', '.join(map(str, taken))}"
    return None


def _missing(evidence: Evidence, of: Papers, ownership: Ownership) -> Tags:
    if ownership not in {Ownership.ADOPTED, Ownership.TO_ADOPT}:
        return ()
    missing = {}
    if of.cluster is Mark.MISSING:
        missing[tags.CLUSTER] = evidence.cluster.id
    if of.ingress is Mark.MISSING:
        missing[tags.INGRESS] = evidence.ingress_uid
    return tuple(sorted(missing.items()))


def _removable(evidence: Evidence, claim: Claim) -> tuple[str, ...]:
    """Tags whose values are ours, as far as the disposal takes them off. What a Service's use rests on stays."""
    if claim.disposal is not Disposal.RELEASE_LISTENERS:
        return ()
    ours = {tags.INGRESS: evidence.ingress_uid}
    if not tags.serves_a_service(evidence.tags):
        ours[tags.CLUSTER] = evidence.cluster.id
        if claim.ownership is Ownership.KEPT:
            ours |= {tags.CREATED_BY: tags.YES, tags.LIFECYCLE: tags.OWNER_TKE, tags.IDENTITY: evidence.cluster.uid}
    return tuple(sorted(key for key, value in ours.items() if evidence.tags.get(key) == value))
