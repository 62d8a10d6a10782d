"""The informers of all kinds over one transport: which are started, whether all are synced, how stale they are."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.kinds import Kind
from l7lb.adapters.kube.listwatch import KubeListWatch, KubeObjectListWatch, Scope
from l7lb.adapters.kube.transport import Transport
from l7lb.app import gate
from l7lb.app.caches import Stores
from l7lb.app.triggers import Triggers
from l7lb.model.cluster import Ingress, Secret
from l7lb.model.identity import ObjectKey
from l7lb.model.watch import ListWatch
from l7lb.runtime.clock import Clock
from l7lb.runtime.informer import Informer, InformerMetrics, Source
from l7lb.runtime.store import Delta, Store

T = TypeVar("T")

GATE_KINDS: Final = frozenset({"gate/Deployment", "gate/service-config", "gate/ingress-config"})


@dataclass(frozen=True, slots=True)
class Means:
    """What every informer is built with."""

    transport: Transport
    clock: Clock
    dice: random.Random
    metrics: InformerMetrics


class Watcher(Protocol):
    """An informer of any kind, without what it informs about."""

    @property
    def name(self) -> str:
        """What is informed about."""
        ...

    @property
    def synced(self) -> bool:
        """Every object of the first list has been handed on."""
        ...

    @property
    def problem(self) -> str:
        """Why nothing comes, in words."""
        ...

    def staleness_s(self, now: float) -> float:
        """Seconds since the API server last said anything."""
        ...

    def run(self) -> None:
        """Until `stop`."""
        ...

    def stop(self) -> None:
        """End `run`."""
        ...


@dataclass(slots=True)
class Informers:
    """All of them. `unread` is what the snapshots call unknown."""

    means: Means
    all: list[Watcher] = field(default_factory=list)
    secrets: "ReferencedSecrets | None" = None
    _threads: list[threading.Thread] = field(default_factory=list)

    def add(
        self,
        kind: Kind[T],
        store: Store[T],
        handler: Callable[[Delta[T]], None],
        *,
        namespace: str = "",
    ) -> None:
        """One kind, in one namespace or in all."""
        list_watch = KubeListWatch(self.means.transport, kind, Scope(namespace))
        self._enter(Source(kind.name, list_watch), store, handler)

    def add_object(self, name: str, kind: Kind[T], store: Store[T], key: ObjectKey) -> None:
        """One object by its name, for what is only ever one."""
        list_watch: ListWatch[T] = KubeObjectListWatch(self.means.transport, kind, key)
        self._enter(Source(name, list_watch, scope=lambda other: other == key), store, _ignore)

    def _enter(self, source: Source[T], store: Store[T], handler: Callable[[Delta[T]], None]) -> None:
        self.all.append(
            Informer(
                source,
                store,
                handler,
                clock=self.means.clock,
                dice=self.means.dice,
                metrics=self.means.metrics,
            )
        )

    def start(self) -> None:
        """A thread each."""
        for informer in self.all:
            thread = threading.Thread(target=informer.run, name=f"informer-{informer.name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Free every blocked read and join."""
        if self.secrets is not None:
            self.secrets.stop()
        for informer in self.all:
            informer.stop()
        for thread in self._threads:
            thread.join(2.0)

    def unread(self) -> frozenset[str]:
        """Kinds whose first list has not been handed on completely."""
        lacking = {informer.name for informer in self.all if not informer.synced}
        if self.secrets is not None and not self.secrets.synced:
            lacking.add(kinds.SECRET.name)
        return frozenset(lacking)

    def synced(self) -> bool:
        """Every kind that a pass looks at; the gate's objects have their own say."""
        return not self.unread() - GATE_KINDS

    def dead(self) -> tuple[str, ...]:
        """Threads that ended without being asked to."""
        return tuple(thread.name for thread in self._threads if not thread.is_alive())


class ReferencedSecrets:
    """A watch for each Secret that an Ingress uses, for an account without the right to list Secrets."""

    def __init__(self, means: Means, store: Store[Secret], handler: Callable[[Delta[Secret]], None]) -> None:
        self._means = means
        self._store = store
        self._handler = handler
        self._lock = threading.Lock()
        self._running: dict[ObjectKey, tuple[Informer[Secret], threading.Thread]] = {}

    @property
    def synced(self) -> bool:
        """Each one has been looked at."""
        with self._lock:
            return all(informer.synced for informer, _ in self._running.values())

    def follow(self, wanted: frozenset[ObjectKey]) -> None:
        """Start the watches that are missing, end those that nobody needs."""
        with self._lock:
            surplus = [self._running.pop(key) for key in self._running.keys() - wanted]
            for key in sorted(wanted - self._running.keys()):
                self._running[key] = self._start(key)
        for informer, _ in surplus:
            informer.stop()

    def stop(self) -> None:
        """End all."""
        self.follow(frozenset())

    def _start(self, key: ObjectKey) -> tuple[Informer[Secret], threading.Thread]:
        list_watch: ListWatch[Secret] = KubeObjectListWatch(self._means.transport, kinds.SECRET, key)
        source = Source(f"Secret {key}", list_watch, scope=lambda other: other == key)
        informer: Informer[Secret] = Informer(
            source, self._store, self._handler, clock=self._means.clock, dice=self._means.dice,
            metrics=self._means.metrics,
        )  # fmt: skip
        thread = threading.Thread(target=informer.run, name=f"informer-secret-{key}", daemon=True)
        thread.start()
        return informer, thread


def _ignore(delta: Delta[T]) -> None:
    """The gate is asked before each write; nothing waits for its objects."""
    del delta


def informers(means: Means, stores: Stores, triggers: Triggers, *, namespace: str, referenced: bool) -> Informers:
    """Everything that `l7lb run` watches."""
    made = Informers(means)
    made.add(kinds.INGRESS_CLASS, stores.classes, triggers.ingress_class)
    made.add(kinds.SERVICE, stores.services, triggers.service, namespace=namespace)
    made.add(kinds.ENDPOINT_SLICE, stores.slices, triggers.slice, namespace=namespace)
    made.add(kinds.NODE, stores.nodes, triggers.node)
    made.add(kinds.TKE_SERVICE_CONFIG, stores.configs, triggers.service_config, namespace=namespace)
    if referenced:
        secrets = ReferencedSecrets(means, stores.secrets, triggers.secret)
        made.secrets = secrets

        def ingress(delta: Delta[Ingress]) -> None:
            names = stores.ingresses.index_values("secret")
            secrets.follow(frozenset(name for name in names if isinstance(name, ObjectKey)))
            triggers.ingress(delta)

        made.add(kinds.INGRESS, stores.ingresses, ingress, namespace=namespace)
    else:
        made.add(kinds.SECRET, stores.secrets, triggers.secret, namespace=namespace)
        made.add(kinds.INGRESS, stores.ingresses, triggers.ingress, namespace=namespace)
    made.add_object("gate/Deployment", kinds.DEPLOYMENT, stores.gate_deployments, gate.CONTROLLER)
    made.add_object("gate/service-config", kinds.CONFIG_MAP, stores.gate_configs, gate.SERVICE_CONFIG)
    made.add_object("gate/ingress-config", kinds.CONFIG_MAP, stores.gate_configs, gate.INGRESS_CONFIG)
    return made


def gate_evidence(stores: Stores, made: Informers) -> gate.Evidence:
    """The three objects as the caches have them."""
    controller = stores.gate_deployments.get(gate.CONTROLLER)
    service_config = stores.gate_configs.get(gate.SERVICE_CONFIG)
    ingress_config = stores.gate_configs.get(gate.INGRESS_CONFIG)
    return gate.Evidence(
        controller.object if controller else None,
        service_config.object if service_config else None,
        ingress_config.object if ingress_config else None,
        readable=not made.unread() & GATE_KINDS,
    )
