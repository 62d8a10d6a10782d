"""Single objects, read and written live: what the reconciler's port `Ingresses` asks for.

Every write names the resourceVersion that it was decided on and passes the guard right before it leaves. What is to be
written is decided elsewhere.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.decode import MALFORMED, Decoder
from l7lb.adapters.kube.kinds import Kind
from l7lb.adapters.kube.transport import MERGE_PATCH, Request, Transport
from l7lb.errors import NotFound, Unavailable
from l7lb.model.cluster import Ingress, IngressAddress, IngressClass, Object, Service
from l7lb.model.identity import ObjectKey
from l7lb.model.shapes import json_decoder
from l7lb.model.writing import MetadataChange

T = TypeVar("T")

TIMEOUT_S = 10.0
LIST_TIMEOUT_S = 60.0
PARTIAL = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
"""Metadata only, from a server that can."""


class _Meta(msgspec.Struct, frozen=True, gc=False):
    continue_: str = msgspec.field(default="", name="continue")


class _Everyone(msgspec.Struct, frozen=True, gc=False):
    kind: str
    metadata: _Meta
    items: tuple[Object, ...] | None


_EVERYONE = json_decoder(_Everyone)


class KubeIngresses:
    """Safe for threads."""

    def __init__(self, transport: Transport, *, guard: Callable[[], None] | None = None) -> None:
        """`guard` raises when we may not write: not the leader, too little of the lease left."""
        self._transport = transport
        self._guard = guard

    def live(self, key: ObjectKey) -> Ingress | None:
        """The Ingress as the API server has it now; None only when the API server itself says that it is not there."""
        return self._live(kinds.INGRESS, key)

    def live_class(self, name: str) -> IngressClass | None:
        """An IngressClass likewise."""
        return self._live(kinds.INGRESS_CLASS, ObjectKey("", name))

    def live_service(self, key: ObjectKey) -> Service | None:
        """A Service likewise."""
        return self._live(kinds.SERVICE, key)

    def everyone(self) -> tuple[Object, ...]:
        """The metadata of all Ingresses of the cluster, read whole and at the newest version, or Unavailable."""
        request = Request(
            "GET", kinds.INGRESS.path(), accept=PARTIAL, timeout_s=LIST_TIMEOUT_S, what=kinds.INGRESS.name
        )
        body = self._transport.request(request).body
        try:
            found = _EVERYONE.decode(body)
        except MALFORMED as error:
            raise Unavailable(f"Ingress: the list of all cannot be decoded: {error}") from error
        items = found.items or ()
        whole = not found.metadata.continue_ and all(item.metadata.uid for item in items)
        if not whole or found.kind not in {"PartialObjectMetadataList", "IngressList"}:
            raise Unavailable(f"Ingress: the list of all is not whole, or is none ({found.kind!r})")
        return items

    def patch_metadata(self, ingress: Ingress, change: MetadataChange) -> Ingress:
        """Write annotations and finalizers in one patch; raises Conflict when the object moved, NotFound when gone.

        An empty change sends nothing. One that changes nothing is sent: the answer proves that `ingress` is current.
        """
        if change == MetadataChange():
            return ingress
        metadata: dict[str, Any] = {}
        if change.annotations:
            metadata["annotations"] = dict(change.annotations)
        if change.add_finalizers or change.remove_finalizers:
            # A merge patch replaces lists: other controllers' finalizers have to be in it.
            kept = [name for name in ingress.finalizers if name not in change.remove_finalizers]
            metadata["finalizers"] = [*kept, *(name for name in change.add_finalizers if name not in kept)]
        return self._patch(ingress, "", {"metadata": metadata})

    def set_addresses(self, ingress: Ingress, addresses: tuple[IngressAddress, ...]) -> Ingress:
        """Replace status.loadBalancer; raises Conflict and NotFound likewise. No address: the field is removed."""
        entries = [
            {name: text for name, text in (("ip", one.ip), ("hostname", one.hostname)) if text} for one in addresses
        ]
        return self._patch(ingress, "/status", {"status": {"loadBalancer": {"ingress": entries or None}}})

    def _patch(self, ingress: Ingress, subresource: str, patch: Mapping[str, Any]) -> Ingress:
        meta = ingress.metadata
        locked = {"resourceVersion": meta.resource_version, **({"uid": meta.uid} if meta.uid else {})}
        request = Request(
            "PATCH",
            kinds.INGRESS.object_path(ingress.key) + subresource,
            body=msgspec.json.encode({**patch, "metadata": {**patch.get("metadata", {}), **locked}}),
            content_type=MERGE_PATCH,
            timeout_s=TIMEOUT_S,
            what=kinds.INGRESS.name,
        )
        response = self._transport.request(request, guard=self._guard)
        return Decoder(kinds.INGRESS).item(response.body).object

    def _live(self, kind: Kind[T], key: ObjectKey) -> T | None:
        request = Request("GET", kind.object_path(key), timeout_s=TIMEOUT_S, what=kind.name)
        try:
            response = self._transport.request(request)
        except NotFound as absence:
            if absence.what:
                return None
            raise Unavailable(f"{absence} (not from the API server: no proof that {key} is gone)") from absence
        return Decoder(kind).item(response.body).object
