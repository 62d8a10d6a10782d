"""People who edit our load balancers in the console: what is ours is repaired, the rest is theirs."""

import random
from typing import Final

from tests.emulators.clb.nouns import Listener, LoadBalancer, Rule
from tests.simulation.belonging import CREATED_BY, OWNER, UID
from tests.simulation.world import World

NAME: Final = "TKE-DEDICATED-LISTENER"
EDITS: Final = ("targets", "targets", "weights", "foreign target", "rule", "foreign rule", "listener", "certificate",
                "name", "owner", "protect", "delete", "papers")  # fmt: skip


class Hands:
    """One edit at a time, of a load balancer that we have made and on which nothing runs."""

    def __init__(self, world: World, dice: random.Random, spoilt: set[str]) -> None:
        self.world = world
        self.dice = dice
        self._spoilt = spoilt
        """Load balancers whose papers were taken away: nobody may use them any more."""

    def edit(self) -> str:
        running = self.world.account.emulator.cloud.tasks.running_on
        ours = [lb for lb in self.world.account.lbs() if lb.tags.get(CREATED_BY) == "yes" and not running(lb.id)]
        if not ours:
            return "nothing of ours to spoil"
        lb, what = self.dice.choice(ours), self.dice.choice(EDITS)
        rules = [(item, rule) for item in lb.listeners.values() if item.name == NAME for rule in item.rules.values()]
        done = self._of_the_whole(lb, what)
        if not done and rules:
            done = self._of_a_rule(lb, *self.dice.choice(rules), what)
        return f"{lb.id} by hand: {what}: {done or 'nothing to do'}"

    def _of_the_whole(self, lb: LoadBalancer, what: str) -> str:
        edit = self.world.account.edit
        match what:
            case "name":
                edit("update", lb.id, fields={"name": "renamed"})
            case "owner":
                edit("set_tags", lb.id, set={OWNER: self.dice.choice(("user", "tke"))})
            case "protect":
                edit("update", lb.id, fields={"delete_protect": not lb.delete_protect})
            case "delete" if not lb.delete_protect:
                edit("delete_load_balancer", lb.id)
            case "papers":
                edit("set_tags", lb.id, remove=[UID])
                self._spoilt.add(lb.id)
            case _:
                return ""
        return "done"

    def _of_a_rule(self, lb: LoadBalancer, listener: Listener, rule: Rule, what: str) -> str:
        edit, place = self.world.account.edit, {"listener": listener.id, "rule": rule.id}
        bound = [{"ip": one.ip, "port": one.port, "weight": one.weight} for one in rule.targets]
        ends = {end for item in lb.listeners.values() for one in item.rules.values() if one.redirect
                for end in (one.id, one.redirect.location_id)}  # fmt: skip
        match what:
            case "targets" if rule.redirect is None:
                edit("set_targets", lb.id, **place, targets=bound[1:])
            case "weights" if rule.redirect is None:
                edit("set_targets", lb.id, **place, targets=[{**one, "weight": 0} for one in bound])
            case "foreign target" if rule.redirect is None:
                # One that answers could be a sign that this cluster is a copy of another.
                self.world.account.seed(health={"10.66.0.1:66": "Dead"})
                edit("set_targets", lb.id, **place, targets=[*bound, {"ip": "10.66.0.1", "port": 66}])
            case "rule" if rule.id not in ends:
                edit("delete_rule", lb.id, **place)
            case "foreign rule":
                host = f"hand-{self.dice.randrange(1000)}.example.com"
                new = {"domain": host, "url": "/"}
                edit("add_rule", lb.id, listener=listener.id, rule=new)
            case "listener" if not ends & set(listener.rules):
                edit("delete_listener", lb.id, listener=listener.id)
            case "certificate" if listener.certificate is not None:
                edit("update_listener", lb.id, listener=listener.id, fields={"certificate": "certecc1"})
            case _:
                return ""
        return f"{listener.protocol}:{listener.port} {rule.domains[0]}{rule.url}"
