"""A cluster that never rests and never grows: informers, stores, triggers, queue and workers, fed one event at a time.

How many objects live is always the same; who they are changes without end, as in a cluster with short-lived namespaces.
"""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from l7lb import errors
from l7lb.model.cluster import Object
from l7lb.model.identity import BindingKey, ObjectKey
from l7lb.model.lane import Lane
from l7lb.model.outcome import Done, Outcome
from l7lb.model.watch import Bookmark, Change, ChangeType, Item, Page, StreamError, WatchEvent
from l7lb.runtime.controller import Controller
from l7lb.runtime.informer import Informer, Source
from l7lb.runtime.store import Delta
from l7lb.runtime.workqueue import Taken, WorkQueue
from tests.unit.app.room import Room, named
from tests.unit.translator.builders import endpoints, ingress, node, path, rule, secret, service, tls

SLOTS = 40
"""So many objects of each kind."""
PACE_S = 0.05
KINDS = ("ingresses", "services", "slices", "nodes", "secrets")
WEIGHTS = (30, 25, 35, 2, 8)
RENEWED = 0.2
"""The share of events that put another object in the place of one."""
BROKEN = 0.001
FAILED = 0.05


class Feed:
    """An API server for one kind: what happened is queued, and a list has it all."""

    def __init__(self) -> None:
        self.items: dict[ObjectKey, Item[Any]] = {}
        self.pending: deque[WatchEvent[Any] | errors.L7lbError] = deque()
        self.version = 1

    def happen(self, kind: ChangeType, obj: Object) -> None:
        """Objects get their versions here."""
        self.version += 1
        version = str(self.version)
        meta = msgspec.structs.replace(obj.metadata, resource_version=version)
        item = Item(obj.key, obj.metadata.uid, version, msgspec.structs.replace(obj, metadata=meta))
        if kind is ChangeType.DELETED:
            self.items.pop(item.key)
        else:
            self.items[item.key] = item
        self.pending.append(Change(kind, item))

    def list_page(self, *, resource_version: str, continue_token: str) -> Page[Any]:
        """All on one page."""
        self.pending.clear()
        return Page(tuple(self.items.values()), str(self.version), "")

    def watch(self, *, resource_version: str, timeout_s: int) -> "Feed":
        """The stream."""
        return self

    def next(self) -> WatchEvent[Any] | None:
        """What happened next."""
        event = self.pending.popleft() if self.pending else Bookmark(str(self.version))
        if isinstance(event, errors.L7lbError):
            raise event
        return event

    def close(self) -> None:
        """What was not read is in the next list or watch."""


@dataclass
class Flood:
    """Everything between an API server and a pass."""

    seed: int = 1
    events: int = 0
    passes: int = 0
    room: Room = field(default_factory=Room)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.queue = WorkQueue(workers=8)
        self.controller = Controller(self.queue, self._reconcile, self.room.clock)
        triggers = replace(self.room.triggers, sink=self)
        handlers: tuple[Callable[[Delta[Any]], None], ...] = (
            triggers.ingress, triggers.service, triggers.slice, triggers.node, triggers.secret
        )  # fmt: skip
        self.feeds = {kind: Feed() for kind in KINDS}
        self.informers: dict[str, Informer[Any]] = {
            kind: Informer(
                Source(kind, self.feeds[kind]),
                getattr(self.room.stores, kind),
                handler,
                clock=self.room.clock,
                dice=self.dice,
            )
            for kind, handler in zip(KINDS, handlers, strict=True)
        }
        self._names: dict[tuple[str, int], Object] = {}
        for kind in KINDS:
            for slot in range(SLOTS):
                self._put(kind, slot)
            self._drink(kind)

    def run(self, events: int) -> None:
        """So many more, and all that comes of them."""
        for _ in range(events):
            self.events += 1
            (kind,) = self.dice.choices(KINDS, WEIGHTS)
            slot = self.dice.randrange(SLOTS)
            if self.dice.random() < RENEWED:
                self.feeds[kind].happen(ChangeType.DELETED, self._names[kind, slot])
                self._put(kind, slot)
            else:
                self._touch(kind, slot)
            if self.dice.random() < BROKEN:
                self.feeds[kind].pending.append(self.dice.choice(_TROUBLES)())
            self._drink(kind)
            self.room.clock.advance(PACE_S)
            while isinstance(self.controller.process_next(), Taken):
                pass

    def sizes(self) -> dict[str, int]:
        """How much of everything is kept."""
        found: dict[str, int] = {}
        for kind in KINDS:
            store = getattr(self.room.stores, kind)
            found[f"{kind}"] = len(store)
            for name in store._functions:
                found[f"{kind} by {name}"] = sum(len(store.by_index(name, one)) for one in store.index_values(name))
                found[f"values of {kind} by {name}"] = len(store.index_values(name))
        found["waiting keys"] = len(self.queue._delays._waits)
        found["times of waiting keys"] = len(self.queue._delays._heap)
        found["failing keys"] = len(self.controller._failures)
        found["backed-off keys"] = len(self.queue._limiter.backoff._failures)
        found["services that went"] = len(self.room.caches._gone)
        return found

    def forget(self, uid: str) -> None:
        """As a sink of triggers: nothing was written."""

    def add(self, key: BindingKey, lane: Lane, *, urgent: bool = False, after_s: float = 0.0) -> None:
        """As a sink of triggers: queued."""
        now = self.room.clock.monotonic()
        if after_s > 0:
            self.queue.add_after(str(key), lane, after_s, now)
        else:
            self.queue.add(str(key), lane, now, urgent)

    def _reconcile(self, key: str, _: Lane) -> Outcome:
        """As the product: a key without members has nothing to do; others read what they name, and may fail."""
        self.passes += 1
        members = self.room.caches.members(BindingKey(key))
        for member in members:
            self.room.caches.snapshot(member)
        if members and self.dice.random() < FAILED:
            raise self.dice.choice((errors.Unavailable("down"), errors.Rejected("no", reason="Invalid")))
        return Done()

    def _put(self, kind: str, slot: int) -> None:
        """Another object; half of the Services and Secrets come back under a name that an Ingress knows."""
        fresh = f"n{self.events}-{slot}"
        if kind in ("services", "slices", "secrets") and slot < SLOTS // 2:
            fresh = f"known-{slot}"
        obj = named(_made(kind, fresh, slot, 0), _name(kind, fresh), uid=f"{kind}-{self.events}-{slot}")
        self._names[kind, slot] = obj
        self.feeds[kind].happen(ChangeType.ADDED, obj)

    def _touch(self, kind: str, slot: int) -> None:
        """The same object with other words in it."""
        old = self._names[kind, slot]
        name = old.metadata.name.removesuffix("-1") if kind == "slices" else old.metadata.name
        obj = named(_made(kind, name, slot, self.dice.randrange(5)), old.metadata.name, uid=old.metadata.uid)
        self._names[kind, slot] = obj
        self.feeds[kind].happen(ChangeType.MODIFIED, obj)

    def _drink(self, kind: str) -> None:
        """Until the informer has all of it."""
        informer, feed = self.informers[kind], self.feeds[kind]
        while feed.pending or not informer.synced:
            wait_s = informer.step()
            if wait_s is not None:
                self.room.clock.advance(wait_s)


def _name(kind: str, name: str) -> str:
    return f"{name}-1" if kind == "slices" else name


def _made(kind: str, name: str, slot: int, version: int) -> Any:
    known = f"known-{slot % (SLOTS // 2)}"
    match kind:
        case "ingresses":
            host = f"{slot}-{version}.example.com"
            return ingress(rule(host, path(to=known)), certs=[tls(known, host)])
        case "services":
            return service(name, annotations={"turn": str(version)})
        case "slices":
            return endpoints(name, *((f"10.1.{slot}.{one}", "node", True) for one in range(version + 1)))
        case "nodes":
            return node(name, labels={"zone": str(version)})
        case _:
            return secret(name, ids=f"cert{version}")


_TROUBLES: tuple[Callable[[], WatchEvent[Any] | errors.L7lbError], ...] = (
    lambda: errors.Unavailable("connection reset"),
    lambda: StreamError(410, "Expired", "too old resource version"),
    lambda: StreamError(500, "InternalError", "etcdserver: leader changed"),
)
