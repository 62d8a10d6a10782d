"""The runbook: one page for each alert, all of one form, and every command, flag, reason and word in it exists."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from l7lb.app.config import FLAGS
from l7lb.cli.entry import cli
from l7lb.model.codes import TABLE as CODES
from l7lb.telemetry.metrics import TABLE
from tests.alerts.rulebook import alerts
from tests.house.findings import reasons_by_code
from tests.house.runbook import PAGES, TITLES, runbook_page
from tests.house.source import PRODUCT, modules

WRITTEN = sorted(path for path in PAGES.glob("*.md") if path.name != "README.md")
SECTIONS = ["What it means", "What it does to traffic", "Look", "Causes, and what to do"]
KUBECTL = {"get", "describe", "logs", "top", "auth", "annotate"}
"""What is looked with, and the one word by which somebody decides."""
NAMES_OF_OTHERS = {"--tail", "--previous", "--sort-by", "--raw", "--field-selector", "--as"}
"""Flags of kubectl."""


def commands(page: Path) -> Iterator[str]:
    for block in re.findall(r"^```sh\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        yield from block.splitlines()


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    assert {page.stem for page in WRITTEN} == {rule.alert for rule in alerts()}


def test_every_group_of_rules_has_its_title() -> None:
    assert all(f"## {title}" in runbook_page("") for title in TITLES.values())
    assert "$labels" not in runbook_page("")


@pytest.mark.parametrize("page", WRITTEN, ids=lambda path: path.stem)
def test_a_page_says_what_it_means_where_to_look_and_what_to_do(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {page.stem}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    rows = re.findall(r"^\| (.+) \| (.*) \| (.+) \|$", text, re.MULTILINE)[2:]
    assert rows
    assert [row for row in rows if not row[2].strip()] == []
    assert list(commands(page))


@pytest.mark.parametrize("page", WRITTEN, ids=lambda path: path.stem)
def test_every_command_of_a_page_exists(page: Path) -> None:
    for line in commands(page):
        words = line.split()
        match words[0]:
            case "l7lb":
                assert words[1] in cli.list_commands(click.Context(cli)), line
                if words[1] == "explain":
                    assert CliRunner().invoke(cli, words[1:]).exit_code == 0
            case "kubectl":
                assert words[3 if words[1] == "-n" else 1] in KUBECTL, line
            case _:
                pytest.fail(line)


@pytest.mark.parametrize("page", WRITTEN, ids=lambda path: path.stem)
def test_every_reason_word_flag_and_metric_of_a_page_is_the_products(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    reasons = {reason for found in reasons_by_code().values() for reason in found}
    reasons |= {reason for row in CODES for reason in row.reasons}
    assert set(re.findall(r"--field-selector reason=(\w+)", text)) <= reasons
    strings = "\n".join(string for module in modules(PRODUCT) for string in module.strings)
    assert [word for word in re.findall(r"grep '([^']+)'", text) if word not in strings] == []
    flags = {f"--{flag.name}" for flag in FLAGS} | NAMES_OF_OTHERS
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) <= flags
    known = {row.name for row in TABLE}
    assert set(re.findall(r"\b(?:l7lb|workqueue|leader_election)_[a-z_]+\b", text)) <= known
    assert set(re.findall(r"\bE\d{4}\b", text)) <= {row.code for row in CODES}
