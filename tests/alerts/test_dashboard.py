"""The dashboard: Grafana opens it without an edit, and every picture is of something that the product shows.

No Grafana runs here: what is tested is the form that it reads, and that Prometheus takes each expression.
"""

import json
import re
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.alerts.promql import grouped_by, selectors
from tests.alerts.rulebook import DASHBOARD, OF_TARGETS, series
from tests.tools import needs, tool

Json = dict[str, Any]
BOARD: Final[Json] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
PANELS: Final[list[Json]] = [one for one in BOARD["panels"] if one["type"] != "row"]
QUERIES: Final = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]
EXPRESSIONS: Final = [*QUERIES, *[("annotation", one["expr"]) for one in BOARD["annotations"]["list"]]]


def test_it_needs_no_edit_to_be_opened() -> None:
    assert "__inputs" not in BOARD
    assert BOARD["schemaVersion"] >= 39
    assert [one["name"] for one in BOARD["templating"]["list"]] == ["datasource", "namespace"]
    found = re.findall(r'"uid": "([^"]*)"', DASHBOARD.read_text(encoding="utf-8"))
    assert set(found) == {"l7lb", "${datasource}"}


def test_it_has_a_row_for_each_thing_that_is_watched() -> None:
    titles = [one["title"] for one in BOARD["panels"] if one["type"] == "row"]
    assert titles == ["Fleet", "Convergence", "API budget", "Drift", "Certificates", "Leader"]


def test_panels_have_numbers_of_their_own_and_none_lies_on_another() -> None:
    numbers = [one["id"] for one in BOARD["panels"]]
    assert len(numbers) == len(set(numbers))
    places = [one["gridPos"] for one in BOARD["panels"]]
    assert [place for place in places if place["x"] + place["w"] > 24] == []
    assert [pair for pair in combinations(places, 2) if _overlap(*pair)] == []


def _overlap(one: Json, other: Json) -> bool:
    def apart(start: str, size: str) -> bool:
        return bool(one[start] + one[size] <= other[start] or other[start] + other[size] <= one[start])

    return not (apart("x", "w") or apart("y", "h"))


@pytest.mark.parametrize("panel", PANELS, ids=lambda one: one["title"])
def test_every_panel_says_what_it_shows_in_which_unit(panel: Json) -> None:
    assert re.fullmatch(r"[A-Z`].*\.", panel["description"])
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert len({one["refId"] for one in panel["targets"]}) == len(panel["targets"]) > 0
    colours = {step["color"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]}
    assert colours <= {"green", "orange", "red"}, "names follow the theme, codes do not"


@pytest.mark.parametrize(("title", "expression"), EXPRESSIONS)
def test_no_panel_names_what_the_product_does_not_show(title: str, expression: str) -> None:
    known, found = series(), selectors(expression)
    assert found, title
    assert [one.metric for one in found if one.metric not in known] == []
    for one in found:
        labels = {label for label, _, _ in one.matchers}
        assert labels <= known[one.metric] | OF_TARGETS, one
        assert ("namespace", "=~", "$namespace") in one.matchers, "the choice counts everywhere"
    assert grouped_by(expression) <= frozenset().union(*(known[one.metric] for one in found)) | OF_TARGETS


def test_every_metric_of_ours_that_is_no_detail_has_its_picture() -> None:
    shown = {one.metric for _, expression in EXPRESSIONS for one in selectors(expression)}
    names = {re.sub(r"_(bucket|sum|count)$", "", one) for one in series() if one.startswith("l7lb_")}
    pictured = {re.sub(r"_(bucket|sum|count)$", "", one) for one in shown}
    assert names - pictured == {
        "l7lb_cloud_api_calls_total",  # attempts are shown
        "l7lb_events_dropped_total",
        "l7lb_informer_events_total",
        "l7lb_informer_lists_total",
        "l7lb_informer_quarantined_total",
        "l7lb_informer_synced",
        "l7lb_inventory_reads_total",
        "l7lb_loadbalancer_info",  # a key to join by
        "l7lb_orphan_oldest_seconds",
        "l7lb_orphans_collected_total",
        "l7lb_orphans_looked_timestamp_seconds",
        "l7lb_plans_total",  # steps are shown
        "l7lb_trace_spans_total",
    }


@needs("promtool")
def test_prometheus_takes_every_expression(tmp_path: Path) -> None:
    variables = {"$__rate_interval": "5m", "$namespace": ".*"}
    rules = [
        {"record": f"panel:{number}", "expr": re.sub(r"\$\w+", lambda match: variables[match[0]], expression)}
        for number, (_, expression) in enumerate(EXPRESSIONS)
    ]
    file = tmp_path / "panels.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    done = subprocess.run(
        [str(tool("promtool")), "check", "rules", str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
