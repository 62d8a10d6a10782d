"""How long the old targets of a swap stay: who has come lately, and what the cloud's check says of them.

In memory only. A process that meets a swap under way takes what is bound as new, and asks the cloud. Which targets
are swapped is decided in `swapping`; nothing is planned here.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from l7lb.model.identity import CloudRef, RuleRef
from l7lb.model.loadbalancer import DesiredLoadBalancer, TargetKey
from l7lb.model.plan import ModifyWeights, Plan, RegisterTargets
from l7lb.reconciler import swapping
from l7lb.reconciler.ports import LoadBalancers
from l7lb.reconciler.recent import Recent
from l7lb.reconciler.swapping import PATIENCE_S_MAX, Healths, Swap, trusted

LOOK_S: Final = 2.0
"""From one look at the health of new targets to the next."""
WHY: Final = "old targets stay until the check of the new ones has passed"


@dataclass(slots=True)
class _Newcomers:
    """Of one load balancer."""

    since: dict[tuple[RuleRef, TargetKey], float] = field(default_factory=dict)
    """When they were first seen after they were added."""
    planned: set[tuple[RuleRef, TargetKey]] = field(default_factory=set)
    looked: float = float("-inf")


class Swaps:
    """Remembers newcomers by load balancer; one pass at a time over each."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: Recent[CloudRef, _Newcomers] = Recent()

    def planned(self, ref: CloudRef, plan: Plan) -> None:
        """A plan sets out: whom it brings has yet to be trusted by the cloud."""
        with self._lock:
            known = self._known.setdefault(ref, _Newcomers())
        for step in plan.steps:
            if isinstance(step, RegisterTargets):
                known.planned |= {(one.rule, one.target.key) for one in step.placements}
            elif isinstance(step, ModifyWeights):
                known.planned |= {(one.rule, one.target.key) for one in step.placements if one.target.weight != 0}

    def kept(
        self,
        desired: DesiredLoadBalancer,
        ref: CloudRef,
        found: Iterable[Swap],
        cloud: LoadBalancers,
        vacant: Callable[[frozenset[str]], frozenset[str]],
    ) -> tuple[DesiredLoadBalancer, float | None]:
        """`desired` with the old targets that stay for now, and after how many seconds to look again; None: no need.

        `vacant`: of these addresses those where nobody is. The cloud is asked only where nobody but newcomers would be
        left.
        """
        stay, wait = self._waiting(ref, tuple(found), lambda: cloud.health((ref,)))
        if not stay:
            return desired, None
        stay = swapping.without(stay, vacant(frozenset(key.address for swap in stay for key in swap.leaving)))
        return swapping.kept(desired, stay), wait

    def _waiting(
        self, ref: CloudRef, found: tuple[Swap, ...], health: Callable[[], Healths]
    ) -> tuple[tuple[Swap, ...], float | None]:
        now = self._monotonic()
        known = self._at(ref, found, now)
        stay = [swap for swap in found if not swap.heirs]
        doubtful = [swap for swap in found if swap.heirs and self._is_doubtful(known, swap, now)]
        told: Healths = {}
        if doubtful and now - known.looked >= LOOK_S:
            told, known.looked = health(), now
        wait = None
        for swap in doubtful:
            if alive := trusted(swap, told):
                for key in alive:
                    known.since.pop((swap.ref, key), None)
                continue
            stay.append(swap)
            wait = LOOK_S
        return tuple(stay), wait

    def _at(self, ref: CloudRef, found: tuple[Swap, ...], now: float) -> _Newcomers:
        with self._lock:
            is_met = ref in self._known
            known = self._known.setdefault(ref, _Newcomers())
        if not is_met:
            known.since = {(swap.ref, key): now for swap in found for key in swap.heirs}
        known.since = {name: since for name, since in known.since.items() if now - since < PATIENCE_S_MAX}
        known.since |= dict.fromkeys(known.planned, now)
        known.planned.clear()
        return known

    def _is_doubtful(self, known: _Newcomers, swap: Swap, now: float) -> bool:
        """Whether all who would be left have come so lately that their check may not have passed."""
        came = [known.since.get((swap.ref, key)) for key in swap.heirs]
        return all(since is not None and now - since < swap.patience_s for since in came)
