"""What a pass says of itself while the whole product runs in one thread on a virtual clock."""

import random
from functools import partial

import pytest

from l7lb.app.connections import pass_ids
from l7lb.app.leading import Stage as TermStage
from l7lb.model.phases import STEADY, Pass, Phase, Stage, TaskEnd
from l7lb.telemetry.passes import Passes
from tests.simulation import manifests, process
from tests.simulation.world import World


class Notebook:
    """Keeps the passes."""

    def __init__(self) -> None:
        self.passes: list[Pass] = []

    def phase(self, phase: Phase, pass_id: str) -> None:
        """Told with its pass."""

    def passed(self, done: Pass) -> None:
        self.passes.append(done)

    def steady(self) -> list[str]:
        """The stages of each pass that had any."""
        each = (" ".join(str(one.stage) for one in done.phases if one.stage in STEADY) for done in self.passes)
        return [stages for stages in each if stages]


def followed(world: World, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """Passes of the process that is started next."""
    notebook, clock = Notebook(), world.around.clock
    passes = Passes((notebook,), monotonic=clock.monotonic, wall=clock.time, ids=pass_ids(random.Random(7)))
    monkeypatch.setattr(process, "Stage", partial(TermStage, passes=passes))
    return notebook


def lived(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """An Ingress from its first day to its last."""
    world = World()
    world.users.create(manifests.ingress("shop", manifests.rule("a.example.com")))
    notebook = followed(world, monkeypatch)
    world.start()
    world.settle()
    world.users.delete("shop")
    world.settle()
    return notebook


def test_stages_follow_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    stages = lived(monkeypatch).steady()
    assert stages[0] == "translate observe plan apply"
    assert "translate apply" in stages
    assert "translate observe plan report" in stages
    assert stages[-1].endswith("observe report")


def test_each_task_names_the_pass_that_had_sent_its_step(monkeypatch: pytest.MonkeyPatch) -> None:
    passes = lived(monkeypatch).passes
    sent = {done.id for done in passes if done.sent}
    ends = [one.detail for done in passes for one in done.phases if isinstance(one.detail, TaskEnd)]
    assert ends
    assert {end.status for end in ends} == {"succeeded"}
    assert {end.pass_id for end in ends} <= sent
    assert [words for done in passes for words in done.sent] == [words for done in passes for words in done.performed]


def test_a_task_took_as_long_as_the_cloud_worked_and_no_pass_did(monkeypatch: pytest.MonkeyPatch) -> None:
    passes = lived(monkeypatch).passes
    tasks = [one.seconds for done in passes for one in done.phases if one.stage is Stage.TASK]
    assert all(seconds >= 0.5 for seconds in tasks)
    assert all(done.seconds == 0.0 for done in passes)


def test_the_same_dice_and_clock_give_the_same_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = lived(monkeypatch).passes, lived(monkeypatch).passes
    assert [one.id for one in first] == [one.id for one in second]
    assert [(one.phases, one.sent, one.result) for one in first] == [
        (one.phases, one.sent, one.result) for one in second
    ]
