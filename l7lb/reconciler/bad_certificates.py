"""A certificate that the cloud refuses holds itself: hosts show what they showed, the rest goes on (promise 5).

A host that is there keeps its certificate and is followed in everything else; a host that is not there yet waits, and
so does what it was to replace. Another certificate is another try.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from l7lb.errors import Rejected
from l7lb.model.identity import ListenerKey, RuleRef
from l7lb.model.loadbalancer import Certificate, DesiredLoadBalancer, HostSpec, ListenerSpec, ObservedLoadBalancer
from l7lb.model.maybe import UNSET, given
from l7lb.model.plan import (
    CreateListeners,
    CreateRules,
    DeleteListeners,
    DeleteRules,
    ModifyHost,
    ModifyListener,
    Plan,
    Step,
)
from l7lb.model.problems import Held, Problem
from l7lb.model.redirecting import DeleteRedirects

CODES: Final = frozenset({"E4012", "E4035", "E4036", "E4038", "E4039"})
"""TKE's codes for what may be wrong with a certificate."""
TAKING: Final = (DeleteListeners, DeleteRules, DeleteRedirects)
NAMED: Final = 5
"""So many hosts a message names; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What can be planned although certificates are refused."""

    desired: DesiredLoadBalancer
    held: Held
    problems: tuple[Problem, ...] = ()
    waiting: bool = False
    """Whether a host is not there yet because of it."""

    def with_twins(self, observed: ObservedLoadBalancer) -> "Settled":
        """Held as well: where a rule of a host that waits is now, on a listener that is not to have it any more."""
        if not self.waiting:
            return self
        asked = {RuleRef(spec.key, rule.key) for spec in self.desired.listeners for rule in spec.rules}
        waiting = {ref.rule for ref in asked if self.held.covers(ref)}
        there = {RuleRef(item.spec.key, rule.key) for item in observed.listeners for rule in item.spec.rules}
        twins = frozenset(ref for ref in there - asked if ref.rule in waiting)
        return replace(self, held=replace(self.held, rules=self.held.rules | twins))

    def spare(self, plan: Plan) -> Plan:
        """What was to come does not come, so what it was to replace stays (promise 4)."""
        if not self.waiting:
            return plan
        return replace(plan, steps=tuple(one for one in plan.steps if not isinstance(one, TAKING)))


def brought(step: Step | None, refusal: Rejected) -> Certificate | None:
    """The certificate that was refused; None: the refusal is about something else, or it may be one of several."""
    if refusal.code not in CODES:
        return None
    match step:
        case CreateListeners(certificate=certificate):
            return certificate
        case ModifyListener(after=after) | ModifyHost(after=after):
            return given(after.certificate, None)
        case CreateRules(hosts=hosts):
            found = {given(host.certificate, None) for host in hosts} - {None}
            return found.pop() if len(found) == 1 else None
        case _:
            return None


def settle(
    desired: DesiredLoadBalancer,
    observed: ObservedLoadBalancer,
    held: Held,
    refused: Mapping[Certificate, Problem],
) -> Settled:
    """Plan with what hosts show now in the place of refused certificates, and without the hosts that show nothing."""
    there = {item.spec.key: item.spec for item in observed.listeners}
    listeners: list[ListenerSpec] = []
    kept: dict[tuple[Certificate, ListenerKey], list[str]] = {}
    waiting: set[tuple[ListenerKey, str]] = set()
    for spec in desired.listeners:
        shown = {host.host: given(host.certificate, None) for host in _hosts(there.get(spec.key))}
        bad = _refused_hosts(spec, shown, refused)
        for host, certificate in bad.items():
            kept.setdefault((certificate, spec.key), []).append(host)
        waiting |= {(spec.key, host) for host in bad if host not in shown}
        listeners.append(
            replace(
                spec,
                certificate=UNSET if given(spec.certificate, None) in refused else spec.certificate,
                hosts=tuple(
                    replace(host, certificate=shown[host.host]) if host.host in bad and host.host in shown else host
                    for host in spec.hosts
                ),
            )
        )
    return Settled(
        replace(desired, listeners=tuple(listeners)),
        replace(held, hosts=held.hosts | waiting, listeners=held.listeners | _unmade(desired, there, waiting)),
        tuple(_problem(refused[one], one, key, names) for (one, key), names in kept.items()),
        waiting=bool(waiting),
    )


def _refused_hosts(
    spec: ListenerSpec, shown: Mapping[str, Certificate | None], refused: Mapping[Certificate, Problem]
) -> dict[str, Certificate]:
    """Hosts that are to get a refused certificate; one that shows it already needs no call."""
    found = {}
    for host in spec.hosts:
        wanted = given(spec.certificate if host.certificate is UNSET else host.certificate, None)
        if wanted is not None and wanted in refused and shown.get(host.host) != wanted:
            found[host.host] = wanted
    return found


def _hosts(spec: ListenerSpec | None) -> tuple[HostSpec, ...]:
    return spec.hosts if spec is not None else ()


def _unmade(
    desired: DesiredLoadBalancer, there: Mapping[ListenerKey, ListenerSpec], waiting: set[tuple[ListenerKey, str]]
) -> frozenset[ListenerKey]:
    """Listeners that are not there and of which every host waits: their author hears of the certificate only."""
    return frozenset(
        spec.key
        for spec in desired.listeners
        if spec.key not in there and spec.hosts and all((spec.key, host.host) in waiting for host in spec.hosts)
    )


def _problem(refused: Problem, certificate: Certificate, key: ListenerKey, names: list[str]) -> Problem:
    shown = ", ".join(name or "(no host)" for name in names[:NAMED])
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    which = "+".join(sorted(certificate.ids)) + (f" with client CA {certificate.ca_id}" if certificate.ca_id else "")
    text = f"certificate {which} of {shown}{more} on {key} is refused; what is shown now stays: {refused.message}"
    return replace(refused, message=text)
