"""What is made of one load balancer's view: routes by address, and what to probe. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tests.emulators.clb.dataplane.balancing import key_of
from tests.emulators.clb.dataplane.prober import Probe, ProbeKey, probe_of
from tests.emulators.clb.dataplane.routes import ListenerRoutes, compile_listener
from tests.emulators.clb.dataplane.views import LbView

Address: TypeAlias = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Served:
    """A load balancer ready to be served; ``problems`` names the listeners that cannot be, with the reason."""

    lb: LbView
    listeners: Mapping[Address, ListenerRoutes]
    problems: Mapping[Address, str]
    probes: Mapping[ProbeKey, Probe]


def compile_lb(lb: LbView, port_offset: int) -> Served:
    """Index all layer-7 listeners; the others have no data plane here."""
    listeners: dict[Address, ListenerRoutes] = {}
    problems: dict[Address, str] = {}
    for listener in lb.listeners:
        if listener.protocol not in ("HTTP", "HTTPS"):
            continue
        address = (lb.vip, listener.port + port_offset)
        try:
            routes = compile_listener(lb, listener)
        except ValueError as error:
            problems[address] = str(error)
            continue
        if listeners.setdefault(address, routes) is not routes:
            problems[address] = f"{listener.id} has the address of {listeners[address].listener.id}"
    probes: dict[ProbeKey, Probe] = {}
    for listener in lb.listeners:
        for rule in listener.rules:
            for target in rule.targets:  # of a rule with several domains, the first is asked for
                probes.setdefault(((lb.id, listener.id, rule.id), key_of(target)), probe_of(rule, lb.vip))
    return Served(lb, listeners, problems, probes)
