"""Orphans: after each verification all load balancers of the cluster are held against all Ingresses there are.

The look of the verifier serves: no call to the cloud is added while there is nothing to suspect. Only where the cache
lacks the Ingress of a load balancer are all Ingresses listed, and only what is new is read again by its id, since it
may have been on its way out while we looked. What is found is told; deleting is for `app.collector`.
"""

import logging
import math
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from l7lb import ledger
from l7lb.app.caches import Stores
from l7lb.app.census import census
from l7lb.app.regions import Look
from l7lb.errors import L7lbError, RetryableError, Unavailable
from l7lb.model.cluster import Object
from l7lb.model.identity import CloudRef, Cluster, ObjectKey
from l7lb.model.inventory import Census, Entry, Memory, Use
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import LoadBalancerHead
from l7lb.model.writing import EventType, Note, ObjectReference
from l7lb.reconciler.ports import Events, LoadBalancers
from l7lb.runtime.clock import Clock
from l7lb.telemetry.metrics import CONTROLLER, Metrics

_logger = logging.getLogger(__name__)

KINDS: Final[Mapping[Use, str]] = {
    Use.ORPHAN: "orphan",
    Use.UNPROVEN_ORPHAN: "unproven",
    Use.LEFT_BEHIND: "lent",
}
"""What is reported -> label of the metric."""
HEADS_PER_CALL: Final = 20
AGAIN_MAX: Final = 200
"""So many new suspects are read again after one look, the others after the next: a second has room for so many calls of
one pass, and one that is refused in the middle begins anew."""
LIST_S: Final = 3600.0
"""So long a list of all Ingresses is good for load balancers that were suspected before it already."""
TOLD_MAX: Final = 10
TRIES_MAX: Final = 5
AGAIN_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What it looks at, and whom it tells."""

    cluster: Cluster
    stores: Stores
    unread: Callable[[], frozenset[str]]
    """Kinds whose cache is not synced."""
    everyone: Callable[[], Iterable[Object]]
    """All Ingresses of the whole cluster, from the API server itself, or raises."""
    cloud: LoadBalancers
    events: Events
    metrics: Metrics
    clock: Clock


class SteadyClock:
    """The wall clock of the beginning of the term, carried on by the monotonic one: nobody can set it meanwhile."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = clock.time() - clock.monotonic()

    def now(self) -> float:
        """Whole seconds since 1970."""
        return float(math.floor(self._ahead + self._clock.monotonic()))


@dataclass(slots=True)
class Findings:
    """What the last whole look has shown. For one thread."""

    around: Surroundings
    time: SteadyClock
    memory: Memory = field(default_factory=Memory)
    entries: tuple[Entry, ...] = ()
    _suspected: frozenset[tuple[CloudRef, str]] = frozenset()
    _listed: float = -math.inf
    _everyone: Census = field(default_factory=lambda: Census(frozenset()))
    _told: frozenset[tuple[CloudRef, Use]] = frozenset()

    def take(self, look: Look) -> None:
        """Hold one look against all Ingresses; raises when that cannot be done: then all stays as it was."""
        if "Ingress" in self.around.unread():
            raise Unavailable("the Ingresses are not known yet")
        entries = self._judged(look.heads)
        self.memory = ledger.remember(self.memory, entries, frozenset(look.regions), self.time.now())
        kept = tuple(one for one in self.entries if one.head.ref.region not in look.regions)
        self.entries = (*kept, *entries)
        self._tell()

    def _judged(self, heads: tuple[LoadBalancerHead, ...]) -> tuple[Entry, ...]:
        """Those that are reported. Suspected by the cache; convicted by a whole list, and by a second look if new."""
        cluster = self.around.cluster
        cached = census((item.object for item in self.around.stores.ingresses.list()), cluster)
        suspects = _reported(ledger.inventory(heads, cluster, cached))
        if not suspects:
            self._suspected = frozenset()
            return ()
        everyone = self._list(suspects)
        known = {entry.head.ref for entry in self.entries}
        again = self._read_again([entry.head.ref for entry in suspects if entry.head.ref not in known][:AGAIN_MAX])
        there = [again.get(entry.head.ref, entry.head) for entry in suspects]
        still = [head for head in there if head.ref in known or head.ref in again]
        return _reported(ledger.inventory(still, cluster, everyone))

    def _list(self, suspects: tuple[Entry, ...]) -> Census:
        """All Ingresses, listed now unless a list of late has shown the same suspects already."""
        suspected = frozenset((entry.head.ref, entry.ingress_uid) for entry in suspects)
        now = self.around.clock.monotonic()
        if not suspected <= self._suspected or now - self._listed >= LIST_S:
            self._everyone = census(self.around.everyone(), self.around.cluster)
            self._listed = now
        self._suspected = suspected
        return self._everyone

    def _read_again(self, refs: list[CloudRef]) -> dict[CloudRef, LoadBalancerHead]:
        cloud, found = self.around.cloud.at(Lane.VERIFY), dict[CloudRef, LoadBalancerHead]()
        for region in sorted({ref.region for ref in refs}):
            here = [ref for ref in refs if ref.region == region]
            for start in range(0, len(here), HEADS_PER_CALL):
                found |= cloud.heads(tuple(here[start : start + HEADS_PER_CALL]))
        return found

    def _tell(self) -> None:
        """Metrics each time; a line in the log and an Event when it is not what was told before."""
        metrics, now = self.around.metrics, self.time.now()
        for use, kind in KINDS.items():
            metrics.set("l7lb_orphaned_loadbalancers", sum(entry.use is use for entry in self.entries), kind)
        first = min((seen.first for seen in self.memory.sightings.values()), default=now)
        metrics.set("l7lb_orphan_oldest_seconds", max(0.0, now - first), CONTROLLER)
        metrics.set("l7lb_orphans_looked_timestamp_seconds", now, CONTROLLER)
        found = frozenset((entry.head.ref, entry.use) for entry in self.entries)
        if found == self._told:
            return
        fresh = [one for one in self.entries if (one.head.ref, one.use) not in self._told]
        self._told = found
        said = {str(entry.head.ref): entry.use.value for entry in self.entries}
        _logger.warning("load balancers that no Ingress uses: %d", len(said), extra={"orphans": said})
        if fresh:
            self.around.events.emit(say(self.around.cluster, "OrphansFound", _sentence(fresh), EventType.WARNING))


def say(cluster: Cluster, reason: str, message: str, kind: EventType = EventType.NORMAL) -> Note:
    """An Event about the cluster as a whole: at the namespace whose UID is its identity."""
    return Note(ObjectReference("v1", "Namespace", ObjectKey("", "kube-system"), cluster.uid), kind, reason, message)


def _reported(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(entry for entry in entries if entry.use in KINDS)


def _sentence(entries: list[Entry]) -> str:
    named = "; ".join(f"{entry.head.ref}: {entry.reason}" for entry in entries[:TOLD_MAX])
    more = f"; and {len(entries) - TOLD_MAX} more" if len(entries) > TOLD_MAX else ""
    return f"load balancers that no Ingress uses any more: {named}{more}; l7lb audit lists them"


class Companion(Protocol):
    """Who deletes what was found: `app.collector.Collector`."""

    def recall(self) -> None:
        """Before a look is taken."""
        ...

    def keep(self) -> None:
        """After it."""
        ...

    def step(self) -> float | None:
        """Move what is on its way; seconds until the next step, None: after the next look."""
        ...


class Sweeper:
    """For one term. `run` is a thread's life, `step` one turn of it; `hear` may be called from any thread."""

    def __init__(self, findings: Findings, collector: Companion | None = None) -> None:
        """`collector` None: orphans are only told."""
        self.findings = findings
        self._collector = collector
        self._stopping = threading.Event()
        self._news = threading.Event()
        self._lock = threading.Lock()
        self._look: Look | None = None
        self._tries = 0
        self._trouble = ""

    def hear(self, look: Look) -> None:
        """All load balancers of the cluster, as the verifier has found them just now."""
        with self._lock:
            self._look, self._tries = look, 0
        self._news.set()

    def run(self) -> None:
        """Until `stop`."""
        while not self._stopping.is_set():
            wait_s = self.step()
            if not self._stopping.is_set():  # `step` may have cleared what `stop` has set
                self._news.wait(wait_s)

    def stop(self) -> None:
        """End `run`."""
        self._stopping.set()
        self._news.set()

    def step(self) -> float | None:
        """Take the last look, if there is a new one; seconds until there is something to do without one."""
        self._news.clear()
        with self._lock:
            look, tries = self._look, self._tries
        if look is not None:
            try:
                self._take(look)
            except L7lbError as error:
                return self._after(error, look, tries)
            self._trouble = ""
            self._forget(look)
        return self._collector.step() if self._collector is not None else None

    def _take(self, look: Look) -> None:
        if self._collector is not None:
            self._collector.recall()
        self.findings.take(look)
        if self._collector is not None:
            self._collector.keep()

    def _after(self, error: L7lbError, look: Look, tries: int) -> float | None:
        """A few tries more; then the next look is waited for."""
        if isinstance(error, RetryableError) and tries < TRIES_MAX:
            with self._lock:
                self._tries += self._look is look
            return error.retry_after_s or AGAIN_S
        if str(error) != self._trouble:
            _logger.warning("orphans cannot be looked for: %s", error)
        self._trouble = str(error)
        self._forget(look)
        return None

    def _forget(self, look: Look) -> None:
        with self._lock:
            if self._look is look:
                self._look = None
