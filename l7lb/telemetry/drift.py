"""Which part of which resource a plan would put right, as bounded labels. Knows the model's steps, no cloud."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Final, assert_never

from l7lb.model.maybe import UNSET, Spec
from l7lb.model.plan import (
    AddTags,
    CreateListeners,
    CreateLoadBalancer,
    CreateRules,
    DeleteListeners,
    DeleteLoadBalancer,
    DeleteRules,
    DeregisterTargets,
    ModifyHost,
    ModifyListener,
    ModifyLoadBalancer,
    ModifyRule,
    ModifyWeights,
    Plan,
    RegisterTargets,
    RemoveTags,
    SetSecurityGroups,
    Step,
)
from l7lb.model.redirecting import CreateRedirects, DeleteRedirects, MirrorHosts

MISSING: Final = "missing"
SURPLUS: Final = "surplus"
_NAMES: Final = frozenset({"key", "host", "hosts", "rules", "targets", "targets_known", "endpointless"})
"""Fields of a spec that say which part it is, or that have steps of their own."""


def drifted(plan: Plan) -> Iterator[tuple[str, str]]:
    """(resource, field), once for each step and field."""
    for step in plan.steps:
        resource, found = _of(step)
        for field in found:
            yield resource, field


def _of(step: Step) -> tuple[str, tuple[str, ...]]:
    match step:
        case CreateLoadBalancer() | DeleteLoadBalancer():
            return "load_balancer", (MISSING if isinstance(step, CreateLoadBalancer) else SURPLUS,)
        case AddTags() | RemoveTags():
            return "load_balancer", ("tags",)
        case ModifyLoadBalancer():
            return "load_balancer", _given(step)
        case SetSecurityGroups():
            return "load_balancer", ("security_groups",)
        case CreateListeners() | DeleteListeners():
            return "listener", (MISSING if isinstance(step, CreateListeners) else SURPLUS,)
        case ModifyListener(after=after):
            return "listener", _given(after)
        case CreateRules() | DeleteRules():
            return "rule", (MISSING if isinstance(step, CreateRules) else SURPLUS,)
        case ModifyRule(after=rule):
            return "rule", _given(rule)
        case ModifyHost(after=host):
            return "host", _given(host)
        case MirrorHosts() | CreateRedirects() | DeleteRedirects():
            return "redirect", (SURPLUS if isinstance(step, DeleteRedirects) else MISSING,)
        case RegisterTargets() | DeregisterTargets():
            return "target", (MISSING if isinstance(step, RegisterTargets) else SURPLUS,)
        case ModifyWeights():
            return "target", ("weight",)
        case _:
            assert_never(step)


def _given(spec: Spec) -> tuple[str, ...]:
    """Names of the fields that are set, one level deep: a health check is named by its parts."""
    found: list[str] = []
    for field in fields(spec):
        value: Any = getattr(spec, field.name)
        if value is UNSET or field.name in _NAMES:
            continue
        if field.name == "health_check":
            found += [f"health_check_{part}" for part in _given(value)]
        else:
            found.append(field.name)
    return tuple(found)
