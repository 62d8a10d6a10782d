"""Rules on our listeners that nobody asks for: which those are, when a load balancer is seen for the first time.

Whether TKE's controller would have taken them off is not published, so who takes over leaves them (and says so); only
what comes later is drift and goes.
"""

from l7lb.model.identity import RuleRef
from l7lb.model.loadbalancer import DesiredLoadBalancer, ObservedLoadBalancer
from l7lb.model.ownership import Claim
from l7lb.model.problems import Held
from l7lb.planner.ties import aliases, links


def strangers(
    desired: DesiredLoadBalancer, observed: ObservedLoadBalancer, claim: Claim, held: Held
) -> frozenset[RuleRef]:
    """On listeners that are ours and asked for. What is held may be the Ingress's own; a redirect has its own rules."""
    ends = {end for link in links(observed.listeners) for end in (link.source, link.target)}
    unasked = {ref for ref in _there(observed, claim) if not held.covers(ref) and ref not in ends}
    listeners = {spec.key for spec in desired.listeners}
    return frozenset({ref for ref in unasked if ref.listener in listeners} - _asked(desired, observed, claim))


def still_strangers(
    known: frozenset[RuleRef], desired: DesiredLoadBalancer, observed: ObservedLoadBalancer, claim: Claim
) -> frozenset[RuleRef]:
    """Without those that the Ingress asks for by now: these are its own from here on."""
    return known - _asked(desired, observed, claim)


def _there(observed: ObservedLoadBalancer, claim: Claim) -> set[RuleRef]:
    ours = [item.spec for item in observed.listeners if item.spec.key in claim.listeners]
    return {RuleRef(spec.key, rule.key) for spec in ours for rule in spec.rules}


def _asked(desired: DesiredLoadBalancer, observed: ObservedLoadBalancer, claim: Claim) -> set[RuleRef]:
    there = _there(observed, claim)
    asked: set[RuleRef] = set()
    for spec in desired.listeners:
        keys = [ref.rule for ref in there if ref.listener == spec.key]
        names = aliases((rule.key for rule in spec.rules), keys, native=claim.native)
        asked |= {RuleRef(spec.key, key) for key in names.values()}
    return asked
