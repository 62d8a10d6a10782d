"""`l7lb run`: the order in which things start and stop, and what ends the process.

Start: probes, informers, lease. Lead: identity, quotas, one term. Stop: workers, events, informers, then the lease, so
that the next leader begins at once and nothing of ours is on its way any more; probes last. A lost lease or a dead
thread ends the process: a restart is safer than a half-dead writer.
"""

import logging
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from l7lb.adapters.kube.events import EventWriter
from l7lb.adapters.kube.leases import KubeLeases
from l7lb.app.caches import Caches, Stores, stores
from l7lb.app.config import Config
from l7lb.app.connections import Connections, connect, identity
from l7lb.app.gate import Evidence, Gate
from l7lb.app.informing import Informers, Means, gate_evidence, informers
from l7lb.app.leading import Stage, Term, confirm_identity, with_limits
from l7lb.app.triggers import Triggers
from l7lb.errors import ConfigurationError, L7lbError, LostLeadership
from l7lb.model.identity import BindingKey, Cluster, ObjectKey
from l7lb.model.lane import Lane
from l7lb.model.snapshot import Settings
from l7lb.model.writing import Note
from l7lb.reconciler.ports import Events
from l7lb.runtime.clock import Clock, SystemClock
from l7lb.runtime.election import Elector, WriteGuard
from l7lb.runtime.probes import ProbeServer, health_routes, metrics_routes
from l7lb.telemetry.informing import InformerCounting
from l7lb.telemetry.metrics import CONTROLLER, Metrics

T = TypeVar("T")

_logger = logging.getLogger(__name__)

SYNC_S_MAX: Final = 120.0
CONTACT_S_MAX: Final = 120.0
EXIT_LOST: Final = 3
"""Exit code of a process that may not write any more, or of which a part has died."""


@dataclass(slots=True)
class Doorman:
    """Whether something may be written now: the lease first, then the gate. Before the elector exists: never."""

    clock: Clock
    guard: WriteGuard | None = None
    gate: Gate | None = None

    def check(self) -> None:
        """Raises LostLeadership or GateClosed."""
        if self.guard is None or self.gate is None:
            raise LostLeadership("not the leader yet")
        self.guard.check(self.clock.monotonic())
        self.gate.check()


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
        if after_s > 0:
            term.queue.add_after(key, lane, after_s, now)
        else:
            term.queue.add(key, lane, now, urgent)


@dataclass(frozen=True, slots=True)
class QuietEvents:
    """Events are written while the gate is open only: until then we are no part of this cluster."""

    writer: EventWriter
    gate: Gate

    def emit(self, note: Note) -> None:
        """Pass it on."""
        if self.gate.standing().open:
            self.writer.emit(note)


@dataclass(slots=True)
class Application:
    """One process. `run` returns its exit code."""

    config: Config
    environ: Mapping[str, str]
    version: str
    exit_hard: Callable[[int], None] = os._exit
    clock: Clock = field(default_factory=SystemClock)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> int:
        """Until a signal, or until it cannot go on. Raises ConfigurationError."""
        metrics = Metrics(self.version)
        doorman = Doorman(self.clock)
        connections = connect(self.config, self.environ, metrics, doorman.check)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())
        house = _House(self, metrics, connections, doorman)
        house.start_probes()
        try:
            cluster = self._contact(connections)
            if cluster is None:
                return 0 if self._stopping.is_set() else 1
            return house.live(cluster)
        finally:
            house.stop_probes()

    def stop(self) -> None:
        """As a signal would."""
        self._stopping.set()

    @property
    def stopping(self) -> threading.Event:
        """Set once it is to end."""
        return self._stopping

    def _contact(self, connections: Connections) -> Cluster | None:
        """Who this cluster is; asked until it answers, for two minutes."""
        deadline = time.monotonic() + CONTACT_S_MAX
        while not self._stopping.is_set():
            try:
                return Cluster(self.config.cluster_id, connections.cluster.uid())
            except ConfigurationError:
                raise
            except L7lbError as error:
                if time.monotonic() > deadline:
                    _logger.error("the API server does not answer: %s", error)
                    return None
                _logger.warning("waiting for the API server: %s", error)
                self._stopping.wait(2.0)
        return None


class _House:
    """The parts of one running process."""

    def __init__(self, application: Application, metrics: Metrics, connections: Connections, doorman: Doorman) -> None:
        self._application = application
        self._config = application.config
        self._clock = application.clock
        self._metrics = metrics
        self._connections = connections
        self._doorman = doorman
        self._sink = QueueSink(self._clock)
        self._informers: Informers | None = None
        self._elector: Elector | None = None
        self._failure: Exception | None = None
        self._servers: list[ProbeServer] = []

    def start_probes(self) -> None:
        """Before anything else: a process that is starting is alive and not ready."""
        health = health_routes({"threads": self._healthy}, {"caches": self._ready})
        for flag, address, routes in (
            ("metrics-bind-address", self._config.metrics_bind_address, metrics_routes(self._metrics.render)),
            ("health-probe-bind-address", self._config.health_probe_bind_address, health),
        ):
            server = ProbeServer(f"--{flag}", address, routes)
            place = server.start()
            if place is not None:
                self._servers.append(server)
                _logger.info("serving %s on %s:%d", flag, *place)

    def stop_probes(self) -> None:
        """After everything else."""
        for server in self._servers:
            server.stop()

    def live(self, cluster: Cluster) -> int:
        """Informers, lease, term; then the same backwards."""
        settings = Settings(
            self._config.cluster_id,
            self._config.region,
            self._config.vpc_id,
            manage_classless=self._config.manage_classless,
        )
        kept = stores(cluster, settings)
        caches = Caches(
            kept, cluster,
            unread=lambda: self._informers.unread() if self._informers is not None else frozenset(),
            wall=self._clock.time,
            service_exists=lambda key: self._connections.ingresses.live_service(key) is not None,
        )  # fmt: skip
        triggers = Triggers(kept, caches, cluster, settings, self._sink)
        self._informers = self._make_informers(kept, triggers)
        gate = Gate(self._evidence(kept, self._informers), ignored=self._config.ignore_tke_controller)
        self._doorman.gate = gate
        self._informers.start()
        events = EventWriter(
            self._connections.kube, on_drop=lambda cause: self._metrics.count("l7lb_events_dropped_total", cause)
        )
        writer = threading.Thread(target=events.run, name="events", daemon=True)
        writer.start()
        elector_thread = self._campaign()
        try:
            code = self._lead(cluster, settings, caches, triggers, gate, QuietEvents(events, gate))
        finally:
            events.stop()
            writer.join(5.0)
            self._informers.stop()
            if self._elector is not None:
                self._elector.stop()
            elector_thread.join(10.0)
        return code

    def _make_informers(self, kept: Stores, triggers: Triggers) -> Informers:
        means = Means(self._connections.kube, self._clock, random.Random(), InformerCounting(self._metrics))
        return informers(
            means,
            kept,
            triggers,
            namespace=self._config.watch_namespace,
            referenced=self._config.secrets_from == "referenced",
        )

    @staticmethod
    def _evidence(kept: Stores, made: Informers) -> Callable[[], Evidence]:
        return lambda: gate_evidence(kept, made)

    def _campaign(self) -> threading.Thread:
        key = ObjectKey("kube-system", f"l7lb-{self._config.cluster_id}".lower())
        self._elector = Elector(
            KubeLeases(self._connections.lease, key),
            identity(),
            self._clock,
            wait=self._config.leader_elect,
            on_lost=self._lost,
        )
        self._doorman.guard = WriteGuard(self._elector, self._clock)
        thread = threading.Thread(target=self._elect, name="lease", daemon=True)
        thread.start()
        threading.Thread(target=self._elector.run_watchdog, name="lease-watchdog", daemon=True).start()
        return thread

    def _elect(self) -> None:
        assert self._elector is not None
        try:
            self._elector.run()
        except ConfigurationError as error:
            self._failure = error

    def _lost(self, reason: str) -> None:
        """Whatever is on its way must not be followed by anything: end at once, without ceremony."""
        _logger.error("leadership lost: %s", reason)
        for handler in logging.getLogger().handlers:
            handler.flush()
        self._application.exit_hard(EXIT_LOST)

    def _lead(
        self,
        cluster: Cluster,
        settings: Settings,
        caches: Caches,
        triggers: Triggers,
        gate: Gate,
        events: Events,
    ) -> int:
        code = self._await_lead(gate)
        if code is not None:
            return code
        cloud = self._connections.cloud
        self._insist(lambda: confirm_identity(cloud, cluster, settings.region))
        if self._application.stopping.is_set():
            return 0
        known = self._insist(lambda: with_limits(settings, cloud))
        if known is None:
            return 0
        stage = Stage(
            config=self._config, cluster=cluster, settings=known, cloud=cloud, ingresses=self._connections.ingresses,
            caches=caches, triggers=triggers, events=events, metrics=self._metrics, clock=self._clock,
            writable=self._doorman.check,
        )  # fmt: skip
        term = Term(stage)
        self._sink.term = term
        term.start()
        _logger.info("leading", extra={"cluster": cluster.id, "region": settings.region})
        try:
            return self._watch(term, gate)
        finally:
            self._sink.term = None
            if not term.stop():
                _logger.warning("a pass did not end in time; the lease is not released")
                self._application.exit_hard(EXIT_LOST)

    def _await_lead(self, gate: Gate) -> int | None:
        """None: we lead and all caches are synced; else the exit code."""
        assert self._elector is not None
        assert self._informers is not None
        deadline = time.monotonic() + SYNC_S_MAX
        while not self._application.stopping.is_set():
            if self._failure is not None:
                raise self._failure
            synced = self._informers.synced()
            if synced and self._elector.holds(self._clock.monotonic()):
                return None
            if not synced and time.monotonic() > deadline:
                lacking = ", ".join(sorted(self._informers.unread()))
                _logger.error("not synced within %d s: %s", SYNC_S_MAX, lacking)
                return 1
            self._measure(gate)
            self._application.stopping.wait(0.1)
        return 0

    def _insist(self, question: Callable[[], T]) -> T | None:
        """Ask the cloud until it answers; raises ConfigurationError."""
        while not self._application.stopping.is_set():
            try:
                return question()
            except ConfigurationError:
                raise
            except L7lbError as error:
                _logger.warning("waiting for the cloud: %s", error)
                self._application.stopping.wait(2.0)
        return None

    def _watch(self, term: Term, gate: Gate) -> int:
        """Until a signal; a dead thread ends the process."""
        assert self._informers is not None
        told = ""
        while not self._application.stopping.wait(1.0):
            dead = (*term.dead(), *self._informers.dead())
            if dead:
                _logger.error("threads have died: %s", ", ".join(dead))
                return EXIT_LOST
            self._measure(gate)
            term.measure()
            standing = gate.standing()
            if standing.reason != told:
                told = standing.reason
                _logger.warning("gate %s: %s", "open" if standing.open else "closed", standing.reason)
        _logger.info("stopping")
        return 0

    def _measure(self, gate: Gate) -> None:
        assert self._elector is not None
        assert self._informers is not None
        now = self._clock.monotonic()
        self._metrics.set("leader_election_master_status", float(self._elector.holds(now)), "l7lb")
        self._metrics.set("l7lb_gate_open", float(gate.standing().open), CONTROLLER)
        for informer in self._informers.all:
            self._metrics.set("l7lb_informer_synced", float(informer.synced), informer.name)
            self._metrics.set("l7lb_informer_staleness_seconds", informer.staleness_s(now), informer.name)

    def _healthy(self) -> str:
        """Empty, or what is wrong."""
        dead = self._informers.dead() if self._informers is not None else ()
        return f"threads have died: {', '.join(dead)}" if dead else ""

    def _ready(self) -> str:
        """A standby with warm caches is ready."""
        if self._informers is None:
            return "starting"
        lacking = self._informers.unread()
        return f"not synced: {', '.join(sorted(lacking))}" if not self._informers.synced() else ""
