"""Facts about each kind that decide how it is written: generation, unconditional updates, names, subresources.

A table, no behaviour beyond reading it. Source: the registry strategies of the API server, as its documented
behaviour shows.
"""

from dataclasses import dataclass

from tests.emulators.kube.kinds import Kind
from tests.emulators.kube.wire import Json


@dataclass(frozen=True)
class Rules:
    """How one kind is written."""

    generation: str = ""
    """What raises `metadata.generation`: "", "spec", "spec+annotations", "content+labels", "content" or "never"."""
    updates_blindly: bool = True
    """Whether an update without a resourceVersion is taken."""
    creates_on_update: bool = False
    name: str = "subdomain"
    """subdomain, label, label-1035 or segment."""
    returns_deleted: bool = False
    """Whether a delete answers with the object instead of a Status."""


_TABLE = {
    "namespaces": Rules(updates_blindly=False, name="label"),
    "pods": Rules("never", returns_deleted=True),
    "services": Rules(creates_on_update=True, name="label-1035", returns_deleted=True),
    "serviceaccounts": Rules(returns_deleted=True),
    "endpoints": Rules(creates_on_update=True),
    "events": Rules(creates_on_update=True),
    "deployments.apps": Rules("spec+annotations"),
    "replicasets.apps": Rules("spec"),
    "statefulsets.apps": Rules("spec"),
    "daemonsets.apps": Rules("spec"),
    "ingresses.networking.k8s.io": Rules("spec"),
    "ingressclasses.networking.k8s.io": Rules("spec"),
    "endpointslices.discovery.k8s.io": Rules("content+labels"),
    "leases.coordination.k8s.io": Rules(updates_blindly=False, creates_on_update=True),
    "poddisruptionbudgets.policy": Rules("spec", updates_blindly=False),
    "roles.rbac.authorization.k8s.io": Rules(creates_on_update=True, name="segment"),
    "rolebindings.rbac.authorization.k8s.io": Rules(creates_on_update=True, name="segment"),
    "clusterroles.rbac.authorization.k8s.io": Rules(creates_on_update=True, name="segment"),
    "clusterrolebindings.rbac.authorization.k8s.io": Rules(creates_on_update=True, name="segment"),
    "customresourcedefinitions.apiextensions.k8s.io": Rules("spec", updates_blindly=False),
}
_CUSTOM = Rules("content", updates_blindly=False)


def of_kind(kind: Kind) -> Rules:
    """The row of a kind."""
    return _CUSTOM if kind.is_custom else _TABLE.get(kind.bucket, Rules())


def initial_generation(kind: Kind) -> int | None:
    """`metadata.generation` of a new object, where the kind has one."""
    return 1 if of_kind(kind).generation else None


def raises_generation(kind: Kind, old: Json, new: Json) -> bool:
    """Whether the change from old to new is one of what is wanted, and not only of what is seen."""

    def of(obj: Json) -> object:
        match of_kind(kind).generation:
            case "spec":
                return obj.get("spec")
            case "spec+annotations":
                return obj.get("spec"), obj["metadata"].get("annotations")
            case "content+labels":
                return _content(obj, set()), obj["metadata"].get("labels")
            case "content":
                return _content(obj, {"status"} if "status" in kind.subresources else set())
            case _:
                return None

    return of(old) != of(new)


def _content(obj: Json, without: set[str]) -> Json:
    return {name: value for name, value in obj.items() if name not in {"metadata", *without}}


def confine(kind: Kind, old: Json, new: Json, subresource: str) -> None:
    """Undo in `new` what this write may not touch: the status, or all but the status."""
    if subresource == "status":
        for name in old.keys() | new.keys():
            if name not in {"status", "metadata"}:
                _take(old, new, name)
        if kind.is_custom or kind.name == "CustomResourceDefinition":
            kept = {name: new["metadata"].get(name) for name in ("managedFields", "resourceVersion", "uid")}
            new["metadata"] = {**old["metadata"], **{name: value for name, value in kept.items() if value}}
        elif kind.group == "apps":
            _take(old["metadata"], new["metadata"], "labels")
    elif "status" in kind.subresources:
        _take(old, new, "status")


def _take(old: Json, new: Json, name: str) -> None:
    if name in old:
        new[name] = old[name]
    else:
        new.pop(name, None)
