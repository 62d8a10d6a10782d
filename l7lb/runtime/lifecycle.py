"""Start things in order, wait for a signal or a death, stop them in order, within a bound.

A thread that ends unasked ends the process: a half-dead controller is worse than a restart. What the things are does
not belong here.
"""

import contextlib
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Protocol

from l7lb.errors import ConfigurationError, L7lbError
from l7lb.runtime.clock import Clock, SystemClock

_logger = logging.getLogger(__name__)

DRAIN_S = 30.0
"""Kubernetes kills 30 s after SIGTERM unless told otherwise."""

_LAST_WORDS_S = 1.0

Died = Callable[[str, BaseException | None], None]
"""name of the thread, and what it died of (None: it just ended)."""


class Bell:
    """An event that a signal handler may ring.

    The lock of a threading.Event is not reentrant: a handler that runs in the middle of the main thread's own `wait`
    would wait for itself. The put of a SimpleQueue is made for that.
    """

    def __init__(self) -> None:
        self._rung = False
        self._queue: queue.SimpleQueue[None] = queue.SimpleQueue()

    @property
    def rung(self) -> bool:
        """Whether it has been rung."""
        return self._rung

    def ring(self) -> None:
        """Wake all who wait, now and later."""
        self._rung = True
        self._queue.put(None)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until it is rung; False when that took too long."""
        if not self._rung:
            with contextlib.suppress(queue.Empty):
                self._queue.get(timeout=timeout_s)
                self._queue.put(None)  # for the next who waits
        return self._rung


class Component(Protocol):
    """Something that is started and stopped."""

    @property
    def name(self) -> str:
        """For logs."""
        ...

    @property
    def only_after_drain(self) -> bool:
        """Must not be stopped while something that should have stopped before it still runs."""
        ...

    def start(self, died: Died) -> None:
        """Returns at once; may raise."""
        ...

    def stop(self, timeout_s: float) -> bool:
        """Ask to stop and wait; False: it still runs."""
        ...


class Threads:
    """Loops that each get a thread; `ask` tells all of them to end.

    An elector's thread lets the lease go when it ends, which must not happen while a worker may still write: such a
    component is `only_after_drain`.
    """

    def __init__(
        self,
        name: str,
        loops: Mapping[str, Callable[[], object]],
        ask: Callable[[], object],
        *,
        only_after_drain: bool = False,
    ) -> None:
        self.name = name
        self.only_after_drain = only_after_drain
        self._loops = loops
        self._ask = ask
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()

    def start(self, died: Died) -> None:
        """One daemon thread a loop."""
        for name, loop in self._loops.items():
            thread = threading.Thread(target=self._live, args=(name, loop, died), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Ask, then join all within the time."""
        self._stopping.set()
        self._ask()
        clock = SystemClock()
        deadline = clock.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - clock.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _live(self, name: str, loop: Callable[[], object], died: Died) -> None:
        try:
            loop()
        except BaseException as error:  # noqa: BLE001 - whatever it was, the process has to hear of it
            died(name, error)
        else:
            if not self._stopping.is_set():
                died(name, None)


class Service:
    """Something that has its own start and stop, such as a server."""

    only_after_drain = False

    def __init__(self, name: str, start: Callable[[], object], stop: Callable[[], object]) -> None:
        self.name = name
        self._start = start
        self._stop = stop

    def start(self, died: Died) -> None:  # noqa: ARG002 - its threads are its own
        """Call what was given."""
        self._start()

    def stop(self, timeout_s: float) -> bool:  # noqa: ARG002 - it does not wait for anybody
        """Call what was given."""
        self._stop()
        return True


class Lifecycle:
    """Started in order; stopped in `stop_order`, by default the reverse."""

    def __init__(
        self,
        components: Sequence[Component],
        *,
        stop_order: Sequence[Component] | None = None,
        drain_s: float = DRAIN_S,
        clock: Clock | None = None,
    ) -> None:
        self._components = tuple(components)
        self._stop_order = tuple(reversed(self._components) if stop_order is None else stop_order)
        if {id(each) for each in self._stop_order} != {id(each) for each in self._components}:
            raise ValueError("what is started must be stopped, and the other way round")
        self._drain_s = drain_s
        self._clock: Clock = clock if clock is not None else SystemClock()
        self._lock = threading.Lock()
        self._end = Bell()
        self._reason = ""
        self._is_asked = False
        self._error: BaseException | None = None
        self._failed = False

    def run(self, *, signals: Sequence[signal.Signals] = (signal.SIGTERM, signal.SIGINT)) -> int:
        """Until a signal (exit code 0 if all stopped in time) or a death (1). Raises a ConfigurationError of any part.

        Signals need the main thread; the second one ends the process on the spot.
        """
        before = {number: signal.signal(number, self._on_signal) for number in signals}
        started: list[Component] = []
        try:
            self._start(started)
            self._end.wait()
            _logger.info("stopping: %s", self._reason or "something has died")
            drained = self._stop(started)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if isinstance(self._error, ConfigurationError):
            raise self._error
        return 0 if drained and not self._failed else 1

    def request_stop(self, reason: str) -> None:
        """As if a signal had come. Only notes it: a signal may arrive in the middle of a log line."""
        self._reason = reason
        self._end.ring()

    def pause(self, seconds: float) -> bool:
        """For a part that has to wait while it starts; False: it is to give up, the process is ending."""
        return not self._end.wait(seconds)

    def died(self, name: str, error: BaseException | None) -> None:
        """A thread has ended unasked. The first death counts, and before it a ConfigurationError."""
        with self._lock:
            first = not self._failed
            self._failed = True
            if first or isinstance(error, ConfigurationError):
                self._error = error
        if not first or isinstance(error, ConfigurationError):
            pass  # said already, or said by whoever gets it from `run`
        elif isinstance(error, L7lbError):
            _logger.error("%s: %s", name, error)
        else:
            _logger.critical("thread %s has died: %r", name, error, exc_info=error)
        self._end.ring()

    def _start(self, started: list[Component]) -> None:
        for component in self._components:
            if self._end.rung:
                return
            started.append(component)
            try:
                component.start(self.died)
            except Exception as error:  # noqa: BLE001 - what was started before it has to be stopped in order
                self.died(component.name, error)
                return

    def _stop(self, started: Sequence[Component]) -> bool:
        deadline = self._clock.monotonic() + self._drain_s
        drained = True
        for component in self._stop_order:
            if component not in started:
                continue
            if component.only_after_drain and not drained:
                _logger.error("%s is left as it is: something before it still runs", component.name)
                continue
            try:
                stopped = component.stop(max(0.0, deadline - self._clock.monotonic()))
            except Exception:
                _logger.exception("cannot stop %s", component.name)
                stopped = False
            if not stopped:
                _logger.error("%s did not stop in time", component.name)
            drained = drained and stopped
        return drained

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._is_asked:
            os._exit(128 + number)
        self._is_asked = True
        self.request_stop(signal.Signals(number).name)


def end_process(reason: str) -> None:
    """Without a further word to anybody: what an elector does when leadership is lost while writes may hang.

    A log that nobody reads must not keep the process alive either: whatever happens, the kernel ends it.
    """
    signal.setitimer(signal.ITIMER_REAL, _LAST_WORDS_S)
    _logger.critical("ending at once: %s", reason)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    os._exit(1)
