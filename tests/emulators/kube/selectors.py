"""Label and field selectors: from their text to a predicate. No object is read from anywhere here.

Sources: "Labels and Selectors"; "Field Selectors", with the fields that each kind really supports.
"""

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from tests.emulators.kube.kinds import Kind
from tests.emulators.kube.refusals import ApiError
from tests.emulators.kube.wire import Json

Predicate: TypeAlias = Callable[[Json], bool]

FIELDS = {
    "secrets": ("type",),
    "pods": ("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
             "spec.hostNetwork", "status.phase", "status.podIP", "status.nominatedNodeName"),
    "nodes": ("spec.unschedulable",),
    "namespaces": ("status.phase",),
    "services": ("spec.clusterIP", "spec.type"),
    "events": ("involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
               "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath",
               "reason", "reportingComponent", "source", "type"),
    "replicasets.apps": ("status.replicas",),
}  # fmt: skip
"""Beside metadata.name and metadata.namespace, which every kind supports."""

_IN = re.compile(r"^\s*([^\s!=,()]+)\s+(in|notin)\s*\(([^)]*)\)\s*$")
_EQUAL = re.compile(r"^\s*([^\s!=,()]+)\s*(==|!=|=)\s*([^\s=!,()]*)\s*$")
_EXISTS = re.compile(r"^\s*(!?)\s*([^\s!=,()]+)\s*$")
_OUTSIDE_BRACKETS = re.compile(r",(?![^(]*\))")


def of_request(kind: Kind, label_selector: str, field_selector: str) -> Predicate:
    """Whether an object fits both selectors; 400 for text that is none."""
    labels = [_requirement(part) for part in _parts(label_selector)]
    fields = [_field_requirement(kind, part) for part in _parts(field_selector)]

    def fits(obj: Json) -> bool:
        carried = obj["metadata"].get("labels") or {}
        return all(holds(carried) for holds in labels) and all(holds(obj) for holds in fields)

    return fits


def both(one: Predicate, other: Predicate) -> Predicate:
    """A predicate that holds where both do."""
    return lambda obj: one(obj) and other(obj)


def _parts(selector: str) -> list[str]:
    return [part for part in _OUTSIDE_BRACKETS.split(selector) if part.strip()]


def _requirement(part: str) -> Predicate:
    if found := _IN.match(part):
        key, operator, text = found.groups()
        values = {value.strip() for value in text.split(",")}
        if operator == "in":
            return lambda labels: labels.get(key) in values and key in labels
        return lambda labels: labels.get(key) not in values or key not in labels
    if found := _EQUAL.match(part):
        key, operator, value = found.groups()
        if operator == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found := _EXISTS.match(part):
        negated, key = found.groups()
        return lambda labels: (key in labels) is not bool(negated)
    raise ApiError(400, f'unable to parse requirement: found "{part}", expected a requirement')


def _field_requirement(kind: Kind, part: str) -> Predicate:
    found = _EQUAL.match(part.replace("\\,", ","))
    if not found:
        raise ApiError(400, f'invalid selector: "{part}"; can\'t understand "{part}"')
    path, operator, value = found.groups()
    supported = ("metadata.name", "metadata.namespace", *FIELDS.get(kind.bucket, ()), *kind.selectable)
    if kind.group == "events.k8s.io":
        path = path.replace("regarding.", "involvedObject.").replace("reportingController", "reportingComponent")
    if path not in supported:
        raise ApiError(400, f"field label not supported: {path}")
    wanted = operator != "!="
    return lambda obj: (_field(obj, path) == value) is wanted


def _field(obj: Json, path: str) -> str:
    if path == "source":
        return str((obj.get("source") or {}).get("component") or obj.get("reportingComponent") or "")
    value: Any = obj
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "false" if path in {"spec.unschedulable", "spec.hostNetwork"} else ""
    return str(value)
