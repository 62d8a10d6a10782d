"""Arithmetic of measuring: medians of alternating samples, and the exponent with which a cost grows."""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, median
from typing import Final

from tests.bench.rows import Better, Figure

SIGNIFICANT: Final = 4


def rounded(value: float) -> float:
    """Four digits: no machine knows more."""
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, SIGNIFICANT - 1 - math.floor(math.log10(abs(value))))


def alternate(rounds: int, sides: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Each side once a round, in turn, so that what disturbs the machine disturbs all of them."""
    samples: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            samples[name].append(side())
    return samples


def figure(
    name: str,
    samples: Sequence[float],
    unit: str,
    better: Better,
    *,
    versus: Mapping[str, float] | None = None,
    note: str = "",
) -> Figure:
    """The median of some samples, with their spread."""
    several = len(samples) > 1
    return Figure(
        name,
        rounded(median(samples)),
        unit,
        better,
        {who: rounded(value) for who, value in (versus or {}).items()},
        len(samples),
        rounded(min(samples)) if several else None,
        rounded(max(samples)) if several else None,
        note,
    )


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The slope of log cost over log size, by least squares: 0 is constant, 1 is linear, 2 is square."""
    xs, ys = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    mean_x, mean_y = fmean(xs), fmean(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread


def growth(name: str, costs: Mapping[float, float], *, unit: str, note: str = "") -> Figure:
    """The exponent of a cost by its size; beside it the costs themselves, in `unit`."""
    value = exponent(list(costs), list(costs.values()))
    versus = {f"{size:,.0f}": rounded(cost) for size, cost in costs.items()}
    return Figure(name, rounded(value), "exponent", Better.LOWER, versus, note=note or f"beside it: {unit} by size")
