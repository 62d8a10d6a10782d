"""Deeds of a walk with shards: their number changes, and a replica is replaced by one that knows the new number."""

import random
from collections.abc import Callable

from tests.simulation.divided import Divided


class Rescaling:
    """A rolling update: replicas are replaced one by one, in any order, or stay of the old number for a while."""

    def __init__(self, world: Divided, dice: random.Random) -> None:
        self.world = world
        self.dice = dice

    def table(self) -> dict[str, tuple[int, Callable[[], str]]]:
        """Deeds and their shares."""
        return {"rescale": (1, self.rescale), "replace": (3, self.replace)}

    def rescale(self) -> str:
        """From now on replicas are started with another number; those that are there stay."""
        self.world.shards = self.dice.choice((1, 2, 3, 5))
        return f"new replicas have {self.world.shards} shards"

    def replace(self) -> str:
        """One of another number is stopped in order; if there is none, any."""
        self.world.live()
        one = self.dice.choice(self.world.outdated() or self.world.staff.alive())
        one.leave()
        return f"{one.name} is replaced"
