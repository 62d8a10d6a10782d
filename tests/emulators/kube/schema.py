"""The shape of every kind: which fields there are, of which type, and how lists merge. Checks and prunes what comes in.

Built-in kinds come from `schema.json` (made by `extract_schema`), custom ones from their openAPIV3Schema.
Rules about values (a port below 65536) are in `validation`.
"""

import base64
import binascii
import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.emulators.kube.kinds import Kind
from tests.emulators.kube.listings import ATOMIC, ATOMIC_MAPS, KEEPS_EMPTY_TEXT, LISTINGS, MICRO_TIMES, Listing
from tests.emulators.kube.wire import Json

_TIME = re.compile(r"^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$")
_MICRO_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$")
_PLAIN = {"string": "str", "integer": "int", "number": "num", "boolean": "bool"}


@dataclass(frozen=True)
class Shape:
    """The type of one place in an object."""

    type: str
    """struct, map, list, str, int, num, bool, time, bytes, int-or-string or any."""
    name: str = ""
    """The model's name, for messages; empty for what a custom kind declares."""
    owner: str = ""
    required: bool = False
    nullable: bool = False
    source: Json = field(default_factory=dict, compare=False, hash=False)
    """A custom kind's JSON schema of this place."""
    listing: Listing = ATOMIC

    def child(self, name: str) -> "Shape | None":
        """The shape of a field or of a map's value; None: there is no such field."""
        if self.type == "any":
            return ANY
        if self.type == "map":
            return self.item()
        return self.fields().get(name)

    def fields(self) -> Mapping[str, "Shape"]:
        """All fields of a struct."""
        if self.type != "struct":
            return {}
        return _model_fields(self.name) if self.name else _declared_fields(self.source)

    def item(self) -> "Shape":
        """The shape of a list's or map's members."""
        if self.type not in {"list", "map"}:
            return ANY
        if self.name:
            return _of_type(self.name, "", "")
        return _of_schema(self.source)

    @property
    def is_atomic(self) -> bool:
        """Whether server-side apply takes it as one value."""
        if self.type == "list":
            return self.listing.kind == "atomic"
        return bool(
            self.name in ATOMIC_MAPS
            or self.owner in ATOMIC_MAPS
            or self.source.get("x-kubernetes-map-type") == "atomic"
        )


ANY = Shape("any")


@functools.cache
def models() -> Mapping[str, Mapping[str, str]]:
    """The table of built-in models: model, field, type."""
    text = Path(__file__).with_name("schema.json").read_text(encoding="utf-8")
    table: dict[str, dict[str, str]] = json.loads(text)
    return table


def of_kind(kind: Kind) -> Shape:
    """The shape of a whole object."""
    if not kind.is_custom:
        return Shape("struct", kind.model)
    return _of_custom_kind(json.dumps(kind.schema))


@functools.lru_cache(maxsize=64)
def _of_custom_kind(encoded: str) -> Shape:
    schema = json.loads(encoded)
    properties = dict(schema.get("properties") or {})
    properties |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"x-object-meta": True}}
    return Shape("struct", source={"type": "object", **schema, "properties": properties})


@functools.cache
def _model_fields(model: str) -> Mapping[str, Shape]:
    return {name: _of_type(declared, model, name) for name, declared in models()[model].items()}


def _of_type(declared: str, model: str, field_name: str) -> Shape:
    required = declared.startswith("!")
    declared = declared.removeprefix("!")
    owner = f"{model}.{field_name}"
    if declared.startswith("@"):
        return Shape("struct", declared[1:], owner, required)
    if declared.startswith("[]"):
        return Shape("list", declared[2:], owner, required, listing=LISTINGS.get(owner, ATOMIC))
    if declared.startswith("{}"):
        return Shape("map", declared[2:], owner, required)
    return Shape("micro-time" if owner in MICRO_TIMES else declared, "", owner, required)


def _declared_fields(source: Json) -> dict[str, Shape]:
    required = set(source.get("required") or ())
    return {name: _of_schema(schema, required=name in required)
            for name, schema in (source.get("properties") or {}).items()}  # fmt: skip


def _of_schema(schema: Json, *, required: bool = False) -> Shape:
    if schema.get("x-object-meta"):
        return Shape("struct", "V1ObjectMeta")
    nullable = bool(schema.get("nullable"))
    if schema.get("x-kubernetes-int-or-string"):
        return Shape("int-or-string", required=required, nullable=nullable, source=schema)
    declared = schema.get("type")
    if declared == "array":
        listing = Listing(schema.get("x-kubernetes-list-type", "atomic"),
                          tuple(schema.get("x-kubernetes-list-map-keys") or ()))  # fmt: skip
        return Shape("list", "", "", required, nullable, schema.get("items") or {}, listing)
    if declared == "object":
        values = schema.get("additionalProperties")
        if isinstance(values, dict) and not schema.get("properties"):
            return Shape("map", "", "", required, nullable, values)
        return Shape("struct", "", "", required, nullable, schema)
    return Shape(_PLAIN.get(str(declared), "any"), "", "", required, nullable, schema)


@dataclass
class Findings:
    """What is wrong with an object, apart from its values."""

    unknown: list[str] = field(default_factory=list)
    """Paths of fields that the kind does not have; they are dropped."""
    mistyped: list[tuple[str, str, str]] = field(default_factory=list)
    """Path, what is wanted, what came."""
    missing: list[str] = field(default_factory=list)
    """Paths of required fields that a custom kind's object lacks."""
    is_partial: bool = False
    """A configuration for server-side apply: nothing is filled in, nothing is missing."""


def checked(shape: Shape, value: Any, path: str, findings: Findings) -> Any:
    """The value as the server's own types would hold it: unknown fields, nulls and empty optional parts gone."""
    match shape.type:
        case "struct":
            return _struct(shape, value, path, findings)
        case "map":
            return _map(shape, value, path, findings)
        case "list":
            return _list(shape, value, path, findings)
        case _:
            if value is not None and not _is_plain(shape.type, value):
                findings.mistyped.append((path, shape.type, _kind_of(value)))
            return value


def _struct(shape: Shape, value: Any, path: str, findings: Findings) -> Any:
    if not isinstance(value, dict):
        findings.mistyped.append((path, "struct", _kind_of(value)))
        return value
    fields = shape.fields()
    open_ended = bool(shape.source.get("x-kubernetes-preserve-unknown-fields")) or (
        shape.source.get("type") == "object" and not shape.source.get("properties")
        and shape.source.get("additionalProperties") is True
    )  # fmt: skip
    kept: Json = {}
    for name, part in value.items():
        inside = f"{path}.{name}" if path else name
        declared = fields.get(name)
        if declared is None:
            if open_ended:
                kept[name] = part
            else:
                findings.unknown.append(inside)
        elif part is not None:
            result = checked(declared, part, inside, findings)
            if not _is_dropped(shape, declared, result):
                kept[name] = result
        elif declared.nullable:
            kept[name] = None
    if not shape.name and not findings.is_partial:
        _fill(fields, kept, path, findings)
    return kept


def _fill(fields: Mapping[str, Shape], kept: Json, path: str, findings: Findings) -> None:
    for name, declared in fields.items():
        if name not in kept and "default" in declared.source:
            default = json.loads(json.dumps(declared.source["default"]))
            kept[name] = checked(declared, default, f"{path}.{name}" if path else name, findings)
        if declared.required and name not in kept:
            findings.missing.append(f"{path}.{name}" if path else name)


def _is_dropped(shape: Shape, declared: Shape, value: Any) -> bool:
    # Go's `omitempty`: empty lists, maps and texts of built-in kinds are not written. Pointers to an empty text are.
    if not shape.name or declared.required:
        return False
    if declared.type in {"list", "map"}:
        return not value
    return bool(declared.type in {"str", "time"} and value == "" and declared.owner not in KEEPS_EMPTY_TEXT)


def _map(shape: Shape, value: Any, path: str, findings: Findings) -> Any:
    if not isinstance(value, dict):
        findings.mistyped.append((path, "map", _kind_of(value)))
        return value
    item = shape.item()
    empty: Any = "" if item.type in {"str", "bytes"} else None
    return {name: checked(item, empty if part is None else part, f"{path}.{name}", findings)
            for name, part in value.items()}  # fmt: skip


def _list(shape: Shape, value: Any, path: str, findings: Findings) -> Any:
    if not isinstance(value, list):
        findings.mistyped.append((path, "list", _kind_of(value)))
        return value
    item = shape.item()
    return [checked(item, part, f"{path}[{index}]", findings) for index, part in enumerate(value)]


def _is_plain(wanted: str, value: Any) -> bool:
    match wanted:
        case "str":
            return isinstance(value, str)
        case "bool":
            return isinstance(value, bool)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "num":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "int-or-string":
            return isinstance(value, int | str) and not isinstance(value, bool)
        case "time":
            return isinstance(value, str) and (not value or bool(_TIME.match(value)))
        case "micro-time":
            return isinstance(value, str) and bool(_MICRO_TIME.match(value))
        case "bytes":
            return isinstance(value, str) and _is_base64(value)
        case _:
            return True


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        return False
    return True


def _kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    names = {dict: "object", list: "array", str: "string", int: "number", float: "number", type(None): "null"}
    return names[type(value)]
