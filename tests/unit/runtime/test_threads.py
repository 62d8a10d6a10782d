"""The thin threaded sides: blocked workers, a blocked stream, an elector's two threads."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from l7lb import errors
from l7lb.model.lane import Lane
from l7lb.model.outcome import Done, Outcome
from l7lb.model.watch import Page, WatchEvent
from l7lb.runtime.clock import SystemClock
from l7lb.runtime.controller import Controller
from l7lb.runtime.election import Elector
from l7lb.runtime.informer import Informer, Source
from l7lb.runtime.store import Store
from l7lb.runtime.workqueue import Taken, WorkQueue
from tests.unit.runtime.fake_clock import FakeClock
from tests.unit.runtime.fake_lease import FakeLease, FakeLeaseClient

pytestmark = pytest.mark.system

CLOCK = SystemClock()


def test_the_system_clock_does_not_go_back_and_knows_the_year() -> None:
    first = CLOCK.monotonic()
    assert CLOCK.monotonic() >= first
    assert CLOCK.time() > 1_700_000_000


def test_a_blocked_worker_gets_a_key_when_it_comes_and_when_it_is_due() -> None:
    queue = WorkQueue()
    with ThreadPoolExecutor(1) as worker:
        waiting = worker.submit(queue.get, CLOCK)
        queue.add("now", Lane.CHANGE, CLOCK.monotonic())
        assert waiting.result(30) == Taken("now", Lane.CHANGE)
        waiting = worker.submit(queue.get, CLOCK)
        queue.add_after("soon", Lane.CHANGE, 0.02, CLOCK.monotonic())
        assert waiting.result(30) == Taken("soon", Lane.CHANGE)


def test_shut_down_frees_all_blocked_workers() -> None:
    queue = WorkQueue(workers=4)
    controller = Controller(queue, lambda _key, _lane: Done(), CLOCK)
    with ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(controller.run) for _ in range(4)]
        controller.stop()
        for worker in workers:
            worker.result(30)


def test_many_workers_serve_each_key_and_never_one_key_twice_at_once() -> None:
    queue = WorkQueue(workers=8)
    busy: set[str] = set()
    served: dict[str, int] = {}
    lock = threading.Lock()
    all_served = threading.Event()

    def reconcile(key: str, _lane: Lane) -> Outcome:
        with lock:
            assert key not in busy
            busy.add(key)
        with lock:
            busy.discard(key)
            served[key] = served.get(key, 0) + 1
            if len(served) == 200:
                all_served.set()
        return Done()

    controller = Controller(queue, reconcile, CLOCK)
    with ThreadPoolExecutor(8) as pool:
        workers = [pool.submit(controller.run) for _ in range(8)]
        for number in range(1000):
            lane = list(Lane)[number % 3]
            queue.add(str(number % 200), lane, CLOCK.monotonic())
        assert all_served.wait(30)
        controller.stop()
        for worker in workers:
            worker.result(30)
    assert queue.drain(0)


class BlockedStream:
    """A peer that is silent for ever; closing frees the reader."""

    def __init__(self) -> None:
        self.reading = threading.Event()
        self._closed = threading.Event()

    def next(self) -> WatchEvent[str] | None:
        self.reading.set()
        self._closed.wait()
        raise errors.Unavailable("shut down")

    def close(self) -> None:
        self._closed.set()


class BlockedApi:
    def __init__(self) -> None:
        self.stream = BlockedStream()

    def list_page(self, *, resource_version: str, continue_token: str) -> Page[str]:
        return Page((), "1")

    def watch(self, *, resource_version: str, timeout_s: int) -> BlockedStream:
        return self.stream


def test_stop_frees_an_informer_that_is_blocked_in_a_read() -> None:
    api = BlockedApi()
    informer = Informer[str](
        Source("things", api), Store[str](), lambda _delta: None, clock=CLOCK, dice=random.Random(1)
    )
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(informer.run)
        assert informer.wait_synced(30)
        assert api.stream.reading.wait(30)
        informer.stop()
        running.result(30)


def test_an_elector_on_its_threads_leads_until_stopped_and_then_lets_the_lease_go() -> None:
    lease = FakeLease()
    lost: list[str] = []
    elector = Elector(FakeLeaseClient(lease, FakeClock()), "a", CLOCK, on_lost=lost.append)
    with ThreadPoolExecutor(2) as pool:
        threads = [pool.submit(elector.run), pool.submit(elector.run_watchdog)]
        assert elector.decided.wait(30)
        assert elector.holds(CLOCK.monotonic())
        elector.stop()
        for thread in threads:
            thread.result(30)
    assert lease.record is not None
    assert lease.record.holder == ""
    assert lost == []
