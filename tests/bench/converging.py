"""How long many new Ingresses take, all at once, against what the cloud's own limits allow. On a virtual clock."""

import time
from dataclasses import dataclass

from tests.bench import bounds
from tests.bench.figures import growth, rounded
from tests.bench.fleet import CALL_S, REAL, Fleet
from tests.bench.rows import Benchmark, Better, Figure, Scale

LATENCIES = bounds.Latencies(REAL, CALL_S)
SIZES = (10, 100, 1_000)


@dataclass(frozen=True, slots=True)
class Built:
    """What so many load balancers took."""

    count: int
    seconds: float
    """From the first Ingress to the last target, on the virtual clock."""
    cpu_s: float
    """Of the product, in this process."""
    calls: dict[str, int]


def built(count: int) -> Built:
    """Let a fleet converge, and see that all of it has."""
    with Fleet() as fleet:
        fleet.start()
        fleet.lead()
        fleet.account.forget_calls()
        begun, cpu_s, others_s = fleet.clock.now(), time.process_time(), fleet.cpu.emulators_s
        names = [f"shop-{number:04}" for number in range(count)]
        for name in names:
            fleet.ingress(name)
        fleet.crew.run(lambda: fleet.account.calls().get("BatchRegisterTargets", 0) >= count, 40.0 + count)
        seconds = fleet.clock.now() - begun
        fleet.quiet(60.0)
        cpu_s = time.process_time() - cpu_s - (fleet.cpu.emulators_s - others_s)
        calls = fleet.account.calls()
        assert all(fleet.users.ingress(name).is_ready for name in names)
        assert not fleet.account.emulator.calls.errors
        return Built(count, seconds, cpu_s, calls)


def converging(scale: Scale) -> tuple[Figure, ...]:
    """Each size by itself, in a world of its own."""
    sizes = scale.pick(SIZES, (10, 30, 100))
    all_built = [built(size) for size in sizes]
    ratios = [_ratio(one, f"converging/{name}") for one, name in zip(all_built, SIZES, strict=True)]
    return (
        *ratios,
        growth("converging/growth-cpu", {one.count: one.cpu_s for one in all_built}, unit="CPU seconds"),
        growth("converging/growth-calls", {one.count: sum(one.calls.values()) for one in all_built}, unit="calls"),
    )


def _ratio(one: Built, name: str) -> Figure:
    """The bound over what was measured: 1 is as good as it can be."""
    stages = bounds.build(LATENCIES, bulk=False)
    bound = bounds.converged_s(stages, one.count, CALL_S)
    return Figure(
        name, rounded(bound / one.seconds), "of the bound", Better.HIGHER,
        {
            "measured, s": rounded(one.seconds),
            "bound, s": rounded(bound),
            "calls": float(sum(one.calls.values())),
            "least calls": float(bounds.calls(stages, one.count).total()),
        },
        note=f"{one.count:,} load balancers",
    )  # fmt: skip


BENCHMARKS = (
    Benchmark(
        "converging",
        "New Ingresses of one rule and two targets, all at once; tasks of 3.5 s and 1.15 s, 0.08 s a call, the "
        "documented quotas; virtual time.",
        converging,
        (*(f"converging/{size}" for size in SIZES), "converging/growth-cpu", "converging/growth-calls"),
        limit_s=150.0,
    ),
)
