"""Snapshot -> Translation: the other modules' findings put together; no rule of the contract is decided here.

How a part that is at fault shows. Its scope is in `held`, on HTTP:80 and on HTTPS:443 alike. A rule whose targets
cannot be told because its backend cannot be resolved is left out of `desired`. A rule whose shape is held but whose
targets are known (bad certificate of its host; Service gone for five minutes) is in both: its targets are followed
where it exists. A listener is named also when all its rules are left out.
"""

from dataclasses import dataclass

from l7lb.model.identity import RuleKey
from l7lb.model.loadbalancer import Certificate, DesiredLoadBalancer, HostSpec, ListenerSpec, RuleSpec
from l7lb.model.maybe import UNSET, Maybe
from l7lb.model.problems import Held
from l7lb.model.snapshot import Settings, Snapshot, Translation
from l7lb.translator import create
from l7lb.translator.backends import Backends
from l7lb.translator.certificates import Certificates, certificates
from l7lb.translator.names import Name
from l7lb.translator.notebook import HTTP, HTTPS, Notebook
from l7lb.translator.options import read
from l7lb.translator.routing import Route, hosts_of, routes


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the listener is made of."""

    routes: tuple[Route, ...]
    rules: tuple[RuleSpec, ...]
    certificates: Certificates | None
    """None: no TLS."""


def translate(snapshot: Snapshot, settings: Settings) -> Translation:
    """What an Ingress asks for. Never raises; whether the Ingress is ours is not asked."""
    ingress = snapshot.ingress
    notebook = Notebook(ingress)
    reading = read(ingress)
    notebook.repeat(reading.problems)
    if reading.refusal is not None:
        return Translation(None, Held(everything=True), notebook.findings().problems, reading.refusal)
    creation = create.creation(ingress, reading, settings, notebook)
    version = create.address_version(reading)
    wanted = routes(
        ingress,
        notebook,
        rules_max=settings.limits.rules_per_listener,
        ipv6=version in create.WITHOUT_ADDRESS,
    )
    backends = Backends(snapshot, settings, notebook, ipv6=version == create.FULL_CHAIN)
    rules = _rules(wanted, backends, notebook)
    hosts = hosts_of(route.key for route in wanted)
    certified = certificates(snapshot, reading, hosts, notebook)
    desired = DesiredLoadBalancer(
        create=creation.spec,
        listeners=_listeners(_Parts(wanted, rules, certified)),
        security_groups=reading.names(Name.SECURITY_GROUPS),
        pass_to_target=reading.flag(Name.PASS_TO_TARGET),
        delete_protection=reading.flag(Name.DELETION_PROTECTION),
    )
    findings = notebook.findings()
    return Translation(
        desired, findings.held, findings.problems, again_s=backends.again_s, create_refusal=creation.refusal
    )


def _rules(wanted: tuple[Route, ...], backends: Backends, notebook: Notebook) -> tuple[RuleSpec, ...]:
    rules: list[RuleSpec] = []
    keys = {route.key for route in wanted}
    for route in wanted:
        served = backends.resolve(route.backend, f"{route.field}.backend")
        if served is None or served.shape_held:
            notebook.hold_rule(route.key)
            twin = RuleKey(route.key.host, route.key.path.removeprefix("="))
            if twin not in keys:
                # TKE writes Exact as a plain path: that rule is the one that is held.
                notebook.hold_rule(twin)
        if served is not None:
            rules.append(
                RuleSpec(
                    key=route.key,
                    targets=served.targets,
                    targets_known=served.known,
                    endpointless=served.endpointless,
                )
            )
    return tuple(rules)


def _listeners(parts: _Parts) -> tuple[ListenerSpec, ...]:
    if not parts.routes:
        return ()
    hosts = tuple(
        HostSpec(host, _effective(host, parts.certificates)) for host in hosts_of(rule.key for rule in parts.rules)
    )
    return (
        ListenerSpec(
            key=HTTP if parts.certificates is None else HTTPS,
            certificate=_own(parts.certificates),
            sni=True if parts.certificates is not None and parts.certificates.sni else UNSET,
            hosts=hosts,
            rules=parts.rules,
        ),
    )


def _effective(host: str, certified: Certificates | None) -> Maybe[Certificate | None]:
    return None if certified is None else certified.by_host.get(host, UNSET)


def _own(certified: Certificates | None) -> Maybe[Certificate | None]:
    if certified is None:
        return None
    return UNSET if certified.default is None else certified.default
