"""What the cloud has refused is left out of the next plans, so that it holds only itself (promise 5).

A call carries many parts, and an answer says no to all of them without saying which is meant. So a refused step is
taken apart: each part goes alone, and one that is refused alone is left out, together with what rests on it. It is
tried again when it is asked for otherwise (another certificate is another step), or after a while.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from l7lb.errors import Rejected
from l7lb.model.identity import CloudRef, ListenerKey, RuleRef
from l7lb.model.loadbalancer import RuleSpec
from l7lb.model.maybe import UNSET
from l7lb.model.plan import (
    CreateListeners,
    CreateRules,
    DeleteListeners,
    DeleteRules,
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
from l7lb.model.problems import Problem

AGAIN_S: Final = 300.0
"""What was refused may be granted without a change of the object (a certificate that was renewed under its id)."""
OF_A_CERTIFICATE: Final = frozenset({"E4012", "E4035", "E4036", "E4039"})

_SHAPES = (CreateListeners, CreateRules, ModifyHost, ModifyListener, ModifyLoadBalancer, ModifyRule, SetSecurityGroups)
_TARGETS = (RegisterTargets, ModifyWeights)
_ON_A_LISTENER = (CreateRules, ModifyHost, ModifyRule)


@dataclass(slots=True)
class _Lost:
    """What will not be there because of what is left out."""

    listeners: set[ListenerKey] = field(default_factory=set)
    rules: set[RuleRef] = field(default_factory=set)


class Refusals:
    """Memory of one term, by load balancer and step."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._apart: dict[tuple[CloudRef, Step], float] = {}
        self._refused: dict[tuple[CloudRef, Step], tuple[float, Problem]] = {}

    def note(self, ref: CloudRef | None, step: Step | None, refusal: Rejected) -> bool:
        """Take a refusal down; False when nothing can be planned around it."""
        if ref is None or not isinstance(step, _SHAPES):
            return False
        until = self._monotonic() + AGAIN_S
        with self._lock:
            if len(_parts(step)) > 1 and not _is_of_a_host(step, refusal):
                self._apart[ref, step] = until
            else:
                told = Problem(code=refusal.code, reason=refusal.reason, message=str(refusal))
                self._refused[ref, step] = until, told
        return True

    def filter(self, ref: CloudRef, plan: Plan) -> tuple[Plan, tuple[Problem, ...]]:
        """The plan without what was refused and what rests on it, and why."""
        with self._lock:
            self._forget()
            if not any(key[0] == ref for key in (*self._apart, *self._refused)):
                return plan, ()
            problems: list[Problem] = []
            lost = _Lost()
            kept: list[Step] = []
            for step in plan.steps:
                for part in self._taken_apart(ref, step):
                    refused = self._refused.get((ref, part))
                    if refused is not None:
                        problems.append(refused[1])
                        _lose(part, lost)
                    elif (rest := _without(part, lost)) is not None:
                        kept.append(rest)
        if lost.listeners or lost.rules:
            # What was to come does not come, so what it was to replace stays (promise 4).
            kept = [step for step in kept if not isinstance(step, DeleteListeners | DeleteRules)]
        return replace(plan, steps=tuple(kept)), tuple(dict.fromkeys(problems))

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


def _is_of_a_host(step: Step, refusal: Rejected) -> bool:
    """A certificate is all of its host's rules' in the same way."""
    one = isinstance(step, CreateRules) and len({rule.key.host for rule in step.rules}) == 1
    return one and refusal.code in OF_A_CERTIFICATE


def _parts(step: Step) -> tuple[Step, ...]:
    """One step for each host, then one for each rule. A step that cannot be taken apart is its own part."""
    if not isinstance(step, CreateRules):
        return (step,)
    hosts = dict.fromkeys(rule.key.host for rule in step.rules)
    if len(hosts) > 1:
        return tuple(_of(step, tuple(rule for rule in step.rules if rule.key.host == host)) for host in hosts)
    # Only the first may make its host the default; each brings the host's certificate, for it may be the only one.
    later = replace(step, hosts=tuple(replace(host, default=UNSET) for host in step.hosts))
    return tuple(_of(later if number else step, (rule,)) for number, rule in enumerate(step.rules))


def _of(step: CreateRules, rules: tuple[RuleSpec, ...]) -> CreateRules:
    named = {rule.key.host for rule in rules}
    return CreateRules(step.listener, rules, tuple(host for host in step.hosts if host.host in named))


def _lose(step: Step, lost: _Lost) -> None:
    match step:
        case CreateListeners():
            lost.listeners |= set(step.keys)
        case CreateRules(listener, rules):
            lost.rules |= {RuleRef(listener, rule.key) for rule in rules}


def _without(step: Step, lost: _Lost) -> Step | None:
    """The step as far as it still stands on something; None when nothing of it does."""
    if isinstance(step, _ON_A_LISTENER) and step.listener in lost.listeners:
        return None
    if isinstance(step, _TARGETS):
        placements = tuple(
            placement
            for placement in step.placements
            if placement.rule not in lost.rules and placement.rule.listener not in lost.listeners
        )
        return replace(step, placements=placements) if placements else None
    return step
