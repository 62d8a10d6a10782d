"""An informer: a reflector with a connection, a cache and a handler.

`step` does one blocking thing; `run` is the thread's loop. What the deltas mean does not belong here. The handler is
called on the informer's thread, with no lock held, and must be quick: while it works the stream is not read.
"""

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, assert_never

from l7lb.errors import L7lbError, Unavailable
from l7lb.model.identity import ObjectKey
from l7lb.model.watch import ListWatch, Quarantined, WatchStream
from l7lb.runtime.clock import Clock
from l7lb.runtime.reflector import List, Read, Reason, Reflector, Replacement, Wait, Watch
from l7lb.runtime.store import Delta, Store, everything

T = TypeVar("T")
_logger = logging.getLogger(__name__)


class InformerMetrics(Protocol):
    """What an operator wants to know of each kind; `name` is the informer's."""

    def listed(self, name: str, reason: Reason, objects: int) -> None:
        """A list was completed."""
        ...

    def changed(self, name: str) -> None:
        """A watch event changed an object."""
        ...

    def failed(self, name: str, error: str) -> None:
        """A request or a stream failed; `error` is the class."""
        ...

    def quarantined(self, name: str) -> None:
        """An object could not be decoded."""
        ...

    def handler_failed(self, name: str) -> None:
        """The handler raised."""
        ...


class NoInformerMetrics:
    """Counts nothing."""

    def listed(self, name: str, reason: Reason, objects: int) -> None:
        """Ignore."""

    def changed(self, name: str) -> None:
        """Ignore."""

    def failed(self, name: str, error: str) -> None:
        """Ignore."""

    def quarantined(self, name: str) -> None:
        """Ignore."""

    def handler_failed(self, name: str) -> None:
        """Ignore."""


@dataclass(frozen=True, slots=True)
class Source(Generic[T]):
    """Where objects come from; several sources may feed one store if their scopes do not meet."""

    name: str
    list_watch: ListWatch[T]
    scope: Callable[[ObjectKey], bool] = everything
    optional: bool = False
    """The API server may not know the kind, which then counts as empty. Elsewhere a 404 is trouble, not absence."""


class Informer(Generic[T]):
    """One kind in one scope. `step` and `run` belong to one thread, the rest to any."""

    def __init__(
        self,
        source: Source[T],
        store: Store[T],
        handler: Callable[[Delta[T]], None],
        *,
        clock: Clock,
        dice: random.Random,
        metrics: InformerMetrics | None = None,
    ) -> None:
        self.name = source.name
        self._source = source
        self._store = store
        self._handler = handler
        self._clock = clock
        self._metrics: InformerMetrics = metrics if metrics is not None else NoInformerMetrics()
        self._reflector: Reflector[T] = Reflector(dice, optional=source.optional)
        self._started_at = clock.monotonic()
        self._stream: WatchStream[T] | None = None
        self._synced = threading.Event()
        self._stopping = threading.Event()

    @property
    def synced(self) -> bool:
        """Every object of the first list has been handed on."""
        return self._synced.is_set()

    @property
    def problem(self) -> str:
        """Why nothing comes, in words; empty while something does."""
        return self._reflector.problem

    def wait_synced(self, timeout_s: float) -> bool:
        """Block until synced; False when that took too long."""
        return self._synced.wait(timeout_s)

    def staleness_s(self, now: float) -> float:
        """Seconds since the API server last said anything about this kind."""
        heard_at = self._reflector.heard_at
        return now - (heard_at if heard_at is not None else self._started_at)

    def step(self) -> float | None:
        """Do one blocking thing, or say how many seconds to wait before the next."""
        try:
            if self._reflector.reading:  # nearly always, and the one case where each microsecond counts
                self._read()
                return None
            self._drop_stream()
            match self._reflector.next(self._clock.monotonic()):
                case Wait(after_s):
                    return after_s
                case List(version, token):
                    page = self._source.list_watch.list_page(resource_version=version, continue_token=token)
                    self._replace(self._reflector.on_page(page, self._clock.monotonic()))
                case Watch(version, timeout_s):
                    self._open(version, timeout_s)
                case Read():
                    self._read()
                case request:
                    assert_never(request)
        except L7lbError as error:
            self._on_error(error)
        return None

    def run(self) -> None:
        """Until `stop`."""
        while not self._stopping.is_set():
            wait_s = self.step()
            if wait_s is not None:
                self._stopping.wait(wait_s)
        self._drop_stream()

    def stop(self) -> None:
        """End `run`; a blocked read is freed at once, a list when its own time-out ends it."""
        self._stopping.set()
        stream = self._stream
        if stream is not None:
            stream.close()

    def _open(self, version: str, timeout_s: int) -> None:
        self._stream = self._source.list_watch.watch(resource_version=version, timeout_s=timeout_s)
        self._reflector.on_watching(self._clock.monotonic())
        if self._stopping.is_set():
            # `stop` may have looked for the stream before there was one.
            self._stream.close()

    def _read(self) -> None:
        assert self._stream is not None
        event = self._stream.next()
        now = self._clock.monotonic()
        if event is None:
            self._reflector.on_end(now)
            return
        change = self._reflector.on_event(event, now)
        if change is not None:
            self._metrics.changed(self.name)
            for delta in self._store.apply(change):
                self._hand_on(delta)
        elif isinstance(event, Quarantined):
            self._quarantine(event)

    def _replace(self, replacement: Replacement[T] | None) -> None:
        if replacement is None:
            return
        for item in replacement.quarantined:
            self._quarantine(item)
        deltas = self._store.replace(replacement.items, scope=self._source.scope, keep=replacement.undecoded)
        for delta in deltas:
            self._hand_on(delta)
        _logger.debug("%s: listed %d (%s)", self.name, len(replacement.items), replacement.reason)
        self._metrics.listed(self.name, replacement.reason, len(replacement.items))
        self._synced.set()

    def _hand_on(self, delta: Delta[T]) -> None:
        try:
            self._handler(delta)
        except MemoryError:
            raise
        except Exception:
            _logger.exception("%s: the handler cannot cope with %s", self.name, delta.key)
            self._metrics.handler_failed(self.name)

    def _quarantine(self, item: Quarantined) -> None:
        _logger.warning("%s: cannot decode %s, its last good version stays: %s", self.name, item.key, item.message)
        self._metrics.quarantined(self.name)

    def _on_error(self, error: L7lbError) -> None:
        if self._stopping.is_set():
            return
        is_known = self._reflector.absent
        replacement = self._reflector.on_error(error, self._clock.monotonic())
        if isinstance(error, Unavailable) and error.silent:
            _logger.debug("%s: %s; watching anew", self.name, error)
        elif self._reflector.absent:
            if not is_known:
                _logger.info("%s: this API server does not know the kind; looking again now and then", self.name)
        else:
            _logger.warning("%s: %s: %s", self.name, type(error).__name__, error)
            self._metrics.failed(self.name, type(error).__name__)
        self._replace(replacement)

    def _drop_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
