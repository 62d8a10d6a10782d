"""How long it takes until many load balancers are deleted and their Ingresses gone. Virtual time."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from tests.bench import bounds
from tests.bench.converging import built
from tests.bench.figures import growth, rounded
from tests.bench.fleet import CALL_S, REAL, Fleet
from tests.bench.rows import Benchmark, Better, Figure, Scale
from tests.simulation.cluster import Seen
from tests.simulation.manifests import Json

INGRESSES: Final = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses"
SIZES: Final = (3, 30, 300)


FEW_AGAIN: Final = 9
"""So often the smallest size is measured once more: a few hundredths of a second say little about growth."""


@dataclass(frozen=True, slots=True)
class Removed:
    """A fleet that is no more."""

    count: int
    seconds: float
    """From the first deletion by a user to the end of the last Ingress."""
    finalizer_s: float
    """The longest from the end of a load balancer to that of its Ingress."""
    calls: Mapping[str, int]
    cpu_s: float

    @property
    def all_calls(self) -> int:
        """Of all actions."""
        return sum(self.calls.values())


def removed(count: int) -> Removed:
    """All Ingresses are deleted at once."""
    with Fleet(config={"verify_interval": 0.0}) as fleet:
        fleet.start()
        fleet.lead()
        built(fleet, count)
        there = {one["metadata"]["name"]: Seen(one).record["lb"] for one in fleet.users.all(INGRESSES)}
        fleet.account.forget_calls()
        begun, cpu_s = fleet.clock.now(), fleet.spent_s()
        for name in there:
            fleet.users.delete(name)
        gone = {there[name]: at for name, at in _gone(fleet, there, 2 * bounds.deleted_s(count)).items()}
        ended = _ended(fleet.issued("DeleteLoadBalancer"))
        assert gone.keys() == ended.keys() == set(there.values())
        return Removed(
            count, max(gone.values()) - begun, max(gone[lb] - ended[lb] for lb in gone),
            dict(fleet.account.calls()), fleet.spent_s() - cpu_s,
        )  # fmt: skip


def _gone(fleet: Fleet, names: Mapping[str, str], within_s: float) -> dict[str, float]:
    """When each Ingress was gone; Stuck: one never was. Asked at each turn, so it only counts."""
    found: dict[str, float] = {}
    left = fleet.users.emulator.world.storage._now["ingresses.networking.k8s.io"]

    def all_gone() -> bool:
        if len(names) - len(found) != len(left):
            still = {name for _, name in left}
            found.update({name: fleet.clock.now() for name in names if name not in still and name not in found})
        return not left

    fleet.crew.run(all_gone, within_s)
    return found


def _ended(calls: list[tuple[float, Json]]) -> dict[str, float]:
    """By load balancer, when its task was over."""
    return {lb: at + CALL_S + REAL["*"] for at, params in calls for lb in params["LoadBalancerIds"]}


def removing(scale: Scale) -> tuple[Figure, ...]:
    """Each size in a world of its own."""
    found = {size: removed(size) for size in scale.pick(SIZES, (3, 30))}
    parts = {size: one.seconds / bounds.deleted_s(size) for size, one in found.items()}
    most, least = found[max(found)], min(found)
    cpu_s = {float(size): one.cpu_s for size, one in found.items()}
    cpu_s[least] = fmean([cpu_s[least], *(removed(least).cpu_s for _ in range(scale.pick(FEW_AGAIN, 0)))])
    sizes = ", ".join(f"{size:,}" for size in found)
    return (
        Figure("removing/time", rounded(max(parts.values())), "of N/25 x 300 s + 30 s", Better.LOWER,
               {f"{size:,}, seconds": rounded(one.seconds) for size, one in found.items()},
               note=f"the worst of {sizes} load balancers"),
        Figure("removing/finalizer", rounded(max(one.finalizer_s for one in found.values())), "s", Better.LOWER,
               {f"{size:,}": rounded(one.finalizer_s) for size, one in found.items()},
               note="the longest from the end of a load balancer to that of its Ingress"),
        Figure("removing/calls", rounded(most.all_calls / most.count), "calls a load balancer", Better.LOWER,
               {action: float(made) for action, made in sorted(most.calls.items())}, note=f"{most.count:,} of them"),
        growth("removing/growth-cpu", cpu_s, unit="CPU seconds"),
        growth("removing/growth-calls", {size: one.all_calls for size, one in found.items()}, unit="calls"),
    )  # fmt: skip


BENCHMARKS = (
    Benchmark(
        "removing",
        "All Ingresses of a fleet are deleted at once; the cloud takes 25 deletions in five minutes. Virtual time.",
        removing,
        ("removing/time", "removing/finalizer", "removing/calls", "removing/growth-cpu", "removing/growth-calls"),
        limit_s=300.0,
    ),
)
