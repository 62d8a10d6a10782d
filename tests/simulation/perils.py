"""What happens to replicas in a random walk: they starve, end, stand still, die at a call, lose track of time."""

import random
from collections.abc import Callable

from tests.simulation.deployment import Deployment
from tests.simulation.replica import Replica
from tests.simulation.staff import Rig
from tests.simulation.toll import Death


def rigged(seed: int, replicas: int = 0) -> Rig:
    """What the replicas of a walk run on; so many, or (0) as many as the seed says."""
    dice = random.Random(f"{seed}/rig")
    drawn = dice.choice((1, 2, 2))
    return Rig(
        replicas=replicas or drawn,
        workers=dice.choice((1, 1, 3)),
        page_max=dice.choice((0, 1, 2)),
        rate=lambda: dice.choice((1.0, 1.0, 0.99, 1.01)),
        restart_s=lambda: dice.choice((0.5, 2.0, 10.0)),
        call_s=lambda: dice.choice((0.0, 0.0, 0.0, 0.02, 0.3)),
        freeze_s=lambda: dice.choice((2.0, 14.0, 25.0, 60.0)),
        dice=dice,
    )


class Perils:
    """Deeds of a walk. `calm` ends all of it."""

    def __init__(self, world: Deployment, dice: random.Random) -> None:
        self.world = world
        self.dice = dice

    def table(self) -> dict[str, tuple[int, Callable[[], str]]]:
        """Deeds and their shares."""
        return {
            "starve": (2, self.starve),
            "end": (3, self.end),
            "freeze": (2, self.freeze),
            "die_soon": (4, self.die_soon),
            "misdate": (1, self.misdate),
        }

    def anybody(self) -> Replica:
        """One of the replicas."""
        self.world.live()  # there is always somebody, if one waits a little
        return self.dice.choice(self.world.staff.alive())

    def starve(self) -> str:
        """Renewals fail."""
        kind, count = self.dice.choice(("drop", "lost", "http_500", "conflict")), self.dice.choice((1, 4, 30))
        self.world.users.fault(kind, "patch", "leases", count)
        return f"the lease: {kind} {count} times"

    def end(self) -> str:
        """As kill -9 or as SIGTERM, also while it starts."""
        one = self.anybody()
        if self.dice.random() < 0.3:
            one.leave()
            return f"{one.name} is stopped"
        self.world.staff.kill(one)
        return f"{one.name} is killed"

    def freeze(self) -> str:
        """It stands still between two calls."""
        one, seconds = self.anybody(), self.dice.choice((3.0, 18.0, 28.0, 70.0))
        self.world.freeze(one, seconds)
        return f"{one.name} stood still for {seconds:g} s"

    def die_soon(self) -> str:
        """It ends, or stands still, at one of its next calls."""
        one = self.anybody()
        death, at = self.dice.choice(tuple(Death)), len(one.toll.passed) + self.dice.randint(1, 20)
        one.toll.arm(at, death)
        return f"{one.name} will die {death.value} call {at}"

    def misdate(self) -> str:
        """The wall clock of a machine is wrong for a while."""
        one = self.anybody()
        one.machine.clock.wall_off_s = self.dice.choice((-900.0, -60.0, 0.0, 60.0, 900.0))
        return f"{one.name} is off by {one.machine.clock.wall_off_s:g} s"

    def calm(self) -> None:
        """Calls are prompt, clocks are right, and nobody dies any more."""
        world = self.world
        world.rig.call_s, world.rig.wall_off_s = (lambda: 0.0), (lambda: 0.0)
        for one in world.staff.alive():
            one.machine.clock.wall_off_s = 0.0
            one.toll.arm(0, Death.BEFORE)
