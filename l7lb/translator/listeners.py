"""Which listeners an Ingress asks for, and which of its rules stand on each or redirect from there (contract, 4.1).

Without `listen-ports`: HTTP:80; with TLS HTTPS:443 alone; both of them where rules are mixed, doubled or redirected.
With it: exactly the listed ones, each with the whole rule set of its protocol. Certificates are not looked at in here,
only whether there are any.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from l7lb.model.identity import ListenerKey, Protocol, RuleRef
from l7lb.model.loadbalancer import RedirectSpec
from l7lb.model.maybe import UNSET, Maybe
from l7lb.translator import mixing, redirects
from l7lb.translator.mixing import Sets
from l7lb.translator.names import Name
from l7lb.translator.notebook import HTTP, HTTPS, Notebook, shown
from l7lb.translator.options import Reading, field_of
from l7lb.translator.routing import Route


@dataclass(frozen=True, slots=True)
class Layout:
    """Forwarding rules by listener, and the redirects. A listener may have neither."""

    rules: Mapping[ListenerKey, tuple[Route, ...]]
    redirects: Maybe[tuple[RedirectSpec, ...]] = UNSET
    order: tuple[str, ...] = ()
    """Hosts as the Ingress has them."""

    def sources(self, listener: ListenerKey) -> tuple[str, ...]:
        """Hosts of redirects that begin on a listener."""
        specs = () if self.redirects is UNSET else self.redirects
        return tuple(spec.source.rule.host for spec in specs if spec.source.listener == listener)

    def hosts(self, listener: ListenerKey) -> tuple[str, ...]:
        """Hosts of one listener, also those that only redirect, in the Ingress's order; its own address first.

        The first one becomes the default domain.
        """
        here = dict.fromkeys((*(route.key.host for route in self.rules[listener]), *self.sources(listener)))
        ordered = dict.fromkeys((*(host for host in self.order if host in here), *here))
        return tuple(sorted(ordered, key=bool))

    def hosts_of(self, protocol: Protocol) -> tuple[str, ...]:
        """Hosts of all listeners of a protocol, in the same order."""
        every = dict.fromkeys(host for key in self.rules if key.protocol == protocol for host in self.hosts(key))
        return tuple(sorted(every, key=bool))


def lay_out(wanted: tuple[Route, ...], reading: Reading, notebook: Notebook, *, secure: bool, ipv6: bool) -> Layout:
    """Place every rule. `secure`: there are certificates; `ipv6`: the load balancer has no IPv4 address."""
    asked = redirects.asked(reading)
    mixed = reading.flag(Name.RULE_MIX) is True
    sets = mixing.sort(wanted, reading, notebook) if mixed else Sets(wanted, wanted)
    keys = _keys(reading, sets, secure=secure)
    if not wanted:
        notebook.place(dict.fromkeys(keys, ()))
        return Layout({}, () if asked.any else UNSET)
    placed = {key: sets.of(key.protocol) for key in keys}
    mirrored = asked.automatic and _can_mirror(keys, wanted, notebook, secure=secure)
    if mirrored and not mixed:
        placed[HTTP] = ()
    if not secure:
        _hold_without_certificate(placed, notebook)
    _hold_without_listener(wanted, placed, notebook)
    moves = redirects.moves(placed, reading, notebook, ipv6=ipv6)
    moved = {spec.source for spec in moves.specs}
    forwarding = {
        key: tuple(route for route in routes if RuleRef(key, route.key) not in moved) for key, routes in placed.items()
    }
    notebook.place({key: tuple(route.key for route in routes) for key, routes in forwarding.items()})
    order = tuple(dict.fromkeys(route.key.host for route in wanted))
    if not asked.any:
        return Layout(forwarding, order=order)
    specs = (*moves.specs, *(redirects.mirrors(forwarding, moves, reading, notebook) if mirrored else ()))
    return Layout(forwarding, tuple(sorted(specs, key=lambda spec: spec.source)), order)


def _keys(reading: Reading, sets: Sets, *, secure: bool) -> tuple[ListenerKey, ...]:
    listed = reading.values.get(Name.LISTEN_PORTS)
    if isinstance(listed, tuple) and listed:
        return tuple(sorted(ListenerKey(protocol, port) for protocol, port in listed))
    if reading.flag(Name.RULE_MIX_BOTH) is True or redirects.asked(reading).automatic:
        return (HTTP, HTTPS)
    if reading.flag(Name.RULE_MIX) is True:
        # An empty HTTPS listener is asked for as well, but without a certificate there can be none, and nobody minds.
        moving = redirects.asked(reading).manual and any(
            entry.rewrite is not None for entry in mixing.entries(reading, Protocol.HTTPS)
        )
        return (HTTP, HTTPS) if secure or sets.https or moving else (HTTP,)
    return (HTTPS,) if secure else (HTTP,)


def _can_mirror(keys: tuple[ListenerKey, ...], wanted: tuple[Route, ...], notebook: Notebook, *, secure: bool) -> bool:
    """Whether HTTP can redirect to HTTPS; if not, both ends stay as they are."""
    missing = [str(key) for key in (HTTP, HTTPS) if key not in keys]
    if missing:
        notebook.problem(
            "E4068",
            "RedirectConflict",
            f"Ingress {notebook.about}: {Name.AUTO_REWRITE.value} needs {' and '.join(missing)} in"
            f" {Name.LISTEN_PORTS.value}; add it, or switch auto-rewrite off",
            field=field_of(Name.AUTO_REWRITE),
        )
    if missing or not secure:
        for key in (HTTP, HTTPS):
            notebook.hold_listener(key, (route.key for route in wanted))
    return secure and not missing


def _hold_without_certificate(placed: Mapping[ListenerKey, tuple[Route, ...]], notebook: Notebook) -> None:
    bare = [key for key in placed if key.protocol == Protocol.HTTPS]
    if not bare:
        return
    notebook.problem(
        "E4040",
        "CertificateMissing",
        f"Ingress {notebook.about}: {', '.join(map(str, bare))} cannot be without a certificate; name a Secret in"
        f" spec.tls, or an id in {Name.CERTIFICATE.value}",
        field="spec.tls",
    )
    for key in bare:
        notebook.hold_listener(key)
        for route in placed[key]:
            notebook.hold_certificate(route.key.host)


def _hold_without_listener(
    wanted: tuple[Route, ...], placed: Mapping[ListenerKey, tuple[Route, ...]], notebook: Notebook
) -> None:
    """Rules that mixing gives to a protocol of which no port is listed."""
    somewhere = {route.key for routes in placed.values() for route in routes}
    for route in wanted:
        if route.key not in somewhere:
            notebook.problem(
                "",
                "RuleWithoutListener",
                f"Ingress {notebook.about}: {route.field} ({shown(str(route.key))}) belongs to a protocol of which"
                f" {Name.LISTEN_PORTS.value} lists no port; list one, or direct the rule to the other protocol",
                field=route.field,
            )
            notebook.hold_rule(route.key)
