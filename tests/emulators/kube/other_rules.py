"""Which objects of the remaining kinds are refused.

Source: the API reference of each kind; "Extend the Kubernetes API with CustomResourceDefinitions" for the
last one.
"""

import base64
from collections.abc import Iterator

from tests.emulators.kube import fields
from tests.emulators.kube.refusals import Cause
from tests.emulators.kube.wire import Json

DATA_BYTES_MAX = 1024 * 1024


def config_map(new: Json, old: Json | None) -> Iterator[Cause]:
    """A ConfigMap."""
    data, binary = new.get("data") or {}, new.get("binaryData") or {}
    for key in data:
        yield from fields.data_key(f"data[{key}]", key)
        if key in binary:
            yield fields.invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
    for key in binary:
        yield from fields.data_key(f"binaryData[{key}]", key)
    if sum(len(value.encode()) for value in data.values()) > DATA_BYTES_MAX:
        yield "FieldValueTooLong", "", f"Too long: may not be more than {DATA_BYTES_MAX} bytes"
    if old is not None and old.get("immutable"):
        for name in ("data", "binaryData", "immutable"):
            if old.get(name) != new.get(name):
                yield fields.forbidden(name, "field is immutable when `immutable` is set")


def secret(new: Json, old: Json | None) -> Iterator[Cause]:
    """A Secret, whose type never changes."""
    data = new.get("data") or {}
    for key in data:
        yield from fields.data_key(f"data[{key}]", key)
    if sum(len(base64.b64decode(value)) for value in data.values()) > DATA_BYTES_MAX:
        yield "FieldValueTooLong", "data", f"Too long: may not be more than {DATA_BYTES_MAX} bytes"
    if new["type"] == "kubernetes.io/tls":
        for key in ("tls.crt", "tls.key"):
            if key not in data:
                yield fields.required(f"data[{key}]")
    if old is not None:
        yield from fields.immutable("type", old["type"], new["type"])
        if old.get("immutable") and (data != (old.get("data") or {}) or not new.get("immutable")):
            name = "data" if new.get("immutable") else "immutable"
            yield fields.forbidden(name, "field is immutable when `immutable` is set")


def lease(new: Json, _old: Json | None) -> Iterator[Cause]:
    """A Lease."""
    spec = new.get("spec") or {}
    if "leaseDurationSeconds" in spec and spec["leaseDurationSeconds"] <= 0:
        yield fields.invalid("spec.leaseDurationSeconds", spec["leaseDurationSeconds"], "must be greater than 0")
    if spec.get("leaseTransitions", 0) < 0:
        why = "must be greater than or equal to 0"
        yield fields.invalid("spec.leaseTransitions", spec["leaseTransitions"], why)


def new_event(new: Json, old: Json | None) -> Iterator[Cause]:
    """An Event written through events.k8s.io, which asks for more than core does."""
    for name, told in (("eventTime", "eventTime"), ("reportingComponent", "reportingController"),
                       ("reportingInstance", "reportingInstance"), ("action", "action"), ("reason", "reason"),
                       ("type", "type")):  # fmt: skip
        if old is None and not new.get(name):
            yield fields.required(told)
    yield from event(new, old)


def event(new: Json, _old: Json | None) -> Iterator[Cause]:
    """An Event, which lives where its object lives."""
    involved = new.get("involvedObject") or {}
    home = involved.get("namespace") or "default"
    if new["metadata"].get("namespace") not in {home, "kube-system"} or (
        new["metadata"].get("namespace") != home and involved.get("namespace")
    ):
        yield fields.invalid(
            "involvedObject.namespace", involved.get("namespace", ""), "does not match event.namespace"
        )


def pod(new: Json, _old: Json | None) -> Iterator[Cause]:
    """A Pod."""
    yield from _containers("spec.containers", (new.get("spec") or {}).get("containers") or [])


def _containers(path: str, containers: list[Json]) -> Iterator[Cause]:
    if not containers:
        yield fields.required(path)
    names: set[str] = set()
    for index, container in enumerate(containers):
        place = f"{path}[{index}]"
        name = container.get("name", "")
        if not name:
            yield fields.required(f"{place}.name")
        else:
            yield from fields.label(f"{place}.name", name)
        if name in names:
            yield fields.duplicate(f"{place}.name", fields.shown(name))
        names.add(name)
        if not container.get("image"):
            yield fields.required(f"{place}.image")


def workload(new: Json, old: Json | None) -> Iterator[Cause]:
    """A Deployment, ReplicaSet, StatefulSet or DaemonSet: its selector is there, fits its pods and never changes."""
    spec = new["spec"]
    if spec.get("replicas", 0) < 0:
        yield fields.invalid("spec.replicas", spec["replicas"], "must be greater than or equal to 0")
    selector = spec.get("selector")
    template = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    if not selector:
        yield fields.required("spec.selector")
    elif any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        yield fields.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    yield from _containers("spec.template.spec.containers", (template.get("spec") or {}).get("containers") or [])
    if old is not None:
        yield from fields.immutable("spec.selector", old["spec"].get("selector"), selector)


def binding(new: Json, old: Json | None) -> Iterator[Cause]:
    """A RoleBinding or ClusterRoleBinding, whose role never changes."""
    reference = new.get("roleRef") or {}
    for name in ("kind", "name"):
        if not reference.get(name):
            yield fields.required(f"roleRef.{name}")
    if old is not None and reference != old.get("roleRef"):
        yield fields.invalid("roleRef", reference.get("name"), "cannot change roleRef")


def definition(new: Json, old: Json | None) -> Iterator[Cause]:
    """A CustomResourceDefinition."""
    spec = new.get("spec") or {}
    names, group, versions = spec.get("names") or {}, spec.get("group", ""), spec.get("versions") or []
    wanted = f"{names.get('plural', '')}.{group}"
    if new["metadata"].get("name") != wanted:
        why = 'must be spec.names.plural+"."+spec.group'
        yield fields.invalid("metadata.name", new["metadata"].get("name"), why)
    if not group:
        yield fields.required("spec.group")
    yield from fields.one_of("spec.scope", spec.get("scope", ""), ("Cluster", "Namespaced"))
    for name in ("plural", "kind"):
        if not names.get(name):
            yield fields.required(f"spec.names.{name}")
    if not versions:
        yield fields.required("spec.versions", "must have at least one version")
    elif sum(bool(version.get("storage")) for version in versions) != 1:
        yield fields.invalid("spec.versions", "", "must have exactly one version marked as storage version")
    for index, version in enumerate(versions):
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            yield fields.required(f"spec.versions[{index}].schema.openAPIV3Schema", "schemas are required")
    if old is not None:
        yield from fields.immutable("spec.scope", old["spec"].get("scope"), spec.get("scope"))
        yield from fields.immutable("spec.group", old["spec"].get("group"), group)
