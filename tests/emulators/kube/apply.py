"""Server-side apply: a configuration merged into a live object under field ownership.

Pure: takes and gives plain JSON. Source: "Server-Side Apply", Conflicts and Merge strategy.
"""

import json
from typing import Any

from tests.emulators.kube.fieldsets import Entry, Path, Writer, entries, leaves, member_element, written
from tests.emulators.kube.refusals import ApiError
from tests.emulators.kube.schema import ANY, Shape
from tests.emulators.kube.wire import Json, copied


def applied(shape: Shape, live: Json, config: Json, writer: Writer, *, force: bool) -> Json:
    """The live object with the configuration in it; 409 that names fields and managers when others own them."""
    managers = entries(live)
    mine = next((entry for entry in managers if entry.is_of(writer.manager, "Apply", writer.subresource)), None)
    others = [entry for entry in managers if entry is not mine]
    wanted = leaves(shape, config)
    _settle_conflicts(leaves(shape, live), wanted, others, force=force)
    merged: Json = _merged(shape, copied(live), config)
    # Whole members first: once the field that names a member were gone, the member could not be found.
    given_up = sorted((mine.paths if mine else set()) - wanted.keys(), key=lambda path: (path[-1] != ".", path))
    for path in given_up:
        if not _is_key(path) and not any(_touches(entry, path) for entry in others):
            _prune(shape, merged, path)
    line = Entry(writer.manager, "Apply", writer.api_version, writer.subresource, writer.time, set(wanted))
    if mine and mine.paths == line.paths and mine.api_version == line.api_version and _is_same(live, merged):
        line.time = mine.time
    merged["metadata"]["managedFields"] = written([*others, line])
    return merged


def _is_same(live: Json, merged: Json) -> bool:
    return live == merged


def _is_key(path: Path) -> bool:
    return len(path) > 1 and path[-2].startswith("k:") and path[-1].removeprefix("f:") in json.loads(path[-2][2:])


def _touches(entry: Entry, path: Path) -> bool:
    if path[-1] == ".":
        return any(owned[: len(path) - 1] == path[:-1] for owned in entry.paths)
    return path in entry.paths


def _settle_conflicts(live: dict[Path, Any], wanted: dict[Path, Any], others: list[Entry], *, force: bool) -> None:
    changed = {path for path, value in wanted.items() if path in live and live[path] != value}
    found = [(entry, path) for entry in others for path in sorted(changed & entry.paths)]
    if found and not force:
        raise _conflict(found)
    for entry, path in found:
        entry.paths.discard(path)


def _conflict(found: list[tuple[Entry, Path]]) -> ApiError:
    causes = []
    by_manager: dict[str, list[str]] = {}
    for entry, path in found:
        where = f' with subresource "{entry.subresource}"' if entry.subresource else ""
        how = f" using {entry.api_version}" if entry.operation == "Update" else ""
        manager = f'"{entry.manager}"{where}{how}'
        causes.append({"reason": "FieldManagerConflict", "message": f"conflict with {manager}", "field": _spoken(path)})
        by_manager.setdefault(manager, []).append(_spoken(path))
    if len(found) == 1:
        message = f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        parts = [f"conflicts with {manager}:\n- " + "\n- ".join(paths) for manager, paths in by_manager.items()]
        message = f"Apply failed with {len(found)} conflicts: " + "\n".join(parts)
    return ApiError(409, message, "Conflict", {"causes": causes})


def _spoken(path: Path) -> str:
    words = []
    for element in path:
        if element.startswith("f:"):
            words.append("." + element[2:])
        elif element.startswith("k:"):
            keys = json.loads(element[2:])
            words.append("[" + ",".join(f"{key}={json.dumps(value)}" for key, value in keys.items()) + "]")
        elif element.startswith("v:"):
            words.append(f"[={element[2:]}]")
    return "".join(words)


def _merged(shape: Shape, live: Any, config: Any) -> Any:
    if isinstance(config, dict) and isinstance(live, dict) and not shape.is_atomic:
        for name, part in config.items():
            inside = shape.child(name) or ANY
            live[name] = _merged(inside, live[name], part) if name in live else part
        return live
    if isinstance(config, list) and isinstance(live, list) and shape.type == "list" and not shape.is_atomic:
        return _merged_list(shape, live, config)
    return config


def _merged_list(shape: Shape, live: list[Any], config: list[Any]) -> list[Any]:
    merged = list(live)
    places = {member_element(shape, part): index for index, part in enumerate(live)}
    for part in config:
        place = places.get(member_element(shape, part))
        if place is None:
            merged.append(part)
        else:
            merged[place] = _merged(shape.item(), merged[place], part)
    return merged


def _prune(shape: Shape, value: Any, path: Path) -> None:
    """Take away one place that its last owner no longer wants."""
    element, rest = path[0], path[1:]
    if element.startswith("f:"):
        name = element[2:]
        if not isinstance(value, dict) or name not in value:
            return
        if rest:
            _prune(shape.child(name) or ANY, value[name], rest)
        else:
            del value[name]
        return
    if not isinstance(value, list):
        return
    for index, part in enumerate(value):
        if member_element(shape, part) == element:
            if rest in {(), (".",)}:
                del value[index]
            else:
                _prune(shape.item(), part, rest)
            return
