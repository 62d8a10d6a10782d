"""The machine that a process of the controller runs on, and what every such process has in common."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from l7lb.app.watching import Watching
from l7lb.runtime.informer import Informer
from tests.simulation.clock import MachineClock
from tests.simulation.leases import Register
from tests.simulation.loops import Thread, body_of
from tests.simulation.process import Notes, Pass, Surroundings
from tests.simulation.streams import Body
from tests.simulation.toll import Toll


@dataclass(frozen=True, slots=True)
class Machine:
    """What a replica runs on, and what the world does to it."""

    name: str
    clock: MachineClock
    dice: random.Random
    register: Register
    elapse: Callable[[float], None]
    """Lets true seconds pass for everybody but the one who waits."""
    on_begin: Callable[[str, str], None]
    """Told who begins which call."""
    workers: int = 1
    page_max: int = 0
    """Pages of lists are cut to so many objects, as if there were many more of them; 0: they are not."""


@dataclass
class Lodger:
    """A process: it lives until `over`; all that it remembers dies with it."""

    around: Surroundings
    machine: Machine
    notes: Notes
    passes: list[Pass]
    frozen: bool = field(default=False, kw_only=True)
    over: str = field(default="", kw_only=True)
    """Why it is no more; empty: it lives."""
    leaving: bool = field(default=False, kw_only=True)
    uid: str = field(default="", kw_only=True)
    """Of the cluster, once it is known."""
    toll: Toll = field(default_factory=Toll, kw_only=True)
    watching: Watching = field(init=False)
    threads: tuple[Thread, ...] = field(init=False)

    def elapse(self, seconds: float) -> None:
        """One of its threads waits."""
        self.machine.elapse(seconds)

    def end(self, why: str) -> None:
        """The process is gone: not one more call."""
        if not self.over:
            self.over = why
            self.toll.dead = True
            for body in self.bodies():
                body.shutdown()

    def bodies(self) -> list[Body]:
        """The streams that are open."""
        return [body for one in self._informers() if (body := body_of(one)) is not None]

    def now(self) -> float:
        """By the clock of its machine."""
        return self.machine.clock.monotonic()

    def true(self, monotonic: float) -> float:
        """The true time when its own clock will show this."""
        return self.around.clock.now() + self.machine.clock.true_s(monotonic - self.now())

    def _informers(self) -> "list[Informer[Any]]":
        return [one for one in self.watching.informers.all if isinstance(one, Informer)]
