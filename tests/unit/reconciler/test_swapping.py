"""Which rules are swapped, who has come in place of whom, and that what is kept is really left alone."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l7lb import planner
from l7lb.model.cloud import Health, TargetHealth
from l7lb.model.loadbalancer import HealthCheck, Presence, RuleSpec, Target, TargetKey
from l7lb.model.ownership import Ownership
from l7lb.model.plan import DeregisterTargets, Plan, RegisterTargets
from l7lb.model.problems import Held
from l7lb.model.snapshot import Limits
from l7lb.reconciler.swapping import Swap, kept, swaps, trusted, without
from tests.builders import claim, desired, listener, observed, rule, target, there

A, B, C = "10.0.0.1:30080", "10.0.0.2:30080", "10.0.0.1:30081"


def drawn(wanted: RuleSpec, bound: RuleSpec, limit: int = 100) -> Plan:
    ours = claim(Ownership.CREATED, "HTTP:80")
    limits = Limits(targets_per_rule=limit)
    return planner.converge(
        desired(listener("HTTP:80", wanted)), observed(there(listener("HTTP:80", bound))), ours, Held(), limits, None
    )


def found(wanted: RuleSpec, bound: RuleSpec, limit: int = 100) -> list[Swap]:
    world = observed(there(listener("HTTP:80", bound)))
    return list(swaps(drawn(wanted, bound, limit), desired(listener("HTTP:80", wanted)), world, limit))


def keys(*texts: str) -> frozenset[TargetKey]:
    return frozenset(target(text).key for text in texts)


@pytest.mark.parametrize(
    ("wanted", "bound", "leaving", "heirs"),
    [
        ([C], [A], [A], []),
        ([C], [A, B, C], [A, B], [C]),
        ([f"{A} weight=0", C], [A], [A], []),
        ([f"{C} weight=0", B], [C, B], [C], [B]),
        ([C, f"{B} tolerated"], [A, B], [A], [B]),
    ],
    ids=["all replaced", "under way", "a user gives it no weight", "another one stays", "a tolerated one serves on"],
)
def test_who_leaves_and_who_serves_in_their_place(
    wanted: list[str], bound: list[str], leaving: list[str], heirs: list[str]
) -> None:
    (swap,) = found(rule("a.example.com/", *wanted), rule("a.example.com/", *bound))
    assert (swap.leaving, swap.heirs) == (keys(*leaving), keys(*heirs))


@pytest.mark.parametrize(
    ("wanted", "bound", "limit"),
    [
        ([A, C], [A], 100),
        ([], [A], 100),
        ([C], [f"{A} weight=0"], 100),
        ([f"{A} weight=0 tolerated", C], [A], 100),
        ([f"{A} gone", C], [A], 100),
        ([f"{C} weight=0"], [A], 100),
        ([C], [A], 1),
    ],
    ids=[
        "nobody leaves", "nobody comes", "who leaves does not serve", "it terminates or is not ready", "it is gone",
        "who comes will not serve", "both do not fit the quota",
    ],
)  # fmt: skip
def test_what_is_no_swap(wanted: list[str], bound: list[str], limit: int) -> None:
    assert found(rule("a.example.com/", *wanted), rule("a.example.com/", *bound), limit) == []


def test_without_a_check_a_new_target_serves_at_once() -> None:
    off = HealthCheck(enabled=False)
    assert found(rule("a.example.com/", C), rule("a.example.com/", A, check=off)) == []
    on = HealthCheck(enabled=True)
    assert found(rule("a.example.com/", C, check=on), rule("a.example.com/", A, check=off))


def test_targets_that_cannot_be_told_are_not_swapped() -> None:
    assert found(rule("a.example.com/", known=False), rule("a.example.com/", A)) == []


@pytest.mark.parametrize(
    ("check", "patience"),
    [
        (HealthCheck(), 25.0),
        (HealthCheck(interval_s=2, healthy_num=2), 14.0),
        (HealthCheck(interval_s=60, healthy_num=10), 60.0),
    ],
    ids=["by default", "declared", "never more than a minute"],
)
def test_patience_is_the_window_of_the_check_and_some_seconds(check: HealthCheck, patience: float) -> None:
    (swap,) = found(rule("a.example.com/", C), rule("a.example.com/", A, check=check))
    assert swap.patience_s == patience


@pytest.mark.parametrize(
    ("health", "is_trusted"),
    [(Health.ALIVE, True), (Health.UNCHECKED, True), (Health.DEAD, False), (Health.UNKNOWN, False)],
)
def test_the_cloud_says_who_is_trusted(health: Health, is_trusted: bool) -> None:
    (swap,) = found(rule("a.example.com/", C), rule("a.example.com/", A, C))
    assert swap.place is not None
    told = {swap.place: (TargetHealth(target(C).key, health), TargetHealth(target(A).key, Health.ALIVE))}
    assert trusted(swap, told) == (keys(C) if is_trusted else frozenset())
    assert trusted(swap, {}) == frozenset()


def test_whose_address_is_vacant_need_not_stay() -> None:
    (swap,) = found(rule("a.example.com/", C), rule("a.example.com/", A, B))
    (left,) = without([swap], frozenset({"10.0.0.1"}))
    assert left.leaving == keys(B)
    assert without([swap], frozenset({"10.0.0.1", "10.0.0.2"})) == ()


def test_a_rule_that_stands_in_for_an_exact_one_is_found() -> None:
    wanted, bound = listener("HTTP:80", rule("a.example.com=/x", C)), listener("HTTP:80", rule("a.example.com/x", A))
    lent = replace(claim(Ownership.CREATED, "HTTP:80"), native=False)
    plan = planner.converge(desired(wanted), observed(there(bound)), lent, Held(), Limits(), None)
    (swap,) = swaps(plan, desired(wanted), observed(there(bound)), 100)
    assert swap.leaving == keys(A)
    (one,) = kept(desired(wanted), [swap]).listeners[0].rules
    assert Target(target(A).key, presence=Presence.TOLERATED) in one.targets


_TARGETS = st.dictionaries(
    st.integers(1, 6).map(lambda number: TargetKey("10.0.0.1", 30080 + number)), st.sampled_from((0, 5, 10)), max_size=5
)


@given(_TARGETS, _TARGETS)
def test_while_it_waits_nothing_that_serves_goes_and_all_that_is_new_comes(
    old: dict[TargetKey, int], new: dict[TargetKey, int]
) -> None:
    bound = rule("a.example.com/", *(Target(key, weight=weight) for key, weight in old.items()))
    wanted = rule("a.example.com/", *(Target(key, weight=weight) for key, weight in new.items()))
    waiting = found(wanted, bound)
    after = kept(desired(listener("HTTP:80", wanted)), waiting).listeners[0].rules[0]
    plan = drawn(after, bound)
    for swap in waiting:
        assert set(found(after, bound)) == set()
        off = {one.target.key for step in plan.steps if isinstance(step, DeregisterTargets) for one in step.placements}
        assert not off & swap.leaving
    on = {one.target.key for step in plan.steps if isinstance(step, RegisterTargets) for one in step.placements}
    assert on == new.keys() - old.keys()
