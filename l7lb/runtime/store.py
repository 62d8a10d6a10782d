"""The cache of one kind: objects by key, indexes over them, and what changed when something was put in.

A list replaces, an event changes one object; both answer with deltas and hand them to nobody. Nothing older ever
overwrites something newer. Requests, threads and handlers do not belong here.
"""

import logging
import threading
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import Generic, TypeAlias, TypeVar

import msgspec

from l7lb.model.identity import ObjectKey
from l7lb.model.watch import Change, ChangeType, Item

T = TypeVar("T")
IndexFunctions = Mapping[str, Callable[[T], Iterable[Hashable]]]
"""By name: the values under which an object is found. Pure: an object is asked again for its values when it goes."""

_logger = logging.getLogger(__name__)
_Values: TypeAlias = tuple[tuple[Hashable, ...], ...]
"""What each index function gave for one object."""


class Delta(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """What happened to one object: appeared (no `old`), went (no `new`), or changed."""

    old: Item[T] | None
    new: Item[T] | None
    final_state_unknown: bool = False
    """It went while nobody watched: `old` may be out of date."""
    same_values: bool = False
    """It changed in nothing that an index reads, as far as the store has looked."""

    @property
    def key(self) -> ObjectKey:
        """The object that it is about."""
        item = self.new or self.old
        assert item is not None
        return item.key


def newer(version: str, known: str) -> bool:
    """Whether a resourceVersion is later than another. They are decimal numbers of any length.

    An opaque one (an aggregated API may have such) counts as newer unless it is equal: then only order protects.
    """
    if not (version.isdecimal() and known.isdecimal()):
        return version != known
    if len(version) == len(known):
        return version > known
    version, known = version.lstrip("0"), known.lstrip("0")
    return (len(version), version) > (len(known), known)


def everything(_key: ObjectKey) -> bool:
    """The scope of a list over all namespaces."""
    return True


class _Index:
    """Keys by value. Most values have one key: it stands by itself, without a dict of its own."""

    __slots__ = ("_keys",)

    def __init__(self) -> None:
        self._keys: dict[Hashable, ObjectKey | dict[ObjectKey, None]] = {}

    def of(self, value: Hashable) -> Iterable[ObjectKey]:
        """In the order in which they came."""
        found = self._keys.get(value)
        return () if found is None else found if isinstance(found, dict) else (found,)

    def values(self) -> tuple[Hashable, ...]:
        """Those that have keys."""
        return tuple(self._keys)

    def move(self, key: ObjectKey, before: tuple[Hashable, ...], after: tuple[Hashable, ...]) -> None:
        """From the values that it had to those that it has."""
        if before == after:
            return
        for value in set(before).difference(after) if before else ():
            self._drop(value, key)
        for value in set(after).difference(before) if before else after:
            self._add(value, key)

    def _add(self, value: Hashable, key: ObjectKey) -> None:
        found = self._keys.setdefault(value, key)
        if isinstance(found, dict):
            found[key] = None
        elif found != key:
            self._keys[value] = {found: None, key: None}

    def _drop(self, value: Hashable, key: ObjectKey) -> None:
        found = self._keys.get(value)
        if isinstance(found, dict):
            found.pop(key, None)
            if len(found) == 1:
                (self._keys[value],) = found
        elif found == key:
            del self._keys[value]


def _differs(known: Item[T] | None, item: Item[T]) -> bool:
    return known is None or known.uid != item.uid or known.resource_version != item.resource_version


class Store(Generic[T]):
    """Safe to read from any thread; every answer is a consistent copy. One writer per scope."""

    def __init__(
        self, indexes: IndexFunctions[T] | None = None, *, same_values: Callable[[T, T], bool] | None = None
    ) -> None:
        """`same_values`: whether all index functions give the same for two versions, where asking them costs more."""
        self._functions: IndexFunctions[T] = dict(indexes or {})
        self._asked = tuple(self._functions.values())
        self._same_values = same_values
        self._items: dict[ObjectKey, Item[T]] = {}
        self._index = {name: _Index() for name in self._functions}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: ObjectKey) -> Item[T] | None:
        """The object as last seen."""
        with self._lock:
            return self._items.get(key)

    def list(self) -> tuple[Item[T], ...]:
        """All objects."""
        with self._lock:
            return tuple(self._items.values())

    def by_index(self, name: str, value: Hashable) -> tuple[Item[T], ...]:
        """The objects that an index function gave this value for. KeyError: there is no such index."""
        with self._lock:
            return tuple(self._items[key] for key in self._index[name].of(value))

    def index_values(self, name: str) -> tuple[Hashable, ...]:
        """The values that have objects."""
        with self._lock:
            return self._index[name].values()

    def replace(
        self,
        items: Iterable[Item[T]],
        *,
        scope: Callable[[ObjectKey], bool] = everything,
        keep: Collection[ObjectKey] = (),
    ) -> tuple[Delta[T], ...]:
        """A complete list of the keys in `scope`: what is not in it is gone, except `keep` (it could not be decoded).

        Deletions come first; an object with another uid is deleted and then added.
        """
        fresh = {item.key: item for item in items}
        # Readers wait for the lock, so the index functions run before it is taken: nobody else writes this scope.
        changed = [
            (item, *self._before_and_after(item))
            for item in fresh.values()
            if _differs(self._items.get(item.key), item)
        ]
        old = [item for item in self.list() if scope(item.key) and item.key not in fresh and item.key not in keep]
        gone = [(item.key, self._values_then(item)) for item in old]
        with self._lock:
            deltas = [Delta(self._remove(key, before), None, final_state_unknown=True) for key, before in gone]
            for item, before, values in changed:
                deltas += self._put(item, before, values)
        return tuple(deltas)

    def apply(self, change: Change[T]) -> tuple[Delta[T], ...]:
        """One event: no delta when it says nothing new, two when an object was replaced by one of the same name."""
        item = change.item
        known = self._items.get(item.key)
        if change.type is ChangeType.DELETED:
            if known is None or newer(known.resource_version, item.resource_version):
                return ()
            before = self._values_then(known)
            with self._lock:
                return (Delta(self._remove(item.key, before), None),)
        if known is not None:
            if not newer(item.resource_version, known.resource_version):
                return ()
            if self._are_same(known, item):
                with self._lock:
                    self._items[item.key] = item
                return (Delta(known, item, same_values=True),)
        before, values = self._values_then(known), self._values_of(item)
        with self._lock:
            return self._put(item, before, values)

    def _are_same(self, known: Item[T], item: Item[T]) -> bool:
        """Whether no index has to be asked."""
        same = self._same_values
        return same is not None and known.uid == item.uid and same(known.object, item.object)

    def _before_and_after(self, item: Item[T]) -> tuple[_Values, _Values | None]:
        """What its indexes have and are to have; nothing of both where they differ in nothing."""
        known = self._items.get(item.key)
        if known is not None and self._are_same(known, item):
            return (), ()
        return self._values_then(known), self._values_of(item)

    def _put(self, item: Item[T], before: _Values, values: _Values | None) -> tuple[Delta[T], ...]:
        if values is None:
            return ()
        known = self._items.get(item.key)
        self._items[item.key] = item
        if before != values:
            self._reindex(item.key, before, values)
        if known is not None and known.uid != item.uid:
            return Delta(known, None, final_state_unknown=True), Delta(None, item)
        return (Delta(known, item),)

    def _remove(self, key: ObjectKey, before: _Values) -> Item[T]:
        known = self._items.pop(key)
        self._reindex(key, before, ())
        return known

    def _values_then(self, known: Item[T] | None) -> _Values:
        """Computed again: to keep them costs as much memory as the index itself."""
        return () if known is None else tuple([tuple(function(known.object)) for function in self._asked])

    def _values_of(self, item: Item[T]) -> _Values | None:
        """None: the index functions cannot cope with it; the last good version stays, as for what cannot be decoded."""
        try:
            return tuple([tuple(function(item.object)) for function in self._asked])
        except MemoryError:
            raise
        except Exception:
            _logger.exception("cannot index %s: its last good version stays", item.key)
            return None

    def _reindex(self, key: ObjectKey, old: _Values, new: _Values) -> None:
        for number, index in enumerate(self._index.values()):
            index.move(key, old[number] if old else (), new[number] if new else ())
