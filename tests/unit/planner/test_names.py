"""The words and the name of a plan."""

from dataclasses import replace
from typing import Any

import pytest

from l7lb import planner
from l7lb.model.loadbalancer import CreateSpec, DesiredLoadBalancer, HealthCheck
from l7lb.model.ownership import Ownership
from l7lb.model.plan import CreateRules, Plan
from l7lb.model.problems import Held
from l7lb.model.snapshot import Limits
from tests.builders import claim, desired, listener, observed, rule
from tests.unit.planner.case_file import STAMP, load

PLANS = {
    case.name: planner.converge(case.desired, case.observed, case.claim, case.held, case.limits, STAMP)
    for case in load()
}


def test_different_plans_have_different_digests() -> None:
    digests = {planner.digest(plan): plan.steps for plan in PLANS.values()}
    assert len(digests) == len({plan.steps for plan in PLANS.values()})
    assert all(len(text) == 16 for text in digests)


def test_notes_are_not_part_of_the_digest() -> None:
    plan = PLANS["one rule is four calls"]
    assert planner.digest(replace(plan, notes=("anything",))) == planner.digest(plan)


def test_a_plan_is_a_json_document() -> None:
    document = planner.to_json(PLANS["one rule is four calls"])
    steps = document["steps"]
    assert isinstance(steps, list)
    assert [step["step"] for step in steps] == [
        "CreateLoadBalancer", "CreateListeners", "CreateRules", "RegisterTargets",
    ]  # fmt: skip
    assert steps[3]["placements"][0] == {
        "rule": "HTTP:80 a.example.com/",
        "target": {
            "key": "10.0.0.1:80",
            "instance_id": None,
            "weight": 10,
            "presence": "required",
            "suspect": False,
            "steady": False,
        },
    }
    assert planner.to_json(Plan()) == {"digest": planner.digest(Plan()), "steps": [], "notes": []}


def test_the_shape_does_not_know_targets() -> None:
    one = desired(listener("HTTP:80", rule("a.example.com/", "10.0.0.1:80")))
    two = desired(listener("HTTP:80", rule("a.example.com/", known=False, endpointless=True)))
    three = replace(two, create=CreateSpec(name="another"))
    assert planner.shape_digest(one) == planner.shape_digest(two) == planner.shape_digest(three)


@pytest.mark.parametrize(
    "other",
    [
        desired(listener("HTTP:81", rule("a.example.com/"))),
        desired(listener("HTTP:80", rule("a.example.com/b"))),
        desired(listener("HTTP:80", rule("a.example.com/", scheduler="WRR"))),
        desired(listener("HTTP:80", rule("a.example.com/", check=HealthCheck(enabled=False)))),
        desired(listener("HTTP:80", rule("a.example.com/")), security_groups=frozenset()),
        desired(listener("HTTP:80", rule("a.example.com/"), name="mine")),
    ],
)
def test_the_shape_knows_everything_else(other: DesiredLoadBalancer) -> None:
    assert planner.shape_digest(other) != planner.shape_digest(desired(listener("HTTP:80", rule("a.example.com/"))))


def test_the_order_of_listeners_is_no_shape() -> None:
    http, https = listener("HTTP:80", rule()), listener("HTTPS:443", rule(), shown="one")
    assert planner.shape_digest(desired(http, https)) == planner.shape_digest(desired(https, http))


@pytest.mark.parametrize(
    ("hosts", "check", "expected"),
    [
        pytest.param(["*.example.com", "b.example.com"], {}, {"host": "b.example.com"}, id="a sibling"),
        pytest.param(["*.example.com"], {}, {"check_type": "TCP"}, id="no sibling"),
        pytest.param(["*.example.com", ""], {}, {"check_type": "TCP"}, id="only the nameless one"),
        pytest.param(
            ["*.example.com", "b.example.com"], {"host": "c.example.com"}, {"host": "c.example.com"}, id="said"
        ),
        pytest.param(["*.example.com"], {"enabled": False}, {"enabled": False}, id="switched off"),
        pytest.param(["*.example.com"], {"check_type": "HTTP"}, {"check_type": "TCP"}, id="nobody to ask for"),
        pytest.param(["a.example.com"], {}, {}, id="an exact host"),
        pytest.param([""], {}, {}, id="the nameless host"),
    ],
)
def test_the_check_of_a_new_wildcard_rule_asks_for_an_exact_name(
    hosts: list[str], check: dict[str, Any], expected: dict[str, Any]
) -> None:
    wanted = desired(listener("HTTP:80", *(rule(f"{name}/", check=HealthCheck(**check)) for name in hosts)))
    plan = planner.converge(wanted, observed(), claim(Ownership.CREATED), Held(), Limits(), None)
    made = plan.steps[1]
    assert isinstance(made, CreateRules)
    assert made.rules[0].health_check == HealthCheck(**expected)
