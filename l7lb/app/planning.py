"""`l7lb plan`: the very passes of `l7lb run`, with worlds that cannot be written to. Nothing is decided here.

Live, the caches are filled once by the same informers; offline, they are filled from files, and the cloud is empty.
"""

import base64
import binascii
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import msgspec
import yaml

from l7lb import ledger, planner, translator
from l7lb.app.caches import Caches, Stores, stores
from l7lb.errors import ConfigurationError, GateClosed, L7lbError, NotFound
from l7lb.model.cloud import Accepted, TargetHealth, TaskState
from l7lb.model.cluster import (
    EndpointSlice,
    Ingress,
    IngressAddress,
    IngressClass,
    Node,
    Object,
    Secret,
    Service,
    TkeServiceConfig,
)
from l7lb.model.identity import BindingKey, CloudRef, Cluster, ListenerId, LocationId, ObjectKey, Owner, TaskId
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedListener, Target
from l7lb.model.plan import Bindings, Plan, Step
from l7lb.model.snapshot import Limits, Settings
from l7lb.model.watch import Change, ChangeType, Item
from l7lb.model.writing import EventType, MetadataChange, Note
from l7lb.reconciler.executor import Executor
from l7lb.reconciler.flights import Flights
from l7lb.reconciler.locating import Locator
from l7lb.reconciler.observations import Observations
from l7lb.reconciler.passes import Workshop
from l7lb.reconciler.ports import Ingresses, LoadBalancers
from l7lb.reconciler.reconciler import Reconciler
from l7lb.reconciler.writeback import WriteBack
from l7lb.runtime.clock import Clock
from l7lb.runtime.store import Store


@dataclass(slots=True)
class Finding:
    """What one Ingress would lead to."""

    ingress: ObjectKey
    plan: Plan = field(default_factory=Plan)
    notes: list[Note] = field(default_factory=list)
    error: str = ""

    def as_json(self) -> dict[str, object]:
        """For `-o json`."""
        return {
            "ingress": str(self.ingress),
            "plan": planner.to_json(self.plan),
            "problems": [note.message for note in self.notes if note.type is EventType.WARNING],
            "error": self.error,
        }


class Collector:
    """Takes down what a pass would have done; is the reconciler's Telemetry and its Events."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.findings: dict[ObjectKey, Finding] = {}

    def of(self, ingress: ObjectKey) -> Finding:
        """The finding about this Ingress."""
        with self._lock:
            return self.findings.setdefault(ingress, Finding(ingress))

    def emit(self, note: Note) -> None:
        """An Event that would be written."""
        finding = self.of(note.about.key)
        if note not in finding.notes:
            finding.notes.append(note)

    def planned(self, key: BindingKey, ingress: ObjectKey, plan: Plan) -> None:  # noqa: ARG002 - the protocol's shape
        """The plan that would be performed."""
        self.of(ingress).plan = plan

    def performed(self, key: BindingKey, step: Step) -> None:
        """Cannot happen: nothing is performed."""

    def refused(self, key: BindingKey, rule: str, message: str) -> None:
        """The refusal is an Event as well."""

    def observed(self, source: str) -> None:
        """Not of interest."""

    def settled(self, ingress: Ingress, ready: bool, deleting: bool) -> None:  # noqa: ARG002 - the protocol's shape
        """Looked at: it has a finding, if an empty one."""
        self.of(ingress.key)


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """Ingresses whose writes are dropped."""

    live_from: Ingresses | None
    """None: offline, the stores are all there is."""
    stores: Stores

    def live(self, key: ObjectKey) -> Ingress | None:
        """As the API server, or the files, have it."""
        if self.live_from is not None:
            return self.live_from.live(key)
        item = self.stores.ingresses.get(key)
        return item.object if item is not None else None

    def live_class(self, name: str) -> IngressClass | None:
        """Likewise."""
        if self.live_from is not None:
            return self.live_from.live_class(name)
        item = self.stores.classes.get(ObjectKey("", name))
        return item.object if item is not None else None

    def patch_metadata(self, ingress: Ingress, change: MetadataChange) -> Ingress:  # noqa: ARG002 - dropped
        """Dropped."""
        return ingress

    def set_addresses(
        self,
        ingress: Ingress,
        addresses: tuple[IngressAddress, ...],  # noqa: ARG002 - dropped
    ) -> Ingress:
        """Dropped."""
        return ingress


@dataclass(frozen=True, slots=True)
class EmptyCloud:
    """An account in which nothing exists but the load balancers that manifests name, each lent to its Ingress."""

    cluster: Cluster
    lent: Mapping[str, str]
    """Load balancer id -> UID of the Ingress that names it."""

    def at(self, lane: Lane) -> Self:  # noqa: ARG002 - one lane is all there is
        """The same."""
        return self

    def find(self, region: str, tags: Mapping[str, str]) -> tuple[LoadBalancerHead, ...]:  # noqa: ARG002 - empty
        """Nothing."""
        return ()

    def heads(self, refs: tuple[CloudRef, ...]) -> Mapping[CloudRef, LoadBalancerHead]:
        """The lent ones, with the tags that adopting gives them."""
        return {
            ref: LoadBalancerHead(
                ref,
                name=ref.id,
                running=True,
                vips=("0.0.0.0",),  # noqa: S104 - stands for an address that is not known offline
                tags=ledger.lookup(Owner(self.cluster, self.lent[ref.id])),
            )
            for ref in refs
            if ref.id in self.lent
        }

    def listeners(self, head: LoadBalancerHead) -> tuple[ObservedListener, ...]:
        """None on a lent one."""
        if head.ref.id not in self.lent:
            raise NotFound(f"{head.ref.id} does not exist", what="load balancer")
        return ()

    def targets(
        self,
        ref: CloudRef,  # noqa: ARG002 - empty
    ) -> Mapping[tuple[ListenerId, LocationId], tuple[Target, ...]]:
        """None."""
        return {}

    def health(
        self,
        refs: tuple[CloudRef, ...],  # noqa: ARG002 - empty
    ) -> Mapping[tuple[CloudRef, ListenerId, LocationId], tuple[TargetHealth, ...]]:
        """Nobody checks anything."""
        return {}

    def limits(self, region: str) -> Limits:  # noqa: ARG002 - the documented ones everywhere
        """The documented quotas."""
        return Limits()

    def perform(self, region: str, step: Step, bindings: Bindings) -> Accepted:
        """Never."""
        raise AssertionError(f"offline, yet {planner.describe(step)} in {region} on {bindings.load_balancer}")

    def task(self, region: str, task: TaskId) -> TaskState:
        """Never."""
        raise AssertionError(f"offline, yet task {task} in {region}")


@dataclass(frozen=True, slots=True)
class Worlds:
    """What plans are made from."""

    cluster: Cluster
    settings: Settings
    stores: Stores
    caches: Caches
    cloud: LoadBalancers
    live: Ingresses | None
    clock: Clock


def plans(worlds: Worlds) -> tuple[Finding, ...]:
    """One finding for each Ingress that is ours, in the order of their names."""
    collector = Collector()
    reconciler = Reconciler(_workshop(worlds, collector))
    ingresses = worlds.stores.ingresses.list()
    for key in sorted({str(value) for value in worlds.stores.ingresses.index_values("binding")}):
        try:
            reconciler.reconcile(BindingKey(key), Lane.CHANGE)
        except GateClosed:
            continue  # as far as a plan goes
        except L7lbError as error:
            for ingress in worlds.caches.members(BindingKey(key)):
                collector.of(ingress.key).error = str(error)
    known = {item.key for item in ingresses}
    return tuple(collector.findings[key] for key in sorted(collector.findings) if key in known)


def _workshop(worlds: Worlds, collector: Collector) -> Workshop:
    observations = Observations()
    dry = ReadOnly(worlds.live, worlds.stores)
    return Workshop(
        cluster=worlds.cluster,
        settings=worlds.settings,
        cloud=worlds.cloud,
        ingresses=dry,
        snapshots=worlds.caches,
        events=collector,
        telemetry=collector,
        executor=Executor(Flights(), observations, worlds.clock.monotonic),
        locator=Locator(observations, worlds.caches, collector),
        desk=WriteBack(dry, worlds.clock.time),
        monotonic=worlds.clock.monotonic,
        wall=worlds.clock.time,
        class_exit_grace_s=0.0,
        writable=_never,
    )


def _never() -> None:
    raise GateClosed("a plan writes nothing")


_KINDS: Mapping[str, tuple[str, type[Object]]] = {
    "Ingress": ("ingresses", Ingress),
    "IngressClass": ("classes", IngressClass),
    "Service": ("services", Service),
    "EndpointSlice": ("slices", EndpointSlice),
    "Node": ("nodes", Node),
    "Secret": ("secrets", Secret),
    "TkeServiceConfig": ("configs", TkeServiceConfig),
}


def offline(files: Iterable[Path], cluster: Cluster, settings: Settings, clock: Clock) -> Worlds:
    """Worlds from manifests alone; raises ConfigurationError when a file cannot be read."""
    kept = stores(cluster, settings)
    for number, document in enumerate(_documents(files)):
        _enter(kept, document, number)
    lent = {
        options.exist_lb_id: item.object.metadata.uid
        for item in kept.ingresses.list()
        if (options := translator.options(item.object)).exist_lb_id
    }
    caches = Caches(
        kept, cluster, unread=frozenset, wall=clock.time, service_exists=lambda key: kept.services.get(key) is not None
    )
    return Worlds(cluster, settings, kept, caches, EmptyCloud(cluster, lent), None, clock)


def _documents(files: Iterable[Path]) -> Iterable[Mapping[str, object]]:
    for path in files:
        try:
            documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ConfigurationError(f"--filename: {path}: {error}".replace("\n", " ")) from None
        for document in documents:
            if isinstance(document, dict):
                yield from document.get("items", ()) if document.get("kind") == "List" else (document,)


def _enter(kept: Stores, document: Mapping[str, object], number: int) -> None:
    row = _KINDS.get(str(document.get("kind")))
    if row is None:
        return
    name, kind = row
    try:
        decoded = msgspec.convert(_completed(document, number), kind, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"--filename: {document.get('kind')}: {error}") from None
    store: Store[Object] = getattr(kept, name)
    meta = decoded.metadata
    store.apply(Change(ChangeType.ADDED, Item(decoded.key, meta.uid, meta.resource_version, decoded)))


def _completed(document: Mapping[str, object], number: int) -> dict[str, object]:
    """What an API server would have given: a namespace, a UID, node ports, the ids of a Secret in plain."""
    made: dict[str, object] = dict(document)
    raw = made.get("metadata")
    meta: dict[str, object] = dict(raw) if isinstance(raw, dict) else {}
    if made["kind"] not in ("Node", "IngressClass"):
        meta.setdefault("namespace", "default")
    meta.setdefault("uid", f"offline-{meta.get('namespace', '')}-{meta.get('name', '')}")
    meta.setdefault("resourceVersion", str(number + 1))
    made["metadata"] = meta
    match made["kind"]:
        case "Secret":
            made |= _certificates(made)
        case "Service":
            made["spec"] = _with_node_ports(made.get("spec"))
        case "TkeServiceConfig":
            made["spec"] = msgspec.Raw(msgspec.json.encode(made.get("spec") or {}))
    return made


def _certificates(secret: Mapping[str, object]) -> dict[str, object]:
    """The two ids, from `stringData` or from base64 in `data`."""
    plain, encoded = secret.get("stringData"), secret.get("data")
    found: dict[str, object] = {}
    for name, view in (("qcloud_cert_id", "qcloudCertId"), ("qcloud_ca_cert_id", "qcloudCaCertId")):
        if isinstance(plain, dict) and name in plain:
            found[view] = str(plain[name]).strip()
        elif isinstance(encoded, dict) and name in encoded:
            try:
                found[view] = base64.b64decode(str(encoded[name]), validate=True).decode().strip()
            except (binascii.Error, UnicodeDecodeError):
                found[view] = ""
    return found


def _with_node_ports(spec: object) -> dict[str, object]:
    """A cluster gives out node ports; files lack them, so each gets one that is stable (`PLACEHOLDER` says so)."""
    made: dict[str, object] = dict(spec) if isinstance(spec, dict) else {}
    ports = made.get("ports")
    if made.get("type") in ("NodePort", "LoadBalancer") and isinstance(ports, list):
        made["ports"] = [
            {"nodePort": 30000 + int(port.get("port", 0)) % 2768} | port if isinstance(port, dict) else port
            for port in ports
        ]
    return made


PLACEHOLDER = "node ports that the files do not name are placeholders; without Node objects no targets are planned"
