"""From a change of any object to the keys that it concerns, and the lane that they go to.

Runs on the informers' threads, so it only compares and looks up. A standby drops what comes: whoever takes the lead
goes through everything once.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import msgspec

from l7lb import translator
from l7lb.app.caches import Caches, Stores, key_of, services_before
from l7lb.app.switches import switches
from l7lb.model.cluster import ConfigMap, Ingress, IngressClass, Node, Secret, Service, TkeServiceConfig
from l7lb.model.endpoints import EndpointSlice
from l7lb.model.identity import BindingKey, Cluster
from l7lb.model.lane import Lane
from l7lb.model.marks import CONDITIONS, FINALIZER, IPV6, LOAD_BALANCER_ID, NAT_IPV6
from l7lb.model.pods import Pod
from l7lb.model.snapshot import Settings
from l7lb.model.watch import Item
from l7lb.runtime.store import Delta, newer

T = TypeVar("T")


class Sink(Protocol):
    """Where keys go; a standby has one that drops them."""

    def add(self, key: BindingKey, lane: Lane, *, urgent: bool = False, after_s: float = 0.0) -> None:
        """Work on this key."""
        ...

    def forget(self, uid: str) -> None:
        """What we have last written on this Ingress does not count any more."""
        ...


@dataclass(frozen=True, slots=True)
class Triggers:
    """One handler a kind."""

    stores: Stores
    caches: Caches
    cluster: Cluster
    settings: Settings
    sink: Sink

    def ingress(self, delta: Delta[Ingress], *, after_s: float = 0.0) -> None:
        """An edit that moves the binding queues both keys; what only we have written queues nothing."""
        if delta.old is not None and not delta.same_values and _is_past(delta.old, delta.new):
            self.sink.forget(delta.old.uid)
        if _tell_the_same(delta):
            return
        after = self._key(delta.new)
        before = after if delta.same_values else self._key(delta.old)
        if before is not None and before != after:
            self.sink.add(before, Lane.CHANGE, after_s=after_s)
        if after is not None:
            self.sink.add(after, Lane.CHANGE, after_s=after_s)

    def service(self, delta: Delta[Service]) -> None:
        """Its ports decide about rules; when its absence counts, the pass over those who name it comes back."""
        if delta.new is None:
            self.caches.service_went(delta.key)
        else:
            self.caches.service_came(delta.key)
        old, new = (item.object if item is not None else None for item in (delta.old, delta.new))
        for former in self.caches.service_changed(old, new):
            self._concerning("service", former, Lane.ENDPOINTS, urgent=True)
        if not _same_spec(delta):
            self._concerning("service", delta.key, Lane.CHANGE)

    def slice(self, delta: Delta[EndpointSlice]) -> None:
        """Endpoints came or went; what takes targets off is urgent."""
        services = {item.object.service for item in (delta.old, delta.new) if item is not None}
        urgent = _takes_off(delta.old, delta.new)
        for service in services:
            self._concerning("service", service, Lane.ENDPOINTS, urgent=urgent)

    def pod(self, delta: Delta[Pod]) -> None:
        """What an endpoint does not say: that it is gone, its weight, its gate, that its address is another's now."""
        if _pod(delta.old) == _pod(delta.new):
            return
        for pod, urgent in self._touched(delta):
            for service in services_before(self.stores, pod):
                for item in self.stores.ingresses.by_index("service", service):
                    if translator.direct(item.object):
                        key = key_of(item.object, self.cluster, self.settings)
                        self.sink.add(key, Lane.ENDPOINTS, urgent=urgent)

    def _touched(self, delta: Delta[Pod]) -> Iterable[tuple[Pod, bool]]:
        """The pod itself, and those that terminate and whose address it has got; whether targets go off for it."""
        old, new = (item.object if item is not None else None for item in (delta.old, delta.new))
        if new is None and old is not None:
            yield old, True
        if new is None:
            return
        yield new, new.over or (new.terminating and (old is None or not old.terminating))
        for address in set(new.addresses) - set(old.addresses if old is not None else ()):
            for item in self.stores.pods.by_index("address", address):
                if item.object.terminating and item.key != new.key:
                    yield item.object, True

    def node(self, delta: Delta[Node]) -> None:
        """A node concerns every load balancer with node targets; one that came keeps nobody from serving."""
        if delta.old is not None and delta.new is not None and _node(delta.old) == _node(delta.new):
            return
        urgent = delta.new is None
        lane = Lane.ARRIVALS if _serves(delta.new) and not _serves(delta.old) else Lane.ENDPOINTS
        for key in self.bindings():
            self.sink.add(key, lane, urgent=urgent)

    def secret(self, delta: Delta[Secret]) -> None:
        """Rotation reaches every Ingress that uses it."""
        self._concerning("secret", delta.key, Lane.CHANGE)

    def again(self, ingress: Ingress) -> None:
        """What it waited for is known now."""
        self.sink.add(key_of(ingress, self.cluster, self.settings), Lane.CHANGE)

    def service_config(self, delta: Delta[TkeServiceConfig]) -> None:
        """All Ingresses that refer to it."""
        self._concerning("config", delta.key, Lane.CHANGE)

    def ingress_class(self, delta: Delta[IngressClass]) -> None:
        """All Ingresses that name it."""
        self._concerning("class", delta.key.name, Lane.CHANGE)

    def switches(self, delta: Delta[ConfigMap]) -> None:
        """A switch of the cluster decides about every Ingress; the ConfigMap's other keys about none."""
        before, after = (switches(item.object if item is not None else None) for item in (delta.old, delta.new))
        if before != after:
            for key in self.bindings():
                self.sink.add(key, Lane.ENDPOINTS)

    def _key(self, item: Item[Ingress] | None) -> BindingKey | None:
        return None if item is None else key_of(item.object, self.cluster, self.settings)

    def bindings(self) -> tuple[BindingKey, ...]:
        """Every binding there is."""
        return tuple(BindingKey(str(value)) for value in self.stores.ingresses.index_values("binding"))

    def _concerning(self, index: str, value: Hashable, lane: Lane, *, urgent: bool = False) -> None:
        found: Iterable[Item[Ingress]] = self.stores.ingresses.by_index(index, value)
        for key in {key_of(item.object, self.cluster, self.settings) for item in found}:
            self.sink.add(key, lane, urgent=urgent)


def _is_past(old: Item[Ingress], new: Item[Ingress] | None) -> bool:
    """It went, or it went back to an older version: the API server has been set back to an older state."""
    return new is None or new.uid != old.uid or newer(old.resource_version, new.resource_version)


_SILENT = frozenset({CONDITIONS, LOAD_BALANCER_ID, NAT_IPV6, IPV6})


def _tell_the_same(delta: Delta[Ingress]) -> bool:
    """What of an Ingress a pass depends on: not its status, nor what we write for people."""
    if delta.old is None or delta.new is None:
        return False
    old, new = delta.old.object, delta.new.object
    return (
        _ask_the_same(old.annotations, new.annotations)
        and (old.metadata.uid, old.deleting) == (new.metadata.uid, new.deleting)
        and (FINALIZER in old.finalizers) is (FINALIZER in new.finalizers)
        and (delta.same_values or old.spec == new.spec)  # `translator.same_references` has compared it
    )


def _ask_the_same(old: dict[str, str], new: dict[str, str]) -> bool:
    for name, text in new.items():
        if old.get(name) != text and name not in _SILENT:
            return False
    return old.keys() <= new.keys() or _SILENT.issuperset(old.keys() - new.keys())


def _same_spec(delta: Delta[Service]) -> bool:
    if delta.old is None or delta.new is None:
        return False
    before, after = delta.old.object, delta.new.object
    return before.spec == after.spec and before.annotations == after.annotations and delta.old.uid == delta.new.uid


def _takes_off(old: Item[EndpointSlice] | None, new: Item[EndpointSlice] | None) -> bool:
    """Whether an address that took traffic takes none any more."""
    if old is None or (new is not None and new.object.packed == old.object.packed):
        return False
    return bool(old.object.serving - (new.object.serving if new is not None else frozenset()))


def _pod(item: Item[Pod] | None) -> tuple[object, ...]:
    """What of a pod a target depends on; one without an address is no target."""
    if item is None or not item.object.addresses:
        return ()
    one = item.object
    return (item.uid, one.terminating, one.over, one.addresses, one.annotations, one.is_ready_but_for_the_gate)


def _serves(item: Item[Node] | None) -> bool:
    return item is not None and translator.is_ready(item.object)


def _node(item: Item[Node]) -> bytes:
    """What of a node a target depends on; its heartbeat is not part of it."""
    one = item.object
    ready = [condition for condition in one.status.conditions or () if condition.type == "Ready"]
    return msgspec.json.encode((one.metadata.uid, one.metadata.labels, one.spec, one.status.addresses, ready))
