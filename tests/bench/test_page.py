"""The page on performance: it is what its figures make of it, and its plots show these figures."""

import json
from typing import Any

import pytest

from tests.bench import page
from tests.bench.plots import Bars, digest, plots_of
from tests.house.source import ROOT

Json = dict[str, Any]


def document(**row: object) -> Json:
    """One benchmark with one figure."""
    whole = {
        "name": "list/cpu",
        "value": 0.1504,
        "unit": "s",
        "budget": None,
        "better": "lower",
        "ok": True,
        "versus": {"kopf": 1.436, "the limit": 0.1},
        "samples": 3,
        "spread": [0.135, 0.269],
        "note": "a note",
    } | row
    return {
        "machine": {"cores": 2, "processor": "a processor", "system": "Linux 6.1", "python": "CPython 3.11.2",
                    "packages": {"msgspec": "0.22.0"}},
        "quick": False,
        "sum": {"name": "sum", "seconds": 431.0},
        "rows": [whole],
        "held": {"no call for nothing": "tests/some/test_of_it.py"},
        "benchmarks": [{"name": "listing", "about": "It lists.", "seconds": 9.0, "rows": [whole["name"]]}],
    }  # fmt: skip


def test_a_figure_stands_on_the_page_with_its_spread_its_note_and_what_is_beside_it() -> None:
    lines = page.text(document()).splitlines()
    assert "| `list/cpu` | 0.1504 s (3 × 0.1350 to 0.2690) | kopf: 1.44; the limit: 0.1000 |" in lines
    assert "- `list/cpu`: a note." in lines
    assert "- no call for nothing: `tests/some/test_of_it.py`" in lines
    assert "took 7 minutes here." in page.text(document())
    assert "2 cores (a processor), Linux 6.1, CPython 3.11.2; msgspec 0.22.0." in lines


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ({"budget": 0.2, "margin": 0.15, "promise": "it is quick"}, "≤ 0.2000, margin 15% | yes |"),
        ({"budget": 0.1, "ok": False, "promise": "it is quick"}, "≤ 0.1000 | **no** |"),
    ],
)
def test_a_budget_that_is_not_kept_is_not_hidden(row: Json, line: str) -> None:
    assert (
        f"| it is quick | `list/cpu` | 0.1504 s (3 × 0.1350 to 0.2690) | {line}"
        in page.text(document(**row)).splitlines()
    )


def test_a_plot_shows_who_needs_the_least_first() -> None:
    (plot,) = plots_of(document()).bars
    assert list(plot.bars.items()) == [("the limit", 0.1), ("l7lb", 0.1504), ("kopf", 1.436)]
    assert "![CPU to list 10,000 Ingresses: the limit 0.1000 s, l7lb 0.1504 s, kopf 1.44 s]" in page.text(document())


@pytest.mark.parametrize(
    ("name", "label"), [("plan/growth", "plan"), ("joining/growth-cpu", "joining, cpu"), ("some/else", "some/else")]
)
def test_growth_is_drawn_as_multiples_of_the_least(name: str, label: str) -> None:
    grown = document(name=name, unit="exponent", versus={"2,500": 200.0, "50": 4.0})
    (lines,) = plots_of(grown).lines
    assert lines.lines == {label: [(1.0, 1.0), (50.0, 50.0)]}


def test_another_value_is_another_plot() -> None:
    one = Bars("a.svg", "title", "s", {"l7lb": 1.0})
    assert digest(one) == digest(Bars("a.svg", "title", "s", {"l7lb": 1.0}))
    assert digest(one) != digest(Bars("a.svg", "title", "s", {"l7lb": 1.1}))


def test_the_page_is_what_its_figures_make_of_it() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.text(json.loads(page.FIGURES.read_bytes()))


def test_the_figures_are_of_a_whole_run_in_full_size() -> None:
    figures = json.loads(page.FIGURES.read_bytes())
    assert not figures["quick"]
    assert figures["sum"]["rows"] == len(figures["rows"])
    measured = [row for one in figures["benchmarks"] for row in one["rows"]]
    assert measured == [row["name"] for row in figures["rows"]]


def test_what_has_failed_is_not_passed_over_in_silence() -> None:
    failed = document()
    failed["benchmarks"].append(
        {"name": "memory", "about": "Full.", "seconds": 1.0, "rows": [], "failure": "ended with 1"}
    )
    assert "Not measured in this run: it ended with 1." in page.text(failed).splitlines()


def test_the_plots_show_the_figures_of_the_page() -> None:
    drawn = plots_of(json.loads(page.FIGURES.read_bytes())).files
    assert {path.name for path in page.IMAGES.glob("*.svg")} == set(drawn)
    for name, plot in drawn.items():
        assert digest(plot) in (page.IMAGES / name).read_text(encoding="utf-8")


def test_no_figure_names_a_machine() -> None:
    assert str(ROOT) not in page.FIGURES.read_text(encoding="utf-8")
