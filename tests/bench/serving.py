"""The same as on the virtual clock, in real time: the shipped command in a process of its own, over real sockets."""

import threading
import time
from typing import Final

from tests.bench.converging import ratio_of
from tests.bench.fleet import REAL
from tests.bench.rows import Benchmark, Figure, Scale
from tests.system.world import World, ingress, rule, service

FIRST: Final = 3
LOOK_S: Final = 0.05
WITHIN_S: Final = 120.0
HASTY: Final = {name: seconds / 5 for name, seconds in REAL.items()}
"""With the small sizes of `--quick`: there nothing but time passes while the cloud works."""


def serving(scale: Scale) -> tuple[Figure, ...]:
    """So many new Ingresses at once, after a few by which it learns how long tasks take."""
    count = scale.pick(100, 5)
    quotas = {"TOTAL_OPEN_CLB_QUOTA": 1_000, "TOTAL_INTERNAL_CLB_QUOTA": 1_000}
    tasks = scale.pick(REAL, HASTY)
    with World(setup={"latency": tasks, "quotas": quotas}) as world:
        world.start(api_share="0.95")
        world.leads()
        _build(world, "first", FIRST)
        seconds = _build(world, "more", count)
        calls = sum(world.cloud.calls.counts.values())
    return (ratio_of("serving/100", count, seconds, call_s=0.0, calls=calls, tasks=tasks),)


def _build(world: World, namespace: str, count: int) -> float:
    """Seconds from the first Ingress to the last target."""
    world.namespace(namespace)
    world.kube.create(service("web", namespace, 0))
    world.cloud.calls.reset()
    begun, pause = time.monotonic(), threading.Event()
    for number in range(count):
        name = f"{namespace}-{number:04}"
        world.kube.create(ingress(name, namespace, rule(f"{name}.example.com", "web")))
    while world.cloud.calls.counts["BatchRegisterTargets"] < count:
        assert time.monotonic() < begun + WITHIN_S, world.last_words()
        pause.wait(LOOK_S)
    return time.monotonic() - begun


BENCHMARKS = (
    Benchmark(
        "serving",
        "New Ingresses of one rule and two targets, all at once, in real time: `l7lb run --api-share=0.95` in one "
        "process against both emulators in another.",
        serving,
        ("serving/100",),
        limit_s=240.0,
    ),
)
