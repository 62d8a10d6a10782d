"""CPU seconds of the product and of the emulators, which share a process with it here."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.emulators.clb.emulator import ClbEmulator
from tests.emulators.clb.wire import Request as ClbRequest
from tests.emulators.clb.wire import Response as ClbResponse
from tests.emulators.kube.emulator import KubeEmulator
from tests.emulators.kube.wire import Request, Response


class Cpu:
    """CPU seconds of a thread, and how many of them went into the emulators."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._driver = threading.main_thread()
        self.emulators_s = 0.0
        """Called by the product."""
        self.passes_s = 0.0
        self.passes = 0

    def product_s(self) -> float:
        """Of the product so far. The main thread only drives: the clock, the hands and the users are in it."""
        return time.process_time() - time.thread_time() - self.emulators_s

    @contextmanager
    def emulator(self) -> Iterator[None]:
        """What is done inside is not the product's."""
        began = time.thread_time()
        try:
            yield
        finally:
            spent = time.thread_time() - began
            self._local.spent = getattr(self._local, "spent", 0.0) + spent
            if threading.current_thread() is not self._driver:
                self.emulators_s += spent

    @contextmanager
    def a_pass(self) -> Iterator[None]:
        """One pass of the product."""
        began, before = time.thread_time(), getattr(self._local, "spent", 0.0)
        try:
            yield
        finally:
            mine = time.thread_time() - began - (getattr(self._local, "spent", 0.0) - before)
            self.passes_s += mine
            self.passes += 1


class MeteredCloud(ClbEmulator):
    """Says what it costs."""

    cpu: Cpu = Cpu()

    def handle(self, request: ClbRequest) -> ClbResponse:
        """The same."""
        with self.cpu.emulator():
            return super().handle(request)


class MeteredKube(KubeEmulator):
    """Says what it costs."""

    cpu: Cpu = Cpu()

    def handle(self, request: Request) -> Response:
        """The same."""
        with self.cpu.emulator():
            return super().handle(request)
