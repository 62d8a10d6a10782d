"""The definition of the kind TkeServiceConfig, made from the form that the translator reads it by.

Structural, with ranges. What it does not know is kept and not pruned: objects of TKE may carry more, and a misspelled
field is then named in an Event instead of vanishing. A cluster that has TKE's own definition needs none of this.
"""

from typing import Any, Final

import yaml
from msgspec import inspect

from l7lb.translator import serviceconfig_form as form
from l7lb.translator.serviceconfig_reading import fields_of

Json = dict[str, Any]

HEAD: Final = """\
# Made by `make docs` from l7lb/translator/serviceconfig_form.py; an edit by hand is undone.
# For clusters without TKE's own definition of this kind; l7lb runs with that one, with this one, and with none.
"""
OPEN: Final = {"x-kubernetes-preserve-unknown-fields": True}
GROUP, PLURAL = "cloud.tencent.com", "tkeserviceconfigs"


def definition() -> Json:
    """The CustomResourceDefinition."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": "TkeServiceConfig",
                "listKind": "TkeServiceConfigList",
                "plural": PLURAL,
                "singular": "tkeserviceconfig",
            },
            "scope": "Namespaced",
            "versions": [_version()],
        },
    }


def definition_page() -> str:
    """As a file."""
    return HEAD + yaml.safe_dump(definition(), sort_keys=False, width=120)


def _version() -> Json:
    about = {"description": "Settings of the load balancer of an Ingress or a Service.", "type": "object"}
    free: Json = {"type": "object", **OPEN}
    return {
        "name": "v1alpha1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {**about, "properties": {"spec": _object(form.Spec), "status": free}}},
        "additionalPrinterColumns": [
            {
                "name": "Kept for",
                "type": "string",
                "description": "The Ingress for which l7lb keeps it; empty: it is edited by people only.",
                "jsonPath": ".metadata.ownerReferences[0].name",
            },
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        ],
    }


def _object(kind: type[form.Part]) -> Json:
    """A form; a field with two spellings is required in one of them."""
    properties: Json = {}
    required: list[str] = []
    either: list[list[str]] = []
    for one, plain, description in fields_of(kind):
        spellings = [one.encode_name, *(old for old, new in form.ALIASES.items() if new == one.encode_name)]
        for spelling in spellings:
            about = {"description": description} if description else {}
            properties[spelling] = {**about, **_schema(plain)}
        if one.required and len(spellings) == 1:
            required.append(one.encode_name)
        elif one.required:
            either.append(spellings)
    made: Json = {"description": (kind.__doc__ or "").partition("\n")[0], "type": "object", "properties": properties}
    if required:
        made["required"] = required
    for spellings in either:
        made["anyOf"] = [{"required": [spelling]} for spelling in spellings]
    return {**made, **OPEN}


def _schema(plain: inspect.Type) -> Json:
    match plain:
        case inspect.StructType(cls=kind) if issubclass(kind, form.Part):
            return _object(kind)
        case inspect.VarTupleType(item_type=item):
            return {"type": "array", "items": _schema(item)}
        case inspect.BoolType():
            return {"type": "boolean"}
        case inspect.LiteralType(values=values):
            return {"type": "integer" if isinstance(values[0], int) else "string", "enum": list(values)}
        case inspect.IntType(ge=least, le=most):
            return {"type": "integer", **_said(minimum=least, maximum=most)}
        case inspect.StrType(min_length=least, max_length=most, pattern=pattern):
            return {"type": "string", **_said(minLength=least, maxLength=most, pattern=pattern)}
        case _:
            raise TypeError(f"no schema for {plain}")


def _said(**limits: int | str | None) -> Json:
    return {name: limit for name, limit in limits.items() if limit is not None}
