"""What a step leaves behind when it ended well. What only the cloud knows stays UNSET until it is read back."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import assert_never

from l7lb.model.identity import ListenerId, ListenerKey, RuleKey, RuleRef
from l7lb.model.loadbalancer import (
    ListenerSpec,
    LoadBalancerHead,
    ObservedListener,
    ObservedLoadBalancer,
    RuleSpec,
    Target,
    TargetKey,
)
from l7lb.model.maybe import UNSET, given, over
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
    RegisterTargets,
    RemoveTags,
    SetSecurityGroups,
    Step,
)
from l7lb.model.redirecting import CreateRedirects, DeleteRedirects, MirrorHosts
from l7lb.planner.redirected import redirected, with_hosts

Edit = Callable[[RuleSpec, tuple[Target, ...]], RuleSpec]


def predict(observed: ObservedLoadBalancer, step: Step, ids: Mapping[ListenerKey, str]) -> ObservedLoadBalancer:
    """The observation after the step. `ids`: of listeners that it made; ids of rules come by `bind`.

    A creation is predicted on the observation of the new head alone, a deletion leaves no listener.
    """
    match step:
        case CreateLoadBalancer() | AddTags() | RemoveTags() | ModifyLoadBalancer() | SetSecurityGroups():
            return replace(observed, head=_head(observed.head, step))
        case DeleteLoadBalancer():
            return replace(observed, listeners=())
        case CreateListeners():
            new = tuple(_new_listener(step, key, ids) for key in step.keys)
            return replace(observed, listeners=(*observed.listeners, *new))
        case DeleteListeners(keys):
            return replace(observed, listeners=tuple(i for i in observed.listeners if i.spec.key not in keys))
        case ModifyListener(key) | CreateRules(key) | ModifyRule(key) | ModifyHost(key) | DeleteRules(key):
            return _on(observed, key, lambda item: _listener(item, step))
        case MirrorHosts() | CreateRedirects() | DeleteRedirects():
            return redirected(observed, step)
        case RegisterTargets(placements):
            return _placed(observed, placements, _with)
        case DeregisterTargets(placements):
            return _placed(observed, placements, _without)
        case ModifyWeights(placements):
            return _placed(observed, placements, _reweighed)
        case _:
            assert_never(step)


def bind(observed: ObservedLoadBalancer, read_back: tuple[ObservedListener, ...]) -> ObservedLoadBalancer:
    """Shape and ids as read back, under the targets that we know."""
    known = {RuleRef(item.spec.key, rule.key): rule.targets for item in observed.listeners for rule in item.spec.rules}
    return replace(
        observed,
        listeners=tuple(
            replace(
                item,
                spec=replace(
                    item.spec,
                    rules=tuple(
                        replace(rule, targets=known.get(RuleRef(item.spec.key, rule.key), ()))
                        for rule in item.spec.rules
                    ),
                ),
            )
            for item in read_back
        ),
    )


def _head(
    head: LoadBalancerHead, step: CreateLoadBalancer | AddTags | RemoveTags | ModifyLoadBalancer | SetSecurityGroups
) -> LoadBalancerHead:
    match step:
        case CreateLoadBalancer(tags=tags, pass_to_target=passes):
            tagged = replace(head, tags={**head.tags, **dict(tags)})
            return replace(tagged, pass_to_target=given(passes, head.pass_to_target))
        case AddTags(tags):
            return replace(head, tags={**head.tags, **dict(tags)})
        case RemoveTags(keys):
            return replace(head, tags={key: value for key, value in head.tags.items() if key not in keys})
        case ModifyLoadBalancer(pass_to_target, delete_protection):
            return replace(
                head,
                pass_to_target=given(pass_to_target, head.pass_to_target),
                delete_protection=given(delete_protection, head.delete_protection),
            )
        case SetSecurityGroups(groups):
            return replace(head, security_groups=groups)
        case _:
            assert_never(step)


def _on(
    observed: ObservedLoadBalancer, key: ListenerKey, edit: Callable[[ObservedListener], ObservedListener]
) -> ObservedLoadBalancer:
    return replace(
        observed,
        listeners=tuple(edit(item) if item.spec.key == key else item for item in observed.listeners),
    )


def _new_listener(step: CreateListeners, key: ListenerKey, ids: Mapping[ListenerKey, str]) -> ObservedListener:
    spec = ListenerSpec(
        key,
        name=step.name,
        certificate=step.certificate,
        sni=step.sni,
        keepalive=given(step.keepalive, False),
        snat=given(step.snat, False),
    )
    return ObservedListener(ListenerId(ids.get(key, "")), spec)


def _listener(
    item: ObservedListener, step: ModifyListener | CreateRules | ModifyRule | ModifyHost | DeleteRules
) -> ObservedListener:
    match step:
        case ModifyListener(after=after):
            return replace(item, spec=_modified(item.spec, after))
        case CreateRules(rules=rules, hosts=hosts):
            spec = with_hosts(item.spec, (rule.key.host for rule in rules), hosts)
            return replace(item, spec=replace(spec, rules=(*spec.rules, *rules)))
        case ModifyRule(before=before, after=after):
            changed = (_changed_rule(rule, after) if rule.key == before.key else rule for rule in item.spec.rules)
            return replace(item, spec=replace(item.spec, rules=tuple(changed)))
        case ModifyHost(before=before, after=after):
            return replace(item, spec=with_hosts(item.spec, (before.host,), (after,)))
        case DeleteRules(rules=keys, new_default=new_default):
            return _without_rules(item, frozenset(keys), new_default)
        case _:
            assert_never(step)


def _modified(spec: ListenerSpec, after: ListenerSpec) -> ListenerSpec:
    changed = over(replace(after, hosts=spec.hosts, rules=spec.rules), spec)
    if after.certificate is UNSET or changed.sni is True:
        return changed
    return replace(changed, hosts=tuple(replace(host, certificate=after.certificate) for host in spec.hosts))


def _changed_rule(rule: RuleSpec, after: RuleSpec) -> RuleSpec:
    return replace(
        rule,
        health_check=over(after.health_check, rule.health_check),
        scheduler=rule.scheduler if after.scheduler is UNSET else after.scheduler,
        session_s=rule.session_s if after.session_s is UNSET else after.session_s,
        forward_type=rule.forward_type if after.forward_type is UNSET else after.forward_type,
    )


def _without_rules(item: ObservedListener, gone: frozenset[RuleKey], new_default: str | None) -> ObservedListener:
    rules = tuple(rule for rule in item.spec.rules if rule.key not in gone)
    left = {rule.key.host for rule in rules}
    hosts = tuple(host for host in item.spec.hosts if host.host in left)
    if hosts and not any(host.default is True for host in hosts):
        # Left to itself the cloud takes the oldest host (DeleteRule page).
        successor = new_default if new_default in left else hosts[0].host
        hosts = tuple(replace(host, default=host.host == successor) for host in hosts)
    return replace(
        item,
        spec=replace(item.spec, rules=rules, hosts=hosts),
        locations={key: value for key, value in item.locations.items() if key not in gone},
        redirects={key: value for key, value in item.redirects.items() if key not in gone},
    )


def _placed(observed: ObservedLoadBalancer, placements: tuple[Placement, ...], edit: Edit) -> ObservedLoadBalancer:
    by_rule: dict[RuleRef, list[Target]] = {}
    for placement in placements:
        by_rule.setdefault(placement.rule, []).append(placement.target)

    def changed(key: ListenerKey, rule: RuleSpec) -> RuleSpec:
        targets = by_rule.get(RuleRef(key, rule.key))
        return edit(rule, tuple(targets)) if targets else rule

    return replace(
        observed,
        listeners=tuple(
            replace(item, spec=replace(item.spec, rules=tuple(changed(item.spec.key, r) for r in item.spec.rules)))
            for item in observed.listeners
        ),
    )


def _with(rule: RuleSpec, targets: tuple[Target, ...]) -> RuleSpec:
    return replace(rule, targets=tuple(sorted((*rule.targets, *targets), key=_order)))


def _without(rule: RuleSpec, targets: tuple[Target, ...]) -> RuleSpec:
    gone = {_order(target) for target in targets}
    return replace(rule, targets=tuple(target for target in rule.targets if _order(target) not in gone))


def _reweighed(rule: RuleSpec, targets: tuple[Target, ...]) -> RuleSpec:
    new = {_order(target): target.weight for target in targets}
    return replace(
        rule,
        targets=tuple(
            replace(target, weight=new[_order(target)]) if _order(target) in new else target for target in rule.targets
        ),
    )


def _order(target: Target) -> tuple[TargetKey, str]:
    return target.key, target.instance_id or ""
