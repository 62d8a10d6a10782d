"""Quotas that are short. What does not fit is asked for again after a while; what the cloud refuses is believed.

Memory of one term. A quota that DescribeQuota does not show, or shows too high, is learnt from what is refused: then
the planner makes room first, and does what fits.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from l7lb.errors import L7lbError, QuotaExceeded
from l7lb.model.identity import CloudRef
from l7lb.model.loadbalancer import CreateSpec, ObservedLoadBalancer
from l7lb.model.outcome import Again
from l7lb.model.plan import CreateListeners, CreateRules, RegisterTargets, Step
from l7lb.model.problems import Problem
from l7lb.model.quotas import Quota, shortage
from l7lb.model.redirecting import MIRROR_SOURCE, MirrorHosts
from l7lb.model.snapshot import Limits
from l7lb.reconciler.flights import Flight
from l7lb.reconciler.ports import LoadBalancers

FIRST_S: Final = 5.0
AGAIN_S: Final = 300.0
WHY: Final = "a quota is used up: asked for again, in case it was raised or something was freed"
FRESH_S: Final = 1.0
"""Where a quota is short, it was read so lately: an author who edits, or has it raised, does not wait."""
_CODES: Final = frozenset({"E4004", "E4005", "E4054"})


class Shortages:
    """By load balancer."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._short: dict[CloudRef, float] = {}
        self._learnt: dict[CloudRef, tuple[float, Limits, Problem]] = {}

    def limits(self, ref: CloudRef, cloud: LoadBalancers) -> Limits:
        """The quotas for one load balancer: less where the cloud has refused what it said it allows.

        Fresh ones are of use only where one is short; a pass that needs none does not ask.
        """
        limits = cloud.limits(ref.region, FRESH_S if self.again(ref) else inf)
        with self._lock:
            until, learnt, _ = self._learnt.get(ref, (-inf, limits, None))
            if until <= self._monotonic():
                self._learnt.pop(ref, None)
                return limits
        return replace(
            limits,
            listeners_per_load_balancer=min(limits.listeners_per_load_balancer, learnt.listeners_per_load_balancer),
            rules_per_listener=min(limits.rules_per_listener, learnt.rules_per_listener),
            targets_per_rule=min(limits.targets_per_rule, learnt.targets_per_rule),
        )

    def refused(self, flight: Flight, refusal: L7lbError, cloud: LoadBalancers) -> bool:
        """Take in that a step was more than a quota allows; False when nothing can be planned around that."""
        ref, observed, step = flight.ref, flight.observed, flight.step
        if not isinstance(refusal, QuotaExceeded) or ref is None or observed is None or step is None:
            return False
        wish = _wish(step, observed)
        if wish is None:
            return False
        before = self.limits(ref, cloud)  # read anew: it is in doubt
        allowed: int = getattr(before, wish.quota)
        told = Problem(code=refusal.code, reason=refusal.reason, message=str(refusal))
        with self._lock:
            self._short.setdefault(ref, FIRST_S / 2)
            if wish.total <= allowed:
                if wish.half >= allowed:
                    return False
                learnt = replace(before, **{wish.quota: wish.half})
                self._learnt[ref] = self._monotonic() + AGAIN_S, learnt, told
        return True

    def met(self, ref: CloudRef, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """Take in what a plan leaves out. Answers with what the cloud said if it refused more than its quotas do."""
        is_short = is_one(problems)
        with self._lock:
            before = self._short.pop(ref, FIRST_S / 2)
            if is_short:
                self._short[ref] = min(AGAIN_S, 2 * before)
            until, _, said = self._learnt.get(ref, (-inf, None, None))
        return (said,) if is_short and said is not None and until > self._monotonic() else ()

    def again(self, ref: CloudRef) -> Again | None:
        """When to ask again for what was left out for want of quota; None: nothing was."""
        with self._lock:
            return Again(self._short[ref], WHY) if ref in self._short else None


def is_one(problems: Iterable[Problem]) -> bool:
    """Whether one of them is a shortage."""
    return any(problem.code in _CODES for problem in problems)


def check_order(create: CreateSpec, region: str, cloud: LoadBalancers) -> None:
    """Raise QuotaExceeded when the region may not have another load balancer: the order would be refused.

    To say so costs one read, as ordering in vain would cost one call.
    """
    if _full(create, cloud.limits(region)) and (full := _full(create, cloud.limits(region, 0.0))):
        raise QuotaExceeded(
            f"no load balancer is ordered in {region}: {full}; it is tried again every 5 minutes",
            reason="LoadBalancerQuotaExceeded",
            code="E4003",
        )


def _full(create: CreateSpec, limits: Limits) -> str:
    quota, limit, used = Quota.PUBLIC, limits.public_load_balancers, limits.public_used
    if create.internal_subnet is not None:
        quota, limit, used = Quota.INTERNAL, limits.internal_load_balancers, limits.internal_used
    return shortage(quota, used=used, limit=limit, wanted=1) if used is not None and used >= limit else ""


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a step comes to: the field of the limits, how many there would be, and how many with half of the step."""

    quota: str
    total: int
    half: int


def _wish(step: Step, observed: ObservedLoadBalancer) -> _Wish | None:
    rules = {item.spec.key: item.spec.rules for item in observed.listeners}
    match step:
        case CreateListeners(ports=ports):
            return _of("listeners_per_load_balancer", len(observed.listeners), len(ports))
        case CreateRules(listener, made):
            return _of("rules_per_listener", len(rules.get(listener, ())), len(made))
        case MirrorHosts():
            return _of("rules_per_listener", len(rules.get(MIRROR_SOURCE, ())), 1)
        case RegisterTargets(placements):
            adds = Counter(placement.rule for placement in placements)
            bound = {
                ref: len(rule.targets) for ref in adds for rule in rules.get(ref.listener, ()) if rule.key == ref.rule
            }
            wishes = [_of("targets_per_rule", bound.get(ref, 0), number) for ref, number in adds.items()]
            return max(wishes, key=lambda wish: (wish.total, wish.half))
        case _:
            return None


def _of(quota: str, there: int, more: int) -> _Wish:
    return _Wish(quota, there + more, there + more // 2)
