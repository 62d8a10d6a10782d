"""The walks themselves: those that once failed, that a seed means one walk, and that a failure can be shrunk."""

from pathlib import Path

import pytest

from tests.simulation.kept import SEEDS, SLICES, Kept, go, kept, seeds_of
from tests.simulation.shrinking import End, shrunk, walked
from tests.simulation.walk import Step, Walk


@pytest.mark.parametrize("one", kept(), ids=lambda one: one.name)
def test_a_walk_that_once_failed_fails_no_more(one: Kept) -> None:
    assert one.why
    assert one.profile == "classic" or one.script
    go(one.walk())


@pytest.mark.parametrize("profile", ["classic", "wide"])
def test_a_seed_gives_the_same_walk_every_time(profile: str) -> None:
    first, second = Walk(11, profile=profile), Walk(11, profile=profile)
    go(first)
    go(second)
    assert first.log == second.log
    assert [(one.at, one.key) for one in first.world.passes] == [(one.at, one.key) for one in second.world.passes]


def test_a_script_is_the_walk_that_it_was_taken_from() -> None:
    drawn = Walk(12)
    go(drawn)
    text = [str(step) for step in drawn.drawn()]
    again = Walk(12, script=tuple(Step.parse(one) for one in text))
    go(again)
    assert again.log == drawn.log


def test_there_is_a_file_for_each_slice_and_a_slice_for_each_seed() -> None:
    found = {path.name for path in Path(__file__).parent.glob("test_walks_*.py")}
    assert found == {f"test_walks_{number}.py" for number in range(1, SLICES + 1)}
    walked = sorted(seed for number in range(1, SLICES + 1) for few in seeds_of(number) for seed in few)
    assert walked == list(range(1, SEEDS + 1))
    assert len(walked) >= 300


def test_a_walk_that_fails_is_shrunk_to_the_deeds_that_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    guilty = {"delete", "rotate"}

    def breaks(walk: Walk) -> None:
        assert not guilty <= {step.deed for step in walk.drawn()}

    monkeypatch.setattr(Walk, "run", breaks)
    script = tuple(Step.parse(f"{deed}:1:0") for deed in ("create", "delete", "edit", "rotate", "delete", "die"))
    walk = Walk(1, script=script)
    end = walked(walk)
    assert end.code == 127
    assert {step.deed for step in shrunk(walk, End(127, ""))} == guilty
    assert len(shrunk(walk, end)) == 2
