"""One life of the controller: caches, queue, reconciler and adapters as `l7lb run` wires them, stepped by hand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from l7lb.adapters.clb.calls import Caller
from l7lb.adapters.clb.loadbalancers import TencentLoadBalancers
from l7lb.adapters.clb.ratelimit import RateLimits
from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.ingresses import KubeIngresses
from l7lb.adapters.kube.memory import KubeMemory
from l7lb.adapters.kube.serviceconfigs import KubeServiceConfigs
from l7lb.app.caches import Caches, stores
from l7lb.app.config import Config
from l7lb.app.identifying import confirm_identity, with_limits
from l7lb.app.leading import QueueSink, Stage, Term
from l7lb.app.regions import regions
from l7lb.app.remembering import ENTRY, memory_key
from l7lb.app.triggers import Triggers
from l7lb.errors import LostLeadership
from l7lb.model.identity import BindingKey, Cluster
from l7lb.model.lane import Lane
from l7lb.model.outcome import Outcome
from l7lb.model.snapshot import Settings
from l7lb.model.writing import Note
from l7lb.reconciler.passes import Workshop
from l7lb.reconciler.reconciler import Reconciler
from l7lb.runtime.workqueue import Deadline, Taken
from l7lb.telemetry.metrics import Metrics
from tests.emulators.clb.emulator import ClbEmulator
from tests.emulators.kube.emulator import KubeEmulator
from tests.simulation.clock import SimClock
from tests.simulation.feeds import Feed, Post
from tests.simulation.toll import Toll
from tests.simulation.wires import CloudWire, Inspect, KubeWire


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What outlives a process."""

    clock: SimClock
    cloud: ClbEmulator
    kube: KubeEmulator
    config: Config
    cluster: Cluster
    metrics: Metrics
    gate: Callable[[], None]
    """Raises GateClosed while it is closed."""
    post: Post
    inspect: Inspect


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass came to."""

    at: float
    key: str
    outcome: Outcome | Exception


@dataclass(slots=True)
class Notes:
    """Takes Events; what would be written is asserted on here."""

    all: list[Note] = field(default_factory=list)

    def emit(self, note: Note) -> None:
        """Keep it."""
        self.all.append(note)


class Watched(Reconciler):
    """The reconciler, with what each pass came to."""

    def __init__(self, shop: Workshop, passes: list[Pass]) -> None:
        super().__init__(shop)
        self._clock = shop.monotonic
        self._passes = passes

    def reconcile(self, key: BindingKey, lane: Lane = Lane.CHANGE) -> Outcome:
        """The same."""
        try:
            outcome = super().reconcile(key, lane)
        except Exception as error:
            self._passes.append(Pass(self._clock(), key, error))
            raise
        self._passes.append(Pass(self._clock(), key, outcome))
        return outcome


class Process:
    """Lives until it is dropped; all that it remembers dies with it."""

    def __init__(self, around: Surroundings, notes: Notes, passes: list[Pass]) -> None:
        self.around = around
        self.toll = Toll()
        self._transport = KubeWire(around.kube, self.toll)
        self._cloud = TencentLoadBalancers(
            Caller(
                CloudWire(around.cloud, around.clock, self.toll, around.inspect, around.clock.advance),
                RateLimits(around.clock.monotonic),
                guard=self._may_write,
                sleep=around.clock.advance,
                clock=around.clock.monotonic,
            ),
            around.clock.monotonic,
        )
        self._ingresses = KubeIngresses(self._transport, guard=self._may_write)
        self._notes = notes
        self._passes = passes
        self._sink = QueueSink(around.clock)
        self._feeds: list[Feed[Any]] = []
        self.term: Term | None = None

    def start(self, *, trusted_in_s: float = 0.0) -> None:
        """List, make sure of the cluster's identity, lead. May die on the way, as any other call may.

        `trusted_in_s`: so long a write of the process before may still be on its way.
        """
        around, config = self.around, self.around.config
        settings = Settings(config.cluster_id, config.region, config.vpc_id, manage_classless=config.manage_classless)
        kept = stores(around.cluster, settings)
        caches = Caches(
            kept,
            around.cluster,
            unread=frozenset,
            wall=around.clock.time,
            service_exists=lambda key: self._ingresses.live_service(key) is not None,
        )
        triggers = Triggers(kept, caches, around.cluster, settings, self._sink)
        kube = around.kube
        self._feeds = [
            Feed(kube, kinds.INGRESS_CLASS, kept.classes, triggers.ingress_class),
            Feed(kube, kinds.SERVICE, kept.services, triggers.service),
            Feed(kube, kinds.ENDPOINT_SLICE, kept.slices, triggers.slice),
            Feed(kube, kinds.POD, kept.pods, triggers.pod),
            Feed(kube, kinds.NODE, kept.nodes, triggers.node),
            Feed(kube, kinds.SECRET, kept.secrets, triggers.secret),
            Feed(kube, kinds.INGRESS, kept.ingresses, triggers.ingress),
            Feed(kube, kinds.CONFIG_MAP, kept.gate_configs, triggers.switches),
        ]
        if any(kind.plural == kinds.TKE_SERVICE_CONFIG.plural for kind in kube.world.catalog):
            # Where its definition is not applied, the kind is simply absent.
            self._feeds.append(Feed(kube, kinds.TKE_SERVICE_CONFIG, kept.configs, triggers.service_config))
        for feed in self._feeds:
            feed.list(self._transport)
        everyone = tuple(item.object for item in kept.ingresses.list())
        confirm_identity(
            self._cloud, around.cluster, regions(everyone, around.cluster, config.region, config.other_regions)
        )
        stage = Stage(
            config=config,
            cluster=around.cluster,
            settings=with_limits(settings, self._cloud),
            cloud=self._cloud,
            ingresses=self._ingresses,
            configs=KubeServiceConfigs(self._transport, guard=self._may_write),
            caches=caches,
            triggers=triggers,
            events=self._notes,
            metrics=around.metrics,
            clock=around.clock,
            writable=self._may_write,
            memory=KubeMemory(self._transport, memory_key(config.cluster_id), ENTRY, guard=self._may_write),
            trusted_from=around.clock.now() + trusted_in_s if trusted_in_s else 0.0,
        )
        self.term = Term(stage)
        self.term._reconciler = Watched(self.term._workshop(), self._passes)
        self._sink.term = self.term
        self.term.confirm()
        self.term.enqueue()

    def step(self) -> Taken | Deadline | None:
        """Hear what is new, then one pass if a key is ready; else what the queue says."""
        self.hear()
        assert self.term is not None
        return self.term.controller.process_next()

    def hear(self) -> None:
        """Let the news in that has arrived by now."""
        now = self.around.clock.now()
        for feed in self._feeds:
            feed.collect(now, self.around.post)
        for feed in self._feeds:
            feed.deliver(now)

    def next_news(self) -> float | None:
        """When the next event arrives."""
        return min((due for feed in self._feeds if (due := feed.next_due()) is not None), default=None)

    def trust(self) -> None:
        """What the verifier does once nothing can be on its way any more."""
        assert self.term is not None
        self.term.observations.clear()
        self.term.distrust()

    def verify(self) -> None:
        """What the verifier does from time to time: distrust everything, look at everything."""
        assert self.term is not None
        self.term.distrust()

    def end(self) -> None:
        """The process is gone: not one more call."""
        self.toll.dead = True
        for feed in self._feeds:
            feed.close()

    def _may_write(self) -> None:
        if self.toll.dead:
            raise LostLeadership("this process is dead")
        self.around.gate()
