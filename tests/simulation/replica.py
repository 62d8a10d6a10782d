"""One replica of `l7lb run`: the product's own informers, elector, gate and leadership on a machine with its own clock.

What are threads there are `Thread`s here: each does one thing when it is stepped, and nothing else runs meanwhile but
what a wire lets run. Who is stepped when is decided by the deployment.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from l7lb.adapters.clb.calls import Caller
from l7lb.adapters.clb.certificates import TencentCertificates
from l7lb.adapters.clb.loadbalancers import TencentLoadBalancers
from l7lb.adapters.clb.ratelimit import RateLimits
from l7lb.adapters.kube.cluster import KubeCluster
from l7lb.adapters.kube.events import EventWriter
from l7lb.adapters.kube.ingresses import KubeIngresses
from l7lb.adapters.kube.leases import KubeLeases
from l7lb.adapters.kube.pods import KubePods
from l7lb.adapters.kube.serviceconfigs import KubeServiceConfigs
from l7lb.app.campaign import lease_key
from l7lb.app.connections import Connections
from l7lb.app.door import Doorman
from l7lb.app.leadership import Leadership, Office
from l7lb.app.leading import QueueSink, Term
from l7lb.app.patience import RETRY_S, START_S_MAX
from l7lb.app.watching import watching
from l7lb.errors import ConfigurationError, L7lbError, LostLeadership
from l7lb.model.identity import Cluster
from l7lb.runtime.election import Elector, WriteGuard
from l7lb.runtime.informer import Informer
from l7lb.runtime.reflector import Read, Wait
from l7lb.runtime.workqueue import Deadline, Taken
from tests.simulation.clock import MachineClock
from tests.simulation.leases import Register
from tests.simulation.process import Notes, Pass, Surroundings, Watched
from tests.simulation.streams import Body
from tests.simulation.toll import Toll
from tests.simulation.wires import CloudWire, KubeWire, Line

FOREVER: Final = float("inf")


class Due(NamedTuple):
    """True times: when there is news to act on, and when a chore (a renewal, a bookmark) has to be done."""

    news: float = FOREVER
    chore: float = FOREVER


@dataclass(slots=True)
class Thread:
    """`step` does one thing and says whether there was one to do."""

    name: str
    step: Callable[[], bool]
    due: Callable[[], Due]
    running: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """What a replica runs on, and what the world does to it."""

    name: str
    clock: MachineClock
    dice: random.Random
    register: Register
    elapse: Callable[[float], None]
    """Lets true seconds pass for everybody but the one who waits."""
    on_begin: Callable[[str, str], None]
    """Told who begins which call."""
    workers: int = 1
    page_max: int = 0
    """Pages of lists are cut to so many objects, as if there were many more of them; 0: they are not."""


@dataclass
class Replica:
    """Lives until `over`; all that it remembers dies with it."""

    around: Surroundings
    machine: Machine
    notes: Notes
    passes: list[Pass]
    frozen: bool = False
    over: str = ""
    """Why it is no more; empty: it lives."""
    leaving: bool = False
    toll: Toll = field(default_factory=Toll)
    term: Term | None = None
    _uid: str = ""
    _retry_at: float = 0.0
    _trusts_at: float = FOREVER
    _lease_at: float = 0.0

    def __post_init__(self) -> None:
        around, machine, clock = self.around, self.machine, self.machine.clock
        self.toll.on_begin = lambda name: machine.on_begin(machine.name, name)
        self._door = Doorman(clock)
        line = Line(around.clock, around.post, machine.register, machine.elapse, machine.page_max)
        kube = KubeWire(around.kube, self.toll, line)
        wire = CloudWire(around.cloud, clock, self.toll, around.inspect, machine.elapse)
        caller = Caller(
            wire, RateLimits(clock.monotonic), guard=self.may_write, sleep=machine.elapse, clock=clock.monotonic
        )
        self._connections = Connections(
            kube=kube,
            lease=KubeWire(around.kube, self.toll, line),
            cluster=KubeCluster(kube),
            ingresses=KubeIngresses(kube, guard=self.may_write),
            configs=KubeServiceConfigs(kube, guard=self.may_write),
            pods=KubePods(kube, guard=self.may_write),
            cloud=TencentLoadBalancers(caller, clock.monotonic),
            certificates=TencentCertificates(caller, around.config.region),
            events=EventWriter(kube),
        )
        self._sink = QueueSink(clock)
        self._watching = watching(
            around.config, self._connections, self._sink, clock, around.metrics, random.Random(machine.dice.random())
        )
        leases = KubeLeases(self._connections.lease, lease_key(around.config.cluster_id))
        self.elector = Elector(leases, machine.name, clock, on_lost=self.end)
        self._door.guard, self._door.gate = WriteGuard(self.elector, clock), self._watching.gate
        self.leadership = Leadership(
            Office(
                config=around.config,
                connections=self._connections,
                watching=self._watching,
                elector=self.elector,
                sink=self._sink,
                events=self.notes,
                metrics=around.metrics,
                clock=clock,
                cluster=lambda: Cluster(around.config.cluster_id, self._uid),
                writable=self.may_write,
            )
        )
        self._deadline = clock.monotonic() + START_S_MAX
        self._lease_at = clock.monotonic()
        self.threads = self._threads()

    @property
    def name(self) -> str:
        """The holder that the Lease names."""
        return self.machine.name

    @property
    def leads(self) -> bool:
        """It works on keys, and has nothing to wait for before it can trust what it reads."""
        return self.term is not None and self._trusts_at == FOREVER and not self.over

    def may_write(self) -> None:
        """What `l7lb run` asks before each write, and whether the world lets it write."""
        if self.toll.dead:
            raise LostLeadership("this process is dead")
        self.around.gate()
        self._door.check()

    def end(self, why: str) -> None:
        """The process is gone: not one more call."""
        if not self.over:
            self.over = why
            self.toll.dead = True
            for body in self.bodies():
                body.shutdown()

    def leave(self) -> None:
        """As on SIGTERM: no new pass, the running one may end, then the lease is let go."""
        self.leaving = True
        if self.term is not None:
            self.term.controller.stop()

    def verify(self) -> None:
        """What the verifier does from time to time: distrust everything, look at everything."""
        if self.term is not None:
            self.term.distrust()

    def bodies(self) -> list[Body]:
        """The streams that are open."""
        return [body for one in self._informers() if (body := _body(one)) is not None]

    def body(self, kind: str) -> Body:
        """The stream of one kind; it must be open."""
        return next(body for one in self._informers() if one.name == kind and (body := _body(one)) is not None)

    def informer(self, kind: str) -> "Informer[Any]":
        """By its name."""
        return next(one for one in self._informers() if one.name == kind)

    def _informers(self) -> "list[Informer[Any]]":
        return [one for one in self._watching.informers.all if isinstance(one, Informer)]

    def _threads(self) -> tuple[Thread, ...]:
        informers = [_listener(self, one) for one in self._informers()]
        workers = [Thread(f"worker-{number}", self._work, self._work_due) for number in range(self.machine.workers)]
        return (
            Thread("lease", self._hold, self._hold_due),
            *informers,
            Thread("leadership", self._lead, self._lead_due),
            *workers,
        )

    # The lease.

    def _hold(self) -> bool:
        if not self._uid:
            return self._meet()
        self.elector.watch_over()
        if self.over or self._now() < self._lease_at:
            return False
        wait_s = self.elector.step().wait_s
        self._lease_at = self._now() + wait_s
        return True

    def _meet(self) -> bool:
        if self._now() < self._retry_at:
            return False
        try:
            self._uid = self._connections.cluster.uid()
        except L7lbError as error:
            self._retry(f"the API server: {error}")
        return True

    def _hold_due(self) -> Due:
        if not self._uid:
            return Due(news=self._true(self._retry_at))
        return Due(chore=self._true(self._lease_at))

    # Leading.

    def _lead(self) -> bool:
        if self.leaving:
            return self._go()
        if self.term is not None:
            return self._trust()
        synced = self._watching.informers.synced()
        now = self._now()
        if not synced and now > self._deadline:
            self.end("the cluster cannot be read")
            return True
        if not synced or not self._uid or not self.elector.holds(now) or now < self._retry_at:
            return False
        try:
            stage = self.leadership.stage()
        except ConfigurationError:
            raise
        except L7lbError as error:
            self._retry(f"the cloud: {error}")
            return True
        self.term = self._sink.term = Term(stage)
        self.term._reconciler = Watched(self.term._workshop(), self.passes)
        self._trusts_at = max(stage.trusted_from, now)
        self.term.enqueue()
        self.term.verifier.promote()
        return True

    def _trust(self) -> bool:
        if self.term is None or self._now() < self._trusts_at:
            return False
        self._trusts_at = FOREVER
        self.term.verifier.trust()
        return True

    def _go(self) -> bool:
        if any(thread.running for thread in self.threads if thread.name.startswith("worker")):
            return False
        self.elector.release()
        self.end("stopped")
        return True

    def _lead_due(self) -> Due:
        if self.term is not None:
            return Due(news=self._true(self._trusts_at))
        return Due(news=self._true(self._retry_at) if self._retry_at > self._now() else FOREVER)

    def _retry(self, why: str) -> None:
        now = self._now()
        self._retry_at = now + RETRY_S
        if now >= self._deadline:
            self.end(why)

    # Work.

    def _work(self) -> bool:
        if self.term is None:
            return False
        came = self.term.controller.process_next()
        if came is None and self.term.queue._closed and not self.leaving:
            self.end("the workers have ended")
        return isinstance(came, Taken)

    def _work_due(self) -> Due:
        if self.term is None:
            return Due()
        asked = self.term.queue.take(self._now())
        assert not isinstance(asked, Taken), "there is work"
        return Due(news=self._true(self._now() + asked.after_s)) if isinstance(asked, Deadline) else Due()

    def _now(self) -> float:
        return self.machine.clock.monotonic()

    def _true(self, monotonic: float) -> float:
        """When its own clock will show this."""
        return self.around.clock.now() + self.machine.clock.true_s(monotonic - self._now())


def _body(informer: "Informer[Any]") -> Body | None:
    """Its open stream; that of a single object is wrapped once more."""
    stream: Any = informer._stream
    return getattr(getattr(stream, "_inner", stream), "_stream", None)


def _listener(replica: Replica, informer: "Informer[Any]") -> Thread:
    clock, true = replica.machine.clock, replica.around.clock

    def is_unlooked() -> bool:
        return not getattr(informer._stream, "_looked", True)

    def step() -> bool:
        request = informer._reflector.next(clock.monotonic())
        if isinstance(request, Wait):
            return False
        if isinstance(request, Read) and not is_unlooked():
            body = _body(informer)
            if body is not None and not body.ready():
                return False
        informer.step()
        return True

    def due() -> Due:
        request = informer._reflector.next(clock.monotonic())
        if isinstance(request, Wait):
            at = true.now() + clock.true_s(request.after_s)
            return Due(chore=at) if informer._reflector.absent else Due(news=at)
        body = _body(informer)
        assert body is not None, f"{informer.name} has something to do: {request}"
        news = body.news_due()
        return Due(FOREVER if news is None else news, body.chore_due())

    return Thread(f"informer-{informer.name}", step, due)
