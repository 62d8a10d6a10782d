"""The object that is kept for an Ingress (contract, section 6.4): a fragment for each rule, none for rules that went.

A fragment says what was read back from the load balancer when its rule was new; after that it is its author's. So what
stands in the object is never changed, only entries come and go with the rules. In step with them, there is nothing to
write. Which object it is, and the writing, are the business of others.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from l7lb.model.cluster import TkeServiceConfig
from l7lb.model.identity import ListenerKey, Protocol, RuleKey
from l7lb.model.loadbalancer import HealthCheck, ListenerSpec, RuleSpec
from l7lb.model.maybe import UNSET, given
from l7lb.translator import serviceconfig_form as form
from l7lb.translator.serviceconfig import host_meant, matches
from l7lb.translator.serviceconfig_reading import decoded, fields_of, unfit

Json = dict[str, Any]

USUAL_CHECK: Final = "HTTP"


def in_step(
    config: TkeServiceConfig | None, desired: Iterable[ListenerSpec], observed: Iterable[ListenerSpec]
) -> Mapping[str, object] | None:
    """The part of the spec that is to be written; None: the object says of each rule what it should, or more.

    `observed`: our listeners as they are, with every rule that is there, wanted or held.
    """
    there = {spec.key: spec for spec in observed}
    wanted = {spec.key: spec for spec in desired}
    sights = {key: _Sight(wanted.get(key), there.get(key)) for key in sorted(wanted.keys() | there.keys())}
    before = _listeners(config)
    after = _entries(before, sights)
    return None if config is not None and after == before else {"loadBalancer": {"l7Listeners": after}}


@dataclass(frozen=True, slots=True)
class _Sight:
    """One listener from both sides."""

    desired: ListenerSpec | None
    observed: ListenerSpec | None

    def hosts(self) -> tuple[str, ...]:
        """Hosts that have a rule, wanted or there; in order."""
        return tuple(dict.fromkeys(rule.key.host for spec in self._sides() for rule in spec.rules))

    def paths(self, host: str) -> tuple[str, ...]:
        """Paths of a host, wanted or there; in order."""
        found = (rule.key.path for spec in self._sides() for rule in spec.rules if rule.key.host == host)
        return tuple(dict.fromkeys(found))

    def wanted(self, host: str) -> tuple[str, ...]:
        """Paths that want a fragment."""
        rules = self.desired.rules if self.desired is not None else ()
        return tuple(rule.key.path for rule in rules if rule.key.host == host and self.rule(rule.key) is not None)

    def rule(self, key: RuleKey) -> RuleSpec | None:
        """The rule as it is; TKE writes an Exact path without `=`."""
        rules = {rule.key: rule for rule in self.observed.rules} if self.observed is not None else {}
        return rules.get(key) or rules.get(RuleKey(key.host, key.path.removeprefix("=")))

    def default(self) -> str | None:
        """Who serves unknown hosts."""
        hosts = self.observed.hosts if self.observed is not None else ()
        return next((host.host for host in hosts if host.default is True), None)

    def _sides(self) -> tuple[ListenerSpec, ...]:
        return tuple(spec for spec in (self.desired, self.observed) if spec is not None)


def _listeners(config: TkeServiceConfig | None) -> list[Any]:
    spec = decoded(config.spec) if config is not None else None
    balancer = spec.get("loadBalancer") if isinstance(spec, dict) else None
    found = balancer.get("l7Listeners") if isinstance(balancer, dict) else None
    return found if isinstance(found, list) else []


def _entries(before: list[Any], sights: Mapping[ListenerKey, _Sight]) -> list[Any]:
    """What is no listener's entry is left: its author hears of it elsewhere."""
    after: list[Any] = []
    met: set[ListenerKey] = set()
    for entry in before:
        key = _key(entry)
        if key is None:
            after.append(entry)
        elif key in sights:
            after.append(_kept(entry, sights[key]) if key not in met else entry)
            met.add(key)
    return after + [_listener(key, sight) for key, sight in sights.items() if key not in met and sight.observed]


def _key(entry: object) -> ListenerKey | None:
    if not isinstance(entry, dict):
        return None
    protocol, port = entry.get("protocol"), entry.get("port")
    if not isinstance(protocol, str) or not isinstance(port, int) or protocol not in tuple(Protocol):
        return None
    return ListenerKey(protocol, port)


def _kept(entry: Json, sight: _Sight) -> Json:
    before = entry.get("domains")
    before = before if isinstance(before, list) else []
    names = sight.hosts()
    after: list[Any] = []
    met: set[str] = set()
    for domain in before:
        name = domain.get("domain") if isinstance(domain, dict) else None
        if not isinstance(name, str):
            after.append(domain)
            continue
        host = host_meant(name, names)
        if host in names:
            after.append(_kept_host(domain, host, sight) if host not in met else domain)
            met.add(host)
    after += [_host(host, sight) for host in names if host not in met and sight.wanted(host)]
    made = entry if after == before else {**entry, "domains": after}
    return _with_default(made, names, sight)


def _with_default(entry: Json, names: tuple[str, ...], sight: _Sight) -> Json:
    """The default host goes with its last rule; its successor is named in its place."""
    said = entry.get("defaultServer")
    if not isinstance(said, str) or host_meant(said, names) in names:
        return entry
    rest = {name: value for name, value in entry.items() if name != "defaultServer"}
    heir = sight.default()
    return rest if heir is None else {**rest, "defaultServer": heir}


def _kept_host(entry: Json, host: str, sight: _Sight) -> Json:
    before = entry.get("rules")
    before = before if isinstance(before, list) else []
    paths = sight.paths(host)
    urls = [rule.get("url") if isinstance(rule, dict) else None for rule in before]
    after = [
        rule
        for rule, url in zip(before, urls, strict=True)
        if not isinstance(url, str) or any(matches(url, path, paths) for path in paths)
    ]
    texts = [url for url in urls if isinstance(url, str)]
    after += [
        _rule(RuleKey(host, path), sight)
        for path in sight.wanted(host)
        if not any(matches(url, path, paths) for url in texts)
    ]
    return entry if after == before else {**entry, "rules": after}


def _listener(key: ListenerKey, sight: _Sight) -> Json:
    made: Json = {"protocol": str(key.protocol), "port": key.port}
    default = sight.default()
    if default is not None:
        made["defaultServer"] = default
    keepalive = sight.observed.keepalive if sight.observed is not None else UNSET
    made["keepaliveEnable"] = int(given(keepalive, False))
    domains = [_host(host, sight) for host in sight.hosts() if sight.wanted(host)]
    return _fitting(form.Listener, made) | ({"domains": domains} if domains else {})


def _host(host: str, sight: _Sight) -> Json:
    return {"domain": host, "rules": [_rule(RuleKey(host, path), sight) for path in sight.wanted(host)]}


def _rule(key: RuleKey, sight: _Sight) -> Json:
    rule = sight.rule(key) or RuleSpec(key)
    session_s = given(rule.session_s, 0)
    session: Json = {"enable": True, "sessionExpireTime": session_s} if session_s else {"enable": False}
    return {
        **_fitting(form.Rule, {"url": key.path, "forwardType": rule.forward_type, "scheduler": rule.scheduler}),
        "session": _fitting(form.Session, session),
        "healthCheck": _fitting(form.HealthCheck, _check(rule.health_check)),
    }


def _check(check: HealthCheck) -> Json:
    """As TKE shows it: the kind of check only where it is not the usual one, and of one that is off nothing else."""
    if check.enabled is False:
        return {"enable": False}
    return {
        "enable": True,
        "intervalTime": check.interval_s,
        "timeout": check.timeout_s,
        "healthNum": check.healthy_num,
        "unHealthNum": check.unhealthy_num,
        "httpCode": check.http_code,
        "httpCheckMethod": check.method,
        "httpCheckPath": check.path,
        "httpCheckDomain": check.host or UNSET,
        "sourceIpType": check.source_ip_type,
        "checkType": check.check_type if check.check_type != USUAL_CHECK else UNSET,
        "checkPort": check.port or UNSET,
    }


def _fitting(kind: type[form.Part], values: Json) -> Json:
    """What the form takes; a value of the console that it does not know is not mirrored."""
    forms = {one.encode_name: plain for one, plain, _ in fields_of(kind)}
    return {name: value for name, value in values.items() if value is not UNSET and unfit(forms[name], value) is None}
