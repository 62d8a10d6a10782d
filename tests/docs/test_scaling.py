"""The figures of the page on scaling are those of the code."""

import re

import yaml

from l7lb.adapters.clb.deletions import DELETIONS_MAX, DELETIONS_SPAN_S
from l7lb.adapters.clb.ratelimit import QUOTA_DEFAULT, Pace
from l7lb.app.config import FLAGS
from l7lb.app.verifying import TURNS_PER_S
from tests.house.source import ROOT

PAGE = " ".join((ROOT / "docs/scaling.md").read_text(encoding="utf-8").split())
DEFAULTS = {flag.name: flag.default for flag in FLAGS}


def test_the_budget_is_what_is_taken() -> None:
    pace = Pace()
    taken, burst = QUOTA_DEFAULT * pace.share, QUOTA_DEFAULT * pace.burst
    words = f"{QUOTA_DEFAULT:g} a second for most, for everybody in the account together. l7lb takes {taken:g} a second"
    assert words in PAGE
    assert f"up to {burst:g} more at once" in PAGE
    assert f"{taken:g} load balancers a second | one call each" in PAGE
    assert f"at most {int(taken / 2)} new load balancers a second" in PAGE


def test_deletions_are_as_many_as_are_sent() -> None:
    assert f"| deletions | {DELETIONS_MAX} in {DELETIONS_SPAN_S / 60:g} minutes and region |" in PAGE


def test_looks_at_drift_are_as_many_as_fit() -> None:
    interval = float(str(DEFAULTS["verify-interval"]))
    assert f"{TURNS_PER_S:g} load balancers a second" in PAGE
    assert f"within `--verify-interval` ({interval:g} s) | {interval * TURNS_PER_S:g} |" in PAGE


def test_calls_are_those_that_a_test_counts() -> None:
    """Each number stands in the test of the budgets."""
    budgets = (ROOT / "tests/system/test_budgets.py").read_text(encoding="utf-8")
    sums = {str(sum(map(int, found.split(" + ")))) for found in re.findall(r"== ([0-9 +]+)$", budgets, re.MULTILINE)}
    assert {
        re.findall(rf"{words} \| (\d+)", PAGE)[0] for words in ("3 targets each", "certificate", "from HTTP")
    } <= sums
    assert re.findall(r"100 targets each \| (\d+)", PAGE)[0] in sums


def test_the_number_of_workers_is_the_default() -> None:
    assert f"`--max-concurrent-reconciles` ({DEFAULTS['max-concurrent-reconciles']})" in PAGE


def test_what_the_chart_asks_for_is_what_it_asks_for() -> None:
    memory = yaml.safe_load((ROOT / "charts/l7lb/values.yaml").read_text(encoding="utf-8"))["resources"]
    asked, limit = (re.sub(r"([MG])i$", r" \1iB", memory[part]["memory"]) for part in ("requests", "limits"))
    assert f"asks for {asked} and limits at {limit}" in PAGE
