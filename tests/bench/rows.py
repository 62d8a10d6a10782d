"""What a benchmark says: a figure with its unit, and beside it what others need. Judged by `budgets`, never here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")


class Better(StrEnum):
    """Which way a figure should go."""

    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number."""

    name: str
    """`subject/what`, for ever the same: the key of its budget and of its line on the page."""
    value: float
    """The median, where there were several."""
    unit: str
    better: Better
    versus: Mapping[str, float] = field(default_factory=dict)
    """Others, or other sizes, in words -> the same measure, in the same unit, from the same run."""
    samples: int = 1
    least: float | None = None
    """The least and the most of the samples; None with one sample."""
    most: float | None = None
    note: str = ""
    """What a reader must know, like how many events a slow one was given."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    quick: bool = False

    def pick(self, full: T, quick: T) -> T:
        """One of two sizes."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Something to measure. It runs in a fresh process; `measure` returns one figure for each name of `rows`."""

    name: str
    about: str
    """A sentence for the page: what is done, with how much of what."""
    measure: Callable[[Scale], tuple[Figure, ...]]
    rows: tuple[str, ...]
    limit_s: float = 300.0
    """After so long it has failed."""
    virtual: bool = False
    """Neither the wall clock nor a narrow budget of CPU judges it: another of this kind may run meanwhile."""
