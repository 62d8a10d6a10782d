"""The product in trouble, scraped every minute, and the rules over what was scraped: the right alerts, and no other."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.alerts.plant import Plant, as_series
from tests.alerts.rulebook import RULES, alerts
from tests.alerts.scenarios import NOT_PLAYED, SCENARIOS, Scenario
from tests.alerts.test_rules import promtool
from tests.tools import needs


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    """What the product logs in trouble is not what is looked at, and it is much."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@needs("promtool")
@pytest.mark.parametrize("scenario", [one for one in SCENARIOS if one.fires], ids=lambda scenario: scenario.name)
def test_trouble_of_the_product_fires_its_alerts_and_no_other(scenario: Scenario, tmp_path: Path) -> None:
    plant = Plant(rig=scenario.rig(), **scenario.setup)
    scenario.play(plant)
    firing = 'count by (alertname) (ALERTS{alertstate="firing"})'
    found = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(scenario.fires)]
    test = {
        "interval": "1m",
        "input_series": as_series(plant),
        "promql_expr_test": [
            {"expr": firing, "eval_time": f"{scenario.quiet}m", "exp_samples": []},
            {"expr": f"{firing} * 0 + 1", "eval_time": f"{scenario.at or plant.minutes}m", "exp_samples": found},
        ],
    }
    file = tmp_path / "scenario.yaml"
    file.write_text(
        yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}), encoding="utf-8"
    )
    promtool("test", "rules", str(file))


@needs("promtool")
def test_an_hour_of_usual_work_fires_nothing_in_any_minute(tmp_path: Path) -> None:
    scenario = next(one for one in SCENARIOS if not one.fires)
    plant = Plant(rig=scenario.rig())
    scenario.play(plant)
    firing = 'ALERTS{alertstate="firing"}'
    asked = [{"expr": firing, "eval_time": f"{minute}m", "exp_samples": []} for minute in range(plant.minutes + 1)]
    test = {"interval": "1m", "input_series": as_series(plant), "promql_expr_test": asked}
    file = tmp_path / "health.yaml"
    file.write_text(
        yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}), encoding="utf-8"
    )
    promtool("test", "rules", str(file))


def test_every_alert_comes_of_a_scenario_or_it_is_said_why_not() -> None:
    played = {name for scenario in SCENARIOS for name in scenario.fires}
    assert played.isdisjoint(NOT_PLAYED)
    assert played | set(NOT_PLAYED) == {alert.alert for alert in alerts()}
