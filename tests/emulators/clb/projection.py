"""The world as the data plane sees it: frozen views of what is served. No state is kept here."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from tests.emulators.clb.dataplane.views import (
    HealthView,
    LbView,
    ListenerView,
    RedirectView,
    RuleView,
    TargetView,
)
from tests.emulators.clb.nouns import CertificateSet, Listener, LoadBalancer, Rule
from tests.emulators.clb.world import World


class TrafficPlane(Protocol):
    """What the control plane asks of the data plane."""

    @property
    def problems(self) -> Mapping[tuple[str, int], str]: ...

    def apply(self, loadbalancers: Sequence[LbView]) -> None: ...

    def health(self, lb_id: str, listener_id: str, location_id: str, ip: str, port: int) -> str: ...

    def address_of(self, lb_id: str) -> str: ...

    def ca_pem(self) -> str: ...

    def stop(self) -> None: ...


def views(world: World) -> tuple[LbView, ...]:
    """Every load balancer that runs, with its layer-7 listeners."""
    running = (lb for lb in world.load_balancers.values() if lb.status == 1)
    return tuple(LbView(lb.id, lb.vip, tuple(_listeners(lb))) for lb in running)


def _listeners(lb: LoadBalancer) -> list[ListenerView]:
    return [
        ListenerView(item.id, item.protocol, item.port, _served(item.certificate), item.sni, tuple(_rules(lb, item)))
        for item in lb.listeners.values()
        if item.layer7
    ]


def _served(certificate: CertificateSet | None) -> str | None:
    return None if certificate is None else certificate.server_ids[0]


def _rules(lb: LoadBalancer, listener: Listener) -> list[RuleView]:
    return [
        RuleView(
            id=rule.id,
            domain=domain,
            url=rule.url,
            default_server=listener.default_domain in rule.domains,
            certificate_id=_served(rule.certificate),
            scheduler=rule.scheduler,
            session_seconds=rule.session_s,
            http2=rule.http2,
            forward_type=rule.forward_type,
            health=_health(rule),
            redirect=_redirect(lb, rule),
            targets=tuple(TargetView(target.ip, target.port, target.weight) for target in rule.targets),
        )
        for rule in listener.rules.values()
        for domain in rule.domains
    ]


def _health(rule: Rule) -> HealthView:
    check = rule.health
    return HealthView(
        enabled=check["HealthSwitch"] == 1,
        interval=check["IntervalTime"],
        timeout=check["TimeOut"],
        healthy_num=check["HealthNum"],
        unhealthy_num=check["UnHealthNum"],
        path=check["HttpCheckPath"],
        domain=check["HttpCheckDomain"] or "",
        method=check["HttpCheckMethod"],
        http_code=check["HttpCode"],
        check_type=check["CheckType"],
    )


def _redirect(lb: LoadBalancer, rule: Rule) -> RedirectView | None:
    redirect = rule.redirect
    listener = None if redirect is None else lb.listeners.get(redirect.listener_id)
    target = None if redirect is None or listener is None else listener.rules.get(redirect.location_id)
    if redirect is None or listener is None or target is None:
        return None
    return RedirectView(
        redirect.code, listener.protocol, listener.port, target.domains[0], target.url, redirect.take_url
    )
