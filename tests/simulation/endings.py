"""An operator who tears a cluster down: `l7lb teardown` after the id was typed, over wires without sockets."""

from dataclasses import dataclass

from l7lb import ledger
from l7lb.adapters.clb.calls import Caller
from l7lb.adapters.clb.loadbalancers import TencentLoadBalancers
from l7lb.adapters.clb.ratelimit import RateLimits
from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.ingresses import KubeIngresses
from l7lb.adapters.kube.listwatch import KubeListWatch
from l7lb.app.tearing import End, Ground, Report, tear_down
from l7lb.model.cluster import Ingress
from l7lb.model.ending import Order
from l7lb.model.identity import Cluster
from tests.simulation.toll import Death, Toll
from tests.simulation.wires import CloudWire, KubeWire
from tests.simulation.world import World


@dataclass
class Operator:
    """Calls the command once or more often."""

    world: World
    alive: bool = True
    uid: str = ""
    """What is typed as the identity; empty: the right one."""
    typed: str = ""
    """Empty: the right id."""

    def __post_init__(self) -> None:
        self.toll = Toll()
        self.said: list[str] = []

    def ground(self, toll: Toll | None = None) -> Ground:
        """As the command finds it."""
        around = self.world.around
        wire = CloudWire(around.cloud, around.clock, toll or self.toll, around.inspect, around.clock.advance)
        limits = RateLimits(around.clock.monotonic)
        caller = Caller(wire, limits, sleep=around.clock.advance, clock=around.clock.monotonic)
        cloud = TencentLoadBalancers(caller, around.clock.monotonic)
        kube = KubeWire(around.kube, toll or self.toll)
        cluster = Cluster(around.cluster.id, self.uid or around.cluster.uid)
        everyone: tuple[Ingress, ...] = ()
        if self.alive:
            page = KubeListWatch(kube, kinds.INGRESS).list_page(resource_version="", continue_token="")
            everyone = tuple(item.object for item in page.items)
        return Ground(
            order=Order(cluster, self.typed or cluster.id, self.alive),
            cloud=cloud,
            heads=cloud.find(around.config.region, ledger.of_cluster(cluster)),
            clock=around.clock,
            sleep=around.clock.advance,
            ingresses=everyone,
            desk=KubeIngresses(kube) if self.alive else None,
            home=around.config.region,
            told=self.said.append,
        )

    def call(self, at: int = 0, death: Death = Death.BEFORE) -> dict[str, End]:
        """Once, from its list to its end; may die at a call."""
        self.toll = Toll()
        self.toll.arm(at, death)
        reports: tuple[Report, ...] = tear_down(self.ground(), lambda _: None)
        return {one.what.removeprefix(f"{self.world.around.config.region}/"): one.end for one in reports}
