"""The same new Ingresses under what a user has who sets nothing, and by a process that has just started. Virtual time.

No budget is about these: they stand beside the rows that have one (`growing`).
"""

from typing import Final

from tests.bench.converging import built, ratio
from tests.bench.fleet import Fleet
from tests.bench.growing import SIZES, WHOLE, taught
from tests.bench.rows import Benchmark, Figure, Scale

FEW: Final = SIZES[:2]
"""More show nothing new: a hundred have taught a cold process, and three quarters of a quota are that at every size."""


def building(scale: Scale) -> tuple[Figure, ...]:
    """Each size in a world of its own."""
    sizes = dict(zip(FEW, scale.pick(FEW, (5, 15)), strict=True))
    return (
        *(_usual(size, count) for size, count in sizes.items()),
        *(_cold(size, count) for size, count in sizes.items()),
    )


def _usual(size: int, count: int) -> Figure:
    with Fleet() as fleet:
        fleet.start()
        fleet.lead()
        return ratio(taught(fleet, count), f"converging/usual/{size}")


def _cold(size: int, count: int) -> Figure:
    with Fleet(config=WHOLE) as fleet:
        fleet.start()
        fleet.lead()
        return ratio(built(fleet, count), f"converging/cold/{size}")


BENCHMARKS = (
    Benchmark(
        "building",
        "New Ingresses as in growing, with the default of `--api-share`, three quarters (usual), and with 0.95 by a "
        "process that does not know yet how long tasks take (cold). The bound is the same. Virtual time.",
        building,
        tuple(f"converging/{which}/{size}" for which in ("usual", "cold") for size in FEW),
        limit_s=200.0,
        virtual=True,
    ),
)
