"""From the lease to a term and back: waits until all is known and the lease is ours, then leads until it is stopped."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from l7lb.app.config import Config
from l7lb.app.connections import Connections
from l7lb.app.identifying import confirm_identity, confirm_records, with_limits
from l7lb.app.leading import QueueSink, Stage, Term
from l7lb.app.patience import START_S_MAX, Patience
from l7lb.app.quotas import Ratios, ratios
from l7lb.app.regions import regions
from l7lb.app.shards import ALL, Scope
from l7lb.app.telling import ours, tell
from l7lb.app.watching import Watching
from l7lb.errors import AccessDenied, Unavailable
from l7lb.model.identity import Cluster
from l7lb.reconciler.ports import Events
from l7lb.reconciler.writeback import WriteBack
from l7lb.runtime.clock import Clock
from l7lb.runtime.election import LATE_WRITE_S, Lead
from l7lb.runtime.election import Term as LeaseTerm
from l7lb.runtime.lifecycle import Died, Threads
from l7lb.telemetry.metrics import Metrics
from l7lb.telemetry.passes import Passes
from l7lb.telemetry.shares import Share, Shares

_logger = logging.getLogger(__name__)

REFUSALS_TOLD = 3
"""So often in a row keys are refused before every waiting Ingress hears of it."""

LOOK_S: Final = 0.1
GATE_S: Final = 1.0


def trusted_from(term: LeaseTerm | None) -> float:
    """Since when what is read can be believed, monotonic; 0: always, the leader before us has let the lease go."""
    if term is None or term.previous_expiry is None:
        return 0.0
    return term.previous_expiry + LATE_WRITE_S


@dataclass(frozen=True, slots=True)
class Office:
    """What leading needs."""

    config: Config
    connections: Connections
    watching: Watching
    elector: Lead
    sink: QueueSink
    events: Events
    metrics: Metrics
    clock: Clock
    cluster: Callable[[], Cluster]
    """Who this cluster is; known before anything of this starts."""
    writable: Callable[[], None]
    passes: Passes = field(default_factory=Passes)
    scope: Scope = ALL
    """What is to be led."""
    shares: Shares | None = None
    """Through which a term tells its gauges where others of this process tell the same ones; None: there are none."""


class Leadership:
    """A part of the lifecycle with one thread of its own, and those of the term while there is one."""

    name = "leadership"
    only_after_drain = False

    def __init__(self, office: Office) -> None:
        self._office = office
        self._stopping = threading.Event()
        self._cloud = Patience("the cloud", office.clock, lambda seconds: not self._stopping.wait(seconds))
        self._threads: Threads | None = None
        self._refusals = 0
        self.term: Term | None = None
        """While we lead."""
        self._share: Share | None = None

    @property
    def problem(self) -> str:
        """Why we cannot lead although the lease is ours; empty: we lead, or are not asked to."""
        return self._cloud.problem

    @property
    def terms(self) -> tuple[Term, ...]:
        """The one of now, while we lead."""
        term = self.term
        return () if term is None else (term,)

    def quotas(self) -> Ratios:
        """How much of each quota is in use, as far as we lead and know."""
        if self.term is None:
            return {}
        seen = self.term.observations
        known = self._office.connections.cloud.quotas.known()
        return ratios(known, filter(None, map(seen.get, seen.refs())))

    def start(self, died: Died) -> None:
        """Returns at once."""
        self._threads = Threads(self.name, {self.name: lambda: self._live(died)}, self._stopping.set)
        self._threads.start(died)

    def stop(self, timeout_s: float) -> bool:
        """Take on nothing new and let running passes end."""
        deadline = self._office.clock.monotonic() + timeout_s
        stopped = self._threads is None or self._threads.stop(timeout_s)
        term, self._office.sink.term = self.term, None
        drained = term is None or term.stop(max(0.0, deadline - self._office.clock.monotonic()))
        if self._share is not None:
            self._share.leave()
        return stopped and drained

    def _live(self, died: Died) -> None:
        if not self._await():
            return
        stage = self._cloud.ask(self._asked)
        if stage is None:
            return
        if self._office.shares is not None:
            self._share = self._office.shares.new()
            stage = replace(stage, metrics=self._share)
        term = Term(stage)
        self.term = self._office.sink.term = term
        term.start(died)
        _logger.info("leading", extra={"cluster": stage.cluster.id, "region": stage.settings.region})
        self._tell_of_the_gate()

    def _await(self) -> bool:
        """Until all caches are synced and the lease is ours; False: stopped before."""
        informers, clock = self._office.watching.informers, self._office.clock
        deadline = clock.monotonic() + START_S_MAX
        while not (informers.synced() and self._office.elector.holds(clock.monotonic())):
            if self._stopping.wait(LOOK_S):
                return False
            if not informers.synced() and clock.monotonic() > deadline:
                raise Unavailable(f"the cluster cannot be read within {START_S_MAX:g} s: {informers.lacking()}")
        return True

    def _asked(self) -> Stage:
        """`stage`; keys that are refused again and again are told to the Ingresses that wait for them."""
        try:
            return self.stage()
        except AccessDenied as refusal:
            self._refusals += 1
            if self._refusals == REFUSALS_TOLD:
                office, watching = self._office, self._office.watching
                desk = WriteBack(office.connections.ingresses, office.clock.time)
                waiting = ours(watching.stores, watching.caches, watching.settings)
                tell(waiting, refusal, events=office.events, desk=desk)
            raise

    def stage(self) -> Stage:
        """Asks the cloud whether it is ours, and how much it allows; raises ConfigurationError."""
        office = self._office
        cluster, cloud, settings = office.cluster(), office.connections.cloud, office.watching.settings
        ingresses = tuple(item.object for item in office.watching.stores.ingresses.list())
        heads = confirm_identity(
            cloud, cluster, regions(ingresses, cluster, settings.region, office.config.other_regions)
        )
        confirm_records(ingresses, cluster)
        return Stage(
            config=office.config,
            cluster=cluster,
            settings=with_limits(settings, cloud),
            cloud=cloud,
            ingresses=office.connections.ingresses,
            configs=office.connections.configs,
            caches=office.watching.caches,
            triggers=office.watching.triggers,
            events=office.events,
            metrics=office.metrics,
            clock=office.clock,
            writable=office.writable,
            heads=heads,
            trusted_from=trusted_from(office.elector.term),
            certificates=office.connections.certificates,
            pods=office.connections.pods,
            memory=office.connections.memory,
            passes=office.passes,
            scope=office.scope,
        )

    def _tell_of_the_gate(self) -> None:
        told = ""
        while not self._stopping.wait(GATE_S if told else 0.0):
            standing = self._office.watching.gate.standing()
            if standing.reason != told:
                told = standing.reason
                level = logging.INFO if standing.open else logging.WARNING
                _logger.log(level, "gate %s: %s", "open" if standing.open else "closed", standing.reason)
                if standing.open and self.term is not None:
                    # Passes that met a closed gate wait long: now they may go on.
                    self.term.enqueue()
