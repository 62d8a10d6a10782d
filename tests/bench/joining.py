"""What a node that joins or leaves costs, with many load balancers whose targets are NodePorts. Virtual time."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.fleet import Fleet
from tests.simulation import manifests
from tests.simulation.cluster import NODES


@dataclass(frozen=True, slots=True)
class Joined:
    """One node, all load balancers."""

    seconds: float
    calls: int
    """All that were made."""
    cpu_s: float


def come(fleet: Fleet, number: int) -> None:
    """A node joins."""
    address, instance = f"10.1.{number // 250}.{number % 250 + 1}", f"ins-{number:08x}"
    fleet.account.seed(instances=[{"id": instance, "ip": address}])
    fleet.users.create(manifests.node(f"more-{number}", address, instance))


def joined(fleet: Fleet, number: int, count: int) -> Joined:
    """A node comes to `count` load balancers."""
    return _watched(fleet, lambda: come(fleet, number), "BatchRegisterTargets", count)


def left(fleet: Fleet, number: int, count: int) -> Joined:
    """And goes."""
    return _watched(fleet, lambda: fleet.users.remove(f"{NODES}/more-{number}"), "BatchDeregisterTargets", count)


def _watched(fleet: Fleet, change: Callable[[], object], action: str, count: int) -> Joined:
    fleet.account.forget_calls()
    begun, cpu_s = fleet.clock.now(), fleet.spent_s()
    change()
    fleet.crew.run(lambda: fleet.account.calls().get(action, 0) >= count, 60.0 + count)
    seconds = fleet.clock.now() - begun
    fleet.quiet(60.0)
    return Joined(seconds, sum(fleet.account.calls().values()), fleet.spent_s() - cpu_s)
