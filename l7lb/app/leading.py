"""One term of leadership: queue, workers, reconciler, verifier. Begins empty, trusts nothing of an earlier term."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from l7lb import planner
from l7lb.adapters.clb.ratelimit import pace_of
from l7lb.adapters.kube.ingresses import KubeIngresses
from l7lb.app.caches import Caches
from l7lb.app.census import census
from l7lb.app.collector import Collector, Shelf
from l7lb.app.config import OFF, Config
from l7lb.app.expiry import Archive, CertificateReader, Expiry
from l7lb.app.history import History
from l7lb.app.measuring import measured
from l7lb.app.neighbours import Doubt, Neighbours
from l7lb.app.orphans import Findings, SteadyClock, Surroundings, Sweeper
from l7lb.app.propagation import Propagation
from l7lb.app.readying import Readying, Ward
from l7lb.app.shards import ALL, Scope, borders
from l7lb.app.sweep import Sweep
from l7lb.app.telling import tell
from l7lb.app.triggers import Triggers
from l7lb.app.verifying import TURNS_PART, Beat, Verifier
from l7lb.errors import L7lbError, RetryableError, TerminalError, Throttled, UnsafePlan
from l7lb.model.identity import BindingKey, Cluster, TaskId
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import LoadBalancerHead
from l7lb.model.outcome import Outcome
from l7lb.model.snapshot import Settings
from l7lb.model.writing import EventType
from l7lb.reconciler.arrivals import Arrivals
from l7lb.reconciler.collecting import Tools
from l7lb.reconciler.confirming import Confirmation
from l7lb.reconciler.executor import Executor
from l7lb.reconciler.flights import Flights
from l7lb.reconciler.locating import Locator
from l7lb.reconciler.observations import Observations
from l7lb.reconciler.passes import Workshop, say
from l7lb.reconciler.ports import Events, LoadBalancers, Pods, ServiceConfigs, Telemetry
from l7lb.reconciler.reconciler import Reconciler
from l7lb.reconciler.writeback import WriteBack
from l7lb.runtime.clock import Clock
from l7lb.runtime.controller import Controller
from l7lb.runtime.lifecycle import Died, Threads
from l7lb.runtime.workqueue import WorkQueue
from l7lb.telemetry.counting import ControllerCounting, QueueCounting, ReconcileCounting
from l7lb.telemetry.metrics import CONTROLLER, Metrics
from l7lb.telemetry.passes import Passes

_logger = logging.getLogger(__name__)

TELL_EVERY: Final = 5
"""Failures in a row after which the object hears of them (again)."""
AT_ONCE_S: Final = 0.001
"""As soon as possible, and not beside a wait that goes on (`WorkQueue.add_after`)."""
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
    configs: ServiceConfigs
    caches: Caches
    triggers: Triggers
    events: Events
    metrics: Metrics
    clock: Clock
    writable: Callable[[], None]
    heads: tuple[LoadBalancerHead, ...] = ()
    """The cluster's load balancers as of just now; saves the first verification one read each."""
    trusted_from: float = 0.0
    """Monotonic; what is read before may miss a write that the leader before us had on its way (promise 7)."""
    certificates: CertificateReader | None = None
    """None: nobody looks when certificates expire."""
    pods: Pods | None = None
    """None: nobody opens readiness gates."""
    passes: Passes = field(default_factory=Passes)
    """Measures what passes do."""
    memory: Shelf | None = None
    """Where it is kept what was seen of orphans; None: none is collected."""
    scope: Scope = ALL
    """What of all there is this term is about."""


class Term:
    """From taking the lead to giving it up."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.settings = stage.settings
        self._desk = WriteBack(stage.ingresses, stage.clock.time)
        workers = stage.config.max_concurrent_reconciles
        self.endpoints = Propagation(
            stage.clock.monotonic,
            lambda seconds: stage.metrics.observe("l7lb_endpoint_propagation_seconds", seconds, CONTROLLER),
        )
        stage.metrics.set("l7lb_verify_interval_seconds", stage.config.verify_interval, CONTROLLER)
        self.queue = WorkQueue(workers=workers, metrics=QueueCounting(stage.metrics))
        self.observations = Observations(lambda: stage.clock.monotonic() >= stage.trusted_from, stage.clock.time)
        counting = ReconcileCounting(stage.metrics, planner.describe, stage.passes, self.endpoints.planned)
        self.history = History(counting, stage.clock.time)
        # What nobody can look at is not kept.
        self._telemetry: Telemetry = counting if stage.config.console_bind_address == OFF else self.history
        self._sweep = Sweep()
        self._sweep.enter(stage.heads if stage.trusted_from == 0 else ())
        self._cloud = measured(stage.cloud, stage.clock, stage.metrics, stage.passes, self._sweep.wrote)
        self.flights = Flights()
        self._executor = _executor(stage, self.flights, self.observations, self.queue, self._cloud.ended_well)
        self.orphans = self._sweeper()
        self.verifier = Verifier(
            self._beat(),
            interval_s=stage.config.verify_interval,
            on_look=self.orphans.hear if stage.scope.first else lambda _look: None,
            on_read=lambda: stage.metrics.count("l7lb_inventory_reads_total", "verifier"),
        )
        self.doubt = Doubt(stage.metrics)
        self.confirmation = Confirmation(
            stage.cluster,
            Neighbours(stage.triggers.stores, stage.cluster, stage.caches.unread),
            stage.clock.monotonic,
            home=stage.config.region,
            confirmed=bool(stage.config.confirm_cluster),
            on_verdict=self.doubt.tell,
        )
        self._reconciler = Reconciler(self._workshop())
        self.controller = Controller(
            self.queue,
            self._reconcile,
            stage.clock,
            metrics=ControllerCounting(stage.metrics, workers, stage.passes),
            on_failure=self._failed,
        )
        loops: dict[str, Callable[[], object]] = {f"worker-{number}": self.controller.run for number in range(workers)}
        self._expiry = self._watch_of_certificates()
        if self._expiry is not None:
            loops["certificates"] = self._expiry.run
        self._readying = self._opener_of_gates()
        if self._readying is not None:
            loops["readiness"] = self._readying.run
        if stage.scope.first:
            loops["orphans"] = self.orphans.run
        self._threads = Threads("workers", {**loops, "verifier": self.verifier.run}, self._ask)

    def start(self, died: Died) -> None:
        """Queue everything once, then let the workers begin."""
        self.confirm()
        self.enqueue()
        self._threads.start(died)

    def confirm(self) -> None:
        """Look whether this cluster may be a copy. When it cannot be told yet, the first pass that has to know asks."""
        try:
            self.confirmation.look(self._cloud.at(Lane.VERIFY))
        except L7lbError as error:
            _logger.warning("whether this cluster is a copy cannot be told yet: %s", error)

    def stop(self, timeout_s: float) -> bool:
        """Take nothing new, let running passes end; False when one did not end in time."""
        return self._threads.stop(min(timeout_s, DRAIN_S))

    def enqueue(self) -> None:
        """Every Ingress once: whoever takes the lead knows nothing."""
        self.verifier.enqueue()

    def forget(self, uid: str) -> None:
        """What we have last written on this Ingress does not count any more."""
        self._desk.forget(uid)

    def distrust(self) -> None:
        """Look at every load balancer again, whatever we believe to know."""
        self.verifier.round()

    def _ask(self) -> None:
        self.verifier.stop()
        self.orphans.stop()
        if self._expiry is not None:
            self._expiry.stop()
        if self._readying is not None:
            self._readying.stop()
        self.controller.stop()

    def _watch_of_certificates(self) -> Expiry | None:
        stage = self._stage
        if stage.certificates is None or not stage.scope.first:
            return None
        room = Archive(
            reader=stage.certificates,
            stores=stage.triggers.stores,
            caches=stage.caches,
            events=stage.events,
            metrics=stage.metrics,
            clock=stage.clock,
        )
        return Expiry(room)

    def _opener_of_gates(self) -> Readying | None:
        stage = self._stage
        if stage.pods is None or not stage.scope.first:
            return None
        ward = Ward(
            cluster=stage.cluster,
            settings=stage.settings,
            stores=stage.triggers.stores,
            caches=stage.caches,
            cloud=self._cloud,
            pods=stage.pods,
            observations=self.observations,
            events=stage.events,
            metrics=stage.metrics,
            clock=stage.clock,
            writable=stage.writable,
        )
        return Readying(ward)

    def _sweeper(self) -> Sweeper:
        stage = self._stage
        around = Surroundings(
            cluster=stage.cluster,
            stores=stage.triggers.stores,
            unread=stage.caches.unread,
            everyone=stage.ingresses.everyone,
            cloud=self._cloud,
            events=stage.events,
            metrics=stage.metrics,
            clock=stage.clock,
        )
        findings = Findings(around, SteadyClock(stage.clock))
        if not stage.config.collect_orphans or stage.memory is None:
            return Sweeper(findings)
        tools = Tools(
            cluster=stage.cluster,
            cloud=self._cloud,
            executor=self._executor,
            census=lambda: census(stage.ingresses.everyone(), stage.cluster),
            inhabited=Neighbours(stage.triggers.stores, stage.cluster, stage.caches.unread).inhabited,
            monotonic=stage.clock.monotonic,
            wall=findings.time.now,
        )

        def may_collect() -> None:
            """What the original of a copy has made since is an orphan to the copy, and has all of its tags."""
            stage.writable()
            if doubt := self.confirmation.look(self._cloud.at(Lane.VERIFY)):
                raise UnsafePlan(doubt, reason="DeletesHeld")

        return Sweeper(findings, Collector(findings, tools, stage.memory, may_collect, stage.trusted_from))

    def _beat(self) -> Beat:
        stage = self._stage
        return Beat(
            cluster=stage.cluster,
            settings=stage.settings,
            stores=stage.triggers.stores,
            caches=stage.caches,
            cloud=self._cloud,
            clock=stage.clock,
            queue=self.queue,
            observations=self.observations,
            sweep=self._sweep,
            more_regions=stage.config.other_regions,
            trusted_from=stage.trusted_from,
            turns_per_s=TURNS_PART * pace_of(stage.config.api_share / stage.scope.shards).verifying,
            scope=stage.scope,
        )

    def _workshop(self) -> Workshop:
        stage = self._stage
        return Workshop(
            cluster=stage.cluster,
            settings=stage.settings,
            cloud=self._cloud,
            ingresses=stage.ingresses,
            configs=stage.configs,
            snapshots=stage.caches,
            events=stage.events,
            telemetry=self._telemetry,
            executor=self._executor,
            locator=Locator(self.observations, stage.caches, self._telemetry),
            confirmation=self.confirmation,
            desk=self._desk,
            monotonic=stage.clock.monotonic,
            wall=stage.clock.time,
            tke_finalizers=stage.config.finalizers_of_tke,
            class_exit_grace_s=stage.config.class_exit_grace,
            trusted_from=stage.trusted_from,
            writable=stage.writable,
            comparing=self.verifier.comparing,
            phases=stage.passes,
            borders=borders(stage.scope, stage.cluster, self.settings, stage.triggers.stores, stage.ingresses.everyone),
        )

    def _reconcile(self, key: str, lane: Lane) -> Outcome:
        binding = BindingKey(key)
        try:
            with self.endpoints.passing(binding) as ended, self.verifier.turn(binding, lane):
                outcome = ended(self._reconciler.reconcile(binding, lane))
        except Exception as error:
            # Each one: `_failed` hears neither of expected waits nor of the first failures. Whoever only verifies waits
            # for tokens all the time, which keeps nobody from anything.
            if not (isinstance(error, Throttled) and lane is Lane.VERIFY):
                self.history.failed(binding, error)
            raise
        self.history.ended(binding, outcome)
        return outcome

    def _failed(self, key: str, error: Exception, failures: int) -> None:
        """What no object heard yet: bugs, and trouble that lasts. A used up API budget is not its author's business."""
        if isinstance(error, TerminalError | Throttled):
            return
        members = self._stage.caches.members(BindingKey(key))
        if isinstance(error, RetryableError):
            if failures % TELL_EVERY == 0:
                tell(members, error, events=self._stage.events, desk=self._desk)
            return
        text = f"a bug in l7lb keeps this Ingress waiting ({type(error).__name__}); its log says more"
        for ingress in members:
            self._stage.events.emit(say(ingress, "InternalError", text, EventType.WARNING))


def _bring_forward(queue: WorkQueue, clock: Clock, binding: BindingKey, after_s: float) -> None:
    """What its flight waits for has come: its wait is cut short, and no second one is left behind."""
    queue.add_after(binding, Lane.CHANGE, max(AT_ONCE_S, after_s), clock.monotonic())


def _executor(
    stage: Stage, flights: Flights, observations: Observations, queue: WorkQueue, ended: Callable[[TaskId], None]
) -> Executor:
    """Whose flights wait in this queue."""
    monotonic = stage.clock.monotonic
    arrivals = Arrivals(flights, monotonic, wake=partial(_bring_forward, queue, stage.clock), ended=ended)
    return Executor(flights, observations, monotonic, trusted_from=stage.trusted_from, arrivals=arrivals)


@dataclass(slots=True)
class QueueSink:
    """Where triggers put keys: the queue of the term, or nowhere on a standby."""

    clock: Clock
    term: Term | None = None

    def add(self, key: BindingKey, lane: Lane, *, urgent: bool = False, after_s: float = 0.0) -> None:
        """Queue it while we lead."""
        term = self.term
        if term is None:
            return
        now = self.clock.monotonic()
        if lane in (Lane.ENDPOINTS, Lane.ARRIVALS):
            term.endpoints.seen(key)
        if after_s > 0:
            term.queue.add_after(key, lane, after_s, now)
        else:
            term.queue.add(key, lane, now, urgent)

    def forget(self, uid: str) -> None:
        """A standby has written nothing."""
        if self.term is not None:
            self.term.forget(uid)
