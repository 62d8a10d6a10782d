"""Hands on a virtual clock: one at a time, in the order of their times, and woken by what others do."""

from collections.abc import Iterator

import pytest

from tests.bench.crew import Crew, Stuck
from tests.simulation.clock import SimClock


@pytest.fixture
def crew() -> Iterator[Crew]:
    made = Crew(SimClock())
    yield made
    made.close()


def test_hands_take_turns_in_the_order_of_their_times(crew: Crew) -> None:
    said: list[tuple[float, str]] = []

    def hand(name: str, pause: float) -> None:
        for _ in range(2):
            crew.sleep(pause)
            said.append((crew.clock.now(), name))

    crew.start("slow", lambda: hand("slow", 3.0))
    crew.start("quick", lambda: hand("quick", 2.0))
    crew.run(lambda: len(said) == 4, within_s=10.0)
    assert said == [(2.0, "quick"), (3.0, "slow"), (4.0, "quick"), (6.0, "slow")]


def test_who_is_parked_is_woken_by_what_another_has_done(crew: Crew) -> None:
    letters: list[str] = []
    read: list[float] = []

    def reader() -> None:
        crew.park(lambda: 0.0 if letters else float("inf"))
        read.append(crew.clock.now())

    def writer() -> None:
        crew.sleep(5.0)
        letters.append("news")

    crew.start("reader", reader)
    crew.start("writer", writer)
    crew.run(lambda: bool(read), within_s=10.0)
    assert read == [5.0]


def test_who_thinks_keeps_others_from_thinking_but_not_from_waiting(crew: Crew) -> None:
    ended: list[tuple[str, float]] = []

    def hand(name: str, *, thinks: bool) -> None:
        (crew.think if thinks else crew.sleep)(1.0)
        ended.append((name, crew.clock.now()))

    for name, thinks in (("a", True), ("b", True), ("c", False)):
        crew.start(name, lambda name=name, thinks=thinks: hand(name, thinks=thinks))  # type: ignore[misc]  # bound now
    crew.run(lambda: len(ended) == 3, within_s=10.0)
    assert sorted(ended) == [("a", 1.0), ("b", 2.0), ("c", 1.0)]


def test_what_never_comes_is_said_and_what_fails_is_raised(crew: Crew) -> None:
    crew.start("idle", lambda: crew.park(lambda: float("inf")))
    with pytest.raises(Stuck, match="not within 7 s"):
        crew.run(lambda: False, within_s=7.0)
    assert crew.clock.now() == 7.0

    def fail() -> None:
        raise ZeroDivisionError

    crew.start("broken", fail)
    with pytest.raises(ZeroDivisionError):
        crew.run(lambda: False, within_s=1.0)


def test_time_passes_to_the_second_that_was_asked_for(crew: Crew) -> None:
    crew.pass_time(12.5)
    assert crew.clock.now() == 12.5
