"""A cluster with many Ingresses, an account with the documented quotas, and replicas of the product on a virtual clock.

The replicas are those of the simulation: informers, elector, gate, leadership, queue, reconciler and adapters as `l7lb
run` wires them. Here they have as many workers as it has, and time passes as it would: a task takes what the emulator
draws, a call `CALL_S` or `KUBE_S`, a pass holds the
interpreter for `shift.CPU_S`.
"""

import gc
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from prometheus_client import CollectorRegistry

from l7lb.app.config import Config
from l7lb.model.identity import Cluster
from l7lb.telemetry.metrics import Metrics
from tests.bench import shift
from tests.bench.crew import Crew
from tests.bench.meters import Cpu, MeteredCloud, MeteredKube
from tests.simulation import manifests
from tests.simulation.account import Account
from tests.simulation.clock import MachineClock, SimClock
from tests.simulation.cluster import Users
from tests.simulation.feeds import Post
from tests.simulation.leases import Register
from tests.simulation.machines import Machine
from tests.simulation.manifests import Json
from tests.simulation.process import Notes, Surroundings
from tests.simulation.replica import Replica
from tests.simulation.world import CLUSTER, NODES, REGION

CALL_S: Final = 0.08
"""A call to the cloud and back."""
KUBE_S: Final = 0.01
"""A call to the API server and back, and what news takes to arrive."""
REAL: Final[Mapping[str, float]] = {"CreateLoadBalancer": 3.5, "*": 1.15}
"""How long tasks take: the means of what the emulator draws, so that a bound is exact."""
CLOUD: Final = ("clb ", "tag ", "vpc ", "cvm ", "ssl ")


@dataclass
class Fleet:
    """`with Fleet() as fleet: fleet.start(); ...`; the one who drives it is outside of time."""

    seed: int = 1
    latency: Any = field(default_factory=lambda: REAL)
    workers: int = 8
    config: Mapping[str, Any] = field(default_factory=dict)
    rate_limits: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        self.clock = SimClock()
        self.crew = Crew(self.clock)
        self.cpu = Cpu()
        many = {"TOTAL_OPEN_CLB_QUOTA": 20_000, "TOTAL_INTERNAL_CLB_QUOTA": 20_000}
        cloud = MeteredCloud(
            seed=None, latency=self.latency, clock=self.clock, wall=self.clock.time, quotas=many,
            rate_limits=self.rate_limits,
        )  # fmt: skip
        cloud.cpu = self.cpu
        kube = MeteredKube(seed=self.seed, clock=self.clock.time)
        kube.cpu = self.cpu
        self.account, self.users = Account(cloud), Users(kube)
        self.notes = Notes()
        self.register = Register()
        self.dice = random.Random(self.seed)
        self.replicas: list[Replica] = []
        self._furnish()
        uid = self.users.object("/api/v1/namespaces/kube-system")["metadata"]["uid"]
        self.around = Surroundings(
            clock=self.clock,
            cloud=cloud,
            kube=kube,
            config=Config(
                CLUSTER, REGION, vpc_id="vpc-00000001", max_concurrent_reconciles=self.workers, **self.config
            ),
            cluster=Cluster(CLUSTER, uid),
            metrics=Metrics("bench", CollectorRegistry()),
            gate=lambda: None,
            post=Post(lambda: KUBE_S),
            inspect=lambda _action, _params: None,
        )

    def __enter__(self) -> "Fleet":
        gc.collect()  # the garbage of the fleet before is not this one's
        return self

    def __exit__(self, *_: object) -> None:
        for one in self.replicas:
            one.end("the bench is over")
        self.crew.close()

    def start(self, name: str = "replica-1") -> Replica:
        """Another replica."""
        clock = MachineClock(self.clock)
        machine = Machine(
            name, clock, random.Random(self.dice.random()), self.register, self.crew.sleep,
            self._begins, self.workers,
        )  # fmt: skip
        made = Replica(self.around, machine, self.notes, [])
        self.replicas.append(made)
        shift.begin(made, self.crew, self.cpu)
        return made

    def leader(self) -> Replica | None:
        """Who has a term."""
        return next((one for one in self.replicas if one.term is not None and not one.over), None)

    def lead(self, within_s: float = 120.0) -> Replica:
        """Run until somebody leads."""
        self.crew.run(lambda: self.leader() is not None, within_s)
        return self.lead_now()

    def lead_now(self) -> Replica:
        """Who leads; there must be somebody."""
        found = self.leader()
        assert found is not None
        return found

    def quiet(self, within_s: float) -> None:
        """Run until the queue of the leader is empty but for verification; news has arrived by then."""
        self.crew.pass_time(1.0)
        self.crew.run(self._idle, within_s)

    def verify(self) -> None:
        """Let the leader begin a round of verification now."""
        self.crew.start("round", lambda: self.lead_now().verify())

    def spent_s(self) -> float:
        """CPU seconds of the product so far."""
        return self.cpu.product_s()

    def issued(self, *actions: str) -> list[tuple[float, Json]]:
        """When calls of these actions were issued since the calls were forgotten, and with what parameters."""
        log = self.account.emulator.calls.log
        return [(entry["time"] - CALL_S, entry["request"]) for entry in log if entry["action"] in actions]

    # Objects.

    def ingress(self, name: str, **spec: Any) -> None:
        """An Ingress with one rule and a Service of its own behind a NodePort."""
        port = 30_000 + len(self.users.emulator.world.storage._now.get("services", {})) % 2_700
        self.users.create(manifests.service(name, port))
        self.users.create(manifests.ingress(name, manifests.rule(f"{name}.example.com", backend=name), **spec))

    def _furnish(self) -> None:
        self.users.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        for name, (address, instance) in NODES.items():
            self.users.create(manifests.node(name, address, instance))
        self.account.seed(instances=[{"id": instance, "ip": address} for address, instance in NODES.values()])

    # How time passes.

    def _begins(self, who: str, name: str) -> None:
        self.crew.sleep(CALL_S if name.startswith(CLOUD) else KUBE_S)

    def _idle(self) -> bool:
        leader = self.leader()
        if leader is None or leader.term is None:
            return False
        queue = leader.term.queue
        return not queue._running and not len(queue._ready) and not any(
            not verify for _, verify in queue._delays._waits
        )  # fmt: skip
