"""When an orphan may be deleted: seen often, over a long time, by whole lists, and few in an hour."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l7lb import ledger
from l7lb.errors import UnauthorizedPlan
from l7lb.model.identity import CloudRef, LoadBalancerId
from l7lb.model.inventory import Census, Entry, Memory, Provenance, Sighting, Use, Warrant
from l7lb.model.ownership import Ownership
from l7lb.model.plan import AddTags, DeleteLoadBalancer, Plan, Step
from tests.builders import CLUSTER, LB, LENT_TAGS, OUR_TAGS, claim, head, listener, observed

HOUR = 3600.0
NOW = 1_800_000_000.0
REGION = "ap-guangzhou"
REF = CloudRef(REGION, LB)
HERE = frozenset({REGION})
SEEN = Sighting("uid-1", NOW - 24 * HOUR, NOW - 8 * HOUR, 3)
WARRANT = Warrant(CLUSTER, head(), Census(frozenset({"uid-9"})), SEEN, (), NOW)
ORPHAN = Entry(head(), Provenance.MADE, Use.ORPHAN, "uid-1")


def plan(of: Warrant = WARRANT) -> Plan:
    return Plan((DeleteLoadBalancer(of.head.ref.id, proof=ledger.proof(of)),))


def test_an_orphan_that_was_seen_often_and_long_enough_may_go() -> None:
    assert ledger.objection(WARRANT) == ""
    ledger.authorize_collection(plan(), WARRANT, observed(listener("HTTP:80")))


OBJECTIONS = {
    "seen twice only": replace(WARRANT, sighting=replace(SEEN, count=2)),
    "seen for less than a day": replace(WARRANT, sighting=replace(SEEN, first=NOW - 24 * HOUR + 1)),
    "seen in the future": replace(WARRANT, sighting=replace(SEEN, last=NOW + 1)),
    "first seen after it was last seen": replace(WARRANT, sighting=replace(SEEN, first=NOW - HOUR)),
    "its Ingress is there": replace(WARRANT, census=Census(frozenset({"uid-1"}))),
    "an Ingress names it": replace(WARRANT, census=Census(frozenset({"uid-9"}), {LB: frozenset({"uid-9"})})),
    "another Ingress was missing": replace(WARRANT, sighting=replace(SEEN, ingress_uid="uid-2")),
    "five went within the hour": replace(WARRANT, collected=(NOW,) * 5),
    "lent": replace(WARRANT, head=head(tags=LENT_TAGS)),
    "deletion protection": replace(WARRANT, head=head(delete_protection=True)),
    "its owner is the user": replace(WARRANT, head=head(tags={**OUR_TAGS, "tke-lifecycle-owner": "user"})),
    "a Service's": replace(WARRANT, head=head(tags={**OUR_TAGS, "tke-lb-serviceuuid": "s"})),
    "no identity": replace(
        WARRANT, head=head(tags={key: value for key, value in OUR_TAGS.items() if key != "l7lb-cluster-uid"})
    ),
    "another identity": replace(WARRANT, head=head(tags={**OUR_TAGS, "l7lb-cluster-uid": "other"})),
    "another cluster": replace(WARRANT, head=head(tags={**OUR_TAGS, "tke-clusterId": "cls-2"})),
    "our identity is unknown": replace(WARRANT, cluster=replace(CLUSTER, uid="")),
    "not yet created": replace(WARRANT, head=replace(head(), running=False)),
}


@pytest.mark.parametrize("about", OBJECTIONS)
def test_an_objection_refuses_the_plan(about: str) -> None:
    warrant = OBJECTIONS[about]
    assert ledger.objection(warrant)
    with pytest.raises(UnauthorizedPlan):
        ledger.authorize_collection(plan(warrant), warrant, observed(on=warrant.head))


DELETE = DeleteLoadBalancer(LB, proof=ledger.proof(WARRANT))
PLANS: dict[str, tuple[Step, ...]] = {
    "nothing": (),
    "another one": (replace(DELETE, id=LoadBalancerId("lb-2")),),
    "none": (replace(DELETE, id=LoadBalancerId("")),),
    "forced": (replace(DELETE, force=True),),
    "without its proof": (replace(DELETE, proof="because"),),
    "twice": (DELETE, DELETE),
    "something else": (AddTags((("a", "b"),)),),
    "something beside it": (DELETE, AddTags((("a", "b"),))),
}


@pytest.mark.parametrize("about", PLANS)
def test_only_this_one_deletion_is_allowed(about: str) -> None:
    with pytest.raises(UnauthorizedPlan):
        ledger.authorize_collection(Plan(PLANS[about]), WARRANT, observed())


def test_what_was_observed_must_be_the_same_load_balancer() -> None:
    with pytest.raises(UnauthorizedPlan):
        ledger.authorize_collection(plan(), WARRANT, observed(on=head("lb-2")))


@pytest.mark.parametrize("ownership", [one for one in Ownership if one is not Ownership.CREATED])
def test_on_behalf_of_an_ingress_that_did_not_make_it_the_same_deletion_is_refused(ownership: Ownership) -> None:
    with pytest.raises(UnauthorizedPlan):
        ledger.authorize(plan(), claim(ownership), observed())


def test_sightings_that_follow_soon_are_one() -> None:
    memory = Memory()
    for minutes in range(0, 24 * 60, 10):
        memory = ledger.remember(memory, [ORPHAN], HERE, NOW + minutes * 60)
    assert memory.sightings[REF] == Sighting("uid-1", NOW, NOW + 16 * HOUR, 3)
    assert ledger.due(memory.sightings, NOW + 24 * HOUR - 1) == ()
    assert ledger.due(memory.sightings, NOW + 24 * HOUR) == (REF,)


def test_a_look_that_shows_something_else_begins_anew() -> None:
    old = Memory({REF: SEEN})
    assert ledger.remember(old, [], HERE, NOW).sightings == {}
    used = replace(ORPHAN, use=Use.USED)
    assert ledger.remember(old, [used], HERE, NOW).sightings == {}
    other = replace(ORPHAN, ingress_uid="uid-2")
    assert ledger.remember(old, [other], HERE, NOW).sightings == {REF: Sighting("uid-2", NOW, NOW)}


def test_a_region_that_was_not_looked_at_says_nothing() -> None:
    assert ledger.remember(Memory({REF: SEEN}), [], frozenset({"ap-beijing"}), NOW).sightings == {REF: SEEN}


def test_a_clock_that_went_back_begins_anew() -> None:
    before = ledger.remember(Memory({REF: SEEN}), [ORPHAN], HERE, NOW - 48 * HOUR)
    assert before.sightings == {REF: Sighting("uid-1", NOW - 48 * HOUR, NOW - 48 * HOUR)}


def test_one_that_is_forgotten_begins_anew() -> None:
    assert ledger.forget(Memory({REF: SEEN}), REF).sightings == {}


@pytest.mark.parametrize(
    "kept", [Use.UNPROVEN_ORPHAN, Use.LEFT_BEHIND, Use.KEPT, Use.NAMED, Use.HALF_MADE, Use.UNKNOWN]
)
def test_only_orphans_are_remembered(kept: Use) -> None:
    assert ledger.remember(Memory(), [replace(ORPHAN, use=kept)], HERE, NOW).sightings == {}


def test_the_longest_known_goes_first() -> None:
    seen = {
        CloudRef(REGION, LoadBalancerId("lb-b")): SEEN,
        CloudRef(REGION, LoadBalancerId("lb-a")): SEEN,
        CloudRef(REGION, LoadBalancerId("lb-c")): replace(SEEN, first=SEEN.first - 1),
    }
    assert [ref.id for ref in ledger.due(seen, NOW)] == ["lb-c", "lb-a", "lb-b"]


def test_deletions_count_for_an_hour_and_those_of_a_future_as_well() -> None:
    memory = Memory(collected=(NOW - HOUR, NOW - HOUR + 1, NOW, NOW + 100 * HOUR))
    assert ledger.remember(memory, [], HERE, NOW).collected == memory.collected[1:]


@given(
    st.lists(st.tuples(st.floats(-30 * HOUR, 30 * HOUR), st.sampled_from(("orphan", "used", "unread"))), max_size=40)
)
def test_whatever_is_seen_when_none_is_due_before_three_sightings_over_a_day(looks: list[tuple[float, str]]) -> None:
    memory, now = Memory(), NOW
    run: list[float] = []
    for step, seen in looks:
        now += step
        if seen == "unread":
            continue
        memory = ledger.remember(memory, [ORPHAN] if seen == "orphan" else [], HERE, now)
        run = [*run, now] if seen == "orphan" else []
        if run and any(at > now for at in run):
            run = [now]
        if ledger.due(memory.sightings, now):
            assert len(run) >= 3
            assert now - run[0] >= 24 * HOUR
