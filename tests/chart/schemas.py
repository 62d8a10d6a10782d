"""JSON schemas for kubeconform, made from what a kube-apiserver says of its own kinds. Unknown fields are refused."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from tests.chart.rendering import Json
from tests.system.kube import Kube

COMPONENTS, DEFINITIONS = "#/components/schemas/", "#/definitions/"
KEPT = ("type", "required", "enum", "pattern", "minimum", "maximum", "x-kubernetes-group-version-kind")
LOCATION = "{{.ResourceKind}}{{.KindSuffix}}.json"
"""How kubeconform names a file."""


def write_schemas(kube: Kube, folder: Path) -> None:
    """One file for each kind of the stable versions."""
    for path, found in kube._send("GET", "/openapi/v3")["paths"].items():
        if path == "api/v1" or (path.startswith("apis/") and path.endswith("/v1")):
            document = kube._send("GET", found["serverRelativeURL"])
            for name, schema in _kinds(document):
                (folder / name).write_text(json.dumps(schema), encoding="utf-8")


def _kinds(document: Json) -> Iterator[tuple[str, Json]]:
    definitions = {name: _strict(schema) for name, schema in document.get("components", {}).get("schemas", {}).items()}
    for name, schema in definitions.items():
        for kind in schema.get("x-kubernetes-group-version-kind", ()):
            suffix = f"-{kind['group'].partition('.')[0]}-{kind['version']}" if kind["group"] else f"-{kind['version']}"
            reached = {each: definitions[each] for each in _reached(name, definitions)}
            yield f"{kind['kind'].lower()}{suffix}.json", {"$ref": f"{DEFINITIONS}{name}", "definitions": reached}


def _reached(name: str, definitions: Json) -> set[str]:
    found, ahead = set[str](), [name]
    while ahead:
        found.add(ahead[-1])
        named = re.findall(rf'"{DEFINITIONS}([^"]+)"', json.dumps(definitions[ahead.pop()]))
        ahead += [each for each in named if each not in found]
    return found


def _strict(schema: Json) -> Json:
    """What kubeconform needs of a schema, with its references; an object that names its fields has no others."""
    made = {key: schema[key] for key in KEPT if key in schema}
    if "enum" in made:
        # The server repeats some, and JSON Schema wants each once.
        made["enum"] = sorted(set(made["enum"]))
    if "$ref" in schema:
        made["$ref"] = schema["$ref"].replace(COMPONENTS, DEFINITIONS)
    for key in ("allOf", "anyOf", "oneOf"):
        if key in schema:
            made[key] = [_strict(each) for each in schema[key]]
    for key in ("items", "additionalProperties"):
        if key in schema:
            made[key] = _strict(schema[key]) if isinstance(schema[key], dict) else schema[key]
    if "properties" in schema:
        made["properties"] = {name: _strict(each) for name, each in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            made.setdefault("additionalProperties", False)
    return made
