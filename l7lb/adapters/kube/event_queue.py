"""Which Event is to be written when: folding, rate, order and retries as a passive table. It sends nothing.

The same note within an hour is one Event with a count; a namespace gets ten new ones a minute; while the API server is
away everything waits, and nothing waits for ever. One lock; `now` is monotonic seconds of one clock.
"""

import heapq
import itertools
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass

from l7lb.model.writing import Note

FOLD_S = 3600.0
"""As long as the API server keeps Events by default."""
REPEAT_INTERVAL_S = 30.0
"""Least time between two writes of one Event's count."""
NEW_PER_MINUTE = 10
QUEUE_LENGTH_MAX = 1000
ENTRIES_MAX = 10_000
ATTEMPTS_MAX = 8
PAUSE_S_MAX = 30.0


@dataclass(slots=True)
class Entry:
    """One Event, written or to be written. `born` and `sent_at` are monotonic, `first_at` and `last_at` wall clock."""

    note: Note
    born: float
    first_at: float
    last_at: float
    count: int = 1
    sent_at: float = 0.0
    attempts: int = 0
    queued: bool = False
    name: str = ""
    """Empty until it has been written."""


def namespace_of(note: Note) -> str:
    """An Event about a cluster-scoped object lives in `default`."""
    return note.about.key.namespace or "default"


class EventQueue:
    """Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[Note, Entry] = OrderedDict()
        self._heap: list[tuple[float, int, Entry]] = []
        self._order = itertools.count()
        self._new: dict[str, deque[float]] = {}
        self._pause_until = 0.0
        self._failures = 0

    def take(self, note: Note, now: float, wall: float) -> str:
        """Fold or queue a note; answers with the cause when it is dropped: `queue` or `rate`."""
        with self._lock:
            entry = self._entries.get(note)
            if entry is not None and now - entry.born < FOLD_S:
                entry.count += 1
                entry.last_at = wall
                self._push(entry, max(now, entry.sent_at + REPEAT_INTERVAL_S) if entry.name else now)
                return ""
            if len(self._heap) >= QUEUE_LENGTH_MAX:
                return "queue"
            recent = self._new.setdefault(namespace_of(note), deque())
            while recent and now - recent[0] >= 60:
                recent.popleft()
            if len(recent) >= NEW_PER_MINUTE:
                return "rate"
            recent.append(now)
            self._entries.pop(note, None)
            self._entries[note] = entry = Entry(note, born=now, first_at=wall, last_at=wall)
            self._push(entry, now)
            return ""

    def next(self, now: float) -> tuple[Entry, int] | float | None:
        """The Event to be written now and its count; or the seconds until one is due; or None."""
        with self._lock:
            self._forget(now)
            while self._heap:
                due, _, entry = self._heap[0]
                if entry.queued and max(due, self._pause_until) > now:
                    return max(due, self._pause_until) - now
                heapq.heappop(self._heap)
                if entry.queued:
                    entry.queued = False
                    return entry, entry.count
            return None

    def written(self, entry: Entry, name: str, count: int, now: float) -> None:
        """It is at the API server under `name` with this count."""
        with self._lock:
            entry.name, entry.sent_at, entry.attempts, self._failures = name, now, 0, 0
            if entry.count > count:
                self._push(entry, now + REPEAT_INTERVAL_S)

    def failed(self, entry: Entry, now: float, least_s: float) -> bool:
        """The API server is away; False: this Event has been tried often enough and is dropped."""
        with self._lock:
            self._failures += 1
            self._pause_until = now + max(least_s, min(PAUSE_S_MAX, 2.0 ** min(self._failures, 10) / 2))
            entry.attempts += 1
            if entry.attempts >= ATTEMPTS_MAX:
                self._drop(entry)
                return False
            self._push(entry, now)
            return True

    def vanished(self, entry: Entry, now: float) -> bool:
        """404: the Event has expired and is written anew; False: its namespace is gone and it is dropped."""
        with self._lock:
            if not entry.name:
                self._drop(entry)
                return False
            entry.name = ""
            self._push(entry, now)
            return True

    def drop(self, entry: Entry) -> None:
        """It cannot be written."""
        with self._lock:
            self._drop(entry)

    def _push(self, entry: Entry, due: float) -> None:
        if not entry.queued:
            entry.queued = True
            heapq.heappush(self._heap, (due, next(self._order), entry))

    def _drop(self, entry: Entry) -> None:
        entry.queued = False
        if self._entries.get(entry.note) is entry:
            del self._entries[entry.note]

    def _forget(self, now: float) -> None:
        """What can no longer be folded, oldest first."""
        while self._entries:
            note, entry = next(iter(self._entries.items()))
            is_old = now - entry.born >= FOLD_S or len(self._entries) > ENTRIES_MAX
            if entry.queued or not is_old:
                break
            del self._entries[note]
        for name in [name for name, recent in self._new.items() if not recent or now - recent[-1] >= 60]:
            del self._new[name]
