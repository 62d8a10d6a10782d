"""The table of all benchmarks, in the order in which they begin. A room is imported when it is asked for, and alone."""

from importlib import import_module
from typing import Final

from tests.bench.rows import Benchmark

ROOMS: Final[dict[str, tuple[str, ...]]] = {
    "watching": ("watching-ingresses", "watching-slices"),
    "watching_grown": ("watching-grown",),
    "listing": ("listing", "listing-grown", "listing-stalls"),
    "memory": ("memory",),
    "starting": ("starting", "syncing"),
    "planning": ("planning", "idle-pass"),
    "queueing": ("queueing",),
    "calling": ("calling",),
    "growing": ("growing",),
    "removing": ("removing",),
    "living": ("living",),
    "building": ("building",),
    "dividing": ("dividing",),
    "serving": ("serving",),
}
NAMES: Final = tuple(name for names in ROOMS.values() for name in names)


def benchmarks_of(room: str) -> tuple[Benchmark, ...]:
    """All of one module."""
    found: tuple[Benchmark, ...] = import_module(f"tests.bench.{room}").BENCHMARKS
    return found


def benchmark(name: str) -> Benchmark:
    """By its name, which is one of `NAMES`."""
    room = next(room for room, names in ROOMS.items() if name in names)
    return next(one for one in benchmarks_of(room) if one.name == name)


def known_rows() -> frozenset[str]:
    """Names of all figures that are measured."""
    return frozenset(row for name in NAMES for row in benchmark(name).rows)
