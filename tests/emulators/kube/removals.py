"""Delete, finalizers and the end of a namespace.

The namespace controller's part is played here at once, since a namespace would stay Terminating for ever
without it; no other controller is. Source: "Finalizers"; "Namespaces", and the conditions that a terminating
namespace shows.
"""

from dataclasses import dataclass

from tests.emulators.kube import definitions, rules
from tests.emulators.kube.kinds import Kind
from tests.emulators.kube.refusals import ApiError, about, conflict, forbidden, invalid, not_found
from tests.emulators.kube.targets import Target
from tests.emulators.kube.wire import Json, copied
from tests.emulators.kube.world import World

GRACE_DEFAULT_S = 30
IMMORTAL = {"default", "kube-system", "kube-public"}
PROPAGATIONS = {"Orphan", "Background", "Foreground"}


@dataclass(frozen=True)
class DeleteOptions:
    """The body, or the query, of a delete."""

    uid: str = ""
    resource_version: str = ""
    grace_s: int | None = None
    dry_run: bool = False

    @classmethod
    def of(cls, body: Json, query: Json) -> "DeleteOptions":
        """Read both; 422 for a propagation policy that there is none of."""
        policy = body.get("propagationPolicy") or query.get("propagationPolicy")
        if policy and policy not in PROPAGATIONS:
            cause = (
                "FieldValueNotSupported",
                "propagationPolicy",
                f'Unsupported value: "{policy}": supported values: "Background", "Foreground", "Orphan"',
            )
            raise invalid("DeleteOptions", "meta.k8s.io", "", [cause])
        asked = body.get("preconditions") or {}
        grace = body.get("gracePeriodSeconds", query.get("gracePeriodSeconds"))
        dry_run = body.get("dryRun") == ["All"] or query.get("dryRun") == "All"
        return cls(
            asked.get("uid") or "", asked.get("resourceVersion") or "", None if grace is None else int(grace), dry_run
        )


def delete(world: World, target: Target, options: DeleteOptions) -> Json:
    """DELETE of one object: the object if it has to wait or the kind answers so, else a Status."""
    kind = target.kind
    record = world.find(kind, target.namespace, target.name)
    if record is None:
        raise not_found(kind.plural, kind.group, target.name)
    _check_preconditions(target, record.obj, options)
    if kind.bucket == "namespaces" and target.name in IMMORTAL:
        raise forbidden(kind.plural, kind.group, target.name, "this namespace may not be deleted")
    if options.dry_run:
        return _success(target, record.obj)
    obj = _marked(world, kind, record.obj, options)
    if is_released(kind, obj) or _is_free(kind, obj):
        last = remove_released(world, target, obj)
        return last if rules.of_kind(kind).returns_deleted else _success(target, last)
    stored = obj
    if obj != record.obj:
        stored = world.storage.put(kind.bucket, (target.namespace, target.name), obj).obj
    after_update(world, kind, stored)
    left = world.find(kind, target.namespace, target.name)
    return left.obj if left else stored


def _check_preconditions(target: Target, obj: Json, options: DeleteOptions) -> None:
    kind, held = target.kind, obj["metadata"]
    for word, asked, there in (
        ("UID", options.uid, held["uid"]),
        ("ResourceVersion", options.resource_version, held["resourceVersion"]),
    ):
        if asked and asked != there:
            why = f"Precondition failed: {word} in precondition: {asked}, {word} in object meta: {there}"
            raise conflict(kind.plural, kind.group, target.name, why)


def _marked(world: World, kind: Kind, obj: Json, options: DeleteOptions) -> Json:
    marked = copied(obj)
    metadata = marked["metadata"]
    grace = _grace_s(kind, obj, options)
    if "deletionTimestamp" not in metadata:
        metadata["deletionTimestamp"] = world.stamp()
        metadata["deletionGracePeriodSeconds"] = grace
        if "generation" in metadata:
            metadata["generation"] += 1
    elif kind.name == "Pod":
        metadata["deletionGracePeriodSeconds"] = min(metadata.get("deletionGracePeriodSeconds", 0), grace)
    if kind.bucket == "namespaces":
        marked.setdefault("status", {})["phase"] = "Terminating"
    return marked


def _grace_s(kind: Kind, obj: Json, options: DeleteOptions) -> int:
    # Only a pod that is bound to a node and still runs is given time: its kubelet ends it.
    if kind.name != "Pod" or not obj["spec"].get("nodeName"):
        return 0
    if (obj.get("status") or {}).get("phase") in {"Succeeded", "Failed"}:
        return 0
    if options.grace_s is not None:
        return options.grace_s
    return int(obj["spec"].get("terminationGracePeriodSeconds", GRACE_DEFAULT_S))


def _is_free(kind: Kind, obj: Json) -> bool:
    if kind.bucket == "namespaces":
        return False
    return not obj["metadata"].get("finalizers") and not obj["metadata"].get("deletionGracePeriodSeconds")


def is_released(kind: Kind, obj: Json) -> bool:
    """Whether an object that is being deleted has nothing left to wait for."""
    metadata = obj["metadata"]
    if "deletionTimestamp" not in metadata or metadata.get("finalizers"):
        return False
    if kind.bucket == "namespaces":
        return not (obj.get("spec") or {}).get("finalizers")
    return not metadata.get("deletionGracePeriodSeconds")


def remove_released(world: World, target: Target, obj: Json) -> Json:
    """Take an object away for good; its last stored state comes back."""
    kind = target.kind
    key = (target.namespace if kind.namespaced else "", obj["metadata"]["name"])
    last = world.storage.remove(kind.bucket, key).obj
    definitions.removed(world, kind, last)
    if kind.namespaced:
        _settle_namespace(world, target.namespace)
    return last


def after_update(world: World, kind: Kind, obj: Json) -> None:
    """Go on with the end of a namespace whenever it was touched."""
    if kind.bucket == "namespaces" and "deletionTimestamp" in obj["metadata"]:
        _settle_namespace(world, obj["metadata"]["name"])


def _settle_namespace(world: World, namespace: str) -> None:
    record = world.storage.get("namespaces", ("", namespace))
    if record is None or "deletionTimestamp" not in record.obj["metadata"] or namespace in world.settling:
        return
    world.settling.add(namespace)
    try:
        _empty_namespace(world, namespace)
    finally:
        world.settling.discard(namespace)


def _empty_namespace(world: World, namespace: str) -> None:
    for kind in _stored_kinds(world):
        for key, found in list(world.storage.scan(kind.bucket, namespace)):
            if "deletionTimestamp" not in found.obj["metadata"]:
                options = DeleteOptions(grace_s=0)
                delete(world, Target(kind, namespace, key[1]), options)
    record = world.storage.get("namespaces", ("", namespace))
    if record is None:
        return
    left = {kind.plural: names for kind in _stored_kinds(world) if (names := _held(world, kind, namespace))}
    namespace_object = copied(record.obj)
    if left:
        conditions = _remaining(world, left)
        known = {condition["message"] for condition in namespace_object["status"].get("conditions") or ()}
        if known != {condition["message"] for condition in conditions}:
            namespace_object["status"]["conditions"] = conditions
            world.storage.put("namespaces", ("", namespace), namespace_object)
        return
    namespace_object["spec"] = {}
    namespace_object["status"].pop("conditions", None)
    if namespace_object["metadata"].get("finalizers"):
        world.storage.put("namespaces", ("", namespace), namespace_object)
    else:
        world.storage.remove("namespaces", ("", namespace))


def _stored_kinds(world: World) -> list[Kind]:
    by_bucket = {kind.bucket: kind for kind in reversed(list(world.catalog)) if kind.namespaced}
    return [by_bucket[name] for name in sorted(by_bucket)]


def _held(world: World, kind: Kind, namespace: str) -> list[list[str]]:
    return [
        list(record.obj["metadata"].get("finalizers") or ()) for _, record in world.storage.scan(kind.bucket, namespace)
    ]


def _remaining(world: World, left: dict[str, list[list[str]]]) -> list[Json]:
    content = ", ".join(f"{plural} has {len(held)} resource instances" for plural, held in left.items())
    finalizers: dict[str, int] = {}
    for held in left.values():
        for name in (name for names in held for name in names):
            finalizers[name] = finalizers.get(name, 0) + 1
    named = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(finalizers.items()))
    told = [("NamespaceContentRemaining", "SomeResourcesRemain", f"Some resources are remaining: {content}")]
    if finalizers:
        text = f"Some content in the namespace has finalizers remaining: {named}"
        told.append(("NamespaceFinalizersRemaining", "SomeFinalizersRemain", text))
    return [
        {"type": kind, "status": "True", "lastTransitionTime": world.stamp(), "reason": reason, "message": message}
        for kind, reason, message in told
    ]


def finalize_namespace(world: World, target: Target, raw: Json) -> Json:
    """PUT on `finalize`: only `spec.finalizers` is taken."""
    record = world.find(target.kind, "", target.name)
    if record is None:
        raise not_found("namespaces", "", target.name)
    version = (raw.get("metadata") or {}).get("resourceVersion")
    if version and version != record.obj["metadata"]["resourceVersion"]:
        raise ApiError(409, "the object has been modified", "Conflict", about("namespaces", "", target.name))
    obj = copied(record.obj)
    finalizers = (raw.get("spec") or {}).get("finalizers") or []
    obj["spec"] = {"finalizers": finalizers} if finalizers else {}
    if is_released(target.kind, obj):
        return remove_released(world, target, obj)
    return world.storage.put("namespaces", ("", target.name), obj).obj


def _success(target: Target, obj: Json) -> Json:
    details = {**about(target.kind.plural, target.kind.group, target.name), "uid": obj["metadata"]["uid"]}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
