"""How long many new Ingresses take, all at once, against what the cloud's own limits allow. On a virtual clock."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.bench import bounds
from tests.bench.figures import rounded
from tests.bench.fleet import CALL_S, REAL, Fleet
from tests.bench.rows import Better, Figure


@dataclass(frozen=True, slots=True)
class Built:
    """What so many load balancers took."""

    count: int
    seconds: float
    """From the first Ingress to the last target, on the virtual clock."""
    cpu_s: float
    calls: dict[str, int]


def built(fleet: Fleet, count: int, prefix: str = "shop") -> Built:
    """Let a fleet converge, and see that all of it has."""
    fleet.account.forget_calls()
    begun, cpu_s = fleet.clock.now(), fleet.spent_s()
    names = [f"{prefix}-{number:04}" for number in range(count)]
    for name in names:
        fleet.ingress(name)
    fleet.crew.run(lambda: fleet.account.calls().get("BatchRegisterTargets", 0) >= count, 40.0 + count)
    seconds = fleet.clock.now() - begun
    fleet.quiet(60.0)
    cpu_s = fleet.spent_s() - cpu_s
    assert all(fleet.users.ingress(name).is_ready for name in names)
    assert not fleet.account.emulator.calls.errors
    return Built(count, seconds, cpu_s, fleet.account.calls())


def ratio(one: Built, name: str) -> Figure:
    """The bound over what was measured: 1 is as good as it can be."""
    return ratio_of(name, one.count, one.seconds, call_s=CALL_S, calls=sum(one.calls.values()))


def ratio_of(
    name: str, count: int, seconds: float, *, call_s: float, calls: int, tasks: Mapping[str, float] = REAL
) -> Figure:
    """The same of figures that were measured elsewhere."""
    stages = bounds.build(bounds.Latencies(tasks, call_s), bulk=True)
    bound = bounds.converged_s(stages, count, call_s)
    return Figure(
        name, rounded(bound / seconds), "of the bound", Better.HIGHER,
        {
            "measured, s": rounded(seconds),
            "bound, s": rounded(bound),
            "greater of the busiest action's calls and one chain, s": rounded(bounds.plain_s(stages, count, call_s)),
            "calls": float(calls),
            "least calls": float(bounds.calls(stages, count).total()),
        },
        note=f"{count:,} load balancers",
    )  # fmt: skip
