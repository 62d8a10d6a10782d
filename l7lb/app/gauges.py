"""Gauges that are counted when somebody looks: what the caches, the queue, the lease and the gate are like now."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from l7lb import translator
from l7lb.app.caches import record_of
from l7lb.app.health import Leading
from l7lb.app.watching import Watching
from l7lb.model.identity import Cluster
from l7lb.model.marks import CONDITIONS, FINALIZER
from l7lb.model.snapshot import Verdict
from l7lb.reconciler.conditions import Condition, ready_of
from l7lb.runtime.clock import Clock
from l7lb.runtime.election import Lead
from l7lb.telemetry.metrics import CONTROLLER, Metrics

MODES: Final = ("created", "adopted", "shared")
"""Claims of the record that stand for a load balancer in use."""


class Gauges:
    """`refresh` is called before each answer of /metrics, on its thread."""

    def __init__(
        self, metrics: Metrics, watching: Watching, leadership: Leading, leases: Mapping[str, Lead], clock: Clock
    ) -> None:
        """`leases` by name: whoever holds the first counts what is there only once."""
        self._metrics = metrics
        self._watching = watching
        self._leadership = leadership
        self._leases = leases
        self._first = next(iter(leases.values()))
        self._clock = clock

    def refresh(self) -> None:
        """Bring all up to date."""
        now = self._clock.monotonic()
        for name, lease in self._leases.items():
            self._metrics.set("leader_election_master_status", float(lease.holds(now)), name)
            self._metrics.set("l7lb_lease_remaining_seconds", lease.remaining(now), name)
        self._metrics.set("l7lb_gate_open", float(self._watching.gate.standing().open), CONTROLLER)
        for informer in self._watching.informers.all:
            self._metrics.set("l7lb_informer_synced", float(informer.synced), informer.name)
            self._metrics.set("l7lb_informer_staleness_seconds", informer.staleness_s(now), informer.name)
        self._count_ingresses()
        self._count_term(now)

    def _count_ingresses(self) -> None:
        held = [item.object for item in self._watching.stores.ingresses.list() if FINALIZER in item.object.finalizers]
        deleted = (moment(one.metadata.deletion_timestamp) for one in held if one.deleting)
        waiting = [self._clock.time() - since for since in deleted if since]
        self._metrics.set("l7lb_finalizing_oldest_seconds", max(0.0, *waiting, 0.0), CONTROLLER)
        cluster = Cluster(self._watching.settings.cluster_id)
        records = [record for one in held if (record := record_of(one, cluster)) is not None and record.lb]
        used: set[tuple[str, ...]] = {(record.region, record.lb, record.claim) for record in records}
        claims = Counter(one[-1] for one in used)
        for mode in MODES:
            self._metrics.set("l7lb_managed_loadbalancers", claims[mode], mode)
        leads = self._first.holds(self._clock.monotonic())
        named = {one: 1.0 for one in used if leads and one[-1] in MODES}
        self._metrics.only("l7lb_loadbalancer_info", named)
        told = tuple(self._told())
        counts = Counter(one.status == "True" for one in told if leads)
        self._metrics.set("l7lb_ingress_condition", counts[True], "Ready", "True")
        self._metrics.set("l7lb_ingress_condition", counts[False], "Ready", "False")
        unready = [self._unready_since(one) for one in told if one.status == "False"]
        waited = self._clock.time() - min(unready, default=self._clock.time())
        self._metrics.set("l7lb_ingress_not_ready_oldest_seconds", max(0.0, waited), CONTROLLER)

    def _told(self) -> Iterator[Condition]:
        """Of Ingresses of ours; one that is being deleted is told by its own metric."""
        watching = self._watching
        classes, synced = watching.caches.classes()
        for item in watching.stores.ingresses.list():
            one = item.object
            condition = ready_of(one.annotations.get(CONDITIONS))
            if condition is None or one.deleting:
                continue
            if translator.verdict(one, classes, watching.settings, synced) is Verdict.OURS:
                yield condition

    def _unready_since(self, condition: Condition) -> float:
        return moment(condition.last_transition_time) or self._clock.time()

    def _count_term(self, now: float) -> None:
        terms = self._leadership.terms
        running = [term.queue.unfinished(now) for term in terms]
        self._metrics.set("workqueue_unfinished_work_seconds", sum(total for total, _ in running), CONTROLLER)
        longest = max((longest for _, longest in running), default=0.0)
        self._metrics.set("workqueue_longest_running_processor_seconds", longest, CONTROLLER)
        oldest = min((term.verifier.oldest() for term in terms), default=0.0)
        self._metrics.only("l7lb_last_verified_timestamp_seconds", {(CONTROLLER,): oldest} if terms else {})


def moment(text: str | None) -> float:
    """A time of the API server or of ours in seconds; 0 when it is none: anybody may write there."""
    try:
        return datetime.fromisoformat(text or "").timestamp()
    except ValueError:
        return 0.0
