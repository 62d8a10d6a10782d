"""A plan for several Ingresses, taken apart: what of it is one member's. For people, and for the guard."""

from dataclasses import dataclass, replace
from typing import assert_never

from l7lb.model.identity import ListenerKey, RuleKey, RuleRef
from l7lb.model.loadbalancer import DesiredLoadBalancer, ListenerSpec, ObservedListener, ObservedLoadBalancer
from l7lb.model.plan import (
    AddTags,
    CreateListeners,
    CreateLoadBalancer,
    CreateRules,
    DeleteListeners,
    DeleteLoadBalancer,
    DeleteRules,
    DeregisterTargets,
    ModifyHost,
    ModifyListener,
    ModifyLoadBalancer,
    ModifyRule,
    ModifyWeights,
    Plan,
    RegisterTargets,
    RemoveTags,
    SetSecurityGroups,
    Step,
)
from l7lb.model.redirecting import MIRROR_SOURCE, CreateRedirects, DeleteRedirects, MirrorHosts


@dataclass(frozen=True, slots=True)
class Extent:
    """What belongs to one member."""

    rules: frozenset[RuleRef]
    listeners: frozenset[ListenerKey] = frozenset()
    whole: bool = False
    """Also what is the load balancer's own: its tags and attributes."""

    def has(self, listener: ListenerKey, rule: RuleKey) -> bool:
        """Whether the rule is this member's."""
        return RuleRef(listener, rule) in self.rules


def part(plan: Plan, extent: Extent) -> Plan:
    """The steps that concern this member, each without what is another's. Notes stay with the whole."""
    return Plan(tuple(piece for step in plan.steps if (piece := _piece(step, extent)) is not None))


def wanted_of(desired: DesiredLoadBalancer, extent: Extent) -> DesiredLoadBalancer:
    """What is desired of this member's rules and their hosts."""

    def narrowed(spec: ListenerSpec) -> ListenerSpec:
        rules = tuple(rule for rule in spec.rules if extent.has(spec.key, rule.key))
        names = {ref.rule.host for ref in extent.rules if ref.listener == spec.key}
        return replace(spec, rules=rules, hosts=tuple(host for host in spec.hosts if host.host in names))

    return replace(desired, listeners=tuple(map(narrowed, desired.listeners)))


def seen_of(observed: ObservedLoadBalancer, extent: Extent) -> ObservedLoadBalancer:
    """What is there of this member's rules."""

    def narrowed(item: ObservedListener) -> ObservedListener:
        rules = tuple(rule for rule in item.spec.rules if extent.has(item.spec.key, rule.key))
        return replace(item, spec=replace(item.spec, rules=rules))

    return replace(observed, listeners=tuple(map(narrowed, observed.listeners)))


def _piece(step: Step, extent: Extent) -> Step | None:
    match step:
        case CreateLoadBalancer() | DeleteLoadBalancer():
            return None
        case AddTags() | RemoveTags() | ModifyLoadBalancer() | SetSecurityGroups():
            return step if extent.whole else None
        case CreateListeners(protocol, ports):
            mine = tuple(port for port in ports if ListenerKey(protocol, port) in extent.listeners)
            return replace(step, ports=mine) if mine else None
        case DeleteListeners(keys):
            gone = tuple(key for key in keys if key in extent.listeners)
            return DeleteListeners(gone) if gone else None
        case ModifyListener(key):
            return step if key in extent.listeners else None
        case CreateRules(listener, rules):
            made = tuple(rule for rule in rules if extent.has(listener, rule.key))
            hosts = {rule.key.host for rule in made}
            return CreateRules(listener, made, tuple(h for h in step.hosts if h.host in hosts)) if made else None
        case ModifyRule(listener, before):
            return step if extent.has(listener, before.key) else None
        case ModifyHost(listener, before):
            mine_there = any((ref.listener, ref.rule.host) == (listener, before.host) for ref in extent.rules)
            return step if mine_there else None
        case DeleteRules(listener, keys_gone):
            taken = tuple(key for key in keys_gone if extent.has(listener, key))
            return replace(step, rules=taken) if taken else None
        case CreateRedirects() | DeleteRedirects() | MirrorHosts():
            return _redirects(step, extent)
        case RegisterTargets() | DeregisterTargets() | ModifyWeights():
            placed = tuple(one for one in step.placements if one.rule in extent.rules)
            return replace(step, placements=placed) if placed else None
        case _:
            assert_never(step)


def _redirects(step: CreateRedirects | DeleteRedirects | MirrorHosts, extent: Extent) -> Step | None:
    """A redirect is its source's."""
    match step:
        case CreateRedirects(source, _, pairs):
            on = tuple(pair for pair in pairs if extent.has(source, pair.source))
            return replace(step, redirects=on) if on else None
        case DeleteRedirects(source, _, formers):
            off = tuple(former for former in formers if extent.has(source, former.source))
            return replace(step, redirects=off) if off else None
        case MirrorHosts(hosts):
            mine = {ref.rule.host for ref in extent.rules if ref.listener == MIRROR_SOURCE}
            mirrored = tuple(pair for pair in hosts if pair[0] in mine)
            return MirrorHosts(mirrored) if mirrored else None
