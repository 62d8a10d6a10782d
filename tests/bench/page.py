"""`python -m tests.bench.page`: the page on performance, made of the figures of one run and of nothing else.

`make bench WRITE=1` writes the figures and calls this; nobody edits what it makes, and a test says when somebody has.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from tests.bench.plots import COMPARED, Bars, Plots, plots_of

Json = Mapping[str, Any]
ROOT: Final = Path(__file__).parents[2]
FIGURES: Final = ROOT / "docs/performance.json"
PAGE: Final = ROOT / "docs/performance.md"
IMAGES: Final = ROOT / "docs/images/performance"

HEAD: Final = """\
# Performance

<!-- Made by `make bench WRITE=1` from docs/performance.json: not edited by hand. -->

What l7lb costs, against its budgets and against what else somebody who writes a controller in Python could take. All
figures are of one run of `make bench` on this machine:

{machine}

Times are CPU time of whole processes, so that neighbours on the machine do not count; those of others were measured
in the same run, in turn with ours. A ratio is the median of the ratios of its rounds.

## What is not measured

- The real cloud and a real network. Everything is on loopback, and load balancers are those of an emulator: it has the
  documented quotas, and its tasks take as long as is said with each benchmark. How long real ones take is not known
  here, so what takes time is said as a part of the bound that quotas and tasks leave.
- A real API server. Lists and watches come from a server that has all its answers ready, so that only clients are
  measured; it sends a watch in large blocks, and a real one sends event by event while little happens.
- Where it says "virtual time", time passes as calls and tasks are said to take, 4 ms for each pass and 10 ms for each
  call to the API server. Calls are counted there and CPU is measured, but a slow machine makes no wait longer.

## How to repeat it

```sh
make bench
```

took {minutes} minutes here. It prints a line of JSON for each figure and the sum at the end, puts both into
`build/bench.json`, and ends with 1 if a figure is beyond its budget. `make bench ONLY='watching-slices memory'`
measures a part, `make bench-quick` all of it with small sizes, which shows that it works and little else.
`make bench WRITE=1` writes this page. A benchmark that fails is named in the sum, and the run ends with 1 as well.

## Budgets

A row is a figure that was promised before it was measured; several figures may stand for one promise. Where it has a
margin, a figure that is worse than the budget by no more than that counts as kept, since times differ between machines
and between runs: "kept" may then stand beside a figure that misses its budget. Counts, virtual time and memory have no
margin. Figures without a budget stand further below, and are for reading only. An exponent says how a cost grows: 1 is
linear, so that ten times as much costs ten times as much.

| what was promised | figure | measured | budget | kept |
| --- | --- | --- | --- | --- |
"""


def text(document: Json) -> str:
    """The whole page."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Json) -> Iterator[str]:
    machine = document["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    told = f"{machine['cores']} cores ({machine['processor']}), {machine['system']}, {machine['python']}; {packages}."
    yield HEAD.format(machine=told, minutes=f"{document['sum']['seconds'] / 60:.0f}").rstrip("\n")
    rows = {row["name"]: row for row in document["rows"]}
    for row in rows.values():
        if row["budget"] is not None:
            kept = "yes" if row["ok"] else "**no**"
            yield f"| {row['promise']} | `{row['name']}` | {_measured(row)} | {_budget(row)} | {kept} |"
    if document["held"]:
        yield from ("", "Held by tests of the suite, because counting costs nothing:", "")
        yield from (f"- {what}: `{test}`" for what, test in document["held"].items())
    drawn = plots_of(document)
    for one in document["benchmarks"]:
        yield from _section(one, rows, drawn)
    yield from _growth(drawn)


def _section(benchmark: Json, rows: Mapping[str, Json], drawn: Plots) -> Iterator[str]:
    own = [rows[name] for name in benchmark["rows"]]
    yield from ("", f"## {benchmark['name'].replace('-', ' ').capitalize()}", "", benchmark["about"], "")
    if "failure" in benchmark:
        yield f"Not measured in this run: it {benchmark['failure']}."
        return
    files = {name.replace("/", "-") + ".svg" for name in benchmark["rows"] if name in COMPARED}
    for plot in drawn.bars:
        if plot.file in files:
            yield from (_image(plot), "")
    yield from ("| figure | measured | beside it |", "| --- | --- | --- |")
    for row in own:
        yield f"| `{row['name']}` | {_measured(row)} | {_beside(row)} |"
    notes = [f"- `{row['name']}`: {row['note']}." for row in own if row.get("note")]
    if notes:
        yield from ("", *notes)


def _growth(drawn: Plots) -> Iterator[str]:
    for plot in drawn.lines:
        yield from ("", "## Growth", "", "An exponent of 1 is linear: ten times as much costs ten times as much.", "")
        yield f"![{plot.title}](images/performance/{plot.file})"


def _image(plot: Bars) -> str:
    said = ", ".join(f"{who} {_number(value)} {plot.unit}" for who, value in plot.bars.items())
    return f"![{plot.title}: {said}](images/performance/{plot.file})"


def _measured(row: Json) -> str:
    spread = row.get("spread")
    several = f" ({row['samples']} × {_number(spread[0])} to {_number(spread[1])})" if spread else ""
    return f"{_number(row['value'])} {row['unit']}{several}"


def _budget(row: Json) -> str:
    margin = f", margin {row['margin']:.0%}" if row.get("margin") else ""
    return f"{'≥' if row['better'] == 'higher' else '≤'} {_number(row['budget'])}{margin}"


def _beside(row: Json) -> str:
    return "; ".join(f"{who}: {_number(value)}" for who, value in row["versus"].items())


def _number(value: float) -> str:
    """Without an exponent, and no more digits than were measured."""
    if value == int(value):
        return f"{int(value):,}"
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2 if abs(value) >= 1 else 4
    return f"{value:,.{digits}f}"


def write(figures: bytes) -> None:
    """Figures, page and plots; CalledProcessError when the plots cannot be drawn."""
    FIGURES.write_bytes(figures)
    document = json.loads(figures)
    PAGE.write_text(text(document), encoding="utf-8")
    for old in IMAGES.glob("*.svg"):
        old.unlink()
    drawn = msgspec.json.encode(plots_of(document))
    subprocess.run([sys.executable, "-m", "tests.bench.drawing", str(IMAGES)], input=drawn, check=True, cwd=ROOT)


if __name__ == "__main__":
    write(FIGURES.read_bytes())
