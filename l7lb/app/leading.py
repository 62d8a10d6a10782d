"""One term of leadership: queue, workers, reconciler, verifier. Begins empty, trusts nothing of an earlier term."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from l7lb import ledger, planner
from l7lb.adapters.kube.ingresses import KubeIngresses
from l7lb.app.caches import Caches, key_of, record_of
from l7lb.app.config import Config
from l7lb.app.triggers import Triggers
from l7lb.errors import ConfigurationError, RetryableError
from l7lb.model.cluster import Ingress
from l7lb.model.identity import BindingKey, Cluster
from l7lb.model.lane import Lane
from l7lb.model.marks import FINALIZER
from l7lb.model.outcome import Outcome
from l7lb.model.snapshot import Settings
from l7lb.model.writing import EventType
from l7lb.reconciler.executor import Executor
from l7lb.reconciler.flights import Flights
from l7lb.reconciler.locating import Locator
from l7lb.reconciler.observations import Observations
from l7lb.reconciler.passes import Workshop, say
from l7lb.reconciler.ports import Events, LoadBalancers
from l7lb.reconciler.reconciler import Reconciler
from l7lb.reconciler.writeback import WriteBack
from l7lb.runtime.clock import Clock
from l7lb.runtime.controller import Controller
from l7lb.runtime.workqueue import WorkQueue
from l7lb.telemetry.counting import ControllerCounting, QueueCounting, ReconcileCounting
from l7lb.telemetry.metrics import CONTROLLER, Metrics

_logger = logging.getLogger(__name__)

DRAIN_S: Final = 20.0
"""Longer than one call with its retries; the Lease outlives it."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a term is played on."""

    config: Config
    cluster: Cluster
    settings: Settings
    cloud: LoadBalancers
    ingresses: KubeIngresses
    caches: Caches
    triggers: Triggers
    events: Events
    metrics: Metrics
    clock: Clock
    writable: Callable[[], None]


class Term:
    """From taking the lead to giving it up."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        config = stage.config
        workers = config.max_concurrent_reconciles
        self.queue = WorkQueue(workers=workers, metrics=QueueCounting(stage.metrics))
        self.observations = Observations()
        self._reconciler = Reconciler(self._workshop())
        self.controller = Controller(
            self.queue,
            self._reconcile,
            stage.clock,
            metrics=ControllerCounting(stage.metrics, workers),
            on_failure=self._failed,
        )
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self.controller.run, name=f"worker-{number}", daemon=True)
            for number in range(workers)
        ]
        if config.verify_interval > 0:
            self._threads.append(threading.Thread(target=self._verify, name="verifier", daemon=True))

    def start(self) -> None:
        """Queue everything once, then let the workers begin."""
        self.enqueue()
        for thread in self._threads:
            thread.start()

    def enqueue(self) -> None:
        """Every Ingress once: whoever takes the lead knows nothing."""
        for item in self._stage.triggers.stores.ingresses.list():
            key = key_of(item.object, self._stage.cluster, self._stage.settings)
            self.queue.add(key, self._first_lane(item.object), self._stage.clock.monotonic())

    def stop(self) -> bool:
        """Take nothing new, let running passes end; False when one did not end in time."""
        self._stopping.set()
        self.controller.stop()
        return self.queue.drain(DRAIN_S)

    def dead(self) -> tuple[str, ...]:
        """Threads that ended without being asked to."""
        if self._stopping.is_set():
            return ()
        return tuple(thread.name for thread in self._threads if not thread.is_alive())

    def measure(self) -> None:
        """Bring gauges of this term up to date."""
        metrics = self._stage.metrics
        total, longest = self.queue.unfinished(self._stage.clock.monotonic())
        metrics.set("workqueue_unfinished_work_seconds", total, CONTROLLER)
        metrics.set("workqueue_longest_running_processor_seconds", longest, CONTROLLER)
        metrics.set("l7lb_managed_loadbalancers", len(self.observations.refs()), CONTROLLER)

    def _workshop(self) -> Workshop:
        stage = self._stage
        telemetry = ReconcileCounting(stage.metrics, planner.describe)
        return Workshop(
            cluster=stage.cluster,
            settings=stage.settings,
            cloud=stage.cloud,
            ingresses=stage.ingresses,
            snapshots=stage.caches,
            events=stage.events,
            telemetry=telemetry,
            executor=Executor(Flights(), self.observations, stage.clock.monotonic),
            locator=Locator(self.observations, stage.caches, telemetry),
            desk=WriteBack(stage.ingresses, stage.clock.time),
            monotonic=stage.clock.monotonic,
            wall=stage.clock.time,
            tke_finalizers=stage.config.finalizers_of_tke,
            class_exit_grace_s=stage.config.class_exit_grace,
            writable=stage.writable,
        )

    def _reconcile(self, key: str, lane: Lane) -> Outcome:
        return self._reconciler.reconcile(BindingKey(key), lane)

    def _first_lane(self, ingress: Ingress) -> Lane:
        """Who is deleting or new goes first; the rest only needs comparing (a restart must not make users wait)."""
        if ingress.deleting or FINALIZER not in ingress.finalizers:
            return Lane.CHANGE
        record = record_of(ingress, self._stage.cluster)
        return Lane.VERIFY if record is not None and record.lb and record.desired else Lane.CHANGE

    def distrust(self) -> None:
        """Drop every observation and look at everything again."""
        for ref in self.observations.refs():
            self.observations.drop(ref)
        for key in self._stage.triggers.bindings():
            self.queue.add(key, Lane.VERIFY, self._stage.clock.monotonic())

    def _verify(self) -> None:
        """Distrust every observation from time to time: the cache never hides drift."""
        while not self._stopping.wait(self._stage.config.verify_interval):
            self.distrust()

    def _failed(self, key: str, error: Exception, failures: int) -> None:
        """What no object heard yet: bugs, and trouble that lasts."""
        if not isinstance(error, RetryableError):
            return
        text = f"tried {failures} times: {error}"
        for ingress in self._stage.caches.members(BindingKey(key)):
            self._stage.events.emit(say(ingress, type(error).__name__, text, EventType.WARNING))


def confirm_identity(cloud: LoadBalancers, cluster: Cluster, region: str) -> None:
    """Before the first write: no load balancer with our cluster id may bear another cluster's identity."""
    strangers = [
        head.ref.id
        for head in cloud.find(region, ledger.of_cluster(cluster))
        if ledger.another_identity(head.tags, cluster)
    ]
    if strangers:
        raise ConfigurationError(
            f"--cluster-id: load balancers {', '.join(strangers[:5])} bear {cluster.id} but were made for another "
            "cluster with that id: give the id of this cluster"
        )


def with_limits(settings: Settings, cloud: LoadBalancers) -> Settings:
    """The settings with the account's quotas."""
    return replace(settings, limits=cloud.limits(settings.region))
