"""Colour, completion, help, and commands that look: what is common to many commands."""

import json
import os
import re
import subprocess
import sys
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
    assert f"the API server 127.0.0.1:1 (kubeconfig {kubeconfig}) cannot be reached: the connection is refused" in out
    assert "HTTPConnection" not in out
    assert "give the right" not in out


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


@pytest.mark.parametrize("command", ["tree", "plan", "audit"])
@pytest.mark.parametrize("where", ["KUBECONFIG", "HOME"])
def test_who_looks_need_not_name_the_file_that_kubectl_takes(
    run: Run, kubeconfig: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, where: str
) -> None:
    if where == "KUBECONFIG":
        monkeypatch.setenv("KUBECONFIG", f"/does/not/exist:{kubeconfig}")
    else:
        (tmp_path / ".kube").mkdir()
        Path(kubeconfig).rename(tmp_path / ".kube/config")
    code, _, err = run(command, *flags())
    assert (code, "the API server 127.0.0.1:1 (kubeconfig " in err) == (1, True), err


@pytest.mark.parametrize(
    "command", ["run", "adopt", "release --all --yes", "teardown --cluster=cls-9mfq2k1t --yes=cls-9mfq2k1t"]
)
def test_who_writes_has_to_name_the_cluster(
    run: Run, kubeconfig: str, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("KUBECONFIG", kubeconfig)
    code, out, err = run(*command.split(), *flags())
    assert (code, out) == (2, "")
    assert err.startswith("l7lb: --kubeconfig: service account ")
    assert err.endswith("--kubeconfig ~/.kube/config)\n")


def test_in_a_pod_its_own_account_is_taken(run: Run, kubeconfig: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", kubeconfig)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    code, _, err = run("tree", *flags())
    assert (code, err.startswith("l7lb: --kubeconfig: service account ")) == (2, True)


# an output that takes nothing


@pytest.mark.parametrize(
    "arguments",
    [["version"], ["--help"], ["run", "--help"], ["completion", "bash"], ["explain", "E4041"],
     ["plan", "--offline", "-f", PLANNED], ["status", *flags(clb_endpoint="http://127.0.0.1:1")]],
    ids=lambda words: " ".join(words[:2]),
)  # fmt: skip
def test_an_output_that_is_full_is_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, kubeconfig: str, arguments: list[str]
) -> None:
    monkeypatch.setenv("KUBECONFIG", kubeconfig)
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr("sys.stdout", full)
        code, _, err = run(*arguments)
    assert (code, err) == (1, "l7lb: the output cannot be written: No space left on device\n")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_process_whose_output_is_full_says_so_once(unbuffered: str) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "l7lb", "version"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )  # fmt: skip
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1), ended.stderr


def test_nobody_who_reads_to_the_end_is_no_failure_worth_a_word() -> None:
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "wb") as pipe:
        ended = subprocess.run(
            [sys.executable, "-m", "l7lb", "version"], stdout=pipe, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (ended.returncode, ended.stderr) == (1, "")


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


@pytest.mark.parametrize("words", [
    ["status"], ["tree"], ["explain", "shop/web"], ["plan"], ["audit"], ["doctor"], ["adopt", "--dry-run"],
    ["release", "--all", "--yes"], ["leave", "--deployment=l7lb/l7lb"], ["teardown", "--cluster=cls-9mfq2k1t"],
], ids=lambda words: words[0])  # fmt: skip
def test_with_json_a_failure_is_a_document_too(run: Run, words: list[str]) -> None:
    code, out, err = run(*words, *flags(kubeconfig="/nonexistent"), "-o", "json")
    assert code == 2
    (said,) = json.loads(out).values()
    assert "/nonexistent" in said
    assert err == f"l7lb: {said}\n"
    _, out, _ = run(*words, *flags(kubeconfig="/nonexistent"))
    assert out == ""
