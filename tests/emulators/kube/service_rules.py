"""Which Services and EndpointSlices are refused.

Addresses and node ports that cannot be had are found where they are handed out, in `services`.
Source: the API reference, ServiceSpec v1 core and EndpointSlice v1 discovery.k8s.io.
"""

import ipaddress
from collections.abc import Iterator

from tests.emulators.kube import fields
from tests.emulators.kube.refusals import Cause
from tests.emulators.kube.wire import Json

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
PROTOCOLS = ("SCTP", "TCP", "UDP")
POLICIES = ("Cluster", "Local")
ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
ENDPOINTS_MAX, ADDRESSES_MAX, PORTS_MAX = 1000, 100, 100


def service(new: Json, old: Json | None) -> Iterator[Cause]:
    """A Service."""
    spec = new["spec"]
    is_headless = spec.get("clusterIP") == "None"
    ports = spec.get("ports") or []
    if not ports and not is_headless and spec["type"] != "ExternalName":
        yield fields.required("spec.ports")
    yield from _by_type(spec, is_headless=is_headless)
    yield from fields.one_of("spec.sessionAffinity", spec["sessionAffinity"], ("ClientIP", "None"))
    yield from _ports(spec, ports)
    yield from fields.one_of("spec.type", spec["type"], TYPES)
    if "externalTrafficPolicy" in spec and spec["type"] in {"NodePort", "LoadBalancer"}:
        yield from fields.one_of("spec.externalTrafficPolicy", spec["externalTrafficPolicy"], POLICIES)
    elif "externalTrafficPolicy" in spec:
        why = "may only be set for externally-accessible services"
        yield fields.invalid("spec.externalTrafficPolicy", spec["externalTrafficPolicy"], why)
    if "internalTrafficPolicy" in spec:
        yield from fields.one_of("spec.internalTrafficPolicy", spec["internalTrafficPolicy"], POLICIES)
    if old is not None:
        yield from _kept_address(old["spec"], spec)


def _by_type(spec: Json, *, is_headless: bool) -> Iterator[Cause]:
    match spec["type"]:
        case "LoadBalancer" | "NodePort" if is_headless:
            why = f"may not be set to 'None' for {spec['type']} services"
            yield fields.invalid("spec.clusterIPs[0]", "None", why)
        case "LoadBalancer":
            for index, port in enumerate(spec.get("ports") or []):
                if port.get("port") == 10250:
                    why = "may not expose port 10250 externally since it is used by kubelet"
                    yield fields.invalid(f"spec.ports[{index}]", 10250, why)
        case "ExternalName":
            if spec.get("clusterIP"):
                yield fields.forbidden("spec.clusterIPs", "may not be set for ExternalName services")
            name = spec.get("externalName", "").removesuffix(".")
            if name:
                yield from fields.subdomain("spec.externalName", name)
            else:
                yield fields.required("spec.externalName")


def _ports(spec: Json, ports: list[Json]) -> Iterator[Cause]:
    names: set[str] = set()
    numbers: set[tuple[int, str]] = set()
    for index, port in enumerate(ports):
        path = f"spec.ports[{index}]"
        yield from _port(path, port, names, must_be_named=len(ports) > 1)
        if port.get("nodePort") and spec["type"] == "ClusterIP":
            yield fields.forbidden(f"{path}.nodePort", "may not be used when `type` is 'ClusterIP'")
    for index, port in enumerate(ports):
        key = (port.get("port", 0), port["protocol"])
        if key in numbers:
            told = f'{{"protocol":"{key[1]}","port":{key[0]},"targetPort":0}}'
            yield fields.duplicate(f"spec.ports[{index}]", told)
        numbers.add(key)


def _port(path: str, port: Json, names: set[str], *, must_be_named: bool) -> Iterator[Cause]:
    name = port.get("name", "")
    if must_be_named and not name:
        yield fields.required(f"{path}.name")
    elif name:
        yield from fields.label(f"{path}.name", name)
        if name in names:
            yield fields.duplicate(f"{path}.name", fields.shown(name))
        names.add(name)
    yield from fields.port_number(f"{path}.port", port.get("port", 0))
    yield from fields.one_of(f"{path}.protocol", port["protocol"], PROTOCOLS)
    target = port.get("targetPort")
    if isinstance(target, int):
        yield from fields.port_number(f"{path}.targetPort", target)
    elif isinstance(target, str):
        yield from fields.port_name(f"{path}.targetPort", target)


def _kept_address(was: Json, spec: Json) -> Iterator[Cause]:
    if "ExternalName" in {was["type"], spec["type"]} or not was.get("clusterIP"):
        return
    if spec.get("clusterIP") != was["clusterIP"]:
        yield fields.invalid("spec.clusterIPs[0]", [spec.get("clusterIP")], "may not change once set")


def endpoint_slice(new: Json, old: Json | None) -> Iterator[Cause]:
    """An EndpointSlice."""
    kind = new.get("addressType", "")
    if not kind:
        yield fields.required("addressType")
    else:
        yield from fields.one_of("addressType", kind, ADDRESS_TYPES)
    endpoints, ports = new.get("endpoints") or [], new.get("ports") or []
    if len(endpoints) > ENDPOINTS_MAX:
        yield "FieldValueTooMany", "endpoints", f"Too many: {len(endpoints)}: must have at most {ENDPOINTS_MAX} items"
    for index, endpoint in enumerate(endpoints):
        yield from _endpoint(f"endpoints[{index}]", endpoint, kind)
    if len(ports) > PORTS_MAX:
        yield "FieldValueTooMany", "ports", f"Too many: {len(ports)}: must have at most {PORTS_MAX} items"
    names: set[str] = set()
    for index, port in enumerate(ports):
        path = f"ports[{index}]"
        if port["name"]:
            yield from fields.label(f"{path}.name", port["name"])
        if port["name"] in names:
            yield fields.duplicate(f"{path}.name", fields.shown(port["name"]))
        names.add(port["name"])
        yield from fields.one_of(f"{path}.protocol", port["protocol"], PROTOCOLS)
    if old is not None:
        yield from fields.immutable("addressType", old.get("addressType"), kind)


def _endpoint(path: str, endpoint: Json, kind: str) -> Iterator[Cause]:
    addresses = endpoint.get("addresses") or []
    if not addresses:
        yield fields.required(f"{path}.addresses", "must contain at least 1 address")
    if len(addresses) > ADDRESSES_MAX:
        why = f"Too many: {len(addresses)}: must have at most {ADDRESSES_MAX} items"
        yield "FieldValueTooMany", f"{path}.addresses", why
    for index, text in enumerate(addresses):
        place = f"{path}.addresses[{index}]"
        if kind not in ADDRESS_TYPES:
            continue
        if kind == "FQDN":
            yield from fields.subdomain(place, text)
        elif not fields.is_address(text):
            yield fields.invalid(place, text, fields.IP_MESSAGE)
        elif ipaddress.ip_address(text).version != (4 if kind == "IPv4" else 6):
            yield fields.invalid(place, text, f"must be an {kind} address")
    if endpoint.get("nodeName"):
        yield from fields.subdomain(f"{path}.nodeName", endpoint["nodeName"])
