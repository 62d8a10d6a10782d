"""One look a minute at the health of everything, only while somebody looks, and forgotten when it is old."""

from collections.abc import Mapping

from l7lb.app.pulses import Pulse, Pulses
from l7lb.app.rounds import EVERY_S, OLD_S, Rounds
from l7lb.model.identity import CloudRef, ListenerId, LoadBalancerId
from tests.unit.runtime.fake_clock import FakeClock

REF = CloudRef("ap-guangzhou", LoadBalancerId("lb-1"))
WELL = Pulses({REF: Pulse(healthy=2, total=2, rules=1)})
WANTED: Mapping[CloudRef, frozenset[ListenerId]] = {REF: frozenset()}


class Cloud:
    """Counts its looks; `error` ends each."""

    def __init__(self, error: Exception | None = None) -> None:
        self.looks = 0
        self.error = error

    def ask(self, wanted: Mapping[CloudRef, frozenset[ListenerId]]) -> Pulses:
        self.looks += 1
        if self.error is not None:
            raise self.error
        return Pulses({ref: WELL.known[ref] for ref in wanted})


def rounds(cloud: Cloud, clock: FakeClock) -> Rounds:
    return Rounds(cloud.ask, clock, patience_s=10.0)


def test_however_many_look_the_cloud_is_asked_once_a_minute() -> None:
    cloud, clock = Cloud(), FakeClock()
    seen = rounds(cloud, clock)
    assert [seen.of(WANTED) for _ in range(5)] == [WELL] * 5
    clock.advance(EVERY_S - 1)
    assert seen.of(WANTED) == WELL
    assert cloud.looks == 1


def test_what_is_old_is_asked_for_again_and_waited_for() -> None:
    cloud, clock = Cloud(), FakeClock()
    seen = rounds(cloud, clock)
    assert seen.of(WANTED) == WELL
    clock.advance(OLD_S + 1)
    assert seen.of(WANTED) == WELL
    assert cloud.looks == 2


def test_where_there_is_nothing_to_ask_about_nobody_asks() -> None:
    cloud = Cloud()
    assert rounds(cloud, FakeClock()).of({}) == Pulses()
    assert cloud.looks == 0


def test_a_look_that_dies_leaves_the_health_unknown_and_the_next_one_possible() -> None:
    cloud, clock = Cloud(RuntimeError("a bug")), FakeClock()
    seen = rounds(cloud, clock)
    assert "log" in seen.of(WANTED).silent[REF]
    cloud.error = None
    clock.advance(OLD_S + 1)
    assert seen.of(WANTED) == WELL
