"""The table of all benchmarks, in the order in which they run."""

from typing import Final

from tests.bench import (
    building,
    calling,
    growing,
    listing,
    living,
    memory,
    planning,
    queueing,
    removing,
    serving,
    starting,
    watching,
)
from tests.bench.rows import Benchmark

ROOMS: Final = (
    watching,
    listing,
    memory,
    starting,
    planning,
    queueing,
    calling,
    growing,
    building,
    living,
    removing,
    serving,
)

BENCHMARKS: Final[dict[str, Benchmark]] = {one.name: one for room in ROOMS for one in room.BENCHMARKS}


def known_rows() -> frozenset[str]:
    """Names of all figures that are measured."""
    return frozenset(row for one in BENCHMARKS.values() for row in one.rows)
