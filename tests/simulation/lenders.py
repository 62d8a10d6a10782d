"""Owners of lent load balancers, who go on using them. All their listeners are called `owner…`."""

import random
from typing import Final

from tests.simulation.world import World

PORTS: Final = (8080, 8443, 9090)
"""None that Ingresses of a walk ask for: one that is in the way is a deed of its own."""


class Lenders:
    """They add, change and remove listeners of their own."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self.world = world
        self.dice = dice

    def edit(self) -> str:
        lb = self.dice.choice([one for one in self.world.account.lbs() if "team" in one.tags])
        theirs = [one for one in lb.listeners.values() if one.name.startswith("owner")]
        free = [port for port in PORTS if port not in {one.port for one in lb.listeners.values()}]
        what = self.dice.choice(("add", "remove", "rule"))
        if what == "add" and free:
            port = self.dice.choice(free)
            rule = {"domain": f"owner-{port}.example.com", "url": "/", "targets": [{"ip": "10.9.9.8", "port": 80}]}
            listener = {"name": f"owner-{port}", "protocol": "HTTP", "port": port, "rules": [rule]}
            self.world.account.edit("add_listener", lb.id, listener=listener)
            return f"the owner of {lb.id} adds HTTP:{port}"
        if what == "remove" and theirs:
            one = self.dice.choice(theirs)
            self.world.account.edit("delete_listener", lb.id, listener=one.id)
            return f"the owner of {lb.id} removes HTTP:{one.port}"
        if theirs:
            one = self.dice.choice(theirs)
            host = f"late-{self.dice.randrange(100)}.example.com"
            self.world.account.edit("add_rule", lb.id, listener=one.id, rule={"domain": host, "url": "/"})
            return f"the owner of {lb.id} adds {host} to HTTP:{one.port}"
        return f"the owner of {lb.id} has nothing to do"
