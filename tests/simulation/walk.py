"""A random walk from one seed: users edit, nodes come and go, the cloud misbehaves, the process dies; then all is calm.

Phase 1: after every pass all promises hold. Phase 2: without faults everything converges, and stays as it is.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from tests.simulation.checkers import Watchman
from tests.simulation.deeds import LENT, Users
from tests.simulation.fate import Fate
from tests.simulation.toll import Death, Died
from tests.simulation.world import World, lag

CALM_S: Final = 4000.0


@dataclass
class Walk:
    """One seed. `log` is what happened, for the one who has to understand it."""

    seed: int
    steps: int = 20
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        latency = self.dice.choice(("fast", 0.3, "real", "real"))
        self.world = World(seed=self.seed, latency=latency, post=lag(random.Random(self.seed + 1)))
        for lb_id in LENT:
            self.world.account.lend(lb_id)
        self.watchman = Watchman(self.world)
        self._users = Users(self.world, self.dice)
        self._fate = Fate(self.world, self.dice)

    def run(self) -> None:
        """Both phases; raises what is broken."""
        self.world.start_anyhow()
        for _ in range(self.steps):
            self._survive(self._act)
            seconds = self.dice.choice((0.0, 0.2, 1.0, 5.0, 40.0))
            self._survive(partial(self.world.run, seconds))
        self._calm_down()
        self.world.settle(CALM_S)
        self.world.live().verify()
        self.world.settle(CALM_S)
        self.watchman.check_rest()

    def _calm_down(self) -> None:
        self.log.append("calm")
        self.world.gate_open = True
        self.world.account.emulator.gateway.faults.clear()
        self.world.users.emulator.controls.faults.orders.clear()
        self.world.live().toll.arm(0, Death.BEFORE)

    def _survive(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Died as death:
            self.log.append(f"{self.world.clock.now():8.3f} {death}")
            self.watchman.check()
            if self.world.live().toll.late:
                self.world.succeed(self.dice.choice((0.1, 3.0, 12.0)))
                return
            self.world.clock.advance(self.dice.choice((0.0, 5.0, 30.0)))
            self.world.start_anyhow()

    def _act(self) -> None:
        choices: tuple[tuple[int, Callable[[], str]], ...] = (
            (5, self._users.create),
            (5, self._users.edit),
            (3, self._users.delete),
            (2, self._users.move_class),
            (2, self._users.change_nodes),
            (1, self._users.rotate),
            (1, self._users.service),
            (6, self._fate.sicken),
            (2, self._fate.upset_kube),
            (4, self._fate.die),
            (2, self._fate.edit_cloud),
            (1, self._fate.verify),
            (1, self._fate.gate),
        )
        action = self.dice.choices([act for _, act in choices], [weight for weight, _ in choices])[0]
        self.log.append(f"{self.world.clock.now():8.3f} {action()}")
