"""The second check of every plan, independent of the planner: no step outside the claim. A refusal is a bug of ours."""

from collections.abc import Iterable, Iterator
from typing import Final, assert_never

from l7lb.errors import UnauthorizedPlan
from l7lb.ledger import tags
from l7lb.ledger.claims import HELD, LAYER_7, OWN_PORT_SPACE
from l7lb.model.identity import ListenerKey, LoadBalancerId, RuleRef
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.ownership import Claim, Disposal, Ownership
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
    Placement,
    Plan,
    RegisterTargets,
    RemoveTags,
    SetSecurityGroups,
    Step,
)
from l7lb.model.redirecting import MIRROR_SOURCE, MIRROR_TARGET, CreateRedirects, DeleteRedirects, MirrorHosts

MAY_WRITE: Final = HELD | {Ownership.TO_ADOPT, Ownership.SHARED}
BIRTH: Final = frozenset(tags.OURS)
"""Tags without which nothing is bought."""


def authorize(plan: Plan, claim: Claim, observed: ObservedLoadBalancer | None) -> None:
    """Raise UnauthorizedPlan when a step is outside the claim, or claim and observation are of two load balancers."""
    if not plan.steps:
        return
    _require(claim.ownership in MAY_WRITE and not claim.untouched, f"{claim.ownership.value}: nothing may be written")
    shared = claim.ownership is Ownership.SHARED
    _require(shared is (claim.rules is not None), "ownership is per rule where it is shared, and only there")
    if observed is None:
        _require(not claim.load_balancer, "nothing was observed of the claimed load balancer")
    else:
        _require(observed.head.ref.id == claim.load_balancer, "the observation is of another load balancer")
    authority = _Authority(claim, observed)
    for step in plan.steps:
        authority.check(step, alone=len(plan.steps) == 1)


class _Authority:
    """What the claim covers so far: it grows by what the plan itself creates."""

    def __init__(self, claim: Claim, observed: ObservedLoadBalancer | None) -> None:
        self._claim = claim
        self._observed = observed
        self._exists = bool(claim.load_balancer)
        self._ours = set(claim.listeners)
        listeners = observed.listeners if observed is not None else ()
        self._there = {listener.spec.key for listener in listeners}
        self._seen = {listener.spec.key: listener.redirects for listener in listeners}
        self._on_it = {item.spec.key: tuple(rule.key for rule in item.spec.rules) for item in listeners}

    def check(self, step: Step, *, alone: bool) -> None:
        """Refuse the step, or take note of what it creates and removes."""
        if isinstance(step, CreateLoadBalancer):
            self._creation(step)
            return
        _require(self._exists, "there is no load balancer yet")
        if self._claim.ownership is Ownership.TO_ADOPT:
            _require(isinstance(step, AddTags), "until our tags are read back only they may be written")
        if self._claim.rules is not None:
            self._on_rules(step, self._claim.rules)
        if isinstance(step, DeleteRules):
            stranger = {RuleRef(step.listener, rule) for rule in step.rules} & self._claim.strangers
            _require(not stranger, f"a rule that was there before us: {', '.join(map(str, sorted(stranger)))}")
        match step:
            case DeleteLoadBalancer():
                self._deletion(step, alone=alone)
            case AddTags(added):
                keys = {key for key, _ in added}
                _require(set(added) <= set(self._claim.missing_tags), "a tag that the claim does not miss")
                _require(keys <= tags.ADOPTING, "a tag that is not written when adopting")
            case RemoveTags(keys_off):
                _require(set(keys_off) <= set(self._claim.removable_tags), "a tag that is not ours to remove")
                _require(set(keys_off) <= tags.OURS, "a key that is not ours")
            case ModifyLoadBalancer() | SetSecurityGroups():
                pass
            case CreateListeners():
                self._new_listeners(step)
            case DeleteListeners(keys_gone):
                _require(bool(keys_gone), "an empty list would delete every listener")
                _require(set(keys_gone) <= self._claim.listeners, "a listener that is not ours")
                self._ours -= set(keys_gone)
                self._there -= set(keys_gone)
            case ModifyListener(key) | CreateRules(key) | ModifyRule(key) | ModifyHost(key) | DeleteRules(key):
                self._on((key,))
            case MirrorHosts() | CreateRedirects() | DeleteRedirects():
                self._redirects(step)
            case RegisterTargets(placed) | DeregisterTargets(placed) | ModifyWeights(placed):
                self._on(_listeners(placed))
            case _:
                assert_never(step)

    def _creation(self, step: CreateLoadBalancer) -> None:
        _require(not self._exists, "a second load balancer for one Ingress")
        _require(self._claim.ownership is Ownership.CREATED, "only a claim to create may create")
        _require({key for key, _ in step.tags} >= BIRTH, "a load balancer without all our tags")
        _require(bool(step.client_token), "a creation without its token")
        self._exists = True

    def _deletion(self, step: DeleteLoadBalancer, *, alone: bool) -> None:
        claim = self._claim
        _require(alone, "a load balancer is deleted by a plan of its own")
        _require(claim.ownership is Ownership.CREATED, f"{claim.ownership.value} is not deleted")
        _require(claim.disposal is Disposal.DELETE_LOAD_BALANCER, "the claim's disposal is another one")
        _require(bool(claim.load_balancer) and step.id == claim.load_balancer, "another load balancer")
        _require(bool(step.proof), "a deletion without its proof")
        proven = self._observed is not None and _bears_all(self._observed, step.id)
        _require(proven, "its tags do not say that we made it")

    def _new_listeners(self, step: CreateListeners) -> None:
        _require(step.protocol in LAYER_7, "a protocol that we do not manage")
        taken = {key.port for key in self._there if key.protocol not in OWN_PORT_SPACE}
        _require(not taken & set(step.ports), "a port that another listener has")
        self._ours |= set(step.keys)
        self._there |= set(step.keys)

    def _redirects(self, step: MirrorHosts | CreateRedirects | DeleteRedirects) -> None:
        match step:
            case MirrorHosts(hosts):
                _require(bool(hosts), "an empty list would redirect every host")
                self._on((MIRROR_SOURCE, MIRROR_TARGET))
            case CreateRedirects(source, target):
                self._on((source,))
                _require(target in self._there, "a redirect to a listener that is not on this load balancer")
            case DeleteRedirects(source, target, former):
                self._on((source,))
                seen = self._seen.get(source, {})
                known = all(
                    (found := seen.get(one.source)) is not None
                    and (found.listener, found.location) == (target, one.location)
                    for one in former
                )
                _require(known, "a redirect that was not seen")

    def _on(self, keys: Iterable[ListenerKey]) -> None:
        outside = sorted(set(keys) - self._ours)
        _require(not outside, f"a listener that is not ours: {', '.join(map(str, outside))}")

    def _on_rules(self, step: Step, ours: frozenset[RuleRef]) -> None:
        """Where ownership is per rule a listener of ours is not enough."""
        outside = sorted(set(self._rules_of(step)) - ours)
        _require(not outside, f"a rule that is not ours: {', '.join(map(str, outside))}")
        if isinstance(step, MirrorHosts):
            there = {ref.rule.host for ref in ours if ref.listener == MIRROR_SOURCE}
            _require({host for host, _ in step.hosts} <= there, "a redirect of a host without a rule of ours")
        if isinstance(step, ModifyHost):
            ours_there = any((ref.listener, ref.rule.host) == (step.listener, step.before.host) for ref in ours)
            _require(ours_there, f"a host without a rule of ours: {step.listener} {step.before.host}")

    def _rules_of(self, step: Step) -> Iterator[RuleRef]:
        match step:
            case DeleteListeners(keys):
                yield from (RuleRef(key, rule) for key in keys for rule in self._on_it.get(key, ()))
            case ModifyRule(listener, before):
                yield RuleRef(listener, before.key)
            case CreateRules(listener, made):
                yield from (RuleRef(listener, rule.key) for rule in made)
            case DeleteRules(listener, gone):
                yield from (RuleRef(listener, rule) for rule in gone)
            case CreateRedirects(source, _, pairs):
                yield from (RuleRef(source, pair.source) for pair in pairs)
            case DeleteRedirects(source, _, formers):
                yield from (RuleRef(source, former.source) for former in formers)
            case RegisterTargets(placed) | DeregisterTargets(placed) | ModifyWeights(placed):
                yield from (placement.rule for placement in placed)


def _bears_all(observed: ObservedLoadBalancer, deleted: LoadBalancerId) -> bool:
    """The proof on the load balancer itself, read without the table."""
    borne = observed.head.tags
    return (
        observed.head.ref.id == deleted
        and borne.get(tags.CREATED_BY) == tags.YES
        and bool(borne.get(tags.CLUSTER))
        and bool(borne.get(tags.INGRESS))
    )


def _listeners(placements: Iterable[Placement]) -> set[ListenerKey]:
    return {placement.rule.listener for placement in placements}


def _require(holds: bool, why: str) -> None:
    if not holds:
        raise UnauthorizedPlan(f"refused by the ledger: {why}")
