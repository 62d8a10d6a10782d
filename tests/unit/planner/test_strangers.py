"""Rules that were there before us, and what becomes of them."""

from dataclasses import replace

import pytest

from l7lb import ledger, planner
from l7lb.errors import UnauthorizedPlan
from l7lb.model.identity import RuleRef
from l7lb.model.maybe import UNSET
from l7lb.model.ownership import Claim, Ownership
from l7lb.model.plan import DeleteListeners, DeleteRules, ModifyListener, Plan
from l7lb.model.problems import Held
from l7lb.model.snapshot import Limits
from tests.builders import certificate, claim, desired, listener, observed, ref, rule, there

OPS = ref("HTTP:80", "ops.example.com/")
WORLD = observed(listener("HTTP:80", rule("a.example.com/"), rule("a.example.com/p"), rule("ops.example.com/")))
ASKED = desired(listener("HTTP:80", rule("a.example.com/"), rule("a.example.com=/p")))
CLAIM = claim(Ownership.CREATED, "HTTP:80", native=False)
SPARING = replace(CLAIM, strangers=frozenset({OPS}))


def steps(of: Claim) -> Plan:
    return planner.converge(ASKED, WORLD, of, Held(), Limits(), None)


def test_a_stranger_is_what_nobody_asks_for_and_a_plain_path_may_be_an_exact_one() -> None:
    assert planner.strangers(ASKED, WORLD, CLAIM, Held()) == {OPS}


def test_what_is_held_may_be_the_ingresss_own() -> None:
    assert planner.strangers(ASKED, WORLD, CLAIM, Held(rules=frozenset({OPS}))) == frozenset()
    assert planner.strangers(ASKED, WORLD, CLAIM, Held(everything=True)) == frozenset()


def test_a_redirect_is_no_stranger_and_neither_is_its_target() -> None:
    world = observed(there(WORLD.listeners[0].spec, {"ops.example.com/": "HTTP:80 a.example.com/"}))
    assert planner.strangers(ASKED, world, CLAIM, Held()) == frozenset()


def test_rules_of_a_listener_that_is_not_ours_or_not_asked_for_are_no_strangers() -> None:
    assert planner.strangers(ASKED, WORLD, replace(CLAIM, listeners=frozenset()), Held()) == frozenset()
    assert planner.strangers(desired(), WORLD, CLAIM, Held()) == frozenset()


def test_a_stranger_that_is_asked_for_is_one_no_more() -> None:
    more = desired(listener("HTTP:80", rule("a.example.com/"), rule("ops.example.com/")))
    known: frozenset[RuleRef] = frozenset({OPS})
    assert planner.still_strangers(known, ASKED, WORLD, CLAIM) == known
    assert planner.still_strangers(known, more, WORLD, CLAIM) == frozenset()


def test_a_stranger_stays_and_is_told_of_while_what_came_later_goes() -> None:
    spared = steps(SPARING)
    assert spared.steps == ()
    assert spared.notes == ("drift: 1 of the rules on HTTP:80 are nobody's, left: ops.example.com/",)
    assert steps(CLAIM).steps == (DeleteRules(OPS.listener, (OPS.rule,)),)


def test_a_strangers_host_follows_the_certificate_of_its_listener() -> None:
    """It shows the listener's: to keep the old one for it, SNI would have to be switched on for ever."""
    world = observed(
        listener("HTTPS:443", rule("a.example.com/"), rule("ops.example.com/"), shown="certrsa1"),
    )
    renewed = desired(listener("HTTPS:443", rule("a.example.com/"), shown="certrsa2"))
    ops = frozenset({ref("HTTPS:443", "ops.example.com/")})
    sparing = replace(claim(Ownership.CREATED, "HTTPS:443", native=False), strangers=ops)
    (step,) = planner.converge(renewed, world, sparing, Held(), Limits(), None).steps
    assert isinstance(step, ModifyListener)
    assert step.after.sni is UNSET
    assert step.after.certificate == certificate("certrsa2")


def test_a_plan_that_takes_a_stranger_away_stops_at_the_ledger() -> None:
    plan = steps(CLAIM)
    ledger.authorize(plan, CLAIM, WORLD)
    with pytest.raises(UnauthorizedPlan, match="there before us"):
        ledger.authorize(plan, SPARING, WORLD)


def test_a_listener_that_is_not_asked_for_any_more_goes_with_its_strangers() -> None:
    elsewhere = desired(listener("HTTP:8080", rule("a.example.com/")))
    plan = planner.converge(elsewhere, WORLD, SPARING, Held(), Limits(), None)
    assert DeleteListeners((OPS.listener,)) in plan.steps
    ledger.authorize(plan, SPARING, WORLD)
