"""Who owns which field: sets of paths, their `fieldsV1` form, and the `managedFields` of an object.

A path is a tuple of elements as `fieldsV1` writes them: `f:spec`, `k:{"port":80}`, `v:"x"`; a trailing `.` is
the member of a list itself. Merging by these sets is in `apply`. Source: "Server-Side Apply", Managers and
Field ownership.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from tests.emulators.kube.schema import ANY, Shape
from tests.emulators.kube.wire import Json

Path: TypeAlias = tuple[str, ...]
KEY_DEFAULTS = {"protocol": "TCP"}
"""Keys of map-like lists that may be left out, with what the schema says for them then."""

ALWAYS_THERE = {("f:spec",), ("f:status",), ("f:status", "f:loadBalancer")}
"""Places that Go always writes, so that an empty one says nothing."""
UNOWNED = frozenset(
    {
        ("f:apiVersion",),
        ("f:kind",),
        *(
            ("f:metadata", f"f:{name}")
            for name in (
                "name",
                "namespace",
                "uid",
                "creationTimestamp",
                "deletionTimestamp",
                "deletionGracePeriodSeconds",
                "generation",
                "resourceVersion",
                "selfLink",
            )
        ),
    }
)


def leaves(shape: Shape, obj: Json) -> dict[Path, Any]:
    """Every owned place of an object with its value; what nobody can own is left out."""
    return {path: value for path, value in _places(shape, obj).items() if path[-1] != "." or path[-2][0] == "k"}


def _places(shape: Shape, obj: Json) -> dict[Path, Any]:
    """The same with maps and map-like lists as places of their own, which only ordinary writes take note of."""
    found = dict(_walk(shape, {name: part for name, part in obj.items() if name != "metadata"}, ()))
    metadata = {name: part for name, part in (obj.get("metadata") or {}).items() if name != "managedFields"}
    found.update(_walk(shape.child("metadata") or ANY, metadata, ("f:metadata",)) if metadata else ())
    return {path: value for path, value in found.items()
            if path not in UNOWNED and not (value == {} and path in ALWAYS_THERE)}  # fmt: skip


def _walk(shape: Shape, value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict) and value and not _is_whole(shape):
        if shape.type == "map":
            yield (*path, "."), True
        for name, part in value.items():
            yield from _walk(shape.child(name) or ANY, part, (*path, f"f:{name}"))
    elif isinstance(value, list) and value and shape.type == "list" and shape.listing.kind != "atomic":
        yield (*path, "."), True
        for part in value:
            element = member_element(shape, part)
            if shape.listing.kind == "set":
                yield (*path, element), True
            else:
                yield (*path, element, "."), True
                yield from _walk(shape.item(), part, (*path, element))
    else:
        yield path, value


def _is_whole(shape: Shape) -> bool:
    return shape.type in {"struct", "map"} and shape.is_atomic


def member_element(shape: Shape, part: Any) -> str:
    """How a member of a set or map-like list is named in a path."""
    if shape.listing.kind == "set":
        return "v:" + json.dumps(part, separators=(",", ":"))
    keys = {key: part.get(key, KEY_DEFAULTS.get(key)) for key in shape.listing.keys}
    return "k:" + json.dumps({key: keys[key] for key in sorted(keys)}, separators=(",", ":"))


def encoded(paths: set[Path]) -> Json:
    """The `fieldsV1` form."""
    tree: Json = {}
    for path in sorted(paths):
        place = tree
        for element in path:
            place = place.setdefault(element, {})
    return tree


def decoded(tree: Json, path: Path = ()) -> set[Path]:
    """Back from the `fieldsV1` form; `.` marks a place that is owned itself beside its parts."""
    found: set[Path] = set()
    for element, inside in tree.items():
        if not inside:
            found.add((*path, element))
        else:
            found |= decoded(inside, (*path, element))
    return found


@dataclass
class Entry:
    """One manager's line in `managedFields`."""

    manager: str
    operation: str
    api_version: str
    subresource: str
    time: str
    paths: set[Path]

    def is_of(self, manager: str, operation: str, subresource: str) -> bool:
        """Whether the line belongs to this manager in this role."""
        return (self.manager, self.operation, self.subresource) == (manager, operation, subresource)

    def wire(self) -> Json:
        """The line as it is written."""
        line: Json = {
            "manager": self.manager,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "time": self.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": encoded(self.paths),
        }
        if self.subresource:
            line["subresource"] = self.subresource
        return line


@dataclass(frozen=True)
class Writer:
    """Who writes now, and how."""

    manager: str
    subresource: str
    api_version: str
    time: str


def entries(obj: Json) -> list[Entry]:
    """The managers of an object."""
    lines = obj["metadata"].get("managedFields") or []
    return [
        Entry(
            line.get("manager", ""),
            line.get("operation", ""),
            line.get("apiVersion", ""),
            line.get("subresource", ""),
            line.get("time", ""),
            decoded(line.get("fieldsV1") or {}),
        )
        for line in lines
        if line.get("operation")
    ]


def written(managers: list[Entry]) -> list[Json]:
    """`managedFields` as it is stored: those that own nothing are gone, applies come first, then by time."""
    alive = [entry for entry in managers if entry.paths]
    alive.sort(key=lambda entry: (entry.operation != "Apply", entry.time, entry.manager))
    return [entry.wire() for entry in alive]


def note_update(shape: Shape, old: Json | None, new: Json, writer: Writer) -> None:
    """Give the writer of an ordinary write what it changed, take that from others, and forget what is gone."""
    before = _places(shape, old) if old else {}
    after = _places(shape, new)
    if before == after and old is not None and "managedFields" in new["metadata"]:
        return
    changed = {path for path, value in after.items() if path not in before or before[path] != value}
    source = new if new["metadata"].get("managedFields") else (old or new)
    managers = entries(source)
    mine = next((entry for entry in managers if entry.is_of(writer.manager, "Update", writer.subresource)), None)
    for entry in managers:
        entry.paths -= before.keys() - after.keys()
        if entry is not mine:
            entry.paths -= changed
    if changed:
        if mine is None:
            mine = Entry(writer.manager, "Update", writer.api_version, writer.subresource, writer.time, set())
            managers.append(mine)
        mine.paths |= changed
        mine.time = writer.time
    lines = written(managers)
    if lines:
        new["metadata"]["managedFields"] = lines
    else:
        new["metadata"].pop("managedFields", None)
