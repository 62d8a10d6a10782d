"""What is below the Ingresses, and changes too: nodes, pods with their endpoints, Services, Secrets."""

import random
from typing import Final

from tests.fixtures.tke_cluster import stamp
from tests.simulation import asking, manifests
from tests.simulation.cluster import NODES, SERVICES
from tests.simulation.manifests import Json
from tests.simulation.world import World

CREWS: Final = ("pods", "green")
PORT: Final = 8080
SECRETS: Final = "/api/v1/namespaces/shop/secrets"
PODS: Final = "/api/v1/namespaces/shop/pods"
SLICES: Final = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices"
NODE_PORTS: Final = (30080, 30081, 30082, 30083)
HOME: Final = "node-a"
"""Where all pods are. Living pods on nodes that are not ready are what a copy of a cluster looks like."""
OLDEST: Final = 2
"""Nodes that every world has: they stay."""


class Crews:
    """Pods come, get ready, terminate and go. Who has one writes the Pod first, then the endpoints."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self.world = world
        self.dice = dice
        self._number = 0
        self._members: dict[str, dict[str, Json]] = {name: {} for name in CREWS}
        for name in CREWS:
            port = {"port": 80, "targetPort": PORT}
            spec = {"type": "ClusterIP", "selector": {"app": name}, "ports": [port]}
            world.users.create({"apiVersion": "v1", "kind": "Service",
                                "metadata": {"name": name, "namespace": "shop"}, "spec": spec})  # fmt: skip
            world.users.create({
                "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                "metadata": {"name": f"{name}-1", "namespace": "shop", "labels": {"kubernetes.io/service-name": name}},
                "ports": [{"port": PORT, "protocol": "TCP"}], "endpoints": [],
            })  # fmt: skip
            for _ in range(2):
                self._come(name, ready=True)

    def change(self) -> str:
        crew = self.dice.choice(CREWS)
        members = self._members[crew]
        if not members or (len(members) < 5 and self.dice.random() < 0.35):
            return self._come(crew, ready=self.dice.random() < 0.5)
        name = self.dice.choice(sorted(members))
        one = members[name]
        conditions = one["conditions"]
        if conditions["terminating"] or self.dice.random() < 0.15:
            return self._go(crew, name)
        if self.dice.random() < 0.4:
            conditions |= {"terminating": True, "ready": False, "serving": self.dice.random() < 0.5}
            self.world.users.remove(f"{PODS}/{name}")
            self._publish(crew)
            return f"pod {name} terminates"
        ready = not conditions["ready"]
        conditions |= {"ready": ready, "serving": ready}
        state = [{"type": "Ready", "status": str(ready)}]
        self.world.users.update(f"{PODS}/{name}/status", {"status": {"conditions": state}})
        self._publish(crew)
        return f"pod {name} is {'' if ready else 'not '}ready"

    def roll(self) -> str:
        """A deployment: as many new ones as there are, and all old ones terminate."""
        crew = self.dice.choice(CREWS)
        old = [name for name, one in self._members[crew].items() if not one["conditions"]["terminating"]]
        for _ in old[:3] or ("first",):
            self._come(crew, ready=True)
        for name in old:
            self._members[crew][name]["conditions"] |= {"terminating": True, "ready": False}
            self.world.users.remove(f"{PODS}/{name}")
        self._publish(crew)
        return f"{crew} is rolled: {old} terminate"

    def weigh(self) -> str:
        name = self.dice.choice([name for members in self._members.values() for name in members] or [""])
        if not name:
            return "no pod to weigh"
        weight = self.dice.choice(("1", "50", "0", None))
        self.world.users.update(f"{PODS}/{name}", {"metadata": {"annotations": {asking.WEIGHT: weight}}})
        return f"pod {name} has the weight {weight}"

    def _come(self, crew: str, *, ready: bool) -> str:
        number, self._number = self._number, self._number + 1
        name, address = f"{crew}-{number}", f"172.16.{number // 200}.{number % 200 + 1}"
        self.world.users.create({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "shop", "labels": {"app": crew}},
            "spec": {"nodeName": HOME, "containers": [{"name": "app", "image": "example.com/app:1"}]},
        })  # fmt: skip
        state = [{"type": "Ready", "status": str(ready)}]
        status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "conditions": state}
        self.world.users.update(f"{PODS}/{name}/status", {"status": status})
        self._members[crew][name] = {
            "addresses": [address], "targetRef": {"kind": "Pod", "name": name, "namespace": "shop"},
            "conditions": {"ready": ready, "serving": ready, "terminating": False},
        }  # fmt: skip
        self._publish(crew)
        return f"pod {name} comes{'' if ready else ', not ready'}"

    def _go(self, crew: str, name: str) -> str:
        address = self._members[crew].pop(name)["addresses"][0]
        self.world.account.seed(health={f"{address}:{PORT}": "Dead"})
        self.world.users.remove(f"{PODS}/{name}?gracePeriodSeconds=0")
        self._publish(crew)
        return f"pod {name} is gone"

    def _publish(self, crew: str) -> None:
        self.world.users.update(f"{SLICES}/{crew}-1", {"endpoints": list(self._members[crew].values())})


class Ground:
    """Nodes, Services and Secrets."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self.world = world
        self.dice = dice
        self._nodes = OLDEST
        world.users.create(manifests.secret("cert2", "certrsa2"))

    def nodes(self) -> str:
        names = [one["metadata"]["name"] for one in self.world.users.all(NODES)]
        what = self.dice.choice(("come", "come", "go", "ready", "cordon", "crowd"))
        if what in ("come", "crowd"):
            count = 1 if what == "come" else 6
            return f"{[self._come() for _ in range(count)]} come"
        name = self.dice.choice(names)
        if what == "go":
            if len(names) <= OLDEST or name == HOME:
                return "no node to go"
            address = self.world.users.object(f"{NODES}/{name}")["status"]["addresses"][0]["address"]
            self.world.account.seed(health={f"{address}:{port}": "Dead" for port in NODE_PORTS})
            self.world.users.remove(f"{NODES}/{name}")
            return f"{name} goes"
        found = self.world.users.object(f"{NODES}/{name}")
        if what == "cordon":
            cordoned = not found["spec"].get("unschedulable", False)
            self.world.users.update(f"{NODES}/{name}", {"spec": {"unschedulable": cordoned}})
            return f"{name} is {'' if cordoned else 'un'}cordoned"
        if name == HOME:
            return f"{name} stays ready"
        ready = found["status"]["conditions"][0]["status"] != "True"
        since = stamp(self.world.clock.time())
        state = [{"type": "Ready", "status": str(ready), "lastTransitionTime": since}]
        self.world.users.update(f"{NODES}/{name}/status", {"status": {"conditions": state}})
        return f"{name} is {'' if ready else 'not '}ready"

    def _come(self) -> str:
        number, self._nodes = self._nodes, self._nodes + 1
        name, address, instance = f"node-{number}", f"10.0.1.{number}", f"ins-{number:08d}"
        self.world.account.seed(instances=[{"id": instance, "ip": address}])
        self.world.users.create(manifests.node(name, address, instance))
        return name

    def service(self) -> str:
        """Another NodePort; or the Service goes, or comes back."""
        there = {one["metadata"]["name"] for one in self.world.users.all(SERVICES)}
        port = self.dice.choice((30081, 30082, 30083))
        if "api" not in there:
            self.world.users.create(manifests.service("api", port))
            return f"api is back with {port}"
        if self.dice.random() < 0.3:
            self.world.users.remove(f"{SERVICES}/api")
            return "api is deleted"
        self.world.users.update(f"{SERVICES}/api", {"spec": {"ports": [{"port": 80, "nodePort": port}]}})
        return f"api moves to {port}"

    def secret(self) -> str:
        """Another certificate; nonsense; or the Secret goes, or comes back."""
        name = self.dice.choice(("cert", "cert2"))
        there = {one["metadata"]["name"] for one in self.world.users.all(SECRETS)}
        certificate = self.dice.choice((*manifests.CERTIFICATES, *manifests.CERTIFICATES, "nonsense", "certexp1"))
        if name not in there:
            self.world.users.create(manifests.secret(name, certificate))
            return f"{name} is back with {certificate}"
        if self.dice.random() < 0.2:
            self.world.users.remove(f"{SECRETS}/{name}")
            return f"{name} is deleted"
        self.world.users.update(f"{SECRETS}/{name}", {"stringData": {"qcloud_cert_id": certificate}})
        return f"{name} holds {certificate}"
