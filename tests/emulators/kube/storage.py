"""Objects by revision: the part that etcd and the watch cache play, with one counter, a log, compaction and restore.

Nothing here knows what an object means: no defaults, no validation, no kinds. Source: "Kubernetes API
Concepts", Resource versions; etcd's documentation on revisions and compaction.
"""

import bisect
import threading
from collections.abc import Iterator
from operator import attrgetter
from typing import NamedTuple, TypeAlias

from tests.emulators.kube.wire import Json, copied, dump

Key: TypeAlias = tuple[str, str]
"""Namespace (empty for what is cluster-scoped) and name."""

HISTORY = 20_000
"""So many changes are kept for watches that lag and for restores, whatever has been compacted."""


class Record:
    """One revision of one object; never changed once made."""

    __slots__ = ("_bare", "_encoded", "obj", "revision")

    def __init__(self, obj: Json, revision: int) -> None:
        self.obj = obj
        self.revision = revision
        self._encoded: bytes | None = None
        self._bare: bytes | None = None

    @property
    def encoded(self) -> bytes:
        """The object as JSON, made once."""
        if self._encoded is None:
            self._encoded = dump(self.obj)
        return self._encoded

    @property
    def bare(self) -> bytes:
        """The object as JSON without kind and apiVersion, as lists of built-in kinds hold it; made once."""
        if self._bare is None:
            left = {name: value for name, value in self.obj.items() if name not in {"kind", "apiVersion"}}
            self._bare = dump(left)
        return self._bare


class Change(NamedTuple):
    """One write: `old` is None for a creation; a removal has `removed` set and the last state in `new`."""

    revision: int
    key: Key
    old: Record | None
    new: Record
    removed: bool


class Compacted(Exception):
    """The asked revision is older than what is kept."""


class NotYet(Exception):
    """The asked revision lies in the future."""


class Storage:
    """All objects, in buckets, and what happened to them. `changed` is the lock and the signal of a new revision."""

    def __init__(self, compact_after: int = 10_000) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.revision = 1
        self.compacted = 0
        self.epoch = 0
        """Rises when all watches must end: after a restore, or on demand."""
        self._compact_after = compact_after
        self._forgotten = 0
        self._now: dict[str, dict[Key, Record]] = {}
        self._log: dict[str, list[Change]] = {}

    def buckets(self) -> list[str]:
        """Names of all buckets that hold something."""
        return sorted(name for name, records in self._now.items() if records)

    def get(self, bucket: str, key: Key) -> Record | None:
        """The newest revision of one object."""
        return self._now.get(bucket, {}).get(key)

    def scan(self, bucket: str, namespace: str = "") -> Iterator[tuple[Key, Record]]:
        """All objects of a bucket, or of one namespace in it, in the order of their keys."""
        records = self._now.get(bucket, {})
        keys = sorted(key for key in records if not namespace or key[0] == namespace)
        return ((key, records[key]) for key in keys)

    def put(self, bucket: str, key: Key, obj: Json) -> Record:
        """Store a copy of an object under a new revision; an object that is equal to what is there is not written."""
        with self.changed:
            old = self.get(bucket, key)
            if old is not None:
                obj.setdefault("metadata", {})["resourceVersion"] = old.obj["metadata"]["resourceVersion"]
                if obj == old.obj:
                    return old
            new = self._stamp(obj)
            self._now.setdefault(bucket, {})[key] = new
            self._note(bucket, Change(new.revision, key, old, new, removed=False))
            return new

    def remove(self, bucket: str, key: Key) -> Record:
        """Take an object away; what comes back, and is told, is its last stored state under a new revision.

        So an update that takes off the last finalizer is told as a deletion of the object with that finalizer.
        """
        with self.changed:
            old = self._now[bucket].pop(key)
            last = self._stamp(old.obj)
            self._note(bucket, Change(last.revision, key, old, last, removed=True))
            return last

    def _stamp(self, obj: Json) -> Record:
        self.revision += 1
        kept = copied(obj)
        kept["metadata"]["resourceVersion"] = str(self.revision)
        return Record(kept, self.revision)

    def _note(self, bucket: str, change: Change) -> None:
        log = self._log.setdefault(bucket, [])
        log.append(change)
        self.compacted = max(self.compacted, self.revision - self._compact_after)
        if len(log) > HISTORY:
            self._forgotten = max(self._forgotten, log[HISTORY // 2].revision)
            del log[: HISTORY // 2 + 1]
        self.changed.notify_all()

    def since(self, bucket: str, revision: int) -> list[Change]:
        """Changes of a bucket after a revision, oldest first; `Compacted` if some of them are forgotten."""
        if revision < self._forgotten:
            raise Compacted
        log = self._log.get(bucket, [])
        return log[bisect.bisect_right(log, revision, key=attrgetter("revision")) :]

    def at(self, bucket: str, revision: int) -> dict[Key, Record]:
        """The whole bucket as it was at a revision."""
        if revision > self.revision:
            raise NotYet
        if revision < self.compacted:
            raise Compacted
        return self._rewound(bucket, revision)

    def _rewound(self, bucket: str, revision: int) -> dict[Key, Record]:
        records = dict(self._now.get(bucket, {}))
        for change in reversed(self.since(bucket, revision)):
            if change.old is None:
                records.pop(change.key, None)
            else:
                records[change.key] = change.old
        return records

    def compact(self, revision: int | None = None) -> None:
        """Forget what was before a revision, by default before now."""
        with self.changed:
            self.compacted = max(self.compacted, self.revision if revision is None else revision)
            self.changed.notify_all()

    def restore(self, revision: int, *, counter_rises: bool) -> None:
        """Put everything back to an earlier revision, as from a backup of etcd.

        The counter either goes back with it, or rises past all that was handed out (`etcdutl snapshot restore
        --bump-revision --mark-compacted`). All watches end.
        """
        with self.changed:
            if revision > self.revision:
                raise NotYet
            if revision < self._forgotten:
                raise Compacted
            for bucket in list(self._now):
                self._now[bucket] = self._rewound(bucket, revision)
                log = self._log.get(bucket, [])
                del log[bisect.bisect_right(log, revision, key=attrgetter("revision")) :]
            if counter_rises:
                self.revision += 1
                self.compacted = self.revision
            else:
                self.revision = revision
                self.compacted = min(self.compacted, revision)
            self.end_watches()

    def end_watches(self) -> None:
        """End all open watches at once, in the middle of whatever they were saying."""
        with self.changed:
            self.epoch += 1
            self.changed.notify_all()
