"""A replica of `l7lb run --shards=M`: the product's own seats and balance, stepped by hand as in `replica`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from l7lb.adapters.clb.calls import Caller
from l7lb.adapters.clb.certificates import TencentCertificates
from l7lb.adapters.clb.loadbalancers import TencentLoadBalancers
from l7lb.adapters.kube.cluster import KubeCluster
from l7lb.adapters.kube.events import EventWriter
from l7lb.adapters.kube.ingresses import KubeIngresses
from l7lb.adapters.kube.leases import KubeLeases
from l7lb.adapters.kube.memory import KubeMemory
from l7lb.adapters.kube.pods import KubePods
from l7lb.adapters.kube.serviceconfigs import KubeServiceConfigs
from l7lb.app.balance import LOOK_S, Balance
from l7lb.app.campaign import lease_key, shard_key, union_identity
from l7lb.app.connections import Connections, limits_of
from l7lb.app.door import Doorman
from l7lb.app.leadership import Leadership, Office
from l7lb.app.leading import QueueSink, Term
from l7lb.app.patience import RETRY_S
from l7lb.app.remembering import ENTRY, memory_key
from l7lb.app.seats import Means, Router, Seat
from l7lb.app.shards import Scope
from l7lb.app.watching import watching
from l7lb.errors import L7lbError, LostLeadership
from l7lb.model.identity import Cluster
from l7lb.runtime.election import Elector, Lead
from l7lb.runtime.workqueue import Taken
from tests.simulation.loops import FOREVER, Due, Holding, Listening, Thread
from tests.simulation.machines import Lodger
from tests.simulation.process import Watched
from tests.simulation.toll import Toll
from tests.simulation.wires import CloudWire, KubeWire, Line

T = TypeVar("T")


@dataclass(slots=True)
class SeatToll:
    """The calls of one shard: as those of its process, but the judge hears of which shard they are."""

    toll: Toll
    shard: int
    told: Callable[[int], None]

    @property
    def dead(self) -> bool:
        """Whether the process is."""
        return self.toll.dead

    def through(self, name: str, call: Callable[[], T]) -> T:
        """Make the call, or die."""
        self.told(self.shard)
        return self.toll.through(name, call)


@dataclass
class Chair:
    """One shard of a replica, with what is a thread or two there."""

    replica: "Division"
    seat: Seat
    sink: QueueSink
    connections: Connections
    term: Term | None = None
    trusts: bool = False
    rising: bool = False
    releasing: bool = False
    risen: bool = False
    """For good: the process is being stopped."""
    _lease_at: float = 0.0
    _at: float = 0.0

    @property
    def leads(self) -> bool:
        """It works on keys, and has nothing to wait for before it can trust what it reads."""
        return self.term is not None and self.trusts and not self.rising

    def hold(self) -> bool:
        """One round of its elector."""
        one, now = self.replica, self.replica.now()
        if not one.uid or self.releasing:
            return False
        self.seat.elector.watch_over()
        if one.over or now < self._lease_at:
            return False
        self._lease_at = now
        wait_s = self.seat.elector.step().wait_s
        self._lease_at = one.now() + wait_s
        return True

    def hold_due(self) -> Due:
        """A renewal is a chore."""
        one = self.replica
        return Due(chore=one.true(max(self._lease_at, one.now()))) if one.uid and not self.releasing else Due()

    def lead(self) -> bool:
        """From the lease to a term, and back."""
        one, now = self.replica, self.replica.now()
        if one.leaving or self.rising or one.balance.yields(self.seat):
            return self._rise()
        if self.term is not None:
            return self._trust(self.term)
        if not (one.uid and one.watching.informers.synced() and self.seat.holds(now)) or now < self._at:
            return False
        try:
            self._begin()
        except L7lbError as error:
            self._at = one.now() + RETRY_S
            one.notes_of_trouble.append(str(error))
        return True

    def lead_due(self) -> Due:
        """When it asks again; never while it rises, which waits for passes and not for a time."""
        one = self.replica
        if self.rising:
            return Due()  # a pass is still running: when that has ended is not for this thread to know
        if (self.term is None and self._at > one.now()) or (self.term is not None and not self.trusts):
            return Due(news=one.true(self._at))
        return Due()

    def work(self) -> bool:
        """One pass if a key is ready."""
        if self.term is None:
            return False
        came = self.term.controller.process_next()
        if came is None and self.term.queue._closed and not (self.replica.leaving or self.rising):
            self.replica.end("the workers have ended")
        return isinstance(came, Taken)

    def work_due(self) -> Due:
        """When a key is ready."""
        due = self.term.queue._delays.next_due() if self.term is not None else None
        return Due() if due is None else Due(news=self.replica.true(due))

    def _begin(self) -> None:
        one = self.replica
        stage = self.seat.leadership.stage()
        term = self.term = self.seat.leadership.term = self.sink.term = Term(stage)
        term._reconciler = Watched(term._workshop(), one.passes)
        self._at, self.trusts = max(stage.trusted_from, one.now()), stage.trusted_from == 0
        term.confirm()
        term.enqueue()
        term.verifier.promote(self._pass_time)

    def _pass_time(self, seconds: float) -> bool:
        self.replica.machine.elapse(seconds)
        return self.rising

    def _trust(self, term: Term) -> bool:
        if self.trusts or self.replica.now() < self._at:
            return False
        self.trusts = True
        term.observations.clear()
        term.verifier._look(self._pass_time)
        return True

    def _rise(self) -> bool:
        """As `Seat.rise` and `Seat.renew`."""
        self.rising = True
        if self.risen or self.replica.busy(self):
            return False
        if self.term is not None:
            self.term.controller.stop()
        self.sink.term = self.term = None
        self.trusts = False
        self.releasing = True
        self.seat.elector.release()
        self.risen = self.releasing = self.replica.leaving
        self.seat.renew()
        self.rising, self._lease_at, self._at = False, 0.0, 0.0
        return True


@dataclass(slots=True)
class Weighing:
    """The balance, from time to time."""

    replica: "Division"
    _at: float = 0.0

    def step(self) -> bool:
        """One look."""
        one = self.replica
        if one.leaving or not one.uid or one.now() < self._at:
            return False
        self._at = one.now() + LOOK_S
        one.balance.step()
        return True

    def due(self) -> Due:
        """A chore."""
        one = self.replica
        return Due(FOREVER, one.true(max(self._at, one.now()))) if one.uid and not one.leaving else Due()


@dataclass
class Division(Lodger):
    """As `Replica`, but for several shards."""

    shards: int
    wrote: Callable[[str, int, str, Mapping[str, Any]], None]
    """Told of each write to the cloud when it arrives: by whom, of which shard."""
    calling: int = 0
    """The shard whose call begins now."""
    notes_of_trouble: list[str] = field(default_factory=list)
    peers: Callable[[], list[Any]] = list
    """All replicas that live."""

    def __post_init__(self) -> None:
        around, machine, clock = self.around, self.machine, self.machine.clock
        self.config = replace(around.config, shards=self.shards)
        self.toll.on_begin = lambda name: machine.on_begin(machine.name, name)
        doors = [Doorman(clock) for _ in range(self.shards)]
        self._doors = doors
        self.wires = [_connect(self, shard) for shard in range(self.shards)]
        sinks = tuple(QueueSink(clock) for _ in range(self.shards))
        self.connections = self.wires[0]
        self.watching = watching(self.config, self.connections, Router(sinks), clock, around.metrics, machine.dice)
        plain = KubeLeases(self.connections.lease, lease_key(self.config.cluster_id))
        self.elector = Elector(plain, union_identity(self.shards), clock, on_lost=self.end)
        self.elector.is_shared = True
        self.balance = Balance(machine.name, self.elector, clock.monotonic, self.watching.informers.synced)
        self.chairs: list[Chair] = []
        for shard, sink in enumerate(sinks):
            doors[shard].gate = self.watching.gate
            key = shard_key(self.config.cluster_id, shard)
            means = Means(
                leases=KubeLeases(self.wires[shard].lease, key, marked=True),
                identity=machine.name,
                union=self.elector,
                clock=clock,
                door=doors[shard],
                leading=partial(_leading, self, shard, sink),
                end=self.end,
            )
            self.chairs.append(Chair(self, Seat(shard, means, self.balance), sink, self.wires[shard]))
        self.balance.places.extend(chair.seat for chair in self.chairs)
        self.threads = self._threads()

    @property
    def name(self) -> str:
        """The holder that the Leases of its shards name."""
        return self.machine.name

    @property
    def leads(self) -> bool:
        """Whether it works on any shard."""
        return not self.over and any(chair.leads for chair in self.chairs)

    @property
    def led(self) -> set[int]:
        """Shards that it works on."""
        return {chair.seat.shard for chair in self.chairs if chair.leads}

    def may_write(self, shard: int) -> None:
        """What `l7lb run` asks before each write of a shard, and whether the world lets it write."""
        if self.toll.dead:
            raise LostLeadership("this process is dead")
        self.around.gate()
        self._doors[shard].check()

    def leave(self) -> None:
        """As on SIGTERM: no new pass, those that run may end, then the shards are let go."""
        self.leaving = True
        for chair in self.chairs:
            if chair.term is not None:
                chair.term.controller.stop()

    def verify(self) -> None:
        """All replicas distrust everything, and look at everything."""
        for chair in [chair for one in self.peers() if isinstance(one, Division) for chair in one.chairs]:
            if chair.term is not None:
                chair.term.distrust()

    def busy(self, chair: Chair) -> bool:
        """Whether a pass of this shard runs."""
        if chair.term is not None:
            chair.term.controller.stop()
        prefix = f"worker-{chair.seat.shard}-"
        return any(thread.running for thread in self.threads if thread.name.startswith(prefix))

    def _threads(self) -> tuple[Thread, ...]:
        union: Any = Holding(self)  # type: ignore[arg-type]  # what it asks of a host is there
        found = [Thread("lease", union.step, union.due)]
        for one in self._informers():
            listening = Listening(self, one)  # type: ignore[arg-type]  # likewise
            found.append(Thread(f"informer-{one.name}", listening.step, listening.due))
        weighing = Weighing(self)
        for chair in self.chairs:
            shard = chair.seat.shard
            found.append(Thread(f"lease-{shard}", chair.hold, chair.hold_due))
            found.append(Thread(f"leadership-{shard}", chair.lead, chair.lead_due))
            found += [
                Thread(f"worker-{shard}-{number}", chair.work, chair.work_due) for number in range(self.machine.workers)
            ]
        found.append(Thread("balance", weighing.step, weighing.due))
        found.append(Thread("end", partial(_ended, self), Due))
        return tuple(found)


def _connect(one: Division, shard: int) -> Connections:
    around, machine, clock = one.around, one.machine, one.machine.clock
    toll: Any = SeatToll(one.toll, shard, partial(setattr, one, "calling"))
    line = Line(around.clock, around.post, machine.register, machine.elapse, machine.page_max)
    kube, guard = KubeWire(around.kube, toll, line), partial(one.may_write, shard)

    def inspect(action: str, params: Mapping[str, Any]) -> None:
        one.wrote(machine.name, shard, action, params)
        around.inspect(action, params)

    wire = CloudWire(around.cloud, clock, toll, inspect, machine.elapse)
    limits = limits_of(one.config, clock.monotonic, around.metrics)
    caller = Caller(wire, limits, guard=guard, sleep=machine.elapse, clock=clock.monotonic)
    return Connections(
        kube=kube,
        lease=KubeWire(around.kube, toll, line),
        cluster=KubeCluster(kube),
        ingresses=KubeIngresses(kube, guard=guard),
        configs=KubeServiceConfigs(kube, guard=guard),
        pods=KubePods(kube, guard=guard),
        memory=KubeMemory(kube, memory_key(one.config.cluster_id), ENTRY, guard=guard),
        cloud=TencentLoadBalancers(caller, clock.monotonic),
        limits=limits,
        certificates=TencentCertificates(caller, one.config.region),
        events=EventWriter(kube),
    )


def _leading(one: Division, shard: int, sink: QueueSink, lease: Lead) -> Leadership:
    office = Office(
        config=one.config,
        connections=one.wires[shard],
        watching=one.watching,
        elector=lease,
        sink=sink,
        events=one.notes,
        metrics=one.around.metrics,
        clock=one.machine.clock,
        cluster=lambda: Cluster(one.config.cluster_id, one.uid),
        writable=partial(one.may_write, shard),
        scope=Scope(shard, one.shards),
    )
    return Leadership(office)


def _ended(one: Division) -> bool:
    """Stopped in order, when all shards are let go."""
    if one.leaving and not one.over and all(chair.risen for chair in one.chairs):
        one.end("stopped")
        return True
    return False
