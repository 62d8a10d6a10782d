"""Gauges that are counted when somebody looks: what the caches, the queue, the lease and the gate are like now."""

from collections import Counter
from datetime import datetime
from typing import Final

from l7lb.app.caches import record_of
from l7lb.app.leadership import Leadership
from l7lb.app.watching import Watching
from l7lb.model.cluster import Ingress
from l7lb.model.identity import Cluster
from l7lb.model.marks import FINALIZER
from l7lb.runtime.clock import Clock
from l7lb.runtime.election import Elector
from l7lb.telemetry.metrics import CONTROLLER, Metrics

MODES: Final = ("created", "adopted", "shared")
"""Claims of the record that stand for a load balancer in use."""


class Gauges:
    """`refresh` is called before each answer of /metrics, on its thread."""

    def __init__(
        self, metrics: Metrics, watching: Watching, leadership: Leadership, elector: Elector, lease: str, clock: Clock
    ) -> None:
        self._metrics = metrics
        self._watching = watching
        self._leadership = leadership
        self._elector = elector
        self._lease = lease
        self._clock = clock

    def refresh(self) -> None:
        """Bring all up to date."""
        now = self._clock.monotonic()
        self._metrics.set("leader_election_master_status", float(self._elector.holds(now)), self._lease)
        self._metrics.set("l7lb_gate_open", float(self._watching.gate.standing().open), CONTROLLER)
        for informer in self._watching.informers.all:
            self._metrics.set("l7lb_informer_synced", float(informer.synced), informer.name)
            self._metrics.set("l7lb_informer_staleness_seconds", informer.staleness_s(now), informer.name)
        self._count_ingresses()
        self._count_term(now)

    def _count_ingresses(self) -> None:
        held = [item.object for item in self._watching.stores.ingresses.list() if FINALIZER in item.object.finalizers]
        waiting = [self._clock.time() - since for one in held if one.deleting and (since := _deleted_at(one))]
        self._metrics.set("l7lb_finalizing_oldest_seconds", max(0.0, *waiting, 0.0), CONTROLLER)
        cluster = Cluster(self._watching.settings.cluster_id)
        records = [record for one in held if (record := record_of(one, cluster)) is not None and record.lb]
        claims = Counter(claim for claim, _, _ in {(record.claim, record.region, record.lb) for record in records})
        for mode in MODES:
            self._metrics.set("l7lb_managed_loadbalancers", claims[mode], mode)

    def _count_term(self, now: float) -> None:
        term = self._leadership.term
        total, longest = term.queue.unfinished(now) if term is not None else (0.0, 0.0)
        self._metrics.set("workqueue_unfinished_work_seconds", total, CONTROLLER)
        self._metrics.set("workqueue_longest_running_processor_seconds", longest, CONTROLLER)
        if term is not None:
            self._metrics.set("l7lb_last_verified_timestamp_seconds", term.verifier.oldest(), CONTROLLER)


def _deleted_at(ingress: Ingress) -> float:
    """The deletionTimestamp in seconds; 0 when it is no time (the API server writes it, nobody else)."""
    try:
        return datetime.fromisoformat(ingress.metadata.deletion_timestamp or "").timestamp()
    except ValueError:
        return 0.0
