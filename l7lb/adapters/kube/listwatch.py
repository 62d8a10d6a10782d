"""Lists and watches of one kind as `model.watch.ListWatch` has them, and the same for one object by its name.

A call makes one request. When to list, to watch again or to wait is the reflector's business.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from l7lb.adapters.kube.decode import Decoder
from l7lb.adapters.kube.kinds import Kind
from l7lb.adapters.kube.transport import ByteStream, Request, Transport
from l7lb.errors import NotFound, Unavailable
from l7lb.model.identity import ObjectKey
from l7lb.model.watch import Bookmark, Change, ChangeType, Item, Page, WatchEvent, WatchStream

T = TypeVar("T")

SILENCE_S = 80.0
"""A stream silent for longer may be dead. Bookmarks come about once a minute, for a quiet kind two minutes apart or not
at all (kube-apiserver 1.28, measured)."""

LINE_LENGTH_MAX = 16 * 1024 * 1024
"""etcd stores nothing near this size; a line without end is a broken peer."""


def lines(stream: ByteStream, what: str) -> Iterator[bytes]:
    """Whole lines only, without their end: what a cut leaves is not handed out, and is Unavailable at a clean end."""
    begun: list[bytes] = []
    length = 0
    for chunk in stream.chunks():
        begun.append(chunk)
        length += len(chunk)
        end = chunk.find(b"\n")
        if end >= 0:
            text, at = b"".join(begun), 0
            end += length - len(chunk)
            while end >= 0:  # `split` would take five times as long
                if line := text[at:end].strip():
                    yield line
                at = end + 1
                end = text.find(b"\n", at)
            length -= at
            begun = [text[at:]] if length else []
        if length > LINE_LENGTH_MAX:
            raise Unavailable(f"{what}: a line of the watch is longer than {LINE_LENGTH_MAX} bytes")
    if b"".join(begun).strip():
        raise Unavailable(f"{what}: the watch ended in the middle of a line")


class KubeWatch(Generic[T]):
    """An open watch."""

    def __init__(self, stream: ByteStream, kind: Kind[T], decoder: Decoder[T]) -> None:
        self._stream = stream
        self._lines = lines(stream, kind.name)
        self._decoder = decoder

    def next(self) -> WatchEvent[T] | None:
        """The next event; None at a clean end or after `close`; raises Unavailable on anything that is no event."""
        try:
            for line in self._lines:
                event = self._decoder.event(line)
                if event is not None:
                    return event
        except Unavailable:
            # What follows a garbled line cannot be trusted either.
            self._stream.shutdown()
            raise
        return None

    def close(self) -> None:
        """End it from any thread; frees a blocked `next` at once; idempotent."""
        self._stream.shutdown()


@dataclass(frozen=True, slots=True)
class Scope:
    """Which objects of the kind."""

    namespace: str = ""
    """Empty: all of them, or a kind without namespaces."""
    field_selector: str = ""
    """In addition to the kind's own."""


class KubeListWatch(Generic[T]):
    """List and watch of one kind. For one thread, except `KubeWatch.close`."""

    def __init__(self, transport: Transport, kind: Kind[T], scope: Scope = Scope(), *, page_size: int = 0) -> None:
        """`page_size` 0: the kind's own."""
        self._transport = transport
        self._kind = kind
        self._path = kind.path(scope.namespace)
        self._page_size = page_size or kind.page_size
        selectors = ",".join(filter(None, (kind.field_selector, scope.field_selector)))
        self._selectors = {"fieldSelector": selectors} if selectors else {}
        self._decoder = Decoder(kind)

    def list_page(self, *, resource_version: str, continue_token: str) -> Page[T]:
        """One page. With a `resource_version` other than "" and "0" the answer is not older, and comes in one piece."""
        query = dict(self._selectors)
        if continue_token:
            query |= {"limit": str(self._page_size), "continue": continue_token}
        else:
            wanted = "" if self._kind.newest_only else resource_version
            if wanted:
                query["resourceVersion"] = wanted
            if wanted in {"", "0"}:
                # Elsewhere a limit would mean "exactly this version", past the API server's cache.
                query["limit"] = str(self._page_size)
        return self._decoder.page(self._transport.request(self._get(query)).body)

    def watch(self, *, resource_version: str, timeout_s: int) -> WatchStream[T]:
        """Open a watch after `resource_version`, with bookmarks."""
        query = self._selectors | _watch_query(resource_version, timeout_s)
        stream = self._transport.stream(self._get(query), silence_s=SILENCE_S)
        return KubeWatch(stream, self._kind, self._decoder)

    def _get(self, query: Mapping[str, str]) -> Request:
        return Request("GET", self._path, query, what=self._kind.name)


class KubeObjectListWatch(Generic[T]):
    """The same for one object, for an account that may `get` and `watch` it but not `list` its kind.

    Without a list there is no version to watch from: an object's own may have expired long ago. So each watch starts
    at the newest state, and is preceded by a look at the object once it is open: what was missed in between, also that
    the object is gone, comes out as the first event.
    """

    def __init__(self, transport: Transport, kind: Kind[T], key: ObjectKey) -> None:
        self._transport = transport
        self._kind = kind
        self._key = key
        self._decoder = Decoder(kind)
        self.last: Item[T] | None = None
        """The object as it was handed out last."""

    def list_page(self, *, resource_version: str, continue_token: str) -> Page[T]:  # noqa: ARG002 - always one page
        """The object, or nothing when the API server says that it is not there.

        This is a read of the newest state, so it is not older than `resource_version`, whatever the object's own is.
        """
        self.last = self.look()
        own = self.last.resource_version if self.last else "0"
        version = resource_version if resource_version and _newer(resource_version, own) else own
        return Page((self.last,) if self.last else (), version)

    def watch(self, *, resource_version: str, timeout_s: int) -> WatchStream[T]:  # noqa: ARG002 - always the newest
        """Open a watch at the newest state."""
        query = {"fieldSelector": f"metadata.name={self._key.name}"} | _watch_query("", timeout_s)
        request = Request("GET", self._kind.path(self._key.namespace), query, what=self._kind.name)
        stream = self._transport.stream(request, silence_s=SILENCE_S)
        return _ObjectWatch(self, KubeWatch(stream, self._kind, self._decoder))

    def look(self) -> Item[T] | None:
        """The object as it is now."""
        try:
            response = self._transport.request(Request("GET", self._kind.object_path(self._key), what=self._kind.name))
        except NotFound as absence:
            if absence.what:
                return None
            raise
        return self._decoder.item(response.body)


class _ObjectWatch(Generic[T]):
    """Drops what was handed out already, and starts with what was missed."""

    def __init__(self, owner: KubeObjectListWatch[T], inner: KubeWatch[T]) -> None:
        self._owner = owner
        self._inner = inner
        self._looked = False

    def next(self) -> WatchEvent[T] | None:
        """As `KubeWatch.next`."""
        if not self._looked:
            self._looked = True
            return self._missed()
        while True:
            event = self._inner.next()
            if not isinstance(event, Change):
                return event
            known = self._owner.last
            if known is not None and not _newer(event.item.resource_version, known.resource_version):
                continue
            self._owner.last = None if event.type is ChangeType.DELETED else event.item
            return event

    def _missed(self) -> WatchEvent[T]:
        before, now = self._owner.last, self._owner.look()
        self._owner.last = now
        if now is None:
            # Also that it is still not there is news: no event and, on a quiet API server, no bookmark would say so.
            return Change(ChangeType.DELETED, before) if before else Bookmark("0")
        if before is None:
            return Change(ChangeType.ADDED, now)
        if before.resource_version == now.resource_version:
            return Bookmark(now.resource_version)
        return Change(ChangeType.MODIFIED, now)

    def close(self) -> None:
        """As `KubeWatch.close`."""
        self._inner.close()


def _watch_query(resource_version: str, timeout_s: int) -> dict[str, str]:
    query = {"watch": "1", "allowWatchBookmarks": "true", "timeoutSeconds": str(timeout_s)}
    return query | ({"resourceVersion": resource_version} if resource_version else {})


def _newer(version: str, than: str) -> bool:
    """Versions of one kind are decimal numbers of any length; where they are not, only equality is known."""
    if version.isdecimal() and than.isdecimal():
        return int(version) > int(than)
    return version != than
