"""Whose turn it is: every thread of every replica, one step at a time, on the one true clock.

Whoever waits inside a call lets all others run meanwhile, above it on the stack: so a replica can be frozen in the
middle of a pass, and the passes of two workers can be entangled.
"""

from dataclasses import dataclass, field

from tests.simulation.clock import SimClock
from tests.simulation.loops import FOREVER, Due, Thread
from tests.simulation.replica import Replica
from tests.simulation.staff import Staff
from tests.simulation.toll import Died
from tests.simulation.world import NotQuiet, World

TURNS_MAX = 5_000
"""So many turns at one instant are a hot loop."""


@dataclass(slots=True)
class Schedule:
    """The world's `after_step` is called when a pass or a replica has ended."""

    clock: SimClock
    staff: Staff
    world: World
    _failure: BaseException | None = field(default=None)

    def turn(self) -> bool:
        """Every thread that is not in a call may do one thing; whether anything was done."""
        self.staff.recruit()
        done = False
        for one in tuple(self.staff.replicas):
            for thread in one.threads:
                if one.frozen or one.over:
                    break
                if not thread.running and self._step(one, thread):
                    done = True
        return done

    def dues(self) -> Due:
        """When there is something to do."""
        dues = [
            thread.due()
            for one in self.staff.replicas
            if not (one.frozen or one.over)
            for thread in one.threads
            if not thread.running
        ]
        news = min([*(due.news for due in dues), self.staff.next_start()])
        return Due(news, min((due.chore for due in dues), default=FOREVER))

    def run(self, until: float, *, rest: bool) -> bool:
        """Up to that time, or (with `rest`) until nothing is left to do; whether it came to rest."""
        turns = 0
        while True:
            if self.turn():
                turns += 1
                if turns > TURNS_MAX:
                    raise NotQuiet(f"a hot loop at {self.clock.now():.3f}")
                continue
            due = self.dues()
            if rest and due.news == FOREVER and self.staff.leader() is not None:
                return True
            at = min(due)
            if at > until:
                self.clock.advance(max(0.0, until - self.clock.now()))
                return False
            turns = 0 if at > self.clock.now() else turns
            self.clock.advance(max(at - self.clock.now(), 1e-6))

    def elapse(self, seconds: float) -> None:
        """Inside a call of somebody: so long all others run."""
        if seconds <= 0:
            return
        try:
            self.run(self.clock.now() + seconds, rest=False)
        except Exception as failure:
            # The product, which is below us on the stack, must not take this for trouble of its own.
            self._failure = self._failure or failure
            raise Died(f"the simulation ends: {failure}") from failure

    def _step(self, one: Replica, thread: Thread) -> bool:
        thread.running, passes = True, len(self.world.passes)
        try:
            did = thread.step()
        except Died as death:
            one.end(str(death))
            did = True
        finally:
            thread.running = False
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        if len(self.world.passes) > passes or one.over:
            self.world.after_step()
        return did
