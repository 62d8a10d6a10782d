"""Kubernetes Events, written by a thread of their own and never in anybody's way.

What an Event says is decided elsewhere; when it is written, in `event_queue`. What cannot be written is dropped and
counted.
"""

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from l7lb.adapters.kube.event_queue import Entry, EventQueue, namespace_of
from l7lb.adapters.kube.transport import JSON, MERGE_PATCH, Request, Transport
from l7lb.errors import AlreadyExists, L7lbError, NotFound, RetryableError
from l7lb.model.writing import Note

COMPONENT = "l7lb"
MESSAGE_BYTES_MAX = 1024
DRAIN_S = 2.0
TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Clocks:
    """Seconds: monotonic for intervals, wall for what the Event says."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


class EventWriter:
    """`emit` from any thread; `run`, or `step`, on one thread."""

    def __init__(
        self,
        transport: Transport,
        *,
        instance: str = "",
        on_drop: Callable[[str], None] | None = None,
        clocks: Clocks = Clocks(),
    ) -> None:
        """`instance`: which replica; `on_drop` gets the cause: `queue`, `rate`, `refused` or `unavailable`."""
        self._transport = transport
        self._instance = instance
        self._on_drop = on_drop
        self._clocks = clocks
        self._queue = EventQueue()
        self._wake = threading.Event()
        self._stopping = threading.Event()

    def emit(self, note: Note) -> None:
        """Queue one Event; neither blocks nor raises."""
        cause = self._queue.take(note, self._clocks.monotonic(), self._clocks.wall())
        self._wake.set()
        if cause:
            self._dropped(cause)

    def run(self) -> None:
        """Write until `stop`, then for at most two seconds what is due."""
        while not self._stopping.is_set():
            self._wake.clear()
            wait_s = self.step(self._clocks.monotonic())
            if not self._stopping.is_set():
                self._wake.wait(wait_s)
        deadline = self._clocks.monotonic() + DRAIN_S
        while self._clocks.monotonic() < deadline and self.step(self._clocks.monotonic()) == 0:
            continue

    def stop(self) -> None:
        """End `run`; idempotent."""
        self._stopping.set()
        self._wake.set()

    def step(self, now: float) -> float | None:
        """Make at most one write; says in how many seconds the next is due, None when there is nothing to write."""
        upcoming = self._queue.next(now)
        if not isinstance(upcoming, tuple):
            return upcoming
        entry, count = upcoming
        try:
            name = self._write(entry, count)
        except RetryableError as error:
            if not self._queue.failed(entry, now, error.retry_after_s or 0.0):
                self._dropped("unavailable")
        except NotFound:
            if not self._queue.vanished(entry, now):
                self._dropped("refused")
        except (L7lbError, ValueError):  # ValueError: text that is no Unicode
            self._queue.drop(entry)
            self._dropped("refused")
        else:
            self._queue.written(entry, name, count, now)
        return 0.0

    def _dropped(self, cause: str) -> None:
        if self._on_drop is not None:
            self._on_drop(cause)

    def _write(self, entry: Entry, count: int) -> str:
        """Create the Event or bring its count up to date; its name."""
        note = entry.note
        path = f"/api/v1/namespaces/{namespace_of(note)}/events"
        if entry.name:
            patch = {"count": count, "lastTimestamp": _time(entry.last_at)}
            self._send("PATCH", f"{path}/{entry.name}", MERGE_PATCH, patch)
            return entry.name
        name = _name(note, entry.first_at)
        # It may exist: an earlier try arrived, and only its answer was lost.
        with contextlib.suppress(AlreadyExists):
            self._send("POST", path, JSON, _event(entry, count, name, self._instance))
        return name

    def _send(self, method: str, path: str, content_type: str, body: object) -> None:
        encoded = msgspec.json.encode(body)
        self._transport.request(
            Request(method, path, body=encoded, content_type=content_type, timeout_s=TIMEOUT_S, what="Event")
        )


def _event(entry: Entry, count: int, name: str, instance: str) -> dict[str, object]:
    note = entry.note
    about = note.about
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": namespace_of(note)},
        "involvedObject": {
            "apiVersion": about.api_version,
            "kind": about.kind,
            "namespace": about.key.namespace,
            "name": about.key.name,
            "uid": about.uid,
        },
        "type": note.type.value,
        "reason": note.reason,
        "message": _cut(note.message),
        "count": count,
        "firstTimestamp": _time(entry.first_at),
        "lastTimestamp": _time(entry.last_at),
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "reportingInstance": instance,
    }


def _name(note: Note, first_at: float) -> str:
    """The same for each try, so that a try whose answer was lost is not written twice."""
    about = note.about
    parts = (about.uid, note.type.value, note.reason, note.code, note.message, repr(first_at))
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:16]
    return f"{about.key.name[:200].rstrip('.-')}.{digest}"


def _cut(message: str) -> str:
    encoded = message.encode("utf-8")
    if len(encoded) <= MESSAGE_BYTES_MAX:
        return message
    return encoded[: MESSAGE_BYTES_MAX - 3].decode("utf-8", "ignore") + "..."


def _time(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
