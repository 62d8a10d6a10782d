"""The small parts by themselves: looks, setbacks, exits, stability, flights, intents, conditions."""

import json
from dataclasses import dataclass, replace

import pytest

from l7lb.model.cluster import Ingress, IngressSpec, ObjectMeta
from l7lb.model.identity import (
    BindingKey,
    CloudRef,
    ListenerId,
    ListenerKey,
    LoadBalancerId,
    LocationId,
    Owner,
    RuleKey,
)
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedLoadBalancer
from l7lb.model.options import Standing
from l7lb.model.ownership import Record
from l7lb.model.plan import ModifyLoadBalancer, Plan
from l7lb.model.problems import Problem, Severity
from l7lb.model.redirecting import CreateRedirects, DeleteRedirects, FormerRedirect, RedirectPair
from l7lb.reconciler.attempts import CAP_S, LOOKS_APART_S, Attempts, Setbacks, pause
from l7lb.reconciler.conditions import READY, Readiness, readiness, render
from l7lb.reconciler.exits import Exits
from l7lb.reconciler.flights import Flight, Flights
from l7lb.reconciler.intent import Intent, intent
from l7lb.reconciler.stability import Stability
from tests.builders import OWNER

REF = CloudRef("ap-guangzhou", LoadBalancerId("lb-1"))


@dataclass
class Time:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_second_look_counts_sixty_seconds_after_the_first_one() -> None:
    time = Time()
    attempts = Attempts(time)
    assert attempts.until_second_look(OWNER) == LOOKS_APART_S
    time.now += 59.0
    assert attempts.until_second_look(OWNER) == pytest.approx(1.0)
    time.now += 1.0
    assert attempts.until_second_look(OWNER) == 0
    attempts.forget(OWNER)
    assert attempts.until_second_look(OWNER) == LOOKS_APART_S


def test_tags_may_lag_for_a_minute_and_those_of_others_are_not_meant() -> None:
    time = Time()
    attempts = Attempts(time)
    attempts.tagged(OWNER)
    assert attempts.tagging(OWNER)
    assert not attempts.tagging(Owner(OWNER.cluster, "another"))
    time.now += 61.0
    assert not attempts.tagging(OWNER)


def test_setbacks_in_a_row_slow_down_up_to_a_minute_and_a_rest_clears_them() -> None:
    setbacks = Setbacks()
    waits = [pause(setbacks.count("uid")) for _ in range(14)]
    assert waits[:4] == [0.1, 0.2, 0.4, 0.8]
    assert waits == sorted(waits)
    assert waits[-1] == CAP_S
    setbacks.forget("uid")
    assert setbacks.count("uid") == 1


def test_exits_are_counted_once_each_and_for_ten_minutes() -> None:
    time = Time()
    exits = Exits(time)
    assert [exits.count(uid) for uid in ("a", "b", "a", "c", "b")] == [1, 2, 1, 3, 2]
    time.now += 600.0
    assert exits.count("d") == 1


def test_a_step_is_left_out_after_three_times_within_an_hour_and_comes_back_afterwards() -> None:
    time = Time()
    stability = Stability(time)
    plan = Plan((ModifyLoadBalancer(pass_to_target=True),))
    for _ in range(3):
        assert stability.filter(REF, plan) == (plan, ())
        stability.ran(REF, plan)
        time.now += 60.0
    kept, problems = stability.filter(REF, plan)
    assert kept.steps == ()
    assert [problem.severity for problem in problems] == [Severity.WARNING]
    other = Plan((ModifyLoadBalancer(pass_to_target=False),))
    assert stability.filter(REF, other) == (other, ())
    assert stability.filter(CloudRef("ap-guangzhou", LoadBalancerId("lb-2")), plan) == (plan, ())
    time.now += 3600.0
    assert stability.filter(REF, plan) == (plan, ())


def _anew(code: int) -> Plan:
    http, https, key = ListenerKey("HTTP", 80), ListenerKey("HTTPS", 443), RuleKey("a.example.com", "/")
    return Plan((
        DeleteRedirects(http, ListenerId("lbl-1"), (FormerRedirect(key, LocationId("loc-1")),), again=True),
        CreateRedirects(http, https, (RedirectPair(key, key, code),), again=True),
    ))  # fmt: skip


def test_a_redirect_that_does_not_keep_its_code_is_neither_taken_off_nor_made_a_fourth_time() -> None:
    stability = Stability(Time())
    for _ in range(3):
        assert stability.filter(REF, _anew(301)) == (_anew(301), ())
        stability.ran(REF, _anew(301))
    kept, problems = stability.filter(REF, _anew(301))
    assert kept.steps == ()
    assert len(problems) == 1
    assert stability.filter(REF, _anew(302)) == (_anew(302), ())


def test_redirects_that_are_switched_on_and_off_are_not_counted() -> None:
    stability = Stability(Time())
    plan = Plan(tuple(replace(step, again=False) for step in _anew(301).steps if isinstance(step, CreateRedirects)))
    for _ in range(4):
        assert stability.filter(REF, plan) == (plan, ())
        stability.ran(REF, plan)


def _flight(key: str, ref: CloudRef | None = REF) -> Flight:
    observed = ObservedLoadBalancer(LoadBalancerHead(ref, name="", running=True)) if ref is not None else None
    return Flight(BindingKey(key), "ap-guangzhou", Plan(), "", observed, 0.0)


def test_one_writer_a_load_balancer_whoever_asks() -> None:
    flights = Flights()
    assert flights.begin(_flight("a"))
    assert not flights.begin(_flight("b"))
    assert flights.begin(_flight("c", CloudRef("ap-guangzhou", LoadBalancerId("lb-2"))))
    assert flights.of(BindingKey("b")) is None
    flights.end(BindingKey("a"))
    assert flights.begin(_flight("b"))


def test_the_lock_of_a_new_load_balancer_is_taken_when_its_id_is_known() -> None:
    flights = Flights()
    assert flights.begin(_flight("a", None))
    assert flights.begin(_flight("b"))
    assert not flights.lock(REF, BindingKey("a"))
    flights.clear()
    assert flights.lock(REF, BindingKey("a"))


def test_flights_are_found_by_the_key_of_the_queue_under_which_they_were_worked_on() -> None:
    flights = Flights()
    flight = _flight("uid")
    flight.binding = BindingKey("lb/ap-guangzhou/lb-1")
    flights.begin(flight)
    assert flights.under(BindingKey("lb/ap-guangzhou/lb-1")) == (flight,)
    assert flights.under(BindingKey("new/uid")) == ()


FINALIZER = "l7lb.dev/load-balancer"


def _ingress(*, deleting: bool = False, held: bool = False) -> Ingress:
    meta = ObjectMeta(
        name="shop",
        namespace="shop",
        uid="uid-1",
        deletion_timestamp="2026-01-01T00:00:00Z" if deleting else None,
        finalizers=(FINALIZER,) if held else None,
    )
    return Ingress(metadata=meta, spec=IngressSpec())


@pytest.mark.parametrize("standing", list(Standing))
def test_on_a_deleting_ingress_our_finalizer_alone_decides(standing: Standing) -> None:
    assert intent(_ingress(deleting=True, held=True), standing) is Intent.DISPOSE
    assert intent(_ingress(deleting=True), standing) is Intent.IGNORE


@pytest.mark.parametrize(
    ("standing", "held", "purpose"),
    [
        (Standing.OURS, False, Intent.KEEP),
        (Standing.OURS, True, Intent.KEEP),
        (Standing.NOT_OURS, False, Intent.IGNORE),
        (Standing.NOT_OURS, True, Intent.LEAVE),
        (Standing.LEFT, True, Intent.LEAVE),
        (Standing.UNCLEAR, True, Intent.HOLD),
        (Standing.UNCLEAR, False, Intent.HOLD),
    ],
)
def test_a_living_ingress_is_treated_by_its_standing(standing: Standing, held: bool, purpose: Intent) -> None:
    assert intent(_ingress(held=held), standing) is purpose


RECORD = Record(uid="uid-1", cluster="cls-1", lb="lb-1")


@pytest.mark.parametrize(
    ("claim", "named", "purpose"),
    [
        ("adopting", "lb-1", Intent.KEEP),
        ("adopting", "lb-2", Intent.BACK),
        ("adopting", "", Intent.BACK),
        ("adopted", "lb-2", Intent.KEEP),
        ("created", "", Intent.KEEP),
        ("releasing", "lb-1", Intent.BACK),
        ("releasing", "", Intent.BACK),
        ("", "lb-2", Intent.KEEP),
    ],
)
def test_what_was_begun_is_ended_first(claim: str, named: str, purpose: Intent) -> None:
    assert intent(_ingress(), Standing.OURS, replace(RECORD, claim=claim), named) is purpose


def test_a_condition_that_says_the_same_keeps_its_text_and_its_time() -> None:
    first = render(None, READY, 1_767_225_600.0)
    assert json.loads(first)[0]["lastTransitionTime"] == "2026-01-01T00:00:00Z"
    assert render(first, READY, 1_767_229_200.0) == first
    other = render(first, Readiness(True, "Ensured", "another message"), 1_767_229_200.0)
    assert json.loads(other)[0]["lastTransitionTime"] == "2026-01-01T00:00:00Z"
    lost = render(first, Readiness(False, "Busy", "later"), 1_767_229_200.0)
    assert json.loads(lost)[0]["lastTransitionTime"] == "2026-01-01T01:00:00Z"


@pytest.mark.parametrize("since", [
    "zzz", "", "0", "2026-01-01", "2026-01-01T02:00:00", "20260101T020000Z", "2026-02-31T00:00:00Z",
    "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-01-01T00:59:59Z", "2026-01-01T03:00:01Z",
    "2999-01-01T00:00:00Z",
])  # fmt: skip
@pytest.mark.parametrize("message", ["later", "something else"])
def test_a_time_that_cannot_be_true_does_not_hide_since_when_it_waits(since: str, message: str) -> None:
    """Created at one o'clock, now it is three."""
    three, created = 1_767_236_400.0, "2026-01-01T01:00:00Z"
    planted = json.dumps([{"type": "Ready", "status": "False", "reason": "Busy", "message": message,
                           "lastTransitionTime": since}])  # fmt: skip
    told = render(planted, Readiness(False, "Busy", "later"), three, created)
    assert json.loads(told)[0]["lastTransitionTime"] == "2026-01-01T03:00:00Z"
    assert render(told, Readiness(False, "Busy", "later"), three + 60, created) == told


@pytest.mark.parametrize("since", [
    "2026-01-01T01:00:00Z", "2026-01-01T02:00:00.25Z", "2026-01-01T10:00:00+08:00", "2026-01-01T03:00:00Z",
])  # fmt: skip
def test_a_time_that_can_be_true_is_kept_as_it_is_written(since: str) -> None:
    before = json.dumps([{"type": "Ready", "status": "False", "reason": "Busy", "message": "later",
                          "lastTransitionTime": since}])  # fmt: skip
    busy = Readiness(False, "Busy", "later")
    assert render(before, busy, 1_767_236_400.0, "2026-01-01T01:00:00Z") == before


def test_a_clock_behind_that_of_the_api_server_writes_the_condition_once() -> None:
    first = render(None, READY, 1_767_225_600.0, "2026-01-01T01:00:00Z")
    assert json.loads(first)[0]["lastTransitionTime"] == "2026-01-01T01:00:00Z"
    assert render(first, READY, 1_767_225_601.0, "2026-01-01T01:00:00Z") == first


@pytest.mark.parametrize("text", ["", "nonsense", "{}", "[1]", "[]"])
def test_a_condition_that_nobody_can_read_is_written_anew(text: str) -> None:
    assert json.loads(render(text, READY, 0.0))[0]["status"] == "True"


def test_the_first_error_gives_the_reason_and_every_error_is_said() -> None:
    warning = Problem("", "Noted", "something", severity=Severity.WARNING)
    first, second = Problem("E4041", "ServiceNotFound", "no web"), Problem("", "Other", "no api")
    state = readiness((warning, first, second))
    assert (state.ready, state.reason) == (False, "ServiceNotFound")
    assert state.message == "E4041: no web; no api"
    assert readiness((warning,)).ready
    assert "something" in readiness((warning,)).message
