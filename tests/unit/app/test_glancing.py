"""The health of targets for somebody who looks: asked seldom, never for nobody, and never waited for long."""

import threading

from l7lb.app.drawing import Healths
from l7lb.app.glancing import EVERY_S, TRIES, Glances
from l7lb.errors import Throttled, Unavailable
from l7lb.model.cloud import Health, TargetHealth
from l7lb.model.identity import CloudRef, ListenerId, LoadBalancerId, LocationId
from l7lb.model.loadbalancer import TargetKey
from tests.unit.runtime.fake_clock import FakeClock

REF = CloudRef("ap-guangzhou", LoadBalancerId("lb-1"))
SAID: Healths = {(ListenerId("lbl-1"), LocationId("loc-1")): (TargetHealth(TargetKey("10.0.0.1", 1), Health.ALIVE),)}


class Cloud:
    """Counts who asks; `errors` are raised first."""

    def __init__(self, *errors: Exception) -> None:
        self.asked: list[CloudRef] = []
        self.errors = list(errors)
        self.open = threading.Event()
        self.open.set()

    def ask(self, ref: CloudRef) -> Healths:
        self.asked.append(ref)
        assert self.open.wait(30)
        if self.errors:
            raise self.errors.pop(0)
        return SAID


def glances(cloud: Cloud, clock: FakeClock, patience_s: float = 10.0) -> Glances:
    return Glances(cloud.ask, clock, patience_s=patience_s, sleep=lambda _: None)


def test_one_load_balancer_is_asked_about_once_in_a_while_however_many_look() -> None:
    cloud, clock = Cloud(), FakeClock()
    seen = glances(cloud, clock)
    for _ in range(5):
        assert seen.of(REF).healths == SAID
    assert cloud.asked == [REF]
    clock.advance(EVERY_S)
    assert seen.of(REF).at == clock.time()
    assert cloud.asked == [REF, REF]


def test_whoever_only_lists_asks_nothing() -> None:
    cloud = Cloud()
    seen = glances(cloud, FakeClock())
    assert seen.peek(REF).at is None
    assert cloud.asked == []
    seen.of(REF)
    assert seen.peek(REF).healths == SAID


def test_an_answer_that_does_not_come_is_not_waited_for() -> None:
    cloud = Cloud()
    cloud.open.clear()
    seen = glances(cloud, FakeClock(), patience_s=0.0)
    assert "not answered yet" in seen.of(REF).problem
    cloud.open.set()


def test_a_failure_keeps_what_was_known_and_says_why_it_is_old() -> None:
    cloud, clock = Cloud(), FakeClock()
    seen = glances(cloud, clock)
    first = seen.of(REF)
    cloud.errors = [Unavailable("no route")]
    clock.advance(EVERY_S)
    later = seen.of(REF)
    assert (later.healths, later.at) == (SAID, first.at)
    assert "no route" in later.problem


def test_a_used_up_budget_is_waited_for_a_few_times() -> None:
    cloud = Cloud(*(Throttled("later") for _ in range(TRIES - 1)))
    assert glances(cloud, FakeClock()).of(REF).healths == SAID
    assert len(cloud.asked) == TRIES
    spent = Cloud(*(Throttled("later") for _ in range(TRIES)))
    assert "later" in glances(spent, FakeClock()).of(REF).problem
