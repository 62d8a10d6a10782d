"""Backends of an Ingress -> targets on nodes. One look-up per Service and port, however many rules use it.

What cannot be told leaves the rule out and holds it; what is known to be gone takes its targets off. Hosts, paths and
certificates are not seen here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from l7lb.model.cluster import Backend, EndpointSlice, Service, ServicePort, ServicePortRef
from l7lb.model.identity import ObjectKey
from l7lb.model.loadbalancer import Presence, Target, TargetKey
from l7lb.model.snapshot import Settings, Snapshot
from l7lb.translator import nodes
from l7lb.translator.notebook import Notebook, shown

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


class Backends:
    """Looks backends up in one snapshot."""

    def __init__(self, snapshot: Snapshot, settings: Settings, notebook: Notebook, *, ipv6: bool = False) -> None:
        self._snapshot = snapshot
        self._settings = settings
        self._notebook = notebook
        self._fleet = nodes.fleet(snapshot.nodes, snapshot.now, ipv6=ipv6)
        self._seen: dict[tuple[ObjectKey, ServicePortRef | None], Served | None] = {}

    @property
    def again_s(self) -> float | None:
        """Seconds until time alone changes what is wanted of a node."""
        return self._fleet.again_s

    def resolve(self, backend: Backend, field: str) -> Served | None:
        """Targets of a backend that stands at `field` of the Ingress; None: cannot be told, the rule is held."""
        if backend.service is None:
            what = f"{backend.resource.kind} {backend.resource.name}" if backend.resource else "nothing"
            self._complain("E4042", "BackendNotSupported", f"points at {shown(what)}; point it at a Service", field)
            return None
        key = ObjectKey(self._snapshot.ingress.metadata.namespace, backend.service.name)
        asked = (key, backend.service.port)
        if asked not in self._seen:
            self._seen[asked] = self._look_up(key, backend.service.port, field)
        return self._seen[asked]

    def _look_up(self, key: ObjectKey, ref: ServicePortRef | None, field: str) -> Served | None:
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
        if service.spec.type not in NODE_PORT_TYPES or not port.node_port:
            self._complain(
                "E4047",
                "NoNodePort",
                f"Service {key} has no NodePort for port {port.port}; set its type to NodePort or LoadBalancer",
                field,
            )
            return None
        return self._on_nodes(service, port, field)

    def _missing(self, key: ObjectKey, field: str) -> Served | None:
        self._complain("E4041", "ServiceNotFound", f"Service {key} not found; create it or change the backend", field)
        since = self._snapshot.services_gone_since.get(key)
        if since is None or self._snapshot.now - since < SERVICE_GONE_AFTER_S:
            return None
        return Served(endpointless=self._endpointless(key), shape_held=True)

    def _on_nodes(self, service: Service, port: ServicePort, field: str) -> Served:
        key = service.key
        slices = self._snapshot.slices.get(key, ())
        needs_slices = nodes.only_with_pods(service) or bool(self._fleet.super_nodes)
        if "Node" in self._snapshot.unread or not self._snapshot.nodes:
            self._notebook.warn("", "NodesUnknown", "No node of the cluster is known now; targets are left as they are")
            return Served(known=False)
        if needs_slices and "EndpointSlice" in self._snapshot.unread:
            self._notebook.warn(
                "", "NotRead", f"Endpoints of Service {key} cannot be read now; its targets are left", field=field
            )
            return Served(known=False)
        fleet = nodes.with_pods(self._fleet, slices) if nodes.only_with_pods(service) else self._fleet
        limit = self._settings.limits.targets_per_rule
        seed = f"{self._snapshot.ingress.metadata.uid} {key}"
        chosen = nodes.choose(fleet, port.node_port or 0, limit, seed)
        self._say_what_is_odd(key, chosen.dropped, field)
        pods = _pods_on(self._fleet.super_nodes, slices, port)
        return Served(tuple(sorted((*chosen.targets, *pods), key=_by_key)), endpointless=self._endpointless(key))

    def _say_what_is_odd(self, key: ObjectKey, dropped: int, field: str) -> None:
        if self._fleet.view_broken:
            self._notebook.warn(
                "",
                "NodesUnknown",
                f"{self._fleet.lost} nodes are NotReady, too many at once to believe it: their targets are left as they"
                " are; delete the Node objects of those that are gone",
            )
        if dropped:
            limit = self._settings.limits.targets_per_rule
            self._notebook.warn(
                "E4054",
                "TooManyTargets",
                f"Service {key} has {limit + dropped} nodes, a rule takes {limit}: {dropped} are not bound;"
                " ask for a higher quota of targets",
                field=field,
            )

    def _endpointless(self, key: ObjectKey) -> bool:
        if "EndpointSlice" in self._snapshot.unread:
            return False
        parts = self._snapshot.slices.get(key, ())
        return not any(endpoint.addresses for part in parts for endpoint in part.endpoints or ())

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


def _pods_on(super_nodes: frozenset[str], slices: tuple[EndpointSlice, ...], port: ServicePort) -> Iterator[Target]:
    """Pods on super nodes as TKE's controller binds them: left alone while they live, not added."""
    keys = {
        TargetKey(address, number.port)
        for part in slices
        for number in part.ports or ()
        if number.port and (number.name or "") == (port.name or "")
        for endpoint in part.endpoints or ()
        if endpoint.node_name in super_nodes
        for address in endpoint.addresses or ()
    }
    return (Target(key, presence=Presence.TOLERATED) for key in sorted(keys))
