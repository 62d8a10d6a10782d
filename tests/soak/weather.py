"""What changes around Ingresses in a cluster that lives: endpoints, nodes, certificates, and faults on both sides."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from typing import Final, Self

from tests.emulators.kube.faults import Fault
from tests.system.churn import client_of
from tests.system.pods import Pods
from tests.system.world import World, ingress, rule, service

SPACE: Final = "weather"
PAUSE_S: Final = 0.5
DIRECT: Final = {"ingress.cloud.tencent.com/direct-access": "true"}
CERTIFICATES: Final = ("certrsa1", "certrsa2", "certecc1")
CLOUD_FAULTS: Final = ("error", "drop_before", "drop_after", "http_500", "slow", "task_fail")
CLUSTER_FAULTS: Final = ("conflict", "drop", "reset_watches", "watch_error", "http_500", "http_429", "lost")


class Weather:
    """While the context lasts; `deeds` counts what happened."""

    def __init__(self, world: World, seed: int) -> None:
        self.deeds: Counter[str] = Counter()
        self._world = world
        self._kube = client_of(world)
        self._dice = random.Random(seed)
        self._pods = Pods(self._kube, SPACE, "pods")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._live, name="weather")

    def __enter__(self) -> Self:
        world, kube = self._world, self._kube
        world.namespace(SPACE)
        kube.create(service("web", SPACE, 0))
        kube.create(service("pods", SPACE, 0, type="ClusterIP"))
        kube.create(_secret(CERTIFICATES[0]))
        host = "secure.example.com"
        kube.create(ingress("secure", SPACE, rule(host, "web"), tls=[{"hosts": [host], "secretName": "cert"}]))
        kube.create(ingress("direct", SPACE, rule("direct.example.com", "pods"), annotations=DIRECT))
        for number in range(8):
            self._pods.run(f"pod-{number}", f"127.45.0.{number + 1}")
        self._endpoints()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _live(self) -> None:
        deeds: dict[str, Callable[[], object]] = {
            "endpoints": self._endpoints,
            "nodes": self._nodes,
            "certificates": self._rotate,
            "services": self._strangers,
            "cloud faults": self._cloud_fault,
            "cluster faults": self._cluster_fault,
        }
        while not self._stopping.wait(PAUSE_S):
            name = self._dice.choices(list(deeds), (8, 2, 2, 2, 1, 1))[0]
            deeds[name]()
            self.deeds[name] += 1

    def _endpoints(self) -> None:
        some = self._dice.sample(range(8), self._dice.randint(1, 8))
        states = {f"pod-{number}": (f"127.45.0.{number + 1}", "ready") for number in some}
        self._pods.endpoints(**states)

    def _nodes(self) -> None:
        change = {"metadata": {"labels": {"turn": str(self._dice.randrange(1000))}}}
        self._kube.patch("Node", "node-a", "", change | {"spec": {"unschedulable": self._dice.random() < 0.5}})

    def _rotate(self) -> None:
        self._kube.patch("Secret", "cert", SPACE, {"stringData": {"qcloud_cert_id": self._dice.choice(CERTIFICATES)}})

    def _strangers(self) -> None:
        """A Service that no Ingress names comes and goes, under a name that never comes back."""
        name = f"build-{self.deeds['services']}"
        self._kube.create(service(name, SPACE, 0))
        self._kube.delete("Service", name, SPACE)

    def _cloud_fault(self) -> None:
        self._world.fault(action="*", kind=self._dice.choice(CLOUD_FAULTS), seconds=2.0)

    def _cluster_fault(self) -> None:
        assert self._world.kube_emulator is not None
        kind = self._dice.choice(CLUSTER_FAULTS)
        resource = self._dice.choice(("ingresses", "services", "endpointslices", "secrets", "leases"))
        # Only what the product asks for: the writers of this test have other verbs.
        verb = self._dice.choice(("watch", "list", "update"))
        self._world.kube_emulator.controls.order(Fault(kind, verb=verb, resource=resource))


def _secret(certificate: str) -> dict[str, object]:
    meta = {"name": "cert", "namespace": SPACE}
    data = {"qcloud_cert_id": certificate}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "stringData": data}
