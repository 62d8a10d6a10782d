"""What holds for whatever two or three members ask for: what was given out once stays where it is."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from l7lb import planner
from l7lb.model.identity import ListenerKey, RuleRef
from l7lb.model.loadbalancer import DesiredLoadBalancer, ObservedLoadBalancer
from l7lb.model.maybe import UNSET
from l7lb.model.maybe import given as either
from l7lb.model.ownership import Record
from l7lb.model.plan import CreateListeners, Plan
from l7lb.model.problems import Held
from l7lb.model.sharing import Bid
from l7lb.model.snapshot import Limits
from tests.builders import LB, desired, host, key, listener, observed, rule

from .groups import EMPTY, bid, claim_of, steps

SPECS = st.lists(
    st.builds(
        lambda on, paths, name, shown, keepalive, chosen: listener(
            on,
            *(rule(f"{name}{path}", "10.0.0.1:1") for path in paths),
            hosts=[host(name, shown if on.startswith("HTTPS") else None, default=chosen)],
            keepalive=keepalive,
        ),
        st.sampled_from(("HTTP:80", "HTTPS:443", "HTTP:443")),
        st.lists(st.sampled_from(("/", "/x", "=/x")), min_size=1, max_size=2, unique=True),
        st.sampled_from(("a.example.com", "b.example.com")),
        st.sampled_from(("certaaaa", "certbbbb")),
        st.sampled_from((UNSET, True, False)),
        st.sampled_from((UNSET, True)),
    ),
    max_size=2,
    unique_by=lambda spec: spec.key.port,
)
ASKS = st.builds(
    lambda specs, groups, passing, protect: desired(
        *specs, security_groups=groups, pass_to_target=passing, delete_protection=protect
    ),
    SPECS,
    st.sampled_from((UNSET, frozenset({"sg-1"}), frozenset({"sg-2"}))),
    st.sampled_from((UNSET, True, False)),
    st.sampled_from((UNSET, True, False)),
)


def settle(bids: tuple[Bid, ...], seen: ObservedLoadBalancer) -> tuple[tuple[Bid, ...], ObservedLoadBalancer, Plan]:
    """One pass: what is there afterwards, what the records say, and what was done for it."""
    result = planner.merge(bids, seen, claim_of(bids, seen), Limits())
    plan = planner.converge(result.desired, seen, claim_of(bids, seen), result.held, Limits(), None)
    for step in plan.steps:
        made = {k: f"lbl-{k}" for k in step.keys} if isinstance(step, CreateListeners) else {}
        seen = planner.predict(seen, step, made)
    after = {item.spec.key: item for item in seen.listeners}
    rules = {RuleRef(k, r.key) for k, item in after.items() for r in item.spec.rules}

    def written(one: Bid) -> Bid:
        share = result.shares[one.uid]
        listeners = {
            str(k): (after[k].id, either(after[k].spec.name, "")) for k in share.listeners & after.keys()
        }  # fmt: skip
        record = Record(one.uid, "cls-1", lb=LB, claim="shared", listeners=listeners,
                        rules=share.rules & rules, parts=share.parts)  # fmt: skip
        return replace(one, record=record)

    return tuple(map(written, bids)), seen, plan


def shape(seen: ObservedLoadBalancer) -> object:
    return (seen.head, {item.spec.key: item.spec for item in seen.listeners})


@settings(max_examples=100, deadline=None)
@given(st.lists(ASKS, min_size=2, max_size=3), st.permutations((0, 1, 2)))
def test_no_two_members_alternate_over_anything_in_any_order(asks: list[DesiredLoadBalancer], turns: list[int]) -> None:
    bids = tuple(
        replace(bid("abc"[number]), desired=one, age=("2026", "shop", "abc"[turns[number]]))
        for number, one in enumerate(asks)
    )
    seen = EMPTY
    for number in range(len(bids)):  # they arrive one after the other
        arrived, seen, _ = settle(bids[: number + 1], seen)
        bids = arrived + bids[number + 1 :]
    before = shape(seen)
    for again in (bids, bids[::-1], tuple(replace(one, age=("2026", "shop", "cba"[n])) for n, one in enumerate(bids))):
        after, seen, plan = settle(again, seen)
        assert not plan.steps, steps(plan)
        assert shape(seen) == before
        assert {one.uid: one.record for one in after} == {one.uid: one.record for one in bids}


@settings(max_examples=60, deadline=None)
@given(st.lists(ASKS, min_size=2, max_size=3), st.integers(0, 2))
def test_who_is_broken_as_a_whole_and_has_nothing_keeps_nothing_from_the_others(
    asks: list[DesiredLoadBalancer], number: int
) -> None:
    """The others have the rules that they would have without it, and nobody's turn comes when it is whole again."""
    bids = tuple(replace(bid("abc"[n]), desired=one) for n, one in enumerate(asks))
    one = bids[number % len(bids)]
    specs = one.desired.listeners if one.desired is not None else ()
    held = Held(
        listeners=frozenset(spec.key for spec in specs),
        rules=frozenset(RuleRef(spec.key, r.key) for spec in specs for r in spec.rules),
    )
    others = tuple(other for other in bids if other is not one)
    alone, without, _ = settle(others, EMPTY)
    after, seen, _ = settle((*others, replace(one, held=held)), EMPTY)
    assert shape_of_rules(seen) == shape_of_rules(without)
    assert [other.rules for other in after[:-1]] == [other.rules for other in alone]
    healed, _, _ = settle(tuple(replace(other, held=Held()) for other in after), seen)
    assert all(now.rules == before.rules for now, before in zip(healed[:-1], after[:-1], strict=True))


def shape_of_rules(seen: ObservedLoadBalancer) -> set[RuleRef]:
    return {RuleRef(item.spec.key, r.key) for item in seen.listeners for r in item.spec.rules}


@settings(max_examples=60, deadline=None)
@given(st.lists(ASKS, min_size=2, max_size=3))
def test_whoever_goes_takes_its_own_and_nothing_else(asks: list[DesiredLoadBalancer]) -> None:
    foreign = observed(listener("HTTP:8080", rule("lender.example.com/"), name="lender"), on=EMPTY.head)
    bids = tuple(replace(bid("abc"[number]), desired=one) for number, one in enumerate(asks))
    bids, seen, _ = settle(bids, foreign)
    for number in range(len(bids)):
        bids = tuple(replace(one, desired=None, leaving=True) if n == number else one for n, one in enumerate(bids))
        bids, seen, _ = settle(bids, seen)
        there = {RuleRef(item.spec.key, r.key) for item in seen.listeners for r in item.spec.rules}
        kept = {one for member in bids if not member.leaving for one in member.record.rules}  # type: ignore[union-attr]  # settled
        assert there == kept | {RuleRef(ListenerKey("HTTP", 8080), key("lender.example.com/"))}
    assert [item.spec for item in seen.listeners] == [item.spec for item in foreign.listeners]
