"""Die at every single call while a group changes: each member keeps its own, and the last one gives back."""

import pytest

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.crashes import Scenario, calls_of, die, freeze, points
from tests.simulation.world import World

LENT = "lb-lent0001"
SHARES = {"kubernetes.io/ingress.existLbId": LENT, "ingress.cloud.tencent.com/enable-group": "true"}


def _lent(world: World, watchman: Watchman) -> None:
    world.account.lend(LENT)
    watchman.remember()


def _one(world: World) -> None:
    assert len(world.account.lbs()) == 1


def _given_back(world: World) -> None:
    assert world.account.lb().tags == {"team": "owner"}
    assert [item.port for item in world.account.lb().listeners.values()] == [8080]


def _discard(_: object) -> None:
    """What came back is not needed."""


def _member(name: str, *rules: manifests.Json, tls: str = "") -> manifests.Json:
    return manifests.ingress(name, *(rules or (manifests.rule(f"{name}.example.com"),)), annotations=SHARES, tls=tls)


def _grouped(world: World, watchman: Watchman) -> None:
    _lent(world, watchman)
    world.users.create(_member("east"))
    world.users.create(_member("west"))
    world.start()


def _founded(world: World, watchman: Watchman) -> None:
    _lent(world, watchman)
    world.users.create(_member("east"))
    world.start()


def _in_place_of(world: World) -> None:
    """One goes, another changes, a third comes, all at once."""
    world.users.delete("east")
    world.users.patch({"spec": {"tls": [{"secretName": "cert"}]}}, "west")
    world.users.create(_member("north"))


def _both_go(world: World) -> None:
    world.users.delete("east")
    world.users.delete("west")


def _nobody_shares(world: World) -> None:
    _given_back(world)
    assert world.users.find("east") is None
    assert world.users.find("west") is None


def _east_left(world: World) -> None:
    assert world.users.ingress("east").finalizers == []
    assert world.account.paths() == {"west.example.com/"}


SCENARIOS = (
    Scenario("join", _founded, lambda world: _discard(world.users.create(_member("west", tls="cert"))), _one),
    Scenario("change-members", _grouped, _in_place_of, _one),
    Scenario("last-out", _grouped, _both_go, _nobody_shares),
    Scenario(
        "leave-group",
        _grouped,
        lambda world: world.users.annotate({"kubernetes.io/ingress.class": "nginx"}, "east"),
        _east_left,
    ),
)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_dying_at_any_call_loses_nothing_and_leaks_nothing(scenario: Scenario) -> None:
    tried = 0
    for number, death, name in points(scenario):
        try:
            die(scenario, number, death)
        except BaseException as error:
            raise AssertionError(f"{scenario.name}, died {death.value} call {number} ({name}): {error}") from error
        tried += 1
    assert tried >= 10


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_call_that_was_on_its_way_when_its_process_froze_is_repaired(scenario: Scenario) -> None:
    for number, name in enumerate(calls_of(scenario), 1):
        for arrives_after_s in (0.1, 2.0, 12.0):
            try:
                freeze(scenario, number, arrives_after_s)
            except BaseException as error:
                where = f"{scenario.name}, froze at call {number} ({name}), {arrives_after_s} s"
                raise AssertionError(f"{where}: {error}") from error
