"""Bytes of lists and watch lines into the words of `model.watch`, one typed decoder per kind.

The fast path decodes a page or a line in one go. Only what it refuses is looked at again, piece by piece: an object
that does not fit is quarantined under its key, and never takes its kind with it. What is no JSON at all, or no answer
of this kind, is a broken connection.
"""

from typing import Any, Generic, TypeVar

import msgspec

from l7lb.adapters.kube.errors import read_status
from l7lb.adapters.kube.interning import Interner
from l7lb.adapters.kube.kinds import Kind
from l7lb.errors import Unavailable
from l7lb.model.identity import ObjectKey
from l7lb.model.shapes import converted, json_decoder
from l7lb.model.watch import Bookmark, Change, ChangeType, Item, Page, Quarantined, StreamError, WatchEvent

T = TypeVar("T")
W = TypeVar("W")

MALFORMED = (ValueError, RecursionError)
"""msgspec's errors, broken UTF-8 among them, are ValueErrors; nesting without end is the other."""


class _ListMeta(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    resource_version: str
    continue_: str = msgspec.field(default="", name="continue")


class _List(msgspec.Struct, Generic[W], frozen=True, gc=False):
    metadata: _ListMeta
    items: tuple[W, ...] | None
    kind: str = ""


class _Line(msgspec.Struct, Generic[W], frozen=True, gc=False):
    """A change; any other type, BOOKMARK too, is refused and decoded in two steps."""

    type: ChangeType
    object: W


class _RawLine(msgspec.Struct, frozen=True, gc=False):
    type: str
    object: msgspec.Raw


class _Name(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """As little of an object's metadata as says which one it is."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""


class _Named(msgspec.Struct, frozen=True, gc=False):
    metadata: _Name


_RAW_LIST = json_decoder(_List[msgspec.Raw])
_RAW_LINE = json_decoder(_RawLine)
_NAMED = json_decoder(_Named)


class Decoder(Generic[T]):
    """For one kind and one thread (it shares strings between the objects it has seen)."""

    def __init__(self, kind: Kind[T]) -> None:
        self._kind = kind
        self._list = json_decoder(_List[kind.wire])  # type: ignore[name-defined]  # a type only at run time
        self._line = json_decoder(_Line[kind.wire])  # type: ignore[name-defined]  # likewise
        self._object = json_decoder(kind.wire)
        self._interner = Interner()

    def item(self, body: bytes) -> Item[T]:
        """One object by itself; raises Unavailable when it cannot be decoded."""
        try:
            return self._item(self._object.decode(body))
        except MALFORMED as error:
            raise Unavailable(f"{self._kind.name}: the answer cannot be decoded: {error}") from error

    def page(self, body: bytes) -> Page[T]:
        """A page of a list; raises Unavailable when it is none (an empty list is a strong statement)."""
        quarantined: list[Quarantined] = []
        try:
            page = self._list.decode(body)
            items = tuple(self._item(wire) for wire in page.items or ())
        except MALFORMED:
            try:
                page = _RAW_LIST.decode(body)
            except MALFORMED as error:
                raise Unavailable(f"{self._kind.name}: the list cannot be decoded: {error}") from error
            items = self._one_by_one(page.items or (), quarantined)
        if not page.kind.endswith("List") or not page.metadata.resource_version:
            raise Unavailable(f"{self._kind.name}: the answer is no list of this kind but {page.kind or 'nameless'!r}")
        return Page(items, page.metadata.resource_version, page.metadata.continue_, tuple(quarantined))

    def event(self, line: bytes) -> WatchEvent[T] | None:
        """A line of a watch; None: a type that is not known here. Raises Unavailable when it is no event."""
        try:
            change = self._line.decode(line)
            return Change(change.type, self._item(change.object))
        except MALFORMED:
            pass  # not a change, or not one that fits: the slow path tells
        try:
            raw = _RAW_LINE.decode(line)
        except MALFORMED as error:
            raise Unavailable(f"{self._kind.name}: a line of the watch cannot be decoded: {error}") from error
        return self._rare_event(raw)

    def _rare_event(self, raw: _RawLine) -> WatchEvent[T] | None:
        match raw.type:
            case "BOOKMARK":
                version = self._name(raw.object).resource_version
                if not version:
                    raise Unavailable(f"{self._kind.name}: a bookmark without resourceVersion")
                return Bookmark(version)
            case "ERROR":
                status = read_status(raw.object)
                return StreamError(status.code, status.reason, status.message, status.retry_after_s)
            case "DELETED":
                return self._deleted(raw.object)
            case "ADDED" | "MODIFIED":
                return self._quarantine(raw.object)
            case _:
                return None

    def _deleted(self, raw: msgspec.Raw) -> WatchEvent[T]:
        """That an object is gone must be heard also when it cannot be decoded: its name and uid are enough."""
        name = self._name(raw)
        if not name.name:
            return self._quarantine(raw)
        metadata = msgspec.structs.asdict(name)
        bare = converted(
            {"metadata": {_WIRE_NAMES[field]: value for field, value in metadata.items()}}, self._kind.wire
        )
        return Change(ChangeType.DELETED, self._item(bare))

    def _one_by_one(self, raws: tuple[msgspec.Raw, ...], quarantined: list[Quarantined]) -> tuple[Item[T], ...]:
        items: list[Item[T]] = []
        for raw in raws:
            try:
                items.append(self._item(self._object.decode(raw)))
            except MALFORMED:
                quarantined.append(self._quarantine(raw))
        return tuple(items)

    def _quarantine(self, raw: msgspec.Raw) -> Quarantined:
        name = self._name(raw)
        try:
            self._item(self._object.decode(raw))
            message = "it could not be decoded"
        except MALFORMED as error:
            message = str(error)
        return Quarantined(ObjectKey(name.namespace, name.name), message)

    @staticmethod
    def _name(raw: msgspec.Raw) -> _Name:
        try:
            return _NAMED.decode(raw).metadata
        except MALFORMED:
            return _Name()

    def _item(self, wire: Any) -> Item[T]:
        """Raises ValueError for an object without a name or a version: no server sends such."""
        meta = wire.metadata
        if not meta.name or not meta.resource_version:
            raise ValueError("the object has no name or no resourceVersion")
        view, namespace = self._kind.view(wire), self._interner.one(meta.namespace)
        self._interner.share(view, namespace)
        return Item(ObjectKey(namespace, meta.name), meta.uid, meta.resource_version, view)


_WIRE_NAMES = dict(zip(_Name.__struct_fields__, _Name.__struct_encode_fields__, strict=True))
