"""The stores as the reconciler sees them: members of a binding, and a cut through all that an Ingress names.

Indexes answer "which Ingresses does this object concern"; they are functions of one object, so that a store can keep
them.
"""

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Final, TypeVar

from l7lb import ledger, translator
from l7lb.app.gate import SERVICE_CONFIG
from l7lb.app.hands import Hands
from l7lb.app.switches import switches
from l7lb.errors import L7lbError
from l7lb.model.cluster import ConfigMap, Deployment, Ingress, IngressClass, Node, Secret, Service, TkeServiceConfig
from l7lb.model.endpoints import EndpointSlice
from l7lb.model.identity import BindingKey, Cluster, ObjectKey, Owner
from l7lb.model.loadbalancer import TargetKey
from l7lb.model.marks import CLASS_ANNOTATION, RECORD
from l7lb.model.ownership import Record
from l7lb.model.pods import Pod
from l7lb.model.snapshot import Settings, Snapshot, Switches
from l7lb.runtime.store import Store

T = TypeVar("T")

SERVICE_GONE_S: Final = 300.0
"""How long a Service must have been gone before its absence counts as "no targets" (promise 5)."""
UNANSWERED_S: Final = 300.0
"""Whether it is gone is asked again after so long, where nobody has answered."""

GONE_KEPT: Final = 64
"""So many absences of Services that no Ingress names are remembered, for one that is about to name them."""


@dataclass(frozen=True, slots=True)
class Stores:
    """One store a kind."""

    ingresses: Store[Ingress]
    classes: Store[IngressClass] = field(default_factory=Store)
    services: Store[Service] = field(default_factory=lambda: Store({"selector": _selector}))
    slices: Store[EndpointSlice] = field(default_factory=lambda: Store({"service": lambda one: (one.service,)}))
    pods: Store[Pod] = field(
        default_factory=lambda: Store(
            {"address": lambda one: one.addresses, "terminating": _terminating, "waiting": _waiting}
        )
    )
    nodes: Store[Node] = field(default_factory=Store)
    secrets: Store[Secret] = field(default_factory=Store)
    configs: Store[TkeServiceConfig] = field(default_factory=Store)
    gate_deployments: Store[Deployment] = field(default_factory=Store)
    gate_configs: Store[ConfigMap] = field(default_factory=Store)


def stores(cluster: Cluster, settings: Settings) -> Stores:
    """Empty stores with their indexes."""

    def binding(ingress: Ingress) -> Iterable[Hashable]:
        return (key_of(ingress, cluster, settings),)

    return Stores(
        ingresses=Store(
            {
                "binding": binding,
                "uid": lambda one: (one.metadata.uid,),
                "service": translator.services_of,
                "secret": translator.secrets_of,
                "config": _configs,
                "class": _class_names,
                "direct": _direct,
            },
            same_values=translator.same_references,
        )
    )


def record_of(ingress: Ingress, cluster: Cluster) -> Record | None:
    """Its record, when it is its own."""
    text = ingress.annotations.get(RECORD)
    return _parsed(text, cluster.id, ingress.metadata.uid) if text else None


@lru_cache(maxsize=1024)
def _parsed(text: str, cluster_id: str, uid: str) -> Record | None:
    """Of one event index and trigger want it, each before and after."""
    return ledger.parse_record(text, Owner(Cluster(cluster_id), uid))


def key_of(ingress: Ingress, cluster: Cluster, settings: Settings) -> BindingKey:
    """The key in the queue: a function of the object with its record."""
    return translator.binding_key(ingress, record_of(ingress, cluster), settings)


def _configs(ingress: Ingress) -> tuple[ObjectKey, ...]:
    key = translator.config_key(ingress)
    return () if key is None else (key,)


def _class_names(ingress: Ingress) -> tuple[str, ...]:
    names = (ingress.spec.ingress_class_name, ingress.annotations.get(CLASS_ANNOTATION))
    return tuple(name for name in names if name)


def _direct(ingress: Ingress) -> tuple[str, ...]:
    """The namespace, for one whose targets are pods."""
    return (ingress.metadata.namespace,) if translator.direct(ingress) else ()


def _selector(service: Service) -> tuple[tuple[str, str, str], ...]:
    """The namespace and one label that all pods behind it have."""
    wanted = service.spec.selector
    return ((service.metadata.namespace, *min(wanted.items())),) if wanted else ()


def services_before(kept: Stores, pod: Pod) -> Iterator[ObjectKey]:
    """The Services that select a pod, without a look at all of the namespace."""
    for label in pod.labels.items():
        for item in kept.services.by_index("selector", (pod.metadata.namespace, *label)):
            if translator.selects(item.object, pod):
                yield item.key


def _terminating(pod: Pod) -> tuple[str, ...]:
    return (pod.metadata.namespace,) if pod.terminating else ()


def _waiting(pod: Pod) -> tuple[str, ...]:
    """The namespace, for one that nothing but our gate holds."""
    return (pod.metadata.namespace,) if pod.awaits_only_us and not (pod.terminating or pod.over) else ()


class Caches:
    """Implements the reconciler's `Snapshots` over the stores."""

    def __init__(
        self,
        kept: Stores,
        cluster: Cluster,
        *,
        unread: Callable[[], frozenset[str]],
        wall: Callable[[], float],
        service_exists: Callable[[ObjectKey], bool],
        unread_secrets: Callable[[frozenset[ObjectKey]], bool] = lambda _names: False,
    ) -> None:
        """`unread`: kinds that are not synced; `unread_secrets`: whether one of these has not been looked at yet."""
        self._stores = kept
        self._cluster = cluster
        self._unread = unread
        self._wall = wall
        self._service_exists = service_exists
        self._unread_secrets = unread_secrets
        self._gone: dict[ObjectKey, float] = {}
        self._gone_max = GONE_KEPT
        self._hands = Hands()
        self._lock = threading.Lock()

    def members(self, key: BindingKey) -> tuple[Ingress, ...]:
        """Those with a claim first, then by age, namespace and name."""
        found = [item.object for item in self._stores.ingresses.by_index("binding", key)]
        return tuple(sorted(found, key=self._seniority))

    def snapshot(self, ingress: Ingress, *, targets: bool = True) -> Snapshot:
        """Consistent per kind; kinds that are not synced are named in `unread`. Without `targets`: the shape alone."""
        names = translator.references(ingress)
        # Before anything is looked up: what is read while we look is missing here, and must not count as absent.
        unread = self._unread() | ({"Secret"} if self._unread_secrets(names.secrets) else frozenset())
        slices = {
            key: tuple(item.object for item in self._stores.slices.by_index("service", key))
            for key in (names.services if targets else ())
        }
        services = _present(self._stores.services, names.services)
        nodes = tuple(item.object for item in self._stores.nodes.list()) if targets else ()
        wants_pods = targets and (translator.direct(ingress) or any(map(translator.is_super, nodes)))
        pods = pods_behind(self._stores, ingress.metadata.namespace, slices) if wants_pods else Behind()
        absences = self._absences(names.services - services.keys())
        return Snapshot(
            ingress=ingress,
            now=self._wall(),
            services=services,
            slices={key: found for key, found in slices.items() if found},
            pods=pods.pods,
            reused=pods.reused,
            nodes=nodes,
            secrets=_present(self._stores.secrets, names.secrets),
            configs=_present(self._stores.configs, names.configs),
            classes=self.classes()[0],
            services_gone_since=absences.proven,
            proof_in_s=absences.more_in_s,
            unread=unread,
            switches=self.switches(),
            site=record.site if (record := record_of(ingress, self._cluster)) is not None else None,
        )

    def switches(self) -> Switches:
        """As the ConfigMap says now; all off without it."""
        found = self._stores.gate_configs.get(SERVICE_CONFIG)
        return switches(found.object if found is not None else None)

    def vacant(self, ingress: Ingress, addresses: frozenset[str]) -> frozenset[str]:
        """Of these addresses those where neither a pod of its namespace nor a node is; none while that is unknown.

        Nor anything else that an endpoint of its Services stands for.
        """
        if self.unread() & {"Pod", "EndpointSlice", "Node"}:
            return frozenset()
        space = ingress.metadata.namespace
        nodes = _node_addresses(self._stores)
        if not nodes:
            return frozenset()  # an empty list proves nothing
        return frozenset(
            address
            for address in addresses - nodes - _machines(self._stores, translator.services_of(ingress))
            if not any(
                item.key.namespace == space and not item.object.over
                for item in self._stores.pods.by_index("address", address)
            )
        )

    def classes(self) -> tuple[Mapping[str, IngressClass], bool]:
        """By name, and whether the cache is synced."""
        known = {item.object.metadata.name: item.object for item in self._stores.classes.list()}
        return known, "IngressClass" not in self.unread()

    def unread(self) -> frozenset[str]:
        """Kinds that are not synced."""
        return self._unread()

    def living(self, uid: str) -> bool:
        """Whether an Ingress with this UID is cached; an unsynced cache knows of nobody's death."""
        return "Ingress" in self.unread() or bool(self._stores.ingresses.by_index("uid", uid))

    def taken(self, ingress: Ingress, targets: frozenset[TargetKey]) -> frozenset[TargetKey]:
        """Of these targets on nodes those whose NodePort has passed from a Service of this Ingress to another's."""
        mine = translator.services_of(ingress)
        ports = self._hands.taken({target.port for target in targets}, frozenset(mine))
        if not ports or "Node" in self.unread():
            return frozenset()
        nodes = _node_addresses(self._stores)
        return frozenset(target for target in targets if target.port in ports and target.address in nodes)

    def service_changed(self, old: Service | None, new: Service | None) -> frozenset[ObjectKey]:
        """A Service came, changed or went; answers with those whose former NodePorts it has now."""
        return self._hands.changed(old, new, self._wall())

    def service_went(self, key: ObjectKey) -> None:
        """A Service was deleted: the clock of its absence starts.

        Most of those that go are never named by an Ingress, nor come back: now and then they are sorted out.
        """
        with self._lock:
            self._gone[key] = self._wall()
            if len(self._gone) > self._gone_max:
                by_service = partial(self._stores.ingresses.by_index, "service")
                self._gone = {one: since for one, since in self._gone.items() if by_service(one)}
                self._gone_max = 2 * len(self._gone) + GONE_KEPT

    def service_came(self, key: ObjectKey) -> None:
        """It is (again) there."""
        with self._lock:
            self._gone.pop(key, None)

    def _absences(self, missing: Iterable[ObjectKey]) -> "Absences":
        """Those are proven that were seen to begin long ago, and that the API server confirms now."""
        with self._lock:
            old = {key: self._gone[key] for key in missing if key in self._gone}
        now, proven, ahead = self._wall(), {}, []
        for key, since in old.items():
            left_s = SERVICE_GONE_S - (now - since)
            gone = self._is_gone(key) if left_s <= 0 else False
            if gone:
                proven[key] = since
            elif gone is None or left_s > 0:
                # Of what is gone no news will ever come: it has to be looked at again.
                ahead.append(UNANSWERED_S if gone is None else left_s)
        return Absences(proven, min(ahead, default=None))

    def _is_gone(self, key: ObjectKey) -> bool | None:
        """As the API server says now; None: it does not say, which is no proof."""
        try:
            return not self._service_exists(key)
        except L7lbError:
            return None

    def _seniority(self, ingress: Ingress) -> tuple[bool, str, str, str]:
        record = record_of(ingress, self._cluster)
        meta = ingress.metadata
        return (record is None or not record.lb, meta.creation_timestamp or "", meta.namespace, meta.name)


@dataclass(frozen=True, slots=True)
class Absences:
    """Services that are missing, as `Snapshot` has them."""

    proven: Mapping[ObjectKey, float]
    more_in_s: float | None


@dataclass(frozen=True, slots=True)
class Behind:
    """Pods as `Snapshot` has them."""

    pods: Mapping[ObjectKey, Pod] = field(default_factory=dict)
    reused: frozenset[str] = frozenset()


def _node_addresses(kept: Stores) -> set[str]:
    return {entry.address for item in kept.nodes.list() for entry in item.object.status.addresses or ()}


def _machines(kept: Stores, services: Iterable[ObjectKey]) -> set[str]:
    """Addresses of endpoints that name no Pod: whether anybody is there cannot be told."""
    parts = (item.object for service in services for item in kept.slices.by_index("service", service))
    endpoints = (endpoint for part in parts for endpoint in part.endpoints)
    return {address for one in endpoints if one.target_ref is None for address in one.addresses or ()}


def pods_behind(kept: Stores, namespace: str, slices: Mapping[ObjectKey, tuple[EndpointSlice, ...]]) -> Behind:
    """Pods that endpoints name, those of the namespace that terminate, and whose addresses are others' already."""
    names = {
        ObjectKey(namespace, endpoint.target_ref.name)
        for parts in slices.values()
        for part in parts
        for endpoint in part.endpoints
        if endpoint.target_ref is not None
    }
    dying = {item.key: item.object for item in kept.pods.by_index("terminating", namespace)}
    reused = frozenset(
        address for pod in dying.values() for address in pod.addresses if _is_anothers(kept, pod, address)
    )
    return Behind(_present(kept.pods, names) | dying, reused)


def _is_anothers(kept: Stores, pod: Pod, address: str) -> bool:
    """Whether a pod that lives has the address of one that terminates."""
    claimants = (item.object for item in kept.pods.by_index("address", address))
    return any(other.key != pod.key and not other.terminating and not other.over for other in claimants)


def _present(store: Store[T], keys: Iterable[ObjectKey]) -> dict[ObjectKey, T]:
    return {key: item.object for key in keys if (item := store.get(key)) is not None}
