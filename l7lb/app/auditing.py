"""`l7lb audit`: every load balancer of the cluster and every Ingress that we hold, side by side. Reads only.

What is found here is told, and nothing is decided: whose a load balancer is says `ledger`. What could not be read is
never taken for right.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from l7lb import ledger, translator
from l7lb.app.caches import record_of
from l7lb.app.census import census
from l7lb.app.judging import troubles_of
from l7lb.app.planning import patiently
from l7lb.app.progress import Progress, silent
from l7lb.app.regions import Look, look, regions
from l7lb.errors import NotFound, TerminalError
from l7lb.model.branches import Mark
from l7lb.model.cluster import Ingress, Object
from l7lb.model.identity import CloudRef, Cluster, LoadBalancerId, ObjectKey
from l7lb.model.inventory import Census, Entry, Memory, Provenance, Sighting, Use
from l7lb.model.loadbalancer import LoadBalancerHead
from l7lb.model.marks import CONDITIONS, FINALIZER, LISTENER_NAME
from l7lb.model.maybe import given
from l7lb.model.ownership import Evidence, Ownership, Record
from l7lb.model.watch import Quarantined
from l7lb.reconciler.conditions import ready_of
from l7lb.reconciler.locating import is_gone
from l7lb.reconciler.passes import is_grouped
from l7lb.reconciler.ports import LoadBalancers

AT_REST: Final = frozenset({Use.USED, Use.KEPT, Use.SERVICE})
"""Nothing is to be done about these."""
HALF: Final = frozenset({"creating", "failed", "adopting", "releasing"})
"""Claims of a record whose Ingress is on its way from one state to another."""
GOING_S: Final = 300.0
"""So long a deletion may take before it is worth a word."""
HEADS_PER_CALL: Final = 20


class Everyone(Protocol):
    """Lists all Ingresses at once."""

    def everyone(self) -> tuple[Object, ...]:
        """Their metadata, whole and at the newest version, or Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """What is audited, and with what."""

    cluster: Cluster
    home: str
    more_regions: tuple[str, ...]
    ingresses: tuple[Ingress, ...]
    """All of the cluster."""
    live: Everyone
    cloud: LoadBalancers
    now: float
    """By the wall clock."""
    memory: Memory = field(default_factory=Memory)
    undecoded: tuple[Quarantined, ...] = ()
    """Ingresses that are there and cannot be read."""
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Held:
    """One load balancer, and who uses it."""

    entry: Entry
    ingresses: tuple[ObjectKey, ...]
    """Those that its tag or they themselves name, as far as they live."""
    sighting: Sighting | None = None
    """Since when it is known as an orphan; None: nobody has counted."""
    left_listeners: tuple[str, ...] = ()
    """Listeners with our name on a lent one that no Ingress knows of."""

    @property
    def is_finding(self) -> bool:
        """Whether somebody should look at it."""
        return self.entry.use not in AT_REST or bool(self.left_listeners)


@dataclass(frozen=True, slots=True)
class Word:
    """What there is to say about one Ingress."""

    ingress: ObjectKey
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Audit:
    """The whole cluster."""

    cluster: Cluster
    look: Look
    load_balancers: tuple[Held, ...]
    words: tuple[Word, ...]
    finalizers: int
    """Ingresses that cannot be deleted while nobody of us runs."""
    deleting: int
    """Those of them that are being deleted now."""
    not_ready: int = 0
    """Ingresses whose own condition says that something of them is not served. No findings of an audit."""

    @property
    def findings(self) -> int:
        """How many things somebody should look at."""
        return sum(one.is_finding for one in self.load_balancers) + len(self.words)


def audit(place: Place, told: Progress = silent) -> Audit:
    """Look at everything. Raises what reading raises; a region that is refused is named in the answer."""
    told("looking for load balancers")
    places = regions(place.ingresses, place.cluster, place.home, place.more_regions)
    found = patiently(lambda: look(place.cloud, ledger.of_cluster(place.cluster), places), place.sleep)
    everyone = census(patiently(place.live.everyone, place.sleep), place.cluster)
    entries = _entries(place, found.heads, everyone)
    held = [one for one in place.ingresses if FINALIZER in one.finalizers]
    balancers: list[Held] = []
    for number, entry in enumerate(entries):
        told("looking at load balancers", number, len(entries))
        balancers.append(_held(place, entry, everyone))
    told("looking at Ingresses")
    return Audit(
        cluster=place.cluster,
        look=found,
        load_balancers=tuple(balancers),
        words=(
            *(
                Word(one.key, "not read", f"it cannot be decoded, nothing is done for it: {one.message}")
                for one in place.undecoded
            ),
            *(word for one in sorted(place.ingresses, key=lambda one: one.key) for word in _words(place, one, entries)),
        ),
        finalizers=len(held),
        deleting=sum(one.deleting for one in held),
        not_ready=sum(any(trouble.mark is Mark.BAD for trouble in troubles_of(one)) for one in place.ingresses),
    )


def _entries(place: Place, heads: Iterable[LoadBalancerHead], everyone: Census) -> tuple[Entry, ...]:
    """What looks free is read once more: it may have been on its way out while we looked."""
    entries = ledger.inventory(heads, place.cluster, everyone)
    free = [one.head.ref for one in entries if one.use not in AT_REST]
    again: dict[CloudRef, LoadBalancerHead] = {}
    for region in sorted({ref.region for ref in free}):
        here = [ref for ref in free if ref.region == region]
        for start in range(0, len(here), HEADS_PER_CALL):
            few = tuple(here[start : start + HEADS_PER_CALL])
            again |= patiently(lambda few=few: place.cloud.heads(few), place.sleep)  # type: ignore[misc]  # bound at once
    there = [again.get(one.head.ref, one.head) for one in entries if one.use in AT_REST or one.head.ref in again]
    return ledger.inventory(there, place.cluster, everyone)


def _held(place: Place, entry: Entry, everyone: Census) -> Held:
    namers = everyone.named.get(entry.head.ref.id, frozenset()) | {entry.ingress_uid}
    users = tuple(sorted(one.key for one in place.ingresses if one.metadata.uid in namers))
    lent = entry.provenance is Provenance.LENT
    return Held(entry, users, place.memory.sightings.get(entry.head.ref), tuple(_left(place, entry)) if lent else ())


def _left(place: Place, entry: Entry) -> Iterator[str]:
    """Listeners with our name that stand in no record."""
    records = [record for one in place.ingresses if (record := record_of(one, place.cluster)) is not None]
    known = {pair for record in records for pair in record.listeners.items() if record.lb == entry.head.ref.id}
    ids = {listener for _, (listener, _) in known if listener}
    announced = {key for key, (listener, _) in known if not listener}
    try:
        listeners = patiently(lambda: place.cloud.listeners(entry.head), place.sleep)
    except NotFound:
        return
    for one in listeners:
        if given(one.spec.name, "") == LISTENER_NAME and one.id not in ids and str(one.spec.key) not in announced:
            yield str(one.spec.key)


def _words(place: Place, ingress: Ingress, entries: tuple[Entry, ...]) -> Iterator[Word]:
    record = record_of(ingress, place.cluster)
    if ingress.deleting:
        if FINALIZER in ingress.finalizers:
            yield from _going(place, ingress)
        return
    if record is not None and record.lb:
        yield from _recorded(place, ingress, record, {entry.head.ref: entry for entry in entries})
    elif FINALIZER in ingress.finalizers:
        own = any(entry.ingress_uid == ingress.metadata.uid for entry in entries)
        if not own:
            yield Word(ingress.key, "no load balancer", f"it bears our finalizer and has none: {_why(ingress)}")
    if record is not None and record.claim in HALF:
        yield Word(ingress.key, "half-made", f"its record says {record.claim!r}: {_why(ingress)}")


def _going(place: Place, ingress: Ingress) -> Iterator[Word]:
    since = _time(ingress.metadata.deletion_timestamp, place.now)
    age_s = place.now - since
    others = ", ".join(name for name in ingress.finalizers if name != FINALIZER)
    if age_s >= GOING_S:
        text = f"it has been waiting for {age_s / 60:.0f} min to be deleted: {_why(ingress)}"
        yield Word(ingress.key, "deleting", text + (f"; held by {others} as well" if others else ""))


def _recorded(place: Place, ingress: Ingress, record: Record, entries: Mapping[CloudRef, Entry]) -> Iterator[Word]:
    ref = CloudRef(record.region or place.home, LoadBalancerId(record.lb))
    head = entries[ref].head if ref in entries else None
    if head is None:
        try:
            head = patiently(lambda: place.cloud.heads((ref,)), place.sleep).get(ref)
            gone = head is None and patiently(
                lambda: is_gone(place.cloud, LoadBalancerHead(ref, name="", running=False)), place.sleep
            )
        except TerminalError as refusal:
            yield Word(ingress.key, "not read", f"its record names {ref}, which cannot be read: {refusal}")
            return
        if head is None:
            state = "does not exist any more" if gone else "is not listed, and not gone either"
            yield Word(ingress.key, "gone", f"its record names {ref}, which {state}")
            return
    claim = ledger.read(_evidence(place, ingress, record, head), None, frozenset(), {})
    if claim.ownership in (Ownership.FOREIGN, Ownership.UNCLAIMED):
        yield Word(ingress.key, "not ours", f"its record names {ref}, and {claim.reason}")


def _evidence(place: Place, ingress: Ingress, record: Record, head: LoadBalancerHead) -> Evidence:
    options = translator.options(ingress)
    return Evidence(
        cluster=place.cluster,
        ingress_uid=ingress.metadata.uid,
        tags=head.tags,
        record=record,
        load_balancer=head.ref.id,
        named=options.exist_lb_id == head.ref.id,
        group=is_grouped(record, options),
        group_uids=frozenset(one.metadata.uid for one in place.ingresses),
    )


def _why(ingress: Ingress) -> str:
    """Its own Ready condition."""
    condition = ready_of(ingress.annotations.get(CONDITIONS))
    if condition is None:
        return "it says nothing about itself"
    return f"{condition.reason}: {condition.message}" if condition.message else condition.reason or condition.status


def _time(text: str | None, now: float) -> float:
    """Seconds since 1970; the present for what is no time, which the API server never writes."""
    try:
        return datetime.fromisoformat(text or "").timestamp()
    except ValueError:
        return now
