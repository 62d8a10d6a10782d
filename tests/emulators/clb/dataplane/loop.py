"""An event loop in a thread of its own, for code that is called from other threads. Knows nothing of load balancers."""

import asyncio
import logging
import threading
from collections.abc import Coroutine
from typing import TypeVar

Result = TypeVar("Result")

_logger = logging.getLogger(__name__)
_CALL_S = 60.0


class LoopThread:
    """Starts at the first ``call``; ``stop`` cancels all that was spawned."""

    def __init__(self, name: str) -> None:
        self.defects: list[BaseException] = []
        self._name = name
        self._guard = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def call(self, work: Coroutine[None, None, Result]) -> Result:
        """Run ``work`` in the loop and wait for its result."""
        with self._guard:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name=self._name, daemon=True)
                self._thread.start()
            loop = self._loop
        return asyncio.run_coroutine_threadsafe(work, loop).result(_CALL_S)

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Start a task (from inside the loop). One that fails is a defect: kept and logged, never lost."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def stop(self) -> None:
        """Cancel what runs and end the thread. Doing so twice is harmless."""
        with self._guard:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._cancel_all(), loop).result(_CALL_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    async def _cancel_all(self) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _ in range(5):  # transports close in callbacks of their own
            await asyncio.sleep(0)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        defect = None if task.cancelled() else task.exception()
        if defect is not None:
            self.defects.append(defect)
            _logger.error("a task of %s failed", self._name, exc_info=defect)
