"""Which custom objects are refused for their values: the value keywords of their own openAPIV3Schema.

Types, required and unknown fields are found earlier, by `schema`. CEL rules (x-kubernetes-validations) are
not carried out. Source: "Extend the Kubernetes API with CustomResourceDefinitions", Validation.
"""

import re
from collections.abc import Iterator
from typing import Any

from tests.emulators.kube import fields
from tests.emulators.kube.refusals import Cause
from tests.emulators.kube.wire import Json


def of_schema(schema: Json, obj: Json) -> list[Cause]:
    """All causes in a whole object, sorted by field as the server gives them."""
    inside = {name: part for name, part in (schema.get("properties") or {}).items() if name != "metadata"}
    return sorted(_object(inside, schema, obj, ""), key=lambda cause: cause[1])


def _object(properties: Json, schema: Json, obj: Json, path: str) -> Iterator[Cause]:
    extra = schema.get("additionalProperties")
    for name, value in obj.items():
        declared = properties.get(name) or (extra if isinstance(extra, dict) and path else None)
        if declared is not None and value is not None:
            yield from _value(declared, value, f"{path}.{name}" if path else name)


def _value(schema: Json, value: Any, path: str) -> Iterator[Cause]:
    if isinstance(value, dict):
        yield from _object(schema.get("properties") or {}, schema, value, path)
        yield from _alternatives(schema, value, path)
    elif isinstance(value, list):
        yield from _items(schema, value, path)
    elif isinstance(value, str):
        yield from _text(schema, value, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number(schema, value, path)
    if "enum" in schema and value not in schema["enum"]:
        listed = ", ".join(fields.shown(choice) for choice in schema["enum"])
        yield "FieldValueNotSupported", path, f"Unsupported value: {fields.shown(value)}: supported values: {listed}"


def _alternatives(schema: Json, value: Json, path: str) -> Iterator[Cause]:
    """Of `anyOf` only what fields it requires. The server names the first one, and the rule itself without a field."""
    choices = [choice.get("required", []) for choice in schema.get("anyOf") or ()]
    if not choices or any(all(name in value for name in names) for names in choices):
        return
    yield "FieldValueRequired", f"{path}.{choices[0][0]}", "Required value"
    yield "FieldValueInvalid", "<nil>", 'Invalid value: "": "" must validate at least one schema (anyOf)'


def _items(schema: Json, value: list[Any], path: str) -> Iterator[Cause]:
    if len(value) > schema.get("maxItems", len(value)):
        told = f"Too many: {len(value)}: must have at most {schema['maxItems']} items"
        yield "FieldValueTooMany", path, told
    if len(value) < schema.get("minItems", 0):
        yield fields.invalid(path, len(value), f"{path} in body should have at least {schema['minItems']} items")
    for index, part in enumerate(value):
        yield from _value(schema.get("items") or {}, part, f"{path}[{index}]")


def _text(schema: Json, value: str, path: str) -> Iterator[Cause]:
    if len(value) > schema.get("maxLength", len(value)):
        yield "FieldValueTooLong", path, f"Too long: may not be longer than {schema['maxLength']}"
    if len(value) < schema.get("minLength", 0):
        yield fields.invalid(path, value, f"{path} in body should be at least {schema['minLength']} chars long")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield fields.invalid(path, value, f"{path} in body should match '{schema['pattern']}'")


def _number(schema: Json, value: float, path: str) -> Iterator[Cause]:
    if value < schema.get("minimum", value):
        yield fields.invalid(path, value, f"{path} in body should be greater than or equal to {schema['minimum']}")
    if value > schema.get("maximum", value):
        yield fields.invalid(path, value, f"{path} in body should be less than or equal to {schema['maximum']}")
