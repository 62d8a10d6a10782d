"""Makes `schema.json`: the fields of every built-in kind that this emulator serves.

The table is read from the models of the `kubernetes` distribution, which are generated from the published
OpenAPI document, so that nobody here writes a field list by hand. Run `python -m
tests.emulators.kube.extract_schema` after moving to another release. Nothing that serves a request may import
this module: the emulator itself needs no Kubernetes package.
"""

import importlib
import json
import re
from pathlib import Path
from typing import Any

ROOTS = [
    "V1Namespace",
    "V1Pod",
    "V1Service",
    "V1Endpoints",
    "V1Node",
    "V1Secret",
    "V1ConfigMap",
    "CoreV1Event",
    "V1ServiceAccount",
    "V1Deployment",
    "V1ReplicaSet",
    "V1StatefulSet",
    "V1DaemonSet",
    "V1Ingress",
    "V1IngressClass",
    "V1EndpointSlice",
    "V1Lease",
    "EventsV1Event",
    "V1CustomResourceDefinition",
    "V1Role",
    "V1RoleBinding",
    "V1ClusterRole",
    "V1ClusterRoleBinding",
    "V1PodDisruptionBudget",
    "V1Scale",
    "V1SelfSubjectAccessReview",
    "V1SelfSubjectRulesReview",
    "V1SubjectAccessReview",
    "V1LocalSubjectAccessReview",
    "V1TokenReview",
    "V1SelfSubjectReview",
    "V1DeleteOptions",
    "V1PersistentVolumeClaim",
]
PLAIN = {
    "str": "str",
    "int": "int",
    "float": "num",
    "bool": "bool",
    "datetime": "time",
    "object": "any",
    "bytes": "bytes",
}


def _module_of(model: str) -> str:
    with_breaks = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", model))
    return "kubernetes.client.models." + with_breaks.lower()


def _type_of(declared: str, annotation: str) -> str:
    if declared == "object" and "int" in annotation and "str" in annotation:
        return "int-or-string"
    if listed := re.fullmatch(r"List\[(.*)\]", declared):
        return "[]" + _type_of(listed[1], "")
    if mapped := re.fullmatch(r"Dict\[str, (.*)\]", declared):
        return "{}" + _type_of(mapped[1], annotation)
    return PLAIN.get(declared, "@" + declared)


def _fields_of(model: str) -> dict[str, str]:
    cls: Any = getattr(importlib.import_module(_module_of(model)), model)
    by_wire_name = {info.serialization_alias or name: info for name, info in cls.model_fields.items()}
    fields = {}
    for attribute, wire_name in cls.attribute_map.items():
        info = by_wire_name[wire_name]
        mark = "!" if info.is_required() else ""
        fields[wire_name] = mark + _type_of(cls.openapi_types[attribute], str(info.annotation))
    return fields


def main() -> None:
    """Write `schema.json` beside this module."""
    waiting, found = list(ROOTS), {}
    while waiting:
        model = waiting.pop()
        if model in found:
            continue
        found[model] = _fields_of(model)
        waiting += [kind.split("@")[1] for kind in found[model].values() if "@" in kind]
    lines = [f"{json.dumps(model)}: {json.dumps(found[model], sort_keys=True)}" for model in sorted(found)]
    target = Path(__file__).with_name("schema.json")
    target.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
