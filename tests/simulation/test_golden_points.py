"""What the exploration of golden cases rests on: it sees, it repeats itself, it leaves nothing out for no reason."""

from functools import partial

import pytest

from l7lb.errors import ConfigurationError
from tests.golden.case_file import CASES, load, paths
from tests.simulation.crash_points import FORGIVEN, LEFT_OUT
from tests.simulation.forks import Forks, Point, Trouble
from tests.simulation.golden_points import Exploration
from tests.simulation.golden_state import differences, state
from tests.simulation.golden_world import GoldenWorld, NotLoaded, loaded
from tests.simulation.shares import command
from tests.simulation.toll import Death, Died, Toll

NOBODY = frozenset[str]()
FORKS = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
"""A worker of the test runner has a thread that waits; these children do not meet it."""


def served(name: str) -> GoldenWorld:
    world = loaded(load(CASES / f"{name}.yaml"))
    world.start()
    world.settle()
    return world


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_case_is_left_out_only_because_it_cannot_be_played(name: str) -> None:
    with pytest.raises((NotLoaded, ConfigurationError)):
        served(name)


def test_what_is_left_out_or_forgiven_is_a_case() -> None:
    assert LEFT_OUT.keys() | FORGIVEN.keys() <= {path.stem for path in paths()}


def test_a_run_makes_the_same_calls_whatever_the_order_of_sets() -> None:
    first, second = (command("--calls", "--part", "3/9", PYTHONHASHSEED=seed) for seed in ("1", "2"))
    assert first.returncode == second.returncode == 0, first.stderr
    assert first.stdout.count("CreateListener") >= 5
    assert first.stdout == second.stdout


def test_two_worlds_of_one_case_end_alike_and_a_change_by_hand_is_seen() -> None:
    one, other = served("manifest-01-plain-http"), served("manifest-01-plain-http")
    wanted = state(one, NOBODY)
    assert differences(wanted, state(other, NOBODY)) == []
    lb = other.account.lb()
    listener = next(iter(lb.listeners.values()))
    rule = next(iter(listener.rules.values()))
    rule.targets[0].weight = 7
    lb.tags["by"] = "hand"
    assert [text.partition(": ")[0].rpartition("/")[2] for text in differences(wanted, state(other, NOBODY))] != []
    assert len(differences(wanted, state(other, NOBODY))) == 2


def test_new_ids_are_compared_by_what_they_stand_for() -> None:
    one = served("manifest-01-plain-http")
    other = loaded(load(CASES / "manifest-01-plain-http.yaml"))
    other.account.emulator.world.new_id("lb")
    other.account.emulator.world.new_id("lbl")
    other.account.emulator.world.new_vip()
    other.start()
    other.settle()
    assert one.account.lb().id != other.account.lb().id
    assert differences(state(one, NOBODY), state(other, NOBODY)) == []


@FORKS
def test_every_call_is_a_point_before_and_after_it() -> None:
    tried: list[Point] = []

    def choose(point: Point) -> bool:
        tried.append(point)
        return False

    exploration = Exploration(load(CASES / "manifest-01-plain-http.yaml"), choose, (), thorough=False)
    exploration.run()
    calls = served("manifest-01-plain-http").live().toll.passed
    for death in Death:
        assert [point.name for point in tried if point.death is death] == calls


@FORKS
def test_a_child_dies_where_it_is_told_and_its_parent_goes_on() -> None:
    forks = Forks(lambda point: point.number == 2 and point.death is Death.AFTER)
    done: list[str] = []

    def act() -> None:
        toll = Toll()
        toll.on_begin = lambda name: forks.hear(toll, name)
        for name in ("one", "two", "three"):
            toll.through(name, partial(done.append, name))

    wanted, answers = forks.explore("serve", act, lambda died: (died, [*done]))
    assert wanted == (False, ["one", "two", "three"])
    assert answers == [(Point("serve", 2, Death.AFTER, "two"), (True, ["one", "two"]))]


@FORKS
def test_what_breaks_in_a_child_is_told() -> None:
    forks = Forks(lambda _: True)
    assert isinstance(forks.aside(lambda: int("one")), Trouble)

    def act() -> None:
        toll = Toll()
        toll.on_begin = lambda name: forks.hear(toll, name)
        try:
            toll.through("one", lambda: None)
        except Died as death:
            raise ValueError("swallowed") from death

    _, answers = forks.explore("serve", act, lambda died: died)
    assert all("swallowed" in answer.text for _, answer in answers)
    assert len(answers) == 2


@pytest.mark.parametrize("loss", ["leak", "theft", "second"])
def test_what_a_death_must_not_leave_behind_would_be_found(loss: str) -> None:
    exploration = Exploration(load(CASES / "existing-adopted.yaml"), lambda _: False, (), thorough=False)
    world, made = (
        exploration.world,
        {"tags": {"tke-lb-ingress-uuid": exploration.world.ingresses()[0]["metadata"]["uid"]}},
    )
    if loss == "theft":
        lb = world.account.lb()
        next(item for item in lb.listeners.values() if item.name == "lender").keepalive = 1
        with pytest.raises(AssertionError, match="of the owner"):
            exploration.guard.check()
    elif loss == "second":
        world.account.seed(load_balancers=[{"id": "lb-1", **made}, {"id": "lb-2", **made}])
        with pytest.raises(AssertionError, match="2 load balancers"):
            exploration.guard.check()
    else:
        world.account.seed(load_balancers=[{"id": "lb-1", **made}])
        assert any("left behind" in text for text in exploration.guard.check_gone())
