"""What is read of EndpointSlices.

There are more endpoints than anything else, so a slice keeps them packed, and unpacks them for whoever reads them. The
wire form is the adapter's.
"""

from collections.abc import Iterable
from typing import Final, Self

import msgspec

from l7lb.model.cluster import Object, ObjectMeta, View
from l7lb.model.identity import ObjectKey
from l7lb.model.shapes import msgpack_decoder


class EndpointConditions(View, frozen=True, omit_defaults=True):
    """None means unknown, which Kubernetes asks us to read as ready."""

    ready: bool | None = None
    terminating: bool | None = None


class TargetReference(View, frozen=True, omit_defaults=True):
    """The pod behind an endpoint."""

    kind: str = ""
    name: str = ""
    uid: str = ""


class Endpoint(View, frozen=True, omit_defaults=True):
    """One endpoint of a slice."""

    addresses: tuple[str, ...] | None = None
    conditions: EndpointConditions | None = None
    node_name: str | None = None
    target_ref: TargetReference | None = None


class _Place(View, frozen=True):
    """As little of an endpoint as says whether it takes traffic."""

    addresses: tuple[str, ...] | None = None
    conditions: EndpointConditions | None = None


_PACK: Final = msgspec.msgpack.Encoder()
_ENDPOINTS: Final = msgpack_decoder(tuple[Endpoint, ...])
_PLACES: Final = msgpack_decoder(tuple[_Place, ...])
_NOBODY: Final = _PACK.encode(())


class EndpointPort(View, frozen=True):
    """One port of a slice."""

    name: str | None = None
    port: int | None = None
    protocol: str | None = None


class EndpointSlice(Object, frozen=True):
    """discovery.k8s.io/v1 EndpointSlice."""

    service_name: str = ""
    """Label `kubernetes.io/service-name`."""
    ports: tuple[EndpointPort, ...] | None = None
    packed: bytes = _NOBODY
    """The endpoints as MessagePack: a third of what they take as objects."""

    @classmethod
    def of(
        cls,
        metadata: ObjectMeta,
        service_name: str,
        *,
        ports: tuple[EndpointPort, ...] | None = None,
        endpoints: Iterable[Endpoint] = (),
    ) -> Self:
        """With these endpoints."""
        return cls(metadata=metadata, service_name=service_name, ports=ports, packed=_PACK.encode(tuple(endpoints)))

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Unpacked anew at each look: whoever loops over them looks once."""
        return _ENDPOINTS.decode(self.packed)

    @property
    def serving(self) -> frozenset[str]:
        """Addresses that take traffic."""
        found: set[str] = set()
        for place in _PLACES.decode(self.packed):
            said = place.conditions
            if said is None or (said.ready is not False and not said.terminating):
                found.update(place.addresses or ())
        return frozenset(found)

    @property
    def service(self) -> ObjectKey:
        """The Service that it belongs to."""
        return ObjectKey(self.metadata.namespace, self.service_name)
