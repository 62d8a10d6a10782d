"""Where certificates are bound: on the listener while one serves all hosts, per host when they differ."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from l7lb.model.identity import Protocol
from l7lb.model.loadbalancer import Certificate, ListenerSpec
from l7lb.model.maybe import UNSET, given


@dataclass(frozen=True, slots=True)
class Binding:
    """The listener's own certificate and its SNI switch, as they are to be."""

    certificate: Certificate | None
    sni: bool


def bind_new(desired: ListenerSpec) -> Binding:
    """For a listener that does not exist. SNI only where two hosts differ, or where it is declared: at creation."""
    if desired.key.protocol != Protocol.HTTPS:
        return Binding(None, sni=False)
    own = given(desired.certificate, None)
    shown = _distinct(given(host.certificate, own) for host in desired.hosts)
    if len(shown) > 1 or (shown and desired.sni is True):
        # CreateListener page: with SNI on the rules bring the certificates, and none is given here.
        return Binding(None, sni=True)
    return Binding(shown[0] if shown else own, sni=False)


def bind_again(observed: ListenerSpec, hosts: Mapping[str, Certificate | None]) -> Binding:
    """For a listener that exists; `hosts`: the effective certificate of every host that stays or comes.

    SNI can be switched on, never off; under SNI the listener's own certificate is not touched, since nobody can tell
    which hosts fall back to it.
    """
    own = given(observed.certificate, None)
    if observed.key.protocol != Protocol.HTTPS or given(observed.sni, False):
        return Binding(own, sni=given(observed.sni, False))
    shown = _distinct(hosts.values())
    if len(shown) > 1:
        return Binding(own, sni=True)
    return Binding(shown[0] if shown else own, sni=False)


def effective(desired: ListenerSpec, observed: ListenerSpec) -> dict[str, Certificate | None]:
    """The certificate that each desired host is to show: declared, else what it shows now, else the listener's."""
    now = {host.host: given(host.certificate, None) for host in observed.hosts}
    own = given(desired.certificate, given(observed.certificate, None))
    return {
        host.host: now.get(host.host, own) if host.certificate is UNSET else host.certificate for host in desired.hosts
    }


def _distinct(certificates: Iterable[Certificate | None]) -> list[Certificate]:
    return list(dict.fromkeys(certificate for certificate in certificates if certificate is not None))
