"""An API server for one kind, in memory: pages, watches from a version, bookmarks, compaction.

Written from the API's documentation, not from the reflector. Faults are queued and hit the next call of their sort.
"""

from collections import deque
from collections.abc import Callable

from l7lb import errors
from l7lb.model.identity import ObjectKey
from l7lb.model.watch import Bookmark, Change, ChangeType, Item, Page, StreamError, WatchEvent
from tests.unit.runtime.fake_clock import FakeClock

WATCH_S = 300.0


def key(name: str) -> ObjectKey:
    return ObjectKey("shop", name)


class FakeStream:
    """Events after a version; without any left it ends after the time that a watch lasts."""

    def __init__(self, api: "FakeApi", version: int) -> None:
        self._api = api
        self._version = version
        self.closed = False

    def next(self) -> WatchEvent[str] | None:
        if self.closed:
            raise errors.Unavailable("read of a closed stream")
        if self._api.stream_faults:
            return self._api.stream_faults.popleft()()
        if self._version < self._api.compacted:
            return gone_in_stream()
        for version, change in self._api.log:
            if version > self._version:
                self._version = version
                return change
        if self._api.bookmarks and self._version < self._api.version:
            self._version = self._api.version
            return Bookmark(str(self._version))
        self._api.clock.advance(WATCH_S)
        return None

    def close(self) -> None:
        self.closed = True


class FakeApi:
    """`ListWatch[str]`; objects are strings.

    `calls` is what was asked: ("list", version, token) or ("watch", version).
    """

    def __init__(self, clock: FakeClock, page_size: int = 2) -> None:
        self.clock = clock
        self.page_size = page_size
        self.version = 10
        self.compacted = 10
        self.bookmarks = True
        self.objects: dict[ObjectKey, Item[str]] = {}
        self.log: list[tuple[int, Change[str]]] = []
        self.calls: list[tuple[str, ...]] = []
        self.list_faults: deque[errors.L7lbError | None] = deque()
        self.watch_faults: deque[errors.L7lbError | None] = deque()
        self.stream_faults: deque[Callable[[], WatchEvent[str] | None]] = deque()
        self.streams: list[FakeStream] = []
        self._snapshots: dict[str, tuple[int, list[Item[str]]]] = {}
        self._uids = 0

    def put(self, name: str, text: str) -> None:
        """Create or change."""
        self.version += 1
        known = self.objects.get(key(name))
        if known is None:
            self._uids += 1
        uid = known.uid if known is not None else f"uid-{self._uids}"
        item = self.objects[key(name)] = Item(key(name), uid, str(self.version), text)
        self.log.append((self.version, Change(ChangeType.MODIFIED if known else ChangeType.ADDED, item)))

    def delete(self, name: str) -> None:
        known = self.objects.pop(key(name), None)
        if known is not None:
            self.version += 1
            last = Item(known.key, known.uid, str(self.version), known.object)
            self.log.append((self.version, Change(ChangeType.DELETED, last)))

    def compact(self) -> None:
        """Forget the past: older versions can neither be watched nor continued."""
        self.compacted = self.version
        self.log.clear()
        self._snapshots.clear()

    def list_page(self, *, resource_version: str, continue_token: str) -> Page[str]:
        self.calls.append(("list", resource_version, continue_token))
        self._fail(self.list_faults)
        if continue_token:
            snapshot, _, offset = continue_token.partition("/")
            if snapshot not in self._snapshots:
                raise errors.Expired("the continue token is too old")
            return self._page(snapshot, int(offset))
        if resource_version and int(resource_version) > self.version:
            raise errors.VersionTooLarge("too large resource version")
        snapshot = str(len(self.calls))
        self._snapshots[snapshot] = (self.version, [self.objects[each] for each in sorted(self.objects)])
        return self._page(snapshot, 0)

    def watch(self, *, resource_version: str, timeout_s: int) -> FakeStream:
        self.calls.append(("watch", resource_version))
        assert 300 <= timeout_s <= 600
        self._fail(self.watch_faults)
        if int(resource_version) < self.compacted:
            raise errors.Expired("too old resource version")
        self.streams.append(FakeStream(self, int(resource_version)))
        return self.streams[-1]

    def _page(self, snapshot: str, offset: int) -> Page[str]:
        version, items = self._snapshots[snapshot]
        end = offset + self.page_size
        token = f"{snapshot}/{end}" if end < len(items) else ""
        return Page(tuple(items[offset:end]), str(version), token)

    def _fail(self, faults: deque[errors.L7lbError | None]) -> None:
        fault = faults.popleft() if faults else None
        if fault is not None:
            raise fault


def cut() -> WatchEvent[str] | None:
    """The connection breaks."""
    raise errors.Unavailable("connection reset")


def gone_in_stream() -> StreamError:
    """HTTP 410 inside a 200 stream."""
    return StreamError(410, "Expired", "too old resource version")
