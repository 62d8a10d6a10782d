"""Create, update and patch of one object: decoding, admission, defaults, ownership, validation, storage.

Deletes are in `removals`, reads in `reads`. The order of the steps is that of the API server's generic
registry.
"""

import json
from dataclasses import dataclass
from typing import Any

import yaml

from tests.emulators.kube import (
    admission,
    apply,
    defaults,
    definitions,
    events,
    fieldsets,
    merging,
    metadata,
    removals,
    rules,
    schema,
    services,
    validation,
)
from tests.emulators.kube.kinds import Kind
from tests.emulators.kube.refusals import NO_REASON, ApiError, Cause, already_exists, conflict, invalid, not_found
from tests.emulators.kube.targets import Target, WriteOptions, decode_error, unreadable
from tests.emulators.kube.wire import Json, copied
from tests.emulators.kube.world import World

STALE = "the object has been modified; please apply your changes to the latest version and try again"


@dataclass
class Outcome:
    """What a write left behind, in the storage's spelling."""

    obj: Json
    warnings: list[str]
    created: bool = False


def create(world: World, target: Target, raw: Json, options: WriteOptions) -> Outcome:
    """POST: a new object."""
    obj, warnings = _decoded(target, raw, options)
    _check_place(target, obj)
    return _create(world, target, obj, options, warnings)


def _create(world: World, target: Target, obj: Json, options: WriteOptions, warnings: list[str]) -> Outcome:
    kind, shape = target.kind, schema.of_kind(target.kind)
    admission.check_namespace(world, target, obj["metadata"].get("name", ""))
    if obj["metadata"].get("resourceVersion"):
        raise ApiError(500, "resourceVersion should not be set on objects to be created", NO_REASON)
    if "status" in kind.subresources and kind.bucket != "nodes":
        obj.pop("status", None)
    metadata.prepare_new(world, kind, obj, target.namespace)
    admission.fill(world, kind, obj)
    _fill(kind, obj)
    _check(target, obj, [*metadata.problems_of_new(kind, obj), *validation.problems(kind, obj, None)])
    name = obj["metadata"]["name"]
    if world.find(kind, target.namespace, name) is not None:
        raise already_exists(kind.plural, kind.group, name)
    if kind.bucket == "services":
        _check(target, obj, services.allocate(world, obj, name))
    if not options.is_apply:
        obj["metadata"].pop("managedFields", None)
        fieldsets.note_update(shape, None, obj, options.writer(world, target))
    if not options.dry_run:
        obj = world.storage.put(kind.bucket, (target.namespace, name), obj).obj
        definitions.established(world, kind, obj)
        obj = (world.find(kind, target.namespace, name) or _gone(target)).obj
    return Outcome(obj, warnings, created=True)


def _gone(target: Target) -> Any:
    raise not_found(target.kind.plural, target.kind.group, target.name)


def update(world: World, target: Target, raw: Json, options: WriteOptions) -> Outcome:
    """PUT: the whole object replaced, under its resourceVersion if it names one."""
    obj, warnings = _decoded(target, raw, options)
    _check_place(target, obj)
    record = world.find(target.kind, target.namespace, target.name)
    if record is None:
        if rules.of_kind(target.kind).creates_on_update and not target.subresource:
            return _create(world, target, obj, options, warnings)
        raise not_found(target.kind.plural, target.kind.group, target.name)
    version = obj["metadata"].get("resourceVersion")
    if not version and not rules.of_kind(target.kind).updates_blindly:
        cause = ("FieldValueInvalid", "metadata.resourceVersion", "Invalid value: 0: must be specified for an update")
        raise invalid(target.kind.name, target.kind.group, target.name, [cause])
    return _store_update(world, target, record.obj, obj, options, warnings)


def patch(world: World, target: Target, request_type: str, body: bytes, options: WriteOptions) -> Outcome:
    """PATCH of any of the four types; server-side apply creates what is not there."""
    record = world.find(target.kind, target.namespace, target.name)
    if options.is_apply and not options.manager:
        cause = ("FieldValueRequired", "fieldManager", "is required for apply patch")
        raise invalid("PatchOptions", "meta.k8s.io", "", [cause])
    if options.is_apply:
        return _apply(world, target, record.obj if record else None, _parsed_yaml(body), options)
    if record is None:
        raise not_found(target.kind.plural, target.kind.group, target.name)
    current = events.from_core(record.obj) if events.is_other_spelling(target.kind) else copied(record.obj)
    current["apiVersion"] = target.kind.api_version
    obj, warnings = _decoded(target, patched(target, request_type, current, body), options)
    _check_place(target, obj)
    return _store_update(world, target, record.obj, obj, options, warnings)


def patched(target: Target, request_type: str, current: Json, encoded: bytes) -> Json:
    """What a patch of the given type makes of an object."""
    body = _parsed(encoded)
    if request_type == "application/json-patch+json":
        return merging.json_patch(current, body)
    if not isinstance(body, dict):
        raise ApiError(
            400, "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"
        )
    if request_type == "application/merge-patch+json":
        merged: Json = merging.merge_patch(current, body)
        return merged
    return merging.strategic_merge(schema.of_kind(target.kind), current, body)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise ApiError(400, f"error decoding patch: {error}") from None


def _parsed_yaml(body: bytes) -> Json:
    try:
        parsed = yaml.safe_load(body)
    except yaml.YAMLError as error:
        raise ApiError(400, f"error decoding YAML: {error}") from None
    if not isinstance(parsed, dict):
        raise ApiError(400, "error decoding YAML: not an object")
    # Time stamps in YAML become dates; only their JSON form is wanted.
    return copied(json.loads(json.dumps(parsed, default=str)))


def _apply(world: World, target: Target, live: Json | None, config: Json, options: WriteOptions) -> Outcome:
    if (config.get("metadata") or {}).get("managedFields"):
        raise ApiError(400, "metadata.managedFields must be nil")
    obj, warnings = _decoded(target, config, options, is_partial=True)
    _check_place(target, obj)
    _leave_out_foreign_parts(target, obj)
    shape, writer = schema.of_kind(target.kind), options.writer(world, target)
    if live is None:
        if obj["metadata"].get("uid"):
            raise conflict(target.kind.plural, target.kind.group, target.name, "uid mismatch: the object was not found")
        if target.subresource:
            raise not_found(target.kind.plural, target.kind.group, target.name)
        empty: Json = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": {}}
        obj["metadata"].setdefault("name", target.name)
        merged, _ = _decoded(target, apply.applied(shape, empty, obj, writer, force=True), options)
        return _create(world, target, merged, options, warnings)
    if "resourceVersion" not in obj["metadata"]:
        obj["metadata"].pop("uid", None)
    merged = apply.applied(shape, live, obj, writer, force=options.force)
    pruned, _ = _decoded(target, events.from_core(merged) if events.is_other_spelling(target.kind) else merged, options)
    return _store_update(world, target, live, pruned, options, warnings)


def _store_update(
    world: World, target: Target, old: Json, new: Json, options: WriteOptions, warnings: list[str]
) -> Outcome:
    kind, where = target.kind, (target.namespace, target.name)
    _check_preconditions(target, old, new, options)
    reset_managers = new["metadata"].get("managedFields") == [{}]
    metadata.carry_over(old, new)
    rules.confine(kind, old, new, target.subresource)
    _fill(kind, new)
    if kind.bucket == "services" and not target.subresource:
        services.keep(old, new)
    causes = [*metadata.problems_of_update(old, new), *validation.problems(kind, new, old, target.subresource)]
    _check(target, new, causes)
    if kind.bucket == "services" and not target.subresource:
        _check(target, new, services.allocate(world, new, target.name))
    new["metadata"]["resourceVersion"] = old["metadata"].get("resourceVersion")
    if rules.raises_generation(kind, old, new):
        new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
    if reset_managers:
        new["metadata"].pop("managedFields")
    elif not options.is_apply:
        fieldsets.note_update(schema.of_kind(kind), old, new, options.writer(world, target))
    if options.dry_run or _is_untouched(old, new):
        return Outcome(new, warnings)
    if removals.is_released(kind, new):
        removals.remove_released(world, target, new)
        return Outcome(new, warnings)
    stored = world.storage.put(kind.bucket, where, new).obj
    definitions.changed(world, kind, stored)
    removals.after_update(world, kind, stored)
    return Outcome(stored, warnings)


def _is_untouched(old: Json, new: Json) -> bool:
    return _without_managers(old) == _without_managers(new) and _owned(old) == _owned(new)


def _without_managers(obj: Json) -> Json:
    return {**obj, "metadata": {name: part for name, part in obj["metadata"].items() if name != "managedFields"}}


def _owned(obj: Json) -> list[Json]:
    lines = obj["metadata"].get("managedFields") or []
    return [{name: value for name, value in line.items() if name != "time"} for line in lines]


def _check_preconditions(target: Target, old: Json, new: Json, options: WriteOptions) -> None:
    version, uid = new["metadata"].get("resourceVersion"), new["metadata"].get("uid")
    kind = target.kind
    if uid and uid != old["metadata"]["uid"] and not options.is_patch:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old['metadata']['uid']}"
        raise conflict(kind.plural, kind.group, target.name, why)
    if version and version != old["metadata"]["resourceVersion"]:
        raise conflict(kind.plural, kind.group, target.name, STALE)


def _fill(kind: Kind, obj: Json) -> None:
    defaults.fill(kind, obj)
    if kind.bucket == "events":
        events.fill(obj)


def _check(target: Target, obj: Json, causes: list[Cause]) -> None:
    if causes:
        name = obj["metadata"].get("name") or target.name
        raise invalid(target.kind.name, target.kind.group, name, causes)


def _leave_out_foreign_parts(target: Target, obj: Json) -> None:
    # What a write to this path cannot change is not owned by who sends it.
    if target.subresource == "status":
        for name in obj.keys() - {"apiVersion", "kind", "metadata", "status"}:
            del obj[name]
    elif "status" in target.kind.subresources:
        obj.pop("status", None)


def _decoded(target: Target, raw: Json, options: WriteOptions, *, is_partial: bool = False) -> tuple[Json, list[str]]:
    kind = target.kind
    # The server knows from the path what a built-in object is that does not say it.
    raw = raw if kind.is_custom else _named(kind, raw)
    if raw.get("apiVersion") != kind.api_version or raw.get("kind") != kind.name:
        raise _wrong_type(target, raw)
    findings = schema.Findings(is_partial=is_partial)
    obj: Json = schema.checked(schema.of_kind(kind), raw, "", findings)
    if findings.mistyped or findings.missing:
        raise decode_error(kind, obj, findings, is_patch=options.is_patch)
    if not isinstance(obj.get("metadata"), dict):
        obj["metadata"] = {}
    unknown = [f'unknown field "{path}"' for path in findings.unknown]
    if unknown and options.field_validation == "Strict":
        raise unreadable(kind, "strict decoding error: " + ", ".join(unknown), is_patch=options.is_patch)
    if events.is_other_spelling(kind):
        obj = events.to_core(obj)
    return obj, unknown if options.field_validation == "Warn" else []


def _wrong_type(target: Target, raw: Json) -> ApiError:
    kind, version = target.kind, str(raw.get("apiVersion", ""))
    if not raw.get("kind") or not version:
        return ApiError(400, "Object 'Kind' or 'apiVersion' is missing in the request body")
    told = f'{raw["kind"]} in version "{version.rpartition("/")[2]}" cannot be handled as a {kind.name}: '
    if raw["kind"] == kind.name:
        return ApiError(400, f'{told}no kind "{kind.name}" is registered for version "{version}" in this server')
    return ApiError(400, f"{told}the kinds differ")


def _named(kind: Kind, raw: Json) -> Json:
    return {**raw, "apiVersion": raw.get("apiVersion") or kind.api_version, "kind": raw.get("kind") or kind.name}


def _check_place(target: Target, obj: Json) -> None:
    """The object must be where the path says."""
    inside = obj["metadata"].get("namespace")
    if target.kind.namespaced and inside and inside != target.namespace:
        raise ApiError(400, "the namespace of the provided object does not match the namespace sent on the request")
    if target.name:
        named = obj["metadata"].setdefault("name", target.name)
        if named != target.name:
            raise ApiError(400, f"the name of the object ({named}) does not match the name on the URL ({target.name})")
    if target.kind.namespaced:
        obj["metadata"]["namespace"] = target.namespace
