"""What a request is about and how it wants its write done: the path and the query, parsed.

No verb is carried out here.
"""

import re
from dataclasses import dataclass

from tests.emulators.kube.fieldsets import Writer
from tests.emulators.kube.kinds import Catalog, Kind
from tests.emulators.kube.refusals import ApiError, invalid
from tests.emulators.kube.schema import Findings
from tests.emulators.kube.wire import Json, Request
from tests.emulators.kube.world import World

APPLY_TYPES = {"application/apply-patch+yaml", "application/apply-patch+cbor"}


@dataclass(frozen=True)
class Target:
    """The resource that a path names: all objects of a kind, or one, or a part of one."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""


@dataclass(frozen=True)
class WriteOptions:
    """The options that create, update and patch share."""

    manager: str = ""
    dry_run: bool = False
    field_validation: str = "Warn"
    force: bool = False
    is_apply: bool = False
    is_patch: bool = False
    agent: str = "unknown"
    subresource: str = ""

    @classmethod
    def of(cls, request: Request, target: Target) -> "WriteOptions":
        """Read from the query; 422 for a value that no server takes."""
        query, agent = request.query, request.headers.get("user-agent", "")
        validation = query.get("fieldValidation") or "Warn"
        dry_run = query.get("dryRun", "")
        if validation not in {"Ignore", "Warn", "Strict"}:
            cause = (
                "FieldValueNotSupported",
                "fieldValidation",
                f'Unsupported value: "{validation}": supported values: "", "Ignore", "Strict", "Warn"',
            )
            raise invalid("CreateOptions", "meta.k8s.io", "", [cause])
        if dry_run not in {"", "All"}:
            cause = (
                "FieldValueNotSupported",
                "dryRun",
                f'Unsupported value: []string{{"{dry_run}"}}: supported values: "All"',
            )
            raise invalid("CreateOptions", "meta.k8s.io", "", [cause])
        return cls(
            query.get("fieldManager", ""),
            dry_run == "All",
            validation,
            request.flag("force"),
            media_type(request) in APPLY_TYPES,
            request.method == "PATCH",
            agent.partition("/")[0].partition(" ")[0] or "unknown",
            target.subresource,
        )

    def writer(self, world: World, target: Target) -> Writer:
        """The one whose name goes into `managedFields`."""
        return Writer(self.manager or self.agent, self.subresource, target.kind.api_version, world.stamp())


def media_type(request: Request) -> str:
    """The type of the request's body, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def parse(catalog: Catalog, path: str) -> Target | None:
    """The target of a path below `/api/v1` or `/apis/<group>/<version>`; None where nothing is served."""
    parts = [part for part in path.split("/") if part]
    if parts[:2] == ["api", "v1"]:
        group, version, rest = "", "v1", parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2 and rest[2] not in {"status", "finalize"}:
        namespace, rest = rest[1], rest[2:]
    if not 1 <= len(rest) <= 3:
        return None
    kind = catalog.find(group, version, rest[0])
    if kind is None or (namespace and not kind.namespaced):
        return None
    name, subresource = [*rest[1:], "", ""][:2]
    if subresource and subresource not in kind.subresources:
        return None
    if kind.namespaced and name and not namespace:
        return None
    return Target(kind, namespace, name, subresource)


def decode_error(kind: Kind, obj: Json, findings: Findings, *, is_patch: bool) -> ApiError:
    """400 for a built-in kind whose types do not fit, 422 for a patch or a custom kind that breaks its schema."""
    if kind.is_custom:
        causes = [("FieldValueRequired", path, "Required value") for path in findings.missing]
        causes += [
            (
                "FieldValueTypeInvalid",
                path,
                f'Invalid value: "{came}": {path} in body must be of type {_spoken(wanted)}: "{came}"',
            )
            for path, wanted, came in sorted(findings.mistyped)
        ]
        metadata = obj.get("metadata") if isinstance(obj, dict) else None
        return invalid(kind.name, kind.group, (metadata or {}).get("name", ""), causes)
    path, wanted, came = findings.mistyped[0]
    place = re.sub(r"\[\d+\]", "", path)
    told = f"json: cannot unmarshal {came} into Go struct field {kind.name}.{place} of type {_go(wanted)}"
    return unreadable(kind, told, is_patch=is_patch)


def unreadable(kind: Kind, why: str, *, is_patch: bool) -> ApiError:
    """400, or the peculiar 422 that a patch gets whose result cannot be read."""
    if not is_patch:
        return ApiError(400, f'{kind.name} in version "{kind.version}" cannot be handled as a {kind.name}: {why}')
    error = invalid("", "", "", [("FieldValueInvalid", "patch", f'Invalid value: "{{}}": {why}')])
    error.details = {"causes": (error.details or {})["causes"]}
    return error


def _spoken(wanted: str) -> str:
    names = {
        "struct": "object",
        "map": "object",
        "list": "array",
        "str": "string",
        "int": "integer",
        "num": "number",
        "bool": "boolean",
    }
    return names.get(wanted, wanted)


def _go(wanted: str) -> str:
    names = {
        "str": "string",
        "int": "int32",
        "num": "float64",
        "map": "map[string]string",
        "list": "[]",
        "time": "v1.Time",
        "bytes": "[]uint8",
        "int-or-string": "intstr.IntOrString",
    }
    return names.get(wanted, wanted)
