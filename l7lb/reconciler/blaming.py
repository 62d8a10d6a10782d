"""What targets that the cloud refuses mean: which old ones stay in their place, and what their authors hear. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Final

from l7lb.model.cluster import Ingress
from l7lb.model.identity import ObjectKey, RuleKey, RuleRef
from l7lb.model.loadbalancer import DesiredLoadBalancer, ObservedLoadBalancer, Presence, RuleSpec, Target, TargetKey
from l7lb.model.maybe import UNSET
from l7lb.model.plan import DeregisterTargets, ModifyWeights, Placement, RegisterTargets
from l7lb.model.problems import Problem
from l7lb.model.snapshot import Snapshot
from l7lb.reconciler.culprits import Kind, LeftOut

NAMED: Final = 5
"""So many targets a message names; the rest is counted."""

NOT_BOUND: Final = "is not bound"
"""So the message says it of a target that the cloud will not take."""
_WORDS: Final[Mapping[Kind, str]] = {
    RegisterTargets: NOT_BOUND,
    DeregisterTargets: "is not taken off",
    ModifyWeights: "keeps its weight",
}


def without(
    desired: DesiredLoadBalancer, observed: ObservedLoadBalancer, left_out: Iterable[LeftOut]
) -> DesiredLoadBalancer:
    """`desired` without targets that cannot be had; in their place as many old ones stay (promise 4)."""
    missing: dict[RuleRef, set[TargetKey]] = {}
    for one in _coming(left_out):
        missing.setdefault(one.rule, set()).add(one.target.key)
    if not missing:
        return desired
    bound = {RuleRef(item.spec.key, rule.key): rule for item in observed.listeners for rule in item.spec.rules}
    listeners = []
    for spec in desired.listeners:
        rules = []
        for rule in spec.rules:
            ref = _as_observed(RuleRef(spec.key, rule.key), missing)
            rules.append(_without(rule, bound.get(ref), missing[ref]) if ref in missing else rule)
        listeners.append(replace(spec, rules=tuple(rules)))
    return replace(desired, listeners=tuple(listeners))


def problems(left_out: Iterable[LeftOut], snapshot: Callable[[], Snapshot]) -> list[Problem]:
    """For the author of an Ingress that is alone."""
    return [found for left in left_out if (found := problem(left, snapshot())) is not None]


def problem(left: LeftOut, snapshot: Snapshot, rules: Collection[RuleRef] | None = None) -> Problem | None:
    """For the author of this Ingress, about what is its own; None: nothing is. `rules`: its own; None: all."""
    own = [one for one in left.placements if rules is None or one.rule in rules]
    if not own:
        return None
    named = ", ".join(f"{one.target.key}{_known_as(one, snapshot)} of {one.rule}" for one in own[:NAMED])
    more = f" and {len(own) - NAMED} more" if len(own) > NAMED else ""
    text = f"target {named}{more} {_WORDS[left.kind]}, all others are served: {left.why}"
    found = Problem(code="", reason="TargetRefused", message=text, about=snapshot.ingress.key)
    return replace(found, code=left.code, reason=left.reason) if left.code else found


def _coming(left_out: Iterable[LeftOut]) -> Iterable[Placement]:
    """Those that were to bring traffic to a target, and do not."""
    for left in left_out:
        if left.kind is not DeregisterTargets:
            yield from (one for one in left.placements if one.target.weight != 0)


def _as_observed(ref: RuleRef, known: Collection[RuleRef]) -> RuleRef:
    """TKE's `/p` stands for our `=/p`."""
    plain = RuleRef(ref.listener, RuleKey(ref.rule.host, ref.rule.path.removeprefix("=")))
    return plain if ref not in known and plain in known else ref


def _without(rule: RuleSpec, bound: RuleSpec | None, missing: Collection[TargetKey]) -> RuleSpec:
    there = bound.targets if bound is not None else ()
    bound_keys = {target.key for target in there}
    wanted = {target.key for target in rule.targets}
    old = sorted({target.key for target in there if target.weight != 0 and target.key not in wanted})
    stay = tuple(Target(key, presence=Presence.TOLERATED) for key in old[: len(missing)])
    here = (
        replace(target, weight=UNSET, presence=Presence.TOLERATED) if target.key in missing else target
        for target in rule.targets
        if target.key not in missing or target.key in bound_keys
    )
    return replace(rule, targets=(*here, *stay))


def _known_as(one: Placement, snapshot: Snapshot) -> str:
    """` (Pod shop/web-1, Service shop/web)`, as far as it is known."""
    address = one.target.key.address
    pods = [f"Pod {pod.key}" for pod in snapshot.pods.values() if address in pod.addresses and not pod.over]
    nodes = [
        f"Node {node.metadata.name}"
        for node in snapshot.nodes
        if any(entry.address == address for entry in node.status.addresses or ())
    ]
    service = _service(snapshot.ingress, one.rule.rule)
    words = [*(pods or nodes)[:1], *([f"Service {service}"] if service is not None else [])]
    return f" ({', '.join(words)})" if words else ""


def _service(ingress: Ingress, key: RuleKey) -> ObjectKey | None:
    """What stands behind a rule, by the Ingress's own words."""
    space = ingress.metadata.namespace
    for rule in ingress.spec.rules or ():
        for path in (rule.http.paths if rule.http is not None else None) or ():
            is_meant = (rule.host or "") == key.host and (path.path or "/") == key.path.removeprefix("=")
            if is_meant and path.backend.service is not None:
                return ObjectKey(space, path.backend.service.name)
    default = ingress.spec.default_backend
    return ObjectKey(space, default.service.name) if default is not None and default.service is not None else None
