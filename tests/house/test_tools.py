"""Programs of other projects: found in one order, and a test that lacks one is skipped with a word, except in CI."""

from pathlib import Path

import pytest

from tests.tools import ask_for_tools, needs, tool

NOWHERE = "no-program-has-this-name"


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that L7LB_TOOLS names, with a program in it."""
    program = tmp_path / NOWHERE
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("L7LB_TOOLS", str(tmp_path))
    return program


def test_the_named_folder_goes_before_all_others(planted: Path) -> None:
    assert tool(NOWHERE) == planted.resolve()


def test_the_path_is_looked_through_last() -> None:
    assert tool("sh") is not None


def test_a_test_whose_tools_are_there_runs(planted: Path, request: pytest.FixtureRequest) -> None:
    request.node.add_marker(needs(planted.name))
    ask_for_tools(request.node)


def test_a_test_without_its_tool_is_skipped_with_a_word(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    request.node.add_marker(needs(NOWHERE))
    with pytest.raises(pytest.skip.Exception, match=f"no {NOWHERE} here: `make tools`"):
        ask_for_tools(request.node)


def test_a_test_without_its_tool_fails_in_ci(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    request.node.add_marker(needs(NOWHERE))
    with pytest.raises(pytest.fail.Exception, match=f"no {NOWHERE} here"):
        ask_for_tools(request.node)
