"""What the work queue costs: a key added, taken and given back, with few and with many keys in it."""

import time

from l7lb.model.lane import Lane
from l7lb.runtime.workqueue import Taken, WorkQueue
from tests.bench.figures import figure, growth
from tests.bench.rows import Benchmark, Better, Figure, Scale


def _round(keys: int) -> float:
    """CPU seconds a key: all added, then all taken and given back."""
    queue = WorkQueue(workers=4)
    names = [f"new/{number:032x}" for number in range(keys)]
    begun = time.process_time()
    for name in names:
        queue.add(name, Lane.CHANGE, 0.0)
    taken = 0
    while isinstance(one := queue.take(1.0), Taken):
        queue.done(one.key, 1.0)
        taken += 1
    spent = time.process_time() - begun
    assert taken == keys
    return spent / keys


def operations(scale: Scale) -> tuple[Figure, ...]:
    """Rate with 10,000 keys, and growth from 1,000 to 100,000."""
    sizes = scale.pick((1_000, 10_000, 100_000), (200, 2_000, 20_000))
    _round(sizes[0])
    rounds = scale.pick(5, 3)
    samples = {size: [_round(size) for _ in range(rounds)] for size in sizes}
    rates = [1 / cost for cost in samples[sizes[1]]]
    whole = {float(size): min(costs) * size for size, costs in samples.items()}
    return (
        figure("queue/rate", rates, "keys/s", Better.HIGHER, note=f"added, taken, given back; {sizes[1]:,} keys"),
        growth("queue/growth", whole, unit="CPU seconds"),
    )


BENCHMARKS = (
    Benchmark(
        "queueing",
        "Keys are added to the work queue, taken and given back by one thread.",
        operations,
        ("queue/rate", "queue/growth"),
    ),
)
