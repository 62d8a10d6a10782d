"""What is written on the Ingress: finalizer, record, id, conditions, status. The only place that patches one.

Every patch carries the resourceVersion that it was decided on. The newest version that we have seen (by watch or as the
answer to our own patch) is used, so that a pass never decides on a record older than the one it wrote itself.
"""

import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from l7lb import ledger
from l7lb.errors import Conflict, NotFound
from l7lb.model.cluster import Ingress, IngressAddress
from l7lb.model.loadbalancer import LoadBalancerHead
from l7lb.model.marks import CONDITIONS, FINALIZER, IPV6, LOAD_BALANCER_ID, NAT_IPV6, RECORD
from l7lb.model.ownership import Record
from l7lb.model.site import Family
from l7lb.model.writing import MetadataChange
from l7lb.reconciler.conditions import Readiness, render
from l7lb.reconciler.ports import Ingresses
from l7lb.reconciler.recent import Recent

NONE_ADDED: Final[Mapping[str, str]] = MappingProxyType({})


class WriteBack:
    """Patches Ingresses and remembers their newest versions."""

    def __init__(self, ingresses: Ingresses, wall: Callable[[], float]) -> None:
        self._ingresses = ingresses
        self._wall = wall
        self._lock = threading.Lock()
        self._newest: Recent[str, Ingress] = Recent()

    def newest(self, seen: Ingress) -> Ingress:
        """`seen`, or the answer to our own later patch while the watch lags behind it."""
        with self._lock:
            ours = self._newest.get(seen.metadata.uid)
            if ours is None:
                return seen
            if _version(ours) > _version(seen):
                return ours
            del self._newest[seen.metadata.uid]
            return seen

    def forget(self, uid: str) -> None:
        """The object is gone."""
        with self._lock:
            self._newest.pop(uid, None)

    def enter(self, ingress: Ingress, record: Record, added: Mapping[str, str] = NONE_ADDED) -> Ingress:
        """Finalizer and record in one patch, before the first write to the cloud. No patch when both stand already.

        `added`: annotations that a switch of the cluster gives a new Ingress; they go into the same patch.
        """
        annotations = {**_changed(ingress, {RECORD: ledger.format_record(record)}), **added}
        finalizers = () if FINALIZER in ingress.finalizers else (FINALIZER,)
        return self._patch(ingress, MetadataChange(annotations, add_finalizers=finalizers))

    def enter_record(self, ingress: Ingress, record: Record) -> Ingress:
        """The record alone: a deleting object takes no new finalizer."""
        return self._patch(ingress, MetadataChange(_changed(ingress, {RECORD: ledger.format_record(record)})))

    def tell(
        self,
        ingress: Ingress,
        readiness: Readiness,
        record: Record | None = None,
        published: Mapping[str, str | None] = NONE_ADDED,
    ) -> Ingress:
        """The conditions, and with them the record, and what is `published` of the load balancer, where given."""
        created = ingress.metadata.creation_timestamp
        wanted: dict[str, str | None] = {
            CONDITIONS: render(ingress.annotations.get(CONDITIONS), readiness, self._wall(), created)
        }
        if record is not None:
            wanted[RECORD] = ledger.format_record(record)
        wanted |= published
        return self._patch(ingress, MetadataChange(_changed(ingress, wanted)))

    def address(self, ingress: Ingress, head: LoadBalancerHead | None) -> Ingress:
        """status.loadBalancer: `ip` for a VIP, `hostname` for a domain-based one, empty when we let go."""
        addresses = _addresses(head)
        if addresses == ingress.addresses:
            return ingress
        return self._written(ingress, lambda: self._ingresses.set_addresses(ingress, addresses))

    def release(self, ingress: Ingress, record: Record | None, finalizers: tuple[str, ...]) -> None:
        """Take our marks off. `record`: what remains of it (only the attempt); None: nothing remains.

        An Ingress that is gone already is released.
        """
        wanted: dict[str, str | None] = {RECORD: ledger.format_record(record) if record is not None else None}
        if not ingress.deleting:
            wanted |= dict.fromkeys((LOAD_BALANCER_ID, NAT_IPV6, IPV6, CONDITIONS))
        held = tuple(name for name in finalizers if name in ingress.finalizers)
        try:
            if not ingress.deleting or set(ingress.finalizers) - set(finalizers):
                # It stays for a while, and must not show what is not there any more.
                ingress = self.address(ingress, None)
            self._patch(ingress, MetadataChange(_changed(ingress, wanted), remove_finalizers=held))
        except NotFound:
            self.forget(ingress.metadata.uid)

    def _patch(self, ingress: Ingress, change: MetadataChange) -> Ingress:
        if not (change.annotations or change.add_finalizers or change.remove_finalizers):
            return ingress
        return self._written(ingress, lambda: self._ingresses.patch_metadata(ingress, change))

    def _written(self, ingress: Ingress, write: Callable[[], Ingress]) -> Ingress:
        """What the write answers; a Conflict says that we do not know the newest version: the next pass shall."""
        try:
            return self._saw(write())
        except Conflict:
            # Not only an edit on its way to us: an API server that was set back to an older state has lost our write.
            live = self._ingresses.live(ingress.key)
            self.forget(ingress.metadata.uid)
            if live is not None and live.metadata.uid == ingress.metadata.uid:
                self._saw(live)
            raise

    def _saw(self, ingress: Ingress) -> Ingress:
        with self._lock:
            self._newest[ingress.metadata.uid] = ingress
        return ingress


def _changed(ingress: Ingress, wanted: dict[str, str | None]) -> dict[str, str | None]:
    return {name: text for name, text in wanted.items() if ingress.annotations.get(name) != text}


def published(head: LoadBalancerHead) -> Mapping[str, str | None]:
    """What TKE's controller writes about a load balancer as annotations (contract, section 3.6)."""
    return {
        LOAD_BALANCER_ID: head.ref.id,
        NAT_IPV6: head.ipv6 if head.family is Family.NAT64 and head.ipv6 else None,
        IPV6: head.ipv6 if head.family is Family.FULL_CHAIN and head.ipv6 else None,
    }


def _addresses(head: LoadBalancerHead | None) -> tuple[IngressAddress, ...]:
    if head is None:
        return ()
    if head.hostname:
        return (IngressAddress(hostname=head.hostname),)
    return tuple(IngressAddress(ip=vip) for vip in (*head.vips, *((head.ipv6,) if head.ipv6 else ())))


def _version(ingress: Ingress) -> int:
    """ResourceVersions of one kind may be compared as integers (KEP-5504); a foreign form counts as oldest."""
    text = ingress.metadata.resource_version
    return int(text) if text.isdecimal() else 0
