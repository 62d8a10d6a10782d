"""What is written back to the cluster, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from l7lb.model.identity import ObjectKey


class EventType(StrEnum):
    """type of an Event."""

    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(frozen=True, slots=True)
class ObjectReference:
    """The object that an Event is about."""

    api_version: str
    kind: str
    key: ObjectKey
    uid: str


@dataclass(frozen=True, slots=True)
class Note:
    """One Event to be written: reason in CamelCase, message starting with TKE's code where there is one."""

    about: ObjectReference
    type: EventType
    reason: str
    message: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class MetadataChange:
    """One patch of an Ingress's metadata; an annotation of None is removed."""

    annotations: Mapping[str, str | None] = field(default_factory=dict)
    add_finalizers: tuple[str, ...] = ()
    remove_finalizers: tuple[str, ...] = ()
