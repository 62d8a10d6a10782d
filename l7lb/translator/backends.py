"""Backends of an Ingress -> targets: nodes, or pods. One look-up per Service and port, however many rules use it.

What cannot be told leaves the rule out and holds it; what is known to be gone takes its targets off. Hosts, paths and
certificates are not seen here.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from l7lb.model.cluster import Backend, Node, Service, ServicePort, ServicePortRef
from l7lb.model.identity import ListenerKey, ObjectKey
from l7lb.model.loadbalancer import Presence, Target, TargetKey
from l7lb.model.maybe import UNSET
from l7lb.model.snapshot import Settings, Snapshot
from l7lb.translator import nodes, pods, remarks
from l7lb.translator.access import Access
from l7lb.translator.notebook import Notebook, shown
from l7lb.translator.weights import weigh

SERVICE_GONE_AFTER_S: Final = 300.0
"""A Service proven deleted for so long has no targets."""
NODE_PORT_TYPES: Final = ("NodePort", "LoadBalancer")


@dataclass(frozen=True, slots=True)
class Served:
    """What stands behind a rule."""

    targets: tuple[Target, ...] = ()
    known: bool = True
    endpointless: bool = False
    shape_held: bool = False
    """The rule keeps its shape: its Service is gone, only its targets are decided."""


@dataclass(frozen=True, slots=True)
class _Behind:
    """What a backend leads to, before anything is weighed: the same for every listener."""

    served: Served
    port: int = 0
    """Of the Service."""
    seats: tuple[pods.Seat, ...] = ()


class Backends:
    """Looks backends up in one snapshot."""

    def __init__(
        self, snapshot: Snapshot, settings: Settings, notebook: Notebook, access: Access | None = None
    ) -> None:
        self._snapshot = snapshot
        self._settings = settings
        self._notebook = notebook
        self._access = access or Access()
        self._fleet = nodes.fleet(snapshot.nodes, snapshot.now, self._access.site, registered=self._access.registered)
        everywhere = bool(snapshot.nodes) and len(self._fleet.super_nodes) == len(snapshot.nodes)
        # Where there are only super nodes there is no NodePort (contract, section 8.2: "always direct").
        self._direct = self._access.direct or everywhere
        self._seen: dict[tuple[ObjectKey, ServicePortRef | None], _Behind | None] = {}

    @property
    def again_s(self) -> float | None:
        """Seconds until time alone changes what is wanted of a node."""
        return self._fleet.again_s

    @property
    def out_of_reach(self) -> bool:
        """Nodes are wanted and known, and none has an address of the load balancer's family."""
        known = bool(self._snapshot.nodes) and "Node" not in self._snapshot.unread
        return known and not self._direct and not self._fleet.members

    def resolve(self, backend: Backend, field: str, on: ListenerKey) -> Served | None:
        """Targets behind one listener of a backend that stands at `field` of the Ingress.

        None: cannot be told, the rule is held.
        """
        if backend.service is None:
            what = f"{backend.resource.kind} {backend.resource.name}" if backend.resource else "nothing"
            self._complain("E4042", "BackendNotSupported", f"points at {shown(what)}; point it at a Service", field)
            return None
        key = ObjectKey(self._snapshot.ingress.metadata.namespace, backend.service.name)
        asked = (key, backend.service.port)
        if asked not in self._seen:
            self._seen[asked] = self._look_up(key, backend.service.port, field)
        behind = self._seen[asked]
        if behind is None or not behind.seats:
            return behind.served if behind is not None else None
        weighed = (self._weighed(seat, on, behind.port) for seat in behind.seats)
        return replace(behind.served, targets=tuple(sorted((*behind.served.targets, *weighed), key=_by_key)))

    def _look_up(self, key: ObjectKey, ref: ServicePortRef | None, field: str) -> _Behind | None:
        if "Service" in self._snapshot.unread:
            self._notebook.warn("", "NotRead", f"Service {key} cannot be read now; its rules are held", field=field)
            return None
        service = self._snapshot.services.get(key)
        if service is None:
            return self._missing(key, field)
        if service.spec.type == "ExternalName":
            self._complain(
                "E4042", "BackendNotSupported", f"points at Service {key} of type ExternalName; use another type", field
            )
            return None
        port = _port(service, ref)
        if port is None:
            self._complain(
                "E4042",
                "ServicePortNotFound",
                f"Service {key} has no TCP port {_said(ref)}; name one of its ports",
                field,
            )
            return None
        if self._direct:
            return self._on_pods(service, port, field)
        if service.spec.type not in NODE_PORT_TYPES or not port.node_port:
            self._complain(
                "E4047",
                "NoNodePort",
                f"Service {key} has no NodePort for port {port.port}; set its type to NodePort or LoadBalancer",
                field,
            )
            return None
        return self._on_nodes(service, port, field)

    def _missing(self, key: ObjectKey, field: str) -> _Behind | None:
        self._complain("E4041", "ServiceNotFound", f"Service {key} not found; create it or change the backend", field)
        since = self._snapshot.services_gone_since.get(key)
        if since is None or self._snapshot.now - since < SERVICE_GONE_AFTER_S:
            return None
        return _Behind(Served(endpointless=self._endpointless(key), shape_held=True))

    def _on_nodes(self, service: Service, port: ServicePort, field: str) -> _Behind:
        key = service.key
        if "Node" in self._snapshot.unread or not self._snapshot.nodes:
            self._notebook.warn("", "NodesUnknown", "No node of the cluster is known now; targets are left as they are")
            return _Behind(Served(known=False))
        only_with_pods, mixed = nodes.only_with_pods(service), bool(self._fleet.super_nodes)
        needs = ("EndpointSlice", "Pod") if mixed else ("EndpointSlice",) if only_with_pods else ()
        if self._is_unread(key, needs, field):
            return _Behind(Served(known=False))
        slices = self._snapshot.slices.get(key, ())
        fleet = nodes.with_pods(self._fleet, slices) if only_with_pods else self._fleet
        limit = self._settings.limits.targets_per_rule
        seats = self._crowd(service, port, self._fleet.super_nodes, field).seats if mixed else ()
        # A node reaches pods everywhere, so at least one has its place.
        pods_bound = sum(seat.presence is Presence.REQUIRED for seat in seats)
        chosen = nodes.choose(fleet, port.node_port or 0, max(limit - pods_bound, 1), self._seed(key))
        nodes_bound = sum(target.presence is Presence.REQUIRED for target in chosen.targets)
        seats, left_out = pods.choose(seats, limit - nodes_bound, self._seed(key))
        remarks.view_broken(self._fleet, self._notebook)
        remarks.too_many(key, chosen.dropped + left_out, limit, self._notebook, field)
        return _Behind(Served(chosen.targets, endpointless=self._endpointless(key)), port.port, seats)

    def _on_pods(self, service: Service, port: ServicePort, field: str) -> _Behind | None:
        key = service.key
        if not service.spec.selector:
            self._complain(
                "E4082",
                "ServiceWithoutSelector",
                f"Service {key} has no selector, which direct access needs; give it one",
                field,
            )
            return None
        if self._is_unread(key, ("EndpointSlice", "Pod"), field):
            return _Behind(Served(known=False))
        seats = self._crowd(service, port, None, field).seats
        # Where none may serve, to have no live target is right.
        empty = not any(seat.presence is Presence.REQUIRED for seat in seats)
        limit = self._settings.limits.targets_per_rule
        seats, dropped = pods.choose(seats, limit, self._seed(key))
        remarks.too_many(key, dropped, limit, self._notebook, field)
        return _Behind(Served(endpointless=empty), port.port, seats)

    def _crowd(self, service: Service, port: ServicePort, only_on: frozenset[str] | None, field: str) -> pods.Crowd:
        around = pods.Surroundings(
            pods=self._snapshot.pods,
            reused=self._snapshot.reused,
            nodes=self._nodes,
            routes_allowed=self._snapshot.switches.global_route_direct_access,
            ipv6=self._access.pods_ipv6,
            only_on=only_on,
        )
        found = pods.crowd(service, port, self._snapshot.slices.get(service.key, ()), around)
        remarks.left_out(service.key, found, self._notebook, field)
        return found

    @cached_property
    def _nodes(self) -> dict[str, Node]:
        return {node.metadata.name: node for node in self._snapshot.nodes}

    def _weighed(self, seat: pods.Seat, on: ListenerKey, service_port: int) -> Target:
        if seat.pod is None or (seat.resting and seat.terminating):
            return Target(seat.key, weight=UNSET if seat.pod is None else 0, presence=seat.presence)
        weighing = weigh(self._access.weights, seat.pod, on, service_port, self._notebook)
        if weighing.steady:
            return Target(seat.key, presence=seat.presence, steady=True)
        if seat.presence is not Presence.REQUIRED:
            return Target(seat.key, weight=0 if seat.resting else UNSET, presence=seat.presence)
        return Target(seat.key, weight=weighing.weight, presence=seat.presence)

    def _is_unread(self, key: ObjectKey, kinds: tuple[str, ...], field: str) -> bool:
        unread = tuple(kind for kind in kinds if kind in self._snapshot.unread)
        if unread:
            remarks.unread(key, unread, self._notebook, field)
        return bool(unread)

    def _seed(self, key: ObjectKey) -> str:
        return f"{self._snapshot.ingress.metadata.uid} {key}"

    def _endpointless(self, key: ObjectKey) -> bool:
        if "EndpointSlice" in self._snapshot.unread:
            return False
        parts = self._snapshot.slices.get(key, ())
        return not any(endpoint.addresses for part in parts for endpoint in part.endpoints)

    def _complain(self, code: str, reason: str, what: str, field: str) -> None:
        prefix = "" if what.startswith("Service ") else f"Ingress {self._notebook.about}: {field} "
        self._notebook.problem(code, reason, prefix + what, field=field)


def _by_key(target: Target) -> TargetKey:
    return target.key


def _port(service: Service, ref: ServicePortRef | None) -> ServicePort | None:
    if ref is None:
        return None
    for port in service.ports:
        # HTTP runs over TCP: a UDP port of the same number is another thing.
        is_meant = port.name == ref.name if ref.name else port.port == ref.number
        if is_meant and port.protocol in (None, "", "TCP"):
            return port
    return None


def _said(ref: ServicePortRef | None) -> str:
    if ref is None:
        return "(none is named)"
    return shown(ref.name) if ref.name else str(ref.number)
