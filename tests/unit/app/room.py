"""A cluster in caches: objects are put in as an informer would, and what is queued because of it is written down."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from l7lb import ledger
from l7lb.app.caches import Caches, key_of, stores
from l7lb.app.triggers import Triggers
from l7lb.model.cluster import (
    ConfigMap,
    Ingress,
    IngressClass,
    Node,
    Object,
    ObjectMeta,
    Secret,
    Service,
    TkeServiceConfig,
)
from l7lb.model.endpoints import EndpointSlice
from l7lb.model.identity import BindingKey, Cluster, ObjectKey
from l7lb.model.lane import Lane
from l7lb.model.marks import FINALIZER, RECORD
from l7lb.model.ownership import Record
from l7lb.model.pods import Pod
from l7lb.model.snapshot import Settings
from l7lb.model.watch import Change, ChangeType, Item
from l7lb.runtime.store import Delta, Store
from tests.unit.runtime.fake_clock import FakeClock

CLUSTER = Cluster("cls-9mfq2k1t", "kube-system-uid")
SETTINGS = Settings(CLUSTER.id, "ap-guangzhou", "vpc-4hd8w0pn")
REGION = SETTINGS.region

_HANDLERS: dict[type[Object], tuple[str, str]] = {
    ConfigMap: ("gate_configs", "switches"),
    Ingress: ("ingresses", "ingress"),
    IngressClass: ("classes", "ingress_class"),
    Service: ("services", "service"),
    EndpointSlice: ("slices", "slice"),
    Pod: ("pods", "pod"),
    Node: ("nodes", "node"),
    Secret: ("secrets", "secret"),
    TkeServiceConfig: ("configs", "service_config"),
}


@dataclass(frozen=True)
class Added:
    """One key as it was queued."""

    key: str
    lane: Lane
    urgent: bool = False
    after_s: float = 0.0


@dataclass
class Sink:
    """Writes down what is queued."""

    all: list[Added] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    def forget(self, uid: str) -> None:
        self.forgotten.append(uid)

    def add(self, key: BindingKey, lane: Lane, *, urgent: bool = False, after_s: float = 0.0) -> None:
        self.all.append(Added(str(key), lane, urgent, after_s))

    def taken(self) -> list[Added]:
        """What came since the last question."""
        found, self.all = self.all, []
        return found


class Room:
    """Stores, caches and triggers on a clock of the test's own."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.stores = stores(CLUSTER, SETTINGS)
        self.unread: frozenset[str] = frozenset()
        self.unread_secrets: frozenset[ObjectKey] = frozenset()
        self.on_unread_secrets: Callable[[], None] | None = None
        self.services_alive: set[ObjectKey] = set()
        self.caches = Caches(
            self.stores,
            CLUSTER,
            unread=lambda: self.unread,
            wall=self.clock.time,
            service_exists=lambda key: key in self.services_alive,
            unread_secrets=self._unread_secrets,
        )
        self.sink = Sink()
        self.triggers = Triggers(self.stores, self.caches, CLUSTER, SETTINGS, self.sink)
        self._version = 0

    def put(self, obj: Object) -> Any:
        """Created or changed; the object as it is in the cache."""
        self._version += 1
        meta = msgspec.structs.replace(obj.metadata, resource_version=str(self._version))
        fresh = msgspec.structs.replace(obj, metadata=meta)
        self._hand_on(Change(ChangeType.MODIFIED, _item(fresh)))
        return fresh

    def remove(self, obj: Object) -> None:
        """Deleted."""
        self._version += 1
        item = _item(obj)
        self._hand_on(Change(ChangeType.DELETED, Item(item.key, item.uid, str(self._version), obj)))

    def _unread_secrets(self, names: frozenset[ObjectKey]) -> bool:
        if self.on_unread_secrets is not None:
            self.on_unread_secrets()
        return bool(names & self.unread_secrets)

    def key(self, ingress: Ingress) -> str:
        """In the queue."""
        return str(key_of(ingress, CLUSTER, SETTINGS))

    def _hand_on(self, change: Change[Any]) -> None:
        name, handler = _HANDLERS[type(change.item.object)]
        store: Store[Any] = getattr(self.stores, name)
        for delta in store.apply(change):
            found: Delta[Any] = delta
            getattr(self.triggers, handler)(found)


def _item(obj: Object) -> Item[Any]:
    return Item(obj.key, obj.metadata.uid, obj.metadata.resource_version, obj)


def named(obj: Any, name: str, **meta: Any) -> Any:
    """The same object under another name, with a UID of its own and other metadata."""
    fields: dict[str, Any] = {"name": name, "uid": f"uid-{name}", **meta}
    return msgspec.structs.replace(obj, metadata=msgspec.structs.replace(obj.metadata, **fields))


def annotated(obj: Any, **annotations: str) -> Any:
    """With more annotations; give names with `**{...}`."""
    meta: ObjectMeta = obj.metadata
    return msgspec.structs.replace(
        obj, metadata=msgspec.structs.replace(meta, annotations=(meta.annotations or {}) | annotations)
    )


def served(ingress: Any, lb: str, *, desired: str = "digest", claim: str = "created", region: str = REGION) -> Any:
    """With our finalizer and a record that names its load balancer."""
    record = Record(uid=ingress.metadata.uid, cluster=CLUSTER.id, region=region, lb=lb, claim=claim, desired=desired)
    marked = annotated(ingress, **{RECORD: ledger.format_record(record)})
    return msgspec.structs.replace(marked, metadata=msgspec.structs.replace(marked.metadata, finalizers=(FINALIZER,)))
