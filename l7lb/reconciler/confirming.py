"""Is this cluster the one whose load balancers it finds? Until that is clear nothing is taken away.

A copy of a cluster (its etcd, or its machines) has the tags, records and UIDs of its original. What tells them apart is
where the traffic goes (`ledger.likeness`). It is looked at once a term, in a few calls; what it has found holds until
the end of the term when all is well, and is looked at again while it is not. A region that does not answer keeps the
plans of its own load balancers waiting, and nobody else's.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from l7lb import ledger
from l7lb.errors import Unavailable, UnsafePlan
from l7lb.model.cloud import TargetHealth
from l7lb.model.identity import CloudRef, Cluster, ListenerId
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.ownership import Claim
from l7lb.model.plan import (
    DeleteListeners,
    DeleteLoadBalancer,
    DeleteRules,
    DeregisterTargets,
    ModifyWeights,
    Placement,
    Plan,
    RemoveTags,
    Step,
)
from l7lb.model.redirecting import DeleteRedirects
from l7lb.reconciler.checkups import Healths, checkup
from l7lb.reconciler.ports import LoadBalancers

PER_CALL: Final = 30
HEADS_PER_CALL: Final = 20
CALLS_MAX: Final = 5
"""So many load balancers at most are looked at; of more, every so-manieth."""
AGAIN_S: Final = 60.0
UNREAD_S: Final = 5.0
"""So soon regions that have not answered are asked again."""
HELD: Final = "DeletesHeld"

_TAKES_AWAY = (DeleteLoadBalancer, DeleteListeners, DeleteRules, DeleteRedirects, RemoveTags)


class Neighbourhood(Protocol):
    """What the caches know of this cluster."""

    def inhabited(self, addresses: frozenset[str]) -> frozenset[str] | None:
        """Of these those where a node that is Ready, or a pod on one, is; None while that is unknown."""
        ...

    def in_use(self) -> Mapping[CloudRef, frozenset[ListenerId]]:
        """Every load balancer that a record names, with our listeners on it."""
        ...


class Confirmation:
    """For one term; safe for several workers. `confirmed`: a person has said that this is the original."""

    def __init__(
        self,
        cluster: Cluster,
        around: Neighbourhood,
        monotonic: Callable[[], float],
        *,
        confirmed: bool = False,
        on_verdict: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`on_verdict` hears why deletes are held, and an empty text when they are not."""
        self._cluster = cluster
        self._around = around
        self._monotonic = monotonic
        self._on_verdict = on_verdict
        self._lock = threading.Lock()
        self._clear = confirmed
        self._doubt = ""
        self._unread: dict[str, Unavailable] = {}
        self._again: float | None = None
        """None: it has not been looked yet."""
        self._looking = False

    def look(self, cloud: LoadBalancers) -> str:
        """Why deletes are held; empty: they are not. Raises what reading raises, but for regions that do not answer.

        Asks the cloud at most once a minute, sooner only those regions; and not at all once it is clear.
        """
        with self._lock:
            if self._clear or (self._again is not None and (self._looking or self._monotonic() < self._again)):
                return self._doubt
            if self._looking:
                raise Unavailable("it is being looked at whether this cluster is a copy", retry_after_s=1.0)
            self._looking = True
        try:
            odd, unread = self._strange(cloud)
        finally:
            with self._lock:
                self._looking = False
        return self._conclude(_words(odd) if odd else "", unread)

    def look_everywhere(self, cloud: LoadBalancers) -> str:
        """As `look`; raises Unavailable while a region has not answered."""
        doubt = self.look(cloud)
        with self._lock:
            silence = next(iter(self._unread.values()), None)
        if silence is not None:
            raise Unavailable(str(silence), retry_after_s=UNREAD_S)
        return doubt

    def sift(self, plan: Plan, observed: ObservedLoadBalancer, claim: Claim, cloud: LoadBalancers) -> tuple[Plan, str]:
        """The part of the plan that may run, and why the rest may not (empty: all of it may).

        Raises UnsafePlan when nothing of it may, and Unavailable while its region has not answered.
        """
        doubt = self.look(cloud) if not self._clear and plan else ""
        with self._lock:
            silence = self._unread.get(observed.head.ref.region) if plan else None
        if silence is not None:
            region = observed.head.ref.region
            raise Unavailable(
                f"{region} does not say whether this cluster is a copy: {silence}", retry_after_s=UNREAD_S
            )
        if not doubt:
            return plan, ""
        bound = ledger.bound_addresses(observed, claim)
        ours = self._inhabited(bound)
        # Where nobody of ours is bound it serves somebody else: not even what would be added.
        steps = () if bound and not ours else tuple(_allowed(plan.steps, ours))
        if not steps:
            raise UnsafePlan(doubt, reason="DeletesHeld")
        return replace(plan, steps=steps), doubt if steps != plan.steps else ""

    def _conclude(self, doubt: str, unread: Mapping[str, Unavailable]) -> str:
        with self._lock:
            is_news, self._doubt, self._clear = doubt != self._doubt, doubt, not doubt and not unread
            self._unread = dict(unread)
            self._again = self._monotonic() + (UNREAD_S if unread else AGAIN_S)
        if is_news:
            self._on_verdict(doubt)
        return doubt

    def _inhabited(self, bound: frozenset[str]) -> frozenset[str]:
        found = self._around.inhabited(bound)
        if found is None:
            raise Unavailable("nodes or pods of this cluster are not known yet: nothing is taken away")
        return found

    def _strange(self, cloud: LoadBalancers) -> tuple[tuple[ledger.Likeness, ...], Mapping[str, Unavailable]]:
        """Those that speak for a copy, and the regions that do not answer.

        Records can be written by anybody: what the tags call another's says nothing.
        """
        found: list[ledger.Likeness] = []
        unread: dict[str, Unavailable] = {}
        in_use = self._around.in_use()
        for few in self._sample(sorted(in_use)):
            region = few[0].region
            try:
                answer = checkup(cloud, few) if region not in unread else {}
            except Unavailable as silence:
                unread[region] = silence
            if region not in unread:
                found += self._likenesses(few, answer, in_use)
        odd = tuple(one.ref for one in ledger.strange(found))
        others: set[CloudRef] = set()
        for few in _in_calls(odd, HEADS_PER_CALL):
            heads = cloud.heads(few)
            others |= {ref for ref, head in heads.items() if not ledger.bears_our_id(head.tags, self._cluster)}
        return ledger.strange(one for one in found if one.ref not in others), unread

    def _sample(self, refs: Sequence[CloudRef]) -> Iterator[tuple[CloudRef, ...]]:
        return _in_calls(refs[:: -(-len(refs) // (PER_CALL * CALLS_MAX)) or 1], PER_CALL)

    def _likenesses(
        self, few: Iterable[CloudRef], answer: Healths, in_use: Mapping[CloudRef, frozenset[ListenerId]]
    ) -> Iterator[ledger.Likeness]:
        for ref in few:
            bound = tuple(_bound(answer, ref, in_use[ref]))
            yield ledger.liken(ref, bound, self._inhabited(frozenset(one.key.address for one in bound)))


def _in_calls(refs: Sequence[CloudRef], most: int) -> Iterator[tuple[CloudRef, ...]]:
    """Of one region each, so many at most."""
    for region in sorted({ref.region for ref in refs}):
        of_region = tuple(ref for ref in refs if ref.region == region)
        for start in range(0, len(of_region), most):
            yield of_region[start : start + most]


def _bound(found: Healths, ref: CloudRef, listeners: frozenset[ListenerId]) -> Iterator[TargetHealth]:
    for (of, listener, _), targets in found.items():
        if of == ref and listener in listeners:
            yield from targets


def _allowed(steps: Iterable[Step], ours: frozenset[str]) -> Iterator[Step]:
    """Without what takes something away from others."""
    for step in steps:
        match step:
            case DeregisterTargets(placements) | ModifyWeights(placements):
                kept = tuple(one for one in placements if _is_ours(one, ours))
                if kept:
                    yield replace(step, placements=kept)
            case _ if not isinstance(step, _TAKES_AWAY):
                yield step


def _is_ours(placement: Placement, ours: frozenset[str]) -> bool:
    return placement.target.key.address in ours


def _words(odd: tuple[ledger.Likeness, ...]) -> str:
    first = odd[0]
    return (
        f"deletes are held: {len(odd)} load balancers of this cluster serve living targets that are no nodes or pods of"
        f" it ({first.ref.id}: {first.strangers}), as in a copy of a cluster; if the original is gone, start l7lb with"
        " --confirm-cluster and the cluster id, else remove l7lb from the copy"
    )
