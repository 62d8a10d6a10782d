"""What a step for redirects leaves behind. Ids of rules that AutoRewrite makes are unknown until they are read back."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import assert_never

from l7lb.model.identity import LocationId, RuleKey
from l7lb.model.loadbalancer import (
    Certificate,
    HostSpec,
    ListenerSpec,
    ObservedListener,
    ObservedLoadBalancer,
    Redirect,
)
from l7lb.model.maybe import given, over
from l7lb.model.redirecting import MIRROR_SOURCE, MIRROR_TARGET, CreateRedirects, DeleteRedirects, MirrorHosts


def redirected(
    observed: ObservedLoadBalancer, step: MirrorHosts | CreateRedirects | DeleteRedirects
) -> ObservedLoadBalancer:
    """The observation after the step."""
    there = {item.spec.key: item for item in observed.listeners}
    match step:
        case MirrorHosts(hosts):
            changed = _mirrored(there[MIRROR_SOURCE], there[MIRROR_TARGET], dict(hosts))
        case CreateRedirects(source, target, pairs):
            to = there[target]
            made = {pair.source: _redirect(to, pair.target, pair.code) for pair in pairs}
            changed = replace(there[source], redirects={**there[source].redirects, **made})
        case DeleteRedirects(source, _, former):
            gone = {one.source for one in former}
            left = {key: found for key, found in there[source].redirects.items() if key not in gone}
            changed = replace(there[source], redirects=left)
        case _:
            assert_never(step)
    key = changed.spec.key
    return replace(observed, listeners=tuple(changed if item.spec.key == key else item for item in observed.listeners))


def _mirrored(plain: ObservedListener, secure: ObservedListener, codes: Mapping[str, int]) -> ObservedListener:
    """Each rule of the hosts has a twin that redirects to it; a new twin is like it, without targets."""
    twins = [rule for host in codes for rule in secure.spec.rules if rule.key.host == host]
    present = {rule.key for rule in plain.spec.rules}
    new = tuple(replace(rule, targets=()) for rule in twins if rule.key not in present)
    spec = with_hosts(plain.spec, (rule.key.host for rule in new), ())
    made = {rule.key: _redirect(secure, rule.key, codes[rule.key.host], automatic=True) for rule in twins}
    return replace(plain, spec=replace(spec, rules=(*spec.rules, *new)), redirects={**plain.redirects, **made})


def _redirect(to: ObservedListener, target: RuleKey, code: int, *, automatic: bool = False) -> Redirect:
    return Redirect(to.id, to.locations.get(target, LocationId("")), code, automatic)


def with_hosts(spec: ListenerSpec, names: Iterable[str], said: Iterable[HostSpec]) -> ListenerSpec:
    """New hosts appended, and what is said of hosts applied. The first host of a listener is its default."""
    hosts = {host.host: host for host in spec.hosts}
    inherited: Certificate | None = given(spec.certificate, None)
    for name in names:
        if name not in hosts:
            hosts[name] = HostSpec(name, certificate=inherited, default=not hosts)
    for host in said:
        if host.default is True:
            hosts = {name: replace(other, default=False) for name, other in hosts.items()}
        hosts[host.host] = over(host, hosts[host.host])
    return replace(spec, hosts=tuple(hosts.values()))
