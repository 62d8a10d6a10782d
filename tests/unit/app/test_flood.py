"""A hundred thousand watch events through informers, stores, indexes, triggers, queue and workers: nothing grows."""

import gc
import logging
import sys
import threading

import pytest

from l7lb.app.caches import GONE_KEPT
from tests.unit.app.flood import KINDS, SLOTS, Flood

EVENTS = 100_000
TENTH = EVENTS // 10
BLOCKS_MAX = 2_000
"""So many blocks of memory more after 90,000 events: the queue is never at the same point twice. One for each event
that leaves something behind would be thousands."""


def blocks() -> int:
    """Blocks of memory that are in use."""
    gc.collect()
    return sys.getallocatedblocks()


def test_a_hundred_thousand_events_leave_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="l7lb")  # a record that is kept for the report would be growth
    flood = Flood()
    threads = threading.active_count()
    measures = []
    for _ in range(10):
        flood.run(TENTH)
        measures.append((blocks(), flood.sizes()))
    (first_blocks, first), (last_blocks, last) = measures[0], measures[-1]
    assert flood.events == EVENTS
    assert flood.passes > TENTH
    assert [last[kind] for kind in KINDS] == [SLOTS] * len(KINDS)
    steady = {name: size for name, size in first.items() if " by " in name}
    assert {name: last[name] for name in steady} == steady
    assert max(size["waiting keys"] for _, size in measures) <= 2 * max(first["waiting keys"], SLOTS)
    assert last["failing keys"] <= SLOTS
    assert last["backed-off keys"] <= SLOTS
    assert last["services that went"] <= GONE_KEPT + 2 * SLOTS
    assert last_blocks - first_blocks < BLOCKS_MAX
    assert threading.active_count() == threads
