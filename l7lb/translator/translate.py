"""Snapshot -> Translation: the other modules' findings put together; no rule of the contract is decided here.

How a part that is at fault shows. Its scope is in `held`, on each listener asked for and on the two default ones. A
rule whose targets cannot be told because its backend cannot be resolved is left out of `desired`. A rule whose shape is
held but whose targets are known (bad certificate of its host; Service gone for five minutes) is in both: its targets
are followed where it exists. A listener is named also when all its rules are left out.
"""

from l7lb.model.identity import ListenerKey, Protocol
from l7lb.model.loadbalancer import Certificate, DesiredLoadBalancer, HostSpec, ListenerSpec, RuleSpec
from l7lb.model.maybe import UNSET, Maybe
from l7lb.model.problems import Held
from l7lb.model.site import Family
from l7lb.model.snapshot import Settings, Snapshot, Translation
from l7lb.translator import create
from l7lb.translator.access import access
from l7lb.translator.backends import Backends
from l7lb.translator.certificates import Certificates, certificates, is_https
from l7lb.translator.listeners import Layout, lay_out
from l7lb.translator.names import Name
from l7lb.translator.notebook import Notebook
from l7lb.translator.options import read
from l7lb.translator.routing import Route, routes
from l7lb.translator.tuning import tuned


def translate(snapshot: Snapshot, settings: Settings) -> Translation:
    """What an Ingress asks for. Never raises; whether the Ingress is ours is not asked."""
    ingress = snapshot.ingress
    notebook = Notebook(ingress)
    reading = read(ingress)
    notebook.repeat(reading.problems)
    if reading.refusal is not None:
        return Translation(None, Held(everything=True), notebook.findings().problems, reading.refusal)
    creation = create.creation(ingress, reading, settings, notebook)
    site = snapshot.site or create.asked_site(reading, settings)
    ipv6 = site.family is not Family.IPV4
    wanted = routes(ingress, notebook, rules_max=settings.limits.rules_per_listener, ipv6=ipv6)
    backends = Backends(snapshot, settings, notebook, access(reading, site))
    secure = is_https(snapshot, reading)
    layout = lay_out(wanted, reading, notebook, secure=secure, ipv6=ipv6)
    certified = certificates(snapshot, reading, layout.hosts_of(Protocol.HTTPS), notebook)
    listeners = tuple(_listener(key, layout, certified, backends, notebook) for key in layout.rules)
    desired = DesiredLoadBalancer(
        create=creation.spec,
        listeners=tuned(listeners, snapshot, notebook),
        redirects=layout.redirects,
        security_groups=reading.names(Name.SECURITY_GROUPS),
        pass_to_target=reading.flag(Name.PASS_TO_TARGET),
        delete_protection=reading.flag(Name.DELETION_PROTECTION),
    )
    refusal = creation.refusal
    if site.family is Family.FULL_CHAIN and backends.out_of_reach:
        refusal = refusal or create.without_ipv6(notebook)
    findings = notebook.findings()
    again_s = min((wait for wait in (backends.again_s, snapshot.proof_in_s) if wait is not None), default=None)
    return Translation(desired, findings.held, findings.problems, site=site, again_s=again_s, create_refusal=refusal)


def _listener(
    key: ListenerKey, layout: Layout, certified: Certificates | None, backends: Backends, notebook: Notebook
) -> ListenerSpec:
    rules = _rules(layout.rules[key], backends, key, notebook)
    known = {rule.key.host for rule in rules} | set(layout.sources(key))
    hosts = [host for host in layout.hosts(key) if host in known]
    if key.protocol != Protocol.HTTPS:
        return ListenerSpec(key, certificate=None, hosts=tuple(HostSpec(host, None) for host in hosts), rules=rules)
    if certified is None or (certified.default is None and not certified.by_host):
        notebook.hold_listener(key)
    return ListenerSpec(
        key,
        certificate=UNSET if certified is None or certified.default is None else certified.default,
        sni=True if certified is not None and certified.sni else UNSET,
        hosts=tuple(HostSpec(host, _effective(host, certified)) for host in hosts),
        rules=rules,
    )


def _rules(wanted: tuple[Route, ...], backends: Backends, on: ListenerKey, notebook: Notebook) -> tuple[RuleSpec, ...]:
    rules: list[RuleSpec] = []
    for route in wanted:
        served = backends.resolve(route.backend, f"{route.field}.backend", on)
        if served is None or served.shape_held:
            notebook.hold_broken(route.key)
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


def _effective(host: str, certified: Certificates | None) -> Maybe[Certificate | None]:
    return UNSET if certified is None else certified.by_host.get(host, UNSET)
