"""The words and the name of a plan: one line a step for people, JSON for machines, a digest for approvals."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass, replace
from enum import Enum
from typing import Final, assert_never

from l7lb.model.identity import ListenerKey, RuleKey, RuleRef
from l7lb.model.loadbalancer import CreateSpec, DesiredLoadBalancer, TargetKey
from l7lb.model.maybe import UNSET
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
from l7lb.model.redirecting import CreateRedirects, DeleteRedirects, MirrorHosts
from l7lb.planner.changes import certificate_word, changes, pairs

DIGITS: Final = 16
NAMED: Final = 3
"""So many of a list are named in a line; the rest is counted."""


def describe(step: Step) -> str:
    """One line in keys, such as `register 2 targets on HTTP:80 a.example.com/: 10.0.0.1:80, 10.0.0.2:80`."""
    match step:
        case CreateLoadBalancer() | DeleteLoadBalancer() | AddTags() | RemoveTags():
            return _describe_whole(step)
        case ModifyLoadBalancer() | SetSecurityGroups():
            return _describe_attributes(step)
        case CreateListeners() | ModifyListener() | DeleteListeners():
            return _describe_listeners(step)
        case CreateRules(listener, rules):
            return f"create {_count(rules, 'rule')} on {listener}: {_some(rule.key for rule in rules)}"
        case ModifyRule(listener, before, after):
            return f"modify rule {listener} {before.key}: {_changes(before, after)}"
        case ModifyHost(listener, before, after):
            return f"modify host {before.host or '(no host)'} on {listener}: {_changes(before, after)}"
        case DeleteRules(listener, rules, new_default):
            then = f"; unknown hosts go to {new_default or '(no host)'}" if new_default is not None else ""
            return f"delete {_count(rules, 'rule')} on {listener}: {_some(rules)}{then}"
        case MirrorHosts() | CreateRedirects() | DeleteRedirects():
            return _describe_redirects(step)
        case RegisterTargets(placements):
            return f"register {_placed(placements)}"
        case DeregisterTargets(placements):
            return f"deregister {_placed(placements)}"
        case ModifyWeights(placements):
            return f"set weights of {_placed(placements, weights=True)}"
        case _:
            assert_never(step)


def to_json(plan: Plan) -> dict[str, object]:
    """For `l7lb plan -o json`: digest, steps with their line and their fields, notes."""
    return {
        "digest": digest(plan),
        "steps": [{"step": type(step).__name__, "text": describe(step), **_fields(step)} for step in plan.steps],
        "notes": list(plan.notes),
    }


def digest(plan: Plan) -> str:
    """Names exactly this list of steps; notes do not count."""
    return _hash([{"step": type(step).__name__, **_fields(step)} for step in plan.steps])


def shape_digest(desired: DesiredLoadBalancer) -> str:
    """Names what is compared of the shape: neither targets, nor what only a creation asks for."""
    listeners = tuple(
        replace(
            spec,
            rules=tuple(replace(rule, targets=(), targets_known=True, endpointless=False) for rule in spec.rules),
        )
        for spec in sorted(desired.listeners, key=lambda spec: spec.key)
    )
    fields = _fields(replace(desired, create=CreateSpec(), listeners=listeners))
    return _hash({name: part for name, part in fields.items() if name != "create"})


def _describe_whole(step: CreateLoadBalancer | DeleteLoadBalancer | AddTags | RemoveTags) -> str:
    match step:
        case CreateLoadBalancer(create, tags):
            kind = f"internal load balancer in {create.internal_subnet}" if create.internal_subnet else "load balancer"
            place = f" in {create.region}" if create.region else ""
            return f"create {kind}{place} with tags {_some(f'{key}={value}' for key, value in tags)}"
        case DeleteLoadBalancer(id=victim, proof=proof, force=force):
            return f"delete load balancer {victim}{' by force' if force else ''}: {proof}"
        case AddTags(added):
            return f"set tags {_some(f'{key}={value}' for key, value in added)}"
        case RemoveTags(keys):
            return f"remove tags {_some(keys)}"
        case _:
            assert_never(step)


def _describe_attributes(step: ModifyLoadBalancer | SetSecurityGroups) -> str:
    if isinstance(step, SetSecurityGroups):
        return f"set security groups to {_some(sorted(step.groups)) or 'none'}"
    return f"modify load balancer: {_changes(None, step)}"


def _describe_listeners(step: CreateListeners | ModifyListener | DeleteListeners) -> str:
    match step:
        case CreateListeners(certificate=certificate, sni=sni):
            shown = f" with {certificate_word(certificate)}" if certificate is not None else ""
            return f"create {_count(step.keys, 'listener')} {_some(step.keys)}{shown}{' with SNI' if sni else ''}"
        case ModifyListener(key, before, after):
            return f"modify listener {key}: {_changes(before, after)}"
        case DeleteListeners(keys):
            return f"delete {_count(keys, 'listener')} {_some(keys)}"
        case _:
            assert_never(step)


def _describe_redirects(step: MirrorHosts | CreateRedirects | DeleteRedirects) -> str:
    match step:
        case MirrorHosts(hosts):
            told = _some(f"{host or '(no host)'} ({code})" for host, code in hosts)
            return f"redirect all of {_count(hosts, 'host')} from HTTP:80 to HTTPS:443: {told}"
        case CreateRedirects(source, target, pairs, again):
            told = _some(f"{pair.source} -> {pair.target} ({pair.code})" for pair in pairs)
            return f"redirect {_count(pairs, 'rule')} from {source} to {target}{' anew' if again else ''}: {told}"
        case DeleteRedirects(source, target, former, again):
            told = _some(f"{one.source} -> {one.target or f'{target} {one.location}'}" for one in former)
            return f"take {_count(former, 'redirect')} off {source}{' for a moment' if again else ''}: {told}"
        case _:
            assert_never(step)


def _changes(before: object, after: object) -> str:
    """The set fields of `after`, each with what was there."""
    told = [(one.field, f"{one.before} -> " if one.before else "", one.after) for one in changes(before, after)]
    return ", ".join(f"{name} {old}{new}" for name, old, new in told)


def _placed(placements: tuple[Placement, ...], *, weights: bool = False) -> str:
    rules = dict.fromkeys(placement.rule for placement in placements)
    where = str(next(iter(rules))) if len(rules) == 1 else f"{len(rules)} rules"
    names = (f"{p.target.key}={p.target.weight}" if weights else str(p.target.key) for p in placements)
    return f"{_count(placements, 'target')} on {where}: {_some(names)}"


def _count(items: tuple[object, ...], noun: str) -> str:
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"


def _some(items: Iterable[object]) -> str:
    names = [str(item) for item in items]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _fields(value: object) -> dict[str, object]:
    return {name: _plain(part) for name, part in pairs(value) if part is not UNSET}


def _plain(value: object) -> object:
    """JSON values; keys of the model as people write them."""
    match value:
        case ListenerKey() | RuleKey() | RuleRef() | TargetKey():
            return str(value)
        case Enum():
            return value.value
        case frozenset():
            return sorted(map(str, value))
        case tuple():
            return [_plain(part) for part in value]
        case Mapping():
            return {str(key): _plain(part) for key, part in sorted(value.items(), key=lambda pair: str(pair[0]))}
        case _ if is_dataclass(value):
            return _fields(value)
        case _:
            return value


def _hash(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
