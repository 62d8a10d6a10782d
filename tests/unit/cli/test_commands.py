"""Colour, completion, help, and commands that look: what is common to many commands."""

import re
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run, flags

PLANNED = str(Path(__file__).parents[1] / "app/plans/http.yaml")


@pytest.mark.parametrize(
    ("environment", "arguments", "coloured"),
    [
        ({}, [], False),
        ({}, ["--color=always"], True),
        ({}, ["--color=never"], False),
        ({"NO_COLOR": "1"}, ["--color=always"], True),
        ({"NO_COLOR": "1"}, [], False),
    ],
)
def test_colour_is_for_terminals_and_for_those_who_insist(
    run: Run, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], arguments: list[str], coloured: bool
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    _, out, _ = run("plan", "--offline", "-f", PLANNED, *arguments)
    assert ("\x1b[32m+\x1b[0m" in out) is coloured


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb"), ("OTHER", "1")])
def test_a_terminal_that_wants_no_colour_gets_none(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    _, out, _ = run("plan", "--offline", "-f", PLANNED)
    assert ("\x1b[" in out) is (variable == "OTHER")


# commands that look


@pytest.mark.parametrize("command", ["status", "doctor"])
def test_a_cluster_that_cannot_be_reached_is_a_finding_beside_all_others(
    run: Run, kubeconfig: str, command: str
) -> None:
    code, out, err = run(command, *flags(kubeconfig=kubeconfig, clb_endpoint="http://127.0.0.1:1"))
    assert (code, err) == (1, "")
    assert "127.0.0.1:1" in out


@pytest.mark.parametrize("command", ["status", "tree", "doctor", "plan", "audit", "explain shop/web"])
def test_a_command_that_looks_checks_its_flags_before_anything_else(run: Run, command: str) -> None:
    code, out, err = run(*command.split(), *flags(region="Guangzhou"))
    assert (code, out) == (2, "")
    assert err.startswith("l7lb: --region: ")


def test_every_command_has_a_line_of_help_that_is_not_cut_off_and_shows_how_it_is_called(run: Run) -> None:
    _, out, _ = run("--help")
    rows = re.findall(r"^  ([a-z]+)  +(.+)$", out, re.MULTILINE)
    assert len(rows) == 13
    assert [name for name, text in rows if not text.endswith(".") or text.endswith("...")] == []
    assert [name for name, _ in rows if f"\n  l7lb {name}" not in run(name, "--help")[1]] == []


# completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_how_to_ask(run: Run, shell: str) -> None:
    code, out, _ = run("completion", shell)
    assert code == 0
    assert "_L7LB_COMPLETE" in out
    assert f"{shell}_complete" in out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("l7lb st", ["status"]),
        (
            "l7lb explain e404",
            ["E4040", "E4041", "E4042", "E4043", "E4044", "E4045", "E4046", "E4047", "E4048", "E4049"],
        ),
        ("l7lb plan --out", ["--output"]),
        ("l7lb plan --color a", ["auto", "always"]),
        ("l7lb completion ", ["bash", "zsh", "fish"]),
    ],
)
def test_words_are_completed(run: Run, monkeypatch: pytest.MonkeyPatch, words: str, expected: list[str]) -> None:
    monkeypatch.setenv("_L7LB_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
    _, out, _ = run()
    found = [line.partition(",")[2] for line in out.splitlines()]
    assert [name for name in found if name in expected] == found
    assert found
    assert words.startswith("l7lb explain") or found == expected
