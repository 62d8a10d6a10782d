"""What the cloud has refused is left out of the next plans, so that it holds only itself (promise 5).

A call carries many parts, and an answer says no to all of them without saying which is meant. So a refused step is
taken apart: each part goes alone, and one that is refused alone is left out, together with what rests on it. A rule
goes without its settings before it is given up. What was refused is tried again when it is asked for otherwise
(another certificate is another step), or after a while.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from l7lb import planner
from l7lb.errors import Protected, Rejected
from l7lb.model.identity import CloudRef, ListenerKey, RuleRef
from l7lb.model.loadbalancer import (
    Certificate,
    DesiredLoadBalancer,
    HealthCheck,
    HostSpec,
    ListenerSpec,
    ObservedLoadBalancer,
    RuleSpec,
)
from l7lb.model.maybe import UNSET
from l7lb.model.plan import (
    CreateListeners,
    CreateRules,
    DeregisterTargets,
    ModifyHost,
    ModifyListener,
    ModifyLoadBalancer,
    ModifyRule,
    ModifyWeights,
    Plan,
    RegisterTargets,
    SetSecurityGroups,
    Step,
)
from l7lb.model.problems import Held, Problem
from l7lb.model.redirecting import MIRROR_SOURCE, MIRROR_TARGET, CreateRedirects, MirrorHosts
from l7lb.reconciler import bad_certificates
from l7lb.reconciler.bad_certificates import Settled
from l7lb.reconciler.culprits import Blamed

AGAIN_S: Final = 300.0
"""What was refused may be granted without a change of the object (a certificate that was renewed under its id)."""
LOCKED_LESS_S: Final = 10.0
"""So much earlier than the worker's resync a load balancer that is protected altogether is tried again."""

_SHAPES = (
    CreateListeners,
    CreateRules,
    ModifyHost,
    ModifyListener,
    ModifyLoadBalancer,
    ModifyRule,
    SetSecurityGroups,
    MirrorHosts,
    CreateRedirects,
)
_CHANGES = (ModifyHost, ModifyListener, ModifyRule, MirrorHosts, CreateRedirects)
_ATTRIBUTES = (ModifyLoadBalancer, SetSecurityGroups)
_TARGETS = (RegisterTargets, ModifyWeights)
_ON_A_LISTENER = (CreateRules, ModifyHost, ModifyRule)


@dataclass(slots=True)
class _Lost:
    """What will not be there because of what is left out."""

    listeners: set[ListenerKey] = field(default_factory=set)
    rules: set[RuleRef] = field(default_factory=set)
    redirects: set[RuleRef] = field(default_factory=set)
    """Rules that were to redirect: they go on forwarding."""


class Refusals:
    """Memory of one term, by load balancer and step."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._locked: dict[CloudRef, tuple[float, Protected]] = {}
        self._apart: dict[tuple[CloudRef, Step], float] = {}
        self._refused: dict[tuple[CloudRef, Step], tuple[float, Problem]] = {}
        self._certificates: dict[tuple[CloudRef, Certificate], tuple[float, Problem]] = {}

    def note(self, ref: CloudRef | None, step: Step | None, refusal: Rejected | Protected) -> Blamed:
        """Take a refusal down; nothing when it cannot be planned around."""
        if isinstance(refusal, Protected):
            known = ref is not None and step is not None and self._protected(ref, step, refusal)
            return Blamed.FOUND if known else Blamed.NOTHING
        if ref is None or not isinstance(step, _SHAPES):
            return Blamed.NOTHING
        until = self._monotonic() + AGAIN_S
        told = Problem(code=refusal.code, reason=refusal.reason, message=str(refusal))
        certificate = bad_certificates.brought(step, refusal)
        with self._lock:
            # One that was planned around already, and came all the same, is shown there already: then it is the step.
            if certificate is not None and (ref, certificate) not in self._certificates:
                self._certificates[ref, certificate] = until, told
            elif _parts(step) != (step,):
                self._apart[ref, step] = until
                return Blamed.DIVIDED
            else:
                # The cloud's text names neither rule nor listener.
                where = f"{planner.describe(step)}: " if isinstance(step, _CHANGES) else ""
                told = replace(told, message=f"{where}{refusal}")
                self._refused[ref, step] = until, told
        return Blamed.FOUND

    def settle(self, desired: DesiredLoadBalancer, observed: ObservedLoadBalancer, held: Held) -> Settled:
        """What can be asked for in spite of certificates that were refused on this load balancer."""
        with self._lock:
            self._forget()
            refused = {
                certificate: problem
                for (ref, certificate), (_, problem) in self._certificates.items()
                if ref == observed.head.ref
            }
        return bad_certificates.settle(desired, observed, held, refused) if refused else Settled(desired, held)

    def locked(self, ref: CloudRef) -> Protected | None:
        """Why nothing at all is to be tried on it for a while."""
        with self._lock:
            self._forget()
            return self._locked[ref][1].anew() if ref in self._locked else None

    def _protected(self, ref: CloudRef, step: Step, refusal: Protected) -> bool:
        """Attributes are left out. When more than these is forbidden, everything waits: each try is a call in vain."""
        until = self._monotonic() + AGAIN_S
        with self._lock:
            if isinstance(step, _ATTRIBUTES):
                told = Problem(code=refusal.code, reason=refusal.reason, message=str(refusal))
                self._refused[ref, step] = until, told
                return True
            self._locked[ref] = until - LOCKED_LESS_S, refusal.anew()
            return False

    def answers(self, ref: CloudRef, plan: Plan) -> tuple[tuple[Step, Problem], ...]:
        """The parts of a plan that `filter` leaves out because they were refused, each with how."""
        with self._lock:
            self._forget()
            return tuple(self._sifted(ref, plan, _Lost())[1])

    def filter(self, ref: CloudRef, plan: Plan) -> tuple[Plan, tuple[Problem, ...]]:
        """The plan without what was refused and what rests on it, and why."""
        with self._lock:
            self._forget()
            if not any(key[0] == ref for key in (*self._apart, *self._refused)):
                return plan, ()
            lost = _Lost()
            kept, refused = self._sifted(ref, plan, lost)
        if lost.listeners or lost.rules or lost.redirects:
            # What was to come does not come, so what it was to replace stays (promise 4).
            kept = [step for step in kept if not _replaces(step)]
        return replace(plan, steps=tuple(kept)), tuple(dict.fromkeys(problem for _, problem in refused))

    def _sifted(self, ref: CloudRef, plan: Plan, lost: _Lost) -> tuple[list[Step], list[tuple[Step, Problem]]]:
        """What is left of a plan, and what of it was refused, each with how; fills `lost`."""
        kept: list[Step] = []
        refused: list[tuple[Step, Problem]] = []
        for step in plan.steps:
            for part in self._taken_apart(ref, step):
                rest = part if (ref, part) in self._refused else _without(part, lost)
                # What is left of a part is what is sent, so that is what may have been refused.
                for one in self._taken_apart(ref, rest) if rest is not None else ():
                    if (ref, one) in self._refused:
                        refused.append((one, self._refused[ref, one][1]))
                        _lose(one, lost)
                    else:
                        kept.append(one)
        return kept, refused

    def _taken_apart(self, ref: CloudRef, step: Step) -> Iterator[Step]:
        if (ref, step) not in self._apart:
            yield step
            return
        for part in _parts(step):
            yield from self._taken_apart(ref, part)

    def _forget(self) -> None:
        now = self._monotonic()
        self._apart = {key: until for key, until in self._apart.items() if until > now}
        self._refused = {key: entry for key, entry in self._refused.items() if entry[0] > now}
        self._certificates = {key: entry for key, entry in self._certificates.items() if entry[0] > now}
        self._locked = {ref: entry for ref, entry in self._locked.items() if entry[0] > now}


def withheld(whole: Plan, kept: Plan) -> bool:
    """Whether something that was to go stays only because what is to replace it is refused: the edit goes on."""
    return any(step not in kept.steps for step in whole.steps if isinstance(step, bad_certificates.TAKING))


def _replaces(step: Step) -> bool:
    """Whether it takes something away, or cannot be done while that is there."""
    again = isinstance(step, CreateRedirects) and step.again
    return again or isinstance(step, bad_certificates.TAKING)


def _parts(step: Step) -> tuple[Step, ...]:
    """What goes alone when all of it is refused. A step that cannot be taken apart is its own part."""
    match step:
        case CreateRules():
            return _rules_apart(step)
        case MirrorHosts(hosts):
            return tuple(MirrorHosts(half) for half in planner.halves(hosts))
        case CreateRedirects(redirects=pairs):
            return tuple(replace(step, redirects=half) for half in planner.halves(pairs))
        case CreateListeners():
            # Without what only some accounts may have: it is asked for by itself once the listener is there.
            return (replace(step, keepalive=UNSET, snat=UNSET),)
        case ModifyRule(after=rule):
            bare = RuleSpec(rule.key)
            changes = (
                replace(bare, health_check=rule.health_check),
                replace(bare, forward_type=rule.forward_type),
                replace(bare, session_s=rule.session_s),
                replace(bare, scheduler=rule.scheduler),
            )
            return tuple(replace(step, after=change) for change in changes if change != bare)
        case ModifyHost(after=host):
            nothing = HostSpec(host.host)
            of_host = (
                replace(nothing, certificate=host.certificate),
                replace(nothing, http2=host.http2),
                replace(nothing, default=host.default),
            )
            return tuple(replace(step, after=change) for change in of_host if change != nothing)
        case ModifyListener(after=listener):
            empty = ListenerSpec(listener.key)
            of_listener = (
                replace(empty, certificate=listener.certificate, sni=listener.sni),
                replace(empty, name=listener.name),
                replace(empty, keepalive=listener.keepalive),
                replace(empty, snat=listener.snat),
            )
            return tuple(replace(step, after=change) for change in of_listener if change != empty)
        case _:
            return (step,)


def _rules_apart(step: CreateRules) -> tuple[Step, ...]:
    """Halves by hosts, then by rules, then the rule without its settings: these come when it is there."""
    hosts = tuple(dict.fromkeys(rule.key.host for rule in step.rules))
    if len(hosts) > 1:
        halves = (frozenset(half) for half in planner.halves(hosts))
        return tuple(_of(step, tuple(rule for rule in step.rules if rule.key.host in half)) for half in halves)
    if len(step.rules) == 1:
        plain = (replace(host, http2=UNSET) for host in step.hosts)
        return (replace(step, rules=(_bare(step.rules[0]),), hosts=tuple(plain)),)
    # Only the first may make its host the default; each brings the host's certificate, for it may be the only one.
    later = replace(step, hosts=tuple(replace(host, default=UNSET) for host in step.hosts))
    return tuple(_of(later if number else step, half) for number, half in enumerate(planner.halves(step.rules)))


def _bare(rule: RuleSpec) -> RuleSpec:
    """A host that is a pattern cannot be asked for, so its check only connects (RuleInput page, HttpCheckDomain)."""
    is_pattern = "*" in rule.key.host or rule.key.host.startswith("~")
    check = HealthCheck(check_type="TCP") if is_pattern else HealthCheck()
    return replace(rule, health_check=check, scheduler=UNSET, session_s=UNSET, forward_type=UNSET)


def _of(step: CreateRules, rules: tuple[RuleSpec, ...]) -> CreateRules:
    named = {rule.key.host for rule in rules}
    return CreateRules(step.listener, rules, tuple(host for host in step.hosts if host.host in named))


def _lose(step: Step, lost: _Lost) -> None:
    match step:
        case CreateListeners():
            lost.listeners |= set(step.keys)
        case CreateRules(listener, rules):
            lost.rules |= {RuleRef(listener, rule.key) for rule in rules}
        case CreateRedirects(source, _, pairs):
            lost.redirects |= {RuleRef(source, pair.source) for pair in pairs}
        case MirrorHosts():
            pass  # AutoRewrite is for hosts of which HTTP:80 has nothing that could be taken away


def _without(step: Step, lost: _Lost) -> Step | None:
    """The step as far as it still stands on something; None when nothing of it does."""
    if isinstance(step, _ON_A_LISTENER) and step.listener in lost.listeners:
        return None
    if isinstance(step, MirrorHosts):
        return None if lost.listeners & {MIRROR_SOURCE, MIRROR_TARGET} else step
    if isinstance(step, CreateRedirects):
        return _still_connected(step, lost)
    if isinstance(step, DeregisterTargets):
        left = tuple(placement for placement in step.placements if placement.rule not in lost.redirects)
        return replace(step, placements=left) if left else None
    if isinstance(step, _TARGETS):
        placements = tuple(
            placement
            for placement in step.placements
            if placement.rule not in lost.rules and placement.rule.listener not in lost.listeners
        )
        return replace(step, placements=placements) if placements else None
    return step


def _still_connected(step: CreateRedirects, lost: _Lost) -> Step | None:
    """Both ends of a redirect must be there; what cannot redirect for lack of one stays as it is."""
    gone = {
        pair
        for pair in step.redirects
        if {step.source, step.target} & lost.listeners
        or {RuleRef(step.source, pair.source), RuleRef(step.target, pair.target)} & lost.rules
    }
    lost.redirects |= {RuleRef(step.source, pair.source) for pair in gone}
    left = tuple(pair for pair in step.redirects if pair not in gone)
    return replace(step, redirects=left) if left else None
