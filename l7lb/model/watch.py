"""What a list or a watch hands over, already decoded: the words between the Kubernetes adapter and the reflector.

They are msgspec structs without a place in the garbage collector, as the objects in them: there are as many of them.
"""

from enum import Enum
from typing import Generic, Protocol, TypeAlias, TypeVar

import msgspec

from l7lb.model.identity import ObjectKey

T = TypeVar("T")


class ChangeType(Enum):
    """Kinds of change in a watch stream."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


class Item(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """One object with the three fields that the machinery needs of it."""

    key: ObjectKey
    uid: str
    resource_version: str
    object: T


class Quarantined(msgspec.Struct, frozen=True, gc=False):
    """An object that could not be decoded: it keeps its last good version, and is counted."""

    key: ObjectKey
    message: str


class Page(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """One page of a list."""

    items: tuple[Item[T], ...]
    resource_version: str
    continue_token: str = ""
    quarantined: tuple[Quarantined, ...] = ()


class Change(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """One object appeared, changed or went."""

    type: ChangeType
    item: Item[T]


class Bookmark(msgspec.Struct, frozen=True, gc=False):
    """Only moves the resourceVersion."""

    resource_version: str


class StreamError(msgspec.Struct, frozen=True, gc=False):
    """An ERROR event inside a 200 stream (a Status object); `code` is 0 when the Status had none."""

    code: int
    reason: str
    message: str
    retry_after_s: float | None = None


WatchEvent: TypeAlias = Change[T] | Bookmark | StreamError | Quarantined


class WatchStream(Protocol[T]):
    """An open watch.

    `next` blocks until an event, returns None at a clean end, raises `errors.Unavailable` on a broken or silent
    connection and `errors.Expired`, `errors.Throttled` or `errors.AccessDenied` as HTTP status. `close` may be called
    by another thread and frees a blocked `next` at once.
    """

    def next(self) -> WatchEvent[T] | None:
        """The next event of the stream."""
        ...

    def close(self) -> None:
        """End the stream; idempotent."""
        ...


class ListWatch(Protocol[T]):
    """One kind (in one namespace or in all) at the API server. Both calls raise the errors named above."""

    def list_page(self, *, resource_version: str, continue_token: str) -> Page[T]:
        """One page; raises also `errors.NotFound` when the kind itself is absent and `errors.VersionTooLarge`."""
        ...

    def watch(self, *, resource_version: str, timeout_s: int) -> WatchStream[T]:
        """Open a watch with bookmarks that the server ends after `timeout_s`."""
        ...
