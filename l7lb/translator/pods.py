"""Which pods stand behind a Service, and what is wanted of each. Weights and quotas are not decided here.

The endpoints say who serves, the pods say who is really there. A pod that serves is REQUIRED, also one that waits for
nothing but our own readiness gate. One that terminates or is not ready is TOLERATED and rests: weight 0, never added.
An endpoint whose pod is gone, or whose address is another pod's now, is GONE.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

from l7lb.model.cluster import Node, Service, ServicePort
from l7lb.model.endpoints import Endpoint, EndpointSlice
from l7lb.model.identity import ObjectKey
from l7lb.model.loadbalancer import Presence, TargetKey
from l7lb.model.pods import NETWORKS, Pod

ENI: Final = "-eni"
"""TKE's networks whose pods have addresses of the VPC end in this, as `tke-route-eni` (contract, section 8.2)."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One pod as a possible target. `pod` None: nobody is there."""

    key: TargetKey
    presence: Presence
    pod: Pod | None = None
    terminating: bool = False
    resting: bool = False
    """Weight 0."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """The pods behind one port of a Service, sorted by address, and why some are left out."""

    seats: tuple[Seat, ...] = ()
    routed: tuple[ObjectKey, ...] = ()
    """Pods of a network that the load balancer cannot reach."""
    on_host: tuple[ObjectKey, ...] = ()
    """Pods that use the network of their node."""
    nameless: int = 0
    """Endpoints that name no Pod."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known of the cluster around the endpoints of one Service."""

    pods: Mapping[ObjectKey, Pod]
    reused: frozenset[str]
    nodes: Mapping[str, Node]
    routes_allowed: bool
    """Pods of the GlobalRouter network may be targets (switch GlobalRouteDirectAccess)."""
    ipv6: bool
    only_on: frozenset[str] | None = None
    """Only pods on these nodes; None: on all."""


def crowd(service: Service, port: ServicePort, slices: Sequence[EndpointSlice], around: Surroundings) -> Crowd:
    """Every pod once for each address and port, whatever the slices repeat."""
    seats: dict[TargetKey, Seat] = {}
    routed: set[ObjectKey] = set()
    on_host: set[ObjectKey] = set()
    nameless = 0
    for number, endpoint in _endpoints(slices, port):
        if around.only_on is not None and endpoint.node_name not in around.only_on:
            continue
        reference = endpoint.target_ref
        if reference is None or reference.kind != "Pod" or not reference.name:
            nameless += 1
            continue
        pod = around.pods.get(ObjectKey(service.metadata.namespace, reference.name))
        if pod is not None and reference.uid and pod.metadata.uid != reference.uid:
            pod = None
        for address in _addresses(endpoint, pod, ipv6=around.ipv6):
            seat = _seat(TargetKey(address, number), endpoint, pod, around)
            seats[seat.key] = _better(seats.get(seat.key), seat)
        if pod is not None and pod.spec.host_network:
            on_host.add(pod.key)
        elif pod is not None and not _is_reachable(pod, around):
            routed.add(pod.key)
    for seat in _silent(service, port, slices, around):
        seats[seat.key] = _better(seats.get(seat.key), seat)
    ordered = tuple(seats[key] for key in sorted(seats))
    return Crowd(ordered, tuple(sorted(routed)), tuple(sorted(on_host)), nameless)


def choose(seats: Sequence[Seat], limit: int, seed: str) -> tuple[tuple[Seat, ...], int]:
    """All seats, but of the REQUIRED ones a stable choice of at most `limit`; and how many were dropped."""
    required = [seat for seat in seats if seat.presence is Presence.REQUIRED]
    if len(required) <= limit:
        return tuple(seats), 0
    dropped = {seat.key for seat in sorted(required, key=lambda seat: _score(seat, seed))[max(limit, 0) :]}
    return tuple(seat for seat in seats if seat.key not in dropped), len(dropped)


def selects(service: Service, pod: Pod) -> bool:
    """Whether the Service's selector matches; one without a selector matches nothing."""
    wanted = service.spec.selector
    return bool(wanted) and service.metadata.namespace == pod.metadata.namespace and _covers(wanted or {}, pod.labels)


def _covers(wanted: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return all(labels.get(name) == value for name, value in wanted.items())


def _seat(key: TargetKey, endpoint: Endpoint, pod: Pod | None, around: Surroundings) -> Seat:
    if pod is None or pod.over or _has_moved(pod, key.address):
        return Seat(key, Presence.GONE)
    if pod.terminating and key.address in around.reused:
        return Seat(key, Presence.GONE)
    conditions = endpoint.conditions
    if pod.terminating or (conditions is not None and conditions.terminating):
        return Seat(key, Presence.TOLERATED, pod, terminating=True, resting=True)
    if pod.spec.host_network or not _is_reachable(pod, around):
        return Seat(key, Presence.TOLERATED, pod)
    if (conditions is not None and conditions.ready is False) and not pod.is_ready_but_for_the_gate:
        return Seat(key, Presence.TOLERATED, pod, resting=True)
    return Seat(key, Presence.REQUIRED, pod)


def _better(one: Seat | None, other: Seat) -> Seat:
    """Of two endpoints with one address: a slice may lag behind, and an address pass from pod to pod.

    What terminates in one slice terminates; else who is there wins over who is gone, and who serves over who rests.
    """
    if one is None:
        return other
    if one.pod is not None and other.pod is not None and one.pod.metadata.uid == other.pod.metadata.uid:
        return one if one.terminating else other if other.terminating or other.presence is Presence.REQUIRED else one
    order = (Presence.REQUIRED, Presence.TOLERATED, Presence.GONE)
    return min(one, other, key=lambda seat: order.index(seat.presence))


def _silent(
    service: Service, port: ServicePort, slices: Sequence[EndpointSlice], around: Surroundings
) -> Iterator[Seat]:
    """Terminating pods that no slice names any more: API servers before 1.22 drop them at once."""
    numbers = {found for found, _ in _ports(slices, port)} or _declared(port)
    for pod in around.pods.values():
        if not pod.terminating or pod.over or not selects(service, pod):
            continue
        if around.only_on is not None and pod.spec.node_name not in around.only_on:
            continue
        for address in pod.addresses:
            if _version(address) == (6 if around.ipv6 else 4) and address not in around.reused:
                for number in numbers:
                    yield Seat(TargetKey(address, number), Presence.TOLERATED, pod, terminating=True, resting=True)


def _ports(slices: Iterable[EndpointSlice], port: ServicePort) -> Iterator[tuple[int, EndpointSlice]]:
    for part in slices:
        for number in part.ports or ():
            # HTTP runs over TCP: a UDP port of the same name is another thing.
            is_meant = (number.name or "") == (port.name or "") and number.protocol in (None, "", "TCP")
            if number.port and is_meant:
                yield number.port, part


def _endpoints(slices: Iterable[EndpointSlice], port: ServicePort) -> Iterator[tuple[int, Endpoint]]:
    for number, part in _ports(slices, port):
        for endpoint in part.endpoints:
            yield number, endpoint


def _declared(port: ServicePort) -> set[int]:
    """The port of the pods as far as the Service says it as a number; by default its own."""
    if isinstance(port.target_port, str):
        return set()
    return {port.target_port or port.port}


def _addresses(endpoint: Endpoint, pod: Pod | None, *, ipv6: bool) -> tuple[str, ...]:
    """Of the wanted family: those of the endpoint, else those of its pod (a Service may have one family only)."""
    version = 6 if ipv6 else 4
    told = tuple(address for address in endpoint.addresses or () if _version(address) == version)
    if told or pod is None:
        return told
    return tuple(address for address in pod.addresses if _version(address) == version)


def _has_moved(pod: Pod, address: str) -> bool:
    """Whether the pod says that its address is another one."""
    return bool(pod.addresses) and address not in pod.addresses


def _is_reachable(pod: Pod, around: Surroundings) -> bool:
    """Whether its address is one of the VPC, or routes to pods are allowed; what cannot be told is tried."""
    if around.routes_allowed or any(name.strip().endswith(ENI) for name in _networks(pod)):
        return True
    if _networks(pod):
        return False
    node = around.nodes.get(pod.spec.node_name or "")
    own = (node.spec.pod_cidr or "") if node is not None else ""
    return not any(_is_within(address, own) for address in pod.addresses)


def _networks(pod: Pod) -> tuple[str, ...]:
    return tuple(name for name in pod.annotations.get(NETWORKS, "").split(",") if name.strip())


def _score(seat: Seat, seed: str) -> bytes:
    name = seat.pod.metadata.uid or seat.pod.metadata.name if seat.pod is not None else ""
    return hashlib.sha256(f"{seed}\n{name}\n{seat.key}".encode(errors="backslashreplace")).digest()


@lru_cache(maxsize=65536)
def _version(address: str) -> int:
    try:
        return ip_address(address).version
    except ValueError:
        return 0


@lru_cache(maxsize=65536)
def _is_within(address: str, network: str) -> bool:
    try:
        return bool(network) and ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        return False
