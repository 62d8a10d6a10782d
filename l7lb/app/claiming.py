"""Whose a load balancer and its parts are, for those who only look: the ledger's own answer, from cached values."""

from collections.abc import Sequence

from l7lb import ledger, translator
from l7lb.app.drawing import Asked
from l7lb.model.identity import Cluster, ListenerKey, RuleRef
from l7lb.model.loadbalancer import DesiredLoadBalancer, ObservedLoadBalancer
from l7lb.model.maybe import given
from l7lb.model.ownership import Claim, Disposal, Evidence, GroupEvidence, Member, Ownership
from l7lb.reconciler import records
from l7lb.reconciler.passes import is_grouped

_ENDINGS = {
    Disposal.DELETE_LOAD_BALANCER: "when its Ingress goes, the load balancer is deleted",
    Disposal.RELEASE_LISTENERS: "when its Ingress goes, our listeners and tags go and the load balancer stays",
    Disposal.RELEASE_RULES: "each Ingress takes its own rules with it; the load balancer stays",
    Disposal.LEAVE: "nothing on it is changed",
}


def claim_of(asked: Sequence[Asked], observed: ObservedLoadBalancer, cluster: Cluster) -> Claim | None:
    """For the group that shares it, else for the first Ingress that uses it; None: nobody does."""
    if not asked:
        return None
    first = asked[0]
    options = translator.options(first.ingress)
    head = observed.head
    if is_grouped(first.record, options):
        members = tuple(_member(one) for one in asked)
        return ledger.read_shared(GroupEvidence(cluster, head.ref.id, head.tags, members), observed)
    evidence = Evidence(
        cluster=cluster,
        ingress_uid=first.ingress.metadata.uid,
        tags=head.tags,
        record=first.record,
        load_balancer=head.ref.id,
        named=options.exist_lb_id == head.ref.id,
        skip=options.skip,
        retain=options.retain,
        delete_protection=head.delete_protection,
        private_link=head.private_link,
    )
    desired = first.translation.desired
    wanted = _listeners(desired) | records.expected(first.record)
    names = records.declared_names(desired.listeners if desired is not None else ())
    return ledger.read(evidence, observed, wanted, names)


def ownership_words(claim: Claim | None) -> str:
    """Whose it is, and what becomes of it."""
    if claim is None:
        return ""
    word = "not ours" if claim.ownership in (Ownership.FOREIGN, Ownership.UNCLAIMED) else claim.ownership.value
    return f"{word}: {claim.reason}; {_ENDINGS[claim.disposal]}"


def _member(one: Asked) -> Member:
    desired = one.translation.desired
    return Member(
        uid=one.ingress.metadata.uid,
        record=one.record,
        leaving=one.ingress.deleting,
        listeners=_listeners(desired),
        rules=_rules(desired),
    )


def _listeners(desired: DesiredLoadBalancer | None) -> frozenset[ListenerKey]:
    return frozenset(spec.key for spec in (desired.listeners if desired is not None else ()))


def _rules(desired: DesiredLoadBalancer | None) -> frozenset[RuleRef]:
    if desired is None:
        return frozenset()
    plain = {RuleRef(spec.key, rule.key) for spec in desired.listeners for rule in spec.rules}
    return frozenset(plain | {redirect.source for redirect in given(desired.redirects, ())})
