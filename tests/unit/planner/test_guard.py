"""The guard: plans that take away more than the change asks for, and those that only look so."""

from dataclasses import replace

import pytest

from l7lb import planner
from l7lb.errors import UnsafePlan
from l7lb.model.loadbalancer import DesiredLoadBalancer, ListenerSpec, ObservedLoadBalancer, RuleSpec
from l7lb.model.ownership import Disposal, Ownership
from l7lb.model.plan import Plan
from l7lb.model.problems import Held
from l7lb.model.snapshot import Limits
from tests.builders import claim, desired, listener, observed, rule

CALM = planner.Circumstances()
OURS = claim(Ownership.CREATED, "HTTP:80", "HTTP:81")


def rules(*numbers: int) -> list[RuleSpec]:
    return [rule(f"a.example.com/{number}", "10.0.0.1:80") for number in numbers]


def converge(wanted: DesiredLoadBalancer, world: ObservedLoadBalancer) -> Plan:
    return planner.converge(wanted, world, OURS, Held(), Limits(), None)


def refused(
    wanted: DesiredLoadBalancer, world: ObservedLoadBalancer, circumstances: planner.Circumstances = CALM
) -> bool:
    try:
        planner.guard(converge(wanted, world), wanted, world, circumstances)
    except UnsafePlan:
        return True
    return False


@pytest.mark.parametrize(
    "wanted", [desired(), desired(ListenerSpec(listener("HTTP:80").key))], ids=["no listener", "no rule"]
)
def test_nothing_desired_takes_nothing_away(wanted: DesiredLoadBalancer) -> None:
    world = observed(listener("HTTP:80", *rules(1)), listener("HTTP:81", *rules(1)))
    assert refused(wanted, world)
    assert refused(wanted, world, planner.Circumstances(ingress_changed=True))
    assert not refused(wanted, world, planner.Circumstances(deleting=True))


@pytest.mark.parametrize(
    ("there", "stay", "unsafe"),
    [
        pytest.param(10, 4, True, id="six of ten"),
        pytest.param(12, 6, False, id="just half"),
        pytest.param(6, 1, False, id="five of six"),
        pytest.param(7, 1, True, id="six of seven"),
    ],
)
def test_most_rules_go_only_with_a_change_of_the_ingress(there: int, stay: int, unsafe: bool) -> None:
    world = observed(listener("HTTP:80", *rules(*range(there))))
    wanted = desired(listener("HTTP:80", *rules(*range(stay))))
    assert refused(wanted, world) is unsafe
    assert not refused(wanted, world, planner.Circumstances(ingress_changed=True))


def test_rules_that_go_with_their_listener_count() -> None:
    world = observed(listener("HTTP:80", *rules(1)), listener("HTTP:81", *rules(*range(8))))
    assert refused(desired(listener("HTTP:80", *rules(1))), world)


def test_the_last_live_target_stays_unless_the_service_has_no_endpoint() -> None:
    world = observed(listener("HTTP:80", rule("a.example.com/", "10.0.0.1:80", "10.0.0.2:80 weight=0")))
    changed = planner.Circumstances(ingress_changed=True)
    gone = rule("a.example.com/", "10.0.0.2:80 weight=0")
    assert refused(desired(listener("HTTP:80", gone)), world)
    assert refused(desired(listener("HTTP:80", gone)), world, changed)
    assert not refused(desired(listener("HTTP:80", replace(gone, endpointless=True))), world)


def test_a_replaced_last_target_is_no_loss() -> None:
    world = observed(listener("HTTP:80", rule("a.example.com/", "10.0.0.1:80")))
    assert not refused(desired(listener("HTTP:80", rule("a.example.com/", "10.0.0.2:80"))), world)


def test_a_target_bound_anew_is_no_loss() -> None:
    world = observed(listener("HTTP:80", rule("a.example.com/", "10.0.0.1:80 via=ins-1")))
    assert not refused(desired(listener("HTTP:80", rule("a.example.com/", "10.0.0.1:80 via=ins-2"))), world)


def test_a_target_that_carried_nothing_is_no_loss() -> None:
    world = observed(listener("HTTP:80", rule("a.example.com/", "10.0.0.1:80 weight=0")))
    assert not refused(desired(listener("HTTP:80", rule("a.example.com/"))), world)


@pytest.mark.parametrize(("exits", "unsafe"), [(0, False), (1, False), (5, False), (6, True)])
def test_the_sixth_class_exit_is_refused(exits: int, unsafe: bool) -> None:
    world = observed(listener("HTTP:80", *rules(1)))
    plan = planner.teardown(world, claim(Ownership.CREATED, "HTTP:80"), Disposal.DELETE_LOAD_BALANCER)
    circumstances = planner.Circumstances(class_exits=exits)
    if unsafe:
        with pytest.raises(UnsafePlan):
            planner.guard(plan, None, world, circumstances)
        planner.guard(plan, None, world, replace(circumstances, approved=planner.digest(plan)))
    else:
        planner.guard(plan, None, world, circumstances)


def test_an_approval_is_for_exactly_one_plan() -> None:
    world = observed(listener("HTTP:80", *rules(1, 2)))
    other = planner.digest(converge(desired(listener("HTTP:80", *rules(1))), world))
    assert refused(desired(), world, planner.Circumstances(approved=other))
    own = planner.digest(converge(desired(), world))
    assert not refused(desired(), world, planner.Circumstances(approved=own))


def test_an_empty_plan_is_never_refused() -> None:
    planner.guard(Plan(), None, None, planner.Circumstances(class_exits=99))
