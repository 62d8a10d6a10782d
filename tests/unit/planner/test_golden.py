"""Golden cases: what the plan says, that the ledger lets it pass, and that nothing is left to do afterwards."""

import pytest

from l7lb import ledger, planner
from l7lb.model.ownership import Ownership
from l7lb.model.plan import Plan
from tests.unit.planner.case_file import STAMP, Case, load
from tests.unit.planner.worlds import after, grown

CASES = load()


def plan_of(case: Case) -> Plan:
    return planner.converge(case.desired, case.observed, case.claim, case.held, case.limits, STAMP)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_plan_is_as_written(case: Case) -> None:
    plan = plan_of(case)
    assert [planner.describe(step) for step in plan.steps] == list(case.steps)
    assert [note for note in case.notes if not any(note in said for said in plan.notes)] == []


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_ledger_lets_the_plan_pass(case: Case) -> None:
    ledger.authorize(plan_of(case), case.claim, case.observed)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_second_pass_plans_nothing(case: Case) -> None:
    plan = plan_of(case)
    world = after(case.observed, plan)
    of = case.claim
    if of.ownership is Ownership.TO_ADOPT:
        return  # its second pass is the first one of an adopted load balancer
    again = planner.converge(case.desired, world, grown(of, world, plan), case.held, case.limits, STAMP)
    assert [planner.describe(step) for step in again.steps] == []


def test_there_are_enough_cases_with_names_of_their_own() -> None:
    assert len(CASES) >= 25
    assert len({case.name for case in CASES}) == len(CASES)
