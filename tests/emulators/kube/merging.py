"""JSON merge patch (RFC 7386), JSON patch (RFC 6902) and strategic merge patch, on plain JSON.

Pure: no request, no storage. Which list merges by which key is asked of `schema`. Source of the third:
"Update API Objects in Place Using kubectl patch" and the design note on strategic merge directives.
"""

import json
from typing import Any

from tests.emulators.kube.refusals import ApiError
from tests.emulators.kube.schema import Shape
from tests.emulators.kube.wire import Json


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def json_patch(target: Json, operations: Any) -> Json:
    """RFC 6902; 422 for an operation that cannot be done, as the API server answers."""
    if not isinstance(operations, list):
        raise ApiError(400, "error decoding patch: json: cannot unmarshal object into Go value of type []jsonPatchOp")
    document: Any = json.loads(json.dumps(target))
    for operation in operations:
        document = _operated(document, operation)
    if not isinstance(document, dict):
        raise ApiError(422, "the patched document is not an object")
    return document


def _operated(document: Any, operation: Json) -> Any:
    what, path = operation.get("op"), _tokens(operation.get("path", ""))
    match what:
        case "add":
            return _added(document, path, operation.get("value"))
        case "remove":
            return _removed(document, path)[0]
        case "replace":
            _pick(document, path)
            if not path:
                return operation.get("value")
            return _added(_removed(document, path)[0], path, operation.get("value"))
        case "move":
            rest, value = _removed(document, _tokens(operation.get("from", "")))
            return _added(rest, path, value)
        case "copy":
            value = _pick(document, _tokens(operation.get("from", "")))
            return _added(document, path, json.loads(json.dumps(value)))
        case "test":
            if _pick(document, path) != operation.get("value"):
                raise _impossible(f"testing path {operation.get('path')} failed: test failed")
            return document
        case _:
            raise _impossible(f"unexpected kind: {what}")


def _tokens(pointer: str) -> list[str]:
    if pointer and not pointer.startswith("/"):
        raise _impossible(f"not a JSON pointer: {pointer}")
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def _impossible(why: str) -> ApiError:
    # The real one does not say why; a person at the emulator is told in the details.
    details = {"causes": [{"reason": "UnexpectedServerResponse", "message": why}]}
    return ApiError(422, "the server rejected our request due to an error in our request", "Invalid", details)


def _pick(document: Any, path: list[str]) -> Any:
    for token in path:
        try:
            document = document[_index(document, token, 0)] if isinstance(document, list) else document[token]
        except (KeyError, TypeError, IndexError):
            raise _impossible(f"missing path: /{'/'.join(path)}") from None
    return document


def _index(members: list[Any], token: str, extra: int) -> int:
    if token == "-":
        return len(members)
    if not token.isdigit() or int(token) >= len(members) + extra:
        raise _impossible(f"invalid index: {token}")
    return int(token)


def _added(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    holder = _pick(document, path[:-1])
    if isinstance(holder, list):
        holder.insert(_index(holder, path[-1], 1), value)
    elif isinstance(holder, dict):
        holder[path[-1]] = value
    else:
        raise _impossible(f"missing path: /{'/'.join(path)}")
    return document


def _removed(document: Any, path: list[str]) -> tuple[Any, Any]:
    value = _pick(document, path)
    holder = _pick(document, path[:-1])
    if isinstance(holder, list):
        del holder[_index(holder, path[-1], 0)]
    else:
        del holder[path[-1]]
    return document, value


def strategic_merge(shape: Shape | None, target: Any, patch: Json) -> Json:
    """Strategic merge patch of one struct or map."""
    directive = patch.get("$patch")
    body = {name: value for name, value in patch.items() if name not in {"$patch", "$retainKeys"}}
    if directive == "replace":
        return body
    if directive == "delete":
        return {}
    merged: Json = dict(target) if isinstance(target, dict) else {}
    if retained := patch.get("$retainKeys"):
        merged = {name: value for name, value in merged.items() if name in retained}
    for name, value in body.items():
        if not name.startswith("$"):
            _merge_field(shape.child(name) if shape else None, merged, name, value)
    _delete_from_primitives(merged, body)
    _set_order(shape, merged, body)
    return merged


def _merge_field(inside: Shape | None, merged: Json, name: str, value: Any) -> None:
    if value is None:
        merged.pop(name, None)
    elif isinstance(value, dict):
        if value.get("$patch") == "delete":
            merged.pop(name, None)
        else:
            merged[name] = strategic_merge(inside, merged.get(name), value)
    elif isinstance(value, list):
        merged[name] = _merged_list(inside, merged.get(name) or [], value)
    else:
        merged[name] = value


def _merged_list(shape: Shape | None, target: list[Any], patch: list[Any]) -> list[Any]:
    listing = shape.listing if shape else None
    if listing and listing.kind == "set" and not listing.merge_key:
        return _ordered(target + [value for value in patch if value not in target], patch, target, "")
    if not shape or not listing or not listing.merge_key or listing.kind == "set":
        return [_undirected(value) for value in patch if not _is_directive(value)]
    if any(_is_directive(value) and value["$patch"] == "replace" and len(value) == 1 for value in patch):
        return [_undirected(value) for value in patch if not _is_directive(value)]
    key, merged = listing.merge_key, list(target)
    for part in patch:
        _merge_member(shape.item(), merged, part, key)
    before = [_name_of(member, key) for member in target]
    return _ordered(merged, [_name_of(part, key) for part in patch], before, key)


def _merge_member(shape: Shape, merged: list[Any], part: Any, key: str) -> None:
    if not isinstance(part, dict) or key not in part:
        raise ApiError(400, f"map: {json.dumps(part)} does not contain declared merge key: {key}")
    places = [index for index, member in enumerate(merged) if member.get(key) == part[key]]
    if part.get("$patch") == "delete":
        merged[:] = [member for member in merged if member.get(key) != part[key]]
    elif places:
        merged[places[0]] = strategic_merge(shape, merged[places[0]], part)
    else:
        merged.append(strategic_merge(shape, {}, part))


def _is_directive(value: Any) -> bool:
    return isinstance(value, dict) and "$patch" in value


def _undirected(value: Any) -> Any:
    return strategic_merge(None, {}, value) if isinstance(value, dict) else value


def _delete_from_primitives(merged: Json, body: Json) -> None:
    prefix = "$deleteFromPrimitiveList/"
    for name, values in body.items():
        if name.startswith(prefix):
            field = name.removeprefix(prefix)
            merged[field] = [value for value in merged.get(field) or [] if value not in values]


def _set_order(shape: Shape | None, merged: Json, body: Json) -> None:
    prefix = "$setElementOrder/"
    for name, order in body.items():
        field = name.removeprefix(prefix)
        if not name.startswith(prefix) or not isinstance(merged.get(field), list):
            continue
        inside = shape.child(field) if shape else None
        key = inside.listing.merge_key if inside else ""
        wanted = [_name_of(entry, key) for entry in order]
        merged[field] = _ordered(merged[field], wanted, [_name_of(member, key) for member in merged[field]], key)


def _name_of(member: Any, key: str) -> Any:
    return member.get(key) if isinstance(member, dict) else member


def _ordered(members: list[Any], wanted: list[Any], before: list[Any], key: str) -> list[Any]:
    """Named members in the order that is wanted; the others are put in where the old order allows it."""
    named = sorted((m for m in members if _name_of(m, key) in wanted), key=lambda m: wanted.index(_name_of(m, key)))
    others = [m for m in members if _name_of(m, key) not in wanted]
    placed: list[Any] = []
    while named and others:
        left, right = _name_of(others[0], key), _name_of(named[0], key)
        is_before = left in before and right in before and before.index(left) < before.index(right)
        placed.append(others.pop(0) if is_before else named.pop(0))
    return placed + named + others
