"""The rules: promtool takes them, each alert fires and stays silent, and none names what the product does not show."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.alerts.promql import grouped_by, selectors
from tests.alerts.rulebook import OF_TARGETS, ROOT, RULES, TESTS, Rule, alerts, cases, rules, series
from tests.tools import needs, tool

ASKS = re.compile(r'count\(ALERTS\{alertname="(\w+)", alertstate="firing"\}\) or vector\(0\)')


def promtool(*arguments: str) -> str:
    """What it says; an AssertionError with its words when it complains."""
    done = subprocess.run([str(tool("promtool")), *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs("promtool")
def test_promtool_takes_the_rules_without_a_complaint() -> None:
    assert f"SUCCESS: {len(rules())} rules found" in promtool("check", "rules", "--lint-fatal", str(RULES))


@needs("promtool")
@pytest.mark.parametrize("file", TESTS, ids=lambda path: path.stem)
def test_every_alert_fires_when_it_should_and_only_then(file: Path) -> None:
    promtool("test", "rules", str(file))


@pytest.mark.parametrize("alert", alerts(), ids=lambda rule: rule.alert)
def test_every_alert_has_a_test_in_which_it_fires_and_is_silent_before(alert: Rule) -> None:
    told: set[bool] = set()
    for _, case in cases():
        if case["name"].startswith(f"{alert.alert}: "):
            for one in case["promql_expr_test"]:
                asked = ASKS.fullmatch(one["expr"])
                assert asked is not None, one["expr"]
                assert asked[1] == alert.alert
                told.add(bool(one["exp_samples"][0]["value"]))
    assert told == {True, False}


def test_no_test_is_about_an_alert_that_is_not_there() -> None:
    names = {alert.alert for alert in alerts()}
    assert [case["name"] for _, case in cases() if case["name"].partition(":")[0] not in names] == []


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.alert or rule.record)
def test_no_rule_names_a_metric_or_a_label_that_the_product_does_not_have(rule: Rule) -> None:
    known, found = series(), selectors(rule.expr)
    assert found
    assert [one.metric for one in found if one.metric not in known] == []
    for one in found:
        assert {label for label, _, _ in one.matchers} <= known[one.metric], one
    labels = frozenset().union(*(known[one.metric] for one in found))
    assert grouped_by(rule.expr) <= labels | OF_TARGETS


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.alert or rule.record)
def test_names_that_others_have_too_count_only_beside_ours(rule: Rule) -> None:
    """Without that, a Prometheus with two controllers would wake people for the other one."""
    shared = {
        one.metric
        for one in selectors(rule.expr)
        if not one.metric.startswith(("l7lb_", "l7lb:"))
        and not any(label == "name" and value.startswith("l7lb-") for label, _, value in one.matchers)
    }
    assert not shared or "on (cluster, namespace, job, instance)" in rule.expr, shared


@pytest.mark.parametrize("alert", alerts(), ids=lambda rule: rule.alert)
def test_every_alert_says_what_is_wrong_what_it_means_and_where_to_look(alert: Rule) -> None:
    assert alert.labels["severity"] in ("critical", "warning", "info")
    assert set(alert.annotations) == {"summary", "description", "runbook"}
    assert alert.annotations["runbook"] == f"docs/runbook/{alert.alert}.md"
    assert (ROOT / alert.annotations["runbook"]).is_file()
    summary, description = alert.annotations["summary"], alert.annotations["description"]
    assert len(summary) <= 110
    assert not summary.endswith(".")
    assert description.endswith(".")
    assert description.count(". ") >= 2, "what is wrong, what it means, what to do"


@pytest.mark.parametrize("alert", alerts(), ids=lambda rule: rule.alert)
def test_words_of_an_alert_are_filled_in_from_labels_that_it_has(alert: Rule) -> None:
    """A label that the expression has dropped would leave a hole in the sentence."""
    filled = [one for text in alert.annotations.values() for one in re.findall(r"\{\{ (.*?) \}\}", text)]
    labels = {one.removeprefix("$labels.") for one in filled if one.startswith("$labels.")}
    others = {one for one in filled if not one.startswith("$labels.")}
    assert others <= {"$value", *(f"$value | humanize{what}" for what in ("", "Duration", "Percentage"))}
    recorded = {rule.record: rule.expr for rule in rules() if rule.record}
    kept = grouped_by(alert.expr).union(
        *(grouped_by(recorded[one.metric]) for one in selectors(alert.expr) if one.metric in recorded)
    )
    assert labels <= kept - OF_TARGETS


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("absent(l7lb_build_info)", {"l7lb_build_info": set()}),
        ('sum by (a) (rate(x_total{b="1", c=~"y|z"}[5m])) > 3e5', {"x_total": {"b", "c"}}),
        ("l7lb:x:y / on (a, b) group_left (c) z offset 1h", {"l7lb:x:y": set(), "z": set()}),
        ('time() - min(x{a="by (b) or c{}"}) unless y', {"x": {"a"}, "y": set()}),
    ],
)
def test_names_in_an_expression_are_found(expression: str, found: dict[str, set[str]]) -> None:
    assert {one.metric: {label for label, _, _ in one.matchers} for one in selectors(expression)} == found
