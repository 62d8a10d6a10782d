"""Members of groups: Ingresses that share a load balancer, and sometimes want the same of it."""

import random
from typing import Final

from tests.simulation import manifests
from tests.simulation.world import World

SHARED: Final = ("lb-group0001", "lb-group0002")
MEMBERS: Final = ("east", "west", "north")
HOSTS: Final = ("e.example.com", "w.example.com", "both.example.com")
PATHS: Final = ("/", "/x")


class Members:
    """They join, edit, and go."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self.world = world
        self.dice = dice
        for lb_id in SHARED:
            world.account.lend(lb_id)

    def _rules(self) -> list[manifests.Json]:
        hosts = self.dice.sample(HOSTS, self.dice.randint(1, 2))
        return [
            manifests.rule(
                host, *self.dice.sample(PATHS, self.dice.randint(1, 2)), backend=self.dice.choice(("web", "api"))
            )
            for host in hosts
        ]

    def _living(self) -> list[str]:
        found = (self.world.users.find(name) for name in MEMBERS)
        return [one["metadata"]["name"] for one in found if one and "deletionTimestamp" not in one["metadata"]]

    def join(self) -> str:
        name = self.dice.choice(MEMBERS)
        if self.world.users.find(name) is not None:
            return self.edit()
        lb_id = SHARED[0] if self.dice.random() < 0.8 else SHARED[1]
        said = {"kubernetes.io/ingress.existLbId": lb_id, "ingress.cloud.tencent.com/enable-group": "true"}
        tls = self.dice.choice(("", "", "cert"))
        rules = self._rules()
        self.world.users.create(manifests.ingress(name, *rules, annotations=said, tls=tls))
        return f"{name} joins {lb_id} {tls} {manifests.words(rules)}"

    def edit(self) -> str:
        names = self._living()
        if not names:
            return "no member to edit"
        name = self.dice.choice(names)
        if self.dice.random() < 0.25:
            tls = [{"secretName": "cert"}] if self.dice.random() < 0.5 else None
            self.world.users.patch({"spec": {"tls": tls}}, name)
            return f"edit {name}: tls {tls}"
        rules = self._rules()
        self.world.users.rules(*rules, name=name)
        return f"edit {name}: {manifests.words(rules)}"

    def part(self) -> str:
        names = self._living()
        if not names:
            return "no member to part"
        name = self.dice.choice(names)
        if self.dice.random() < 0.3:
            self.world.users.annotate({"kubernetes.io/ingress.class": "nginx"}, name)
            return f"{name} leaves its group"
        self.world.users.delete(name)
        return f"delete {name}"
