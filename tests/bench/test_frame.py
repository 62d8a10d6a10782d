"""The frame of `make bench`: the form of a row, the sum, the exit code, and that every promise is measured."""

import json
from collections.abc import Mapping
from math import inf
from pathlib import Path
from threading import Barrier

import pytest

from tests.bench import __main__ as command
from tests.bench.budgets import BUDGETS, SUBJECTS, Budget
from tests.bench.figures import alternate, exponent, figure, growth, rounded
from tests.bench.one import figures_of
from tests.bench.registry import NAMES, ROOMS, benchmark, benchmarks_of, known_rows
from tests.bench.results import Machine, Ran, Results, document, last_line, line, summed
from tests.bench.rows import Benchmark, Better, Figure, Scale

GOOD = Figure("queue/growth", 1.1, "exponent", Better.LOWER, {"1,000": 0.01, "10,000": 0.1})
BAD = Figure("queue/growth", 1.2, "exponent", Better.LOWER)
FREE = Figure("queue/rate", 100_000.0, "keys/s", Better.HIGHER, samples=3, least=90_000.0, most=110_000.0)
AWAITED: set[str] = set()
"""Not measured yet; the list only shrinks."""


def results(*ran: Ran) -> Results:
    return Results(Machine(2, "a processor", "Linux 6.1", "CPython 3.11.2", {"msgspec": "0.22.0"}), False, 1.5, ran)


def test_a_row_says_what_was_measured_against_what_and_whether_that_is_good() -> None:
    assert line(GOOD, quick=False) == {
        "name": "queue/growth",
        "value": 1.1,
        "unit": "exponent",
        "budget": 1.0,
        "better": "lower",
        "ok": True,
        "versus": {"1,000": 0.01, "10,000": 0.1},
        "samples": 1,
        "promise": "nothing grows faster than what it is about",
        "margin": 0.15,
    }
    free = line(FREE, quick=False)
    assert (free["budget"], free["ok"], free["spread"]) == (None, True, [90_000.0, 110_000.0])


@pytest.mark.parametrize(
    ("value", "better", "holds"),
    [
        (9.1, Better.HIGHER, True),
        (9.0, Better.HIGHER, True),
        (8.9, Better.HIGHER, False),
        (11.0, Better.LOWER, True),
        (11.1, Better.LOWER, False),
    ],
)
def test_a_margin_is_taken_off_on_the_side_that_is_worse(value: float, better: Better, holds: bool) -> None:
    assert Budget("some/row", 10.0, better, margin=0.1).holds(value) is holds


def test_small_sizes_are_not_held_against_a_budget_for_large_ones() -> None:
    slow = Figure("watch/ingresses/ratio", 3.0, "times less CPU", Better.HIGHER)
    assert (line(slow, quick=True)["budget"], line(slow, quick=True)["ok"]) == (None, True)
    assert (line(slow, quick=False)["budget"], line(slow, quick=False)["ok"]) == (10, False)


def test_the_last_line_names_what_is_red_and_what_has_failed() -> None:
    found = results(Ran("queueing", "Keys.", 1.0, figures=(FREE, BAD)), Ran("memory", "Caches.", 0.5, "ended with 1"))
    assert last_line(found) == {
        "name": "sum",
        "rows": 2,
        "with_budget": 1,
        "ok": False,
        "red": ["queue/growth"],
        "failed": ["memory"],
        "seconds": 1.5,
    }
    assert last_line(results(Ran("queueing", "Keys.", 1.0, figures=(GOOD, FREE))))["ok"] is True


@pytest.mark.parametrize(
    ("seconds", "limit_s", "red"), [(690.0, 600.0, []), (691.0, 600.0, ["seconds"]), (691.0, inf, [])]
)
def test_a_run_that_takes_too_long_is_red_though_all_figures_are_good(
    seconds: float, limit_s: float, red: list[str]
) -> None:
    ran = Ran("queueing", "Keys.", 1.0, figures=(GOOD,))
    found = last_line(summed([ran], quick=False, seconds=seconds, limit_s=limit_s))
    assert (found["red"], found["ok"], found.get("limit", inf)) == (red, not red, limit_s)


def test_the_document_has_the_rows_the_sum_and_the_machine() -> None:
    found = json.loads(document(results(Ran("queueing", "Keys.", 1.0, figures=(GOOD, FREE)))))
    assert [row["name"] for row in found["rows"]] == ["queue/growth", "queue/rate"]
    assert found["sum"]["rows"] == 2
    assert found["machine"]["cores"] == 2
    assert found["benchmarks"] == [
        {"name": "queueing", "about": "Keys.", "seconds": 1.0, "rows": ["queue/growth", "queue/rate"]}
    ]


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the benchmarks compare with is there, which it need not be where only tests run."""
    monkeypatch.setattr(command, "NEEDED", ("msgspec",))


@pytest.mark.parametrize(
    ("ran", "code"),
    [
        (Ran("queueing", "Keys.", 1.0, figures=(GOOD,)), 0),
        (Ran("queueing", "Keys.", 1.0, figures=(BAD,)), 1),
        (Ran("queueing", "Keys.", 1.0, "took longer than 1 s"), 1),
    ],
)
def test_the_exit_code_says_whether_all_is_good(
    ran: Ran,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "run", lambda *_asked, **_how: ran)
    out = tmp_path / "build/bench.json"
    assert command.main(["--only", "queueing", "--out", str(out)]) == code
    printed = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert printed[-1]["name"] == "sum"
    assert json.loads(out.read_bytes())["sum"] == printed[-1]


def test_a_benchmark_that_dies_fails_the_run_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    nobody = Benchmark("nobody", "Its process ends at once: there is no such benchmark.", lambda _scale: (), ())
    monkeypatch.setattr(command, "benchmark", lambda _name: nobody)
    assert command.main(["--quick", "--only", "queueing", "--out", str(tmp_path / "bench.json")]) == 1
    failed, last = (json.loads(text) for text in capfd.readouterr().out.splitlines())
    assert failed == {"name": "nobody", "ok": False, "failure": "ended with 2"}
    assert (last["ok"], last["failed"], last["rows"]) == (False, ["nobody"], 0)


def test_a_name_that_is_not_there_is_refused_before_anything_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["--only", "queueing", "watching-everything"])
    assert ended.value.code == 2
    assert "watching-everything" in capsys.readouterr().err


def test_what_is_not_installed_is_said_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "NEEDED", ("msgspec", "a_package_that_nobody_has"))
    assert command.main(["--quick"]) == 2
    said = capsys.readouterr()
    assert (said.out, "pip install -e '.[bench]'" in said.err) == ("", True)
    assert "a_package_that_nobody_has" in said.err
    assert "msgspec" not in said.err


def test_a_benchmark_that_says_other_things_than_it_promised_has_failed() -> None:
    strange = Benchmark("strange", "Nothing.", lambda _scale: (FREE,), ("queue/growth",))
    with pytest.raises(ValueError, match="promised"):
        figures_of(strange, Scale(quick=True))


def test_every_promise_is_measured_or_is_held_by_a_test() -> None:
    assert {subject.what for subject in SUBJECTS if not subject.budgets and not subject.elsewhere} == AWAITED
    assert BUDGETS.keys() <= known_rows()
    for place in filter(None, (subject.elsewhere for subject in SUBJECTS)):
        assert (command.ROOT / place).is_file()


def test_each_figure_and_each_budget_has_a_name_of_its_own() -> None:
    rows = [row for name in NAMES for row in benchmark(name).rows]
    assert len(rows) == len(set(rows))
    assert {room: tuple(one.name for one in benchmarks_of(room)) for room in ROOMS} == ROOMS
    assert len(NAMES) == len(set(NAMES))
    assert len(BUDGETS) == sum(len(subject.budgets) for subject in SUBJECTS)


@pytest.mark.parametrize(
    ("costs", "slope"),
    [
        ({1: 3.0, 10: 3.0, 100: 3.0}, 0.0),
        ({1: 2.0, 10: 20.0, 100: 200.0}, 1.0),
        ({1: 1.0, 10: 100.0, 100: 10_000.0}, 2.0),
    ],
)
def test_the_exponent_of_growth_is_the_slope_of_the_logarithms(costs: Mapping[float, float], slope: float) -> None:
    assert exponent(list(costs), list(costs.values())) == pytest.approx(slope)
    assert growth("some/growth", costs, unit="s").value == pytest.approx(slope)


def test_what_is_of_the_wall_clock_is_measured_alone_and_virtual_time_two_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    both = Barrier(2)
    now: set[str] = set()
    beside: dict[str, set[str]] = {}

    def run(one: Benchmark, *, quick: bool) -> Ran:
        now.add(one.name)
        if one.virtual:
            both.wait(60.0)
        beside[one.name] = now - {one.name}
        if one.virtual:
            both.wait(60.0)
        now.discard(one.name)
        return Ran(one.name, one.about, 0.1, figures=(Figure(f"{one.name}/rate", 1.0, "keys/s", Better.HIGHER),))

    monkeypatch.setattr(command, "run", run)
    command.main(["--only", "queueing", "living", "dividing", "serving", "--out", str(tmp_path / "bench.json")])
    assert beside == {"queueing": set(), "living": {"dividing"}, "dividing": {"living"}, "serving": set()}
    told = [json.loads(text)["name"].split("/")[0] for text in capsys.readouterr().out.splitlines()]
    assert told == ["queueing", "living", "dividing", "serving", "sum"]


def test_sides_are_measured_in_turn() -> None:
    order: list[str] = []

    def side(name: str) -> float:
        order.append(name)
        return float(len(order))

    samples = alternate(2, {"ours": lambda: side("ours"), "theirs": lambda: side("theirs")})
    assert order == ["ours", "theirs", "ours", "theirs"]
    assert samples == {"ours": [1.0, 3.0], "theirs": [2.0, 4.0]}


def test_a_figure_is_the_median_and_says_how_far_its_samples_lie_apart() -> None:
    made = figure("some/row", [3.0, 1.0, 2.00049], "s", Better.LOWER)
    assert (made.value, made.samples, made.least, made.most) == (2.0, 3, 1.0, 3.0)
    assert rounded(123_456.0) == 123_500.0
    assert rounded(0.0) == 0.0
