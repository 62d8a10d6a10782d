"""What goes wrong around a Deployment in a random walk: its news, and the API server and its past; and all else."""

import random
from collections.abc import Callable
from typing import Final

from tests.simulation.cluster import INGRESSES, Seen
from tests.simulation.deployment import Deployment
from tests.simulation.leases import has_lease
from tests.simulation.perils import Perils
from tests.simulation.plagues import Plagues

GRACE_S: Final = 90.0
"""A failover, with what is waited for after it."""
REMEMBERED_S: Final = 700.0
RESOURCES: Final = ("ingresses", "services", "nodes", "secrets", "endpointslices", "pods", "configmaps", "*")


class Storms:
    """Deeds of a walk. `calm` ends all of it."""

    def __init__(self, world: Deployment, dice: random.Random) -> None:
        self.world = world
        self.dice = dice
        self._marks = [world.revision]
        self._leased: set[int] = set()
        """Marks at which there was a Lease."""
        self._perils, self._plagues = Perils(world, dice), Plagues(world, dice)

    def table(self) -> dict[str, tuple[int, Callable[[], str]]]:
        """Deeds and their shares."""
        return {
            "tear": (4, self.tear),
            "forget": (2, self.forget),
            "refuse": (3, self.refuse),
            "babble": (2, self.babble),
            "outage": (1, self.outage),
            "restore": (1, self.restore),
            **self._perils.table(),
            **self._plagues.table(),
        }

    @property
    def grace_s(self) -> float:
        """How late what was once asked for may still have its effect."""
        return GRACE_S + self._plagues.task_s

    def tear(self) -> str:
        """A watch is cut in the middle of a line."""
        bodies = self._perils.anybody().bodies()
        if not bodies:
            return "no watch to tear"
        after = self.dice.choice((0, 1, 30, 400))
        self.dice.choice(bodies).cut(after)
        return f"a watch is torn after {after} bytes"

    def forget(self) -> str:
        """Compaction: whoever watches from before has to list."""
        self.world.users.emulator.world.storage.compact()
        if self.dice.random() < 0.5:
            self.world.users.fault("reset_watches")
        return "the API server forgets the past"

    def refuse(self) -> str:
        """Lists and watches are not answered."""
        kind = self.dice.choice(("http_429", "http_500", "hang", "drop", "gone"))
        verb = self.dice.choice(("list", "watch") if kind == "gone" else ("list", "watch", "get"))
        resource = self.dice.choice(RESOURCES)
        count = self.dice.choice((1, 3, 8))
        self.world.users.order({"kind": kind, "verb": verb, "resource": resource, "count": count, "seconds": 4})
        return f"{verb} {resource}: {kind} {count} times"

    def babble(self) -> str:
        """Open watches say nonsense, break, or fall silent."""
        kind = self.dice.choice(("watch_error", "malformed_line", "reset_watches", "silence"))
        self.world.users.order({"kind": kind, "seconds": self.dice.choice((20, 100))})
        return f"watches: {kind}"

    def outage(self) -> str:
        """The API server is away."""
        seconds = self.dice.choice((3.0, 15.0, 60.0))
        self.world.outage(seconds)
        return f"the API server is away for {seconds:g} s"

    def restore(self) -> str:
        """It comes back with an older state."""
        revision = self.dice.choice(self._marks)
        # Who finds its Lease older than before knows that time went back. Without that sign, and with a counter that
        # goes back, nothing at the API server says so: its own manual asks for clients to be restarted then.
        rises = self.dice.random() < 0.5 or not self._would_show(revision)
        down_s = self.dice.choice((0.0, 10.0, 40.0))
        now = self.world.revision
        self._marks = [mark for mark in self._marks if mark <= revision]
        self.world.restore(revision, counter_rises=rises, down_s=down_s)
        return f"set back from {now} to {revision}, counter {'rises' if rises else 'goes back'}, down {down_s:g} s"

    def _would_show(self, revision: int) -> bool:
        """Whether every replica will find a Lease that is older than the one it has seen.

        One that is not there shows nothing: it is made anew, and by then the counter may have passed what was seen.
        """
        if revision not in self._leased:
            return False
        seen = [one.elector.seen.record for one in self.world.staff.alive()]
        return all(record is not None and int(record.resource_version or "0") > revision for record in seen)

    def mark(self) -> None:
        """A moment to go back to."""
        self._marks.append(self.world.revision)
        if has_lease(self.world.users.emulator):
            self._leased.add(self.world.revision)

    def outlast(self) -> None:
        """What was refused is remembered for a while, and tried again by the verifier after that."""
        if not all(Seen(one).is_ready for one in self.world.users.all(INGRESSES)):
            self.world.run_for(REMEMBERED_S)

    def calm(self) -> None:
        """From now on nothing goes wrong any more."""
        world = self.world
        self._perils.calm()
        world.users.emulator.world.disturbances.silent_until = 0.0
        world.users.emulator.controls.out_until = 0.0
        self._plagues.calm()
