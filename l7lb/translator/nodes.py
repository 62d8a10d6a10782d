"""Which nodes stand behind a NodePort, and what is wanted of each. Of Services only the traffic policy is looked at.

A node is REQUIRED (it is bound), TOLERATED (not added, left alone while it is bound) or left out (taken off). Many
nodes lost at once are a broken view, not broken nodes: they are tolerated.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address
from itertools import zip_longest
from typing import Final

from l7lb.model.cluster import Node, NodeCondition, Service
from l7lb.model.endpoints import EndpointSlice
from l7lb.model.loadbalancer import Presence, Target, TargetKey
from l7lb.model.site import Family, Site

GONE_AFTER_S: Final = 300.0
"""A node that has been NotReady for so long is taken off."""
SUSPECT_AFTER_S: Final = 60.0
"""A bound node that has been NotReady for so long gets no traffic, if the cloud's own check agrees."""
BATCH_S: Final = 300.0
"""Nodes lost within this time of each other are lost at once."""

REGISTERED: Final = "external"
"""A registered node is a machine outside of the cloud: value of the same label."""
EXCLUDE_LABEL: Final = "node.kubernetes.io/exclude-from-external-load-balancers"
CONTROL_PLANE_LABELS: Final = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
TYPE_LABEL: Final = "node.kubernetes.io/instance-type"
SUPER_NODE: Final = "eklet"
"""TKE's super nodes have no NodePorts."""
ZONE_LABELS: Final = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
HERE: Final = Site()
LOCAL_ONLY_ANNOTATION: Final = "service.kubernetes.io/local-svc-only-bind-node-with-pod"


@dataclass(frozen=True, slots=True)
class Member:
    """A node as a possible target."""

    name: str
    zone: str
    address: str
    instance_id: str | None
    presence: Presence
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class Fleet:
    """The nodes as possible targets, in a stable order. One for all rules of an Ingress."""

    members: tuple[Member, ...]
    view_broken: bool
    """More nodes were lost at once than can be true; the lost ones are TOLERATED."""
    lost: int = 0
    again_s: float | None = None
    """Seconds until the next lost node becomes suspect, or is given up."""
    super_nodes: frozenset[str] = frozenset()
    """Names of TKE's super nodes: no NodePort, but TKE's controller binds their pods."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Targets of one rule, sorted by key; `dropped` required nodes did not fit the quota."""

    targets: tuple[Target, ...]
    dropped: int = 0


def fleet(nodes: Iterable[Node], now: float, site: Site = HERE, *, registered: bool = False) -> Fleet:
    """Sort the nodes by what is wanted of them; `now` is wall clock. Without a usable address a node is left out."""
    ipv6 = site.family is Family.FULL_CHAIN
    everyone = sorted(nodes, key=lambda node: node.metadata.name)
    known = [node for node in everyone if not is_super(node)]
    eligible = [node for node in known if not _is_excluded(node) and (registered or not _is_registered(node))]
    ready = [node for node in eligible if is_ready(node)]
    lost = [node for node in eligible if not is_ready(node)]
    gone = [node for node in lost if now - _since(node, now) >= GONE_AFTER_S]
    spared = {id(node) for node in gone if _batch(node, lost, now) > max(1, len(eligible) // 4)} if ready else set()
    dropped = {id(node) for node in gone} - spared if ready else set()
    doubted = [node for node in lost if now - _since(node, now) >= SUSPECT_AFTER_S] if ready else []
    suspect = {id(node) for node in doubted if _batch(node, lost, now) <= max(1, len(eligible) // 4)}
    working = [node for node in ready if not node.spec.unschedulable] or ready
    required = {id(node) for node in working}
    members = tuple(
        replace(
            _member(node, address, Presence.REQUIRED if id(node) in required else Presence.TOLERATED, site),
            suspect=id(node) in suspect,
        )
        for node in known
        if id(node) not in dropped and (address := _address(node, ipv6=ipv6))
    )
    super_nodes = frozenset(node.metadata.name for node in everyone if is_super(node))
    ages = [now - _since(node, now) for node in lost]
    ahead = [after - age for age in ages for after in (SUSPECT_AFTER_S, GONE_AFTER_S) if age < after]
    broken = bool(spared) or (bool(gone) and not ready)
    return Fleet(members, broken, len(lost), min(ahead, default=None), super_nodes)


def with_pods(fleet: Fleet, slices: Iterable[EndpointSlice]) -> Fleet:
    """Only nodes that run a pod of the Service; a node whose pods are all unready is not added."""
    serving: dict[str, bool] = {}
    for endpoint in (endpoint for part in slices for endpoint in part.endpoints):
        if endpoint.node_name:
            is_ready = endpoint.conditions is None or endpoint.conditions.ready is not False
            serving[endpoint.node_name] = serving.get(endpoint.node_name, False) or is_ready
    members = tuple(
        member if serving[member.name] else replace(member, presence=Presence.TOLERATED)
        for member in fleet.members
        if member.name in serving
    )
    return replace(fleet, members=members)


def only_with_pods(service: Service) -> bool:
    """Whether the Service asks for nodes with its pods only; `externalTrafficPolicy: Local` alone does not."""
    asked = service.annotations.get(LOCAL_ONLY_ANNOTATION, "").strip() == "true"
    return asked and service.spec.external_traffic_policy == "Local"


def choose(fleet: Fleet, port: int, limit: int, seed: str) -> Chosen:
    """Targets on one NodePort: every node, or a stable choice over the zones when there are more than `limit`."""
    required: dict[str, Member] = {}
    tolerated: dict[str, Member] = {}
    for member in fleet.members:
        (required if member.presence is Presence.REQUIRED else tolerated).setdefault(member.address, member)
    kept = _spread(tuple(required.values()), limit, seed)
    kept += tuple(member for address, member in tolerated.items() if address not in required)
    targets = (
        Target(TargetKey(member.address, port), member.instance_id, presence=member.presence, suspect=member.suspect)
        for member in kept
    )
    return Chosen(tuple(sorted(targets, key=lambda target: target.key)), dropped=max(0, len(required) - limit))


def _spread(members: tuple[Member, ...], limit: int, seed: str) -> tuple[Member, ...]:
    if len(members) <= limit:
        return members
    zones: dict[str, list[Member]] = {}
    for member in sorted(members, key=lambda member: _score(member, seed)):
        zones.setdefault(member.zone, []).append(member)
    turns = zip_longest(*(zones[zone] for zone in sorted(zones)))
    return tuple([member for turn in turns for member in turn if member is not None][:limit])


def _score(member: Member, seed: str) -> bytes:
    return hashlib.sha256(f"{seed}\n{member.name}".encode(errors="backslashreplace")).digest()


def _member(node: Node, address: str, presence: Presence, site: Site) -> Member:
    # An IPv6 address, or one in another region or VPC, can only be bound as an address (Target.EniIp).
    by_address = site.remote or site.family is Family.FULL_CHAIN or _is_registered(node)
    instance_id = None if by_address else _instance_id(node)
    return Member(node.metadata.name, _zone(node), address, instance_id, presence)


def _zone(node: Node) -> str:
    labels = _labels(node)
    return next((labels[label] for label in ZONE_LABELS if label in labels), "")


def _batch(node: Node, lost: Sequence[Node], now: float) -> int:
    moment = _since(node, now)
    return sum(abs(_since(other, now) - moment) <= BATCH_S for other in lost)


def _address(node: Node, *, ipv6: bool) -> str | None:
    for entry in node.status.addresses or ():
        if entry.type == "InternalIP" and _version(entry.address) == (6 if ipv6 else 4):
            return entry.address
    return None


@lru_cache(maxsize=8192)
def _version(address: str) -> int:
    try:
        return ip_address(address).version
    except ValueError:
        return 0


def _instance_id(node: Node) -> str | None:
    last = (node.spec.provider_id or "").rpartition("/")[2]
    return last if last.startswith("ins-") and last != "ins-" else None


def _condition(node: Node) -> NodeCondition | None:
    return next((found for found in node.status.conditions or () if found.type == "Ready"), None)


def is_ready(node: Node) -> bool:
    """Whether the Ready condition is true."""
    condition = _condition(node)
    return condition is not None and condition.status == "True"


def _since(node: Node, now: float) -> float:
    """When it turned NotReady; a time that cannot be read counts as now, which takes nothing off."""
    condition = _condition(node)
    try:
        moment = datetime.fromisoformat((condition and condition.last_transition_time) or "")
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return now
    # Go writes its zero time, year 1, for "not set".
    return seconds if seconds > 0 else now


def _is_excluded(node: Node) -> bool:
    labels = _labels(node)
    return EXCLUDE_LABEL in labels or any(label in labels for label in CONTROL_PLANE_LABELS)


def _is_registered(node: Node) -> bool:
    return _labels(node).get(TYPE_LABEL) == REGISTERED


def is_super(node: Node) -> bool:
    """Whether it is one of TKE's super nodes."""
    return _labels(node).get(TYPE_LABEL) == SUPER_NODE


def _labels(node: Node) -> Mapping[str, str]:
    return node.metadata.labels or {}
