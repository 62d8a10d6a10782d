"""What a plan may see: our listeners on both sides, what is held, what redirects. What is not ours is hidden here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from l7lb.model.identity import ListenerKey, RuleRef
from l7lb.model.loadbalancer import (
    DesiredLoadBalancer,
    ListenerSpec,
    LoadBalancerHead,
    ObservedListener,
    ObservedLoadBalancer,
)
from l7lb.model.ownership import Claim
from l7lb.model.problems import Held
from l7lb.model.snapshot import Limits
from l7lb.planner.ties import Ties, sort_out, with_sources

OWN_PORT_SPACE: Final = frozenset({"UDP", "QUIC"})
"""Listeners that share a port number with a TCP-based one without a conflict."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Both worlds, narrowed by the claim."""

    desired: Mapping[ListenerKey, ListenerSpec]
    """In the order of their keys."""
    observed: Mapping[ListenerKey, ObservedListener]
    """Ours only, in the order of their keys."""
    foreign_ports: Mapping[int, ListenerKey]
    """Ports that somebody else's listener has."""
    listener_count: int
    """Everything on the load balancer, ours or not: quotas count it all."""
    ties: Ties
    """Redirects, also those that are not ours: one of them may be in the way."""
    held: Held
    limits: Limits
    native: bool
    head: LoadBalancerHead | None
    """None: the load balancer is made by this plan."""
    owned: frozenset[RuleRef] | None = None
    """Rules that may be taken away. None: all on our listeners."""
    strangers: frozenset[RuleRef] = frozenset()
    """Rules on our listeners that stay as long as the listener does."""

    def owns(self, ref: RuleRef) -> bool:
        """Whether the rule is ours; on a shared load balancer others may have theirs on our listeners."""
        return self.owned is None or ref in self.owned

    def spares(self, ref: RuleRef) -> bool:
        """Whether a rule that nobody asks for stays because it is not ours."""
        return not self.owns(ref) or ref in self.strangers

    def holds_listener(self, key: ListenerKey) -> bool:
        """Whether the listener as a whole must keep its shape."""
        return self.held.everything or key in self.held.listeners

    def holds_host(self, key: ListenerKey, host: str) -> bool:
        """Whether a host must keep certificate, http2 and default."""
        return self.holds_listener(key) or (key, host) in self.held.hosts


def survey(
    desired: DesiredLoadBalancer, observed: ObservedLoadBalancer | None, claim: Claim, held: Held, limits: Limits
) -> Scene:
    """Narrow both worlds to what the claim covers."""
    listeners = observed.listeners if observed is not None else ()
    ours = {item.spec.key: item for item in listeners if item.spec.key in claim.listeners}
    # Of a shared one the merger has said which `/p` stands for whose `=/p`.
    native = claim.native or claim.rules is not None
    ties = sort_out(desired, listeners, claim, held, native=native)
    return Scene(
        desired={spec.key: with_sources(spec, ties) for spec in sorted(desired.listeners, key=lambda spec: spec.key)},
        observed=dict(sorted(ours.items())),
        foreign_ports={
            item.spec.key.port: item.spec.key
            for item in listeners
            if item.spec.key not in ours and item.spec.key.protocol not in OWN_PORT_SPACE
        },
        listener_count=len(listeners),
        ties=ties,
        held=held,
        limits=limits,
        head=observed.head if observed is not None else None,
        native=native,
        owned=claim.rules,
        strangers=claim.strangers,
    )
