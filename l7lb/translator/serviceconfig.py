"""Listeners decorated with what a TkeServiceConfig declares of them. Makes no listener, host or rule.

What an entry does not name stays UNSET, so it is not touched; removing a field, or the annotation, restores nothing.
Entries are found by protocol and port, then by host (empty: no host), then by path; an Exact path is found with or
without the `=` that CLB puts before it. A value that cannot be is left out by itself, and the author hears its path.
What can only be judged against the load balancer (a time-out beyond an interval that stays) is the planner's business.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from l7lb.model.cluster import TkeServiceConfig
from l7lb.model.identity import ListenerKey, Protocol, RuleKey, RuleRef
from l7lb.model.loadbalancer import HealthCheck, HostSpec, ListenerSpec, RuleSpec
from l7lb.model.maybe import UNSET, Maybe
from l7lb.model.problems import Held, Severity
from l7lb.translator import serviceconfig_form as form
from l7lb.translator.notebook import Notebook
from l7lb.translator.options import AUTO_SUFFIX
from l7lb.translator.serviceconfig_reading import FAULTS_MAX, Fault, Reader, decoded

T = TypeVar("T")
P = TypeVar("P", bound=form.Part)

NAMED: Final = 3
"""So many entries without a match are named; the rest is counted."""
ADDRESS: Final = re.compile(r"(\d{1,3}\.){3}\d{1,3}", re.ASCII)


def decorate(
    listeners: tuple[ListenerSpec, ...], config: TkeServiceConfig, notebook: Notebook
) -> tuple[ListenerSpec, ...]:
    """The same listeners, hosts and rules, with the settings that the object declares of them."""
    reader = Reader()
    decorator = _Decorator(reader.faults, notebook.findings().held, kept=config.key.name.endswith(AUTO_SUFFIX))
    declared = _declared(config, reader)
    made = decorator.listeners(listeners, declared)
    _tell(config, decorator, notebook)
    return made


def host_meant(name: str, hosts: Collection[str]) -> str:
    """The host that an entry's domain stands for: TKE writes the load balancer's own address where there is none."""
    return "" if name not in hosts and "" in hosts and ADDRESS.fullmatch(name) else name


def matches(entry: str, path: str, siblings: Iterable[str]) -> bool:
    """Whether an entry's url stands for a rule's path. `siblings`: the paths of the rule's host, itself included."""
    return entry == path or (path == f"={entry}" and entry not in siblings)


def _declared(config: TkeServiceConfig, reader: Reader) -> form.LoadBalancer:
    spec = decoded(config.spec)
    balancer = spec.get("loadBalancer") if isinstance(spec, dict) else None
    if isinstance(spec, dict) and isinstance(balancer, dict):
        # Listeners of layer 4 are read by the Service controller, which judges them by itself.
        spec = {**spec, "loadBalancer": {name: value for name, value in balancer.items() if name != "l4Listeners"}}
    read = reader.read(form.Spec, spec, "spec")
    return (read and read.load_balancer) or form.LoadBalancer()


@dataclass(slots=True)
class _Decorator:
    """Goes through listeners and entries side by side, and notes which entries stand for nothing."""

    faults: list[Fault]
    held: Held
    kept: bool
    """Whether the object is kept in step with the rules: then its entries without a match are on their way out."""
    idle: list[str] = field(default_factory=list)

    def listeners(self, specs: tuple[ListenerSpec, ...], declared: form.LoadBalancer) -> tuple[ListenerSpec, ...]:
        if declared.internet_max_bandwidth_out is not None:
            self.faults.append(
                Fault(
                    "spec.loadBalancer.internetMaxBandwidthOut", "counts only at creation: not applied", serious=False
                )
            )
        path = "spec.loadBalancer.l7Listeners"
        entries: dict[ListenerKey, tuple[form.Listener, str]] = {}
        for index, entry in enumerate(declared.l7_listeners or ()):
            self._enter(entries, ListenerKey(entry.protocol, entry.port), (entry, f"{path}[{index}]"))
        there = {spec.key for spec in specs}
        self._idle(
            (f"{at} ({key})", key in self.held.listeners) for key, (_, at) in entries.items() if key not in there
        )
        return tuple(self._listener(spec, *entries[spec.key]) if spec.key in entries else spec for spec in specs)

    def _listener(self, spec: ListenerSpec, entry: form.Listener, path: str) -> ListenerSpec:
        entries: dict[str, tuple[form.Domain, str]] = {}
        names = frozenset(host.host for host in spec.hosts)
        for index, domain in enumerate(entry.domains or ()):
            self._enter(entries, host_meant(domain.domain, names), (domain, f"{path}.domains[{index}]"))
        self._idle(
            (f'{at} ("{name}")', _is_held_host(self.held, spec.key, name))
            for name, (_, at) in entries.items()
            if name not in names
        )
        default = host_meant(entry.default_server, names) if entry.default_server is not None else None
        if default is not None and default not in names:
            if not self.kept:
                self.faults.append(Fault(f"{path}.defaultServer", f"names no host of {spec.key}"))
            default = None
        return replace(
            spec,
            name=_maybe(entry.listener_name),
            keepalive=UNSET if entry.keepalive_enable is None else entry.keepalive_enable == 1,
            snat=_maybe(entry.snat_enable),
            hosts=tuple(self._host(spec.key, host, entries, default) for host in spec.hosts),
            rules=self._rules(spec, entries),
        )

    def _host(
        self, key: ListenerKey, host: HostSpec, entries: Mapping[str, tuple[form.Domain, str]], default: str | None
    ) -> HostSpec:
        made = replace(host, default=True) if host.host == default else host
        if host.host not in entries:
            return made
        entry, path = entries[host.host]
        if entry.http2 is None:
            return made
        if key.protocol != Protocol.HTTPS:
            if entry.http2:
                self.faults.append(Fault(f"{path}.http2", "needs an HTTPS listener"))
            return made
        return replace(made, http2=entry.http2)

    def _rules(self, spec: ListenerSpec, domains: Mapping[str, tuple[form.Domain, str]]) -> tuple[RuleSpec, ...]:
        decorated: dict[RuleKey, RuleSpec] = {rule.key: rule for rule in spec.rules}
        for host, (domain, path) in domains.items():
            entries: dict[str, tuple[form.Rule, str]] = {}
            for index, rule in enumerate(domain.rules or ()):
                self._enter(entries, rule.url, (rule, f"{path}.rules[{index}]"))
            paths = frozenset(key.path for key in decorated if key.host == host)
            if not paths:
                continue
            for url, (entry, at) in entries.items():
                meant = [RuleKey(host, one) for one in paths if _is_meant(url, one, paths, entries)]
                if not meant:
                    self._idle([(f'{at} ("{url}")', _is_held_rule(self.held, spec.key, host, url))])
                for key in meant:
                    decorated[key] = self._rule(spec.key, decorated[key], (entry, at), domain)
        return tuple(decorated.values())

    def _rule(self, key: ListenerKey, rule: RuleSpec, declared: tuple[form.Rule, str], domain: form.Domain) -> RuleSpec:
        entry, path = declared
        forward = entry.forward_type
        if forward in form.GRPC and (key.protocol != Protocol.HTTPS or domain.http2 is False):
            self.faults.append(Fault(f"{path}.forwardType", f"{forward} needs an HTTPS listener with http2"))
            forward = None
        session = entry.session
        length = session.session_expire_time if session is not None else None
        return replace(
            rule,
            health_check=self._check(key, entry.health_check, f"{path}.healthCheck"),
            scheduler=_maybe(entry.scheduler),
            session_s=0 if session is not None and not session.enable else _maybe(length),
            sticky=True if session is not None and session.enable else UNSET,
            forward_type=_maybe(forward),
        )

    def _check(self, key: ListenerKey, entry: form.HealthCheck | None, path: str) -> HealthCheck:
        if entry is None:
            return HealthCheck()
        kind, timeout = entry.check_type, entry.timeout
        if kind == "HTTPS" and key.protocol != Protocol.HTTPS:
            self.faults.append(Fault(f"{path}.checkType", "HTTPS needs an HTTPS listener"))
            kind = None
        if timeout is not None and entry.interval_time is not None and timeout > entry.interval_time:
            self.faults.append(Fault(f"{path}.timeout", f"must not be more than intervalTime ({entry.interval_time})"))
            timeout = None
        return HealthCheck(
            enabled=entry.enable,
            timeout_s=_maybe(timeout),
            interval_s=_maybe(entry.interval_time),
            healthy_num=_maybe(entry.health_num),
            unhealthy_num=_maybe(entry.un_health_num),
            http_code=_maybe(entry.http_code),
            path=_maybe(entry.http_check_path),
            host=_maybe(entry.http_check_domain or None),
            method=_maybe(entry.http_check_method),
            check_type=_maybe(kind),
            source_ip_type=_maybe(entry.source_ip_type),
            port=_maybe(entry.check_port),
        )

    def _enter(self, entries: dict[T, tuple[P, str]], key: T, entry: tuple[P, str]) -> None:
        """The first entry for a key counts."""
        if key in entries:
            self.faults.append(Fault(entry[1], f"says again what {entries[key][1]} is about, which counts"))
        entries.setdefault(key, entry)

    def _idle(self, found: Iterable[tuple[str, bool]]) -> None:
        self.idle += [what for what, is_held in found if not is_held and not self.kept]


def _is_meant(url: str, path: str, paths: frozenset[str], entries: Mapping[str, object]) -> bool:
    """The entry with the `=` goes before the one without it."""
    return matches(url, path, paths) and (url == path or path not in entries)


def _maybe(value: T | None) -> Maybe[T]:
    return UNSET if value is None else value


def _is_held_host(held: Held, key: ListenerKey, host: str) -> bool:
    """Whether something of the host is left out of what is desired only because it is broken."""
    broken = {ref.rule.host for ref in held.rules if ref.listener == key}
    return key in held.listeners or (key, host) in held.hosts or host in broken


def _is_held_rule(held: Held, key: ListenerKey, host: str, url: str) -> bool:
    return any(held.covers(RuleRef(key, RuleKey(host, path))) for path in (url, f"={url}"))


def _tell(config: TkeServiceConfig, found: _Decorator, notebook: Notebook) -> None:
    """What is left out, by the path of its field; and what stands for nothing, which may be another Ingress's."""
    for fault in found.faults[:FAULTS_MAX]:
        notebook.problem(
            "",
            "InvalidServiceConfig",
            f"TkeServiceConfig {config.key}: {fault.path} {fault.what}; it is left out, the rest applies",
            field=fault.path,
            severity=Severity.ERROR if fault.serious else Severity.WARNING,
        )
    if len(found.faults) > FAULTS_MAX:
        notebook.warn(
            "",
            "InvalidServiceConfig",
            f"TkeServiceConfig {config.key}: {len(found.faults) - FAULTS_MAX} more of its fields are left out",
        )
    if found.idle:
        more = f" and {len(found.idle) - NAMED} more" if len(found.idle) > NAMED else ""
        notebook.warn(
            "",
            "ServiceConfigUnmatched",
            f"TkeServiceConfig {config.key}: nothing of Ingress {notebook.about} is meant by"
            f" {', '.join(found.idle[:NAMED])}{more}",
        )
