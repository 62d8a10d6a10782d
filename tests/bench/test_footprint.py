"""What one object takes in the caches, in bytes and in the garbage collector: what is read is kept, and no more."""

import gc
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.decode import Decoder
from l7lb.adapters.kube.kinds import Kind
from tests.bench.clients import traced_cache
from tests.bench.figures import exponent
from tests.soak import memory

COUNT = 500
Row = tuple[Kind[Any], str, Callable[[int], memory.Json], int, int]
ROWS: tuple[Row, ...] = (
    (kinds.INGRESS, "ingresses", memory.ingress, 2320, 2),
    (kinds.SERVICE, "services", memory.service, 1400, 1),
    (kinds.ENDPOINT_SLICE, "slices", memory.endpoint_slice, 2650, 2),
    (kinds.NODE, "nodes", memory.node, 1650, 1),
)
"""Kind, its store, what makes one, and the most that it takes with its place in the indexes: bytes, a sixth more than
with Python 3.11, and objects that the garbage collector has to look at."""


@pytest.mark.parametrize(("kind", "store", "make", "bytes_max", "tracked_max"), ROWS, ids=[row[1] for row in ROWS])
def test_an_object_in_the_cache_takes_no_more_than_what_is_read_of_it(
    kind: Kind[Any], store: str, make: Callable[[int], memory.Json], bytes_max: int, tracked_max: int
) -> None:
    items = [make(number) for number in range(COUNT)]
    body = json.dumps({"kind": f"{kind.name}List", "metadata": {"resourceVersion": "1"}, "items": items}).encode()
    getattr(memory.empty(), store).replace(Decoder(kind).page(body).items)  # whatever is made once is made now
    del items
    decoder, filled = Decoder(kind), getattr(memory.empty(), store)
    gc.collect()
    tracked = len(gc.get_objects())
    tracemalloc.start()
    try:
        filled.replace(decoder.page(body).items)
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(filled) == COUNT
    assert taken / COUNT <= bytes_max
    assert (len(gc.get_objects()) - tracked) / COUNT <= tracked_max + 0.1


def test_the_caches_grow_in_line_with_what_is_in_them() -> None:
    traced_cache.caches(10)
    taken = {size: float(traced_cache.caches(size)) for size in (20, 200)}
    assert exponent(list(taken), list(taken.values())) <= 1.03
