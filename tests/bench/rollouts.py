"""Deployments behind load balancers with direct access, whose pods are replaced: as kubelet and controllers write it.

A step makes new pods ready, lets as many old ones terminate when the Deployment has seen that, and these are gone a
while later: three changes of the endpoints, each of which asks for one call.
"""

import random
from dataclasses import dataclass
from typing import Final

from tests.bench.fleet import Fleet
from tests.simulation.landscape import HOME, PODS, PORT, SLICES
from tests.simulation.manifests import Json, ingress, rule

SEEN_S: Final = 2.0
"""From the new pods being ready to the old ones being deleted."""
GRACE_S: Final = 12.0
"""From there to their end."""
DIRECT: Final = {"ingress.cloud.tencent.com/direct-access": "true"}
PODS_EACH: Final = 5
AT_ONCE: Final = 2
"""Of five pods: a quarter, rounded up (Deployment, maxSurge)."""


@dataclass(frozen=True, slots=True)
class Change:
    """What was published of some pods of one Service, and when."""

    at: float
    what: str
    """`add`, `drain` or `remove`."""
    addresses: frozenset[str]


class Rollouts:
    """The pods of some Ingresses."""

    def __init__(self, fleet: Fleet, names: list[str]) -> None:
        self.names = names
        self.changes: list[Change] = []
        self.replaced = 0
        self._fleet = fleet
        self._number = 0
        self._members: dict[str, dict[str, Json]] = {}
        for name in names:
            self._found(name)

    def roll(self, seconds: float, dice: random.Random) -> None:
        """Of a hand: replace every pod once within so many seconds."""
        crew, begun = self._fleet.crew, self._fleet.clock.now()
        plans: list[tuple[float, str, int]] = []
        for name in self.names:
            first = dice.uniform(0.0, seconds / 3)
            for turn, start in enumerate(range(0, PODS_EACH, AT_ONCE)):
                plans.append((first + turn * seconds / 3, name, min(AT_ONCE, PODS_EACH - start)))
        for at, name, count in sorted(plans):
            crew.sleep(begun + at - self._fleet.clock.now())
            crew.start(f"pods of {name}", lambda name=name, count=count: self._step(name, count))  # type: ignore[misc]  # bound now

    def _found(self, name: str) -> None:
        users = self._fleet.users
        spec = {"type": "ClusterIP", "selector": {"app": name}, "ports": [{"port": 80, "targetPort": PORT}]}
        meta = {"name": name, "namespace": "shop"}
        users.create({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})
        self._members[name] = dict(self._pod(name) for _ in range(PODS_EACH))
        users.create({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": f"{name}-1", "namespace": "shop", "labels": {"kubernetes.io/service-name": name}},
            "ports": [{"port": PORT, "protocol": "TCP"}], "endpoints": list(self._members[name].values()),
        })  # fmt: skip
        users.create(ingress(name, rule(f"{name}.example.com", backend=name), annotations=DIRECT))

    def _pod(self, app: str) -> tuple[str, Json]:
        number, self._number = self._number, self._number + 1
        name, address = f"{app}-{number}", f"172.{16 + number // 60_000}.{number // 240 % 250}.{number % 240 + 1}"
        users = self._fleet.users
        users.create({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "labels": {"app": app}},
            "spec": {"nodeName": HOME, "containers": [{"name": "app", "image": "example.com/app:1"}]},
        })  # fmt: skip
        state = [{"type": "Ready", "status": "True"}]
        status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "conditions": state}
        users.update(f"{PODS}/{name}/status", {"status": status})
        reference = {"kind": "Pod", "name": name, "namespace": "shop"}
        conditions = {"ready": True, "serving": True, "terminating": False}
        return name, {"addresses": [address], "targetRef": reference, "conditions": conditions}

    def _step(self, app: str, count: int) -> None:
        members, users, crew = self._members[app], self._fleet.users, self._fleet.crew
        old = [name for name, one in members.items() if not one["conditions"]["terminating"]][:count]
        new = dict(self._pod(app) for _ in old)
        members.update(new)
        self._publish(app, "add", [*new])
        self.replaced += len(new)
        crew.sleep(SEEN_S)
        for name in old:
            members[name]["conditions"] = {"ready": False, "serving": True, "terminating": True}
            users.remove(f"{PODS}/{name}")
        self._publish(app, "drain", old)
        crew.sleep(GRACE_S)
        for name in old:
            users.remove(f"{PODS}/{name}?gracePeriodSeconds=0")
        gone = {name: members.pop(name) for name in old}
        self._publish(app, "remove", old, gone)

    def _publish(self, app: str, what: str, names: list[str], gone: dict[str, Json] | None = None) -> None:
        members = self._members[app]
        self._fleet.users.update(f"{SLICES}/{app}-1", {"endpoints": list(members.values())})
        addresses = frozenset((gone or members)[name]["addresses"][0] for name in names)
        self.changes.append(Change(self._fleet.clock.now(), what, addresses))
