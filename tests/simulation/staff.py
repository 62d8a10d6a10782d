"""The replicas that a Deployment keeps: started, ended, and started anew a while after they have ended."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulation.clock import SimClock
from tests.simulation.replica import Replica


@dataclass(slots=True)
class Rig:
    """What replicas run on; functions are asked once for each new replica, or for each call."""

    replicas: int = 1
    workers: int = 1
    page_max: int = 0
    rate: Callable[[], float] = lambda: 1.0
    wall_off_s: Callable[[], float] = lambda: 0.0
    restart_s: Callable[[], float] = lambda: 2.0
    """How long after its end a replica is started anew."""
    call_s: Callable[[], float] = lambda: 0.0
    """How long a call takes on its way; others run meanwhile."""
    freeze_s: Callable[[], float] = lambda: 60.0
    """How long a replica that is frozen at a call stays so."""
    dice: random.Random = field(default_factory=lambda: random.Random(1))


@dataclass(slots=True)
class Staff:
    """`make` gets a name that no replica before had."""

    clock: SimClock
    rig: Rig
    make: Callable[[str], Replica]
    replicas: list[Replica] = field(default_factory=list)
    ended: list[tuple[float, str, str]] = field(default_factory=list)
    """When which replica ended, and why."""
    _starts: list[float] = field(default_factory=list)
    _serial: int = 0

    def renew(self) -> None:
        """All end at once, without a word, and others are started."""
        self.kill()
        self._starts = [self.clock.now()] * self.rig.replicas
        self.recruit()

    def kill(self, *which: Replica) -> None:
        """As kill -9; without a name: all."""
        for one in which or self.alive():
            one.end("killed")

    def alive(self) -> list[Replica]:
        """Those that have not ended; also the frozen ones."""
        return [one for one in self.replicas if not one.over]

    def leader(self) -> Replica | None:
        """Who holds the lease, works on keys and trusts what it reads, as far as it knows itself."""
        return next((one for one in self.alive() if one.leads and not one.frozen), None)

    def recruit(self) -> None:
        """Replace who has ended, when it is time."""
        now = self.clock.now()
        for one in [one for one in self.replicas if one.over]:
            self.replicas.remove(one)
            self.ended.append((now, one.name, one.over))
            self._starts.append(now + self.rig.restart_s())
        due = sum(at <= now for at in self._starts)
        self._starts = [at for at in self._starts if at > now][: max(0, self.rig.replicas - len(self.replicas) - due)]
        for _ in range(min(due, self.rig.replicas - len(self.replicas))):
            self._serial += 1
            self.replicas.append(self.make(f"replica-{self._serial}"))

    def next_start(self) -> float:
        """When somebody is started; infinite: all are there."""
        return min(self._starts, default=float("inf"))
