"""A watch: changes of one bucket as lines of JSON, with bookmarks, time-outs and the word for "too old".

It has no thread. `for line in watch` gives what can be had now; `watch.wait()` blocks and is for the server.
Source: "Kubernetes API Concepts", Efficient detection of changes, Watch bookmarks, Streaming lists.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.emulators.kube.refusals import ApiError
from tests.emulators.kube.selectors import Predicate
from tests.emulators.kube.storage import Change, Compacted, Key, Record, Storage
from tests.emulators.kube.wire import ConnectionLost, Json, dump

BOOKMARK_EVERY_S = 60.0
BOOKMARK_BEFORE_END_S = 2.0
LONGEST_WAIT_S = 5.0
"""A blocked reader looks at the clock at least so often, since the clock may be moved."""
INITIAL_EVENTS_END = "k8s.io/initial-events-end"

Render = Callable[[Record], bytes]


def too_old(revision: int, oldest: int) -> ApiError:
    """410 for a revision that is no longer kept."""
    return ApiError(410, f"too old resource version: {revision} ({oldest})", "Expired")


@dataclass(frozen=True)
class Interest:
    """Which changes a watch is about, and how it shows them."""

    bucket: str
    namespace: str
    fits: Predicate
    render: Render
    bookmark: Json
    """Kind and apiVersion of the objects: a bookmark carries nothing else but a resourceVersion."""

    def sees(self, key: Key, record: Record | None) -> bool:
        """Whether a state of an object is inside."""
        return record is not None and (not self.namespace or key[0] == self.namespace) and self.fits(record.obj)


@dataclass
class Disturbances:
    """What the fault injection does to all open watches."""

    silent_until: float = 0.0
    lines: list[bytes] = field(default_factory=list)

    def say(self, line: bytes) -> None:
        """Put a line into every open watch."""
        self.lines.append(line)


class Watch:
    """One open watch."""

    def __init__(
        self, storage: Storage, interest: Interest, clock: Callable[[], float], disturbances: Disturbances
    ) -> None:
        self._storage = storage
        self._interest = interest
        self._clock = clock
        self._disturbances = disturbances
        self._epoch = storage.epoch
        self._heard = len(disturbances.lines)
        self._cursor = storage.revision
        self._waiting: list[bytes] = []
        self._ends_at = float("inf")
        self._next_bookmark = float("inf")
        self._last_bookmark = float("inf")
        self.closed = False

    def start(self, revision: int | None, *, from_now: bool) -> None:
        """Begin after a revision, or (None) with all there is as ADDED; `from_now` leaves those out."""
        if revision is not None:
            if revision < self._storage.compacted:
                self._fail(too_old(revision, self._storage.compacted))
            self._cursor = revision
        elif not from_now:
            for key, record in self._storage.scan(self._interest.bucket, self._interest.namespace):
                if self._interest.sees(key, record):
                    self._say("ADDED", record)

    def set_times(self, seconds: float, *, bookmarks: bool) -> None:
        """End after so many seconds; send bookmarks or not."""
        now = self._clock()
        self._ends_at = now + seconds
        if bookmarks:
            self._next_bookmark = now + BOOKMARK_EVERY_S
            self._last_bookmark = self._ends_at - BOOKMARK_BEFORE_END_S

    def __iter__(self) -> Iterator[bytes]:
        with self._storage.changed:
            lines = self._poll()
        return iter(lines)

    def wait(self) -> Iterator[bytes]:
        """Lines as they come, until the watch ends; an empty one now and then, to look whether the reader is there."""
        while True:
            with self._storage.changed:
                lines = self._poll()
                if not lines and not self.closed:
                    self._storage.changed.wait(self._pause())
                    lines = self._poll()
            yield from lines or (b"",)
            if self.closed:
                return

    def close(self) -> None:
        """The reader has gone."""
        self.closed = True

    def due(self) -> float:
        """When there will be something to say if nothing changes, infinite after the end; in the past: now."""
        disturbances = self._disturbances
        if self.closed and not self._waiting:
            return float("inf")
        moved = self._epoch != self._storage.epoch or self._storage.revision > self._cursor
        if self._waiting or moved or self._heard < len(disturbances.lines):
            return disturbances.silent_until
        return max(disturbances.silent_until, min(self._ends_at, self._next_bookmark, self._last_bookmark))

    def _pause(self) -> float:
        due = min(self._ends_at, self._next_bookmark, self._last_bookmark) - self._clock()
        return min(max(due, 0.01), LONGEST_WAIT_S)

    def _poll(self) -> list[bytes]:
        if self._epoch != self._storage.epoch:
            self.closed = True
            raise ConnectionLost
        now = self._clock()
        if self.closed and not self._waiting:
            return []
        if now < self._disturbances.silent_until:
            return []
        if not self.closed:
            self._waiting += self._disturbances.lines[self._heard :]
            self._heard = len(self._disturbances.lines)
            self._follow()
            self._mark_time(now)
        lines, self._waiting = self._waiting, []
        return lines

    def _follow(self) -> None:
        try:
            changes = self._storage.since(self._interest.bucket, self._cursor)
        except Compacted:
            self._fail(too_old(self._cursor, self._storage.compacted))
            return
        for change in changes:
            self._tell(change)
        self._cursor = max(self._cursor, self._storage.revision)

    def _tell(self, change: Change) -> None:
        was = self._interest.sees(change.key, change.old)
        # A write that takes an object out of the selection is told as its deletion, with the state it had inside it.
        is_now = not change.removed and self._interest.sees(change.key, change.new)
        if is_now:
            self._say("MODIFIED" if was else "ADDED", change.new)
        elif was:
            self._say("DELETED", change.new if change.removed else _parting(change))

    def _mark_time(self, now: float) -> None:
        if now >= self._next_bookmark or now >= self._last_bookmark:
            self.bookmark()
            self._next_bookmark = now + BOOKMARK_EVERY_S
            if now >= self._last_bookmark:
                self._last_bookmark = float("inf")
        if now >= self._ends_at:
            self.closed = True

    def bookmark(self, *, ends_initial: bool = False) -> None:
        """Say how far the watch is, which the API server may do whenever it likes.

        `ends_initial`: all that was there has been told (streaming list).
        """
        if self._storage.revision < self._cursor:
            return  # A watch from the future hears nothing, no bookmark either, until the counter has come there.
        metadata: Json = {"annotations": {INITIAL_EVENTS_END: "true"}} if ends_initial else {}
        told = {**metadata, "resourceVersion": str(self._cursor), "creationTimestamp": None}
        self._waiting.append(_line("BOOKMARK", dump({**self._interest.bookmark, "metadata": told})))

    def _say(self, event: str, record: Record) -> None:
        self._waiting.append(_line(event, self._interest.render(record)))

    def _fail(self, error: ApiError) -> None:
        self._waiting.append(_line("ERROR", dump(error.status())))
        self.closed = True


def _line(event: str, encoded: bytes) -> bytes:
    return b'{"type":"' + event.encode() + b'","object":' + encoded + b"}\n"


def _parting(change: Change) -> Record:
    before = change.old or change.new
    metadata = {**before.obj["metadata"], "resourceVersion": str(change.revision)}
    return Record({**before.obj, "metadata": metadata}, change.revision)
