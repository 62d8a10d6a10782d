"""List and watch as a state machine without I/O: says what to ask of the API server and is told what came back.

It owns the resourceVersion, the back-off and the decision between watching on and listing anew. Requests, objects in
a cache and threads do not belong here. The rules are those of client-go's reflector.
"""

import random
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Generic, TypeAlias, TypeVar, assert_never

from l7lb.errors import (
    AccessDenied,
    Expired,
    L7lbError,
    NotFound,
    RetryableError,
    Throttled,
    Unavailable,
    VersionTooLarge,
)
from l7lb.model.identity import ObjectKey
from l7lb.model.watch import Bookmark, Change, ChangeType, Item, Page, Quarantined, StreamError, WatchEvent
from l7lb.runtime.store import newer

T = TypeVar("T")

ABSENT_RETRY_S = 30.0
"""How often a kind that does not exist is looked for."""
SHORT_WATCH_S = 1.0
"""A watch that ends sooner without an event is the answer of a server that cannot serve this version."""
HEALTHY_WATCH_S = 60.0
"""A connection that lasted so long and then broke is no sign of an outage."""
STUCK_WATCHES = 5
"""So many broken streams without progress, and a list has to help: the version may be poisoned, or of another life."""
INTERNAL_ERRORS = 3
"""So many internal errors inside streams in a row are watched through."""


@dataclass(frozen=True, slots=True)
class List:
    """Ask for a page; a continuation has no resourceVersion of its own."""

    resource_version: str
    continue_token: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """Open a watch."""

    resource_version: str
    timeout_s: int


@dataclass(frozen=True, slots=True)
class Read:
    """Wait for the next event of the open watch."""


_READ = Read()


@dataclass(frozen=True, slots=True)
class Wait:
    """Ask nothing for so many seconds."""

    after_s: float


Request: TypeAlias = List | Watch | Read | Wait


class Reason(StrEnum):
    """Why a list was needed."""

    START = "start"
    EXPIRED = "expired"
    VERSION_TOO_LARGE = "version_too_large"
    WENT_BACK = "went_back"
    SHORT_WATCH = "short_watch"
    STUCK_WATCH = "stuck_watch"
    STREAM_ERROR = "stream_error"
    ABSENT = "absent"
    DENIED = "denied"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Replacement(Generic[T]):
    """A complete list: what is not in it is gone, except what could not be decoded."""

    items: tuple[Item[T], ...]
    quarantined: tuple[Quarantined, ...]
    reason: Reason

    @property
    def undecoded(self) -> frozenset[ObjectKey]:
        """The keys that keep their last good version."""
        return frozenset(item.key for item in self.quarantined)


class Backoff:
    """0.8 s, doubled up to 30 s, each plus up to as much again; starts over after two minutes without a failure."""

    FIRST_S = 0.8
    CAP_S = 30.0
    FORGET_S = 120.0

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._step_s = self.FIRST_S
        self._failed_at: float | None = None

    def failed(self, now: float) -> float:
        """Seconds to wait after one more failure."""
        if self._failed_at is not None and now - self._failed_at > self.FORGET_S:
            self.reset()
        self._failed_at = now
        step_s, self._step_s = self._step_s, min(self.CAP_S, self._step_s * 2)
        return step_s * (1 + self._dice.random())

    def reset(self) -> None:
        """The next failure is the first."""
        self._step_s = self.FIRST_S


class _Phase(Enum):
    LIST = "list"
    WATCH = "watch"
    STREAM = "stream"


class Reflector(Generic[T]):
    """For one kind in one scope; one thread. `now` is monotonic seconds of one clock."""

    def __init__(self, dice: random.Random, *, optional: bool = True) -> None:
        """`optional`: an API server that does not know the kind has none of it."""
        self._dice = dice
        self._optional = optional
        self._backoff = Backoff(dice)
        self._resume_at = 0.0
        self._phase = _Phase.LIST
        self._reason = Reason.START
        self._version = ""
        self._pages: list[Page[T]] = []
        self._asked = "0"
        self._restarted = False
        self._opened_at = 0.0
        self._delivered = False
        self._in_order = True
        self._stuck = 0
        self._internal = 0
        self.problem = ""
        """Why nothing comes, in words; empty while something does."""
        self.absent = False
        """The kind does not exist at this API server."""
        self.heard_at: float | None = None
        """When the API server last said anything about this kind."""

    @property
    def reading(self) -> bool:
        """Whether `next` would say `Read`: so it does while a watch is open, at any time."""
        return self._phase is _Phase.STREAM

    def next(self, now: float) -> Request:
        """What to do now."""
        if self._resume_at > now:
            return Wait(self._resume_at - now)
        match self._phase:
            case _Phase.LIST:
                return List("", self._pages[-1].continue_token) if self._pages else List(self._asked)
            case _Phase.WATCH:
                return Watch(self._version, self._dice.randint(300, 600))
            case _Phase.STREAM:
                return _READ
            case _:
                assert_never(self._phase)

    def on_page(self, page: Page[T], now: float) -> Replacement[T] | None:
        """A page has come; the last one completes the list, and only its missing token says that it is the last."""
        self.heard_at = now
        self._pages.append(page)
        if page.continue_token:
            return None
        version = self._pages[0].resource_version
        if self._asked and self._version and newer(self._version, version):
            # Asked for "not older than", and got something older: only a quorum read is believed that time went back.
            self._relist(Reason.WENT_BACK, "")
            return None
        items = tuple(item for each in self._pages for item in each.items)
        quarantined = tuple(item for each in self._pages for item in each.quarantined)
        self._version = version
        self._pages, self._restarted = [], False
        self._phase, self._stuck, self._internal = _Phase.WATCH, 0, 0
        self.problem, self.absent = "", False
        return Replacement(items, quarantined, self._reason)

    def on_watching(self, now: float) -> None:
        """The watch is open: the API server has said that it would tell what changes from here on."""
        self.heard_at = now
        self._phase = _Phase.STREAM
        self._opened_at = now
        self._delivered = False
        self._in_order = self._version not in ("", "0")
        self.problem = ""

    def on_event(self, event: WatchEvent[T], now: float) -> Change[T] | None:
        """An event has come; a change is to be applied."""
        match event:
            case Change(type=kind, item=item):
                # A watch from "any version" begins with all objects as ADDED, in no order.
                self._in_order = self._in_order or kind is not ChangeType.ADDED
                self._heard(item.resource_version if self._in_order else "", now)
                return event
            case Bookmark(version):
                self._in_order = True
                self._heard(version, now)
            case Quarantined():
                self._heard("", now)
            case StreamError():
                self._on_stream_error(event, now)
            case _:
                assert_never(event)
        return None

    def on_end(self, now: float) -> None:
        """The server has ended the watch without complaint."""
        lived_s = now - self._opened_at
        self._phase, self._stuck = _Phase.WATCH, 0
        if lived_s >= SHORT_WATCH_S:
            self.heard_at = now
        elif self._delivered:
            self._resume_at = self._opened_at + SHORT_WATCH_S
        else:
            self._relist(Reason.SHORT_WATCH, self._version)
            self._pause(now)

    def on_error(self, error: L7lbError, now: float) -> Replacement[T] | None:
        """A request or the stream has failed. An absent kind is an empty list, the first time."""
        self.problem = str(error)
        match error:
            case Unavailable(silent=True) if self._phase is _Phase.STREAM:
                # A quiet kind of a healthy server, most often: watched again at once, and listed if that goes on.
                self.problem = ""
                self._phase = _Phase.WATCH
                self._count_stuck()
            case Expired() | VersionTooLarge():
                self._on_bad_version(error, now)
            case NotFound() if self._phase is _Phase.LIST and self._optional:
                self._pages, self.absent = [], True
                self._resume_at = now + ABSENT_RETRY_S
                self._reason = Reason.ABSENT
                self.heard_at = now
                # Absence is no proof: what was once seen stays until a list without it, or its own deletion, says
                # otherwise.
                return None if self._version else Replacement((), (), Reason.ABSENT)
            case NotFound():
                self._relist(Reason.ABSENT, self._version)
                self._pause(now)
            case AccessDenied():
                self._relist(Reason.DENIED, self._version)
                self._pause(now)
            case RetryableError(retry_after_s=retry_after_s):
                self._on_outage(error, now)
                self._pause(now, retry_after_s or 0.0)
            case _:
                self._relist(Reason.UNKNOWN, self._version)
                self._pause(now)
        return None

    def _on_bad_version(self, error: L7lbError, now: float) -> None:
        if self._phase is _Phase.LIST and self._pages and not self._restarted:
            self._pages, self._restarted = [], True
            return
        reason = Reason.EXPIRED if isinstance(error, Expired) else Reason.VERSION_TOO_LARGE
        # A server that is behind, or has forgotten, is asked at once for what it has; one that refuses even that, or
        # cuts each new watch, has to be waited for.
        at_once = self._phase is _Phase.LIST and self._asked != ""
        self._relist(reason, "")
        if not at_once:
            self._pause(now)

    def _on_outage(self, error: RetryableError, now: float) -> None:
        self._pages = []
        if self._phase is not _Phase.STREAM:
            return
        self._phase = _Phase.WATCH
        if isinstance(error, Throttled):
            return
        if now - self._opened_at >= HEALTHY_WATCH_S:
            self._backoff.reset()
        self._count_stuck()

    def _count_stuck(self) -> None:
        self._stuck += 1
        if self._stuck >= STUCK_WATCHES:
            self._relist(Reason.STUCK_WATCH, self._version)

    def _on_stream_error(self, event: StreamError, now: float) -> None:
        self.problem = f"{event.code} {event.reason}: {event.message}"
        if event.code == 410 or event.reason in ("Expired", "Gone"):
            self._on_bad_version(Expired(event.message), now)
            return
        self._phase = _Phase.WATCH
        is_throttled = event.code == 429 or event.reason == "TooManyRequests"
        if not is_throttled:
            self._internal += 1
            is_internal = event.code == 500 or event.reason == "InternalError"
            if not is_internal or self._internal > INTERNAL_ERRORS:
                self._relist(Reason.STREAM_ERROR, self._version)
        self._pause(now, event.retry_after_s or 0.0)

    def _heard(self, version: str, now: float) -> None:
        self._delivered = True
        self.heard_at = now
        if version and newer(version, self._version or "0"):
            self._version = version
            self._stuck = self._internal = 0

    def _relist(self, reason: Reason, version: str) -> None:
        """`version`: not older than this; empty: the newest there is (a quorum read)."""
        first = not self._version and reason not in (Reason.EXPIRED, Reason.VERSION_TOO_LARGE)
        self._phase, self._reason = _Phase.LIST, reason
        self._asked = "0" if first else version
        self._pages, self._restarted = [], False

    def _pause(self, now: float, least_s: float = 0.0) -> None:
        self._resume_at = now + max(least_s, self._backoff.failed(now))
