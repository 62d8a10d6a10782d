"""Addresses and node ports of Services: kept from the old object, checked, or handed out by the dice.

What is in use is read from storage every time, so a restore cannot leave it wrong. Source: "Service",
Choosing your own IP address and Choosing your own port; "Reserving Kubernetes NodePort ranges" (random unless
asked for).
"""

import ipaddress
from collections.abc import Iterator

from tests.emulators.kube import fields
from tests.emulators.kube.refusals import Cause
from tests.emulators.kube.wire import Json
from tests.emulators.kube.world import World

CLUSTER_NETWORK = ipaddress.IPv4Network("10.96.0.0/16")
NODE_PORTS = range(30000, 32768)
ADDRESS_FIELDS = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")


def _wants_health_port(spec: Json) -> bool:
    return spec["type"] == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _wants_node_ports(spec: Json) -> bool:
    return spec["type"] == "NodePort" or (
        spec["type"] == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False
    )


def keep(old: Json, new: Json) -> None:
    """Carry over what an update left out although it still needs it, and drop what its new type has no use for."""
    was, spec = old["spec"], new["spec"]
    if spec["type"] == "ExternalName":
        for name in ADDRESS_FIELDS:
            spec.pop(name, None)
    elif was["type"] != "ExternalName" and "clusterIP" in was:
        _keep_address(was, spec)
    if was["type"] != spec["type"]:
        _drop_fields_of_type(was, spec)
    if was["type"] == "LoadBalancer" != spec["type"]:
        new["status"]["loadBalancer"] = {}
    if "healthCheckNodePort" in was and _wants_health_port(spec):
        spec.setdefault("healthCheckNodePort", was["healthCheckNodePort"])
    if not _wants_node_ports(spec):
        if _wants_node_ports(was):
            _drop_old_node_ports(was, spec)
    elif _wants_node_ports(was):
        _keep_node_ports(was, spec)


def _keep_address(was: Json, spec: Json) -> None:
    spec.setdefault("clusterIP", was["clusterIP"])
    if spec["clusterIP"] == was["clusterIP"]:
        for name in ADDRESS_FIELDS:
            if name in was:
                spec.setdefault(name, was[name])


def _drop_fields_of_type(was: Json, spec: Json) -> None:
    # Only what the update left as it was: a value that it sets on purpose is for validation to refuse.
    useless = set()
    if spec["type"] not in {"NodePort", "LoadBalancer"}:
        useless |= {"externalTrafficPolicy"}
    if spec["type"] == "ExternalName":
        useless |= {"internalTrafficPolicy"}
    if spec["type"] != "LoadBalancer":
        useless |= {"allocateLoadBalancerNodePorts", "loadBalancerClass"}
    if not _wants_health_port(spec):
        useless |= {"healthCheckNodePort"}
    for name in useless:
        if name in spec and spec[name] == was.get(name):
            del spec[name]


def _keep_node_ports(was: Json, spec: Json) -> None:
    known = {(port.get("port"), port.get("protocol")): port.get("nodePort") for port in was.get("ports") or []}
    for port in spec.get("ports") or []:
        if known.get((port.get("port"), port.get("protocol"))):
            port.setdefault("nodePort", known[port.get("port"), port.get("protocol")])


def _drop_old_node_ports(was: Json, spec: Json) -> None:
    held = {port.get("nodePort") for port in was.get("ports") or []}
    for port in spec.get("ports") or []:
        if port.get("nodePort") in held:
            port.pop("nodePort", None)


def allocate(world: World, obj: Json, name: str) -> list[Cause]:
    """Hand out what the Service needs; what comes back is why something asked for cannot be had."""
    spec: Json = obj["spec"]
    causes: list[Cause] = []
    namespace = obj["metadata"].get("namespace", "")
    others = [record.obj["spec"] for key, record in world.storage.scan("services") if key != (namespace, name)]
    if spec["type"] != "ExternalName":
        causes += _allocate_address(world, spec, others)
    if _wants_node_ports(spec):
        causes += _allocate_node_ports(world, spec, others)
    if _wants_health_port(spec) and not spec.get("healthCheckNodePort"):
        taken = {port.get("nodePort") for other in [*others, spec] for port in other.get("ports") or []}
        taken |= {other.get("healthCheckNodePort") for other in others}
        spec["healthCheckNodePort"] = world.dice.choice([port for port in NODE_PORTS if port not in taken])
    return causes


def _allocate_address(world: World, spec: Json, others: list[Json]) -> Iterator[Cause]:
    taken = {other.get("clusterIP") for other in others}
    address = spec.get("clusterIP")
    if not address:
        while not address or address in taken:
            address = str(CLUSTER_NETWORK[world.dice.randrange(256, CLUSTER_NETWORK.num_addresses - 1)])
    elif address != "None":
        yield from _asked_address(address, taken)
    spec["clusterIP"] = address
    spec.setdefault("clusterIPs", [address])
    # Nobody knows what a headless Service without a selector leads to, so it gets both families even here.
    is_open = address == "None" and not spec.get("selector")
    spec.setdefault("ipFamilies", ["IPv4", "IPv6"] if is_open else ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "RequireDualStack" if is_open else "SingleStack")


def _asked_address(address: str, taken: set[str | None]) -> Iterator[Cause]:
    if not fields.is_address(address):
        yield fields.invalid("spec.clusterIPs[0]", address, fields.IP_MESSAGE)
        return
    refused = ""
    if address in taken:
        refused = "provided IP is already allocated"
    elif ipaddress.ip_address(address) not in CLUSTER_NETWORK:
        refused = f"the provided IP ({address}) is not in the valid range. The range of valid IPs is {CLUSTER_NETWORK}"
    if refused:
        yield fields.invalid("spec.clusterIPs", [address], f"failed to allocate IP {address}: {refused}")


def _allocate_node_ports(world: World, spec: Json, others: list[Json]) -> Iterator[Cause]:
    taken = {(port.get("nodePort"), port.get("protocol")) for other in others for port in other.get("ports") or []}
    for index, port in enumerate(spec.get("ports") or []):
        protocol, asked = port.get("protocol"), port.get("nodePort")
        path = f"spec.ports[{index}].nodePort"
        if asked is None:
            port["nodePort"] = world.dice.choice([free for free in NODE_PORTS if (free, protocol) not in taken])
        elif asked not in NODE_PORTS:
            why = "provided port is not in the valid range. The range of valid ports is 30000-32767"
            yield fields.invalid(path, asked, why)
        elif (asked, protocol) in taken:
            yield fields.invalid(path, asked, "provided port is already allocated")
        taken.add((port["nodePort"], protocol))
