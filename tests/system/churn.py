"""Somebody who makes, edits and deletes Ingresses all the time, and knows what must come of it."""

import random
import threading
import time
from collections.abc import Callable
from typing import Self

from tests.system.kube import Json, Kube
from tests.system.world import World, ingress, rule, service, tree

NAMESPACE = "churn"
PAUSE_S = 0.5
MOST = 5
REST_S = 8.0
"""Between two deletions: the cloud allows 25 load balancers in five minutes."""


def client_of(world: World) -> Kube:
    """A client of its API server for one thread more."""
    plane = world.plane
    return Kube(plane.url, plane.headers, plane.ca) if plane else Kube(world.kube.url)


class Churn:
    """While the context lasts; `rest` ends it and says what is then wrong."""

    def __init__(self, world: World, seed: int, rest_s: float = REST_S) -> None:
        self.wanted: dict[str, set[str]] = {}
        """Name -> hosts, of every Ingress that is to be there."""
        self.uids: dict[str, str] = {}
        """Of every one that there ever was."""
        self.deeds = 0
        self._world = world
        self._kube = client_of(world)
        self._dice = random.Random(seed)
        self._rest_s = rest_s
        self._deleted_at = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._live, name="churn")

    def __enter__(self) -> Self:
        self._world.namespace(NAMESPACE)
        self._kube.create(service("web", NAMESPACE, 0))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """No deed after this."""
        self._stopping.set()
        self._thread.join()

    def differences(self) -> list[str]:
        """What is not as it should be: one load balancer each, with its hosts, and none for what is gone."""
        found = []
        served: dict[str, list[Json]] = {}
        for one in self._world.load_balancers().values():
            served.setdefault(one["tags"].get("tke-lb-ingress-uuid", ""), []).append(one)
        for name, uid in self.uids.items():
            extra = served.get(uid, [])
            hosts = self.wanted.get(name)
            if hosts is None:
                there = self._kube.find("Ingress", name, NAMESPACE) is not None
                found += [f"{name} is not gone"] if there or extra else []
            elif len(extra) != 1:
                found.append(f"{name} has {len(extra)} load balancers")
            elif {text.partition("/")[0] for text in tree(extra[0]).get("HTTP:80", {})} != hosts:
                found.append(f"{name} is not served as it says")
            elif (self._world.condition(name, NAMESPACE) or {}).get("status") != "True":
                found.append(f"{name} is not ready")
        return found

    def clear(self) -> None:
        """Delete all that is left."""
        for name in list(self.wanted):
            self._delete(name)

    def _live(self) -> None:
        while not self._stopping.wait(PAUSE_S):
            self._deed()
            self.deeds += 1

    def _deed(self) -> None:
        choices: list[Callable[[str], None]] = [self._create] if len(self.wanted) < MOST else []
        if len(self.wanted) > 1:
            choices.append(self._edit)
            if time.monotonic() - self._deleted_at >= self._rest_s:
                choices.append(self._delete)
        deed = self._dice.choice(choices)
        deed(self._dice.choice(sorted(self.wanted)) if self.wanted else "")

    def _hosts(self, name: str) -> set[str]:
        return {f"{name}-{self._dice.randrange(100)}.example.com" for _ in range(self._dice.randint(1, 3))}

    def _create(self, _: str) -> None:
        name = f"churn-{len(self.uids)}"
        hosts = self._hosts(name)
        made = self._kube.create(ingress(name, NAMESPACE, *(rule(host, "web") for host in sorted(hosts))))
        self.uids[name], self.wanted[name] = str(made["metadata"]["uid"]), hosts

    def _edit(self, name: str) -> None:
        self.wanted[name] = hosts = self._hosts(name)
        rules = [rule(host, "web") for host in sorted(hosts)]
        self._kube.patch("Ingress", name, NAMESPACE, {"spec": {"rules": rules}})

    def _delete(self, name: str) -> None:
        self._deleted_at = time.monotonic()
        del self.wanted[name]
        self._kube.delete("Ingress", name, NAMESPACE)
