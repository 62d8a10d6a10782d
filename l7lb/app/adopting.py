"""`l7lb adopt`: how each Ingress of a cluster stands before l7lb takes over from TKE's controller, and the hand-over.

The passes are those of `l7lb run`, up to the first write to the cloud, which is never made here. `--apply` enters our
finalizer and record where nothing would have to be written; everything else is left to `run`.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import Final, Protocol

from l7lb import ledger, planner, translator
from l7lb.app.dry import Finding, ReadOnly
from l7lb.app.placing import entered, kept, place
from l7lb.app.planning import Hands, Worlds, patiently, plans
from l7lb.app.progress import Progress, silent
from l7lb.app.survey import Surveyed
from l7lb.errors import NotFound
from l7lb.model.identity import CloudRef, ObjectKey
from l7lb.model.loadbalancer import LoadBalancerHead
from l7lb.model.marks import FINALIZER, TKE_FINALIZER
from l7lb.reconciler.observations import Observations

PER_CALL: Final = 20
GOING: Final = (
    "it is being deleted, and only TKE's controller, whose finalizer holds it, can end that:"
    " switch it off when this Ingress is gone, or on again until it is"
)


class Protections(Protocol):
    """Reads modification protection."""

    def protected(self, refs: tuple[CloudRef, ...]) -> frozenset[CloudRef]:
        """Those of `refs` (one region, at most 20) whose modification protection is on."""
        ...


class Verdict(Enum):
    """How one Ingress stands."""

    TAKEN = "taken over"
    """Our finalizer and record are on it, and nothing is to be written."""
    RIGHT = "already right"
    """Nothing would be written to the cloud."""
    CHANGES = "would change"
    WAITS = "waits"
    REFUSED = "not taken over"


@dataclass(frozen=True, slots=True)
class Assessment:
    """One Ingress."""

    ingress: ObjectKey
    verdict: Verdict
    finding: Finding
    load_balancer: CloudRef | None = None
    protected: bool = False
    """Modification protection: writes of ours would be refused, and no public action takes it off."""
    delete_protected: bool = False
    rulings: tuple[str, ...] = ()
    """Where we read the Ingress further than TKE's controller, and leave what is there."""

    @property
    def writes(self) -> int:
        """Steps that `run` would perform."""
        return len(self.finding.plan.steps)

    @property
    def must_be_unprotected(self) -> bool:
        """What is to be written now would be refused."""
        return self.protected and self.writes > 0


@dataclass(frozen=True, slots=True)
class Takeover:
    """The whole cluster."""

    assessments: tuple[Assessment, ...]
    gate_open: bool
    gate: str
    """Why it is open, or closed."""
    strangers: tuple[LoadBalancerHead, ...] = ()
    """Load balancers that bear the cluster's id and an Ingress's, of which there is none."""

    def having(self, verdict: Verdict) -> tuple[Assessment, ...]:
        """Those that stand so."""
        return tuple(one for one in self.assessments if one.verdict is verdict)

    @property
    def writes(self) -> int:
        """Steps in all."""
        return sum(one.writes for one in self.assessments)


def assess(
    found: Surveyed,
    protections: Protections,
    sleep: Callable[[float], None] = time.sleep,
    told: Progress = silent,
) -> Takeover:
    """Look at everything; nothing is written, neither to the cluster nor to the cloud."""
    worlds, observations = found.worlds, Observations()
    hands = Hands(ReadOnly(worlds.live, worlds.stores), observations)
    findings = [*plans(worlds, sleep, hands, told), *_going(worlds)]
    findings.sort(key=lambda one: one.ingress)
    refs = sorted({one.load_balancer for one in findings if one.load_balancer is not None}, key=str)
    protected = _protected(refs, protections, sleep)
    heads = {head.ref: head for head in found.heads}
    assessments = []
    for finding in findings:
        ref = finding.load_balancer
        head = heads.get(ref) if ref is not None else None
        assessments.append(
            Assessment(
                ingress=finding.ingress,
                verdict=_verdict(worlds, finding),
                finding=finding,
                load_balancer=ref,
                protected=ref in protected,
                delete_protected=head is not None and head.delete_protection,
                rulings=_rulings(worlds, finding.ingress, ref, observations),
            )
        )
    return Takeover(tuple(assessments), found.standing.open, found.standing.reason, _strangers(worlds, found.heads))


def take_over(worlds: Worlds, takeover: Takeover, sleep: Callable[[float], None] = time.sleep) -> Takeover:
    """Enter finalizer and record on what is already right. What has changed since is left, and said."""
    if worlds.live is None:
        raise ValueError("a take-over needs a live cluster")
    right = frozenset(one.ingress for one in takeover.having(Verdict.RIGHT))
    after = {finding.ingress: finding for finding in plans(worlds, sleep, Hands(worlds.live, only=right))}
    entered = tuple(
        replace(one, finding=after[one.ingress], verdict=_after(after[one.ingress])) if one.ingress in after else one
        for one in takeover.assessments
    )
    return replace(takeover, assessments=entered)


def _going(worlds: Worlds) -> Iterator[Finding]:
    """What TKE's controller has begun to delete. No finalizer can be added any more, so it never becomes ours."""
    for item in worlds.stores.ingresses.list():
        ingress = item.object
        if ingress.deleting and TKE_FINALIZER in ingress.finalizers and FINALIZER not in ingress.finalizers:
            ref = place(ingress, worlds.cluster, worlds.settings.region)
            yield Finding(ingress.key, waits=GOING, load_balancer=ref)


def _after(finding: Finding) -> Verdict:
    if finding.error:
        return Verdict.REFUSED
    if finding.plan or not finding.record:
        return Verdict.CHANGES if finding.plan else Verdict.WAITS
    return Verdict.TAKEN


def _verdict(worlds: Worlds, finding: Finding) -> Verdict:
    if finding.failed or (not finding.plan and not finding.waits and not finding.record):
        return Verdict.REFUSED
    if finding.plan:
        return Verdict.CHANGES
    if finding.waits and not _is_settled(worlds, finding):
        return Verdict.WAITS
    item = worlds.stores.ingresses.get(finding.ingress)
    ingress = item.object if item is not None else None
    is_taken = ingress is not None and FINALIZER in ingress.finalizers and kept(ingress, worlds.cluster) is not None
    return Verdict.TAKEN if is_taken else Verdict.RIGHT


def _is_settled(worlds: Worlds, finding: Finding) -> bool:
    """The pass has come to its end with all that is asked for: it waits only to look again, as at a NotReady node."""
    item = worlds.stores.ingresses.get(finding.ingress)
    record = entered(item.object, worlds.cluster, finding.record) if item is not None else None
    return finding.served and record is not None and bool(record.lb)


def _protected(
    refs: Iterable[CloudRef], protections: Protections, sleep: Callable[[float], None]
) -> frozenset[CloudRef]:
    by_region: dict[str, list[CloudRef]] = {}
    for ref in refs:
        by_region.setdefault(ref.region, []).append(ref)
    found: set[CloudRef] = set()
    for of_region in by_region.values():
        for start in range(0, len(of_region), PER_CALL):
            part = tuple(of_region[start : start + PER_CALL])
            found |= _protected_of(part, protections, sleep)
    return frozenset(found)


def _protected_of(
    refs: tuple[CloudRef, ...], protections: Protections, sleep: Callable[[float], None]
) -> frozenset[CloudRef]:
    """The call fails as a whole when one is not there, so it is halved until that one is alone: it is not protected."""
    try:
        return patiently(partial(protections.protected, refs), sleep)
    except NotFound:
        half = len(refs) // 2
        if not half:
            return frozenset()
        return frozenset().union(*(_protected_of(part, protections, sleep) for part in (refs[:half], refs[half:])))


def _rulings(worlds: Worlds, key: ObjectKey, ref: CloudRef | None, observations: Observations) -> tuple[str, ...]:
    item = worlds.stores.ingresses.get(key)
    observed = observations.get(ref) if ref is not None else None
    if item is None or observed is None:
        return ()
    desired = translator.translate(worlds.caches.snapshot(item.object), worlds.settings).desired
    return planner.rulings(desired, observed) if desired is not None else ()


def _strangers(worlds: Worlds, heads: Iterable[LoadBalancerHead]) -> tuple[LoadBalancerHead, ...]:
    living = {item.object.metadata.uid for item in worlds.stores.ingresses.list()}
    return tuple(head for head in heads if (uid := ledger.ingress_of(head.tags)) and uid not in living)
