"""A random walk from one seed: users edit, nodes come and go, the cloud misbehaves, the process dies; then all is calm.

Phase 1: after every pass all promises hold. Phase 2: without faults everything converges, and stays as it is.
What may happen, and how often, is a profile. A walk is a script: deeds, each with dice of its own, so that a deed does
the same when those before it are left out. The profile `classic` is older: one stream of dice for all of it.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Self

from tests.simulation.authors import Authors
from tests.simulation.by_hand import Hands
from tests.simulation.checkers import Watchman
from tests.simulation.deeds import LENT, Users
from tests.simulation.deployment import Deployment
from tests.simulation.divided import Divided
from tests.simulation.fate import Fate
from tests.simulation.groups import Members
from tests.simulation.landscape import Crews, Ground
from tests.simulation.lenders import Lenders
from tests.simulation.perils import rigged
from tests.simulation.rescaling import Rescaling
from tests.simulation.storms import Storms
from tests.simulation.toll import Death, Died
from tests.simulation.world import World, lag

CALM_S: Final = 4000.0
"""Virtual time within which everything converges when all is calm; the worst that is to be waited for is an hour in
which a field that does not stay is left alone."""
PAUSES: Final = (0.0, 0.2, 1.0, 5.0, 40.0)
SIDES: Final = 10_000
"""Of the dice that choose the dice of a deed."""
STILL: Final = ("sicken", "upset_kube", "die", "verify", "gate")
"""Deeds that change nothing of which the process would have to hear."""
UNSTORMY: Final = ("die", "change_secret", "change_pods", "roll_pods", "weigh_pod")
"""Storms have deaths of their own; and who keeps pods in mind does not see that the API server was set back."""
Deed = Callable[[], str]
Table = Mapping[str, tuple[int, Deed]]
"""What may happen: how often (a share), and what it is."""


@dataclass(frozen=True, slots=True)
class Step:
    """One deed of a walk, as text `create:4711:0.2`: what, with which dice, and how long it is waited after it."""

    deed: str
    dice: int
    pause_s: float

    def __str__(self) -> str:
        return f"{self.deed}:{self.dice}:{self.pause_s:g}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The other way round; raises ValueError."""
        deed, dice, pause = text.split(":")
        return cls(deed, int(dice), float(pause))


@dataclass
class Walk:
    """One seed. `log` is what happened, for the one who has to understand it."""

    seed: int
    steps: int = 20
    profile: str = "wide"
    script: tuple[Step, ...] | None = None
    """Instead of what the seed would draw. The worlds are the seed's all the same."""
    log: list[str] = field(default_factory=list)
    spoilt: set[str] = field(default_factory=set)
    """Load balancers whose papers somebody has taken away."""

    storms: Storms | None = None
    """What goes wrong around a Deployment; None: there is one process."""

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        latency = self.dice.choice(("fast", 0.3, "real", "real"))
        setup: dict[str, Any] = {
            "seed": self.seed, "latency": latency, "post": lag(random.Random(self.seed + 1))
        }  # fmt: skip
        self.world = _world(self.profile, self.seed, setup)
        for lb_id in LENT:
            self.world.account.lend(lb_id)
        self._table = PROFILES[self.profile](self)
        self.watchman = Watchman(self.world, spoilt=self.spoilt)

    def run(self) -> None:
        """Both phases; raises what is broken."""
        self.world.start_anyhow()
        if self.profile == "classic":
            self._stroll()
        else:
            self._follow()
        self._calm_down()
        self.world.settle(CALM_S)
        if self.storms is not None:
            self.storms.outlast()
        self.world.live().verify()
        self.world.settle(CALM_S)
        self.watchman.check_rest()

    def drawn(self) -> tuple[Step, ...]:
        """What happens: the script, or what the seed says."""
        if self.script is not None:
            return self.script
        dice = random.Random(f"{self.seed}/deeds")
        names = list(self._table)
        shares = [share for share, _ in self._table.values()]
        return tuple(
            Step(dice.choices(names, shares)[0], dice.randrange(SIDES), dice.choice(PAUSES)) for _ in range(self.steps)
        )

    def _follow(self) -> None:
        for step in self.drawn():
            self.dice.seed(f"{self.seed}/{step.dice}")
            self._survive(partial(self._do, self._table[step.deed][1]))
            self._survive(partial(self.world.run, step.pause_s))

    def _stroll(self) -> None:
        deeds, shares = [deed for _, deed in self._table.values()], [share for share, _ in self._table.values()]
        for _ in range(self.steps):
            self._survive(lambda: self._do(self.dice.choices(deeds, shares)[0]))
            seconds = self.dice.choice(PAUSES)
            self._survive(partial(self.world.run, seconds))

    def _do(self, deed: Deed) -> None:
        self.watchman.check()
        self.log.append(f"{self.world.clock.now():8.3f} {deed()}")
        self.watchman.excuse(stirred=deed.__name__ not in STILL)
        if self.storms is not None:
            self.watchman.vigil.grace_s = self.storms.grace_s
            self.storms.mark()

    def _calm_down(self) -> None:
        self.log.append("calm")
        self.world.gate_open = True
        self.world.account.emulator.gateway.faults.clear()
        self.world.users.emulator.controls.faults.orders.clear()
        self.world.live().toll.arm(0, Death.BEFORE)
        if self.storms is not None:
            self.storms.calm()
        if isinstance(self.world, Divided):
            self.world.rescale(self.world.shards)

    def _survive(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Died as death:
            self.log.append(f"{self.world.clock.now():8.3f} {death}")
            self.watchman.check()
            late = self.world.live().toll.late
            late[:] = [partial(self._arrive, call) for call in late]
            if late:
                self.world.succeed(self.dice.choice((0.1, 3.0, 12.0)))
                return
            self.world.clock.advance(self.dice.choice((0.0, 5.0, 30.0)))
            self.world.start_anyhow()

    def _arrive(self, call: Callable[[], object]) -> None:
        """A call of a frozen process: nobody can hold it back, and its damage is repaired afterwards."""
        try:
            call()
        finally:
            self.watchman.excuse()


def _classic(walk: Walk) -> Table:
    """The first mix. It stays as it is: seeds that were kept with it mean what they meant."""
    users, fate = Users(walk.world, walk.dice), Fate(walk.world, walk.dice)
    return {
        "create": (5, users.create),
        "edit": (5, users.edit),
        "delete": (3, users.delete),
        "move_class": (2, users.move_class),
        "change_nodes": (2, users.change_nodes),
        "rotate": (1, users.rotate),
        "service": (1, users.service),
        "sicken": (6, fate.sicken),
        "upset_kube": (2, fate.upset_kube),
        "die": (4, fate.die),
        "edit_cloud": (2, fate.edit_cloud),
        "verify": (1, fate.verify),
        "gate": (1, fate.gate),
    }


def _wide(walk: Walk) -> Table:
    """Everything. A new row changes what a seed draws, so a walk that is to be kept is kept as its script."""
    world, dice = walk.world, walk.dice
    fate, members, lenders = Fate(world, dice), Members(world, dice), Lenders(world, dice)
    authors, crews, ground = Authors(world, dice), Crews(world, dice), Ground(world, dice)
    hands = Hands(world, dice, walk.spoilt)
    return {
        "create": (6, authors.create),
        "edit": (6, authors.edit),
        "blunder": (2, authors.blunder),
        "delete": (2, authors.delete),
        "move_class": (2, authors.move_class),
        "weigh": (1, authors.weigh),
        "join": (4, members.join),
        "edit_member": (3, members.edit),
        "part": (2, members.part),
        "owner_edits": (2, lenders.edit),
        "change_nodes": (3, ground.nodes),
        "change_secret": (2, ground.secret),
        "change_service": (2, ground.service),
        "change_pods": (5, crews.change),
        "roll_pods": (2, crews.roll),
        "weigh_pod": (1, crews.weigh),
        "by_hand": (4, hands.edit),
        "sicken": (6, fate.sicken),
        "upset_kube": (2, fate.upset_kube),
        "die": (4, fate.die),
        "verify": (1, fate.verify),
        "gate": (1, fate.gate),
    }


def _storm(walk: Walk) -> Table:
    """As `wide` for users; the controller is a Deployment of real replicas, around which everything goes wrong."""
    assert isinstance(walk.world, Deployment)
    walk.storms = Storms(walk.world, walk.dice)
    calm = {name: row for name, row in _wide(walk).items() if name not in UNSTORMY}
    return {**calm, **walk.storms.table()}


def _shards(walk: Walk) -> Table:
    """As `storm`, but the replicas have divided the load balancers, and the number of shards changes now and then."""
    assert isinstance(walk.world, Divided)
    return {**_storm(walk), **Rescaling(walk.world, walk.dice).table()}


def _world(profile: str, seed: int, setup: dict[str, Any]) -> World:
    if profile == "shards":
        return Divided(shards=random.Random(f"{seed}/shards").choice((2, 3, 3, 5)), rig=rigged(seed, 3), **setup)
    return Deployment(rig=rigged(seed), **setup) if profile == "storm" else World(**setup)


PROFILES: Final[Mapping[str, Callable[[Walk], Table]]] = {
    "classic": _classic,
    "wide": _wide,
    "storm": _storm,
    "shards": _shards,
}
