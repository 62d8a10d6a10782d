"""The informers of all kinds over one transport: which are started, whether all are synced, how stale they are."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.kinds import Kind
from l7lb.adapters.kube.listwatch import KubeListWatch, KubeObjectListWatch, Scope
from l7lb.app import gate
from l7lb.app.caches import Stores
from l7lb.app.secrets import Means, ReferencedSecrets
from l7lb.app.triggers import Triggers
from l7lb.model.identity import ObjectKey
from l7lb.model.watch import ListWatch
from l7lb.runtime.informer import Informer, Source
from l7lb.runtime.lifecycle import Died, Threads
from l7lb.runtime.store import Delta, Store

T = TypeVar("T")

GATE_NAMES: Final = ("gate/Deployment", "gate/service-config", "gate/ingress-config")
GATE_STALE_S: Final = 180.0
"""The API server says something about each of them once a minute; after so long nobody knows what they say now."""
STOP_S: Final = 5.0
_GATE: Final = frozenset(GATE_NAMES)


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
    """All of them, as one part of the process. `unread` is what the snapshots call unknown."""

    means: Means
    all: list[Watcher] = field(default_factory=list)
    secrets: ReferencedSecrets | None = None
    name: str = "informers"
    only_after_drain: bool = False
    _threads: Threads | None = None

    def add(
        self,
        kind: Kind[T],
        store: Store[T],
        handler: Callable[[Delta[T]], None],
        *,
        namespace: str = "",
        optional: bool = False,
    ) -> None:
        """One kind, in one namespace or in all."""
        list_watch = KubeListWatch(self.means.transport, kind, Scope(namespace))
        self._enter(Source(kind.name, list_watch, optional=optional), store, handler)

    def add_object(
        self, name: str, kind: Kind[T], store: Store[T], key: ObjectKey, handler: Callable[[Delta[T]], None]
    ) -> None:
        """One object by its name, for what is only ever one."""
        list_watch: ListWatch[T] = KubeObjectListWatch(self.means.transport, kind, key)
        self._enter(Source(name, list_watch, scope=lambda other: other == key), store, handler)

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

    def start(self, died: Died) -> None:
        """A thread each."""
        if self.secrets is not None:
            self.secrets.start(died)
        loops = {f"informer-{informer.name}": informer.run for informer in self.all}
        self._threads = Threads(self.name, loops, self._ask)
        self._threads.start(died)

    def stop(self, timeout_s: float) -> bool:
        """Free every blocked read; a list on its way is not waited for longer than that."""
        if self.secrets is not None:
            self.secrets.stop()
        return self._threads is None or self._threads.stop(min(timeout_s, STOP_S))

    def unread(self) -> frozenset[str]:
        """Kinds whose first list has not been handed on completely."""
        return frozenset(informer.name for informer in self.all if not informer.synced)

    def unread_secrets(self, names: frozenset[ObjectKey]) -> bool:
        """Whether one of these is watched by its name and has not been looked at yet."""
        return self.secrets is not None and self.secrets.unread(names)

    def unread_secrets_by_now(self, names: frozenset[ObjectKey]) -> bool:
        """The same; waits a moment for a first look that is on its way."""
        return self.secrets is not None and self.secrets.unread_by_now(names)

    def synced(self) -> bool:
        """Every kind that a pass looks at; the gate's objects have their own say."""
        return not self.unread() - _GATE and (self.secrets is None or self.secrets.settled)

    def lacking(self) -> str:
        """What `synced` waits for, in words."""
        waiting = [informer for informer in self.all if not informer.synced and informer.name not in _GATE]
        told = [f"{one.name} ({one.problem})" if one.problem else one.name for one in waiting]
        return ", ".join(told or ["Secrets that Ingresses name"])

    def gate_readable(self) -> bool:
        """Whether the three objects of the gate are known, and not only from long ago."""
        now = self.means.clock.monotonic()
        told = [informer for informer in self.all if informer.name in _GATE]
        return all(informer.synced and informer.staleness_s(now) <= GATE_STALE_S for informer in told)

    def _ask(self) -> None:
        for informer in self.all:
            informer.stop()


def _ignore(delta: Delta[T]) -> None:
    """The gate is asked before each write; nothing waits for its objects."""
    del delta


def fill(made: Informers, stores: Stores, triggers: Triggers, *, namespace: str, referenced: bool) -> None:
    """Everything that `l7lb run` watches."""
    made.add(kinds.INGRESS_CLASS, stores.classes, triggers.ingress_class)
    made.add(kinds.SERVICE, stores.services, triggers.service, namespace=namespace)
    made.add(kinds.ENDPOINT_SLICE, stores.slices, triggers.slice, namespace=namespace)
    made.add(kinds.POD, stores.pods, triggers.pod, namespace=namespace)
    made.add(kinds.NODE, stores.nodes, triggers.node)
    made.add(kinds.TKE_SERVICE_CONFIG, stores.configs, triggers.service_config, namespace=namespace, optional=True)
    if referenced:
        made.secrets = ReferencedSecrets(made.means, stores, triggers)
        made.add(kinds.INGRESS, stores.ingresses, made.secrets.ingress, namespace=namespace)
    else:
        made.add(kinds.SECRET, stores.secrets, triggers.secret, namespace=namespace)
        made.add(kinds.INGRESS, stores.ingresses, triggers.ingress, namespace=namespace)
    made.add_object(GATE_NAMES[0], kinds.DEPLOYMENT, stores.gate_deployments, gate.CONTROLLER, _ignore)
    made.add_object(GATE_NAMES[1], kinds.CONFIG_MAP, stores.gate_configs, gate.SERVICE_CONFIG, triggers.switches)
    made.add_object(GATE_NAMES[2], kinds.CONFIG_MAP, stores.gate_configs, gate.INGRESS_CONFIG, _ignore)


def gate_evidence(stores: Stores, made: Informers) -> gate.Evidence:
    """The three objects as the caches have them."""
    controller = stores.gate_deployments.get(gate.CONTROLLER)
    service_config = stores.gate_configs.get(gate.SERVICE_CONFIG)
    ingress_config = stores.gate_configs.get(gate.INGRESS_CONFIG)
    return gate.Evidence(
        controller.object if controller else None,
        service_config.object if service_config else None,
        ingress_config.object if ingress_config else None,
        readable=made.gate_readable(),
    )
