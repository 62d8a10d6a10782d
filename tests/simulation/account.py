"""The cloud account as its owners see it in the console: what is there, what was called, edits by hand, faults."""

from typing import Any

from tests.emulators.clb import console
from tests.emulators.clb.emulator import ClbEmulator
from tests.emulators.clb.faults import parse
from tests.emulators.clb.nouns import Listener, LoadBalancer
from tests.simulation.manifests import Json


class Account:
    """Everybody but us who looks at the cloud or changes it."""

    def __init__(self, emulator: ClbEmulator) -> None:
        self.emulator = emulator
        self.wrote_at = 0.0
        """When somebody last edited by hand, on the virtual clock."""

    def seed(self, **body: Any) -> Json:
        """Prepare the account without calls."""
        return console.seed_world(self.emulator.cloud, body)

    def lend(self, lb_id: str = "lb-lent0001", **members: Any) -> LoadBalancer:
        """A load balancer of somebody else, with a listener of his own, that Ingresses may be given."""
        listener = {
            "name": "owner", "protocol": "HTTP", "port": 8080,
            "rules": [{"domain": "owner.example.com", "url": "/", "targets": [{"ip": "10.9.9.9", "port": 80}]}],
        }  # fmt: skip
        self.seed(load_balancers=[{"id": lb_id, "listeners": [listener], "tags": {"team": "owner"}, **members}])
        return self.emulator.world.load_balancers[lb_id]

    def edit(self, edit: str, lb_id: str, **body: Any) -> Json:
        """An edit by hand in the console."""
        self.wrote_at = self.emulator.cloud.clock.now()
        return console.edit(self.emulator.cloud, {"edit": edit, "load_balancer": lb_id, **body})

    def fault(self, action: str, kind: str, **members: Any) -> None:
        """The cloud goes wrong."""
        self.emulator.gateway.add_fault(parse({"action": action, "kind": kind, **members}))

    def lbs(self) -> list[LoadBalancer]:
        """All that exist now, oldest first."""
        with self.emulator.gateway.lock:
            self.emulator.gateway.settle()
        return list(self.emulator.world.load_balancers.values())

    def lb(self) -> LoadBalancer:
        """The one there is."""
        found = self.lbs()
        assert len(found) == 1, [one.id for one in found]
        return found[0]

    def listener(self, port: int = 80, lb: LoadBalancer | None = None) -> Listener:
        """By its port."""
        return next(item for item in (lb or self.lb()).listeners.values() if item.port == port)

    def paths(self, port: int = 80, lb: LoadBalancer | None = None) -> set[str]:
        """`host/path` of all rules of a listener."""
        return {f"{rule.domains[0]}{rule.url}" for rule in self.listener(port, lb).rules.values()}

    def targets(self, port: int = 80, lb: LoadBalancer | None = None) -> set[tuple[str, str, int]]:
        """(`host/path`, address, port) of all that is bound to a listener's rules."""
        return {
            (f"{rule.domains[0]}{rule.url}", target.ip, target.port)
            for rule in self.listener(port, lb).rules.values()
            for target in rule.targets
        }

    def calls(self) -> dict[str, int]:
        """Calls by action since the last reset."""
        return dict(self.emulator.calls.counts)

    def writes(self) -> dict[str, int]:
        """The same without reads."""
        return {name: count for name, count in self.calls().items() if not name.startswith(("Describe", "Get"))}

    def forget_calls(self) -> None:
        """Count anew."""
        self.emulator.calls.reset()
