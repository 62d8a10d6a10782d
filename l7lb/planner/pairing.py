"""Two worlds side by side: what is missing, what matches, what is surplus. Knows nothing but keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K")
D = TypeVar("D")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Pairing(Generic[K, D, V]):
    """Missing and matched in the order of the desired side, surplus in the order of the observed one."""

    missing: Mapping[K, D]
    matched: Mapping[K, tuple[D, V]]
    surplus: Mapping[K, V]


def pair(desired: Mapping[K, D], observed: Mapping[K, V]) -> Pairing[K, D, V]:
    """Sort two mappings by whether the other side has the key."""
    return Pairing(
        missing={key: value for key, value in desired.items() if key not in observed},
        matched={key: (value, observed[key]) for key, value in desired.items() if key in observed},
        surplus={key: value for key, value in observed.items() if key not in desired},
    )
