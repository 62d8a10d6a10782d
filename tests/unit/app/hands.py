"""Several hands on one virtual clock: threads of which only one runs at a time, woken in the order of their times.

What they do is real and takes no time; what takes time is said with `sleep` (a call on its way) and `think` (the
interpreter is held, so all others wait).
"""

import heapq
import itertools
import threading
from collections.abc import Callable

from tests.simulation.clock import SimClock


class Hands:
    """`start` them, then `run`; a hand ends with its function, or with the time."""

    def __init__(self, clock: SimClock) -> None:
        self.clock = clock
        self.failures: list[BaseException] = []
        self._order = itertools.count()
        self._waiting: list[tuple[float, int, threading.Event]] = []
        self._mine = threading.local()
        self._turn = threading.Event()
        self._threads: list[threading.Thread] = []
        self._thought_until = 0.0
        self._over = False

    def start(self, work: Callable[[], None]) -> None:
        """Another hand, which begins when `run` comes to it."""
        event = threading.Event()
        heapq.heappush(self._waiting, (self.clock.now(), next(self._order), event))
        thread = threading.Thread(target=self._live, args=(event, work), daemon=True)
        self._threads.append(thread)
        thread.start()

    def run(self, until: float) -> None:
        """Let time pass, and end all hands."""
        while self._waiting and self._waiting[0][0] <= until:
            self._wake()
        self._over = True
        while self._waiting:
            self._wake()
        for thread in self._threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    def sleep(self, seconds: float) -> None:
        """Wait, while others go on."""
        event: threading.Event = self._mine.event
        heapq.heappush(self._waiting, (self.clock.now() + seconds, next(self._order), event))
        event.clear()
        self._turn.set()
        event.wait()
        if self._over:
            raise Over

    def think(self, seconds: float) -> None:
        """Hold the interpreter, so that nobody else thinks meanwhile."""
        begin = max(self.clock.now(), self._thought_until)
        self._thought_until = begin + seconds
        self.sleep(self._thought_until - self.clock.now())

    def _wake(self) -> None:
        at, _, event = heapq.heappop(self._waiting)
        self.clock.advance(at - self.clock.now())
        self._turn.clear()
        event.set()
        self._turn.wait()

    def _live(self, event: threading.Event, work: Callable[[], None]) -> None:
        self._mine.event = event
        event.wait()
        try:
            if not self._over:
                work()
        except Over:
            pass
        except BaseException as failure:  # noqa: BLE001 - told by `run`
            self.failures.append(failure)
        finally:
            self._turn.set()


class Over(BaseException):
    """The time is up: nobody may catch this and go on."""
