"""Which figures are drawn, and from what: values for `drawing`, which makes files of them. No drawing happens here."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec

Json = Mapping[str, Any]
OURS: Final = "l7lb"


class Bars(msgspec.Struct, frozen=True):
    """Somebody and what he needs, the least first."""

    file: str
    title: str
    unit: str
    bars: dict[str, float]


class Lines(msgspec.Struct, frozen=True):
    """How costs grow: sizes and costs, both as multiples of the least."""

    file: str
    title: str
    lines: dict[str, list[tuple[float, float]]]


class Plots(msgspec.Struct, frozen=True):
    """All of a page."""

    bars: tuple[Bars, ...]
    lines: tuple[Lines, ...]

    @property
    def files(self) -> Mapping[str, Bars | Lines]:
        """By the name of the file."""
        every: tuple[Bars | Lines, ...] = (*self.bars, *self.lines)
        return {one.file: one for one in every}


COMPARED: Final = {
    "watch/ingresses/cpu": "CPU for an event of a watch: an Ingress of 3.1 KB",
    "watch/slices/cpu": "CPU for an event of a watch: a slice with 100 endpoints",
    "list/cpu": "CPU to list 10,000 Ingresses",
    "list/kept": "Memory for each Ingress that was listed",
    "start/cpu": "CPU to start, up to the first list",
    "call/cpu": "CPU of the client for a call to the cloud",
}
"""Rows where others stand beside us, and what their plots are called."""


def plots_of(document: Json) -> Plots:
    """Of the figures that there are."""
    rows = {row["name"]: row for row in document["rows"]}
    bars = tuple(_bars(rows[name], title) for name, title in COMPARED.items() if name in rows)
    grown = {_label(name): _line(row) for name, row in rows.items() if row["unit"] == "exponent"}
    lines = {name: line for name, line in grown.items() if len(line) > 1}
    drawn = Lines("growth.svg", "Cost by size, both as multiples of the least measured", lines)
    return Plots(bars, (drawn,) if lines else ())


def digest(plot: Bars | Lines) -> str:
    """Stands in the file, and says which values were drawn."""
    return sha256(msgspec.json.encode(plot, order="deterministic")).hexdigest()[:16]


def _label(name: str) -> str:
    """`plan/growth` is that of plan, `joining/growth-cpu` that of joining, cpu."""
    subject, _, what = name.partition("/growth")
    return f"{subject}, {what.removeprefix('-')}" if what else subject


def _bars(row: Json, title: str) -> Bars:
    values = {OURS: row["value"], **row["versus"]}
    ordered = dict(sorted(values.items(), key=lambda pair: float(pair[1])))
    return Bars(row["name"].replace("/", "-") + ".svg", title, row["unit"], ordered)


def _line(row: Json) -> list[tuple[float, float]]:
    points = sorted(
        (float(size.replace(",", "")), float(cost)) for size, cost in row["versus"].items() if _is_size(size)
    )
    if not points or not points[0][1]:
        return []
    least, first = points[0]
    return [(size / least, cost / first) for size, cost in points]


def _is_size(text: str) -> bool:
    return text.replace(",", "").replace(".", "", 1).isdecimal()
