"""`metadata`: what the server sets, what nobody may change, and how names must look.

Source: the API reference, ObjectMeta v1 meta; "Object Names and IDs"; "Labels and Selectors", Syntax and
character set.
"""

from collections.abc import Iterator

from tests.emulators.kube import fields, names, rules
from tests.emulators.kube.kinds import Kind
from tests.emulators.kube.refusals import Cause
from tests.emulators.kube.wire import Json
from tests.emulators.kube.world import World

FIXED = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")
STANDARD_FINALIZERS = {"kubernetes", "orphan", "foregroundDeletion"}
SET_BY_SERVER = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "selfLink",
)
ANNOTATIONS_BYTES_MAX = 256 * 1024


def prepare_new(world: World, kind: Kind, obj: Json, namespace: str) -> None:
    """Set what only the server sets on a new object."""
    metadata = obj["metadata"]
    for name in (*SET_BY_SERVER, "resourceVersion"):
        metadata.pop(name, None)
    if kind.namespaced:
        metadata["namespace"] = namespace
    else:
        metadata.pop("namespace", None)
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = metadata["generateName"] + world.fresh_suffix()
    metadata["uid"] = world.fresh_uid()
    metadata["creationTimestamp"] = world.stamp()
    if (generation := rules.initial_generation(kind)) is not None:
        metadata["generation"] = generation


def carry_over(old: Json, new: Json) -> None:
    """Fill what an update left out with what the server knows; generation is never taken from the user."""
    was, metadata = old["metadata"], new["metadata"]
    for name in SET_BY_SERVER:
        if name in {"generation", "selfLink", "creationTimestamp"}:
            # Whatever an update says here is passed over in silence.
            metadata.pop(name, None)
        if name in was:
            metadata.setdefault(name, was[name])
    if "managedFields" in was:
        metadata.setdefault("managedFields", was["managedFields"])


def problems_of_new(kind: Kind, obj: Json) -> Iterator[Cause]:
    """What is wrong with the metadata of a new object."""
    metadata = obj["metadata"]
    name = metadata.get("name", "")
    if not name:
        yield fields.required("metadata.name", "name or generateName is required")
    elif why := _name_problem(rules.of_kind(kind).name, name):
        yield fields.invalid("metadata.name", name, why)
    yield from _common_problems(metadata)


def problems_of_update(old: Json, new: Json) -> Iterator[Cause]:
    """What an update may not do to metadata."""
    was, metadata = old["metadata"], new["metadata"]
    for name in FIXED:
        yield from fields.immutable(f"metadata.{name}", was.get(name), metadata.get(name))
    if "deletionTimestamp" in was:
        added = [entry for entry in metadata.get("finalizers") or () if entry not in (was.get("finalizers") or ())]
        if added:
            listed = ", ".join(f'"{entry}"' for entry in added)
            why = "no new finalizers can be added if the object is being deleted, found new finalizers "
            yield fields.forbidden("metadata.finalizers", f"{why}[]string{{{listed}}}")
    yield from _common_problems(metadata)


def _name_problem(rule: str, name: str) -> str:
    match rule:
        case "label":
            return "" if names.is_label(name) else names.LABEL_MESSAGE
        case "label-1035":
            return "" if names.is_label_1035(name) else names.LABEL_1035_MESSAGE
        case "segment":
            return "may not contain '/' or '%'" if set(name) & {"/", "%"} or name in {".", ".."} else ""
        case _:
            return "" if names.is_subdomain(name) else names.SUBDOMAIN_MESSAGE


def _common_problems(metadata: Json) -> Iterator[Cause]:
    for key, value in (metadata.get("labels") or {}).items():
        yield from _key_problem("metadata.labels", key)
        if not names.is_label_value(value):
            yield fields.invalid("metadata.labels", value, names.LABEL_VALUE_MESSAGE)
    annotations = metadata.get("annotations") or {}
    for key in annotations:
        yield from _key_problem("metadata.annotations", key.lower())
    if sum(len(key) + len(value.encode()) for key, value in annotations.items()) > ANNOTATIONS_BYTES_MAX:
        told = f"Too long: may not be more than {ANNOTATIONS_BYTES_MAX} bytes"
        yield "FieldValueTooLong", "metadata.annotations", told
    yield from _finalizer_problems(metadata.get("finalizers") or [])
    for owner in metadata.get("ownerReferences") or ():
        for name in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(name):
                yield fields.invalid(f"metadata.ownerReferences.{name}", "", f"{name} must not be empty")


def _finalizer_problems(finalizers: list[str]) -> Iterator[Cause]:
    for entry in finalizers:
        yield from _key_problem("metadata.finalizers", entry)
    for index, entry in enumerate(finalizers):
        if "/" not in entry and entry not in STANDARD_FINALIZERS:
            why = "name is neither a standard finalizer name nor is it fully qualified"
            yield fields.invalid(f"metadata.finalizers[{index}]", entry, why)


def _key_problem(path: str, key: str) -> Iterator[Cause]:
    if not names.is_qualified(key):
        yield fields.invalid(path, key, names.QUALIFIED_MESSAGE)
