"""One replica of `l7lb run`: the product's own informers, elector, gate and leadership on a machine with its own clock.

What are threads there are `Thread`s here: each does one thing when it is stepped, and nothing else runs meanwhile but
what a wire lets run. Who is stepped when is decided by the deployment.
"""

import random
from dataclasses import dataclass
from typing import Any

from l7lb.adapters.clb.calls import Caller
from l7lb.adapters.clb.certificates import TencentCertificates
from l7lb.adapters.clb.loadbalancers import TencentLoadBalancers
from l7lb.adapters.clb.ratelimit import RateLimits, pace_of
from l7lb.adapters.kube.cluster import KubeCluster
from l7lb.adapters.kube.events import EventWriter
from l7lb.adapters.kube.ingresses import KubeIngresses
from l7lb.adapters.kube.leases import KubeLeases
from l7lb.adapters.kube.memory import KubeMemory
from l7lb.adapters.kube.pods import KubePods
from l7lb.adapters.kube.serviceconfigs import KubeServiceConfigs
from l7lb.app.campaign import lease_key
from l7lb.app.connections import Connections
from l7lb.app.door import Doorman
from l7lb.app.leadership import Leadership, Office
from l7lb.app.leading import QueueSink, Term
from l7lb.app.remembering import ENTRY, memory_key
from l7lb.app.watching import watching
from l7lb.errors import LostLeadership
from l7lb.model.identity import Cluster
from l7lb.runtime.election import Elector, WriteGuard
from l7lb.runtime.informer import Informer
from tests.simulation.loops import Holding, Leading, Listening, Thread, Working, body_of
from tests.simulation.machines import Lodger
from tests.simulation.streams import Body
from tests.simulation.wires import CloudWire, KubeWire, Line


@dataclass
class Replica(Lodger):
    """A process that leads the whole cluster, or stands by."""

    term: Term | None = None

    def __post_init__(self) -> None:
        around, machine, clock = self.around, self.machine, self.machine.clock
        self.toll.on_begin = lambda name: machine.on_begin(machine.name, name)
        self._door = Doorman(clock)
        line = Line(around.clock, around.post, machine.register, machine.elapse, machine.page_max)
        kube = KubeWire(around.kube, self.toll, line)
        wire = CloudWire(around.cloud, clock, self.toll, around.inspect, machine.elapse)
        limits = RateLimits(clock.monotonic, pace_of(around.config.api_share))
        caller = Caller(wire, limits, guard=self.may_write, sleep=machine.elapse, clock=clock.monotonic)
        self.connections = Connections(
            kube=kube,
            lease=KubeWire(around.kube, self.toll, line),
            cluster=KubeCluster(kube),
            ingresses=KubeIngresses(kube, guard=self.may_write),
            configs=KubeServiceConfigs(kube, guard=self.may_write),
            pods=KubePods(kube, guard=self.may_write),
            memory=KubeMemory(kube, memory_key(around.config.cluster_id), ENTRY, guard=self.may_write),
            cloud=TencentLoadBalancers(caller, clock.monotonic),
            limits=limits,
            certificates=TencentCertificates(caller, around.config.region),
            events=EventWriter(kube),
        )
        self.sink = QueueSink(clock)
        self.watching = watching(
            around.config, self.connections, self.sink, clock, around.metrics, random.Random(machine.dice.random())
        )
        leases = KubeLeases(self.connections.lease, lease_key(around.config.cluster_id))
        self.elector = Elector(leases, machine.name, clock, on_lost=self.end)
        self._door.guard, self._door.gate = WriteGuard(self.elector, clock), self.watching.gate
        self.leadership = Leadership(
            Office(
                config=around.config,
                connections=self.connections,
                watching=self.watching,
                elector=self.elector,
                sink=self.sink,
                events=self.notes,
                metrics=around.metrics,
                clock=clock,
                cluster=lambda: Cluster(around.config.cluster_id, self.uid),
                writable=self.may_write,
            )
        )
        self._leading = Leading(self)
        self.threads = self._threads()

    @property
    def name(self) -> str:
        """The holder that the Lease names."""
        return self.machine.name

    @property
    def leads(self) -> bool:
        """It works on keys, and has nothing to wait for before it can trust what it reads."""
        return self.term is not None and self._leading.trusts and not self.over

    def may_write(self) -> None:
        """What `l7lb run` asks before each write, and whether the world lets it write."""
        if self.toll.dead:
            raise LostLeadership("this process is dead")
        self.around.gate()
        self._door.check()

    def leave(self) -> None:
        """As on SIGTERM: no new pass, the running one may end, then the lease is let go."""
        self.leaving = True
        if self.term is not None:
            self.term.controller.stop()

    def verify(self) -> None:
        """What the verifier does from time to time: distrust everything, look at everything."""
        if self.term is not None:
            self.term.distrust()

    def body(self, kind: str) -> Body:
        """The stream of one kind; it must be open."""
        return next(body for one in self._informers() if one.name == kind and (body := body_of(one)) is not None)

    def informer(self, kind: str) -> "Informer[Any]":
        """By its name."""
        return next(one for one in self._informers() if one.name == kind)

    def _threads(self) -> tuple[Thread, ...]:
        loops: dict[str, Holding | Leading | Working | Listening] = {"lease": Holding(self)}
        loops |= {f"informer-{one.name}": Listening(self, one) for one in self._informers()}
        loops["leadership"] = self._leading
        loops |= {f"worker-{number}": Working(self) for number in range(self.machine.workers)}
        return tuple(Thread(name, loop.step, loop.due) for name, loop in loops.items())
