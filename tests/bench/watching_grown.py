"""What a watch costs by the number of its events: our informer alone, with ten times as many objects each time."""

from typing import Final

from tests.bench.figures import growth
from tests.bench.processes import reading, serving
from tests.bench.rows import Benchmark, Figure, Scale

CLIENT: Final = "tests.bench.clients.ours"
EVENTS: Final = (500, 5_000, 50_000)
EACH: Final = 5
"""Events of an object."""


def cpu_s(events: int) -> float:
    """CPU seconds of the process for so many, after its list."""
    objects = events // EACH
    with serving("tests.bench.apiserver", "--ingresses", "0", str(objects), str(events)) as url:
        return reading(CLIENT, "watch", "ingresses", url, str(events)).cpu


def grown(scale: Scale) -> tuple[Figure, ...]:
    """Each size by a process of its own."""
    costs = {float(events): cpu_s(events) for events in scale.pick(EVENTS, EVENTS[:2])}
    return (growth("watch/growth", costs, unit="CPU seconds"),)


BENCHMARKS: Final = (
    Benchmark(
        "watching-grown",
        "A watch brings 500, 5,000 and 50,000 events, five of each Ingress.",
        grown,
        ("watch/growth",),
    ),
)
