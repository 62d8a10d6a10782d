"""Crash points: a scenario is run once to number its calls, then once for each call and each way of dying there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.simulation.checkers import Watchman
from tests.simulation.toll import Death, Died
from tests.simulation.world import World


@dataclass(frozen=True)
class Scenario:
    """`prepare` may start a process, which comes to rest and ends; `act` changes what is asked; then calls count.

    `verdict` raises when the end is not as it must be.
    """

    name: str
    prepare: Callable[[World, Watchman], None]
    act: Callable[[World], None]
    verdict: Callable[[World], None]
    settings: Callable[[], World] = World


def calls_of(scenario: Scenario) -> tuple[str, ...]:
    """The calls of an undisturbed run, in order."""
    world, watchman = _set(scenario)
    process = world.start()
    world.settle()
    passed = tuple(process.toll.passed)
    scenario.verdict(world)
    watchman.check_rest()
    return passed


def points(scenario: Scenario) -> Iterator[tuple[int, Death, str]]:
    """Every call with every way of dying at it."""
    for number, name in enumerate(calls_of(scenario), 1):
        for death in (Death.BEFORE, Death.AFTER):
            yield number, death, name


def die(scenario: Scenario, at: int, death: Death) -> World:
    """Die at one call, start anew, come to rest; raises when anything is not as it must be."""
    world, watchman = _set(scenario)
    try:
        world.start(die_at=at, death=death)
        world.settle()
    except Died:
        watchman.check()
        world.start()
    world.settle()
    scenario.verdict(world)
    watchman.check_rest()
    return world


def freeze(scenario: Scenario, at: int, arrives_after_s: float) -> World:
    """Freeze at one call; it arrives while the successor is at work already (promise 7: one such write is possible)."""
    world, watchman = _set(scenario)
    try:
        world.start(die_at=at, death=Death.FROZEN)
        world.settle()
    except Died:
        world.succeed(arrives_after_s)
    world.settle()
    scenario.verdict(world)
    watchman.check_rest()
    return world


def _set(scenario: Scenario) -> tuple[World, Watchman]:
    world = scenario.settings()
    watchman = Watchman(world)
    scenario.prepare(world, watchman)
    if world.process is not None:
        world.settle()
        world.crash()
    scenario.act(world)
    return world, watchman
