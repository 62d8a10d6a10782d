"""`python -m tests.bench.drawing FOLDER`: draws the plots that its input names. Only it needs the library."""

import sys
from math import ceil
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import msgspec
from matplotlib.figure import Figure

from tests.bench.plots import OURS, Bars, Lines, Plots, digest

MARK: Final = "#3949ab"
OTHERS: Final = "#b9c0d4"
INK: Final = "#1f2430"
SETTINGS: Final = {
    "svg.hashsalt": "l7lb",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
BAR_IN: Final = 0.34
WIDTH_IN: Final = 7.2
LEGEND_IN: Final = 0.21
COLUMNS: Final = 3
DASHES: Final = ("-", "--", ":")
"""More lines than there are colours: the next ten are dashed."""


def bars(plot: Bars) -> Figure:
    """One bar each, from zero, so that their lengths compare as their values do."""
    figure = Figure(figsize=(WIDTH_IN, 0.9 + BAR_IN * len(plot.bars)), layout="constrained")
    axes = figure.subplots()
    names, values = list(plot.bars), list(plot.bars.values())
    drawn = axes.barh(names, values, color=[MARK if name == OURS else OTHERS for name in names])
    axes.bar_label(drawn, labels=[f"{value:,.4g}" for value in values], padding=3)
    axes.margins(x=0.12)
    axes.invert_yaxis()
    axes.set_title(plot.title, loc="left", fontsize=11)
    axes.set_xlabel(plot.unit)
    return figure


def lines(plot: Lines) -> Figure:
    """Both axes logarithmic, with a straight line for what grows as its size does."""
    in_legend = ceil((len(plot.lines) + 1) / COLUMNS)
    figure = Figure(figsize=(WIDTH_IN, 4.2 + LEGEND_IN * in_legend), layout="constrained")
    axes = figure.subplots()
    most = max(size for points in plot.lines.values() for size, _ in points)
    axes.plot([1, most], [1, most], linestyle="-", linewidth=4, color=OTHERS, label="linear")
    for number, (name, points) in enumerate(plot.lines.items()):
        colour, dashes = f"C{number % 10}", DASHES[number // 10 % len(DASHES)]
        sizes, costs = [size for size, _ in points], [cost for _, cost in points]
        axes.plot(sizes, costs, color=colour, linestyle=dashes, marker="o", label=name)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_title(plot.title, loc="left", fontsize=11)
    axes.set_xlabel("size")
    axes.set_ylabel("cost")
    figure.legend(loc="outside lower center", ncols=COLUMNS, frameon=False, fontsize=9)
    return figure


def draw(plots: Plots, folder: Path) -> None:
    """One file for each."""
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(SETTINGS):
        for name, plot in plots.files.items():
            made = bars(plot) if isinstance(plot, Bars) else lines(plot)
            said: dict[str, Any] = {"Date": None, "Creator": None, "Title": plot.title, "Identifier": digest(plot)}
            made.savefig(folder / name, metadata=said, facecolor="white")


if __name__ == "__main__":
    draw(msgspec.json.decode(sys.stdin.buffer.read(), type=Plots), Path(sys.argv[1]))
