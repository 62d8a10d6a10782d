"""How lists and maps of built-in kinds merge: the facts that Kubernetes keeps in struct tags and OpenAPI extensions.

A list that is not named here is atomic. Sources: the API reference ("Patch strategy", "Map: unique values on
keys ... will be kept during a merge", "Atomic: will be replaced during a merge", "Set").
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Listing:
    """How one list merges."""

    kind: str = "atomic"
    """Server-side apply: atomic, set or map."""
    keys: tuple[str, ...] = ()
    """Server-side apply: what tells members of a map-like list apart."""
    merge_key: str = ""
    """Strategic merge: the one field that does so; with kind `set` it is the member itself."""


ATOMIC = Listing()


def _by(*keys: str) -> Listing:
    return Listing("map", keys, keys[0])


_SET = Listing("set")
_APPLY_ONLY_SET = Listing("set", merge_key="-")

LISTINGS = {
    "V1ObjectMeta.finalizers": _SET,
    "V1ObjectMeta.ownerReferences": _by("uid"),
    "V1PodSpec.containers": _by("name"),
    "V1PodSpec.initContainers": _by("name"),
    "V1PodSpec.ephemeralContainers": _by("name"),
    "V1PodSpec.volumes": _by("name"),
    "V1PodSpec.imagePullSecrets": _by("name"),
    "V1PodSpec.hostAliases": _by("ip"),
    "V1PodSpec.schedulingGates": _by("name"),
    "V1PodSpec.resourceClaims": _by("name"),
    "V1PodSpec.topologySpreadConstraints": _by("topologyKey", "whenUnsatisfiable"),
    "V1Container.ports": _by("containerPort", "protocol"),
    "V1Container.env": _by("name"),
    "V1Container.volumeMounts": _by("mountPath"),
    "V1Container.volumeDevices": _by("devicePath"),
    "V1PodStatus.conditions": _by("type"),
    "V1PodStatus.podIPs": _by("ip"),
    "V1PodStatus.hostIPs": _by("ip"),
    "V1ServiceSpec.ports": _by("port", "protocol"),
    "V1ServiceStatus.conditions": _by("type"),
    "V1NamespaceStatus.conditions": _by("type"),
    "V1NodeSpec.podCIDRs": _SET,
    "V1NodeStatus.addresses": _by("type"),
    "V1NodeStatus.conditions": _by("type"),
    "V1ServiceAccount.secrets": _by("name"),
    "V1DeploymentStatus.conditions": _by("type"),
    "V1ReplicaSetStatus.conditions": _by("type"),
    "V1StatefulSetStatus.conditions": _by("type"),
    "V1DaemonSetStatus.conditions": _by("type"),
    "V1PodDisruptionBudgetStatus.conditions": _by("type"),
    "V1CustomResourceDefinitionStatus.conditions": Listing("map", ("type",)),
    "V1Endpoint.addresses": _APPLY_ONLY_SET,
}

ATOMIC_MAPS = frozenset({
    "V1LabelSelector",
    "V1NodeSelector",
    "V1NodeSelectorTerm",
    "V1ObjectReference",
    "V1LocalObjectReference",
    "V1TypedLocalObjectReference",
    "V1SecretKeySelector",
    "V1ConfigMapKeySelector",
    "V1ObjectFieldSelector",
    "V1ResourceFieldSelector",
    "V1SecretReference",
    "V1ServiceSpec.selector",
    "V1PodSpec.nodeSelector",
    "V1ManagedFieldsEntry",
})  # fmt: skip
"""Models, or fields that are maps, that server-side apply takes as one value."""

KEEPS_EMPTY_TEXT = frozenset({
    "V1IngressSpec.ingressClassName",
    "V1LeaseSpec.holderIdentity",
    "DiscoveryV1EndpointPort.name",
    "DiscoveryV1EndpointPort.protocol",
    "V1Endpoint.nodeName",
    "V1Endpoint.zone",
    "V1Endpoint.hostname",
    "V1Taint.effect",
})  # fmt: skip
"""Fields that are written even when they hold an empty text: pointers in Go, or fields without `omitempty`."""

MICRO_TIMES = frozenset({
    "V1LeaseSpec.acquireTime",
    "V1LeaseSpec.renewTime",
    "CoreV1Event.eventTime",
    "EventsV1Event.eventTime",
    "CoreV1EventSeries.lastObservedTime",
    "EventsV1EventSeries.lastObservedTime",
})  # fmt: skip
"""Time stamps that must have exactly six digits after the point."""
