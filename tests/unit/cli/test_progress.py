"""The line that says how far a long piece of work is: late, seldom, and without a trace."""

import io
import sys

import pytest

from l7lb.app.progress import silent
from l7lb.cli.looking import _width
from l7lb.cli.progress import ERASE, Line, aside, drawn, progress


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_takes_less_than_a_second_shows_nothing() -> None:
    written: list[str] = []
    clock = Clock()
    line = Line(written.append, clock)
    for clock.now in (0.0, 0.5, 0.9):
        line.tell("reading", 1, 2)
    line.end()
    assert written == []


def test_a_long_piece_of_work_is_told_ten_times_a_second_and_taken_away() -> None:
    written: list[str] = []
    clock = Clock()
    line = Line(written.append, clock)
    for number in range(200):
        clock.now = number / 100
        line.tell("reading", number, 200)
    line.end()
    assert 9 <= len(written) - 1 <= 11
    assert written[0].startswith(f"{ERASE}reading  ####")
    assert written[-1] == ERASE


@pytest.mark.parametrize(
    ("done", "of", "width", "line"),
    [
        (0, 0, 80, "reading ..."),
        (6, 12, 80, "reading  ############------------  6 of 12"),
        (12, 12, 80, "reading  ########################  12 of 12"),
        (6, 12, 20, "reading  ##########"),
    ],
)
def test_the_line_fits_the_terminal(done: int, of: int, width: int, line: str) -> None:
    assert drawn("reading", done, of, width) == line


def test_a_hostile_name_is_shown_as_its_escapes() -> None:
    assert drawn("\x1b[2J", 0, 0, 80).isprintable()


def test_where_nobody_looks_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", seen := io.StringIO())
    with progress() as tell:
        tell("reading", 1, 2)
    assert seen.getvalue() == ""


@pytest.mark.parametrize(("is_terminal", "before"), [(True, ERASE), (False, "")])
def test_a_line_aside_takes_the_place_of_what_is_drawn(
    monkeypatch: pytest.MonkeyPatch, is_terminal: bool, before: str
) -> None:
    monkeypatch.setattr("sys.stderr", seen := io.StringIO())
    monkeypatch.setattr(seen, "isatty", lambda: is_terminal)
    aside("waiting for \x1b[2J")
    assert seen.getvalue() == f"{before}waiting for \\x1b[2J\n"


def test_closed_outputs_have_neither_a_line_nor_a_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python has None for what the shell has closed (`l7lb status >&- 2>&-`)."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert _width() is None
    with progress() as told:
        assert told is silent
    aside("nobody hears")
