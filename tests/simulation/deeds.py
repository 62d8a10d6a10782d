"""What users and operators do in a random walk; each deed says in a few words what it was."""

import random
from typing import Final

from tests.simulation import manifests
from tests.simulation.cluster import NODES, SERVICES
from tests.simulation.world import World

NAMES: Final = ("shop", "blog", "wiki")
HOSTS: Final = ("a.example.com", "b.example.com")
PATHS: Final = ("/", "/x", "/y")
LENT: Final = ("lb-lent0001", "lb-lent0002")
CLASS: Final = "kubernetes.io/ingress.class"
NAMED: Final = "kubernetes.io/ingress.existLbId"
EXITS_MAX: Final = 4
"""More exits from the class than this would be stopped by the guard, as they should."""


class Users:
    """They edit objects of the cluster."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self.world = world
        self.dice = dice
        self._exits = 0
        self._nodes = 2

    def _living(self) -> list[str]:
        found = (self.world.users.find(name) for name in NAMES)
        return [one["metadata"]["name"] for one in found if one and "deletionTimestamp" not in one["metadata"]]

    def _rules(self) -> list[manifests.Json]:
        hosts = self.dice.sample(HOSTS, self.dice.randint(1, 2))
        return [
            manifests.rule(
                host, *self.dice.sample(PATHS, self.dice.randint(1, 2)), backend=self.dice.choice(("web", "api"))
            )
            for host in hosts
        ]

    def create(self) -> str:
        name = self.dice.choice(NAMES)
        if self.world.users.find(name) is not None:
            return self.edit()
        annotations = {NAMED: self.dice.choice(LENT)} if self.dice.random() < 0.4 else {}
        tls = "cert" if self.dice.random() < 0.3 else ""
        self.world.users.create(manifests.ingress(name, *self._rules(), annotations=annotations, tls=tls))
        return f"create {name} {annotations} {tls}"

    def edit(self) -> str:
        names = self._living()
        if not names:
            return "nothing to edit"
        name = self.dice.choice(names)
        if self.dice.random() < 0.25:
            tls = [{"secretName": "cert"}] if self.dice.random() < 0.5 else None
            self.world.users.patch({"spec": {"tls": tls}}, name)
            return f"edit {name}: tls {tls}"
        rules = self._rules()
        self.world.users.rules(*rules, name=name)
        return f"edit {name}: {[(one['host'], [p['path'] for p in one['http']['paths']]) for one in rules]}"

    def delete(self) -> str:
        names = self._living()
        if not names:
            return "nothing to delete"
        name = self.dice.choice(names)
        self.world.users.delete(name)
        return f"delete {name}"

    def move_class(self) -> str:
        names = self._living()
        if not names:
            return "nobody to leave"
        name = self.dice.choice(names)
        if self.world.users.ingress(name).annotations.get(CLASS) == "nginx":
            self.world.users.annotate({CLASS: None}, name)
            return f"{name} comes back"
        if self._exits >= EXITS_MAX:
            return "nobody may leave any more"
        self._exits += 1
        self.world.users.annotate({CLASS: "nginx"}, name)
        return f"{name} leaves"

    def change_nodes(self) -> str:
        if self._nodes > 2 and self.dice.random() < 0.5:
            self._nodes -= 1
            name = f"node-{self._nodes}"
            self.world.users.remove(f"{NODES}/{name}")
            return f"{name} goes"
        name, address, instance = f"node-{self._nodes}", f"10.0.1.{self._nodes}", f"ins-{self._nodes:08d}"
        self.world.account.seed(instances=[{"id": instance, "ip": address}])
        self.world.users.create(manifests.node(name, address, instance))
        self._nodes += 1
        return f"{name} comes"

    def rotate(self) -> str:
        certificate = self.dice.choice(manifests.CERTIFICATES)
        self.world.users.update("/api/v1/namespaces/shop/secrets/cert", {"stringData": {"qcloud_cert_id": certificate}})
        return f"certificate {certificate}"

    def service(self) -> str:
        port = self.dice.choice((30081, 30082, 30083))
        change = {"spec": {"ports": [{"port": 80, "nodePort": port}]}}
        self.world.users.update(f"{SERVICES}/api", change)
        return f"api moves to {port}"
