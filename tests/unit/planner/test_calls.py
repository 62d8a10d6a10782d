"""The fewest calls: what the API's own limits demand, and not one step more."""

from collections import Counter

import pytest

from l7lb import planner
from l7lb.ledger import to_create
from l7lb.model.loadbalancer import DesiredLoadBalancer, ListenerSpec, RuleSpec
from l7lb.model.ownership import Ownership
from l7lb.model.plan import CreateRules, DeregisterTargets, ModifyWeights, Plan, RegisterTargets
from l7lb.model.problems import Held
from l7lb.model.snapshot import Limits
from tests.builders import OWNER, claim, desired, listener, observed, rule, target
from tests.unit.planner.case_file import STAMP


def rules(hosts: int, paths: int, count: int, weight: str = "") -> list[RuleSpec]:
    addresses = [f"10.0.{number // 250}.{number % 250}:30080{weight}" for number in range(count)]
    return [rule(f"h{h}.example.com/{p}", *addresses) for h in range(hosts) for p in range(paths)]


def both(of: list[RuleSpec]) -> tuple[ListenerSpec, ...]:
    return listener("HTTP:80", *of), listener("HTTPS:443", *of, shown="one")


@pytest.mark.parametrize(
    ("wanted", "writes"),
    [
        pytest.param(desired(listener("HTTP:80", *rules(1, 1, 3))), (1, 1, 1, 1), id="one rule, three targets"),
        pytest.param(desired(listener("HTTP:80", *rules(10, 5, 10))), (1, 1, 1, 1), id="fifty rules, ten targets"),
        pytest.param(desired(*both(rules(10, 5, 10))), (1, 2, 2, 2), id="the same on HTTP and HTTPS"),
        pytest.param(desired(listener("HTTPS:443", *rules(10, 5, 10), shown="one")), (1, 1, 1, 1), id="HTTPS alone"),
        pytest.param(desired(listener("HTTP:80", *rules(50, 1, 100))), (1, 1, 1, 10), id="the largest listener"),
    ],
)
def test_building_from_nothing_takes_the_documented_writes(
    wanted: DesiredLoadBalancer, writes: tuple[int, ...]
) -> None:
    plan = planner.converge(wanted, None, to_create(OWNER), Held(), Limits(), STAMP)
    counts = Counter(type(step).__name__ for step in plan.steps)
    names = ("CreateLoadBalancer", "CreateListeners", "CreateRules", "RegisterTargets")
    assert tuple(counts[name] for name in names) == writes
    assert sum(writes) == len(plan.steps)


def steady(wanted: DesiredLoadBalancer, there: ListenerSpec, limits: Limits) -> Plan:
    of = claim(Ownership.CREATED, str(there.key))
    return planner.converge(wanted, observed(there), of, Held(), limits, None)


@pytest.mark.parametrize(("adds", "removes"), [(1, 0), (0, 1), (1, 1), (501, 499), (1200, 700)])
def test_an_endpoint_change_takes_one_call_per_five_hundred(adds: int, removes: int) -> None:
    old = [f"10.1.{n // 250}.{n % 250}:80" for n in range(removes)]
    new = [f"10.2.{n // 250}.{n % 250}:80" for n in range(adds)]
    stays = "10.0.0.1:80"
    limits = Limits(targets_per_rule=5000)
    plan = steady(
        desired(listener("HTTP:80", rule("a.example.com/", stays, *new))),
        listener("HTTP:80", rule("a.example.com/", stays, *old)),
        limits,
    )
    counts = Counter(type(step) for step in plan.steps)
    assert counts == Counter({RegisterTargets: -(-adds // 500), DeregisterTargets: -(-removes // 500)})


@pytest.mark.parametrize(
    ("hosts", "targets", "calls"),
    [(1, 1, 1), (100, 5, 1), (101, 1, 2), (1, 120, 3), (10, 50, 1), (11, 50, 2), (20, 60, 3)],
)
def test_weights_take_the_fewest_calls(hosts: int, targets: int, calls: int) -> None:
    limits = Limits(rules_per_listener=200, targets_per_rule=1000)
    plan = steady(
        desired(listener("HTTP:80", *rules(hosts, 1, targets, " weight=7"))),
        listener("HTTP:80", *rules(hosts, 1, targets)),
        limits,
    )
    assert [type(step) for step in plan.steps] == [ModifyWeights] * calls
    for step in plan.steps:
        assert isinstance(step, ModifyWeights)
        by_rule = Counter(placement.rule for placement in step.placements)
        assert len(by_rule) <= 100
        assert max(by_rule.values()) <= 50
        assert len(step.placements) <= 500


def test_a_listener_of_many_rules_is_made_in_parts() -> None:
    limits = Limits(rules_per_listener=200, rules_per_call=50)
    plan = planner.converge(
        desired(listener("HTTP:80", *rules(120, 1, 0))), None, to_create(OWNER), Held(), limits, STAMP
    )
    parts = [len(step.rules) for step in plan.steps if isinstance(step, CreateRules)]
    assert parts == [50, 50, 20]


def test_the_first_host_alone_is_made_the_default() -> None:
    limits = Limits(rules_per_listener=200, rules_per_call=2)
    plan = planner.converge(
        desired(listener("HTTP:80", *rules(4, 1, 0))), None, to_create(OWNER), Held(), limits, STAMP
    )
    said = [host for step in plan.steps if isinstance(step, CreateRules) for host in step.hosts if host.default is True]
    assert [host.host for host in said] == ["h0.example.com"]


def test_the_nameless_host_is_made_the_default() -> None:
    wanted = desired(listener("HTTP:80", rule("a.example.com/"), rule("/", "10.0.0.1:80")))
    plan = planner.converge(wanted, None, to_create(OWNER), Held(), Limits(), STAMP)
    said = [host for step in plan.steps if isinstance(step, CreateRules) for host in step.hosts if host.default is True]
    assert [host.host for host in said] == [""]


def test_a_new_target_is_registered_with_our_weight() -> None:
    wanted = desired(listener("HTTP:80", rule("a.example.com/", target("10.0.0.1:80"), target("10.0.0.2:80 weight=0"))))
    plan = planner.converge(wanted, None, to_create(OWNER), Held(), Limits(), STAMP)
    placed = [p.target for step in plan.steps if isinstance(step, RegisterTargets) for p in step.placements]
    assert [item.weight for item in placed] == [10, 0]
