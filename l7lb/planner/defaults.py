"""What is written once, when a part is made, and never compared again."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from l7lb.model.loadbalancer import HealthCheck, ListenerSpec, RuleSpec, Target
from l7lb.model.maybe import UNSET, given

WEIGHT: Final = 10
ANY_HOST: Final = ""
"""The host of rules without a host: the load balancer's own address or name."""


def new_rule(spec: RuleSpec, hosts: Iterable[str]) -> RuleSpec:
    """The rule as it is created; its targets are registered afterwards. `hosts`: of its listener, in order."""
    return replace(
        spec,
        targets=(),
        targets_known=True,
        endpointless=False,
        sticky=UNSET,
        health_check=_checkable(spec.health_check, spec.key.host, hosts),
    )


def new_target(target: Target) -> Target:
    """The target as it is registered."""
    return replace(target, weight=given(target.weight, WEIGHT), steady=False)


def default_host(spec: ListenerSpec) -> str | None:
    """Who serves unknown hosts on a listener that we make: declared, else the one without a name, else the first."""
    hosts = [host.host for host in spec.hosts]
    declared = [host.host for host in spec.hosts if host.default is True]
    if declared:
        return declared[0]
    if ANY_HOST in hosts:
        return ANY_HOST
    return hosts[0] if hosts else None


def _checkable(check: HealthCheck, host: str, hosts: Iterable[str]) -> HealthCheck:
    """A check needs an exact name to ask for (RuleInput page, HttpCheckDomain); without one it only connects."""
    if is_exact(host) or host == ANY_HOST or check.host is not UNSET or check.enabled is False:
        return check
    sibling = next((other for other in hosts if is_exact(other)), None)
    if sibling is not None:
        return replace(check, host=sibling)
    return replace(check, check_type="TCP")


def is_exact(host: str) -> bool:
    """Neither a wildcard, nor a regular expression, nor the nameless host."""
    return bool(host) and "*" not in host and not host.startswith("~")
