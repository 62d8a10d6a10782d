"""Bytes that caches and what is known of load balancers take, for the growth of both: exact, where pages are coarse.

A process holds some MiB for whatever it does first, which would hide the growth of small sizes.
"""

import argparse
import gc
import json
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from l7lb.adapters.clb import TencentLoadBalancers
from l7lb.adapters.clb.calls import Caller
from l7lb.adapters.clb.ratelimit import Pace, RateLimits
from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.decode import Decoder
from l7lb.reconciler.observations import Observations
from tests.bench.clients.full_cache import Recorded, observe
from tests.soak import memory

Row = tuple[Any, Any, int, Callable[[int], memory.Json]]


class Traced(msgspec.Struct, frozen=True):
    """Bytes, with so many load balancers and ten times as many Ingresses."""

    load_balancers: int
    caches: int
    observations: int


def taken(work: Callable[[], object]) -> int:
    """Bytes that are still there when it is done."""
    gc.collect()
    tracemalloc.start()
    try:
        kept = work()
        gc.collect()
        traced, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    del kept
    return traced


def caches(ingresses: int) -> int:
    """All kinds, as `memory.fill` has them."""
    made = memory.empty()
    rows: tuple[Row, ...] = (
        (kinds.INGRESS, made.ingresses, ingresses, memory.ingress),
        (kinds.SERVICE, made.services, ingresses, memory.service),
        (kinds.ENDPOINT_SLICE, made.slices, 2 * ingresses, memory.endpoint_slice),
        (kinds.NODE, made.nodes, ingresses // 2, memory.node),
    )
    found = 0
    for kind, store, count, make in rows:
        pages, decoder = list(memory.pages(kind.name, count, make)), Decoder(kind)

        def fill(store: Any = store, pages: list[bytes] = pages, decoder: Any = decoder) -> None:
            store.replace([one for page in pages for one in decoder.page(page).items])

        found += taken(fill)
    return found


def observations(answers: Path, count: int) -> int:
    """Of so many load balancers."""
    limits = RateLimits(time.monotonic, Pace(share=1e6, burst=1e6))
    cloud = TencentLoadBalancers(Caller(Recorded(json.loads(answers.read_bytes())), limits), time.monotonic)
    observe(cloud, Observations(), 1)  # whatever is made once is made now
    known = Observations()
    return taken(lambda: observe(cloud, known, count))


def main() -> None:
    """Sizes of fleets; one process, and nothing of one size is left for the next."""
    parser = argparse.ArgumentParser()
    parser.add_argument("answers", type=Path)
    parser.add_argument("load_balancers", type=int, nargs="+")
    asked = parser.parse_args()
    caches(10)
    found = [Traced(count, caches(10 * count), observations(asked.answers, count)) for count in asked.load_balancers]
    print(msgspec.json.encode(found).decode())


if __name__ == "__main__":
    main()
