"""A planner that is wrong: the ledger stops its plan, and nothing of what is not ours is touched.

Without a watchman: to him every refused plan is a bug of ours, and here it is the point.
"""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, Final

import pytest

from l7lb import planner
from l7lb.errors import UnauthorizedPlan
from l7lb.model.identity import ListenerKey, LoadBalancerId
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.ownership import Claim, Disposal
from l7lb.model.plan import DeleteListeners, DeleteLoadBalancer, Plan
from l7lb.reconciler.flights import Flight, Flights
from l7lb.telemetry.metrics import CONTROLLER
from tests.simulation import manifests
from tests.simulation.world import World

LENT: Final = "lb-lent0001"
NAMED: Final = "kubernetes.io/ingress.existLbId"
GROUPED: Final = "ingress.cloud.tencent.com/enable-group"
LENDERS: Final = ListenerKey("HTTP", 8080)


def _served_by_a_lender(world: World) -> None:
    world.account.lend(LENT)
    world.users.create(manifests.ingress("shop", annotations={NAMED: LENT}))
    world.start()
    world.settle()
    assert sorted(item.port for item in world.account.lb().listeners.values()) == [80, 8080]
    world.account.forget_calls()


def _counted(world: World) -> float:
    value = world.around.metrics.registry.get_sample_value(
        "l7lb_unauthorized_plans_total", {"controller": CONTROLLER}
    )  # fmt: skip
    assert value is not None
    return value


def _refused(world: World, act: Callable[[], None]) -> UnauthorizedPlan:
    """Act, and let it be worked on for a while: no call that writes, and exactly the same account as before."""
    before: list[dict[str, Any]] = [asdict(lb) for lb in world.account.lbs()]
    assert _counted(world) == 0
    act()
    world.run(60.0)
    assert world.account.writes() == {}
    assert [asdict(lb) for lb in world.account.lbs()] == before
    raised = [one.outcome for one in world.passes if isinstance(one.outcome, UnauthorizedPlan)]
    assert len(raised) == _counted(world) > 0
    return raised[-1]


def _takes_the_lenders_listener_too(monkeypatch: pytest.MonkeyPatch) -> None:
    right = planner.converge

    def wrong(*arguments: Any) -> Plan:
        plan = right(*arguments)
        return replace(plan, steps=(*plan.steps, DeleteListeners((LENDERS,)))) if plan else plan

    monkeypatch.setattr(planner, "converge", wrong)


def _deletes(monkeypatch: pytest.MonkeyPatch, lb_id: str) -> None:
    def wrong(_observed: ObservedLoadBalancer, _claim: Claim, _disposal: Disposal, **_: bool) -> Plan:
        return Plan((DeleteLoadBalancer(LoadBalancerId(lb_id), proof="the planner says so"),))

    monkeypatch.setattr(planner, "teardown", wrong)


def test_a_plan_that_deletes_the_lenders_listener_as_well_does_nothing_at_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _served_by_a_lender(world)
    _takes_the_lenders_listener_too(monkeypatch)
    refusal = _refused(world, lambda: world.users.rules(manifests.rule("b.example.com")))
    assert "listener that is not ours" in str(refusal)
    assert world.account.paths(8080) == {"owner.example.com/"}
    assert world.account.paths() == {"a.example.com/"}
    monkeypatch.undo()
    world.settle()
    assert world.account.paths() == {"b.example.com/"}


@pytest.mark.parametrize(
    "leave",
    [
        pytest.param(lambda world: world.users.delete(), id="the Ingress is deleted"),
        pytest.param(
            lambda world: world.users.annotate({"kubernetes.io/ingress.class": "nginx"}),
            id="the Ingress leaves the class",
        ),
    ],
)
def test_a_plan_that_deletes_a_lent_load_balancer_does_nothing_at_all(
    world: World, monkeypatch: pytest.MonkeyPatch, leave: Callable[[World], None]
) -> None:
    _served_by_a_lender(world)
    _deletes(monkeypatch, LENT)
    _refused(world, lambda: leave(world))
    assert world.account.paths(8080) == {"owner.example.com/"}
    assert world.users.ingress().finalizers
    monkeypatch.undo()
    world.settle()
    assert world.account.lb().tags == {"team": "owner"}


def test_a_plan_that_deletes_another_load_balancer_instead_of_ours_does_nothing_at_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.account.lend(LENT)
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.settle()
    world.account.forget_calls()
    _deletes(monkeypatch, LENT)
    refusal = _refused(world, world.users.delete)
    assert "another load balancer" in str(refusal)
    monkeypatch.undo()
    world.settle()
    assert [lb.id for lb in world.account.lbs()] == [LENT]


def _served_by_a_group(world: World) -> None:
    world.account.lend(LENT)
    for name in ("shop", "blog"):
        rule = manifests.rule(f"{name}.example.com")
        world.users.create(manifests.ingress(name, rule, annotations={NAMED: LENT, GROUPED: "true"}))
    world.start()
    world.settle()
    assert world.account.paths() == {"shop.example.com/", "blog.example.com/"}
    world.account.forget_calls()


def test_a_plan_of_a_group_that_deletes_the_lenders_listener_as_well_does_nothing_at_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _served_by_a_group(world)
    _takes_the_lenders_listener_too(monkeypatch)
    refusal = _refused(world, lambda: world.users.rules(manifests.rule("b.example.com")))
    assert "that is not ours" in str(refusal)
    monkeypatch.undo()
    world.settle()
    assert world.account.paths() == {"b.example.com/", "blog.example.com/"}
    assert world.account.paths(8080) == {"owner.example.com/"}


def test_a_step_of_a_group_that_was_not_in_the_plan_that_was_allowed_is_refused_when_its_turn_comes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _served_by_a_group(world)
    begin = Flights.begin

    def changed(flights: Flights, flight: Flight) -> bool:
        flight.plan = replace(flight.plan, steps=(DeleteListeners((LENDERS,)),))
        return begin(flights, flight)

    monkeypatch.setattr(Flights, "begin", changed)
    _refused(world, lambda: world.users.rules(manifests.rule("b.example.com")))
    monkeypatch.undo()
    world.settle()
    assert world.account.paths(8080) == {"owner.example.com/"}


def test_an_order_that_brings_a_deletion_along_is_not_placed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.account.lend(LENT)
    world.start()
    world.settle()
    _takes_the_lenders_listener_too(monkeypatch)

    def order() -> None:
        world.users.create(manifests.ingress("shop"))

    _refused(world, order)
    monkeypatch.undo()
    world.settle()
    assert world.users.ingress().is_ready
