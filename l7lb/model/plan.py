"""A plan is a value: a sorted tuple of steps that name things by key. Printable, comparable, refusable.

Ids appear in three places on purpose: a step that deletes a load balancer carries the id it was decided for, so that it
can never be re-bound to another one; a target that is taken off carries the instance id through which it was bound; and
a redirect that is taken off carries the ids to which it led. Steps for redirects are in `redirecting`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from l7lb.model.identity import ListenerKey, LoadBalancerId, RuleKey, RuleRef
from l7lb.model.loadbalancer import (
    Certificate,
    CreateSpec,
    HostSpec,
    ListenerSpec,
    RuleSpec,
    Target,
)
from l7lb.model.maybe import UNSET, Maybe
from l7lb.model.redirecting import CreateRedirects, DeleteRedirects, MirrorHosts

Tags: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CreateLoadBalancer:
    """Buy one load balancer, with its tags and an idempotency token in the same call."""

    create: CreateSpec
    tags: Tags
    client_token: str
    pass_to_target: Maybe[bool] = UNSET


@dataclass(frozen=True, slots=True)
class DeleteLoadBalancer:
    """Delete exactly this load balancer with all that is on it."""

    id: LoadBalancerId
    proof: str
    force: bool = False


@dataclass(frozen=True, slots=True)
class AddTags:
    """Set tags of ours (adopting)."""

    tags: Tags


@dataclass(frozen=True, slots=True)
class RemoveTags:
    """Take tags of ours off (releasing)."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModifyLoadBalancer:
    """Attributes that an annotation declares; UNSET fields are left out of the call."""

    pass_to_target: Maybe[bool] = UNSET
    delete_protection: Maybe[bool] = UNSET


@dataclass(frozen=True, slots=True)
class SetSecurityGroups:
    """The full set; an empty one unbinds all."""

    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class CreateListeners:
    """Listeners of one protocol with the same settings: one call (fewer than 50 ports)."""

    protocol: str
    ports: tuple[int, ...]
    name: str
    certificate: Certificate | None = None
    sni: bool = False
    keepalive: Maybe[bool] = UNSET
    snat: Maybe[bool] = UNSET

    @property
    def keys(self) -> tuple[ListenerKey, ...]:
        """The listeners that it makes."""
        return tuple(ListenerKey(self.protocol, port) for port in self.ports)


@dataclass(frozen=True, slots=True)
class ModifyListener:
    """Listener-level attributes; only fields that differ are set in `after`."""

    key: ListenerKey
    before: ListenerSpec
    after: ListenerSpec


@dataclass(frozen=True, slots=True)
class DeleteListeners:
    """At most 20 a call, never an empty list."""

    keys: tuple[ListenerKey, ...]


@dataclass(frozen=True, slots=True)
class CreateRules:
    """At most 50 rules of one listener; `hosts` carries what belongs to their hosts (certificate, http2, default)."""

    listener: ListenerKey
    rules: tuple[RuleSpec, ...]
    hosts: tuple[HostSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class ModifyRule:
    """Attributes of one rule; only fields that differ are set in `after`."""

    listener: ListenerKey
    before: RuleSpec
    after: RuleSpec


@dataclass(frozen=True, slots=True)
class ModifyHost:
    """Certificate, http2 or default of one host; only fields that differ are set in `after`."""

    listener: ListenerKey
    before: HostSpec
    after: HostSpec


@dataclass(frozen=True, slots=True)
class DeleteRules:
    """Rules of one listener by id; `new_default` when the default host loses its last rule."""

    listener: ListenerKey
    rules: tuple[RuleKey, ...]
    new_default: str | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """One target on one rule."""

    rule: RuleRef
    target: Target


@dataclass(frozen=True, slots=True)
class RegisterTargets:
    """At most 500 over any rules of the load balancer."""

    placements: tuple[Placement, ...]


@dataclass(frozen=True, slots=True)
class DeregisterTargets:
    """At most 500; each names the target as it was bound."""

    placements: tuple[Placement, ...]


@dataclass(frozen=True, slots=True)
class ModifyWeights:
    """At most 100 rules, 50 targets a rule, 500 in all; each target carries its new weight."""

    placements: tuple[Placement, ...]


Step: TypeAlias = (
    CreateLoadBalancer
    | DeleteLoadBalancer
    | AddTags
    | RemoveTags
    | ModifyLoadBalancer
    | SetSecurityGroups
    | CreateListeners
    | ModifyListener
    | DeleteListeners
    | CreateRules
    | ModifyRule
    | ModifyHost
    | DeleteRules
    | MirrorHosts
    | CreateRedirects
    | DeleteRedirects
    | RegisterTargets
    | DeregisterTargets
    | ModifyWeights
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in the order in which they run. An empty plan is the proof that nothing is to be done."""

    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    """What was seen and left alone (foreign rules, quota), for people."""

    def __bool__(self) -> bool:
        return bool(self.steps)


@dataclass(frozen=True, slots=True)
class Bindings:
    """Key -> id of one load balancer, from reading back; never from the order of an answer."""

    load_balancer: str = ""
    default_host: str = ""
    """What stands in the Domain of rules with host `""`: the VIP, or the load balancer's name."""
    listeners: Mapping[ListenerKey, str] = field(default_factory=dict)
    locations: Mapping[RuleRef, str] = field(default_factory=dict)
