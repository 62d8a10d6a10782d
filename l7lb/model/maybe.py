"""`UNSET`: "nobody says anything about this field". Not a value, and not None (which says "none")."""

from dataclasses import Field, fields, replace
from enum import Enum
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVar


class Spec(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


class Unset(Enum):
    """The type of `UNSET`, so that `Maybe[T]` can be told apart by `is`."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET = Unset.UNSET
T = TypeVar("T")
D = TypeVar("D", bound="Spec")
Maybe: TypeAlias = T | Unset


def over(desired: D, observed: D) -> D:
    """`desired` with each UNSET field taken from `observed`: what is compared with `observed` afterwards."""
    gaps: dict[str, Any] = {
        f.name: getattr(observed, f.name) for f in fields(desired) if getattr(desired, f.name) is UNSET
    }
    return replace(desired, **gaps) if gaps else desired


def given(value: Maybe[T], default: T) -> T:
    """The value, or `default` when nobody says anything."""
    return default if isinstance(value, Unset) else value
