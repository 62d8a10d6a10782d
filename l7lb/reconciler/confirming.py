"""Is this cluster the one whose load balancers it finds? Until that is clear nothing is taken away.

A copy of a cluster (its etcd, or its machines) has the tags, records and UIDs of its original. What tells them apart is
where the traffic goes (`ledger.likeness`). It is looked at once a term, in a few calls; what it has found holds until
the end of the term when all is well, and is looked at again while it is not. While a region does not answer deletes are
held, and everything else goes on.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol

from l7lb import ledger
from l7lb.errors import RetryableError, TerminalError, Unavailable, UnsafePlan
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
from l7lb.reconciler.checkups import Healths, look
from l7lb.reconciler.ports import LoadBalancers

PER_CALL: Final = 30
HEADS_PER_CALL: Final = 20
CALLS_MAX: Final = 5
"""So many load balancers at most are looked at; of more, every so-manieth."""
AGAIN_S: Final = 60.0
SOON_S: Final = 5.0
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


@dataclass(slots=True)
class _Region:
    """What one region has said."""

    found: tuple[ledger.Likeness, ...] = ()
    silence: str = ""
    """Why nothing is known of it; empty: it is."""
    refuses: bool = False
    """It has answered with a no: nothing of ours may be there, as in a region that an author has made up."""


class Confirmation:
    """For one term; safe for several workers. `confirmed`: a person has said that this is the original.

    Nothing is taken away anywhere while the cluster's own region, or one that may answer later, has not been heard: the
    one that speaks for a copy may be there. A region that says no holds what is there alone.
    """

    def __init__(
        self,
        cluster: Cluster,
        around: Neighbourhood,
        monotonic: Callable[[], float],
        *,
        home: str,
        confirmed: bool = False,
        on_verdict: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`home`: the cluster's region. `on_verdict` hears why deletes are held; an empty text: they are not."""
        self._cluster = cluster
        self._around = around
        self._monotonic = monotonic
        self._home = home
        self._on_verdict = on_verdict
        self._lock = threading.Lock()
        self._clear = confirmed
        self._doubt = ""
        self._silence = ""
        self._regions: dict[str, _Region] = {}
        self._again: float | None = None
        """None: it has not been looked yet."""
        self._looking = False

    def look(self, cloud: LoadBalancers) -> str:
        """Why deletes are held everywhere; empty: they are not. Raises Unavailable while nothing at all is known.

        Asks the cloud at most once a minute, regions that have not answered sooner, and nothing once it is clear.
        """
        with self._lock:
            if self._clear or (self._again is not None and (self._looking or self._monotonic() < self._again)):
                return self._doubt or self._silence
            if self._looking:
                raise Unavailable("it is being looked at whether this cluster is a copy", retry_after_s=1.0)
            self._looking = True
        try:
            odd = self._strange(cloud)
        finally:
            with self._lock:
                self._looking = False
        return self._conclude(_words(odd) if odd else "")

    def look_everywhere(self, cloud: LoadBalancers) -> str:
        """As `look`; raises Unavailable while a region has not answered."""
        held = self.look(cloud)
        with self._lock:
            silence = self._silence if not self._doubt else ""
        if silence:
            raise Unavailable(silence, retry_after_s=SOON_S)
        return held

    def sift(self, plan: Plan, observed: ObservedLoadBalancer, claim: Claim, cloud: LoadBalancers) -> tuple[Plan, str]:
        """The part of the plan that may run, and why the rest may not (empty: all of it may).

        Raises UnsafePlan when nothing of it may, and Unavailable when that may be otherwise soon.
        """
        held = self.look(cloud) if plan and not self._clear else ""
        with self._lock:
            doubt, region = self._doubt, self._regions.get(observed.head.ref.region, _Region())
        if not held and region.silence and plan and not self._clear:
            held = f"{_silent_words((observed.head.ref.region,))}: {region.silence}"
        if not held:
            return plan, ""
        bound = ledger.bound_addresses(observed, claim)
        ours = self._inhabited(bound)
        # Where nobody of ours is bound it serves somebody else: not even what would be added.
        steps = () if bound and not ours else tuple(_allowed(plan.steps, ours))
        if not steps and not doubt:
            raise Unavailable(held, retry_after_s=SOON_S)
        if not steps:
            raise UnsafePlan(held, reason=HELD)
        return replace(plan, steps=steps), held if steps != plan.steps else ""

    def _conclude(self, doubt: str) -> str:
        with self._lock:
            before = self._doubt or self._silence
            silent = [name for name, one in self._regions.items() if one.silence and self._counts(name, one)]
            self._doubt, self._silence = doubt, _silent_words(silent)
            now = doubt or self._silence
            self._clear = not now and not any(one.silence for one in self._regions.values())
            self._again = self._monotonic() + (SOON_S if silent and not doubt else AGAIN_S)
        if now != before:
            self._on_verdict(now)
        return now

    def _counts(self, name: str, region: _Region) -> bool:
        return name == self._home or not region.refuses

    def _inhabited(self, bound: frozenset[str]) -> frozenset[str]:
        found = self._around.inhabited(bound)
        if found is None:
            raise Unavailable("nodes or pods of this cluster are not known yet: nothing is taken away")
        return found

    def _strange(self, cloud: LoadBalancers) -> tuple[ledger.Likeness, ...]:
        """Those that speak for a copy. Regions that have answered are asked again only while there is doubt."""
        in_use = self._around.in_use()
        refs = sorted(in_use)
        sample = refs[:: -(-len(refs) // (PER_CALL * CALLS_MAX)) or 1]
        regions = {} if self._doubt else {name: one for name, one in self._regions.items() if not one.silence}
        for name in sorted({ref.region for ref in sample} - regions.keys()):
            here = tuple(ref for ref in sample if ref.region == name)
            regions[name] = _heard(partial(self._likenesses, cloud, here, in_use))
        odd = ledger.strange(one for region in regions.values() for one in region.found)
        for name in sorted({one.ref.region for one in odd}):
            # Records can be written by anybody: what the tags call another's says nothing.
            own = partial(self._own, cloud, regions[name].found, {one.ref for one in odd})
            regions[name] = _heard(own)
        with self._lock:
            self._regions = regions
        return ledger.strange(one for region in regions.values() for one in region.found)

    def _likenesses(
        self, cloud: LoadBalancers, refs: tuple[CloudRef, ...], in_use: Mapping[CloudRef, frozenset[ListenerId]]
    ) -> Iterator[ledger.Likeness]:
        for few in _in_calls(refs, PER_CALL):
            seen = look(cloud, few)
            if unseen := seen.unseen - self._others(cloud, tuple(sorted(seen.unseen))):
                raise Unavailable(f"what is bound to {min(unseen).id} is not told")
            for ref in few:
                bound = tuple(_bound(seen.healths, ref, in_use[ref]))
                yield ledger.liken(ref, bound, self._inhabited(frozenset(one.key.address for one in bound)))

    def _own(
        self, cloud: LoadBalancers, found: tuple[ledger.Likeness, ...], odd: set[CloudRef]
    ) -> Iterator[ledger.Likeness]:
        others = self._others(cloud, tuple(one.ref for one in found if one.ref in odd))
        yield from (one for one in found if one.ref not in others)

    def _others(self, cloud: LoadBalancers, refs: tuple[CloudRef, ...]) -> frozenset[CloudRef]:
        """Those that do not bear our cluster's id."""
        heads = [pair for few in _in_calls(refs, HEADS_PER_CALL) for pair in cloud.heads(few).items()]
        return frozenset(ref for ref, head in heads if not ledger.bears_our_id(head.tags, self._cluster))


def _heard(answer: Callable[[], Iterable[ledger.Likeness]]) -> _Region:
    """What a region says, or that it does not."""
    try:
        return _Region(tuple(answer()))
    except RetryableError as silence:
        return _Region(silence=str(silence) or "it does not answer")
    except TerminalError as refusal:
        return _Region(silence=str(refusal) or "it refuses", refuses=True)


def _in_calls(refs: tuple[CloudRef, ...], most: int) -> Iterator[tuple[CloudRef, ...]]:
    for start in range(0, len(refs), most):
        yield refs[start : start + most]


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


def _silent_words(regions: Iterable[str]) -> str:
    names = ", ".join(sorted(regions))
    return f"deletes are held: {names} does not say yet whether this cluster is a copy of another one" if names else ""


def _words(odd: tuple[ledger.Likeness, ...]) -> str:
    first = odd[0]
    return (
        f"deletes are held: {len(odd)} load balancers of this cluster serve living targets that are no nodes or pods of"
        f" it ({first.ref.id}: {first.strangers}), as in a copy of a cluster; if the original is gone, start l7lb with"
        " --confirm-cluster and the cluster id, else remove l7lb from the copy"
    )
