"""Whether a pod's readiness gate may be opened: bound on every rule that wants it, and healthy there. Pure.

The gate is one of the start: what becomes of the pod later does not close it. Nothing is read or written here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from l7lb import planner
from l7lb.model.cloud import Health
from l7lb.model.identity import CloudRef, ListenerId, LocationId, ObjectKey, RuleRef
from l7lb.model.loadbalancer import ObservedLoadBalancer, Presence, Target
from l7lb.model.pods import Pod
from l7lb.model.problems import Held
from l7lb.model.snapshot import Translation
from l7lb.reconciler.draining import Healths


@dataclass(frozen=True, slots=True)
class Serving:
    """One Ingress that the pod stands behind, as it is wanted and as far as its load balancer is known."""

    ingress: ObjectKey
    translation: Translation
    observed: ObservedLoadBalancer | None = None
    mine: frozenset[RuleRef] | None = None
    """Where it shares the load balancer: the rules that are its own there; others may have what it asks for as well."""


@dataclass(frozen=True, slots=True)
class Check:
    """One rule on which the pod is bound, and whose health check decides."""

    ref: CloudRef
    listener: ListenerId
    location: LocationId
    rule: RuleRef
    target: Target
    """As it is wanted."""


@dataclass(frozen=True, slots=True)
class Bound:
    """It is bound wherever it is wanted; now its health decides."""

    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """It is not bound yet, or whether it should be cannot be told."""

    why: str


@dataclass(frozen=True, slots=True)
class Unwanted:
    """No rule wants it, and nothing is unclear about that."""


def examine(pod: Pod, servings: Sequence[Serving]) -> Bound | Waiting | Unwanted:
    """Where it is bound. A rule that is not on the load balancer has no traffic to wait for, as long as one is."""
    checks: list[Check] = []
    unclear = ""
    for serving in servings:
        wanted = tuple(_wanted(pod, serving.translation))
        if not wanted:
            unclear = unclear or _unclear(serving)
            continue
        if serving.observed is None:
            return Waiting(f"what is on the load balancer of Ingress {serving.ingress} is not known yet")
        found = tuple(_found(wanted, serving, serving.observed))
        if not found:
            return Waiting(f"no rule of Ingress {serving.ingress} that leads to the pod is on its load balancer yet")
        missing = next((check.rule for check, bound in found if not bound), None)
        if missing is not None:
            return Waiting(f"the pod is not bound to {missing} of Ingress {serving.ingress} yet")
        checks += (check for check, _ in found)
    if unclear:
        return Waiting(unclear)
    return Bound(tuple(checks)) if checks else Unwanted()


def ailment(checks: Iterable[Check], healths: Healths) -> str:
    """What the cloud says against it; empty: it is healthy on every rule, or nobody checks."""
    for check in checks:
        told = healths.get((check.ref, check.listener, check.location), ())
        found = next((one for one in told if one.key == check.target.key), None)
        where = f"{check.rule} of {check.ref.id}"
        if found is None:
            return f"the cloud does not show {check.target.key} on {where} yet"
        if found.weight == 0:
            if check.target.weight == 0 or check.target.steady:
                continue  # its author wants no traffic there, so there is no health to wait for
            return f"{check.target.key} has still weight 0 on {where}"
        if found.health not in (Health.ALIVE, Health.UNCHECKED):
            return f"the health check of {where} says {found.health.value} of {check.target.key}"
    return ""


def _wanted(pod: Pod, translation: Translation) -> Iterable[tuple[RuleRef, Target]]:
    addresses = frozenset(pod.addresses)
    for listener in translation.desired.listeners if translation.desired is not None else ():
        for rule in listener.rules:
            for target in rule.targets:
                if target.presence is Presence.REQUIRED and target.key.address in addresses:
                    yield RuleRef(listener.key, rule.key), target


def _names(translation: Translation, observed: ObservedLoadBalancer) -> dict[RuleRef, RuleRef]:
    """The key that each wanted rule has on the load balancer: a rule of TKE's may stand in for it."""
    there = {listener.spec.key: listener.locations for listener in observed.listeners}
    return {
        RuleRef(spec.key, key): RuleRef(spec.key, name)
        for spec in (translation.desired.listeners if translation.desired is not None else ())
        for key, name in planner.aliases(
            (rule.key for rule in spec.rules), there.get(spec.key, ()), native=False
        ).items()
    }


def _found(
    wanted: Iterable[tuple[RuleRef, Target]], serving: Serving, observed: ObservedLoadBalancer
) -> Iterable[tuple[Check, bool]]:
    """Those of its rules that are there and forward, and whether the target is bound."""
    listeners = {listener.spec.key: listener for listener in observed.listeners}
    names = _names(serving.translation, observed)
    for asked, target in wanted:
        ref = names[asked]
        listener = listeners.get(ref.listener)
        location = listener.locations.get(ref.rule) if listener is not None else None
        if listener is None or location is None or ref.rule in listener.redirects:
            continue
        if serving.mine is not None and ref not in serving.mine:
            continue
        bound = {one.key for rule in listener.spec.rules if rule.key == ref.rule for one in rule.targets}
        yield Check(observed.head.ref, listener.id, location, ref, target), target.key in bound


def _unclear(serving: Serving) -> str:
    """Why it cannot be said that the Ingress does not want it; empty: it does not."""
    desired = serving.translation.desired
    if desired is None:
        return f"Ingress {serving.ingress} is refused as a whole; its Events say why"
    if not all(rule.targets_known for listener in desired.listeners for rule in listener.rules):
        return f"the targets of Ingress {serving.ingress} cannot be told now"
    if serving.translation.held != Held():
        return f"a part of Ingress {serving.ingress} is held; its Events say why"
    return ""
