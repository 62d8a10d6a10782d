"""Judges requests (and, in tests, our own answers) by the API description extracted from the ``tccli`` wheel.

Only shapes are judged here; what values mean belongs to the actions.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.emulators.clb.errors import ApiError, missing

Member = tuple[str, str, bool]
"""Kind (``string``, ``int``, ``list``, ``object`` ...), the inner or named type, and whether it is required."""

_SCALARS: dict[str, type | tuple[type, ...]] = {
    "string": str, "datetime": str, "datetime_iso": str, "date": str, "binary": str,
    "int64": int, "uint64": int, "integer": int, "bool": bool, "float": (int, float),
}  # fmt: skip


@cache
def services() -> Mapping[str, Mapping[str, Any]]:
    """Everything in ``schema.json``, by service name."""
    text = Path(__file__).with_name("schema.json").read_text(encoding="utf-8")
    loaded: Mapping[str, Mapping[str, Any]] = json.loads(text)["services"]
    return loaded


def version(service: str) -> str | None:
    """The one version of a service that is served, ``None`` for an unknown service."""
    found = services().get(service)
    return None if found is None else str(found["version"])


def knows(service: str, action: str) -> bool:
    """Whether the description names this action among those extracted."""
    return action in services()[service]["actions"]


def check_request(service: str, action: str, params: Any) -> None:
    """Refuse unknown keys, missing required members, wrong types and nulls (stricter than the real gateway)."""
    spec = services()[service]
    if not isinstance(params, dict):
        raise ApiError("InvalidParameter.FormatError", "The request body is not a JSON object.")
    _check_object(spec["objects"], spec["actions"][action][0], params, "", nulls=False)


def check_response(service: str, action: str, response: Any) -> None:
    """The same for an answer, where null is allowed and nothing is required; used by the contract tests."""
    spec = services()[service]
    _check_object(spec["objects"], spec["actions"][action][1], response, "", nulls=True)


def _check_object(objects: Mapping[str, Any], name: str, value: Any, path: str, *, nulls: bool) -> None:
    if not isinstance(value, dict):
        raise ApiError("InvalidParameter.FormatError", f"The value type of parameter `{path}` is not valid.")
    members: Mapping[str, Member] = objects.get(name, {})
    for key, inner in value.items():
        where = f"{path}.{key}" if path else key
        if key not in members:
            raise ApiError("UnknownParameter", f"The parameter `{where}` is not recognized.")
        if inner is None and nulls:
            continue
        kind, member, _ = members[key]
        _check_value(objects, (kind, member), inner, where, nulls=nulls)
    if not nulls:
        for key, (_, _, required) in members.items():
            if required and key not in value:
                raise missing(f"{path}.{key}" if path else key)


def _check_value(objects: Mapping[str, Any], expected: tuple[str, str], value: Any, path: str, *, nulls: bool) -> None:
    kind, member = expected
    if kind == "list":
        if not isinstance(value, list):
            raise ApiError("InvalidParameter.FormatError", f"The value type of parameter `{path}` is not valid.")
        for index, item in enumerate(value):
            _check_value(objects, ("", member), item, f"{path}.{index}", nulls=nulls)
    elif member in _SCALARS:
        _check_scalar(member, value, path)
    else:
        _check_object(objects, member, value, path, nulls=nulls)


def _check_scalar(member: str, value: Any, path: str) -> None:
    wrong_bool = isinstance(value, bool) and member != "bool"
    negative = member == "uint64" and isinstance(value, int) and value < 0
    if wrong_bool or negative or not isinstance(value, _SCALARS[member]):
        raise ApiError("InvalidParameter.FormatError", f"The value type of parameter `{path}` is not valid.")
