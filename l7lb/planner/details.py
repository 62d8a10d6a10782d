"""A step piece by piece: every listener, rule, target and field that it makes, changes or takes away.

`describe` has one line for a step, for logs and Events; this is what a person reads before letting a plan pass.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, assert_never

from l7lb.model.loadbalancer import CreateSpec, HostSpec, RuleSpec, Target
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
    RegisterTargets,
    RemoveTags,
    SetSecurityGroups,
    Step,
)
from l7lb.model.redirecting import CreateRedirects, DeleteRedirects, MirrorHosts
from l7lb.planner.changes import certificate_word, changes, pairs, word


class Turn(StrEnum):
    """What becomes of a piece."""

    ADD = "+"
    CHANGE = "~"
    REMOVE = "-"


@dataclass(frozen=True, slots=True)
class Detail:
    """One piece."""

    sign: Turn
    kind: str
    """In the singular: "rule"."""
    name: str
    text: str = ""
    """What else there is to say: settings of what is made, `before -> after` of what changes."""
    place: str = ""
    """The rule that a target is on."""


Totals: TypeAlias = Counter[tuple[Turn, str]]
"""How many pieces of which kind are made, changed and taken away."""


def tally(steps: Iterable[Step]) -> Totals:
    """Settings count as one change of what they belong to, and tags of a new load balancer as part of it."""
    found: Totals = Counter()
    for step in steps:
        match step:
            case CreateLoadBalancer():
                found[Turn.ADD, "load balancer"] += 1
            case ModifyLoadBalancer() | SetSecurityGroups():
                found[Turn.CHANGE, "load balancer"] += 1
            case ModifyListener():
                found[Turn.CHANGE, "listener"] += 1
            case ModifyRule():
                found[Turn.CHANGE, "rule"] += 1
            case ModifyHost():
                found[Turn.CHANGE, "host"] += 1
            case _:
                found.update((one.sign, one.kind) for one in details(step))
    return found


def headline(step: Step) -> str:
    """The step without its pieces."""
    match step:
        case CreateLoadBalancer():
            return "create load balancer"
        case DeleteLoadBalancer(id=victim, force=force):
            return f"delete load balancer {victim}{' by force' if force else ''}"
        case ModifyLoadBalancer() | SetSecurityGroups():
            return "modify load balancer"
        case ModifyListener(key):
            return f"modify listener {key}"
        case ModifyRule(listener, before):
            return f"modify rule {listener} {before.key}"
        case ModifyHost(listener, host):
            return f"modify host {host.host or '(no host)'} on {listener}"
        case CreateRules(listener) | DeleteRules(listener):
            then = getattr(step, "new_default", None)
            new_default = f"; unknown hosts go to {then or '(no host)'}" if then is not None else ""
            return f"{_verb(step)} {_counted(step)} on {listener}{new_default}"
        case _:
            return f"{_verb(step)} {_counted(step)}"


def _verb(step: Step) -> str:
    match step:
        case AddTags() | ModifyWeights():
            return "set" if isinstance(step, AddTags) else "set weights of"
        case CreateRedirects(again=True):
            return "make anew"
        case DeleteRedirects(again=True):
            return "take off for a moment"
        case RegisterTargets():
            return "register"
        case DeregisterTargets():
            return "deregister"
        case RemoveTags() | DeleteListeners() | DeleteRules() | DeleteRedirects():
            return "remove" if isinstance(step, RemoveTags) else "delete"
        case _:
            return "create"


def _counted(step: Step) -> str:
    pieces = details(step)
    number, kind = len(pieces), pieces[0].kind if pieces else "piece"
    return f"{number} {kind}{'' if number == 1 else 's'}"


def details(step: Step) -> tuple[Detail, ...]:
    """Every piece, in the order of the step."""
    match step:
        case CreateLoadBalancer() | DeleteLoadBalancer() | ModifyLoadBalancer() | SetSecurityGroups():
            return tuple(_whole(step))
        case AddTags(tags):
            return tuple(Detail(Turn.ADD, "tag", key, value) for key, value in tags)
        case RemoveTags(keys):
            return tuple(Detail(Turn.REMOVE, "tag", key) for key in keys)
        case CreateListeners() | ModifyListener() | DeleteListeners():
            return tuple(_listeners(step))
        case CreateRules() | ModifyRule() | ModifyHost() | DeleteRules():
            return tuple(_rules(step))
        case MirrorHosts() | CreateRedirects() | DeleteRedirects():
            return tuple(_redirects(step))
        case RegisterTargets(placements):
            return tuple(_placed(Turn.ADD, placements))
        case DeregisterTargets(placements):
            return tuple(_placed(Turn.REMOVE, placements))
        case ModifyWeights(placements):
            return tuple(_placed(Turn.CHANGE, placements))
        case _:
            assert_never(step)


def _whole(step: CreateLoadBalancer | DeleteLoadBalancer | ModifyLoadBalancer | SetSecurityGroups) -> Iterable[Detail]:
    match step:
        case CreateLoadBalancer(create, tags, _, pass_to_target):
            yield Detail(Turn.ADD, "load balancer", create.name or "new", _settings(create))
            yield from (Detail(Turn.ADD, "tag", key, value) for key, value in tags)
            if pass_to_target is not UNSET:
                yield Detail(Turn.ADD, "setting", "pass_to_target", word(pass_to_target))
        case DeleteLoadBalancer(id=victim, proof=proof):
            yield Detail(Turn.REMOVE, "load balancer", victim, proof)
        case ModifyLoadBalancer():
            yield from _settings_of(None, step)
        case SetSecurityGroups(groups):
            yield Detail(Turn.CHANGE, "setting", "security groups", ", ".join(sorted(groups)) or "none")
        case _:
            assert_never(step)


def _settings(create: CreateSpec) -> str:
    """What is asked for beyond the defaults."""
    usual = dict(pairs(CreateSpec()))
    asked = [(name, value) for name, value in pairs(create) if value != usual[name] and name not in ("name", "tags")]
    return ", ".join(f"{name} {_plain(value)}" for name, value in asked)


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join("=".join(map(str, one)) if isinstance(one, tuple) else str(one) for one in value)
    return word(value)


def _listeners(step: CreateListeners | ModifyListener | DeleteListeners) -> Iterable[Detail]:
    match step:
        case CreateListeners(name=name, certificate=certificate, sni=sni, keepalive=keepalive, snat=snat):
            told = [f"name {name}"] if name else []
            told += [certificate_word(certificate)] if certificate is not None else []
            told += ["SNI"] if sni else []
            told += [f"{key} {word(value)}" for key, value in (("keepalive", keepalive), ("snat", snat))
                     if value is not UNSET]  # fmt: skip
            yield from (Detail(Turn.ADD, "listener", str(key), ", ".join(told)) for key in step.keys)
        case ModifyListener(_, before, after):
            yield from _settings_of(before, after)
        case DeleteListeners(keys):
            yield from (Detail(Turn.REMOVE, "listener", str(key)) for key in keys)
        case _:
            assert_never(step)


def _rules(step: CreateRules | ModifyRule | ModifyHost | DeleteRules) -> Iterable[Detail]:
    match step:
        case CreateRules(_, rules, hosts):
            with_hosts = {one.host: one for one in hosts}
            yield from (
                Detail(Turn.ADD, "rule", str(rule.key), _rule_settings(rule, with_hosts.get(rule.key.host)))
                for rule in rules
            )
        case ModifyRule(_, before, after) | ModifyHost(_, before, after):
            yield from _settings_of(before, after)
        case DeleteRules(_, keys):
            yield from (Detail(Turn.REMOVE, "rule", str(key)) for key in keys)
        case _:
            assert_never(step)


def _rule_settings(rule: RuleSpec, host: HostSpec | None) -> str:
    told = [f"{one.field} {one.after}" for one in changes(None, rule)]
    told += [f"host {one.field} {one.after}" for one in changes(None, host)] if host is not None else []
    return ", ".join(told)


def _redirects(step: MirrorHosts | CreateRedirects | DeleteRedirects) -> Iterable[Detail]:
    match step:
        case MirrorHosts(hosts):
            for host, code in hosts:
                yield Detail(Turn.ADD, "redirected host", host or "(no host)", f"HTTP:80 -> HTTPS:443 ({code})")
        case CreateRedirects(source, target, redirects):
            for one in redirects:
                yield Detail(Turn.ADD, "redirect", f"{source} {one.source}", f"-> {target} {one.target} ({one.code})")
        case DeleteRedirects(source, target, former):
            for old in former:
                where = old.target or f"{target} {old.location}"
                yield Detail(Turn.REMOVE, "redirect", f"{source} {old.source}", f"-> {where}")
        case _:
            assert_never(step)


def _placed(sign: Turn, placements: Iterable[Placement]) -> Iterable[Detail]:
    for one in placements:
        yield Detail(sign, "target", str(one.target.key), _target(one.target), str(one.rule))


def _target(target: Target) -> str:
    told = [f"weight {target.weight}"] if target.weight is not UNSET else []
    return ", ".join([*told, *([target.instance_id] if target.instance_id else [])])


def _settings_of(before: object, after: object) -> Iterable[Detail]:
    for one in changes(before, after):
        arrow = f"{one.before} -> " if one.before else ""
        yield Detail(Turn.CHANGE, "setting", one.field, f"{arrow}{one.after}")
