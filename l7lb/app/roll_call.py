"""The first look of a term: who is bound, against who ought to be. Decides nothing but whose turn comes early.

One call shows the bindings of 30 load balancers; a verification costs two reads for each, at a quarter of the budget.
So a pod that died while nobody led is found in seconds, and not when the turn of its load balancer comes.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from l7lb import translator
from l7lb.app.caches import Caches, record_of
from l7lb.errors import L7lbError, Throttled
from l7lb.model.cluster import Ingress
from l7lb.model.identity import BindingKey, CloudRef, Cluster, ListenerId, LoadBalancerId
from l7lb.model.loadbalancer import Presence, TargetKey
from l7lb.model.marks import FINALIZER
from l7lb.model.snapshot import Settings
from l7lb.reconciler.checkups import checkup
from l7lb.reconciler.ports import LoadBalancers

_logger = logging.getLogger(__name__)

PER_CALL: Final = 30
"""DescribeTargetHealth page: load balancers of one region in one call."""
TRIES: Final = 3

Wait: TypeAlias = Callable[[float], bool]
"""Waits so many seconds; true when the term ends."""


@dataclass(slots=True)
class Wish:
    """What is asked for of one load balancer, by all that use it."""

    key: BindingKey
    listeners: set[ListenerId] = field(default_factory=set)
    """Those that records name: of others nothing is known."""
    required: set[TargetKey] = field(default_factory=set)
    tolerated: set[TargetKey] = field(default_factory=set)
    sure: bool = True
    """False: some targets are not known, so nothing can be compared."""

    def differs(self, bound: set[TargetKey]) -> bool:
        """Whether somebody is missing, or there who ought not to be."""
        return self.sure and not self.required <= bound <= self.required | self.tolerated


@dataclass(frozen=True, slots=True)
class RollCall:
    """`cloud` spends the budget of whatever lane it was asked for in."""

    cluster: Cluster
    settings: Settings
    caches: Caches
    cloud: LoadBalancers
    key: Callable[[Ingress], BindingKey]

    def absent(self, ingresses: Iterable[Ingress], wait: Wait) -> Iterator[BindingKey]:
        """Keys of load balancers with other targets than they are to have, as they are found."""
        by_region: defaultdict[str, list[tuple[CloudRef, Wish]]] = defaultdict(list)
        for ref, wish in self._wishes(ingresses).items():
            by_region[ref.region].append((ref, wish))
        for pairs in by_region.values():
            for start in range(0, len(pairs), PER_CALL):
                some = dict(pairs[start : start + PER_CALL])
                bound = self._bound(some, wait)
                if bound is None:
                    continue  # each is verified in its turn
                yield from (wish.key for ref, wish in some.items() if wish.differs(bound[ref]))

    def _wishes(self, ingresses: Iterable[Ingress]) -> dict[CloudRef, Wish]:
        found: dict[CloudRef, Wish] = {}
        for ingress in ingresses:
            record = record_of(ingress, self.cluster)
            if record is None or not record.lb or ingress.deleting or FINALIZER not in ingress.finalizers:
                continue
            ref = CloudRef(record.region or self.settings.region, LoadBalancerId(record.lb))
            wish = found.setdefault(ref, Wish(self.key(ingress)))
            wish.listeners |= {ListenerId(listener) for listener, _ in record.listeners.values() if listener}
            self._add(wish, ingress)
        return found

    def _add(self, wish: Wish, ingress: Ingress) -> None:
        translation = translator.translate(self.caches.snapshot(ingress), self.settings)
        rules = [rule for spec in translation.desired.listeners for rule in spec.rules] if translation.desired else []
        wish.sure = wish.sure and bool(rules) and all(rule.targets_known for rule in rules)
        for target in (target for rule in rules for target in rule.targets):
            if target.presence is Presence.REQUIRED:
                wish.required.add(target.key)
            elif target.presence is Presence.TOLERATED:
                wish.tolerated.add(target.key)

    def _bound(self, wishes: dict[CloudRef, Wish], wait: Wait) -> dict[CloudRef, set[TargetKey]] | None:
        """What is bound on our listeners; None while the cloud does not say."""
        for _ in range(TRIES):
            try:
                answer = checkup(self.cloud, tuple(wishes))
            except Throttled as refusal:
                if wait(refusal.retry_after_s or 1.0):
                    return None
                continue
            except L7lbError as error:
                _logger.warning("roll call: %d load balancers are left for their turns: %s", len(wishes), error)
                return None
            bound: dict[CloudRef, set[TargetKey]] = {ref: set() for ref in wishes}
            for (ref, listener, _), targets in answer.items():
                if ref in wishes and listener in wishes[ref].listeners:
                    bound[ref] |= {target.key for target in targets}
            return bound
        _logger.warning("roll call: %d load balancers are left for their turns: the API budget is short", len(wishes))
        return None
