"""Three replicas with a shard each: what a crash holds up, and what all of them ask the cloud. Virtual time."""

import logging
from statistics import median
from typing import Final

from tests.bench import bounds
from tests.bench.figures import growth, rounded
from tests.bench.rows import Benchmark, Better, Figure, Scale
from tests.bench.sharding import REPLICAS, Run, run

SIZES: Final = (10, 100, 1_000)
QUICK: Final = (10, 30, 60)
FEW_AGAIN: Final = 4
"""So often the smallest size is run once more: of a tenth of a second a single run says little."""


def dividing(scale: Scale) -> tuple[Figure, ...]:
    """Start, verify, crash, at each size."""
    logging.disable(logging.CRITICAL)
    by_size = {size: run(REPLICAS, size) for size in scale.pick(SIZES, QUICK)}
    most = max(by_size)
    largest, told = by_size[most], f"{most:,} load balancers"
    every = tuple(by_size.values())
    cpu_s: dict[float, float] = {size: sum(one.cpu_s) for size, one in by_size.items()}
    few = min(by_size)
    cpu_s[few] = median([cpu_s[few], *(sum(run(REPLICAS, few).cpu_s) for _ in range(scale.pick(FEW_AGAIN, 0)))])
    return (
        Figure("dividing/held-up", rounded(largest.held_up / most), "of all load balancers", Better.LOWER,
               {f"replica {number}": float(count) for number, count in enumerate(largest.observations, 1)},
               note=f"what nobody works on after a crash of the replica that has most; {told}, beside it how many each "
               "has"),
        Figure("dividing/crash", rounded(max(one.crash_led_s for one in every)), "s", Better.LOWER,
               _by_size(by_size, "crash_led_s"),
               note="until all is led again and what is read is trusted; the worst of all sizes"),
        Figure("dividing/reads", rounded(largest.reads / bounds.verification_reads(most)), "of ceil(N/100) + 2N",
               Better.LOWER, note=f"of all replicas together, until all are verified; {told}"),
        Figure("dividing/part", rounded(max(one.part for one in every)), "of the quota", Better.LOWER,
               _by_size(by_size, "part"),
               note="all replicas together: busiest action, busiest 10 s, until all are verified; the worst size"),
        Figure("dividing/writes", float(sum(one.writes for one in every)), "calls", Better.LOWER,
               note="nothing was to be done"),
        growth("dividing/growth-calls", {size: one.reads for size, one in by_size.items()}, unit="calls"),
        growth("dividing/growth-cpu", cpu_s, unit="CPU seconds",
               note="beside it: CPU seconds of all replicas by load balancers, until all are verified; what their "
               "calls take in the emulators is in it"),
    )  # fmt: skip


def _by_size(found: dict[int, Run], what: str) -> dict[str, float]:
    return {f"{size:,}": rounded(getattr(one, what)) for size, one in found.items()}


BENCHMARKS = (
    Benchmark(
        "dividing",
        "10, 100 and 1,000 load balancers, three replicas with `--shards=3`: all start, verify everything, and the "
        "one that has most is killed.",
        dividing,
        tuple(
            f"dividing/{what}" for what in ("held-up", "crash", "reads", "part", "writes", "growth-calls", "growth-cpu")
        ),
        virtual=True,
    ),
)
