"""What is done to a golden case: it is served, edited, deleted, adopted, released, each time until all is at rest."""

from dataclasses import dataclass
from typing import Final

from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.ingresses import KubeIngresses
from l7lb.adapters.kube.listwatch import KubeListWatch
from l7lb.app.adopting import assess, take_over
from l7lb.app.gate import Evidence, Gate
from l7lb.app.planning import Worlds
from l7lb.app.releasing import marked, release
from l7lb.app.survey import Surveyed
from tests.simulation.golden_guard import Guard
from tests.simulation.golden_world import GoldenWorld, path_of
from tests.simulation.manifests import Json, rule
from tests.simulation.process import Process
from tests.simulation.toll import Toll
from tests.simulation.wires import KubeWire

REST_S: Final = 1800.0
ADDED: Final = "added.example.org"
FREE_PORTS: Final = 32_000


@dataclass(frozen=True, slots=True)
class Deeds:
    """On one world."""

    world: GoldenWorld
    guard: Guard

    def serve(self) -> None:
        """`l7lb run` begins, with nothing in its memory."""
        self.world.start()
        self.rest()

    def edit(self) -> None:
        """By an author, while it runs."""
        _edit(self.world)
        self.rest()

    def delete(self) -> None:
        """All Ingresses, while it runs."""
        for ingress in self.world.ingresses():
            if "deletionTimestamp" not in ingress["metadata"]:
                self.world.users.remove(path_of(ingress))
        self.rest()

    def adopt(self) -> None:
        """`l7lb adopt --apply`."""
        world = self.world
        process = Process(world.around, world.notes, world.passes)
        world.watch(process.toll)
        process.start()
        assert process.term is not None
        stage = process.term._stage

        def sleep(seconds: float) -> None:
            world.clock.advance(seconds)
            process.hear()

        worlds = Worlds(
            world.around.cluster, stage.settings, stage.triggers.stores, stage.caches, stage.cloud, stage.ingresses,
            world.clock,
        )  # fmt: skip
        gate = Gate(lambda: Evidence(None, None, None, readable=True), ignored=False)
        found = Surveyed(worlds, gate.standing(), gate, ())
        take_over(worlds, assess(found, stage.cloud, sleep), sleep)
        process.end()

    def release(self) -> None:
        """`l7lb release --all`."""
        toll = Toll()
        self.world.watch(toll)
        wire = KubeWire(self.world.around.kube, toll)
        desk = KubeIngresses(wire)
        release(marked(KubeListWatch(wire, kinds.INGRESS), desk), desk)

    def rest(self) -> None:
        """Until nothing is left to do, or nothing but to ask again for what is refused."""
        self.world.run(REST_S)
        self.guard.check()


def _edit(world: GoldenWorld) -> None:
    """A small edit that fits any case: one more host on the first Ingress, another NodePort for a Service."""
    ingresses = [one for one in world.ingresses() if "deletionTimestamp" not in one["metadata"]]
    for ingress in ingresses[:1]:
        added = rule(ADDED, "/added")
        added["http"]["paths"][0]["backend"] = _backend(ingress)
        world.users.update(path_of(ingress), {"spec": {"rules": [*(ingress["spec"].get("rules") or ()), added]}})
    for service in world.users.all("/api/v1/services"):
        ports = service["spec"].get("ports") or ()
        if service["spec"]["type"] == "NodePort":
            ports = [{**one, "nodePort": FREE_PORTS + number} for number, one in enumerate(ports)]
            meta = service["metadata"]
            world.users.update(
                f"/api/v1/namespaces/{meta['namespace']}/services/{meta['name']}", {"spec": {"ports": ports}}
            )
            return


def _backend(ingress: Json) -> Json:
    paths = [path for one in ingress["spec"].get("rules") or () for path in one.get("http", {}).get("paths", ())]
    backends = [path["backend"] for path in paths if "service" in path["backend"]]
    found: Json = backends[0] if backends else {"service": {"name": "web", "port": {"number": 80}}}
    return found
