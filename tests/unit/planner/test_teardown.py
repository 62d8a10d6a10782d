"""What is left when an Ingress goes."""

from dataclasses import replace

import pytest

from l7lb import ledger, planner
from l7lb.model.identity import ListenerKey
from l7lb.model.ownership import Disposal, Evidence, Ownership
from l7lb.model.plan import DeleteListeners, DeleteLoadBalancer, RemoveTags
from tests.builders import CLUSTER, LB, LENT_TAGS, claim, head, listener, observed, there


def test_a_created_load_balancer_is_deleted_by_its_own_id() -> None:
    world = observed(listener("HTTP:80"), listener("TCP:22", name="ssh"))
    plan = planner.teardown(world, claim(Ownership.CREATED, "HTTP:80"), Disposal.DELETE_LOAD_BALANCER)
    (step,) = plan.steps
    assert isinstance(step, DeleteLoadBalancer)
    assert (step.id, step.force) == (LB, False)
    assert step.proof
    assert "TCP:22" in plan.notes[0]


def test_a_lent_load_balancer_loses_our_listeners_then_our_tags() -> None:
    world = observed(listener("HTTP:80"), listener("TCP:22", name="ssh"), on=head(tags=LENT_TAGS))
    evidence = Evidence(CLUSTER, "uid-1", LENT_TAGS, None, LB, named=True)
    of = ledger.read(evidence, world, frozenset({ListenerKey("HTTP", 80)}), {})
    plan = planner.teardown(world, of, of.disposal)
    ledger.authorize(plan, of, world)
    assert plan.steps == (
        DeleteListeners((ListenerKey("HTTP", 80),)),
        RemoveTags(("tke-clusterId", "tke-lb-ingress-uuid")),
    )
    assert any("W1002" in note and "TCP:22" in note for note in plan.notes)


def test_tags_that_are_gone_are_not_removed_again() -> None:
    of = replace(claim(Ownership.ADOPTED), removable_tags=("tke-clusterId", "tke-lb-ingress-uuid"))
    plan = planner.teardown(observed(on=head(tags={"tke-clusterId": "cls-1"})), of, of.disposal)
    assert plan.steps == (RemoveTags(("tke-clusterId",)),)


def test_many_listeners_go_twenty_a_call() -> None:
    listeners = [listener(f"HTTP:{port}") for port in range(8000, 8045)]
    of = claim(Ownership.KEPT, *(str(item.key) for item in listeners))
    plan = planner.teardown(observed(*listeners), of, of.disposal)
    assert [len(step.keys) for step in plan.steps if isinstance(step, DeleteListeners)] == [20, 20, 5]


@pytest.mark.parametrize("ownership", [Ownership.TO_ADOPT, Ownership.SHARED, Ownership.FOREIGN, Ownership.UNCLAIMED])
def test_what_is_not_ours_is_left(ownership: Ownership) -> None:
    of = claim(ownership, "HTTP:80")
    assert not planner.teardown(observed(listener("HTTP:80")), of, of.disposal)


@pytest.mark.parametrize("disposal", list(Disposal))
def test_mode_skip_leaves_everything(disposal: Disposal) -> None:
    of = replace(claim(Ownership.CREATED, "HTTP:80"), untouched=True)
    assert not planner.teardown(observed(listener("HTTP:80")), of, disposal)


def test_a_redirect_that_may_hold_a_listener_is_said() -> None:
    http = there(listener("HTTP:80"), {"a.example.com/": "HTTPS:443 a.example.com/"})
    of = claim(Ownership.KEPT, "HTTP:80")
    plan = planner.teardown(observed(http, listener("HTTPS:443", name="shop")), of, of.disposal)
    assert any("E4006" in note for note in plan.notes)
