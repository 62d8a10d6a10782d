"""Portraits as JSON: field by field under the names of the model, keys as people write them."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum

from l7lb.model.identity import CloudRef, ListenerKey, ObjectKey
from l7lb.model.loadbalancer import TargetKey


def as_json(portrait: object) -> bytes:
    """One portrait; raises TypeError for what is none."""
    return json.dumps(_plain(portrait), indent=1, ensure_ascii=True).encode() + b"\n"


def _plain(value: object) -> object:
    match value:
        case ObjectKey() | ListenerKey() | TargetKey() | CloudRef():
            return str(value)
        case Enum():
            return value.value
        case tuple() | list():
            return [_plain(part) for part in value]
        case Mapping():
            return {str(key): _plain(part) for key, part in value.items()}
        case None | bool() | int() | float() | str():
            return value
        case _ if is_dataclass(value):
            return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        case _:
            raise TypeError(f"not a value of a portrait: {type(value).__name__}")
