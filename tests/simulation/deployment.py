"""A world in which the controller runs as its Deployment keeps it: some replicas, started anew when they end.

Everything else is as in `World`: the worlds, their users, and the checks after each pass.
"""

import random
from collections.abc import Callable
from typing import Any, Final, TypeVar

from l7lb.adapters.clb.sdk import NoAnswer
from tests.emulators.kube.wire import Request
from tests.simulation.clock import MachineClock
from tests.simulation.leases import Register
from tests.simulation.machines import Machine
from tests.simulation.replica import Replica
from tests.simulation.schedule import Schedule
from tests.simulation.staff import Rig, Staff
from tests.simulation.toll import UNSTOPPABLE, Death
from tests.simulation.world import LATE_S, NotQuiet, World

T = TypeVar("T")

CUT_S: Final = 13.0
"""A call to the cloud is cut at this age, however long its process was frozen."""
CLOUD: Final = ("clb", "tag", "vpc", "cvm", "ssl")
UNHEARD_S: Final = 30.0
"""A leader hears of a restore when it renews its lease, and gives that up before."""
READS: Final = ("GET ", *(f"{service} {verb}" for service in CLOUD for verb in ("Describe", "Get")))
UNGUARDED: Final = ("leases", "events")


class Deployment(World):
    """`Deployment(rig=Rig(replicas=2), seed=7)`."""

    def __init__(self, *, rig: Rig | None = None, **setup: Any) -> None:
        super().__init__(**setup)
        self.rig = rig if rig is not None else Rig()
        self.register = Register()
        self.staff = Staff(self.clock, self.rig, self._new)
        self._schedule = Schedule(self.clock, self.staff, self)
        self.on_call: Callable[[str, str], None] = lambda _who, _name: None
        """Who begins which call; for tests that interfere."""

    def _new(self, name: str) -> Replica:
        rig, dice = self.rig, random.Random(f"{self.rig.dice.random()}")
        clock = MachineClock(self.clock, dice.uniform(0.0, 1e6), rig.rate(), rig.wall_off_s())
        machine = Machine(
            name, clock, dice, self.register, self._schedule.elapse, self._judge, rig.workers, rig.page_max
        )
        made = Replica(self.around, machine, self.notes, self.passes)
        made.toll.on_frozen = lambda call_name, call: self._freeze_at(made, call_name, call)
        return made

    def _judge(self, who: str, name: str) -> None:
        if not name.startswith(READS) and not any(part in name for part in UNGUARDED):
            breach = self.register.breach(who, name, self.clock.now())
            if breach:
                self.breaches.append(breach)
        self.on_call(who, name)
        self._schedule.elapse(self.rig.call_s())

    def freeze(self, one: Replica, seconds: float) -> None:
        """Between two of its calls: it stands still for so long, and all others run."""
        one.frozen = True
        try:
            self.run_for(seconds)
        finally:
            one.frozen = False

    def _freeze_at(self, one: Replica, name: str, call: Callable[[], T]) -> T:
        """The process stands still with this call on its way, which arrives while a lease of its could last, or never.

        An answer that is too old when it wakes is not read any more.
        """
        seconds, sent = self.rig.freeze_s(), not name.endswith(UNSTOPPABLE)
        arrives_s = self.rig.dice.uniform(0.0, min(seconds, one.elector.remaining(one.now()) + LATE_S))
        one.frozen, came = True, None
        try:
            self._schedule.elapse(arrives_s)
            if sent:
                came = _arrived(self, call)
            self._schedule.elapse(seconds - arrives_s)
        finally:
            one.frozen = False
        if came is None or seconds > CUT_S:
            raise _cut(name, sent=sent)
        return came()

    # The API server's own past.

    @property
    def revision(self) -> int:
        """Where the API server's counter stands."""
        return self.users.emulator.world.storage.revision

    def restore(self, revision: int, *, counter_rises: bool = True, down_s: float = 0.0) -> None:
        """The API server comes back with the objects of an earlier moment, after being away for a while."""
        if down_s:
            self.outage(down_s)
            self.run_for(down_s)
        body = {"resourceVersion": revision, "counter": "rise" if counter_rises else "back"}
        response = self.users.emulator.handle(Request.of("POST", "/_emulator/restore", body))
        assert response.status == 200, response.body
        self.register.look(self.users.emulator, self.clock.now(), restored=True)
        self.relics |= {lb.id for lb in self.account.lbs()}
        self.forgotten |= self.relics
        self.unheard_until = self.clock.now() + UNHEARD_S

    def outage(self, seconds: float) -> None:
        """The API server refuses connections for so long."""
        body = {"seconds": seconds}
        assert self.users.emulator.handle(Request.of("POST", "/_emulator/outage", body)).status == 200

    # What the rest of the simulation asks of a world with one process.

    def run(self, seconds: float) -> None:
        """Run for so long, or until nothing is left to do."""
        self._schedule.run(self.clock.now() + seconds, rest=True)

    def run_for(self, seconds: float) -> None:
        """Run for exactly so long."""
        self._schedule.run(self.clock.now() + seconds, rest=False)

    def settle(self, within_s: float = 1800.0) -> None:
        """Run until nothing is left to do; at most `within_s`."""
        if not self._schedule.run(self.clock.now() + within_s, rest=True):
            raise NotQuiet(f"not quiet after {within_s:.0f} s: {self.staff.ended[-5:]} {self.last_passes()}")

    def until(self, what: str, question: Callable[[], Any], within_s: float = 600.0) -> Any:
        """Run step by step until the answer is true."""
        end = self.clock.now() + within_s
        while not (answer := question()):
            if self._schedule.turn():
                continue
            at = min(self._schedule.dues())
            assert at <= end, f"not within {within_s:.0f} s: {what}; {self.staff.ended[-5:]} {self.last_passes()}"
            self.clock.advance(max(at - self.clock.now(), 1e-6))
        return answer

    def live(self) -> Any:
        """The leader, or who else there is."""
        while not self.staff.alive():
            self.clock.advance(1.0)
            self.staff.recruit()
        return self.staff.leader() or self.staff.alive()[0]

    def start(self, *, die_at: int = 0, death: Death = Death.BEFORE, trusted_in_s: float = 0.0) -> Any:
        """All replicas are new; `die_at` is meant for the first."""
        assert not trusted_in_s, "that is told by the lease"
        self.staff.renew()
        self.staff.replicas[0].toll.arm(die_at, death)
        return self.staff.replicas[0]

    def start_anyhow(self, *, trusted_in_s: float = 0.0) -> Any:
        """As `start`: a replica asks as long as it takes."""
        return self.start(trusted_in_s=trusted_in_s)


def _arrived(world: World, call: Callable[[], T]) -> Callable[[], T]:
    """The call is made while its maker is frozen; what it came to is for the maker."""
    inspect, world.inspect = world.inspect, lambda _action, _params: None  # nobody can hold it back
    try:
        answer = call()
    except Exception as error:  # noqa: BLE001 - it is the frozen one's, and raised there
        return _raiser(error)
    finally:
        world.inspect = inspect
    return lambda: answer


def _cut(name: str, *, sent: bool) -> Exception:
    if name.split(maxsplit=1)[0] in CLOUD:
        return NoAnswer(f"{name}: cut at its deadline", sent=sent)
    return TimeoutError(f"{name}: cut at its deadline")


def _raiser(error: Exception) -> Callable[[], Any]:
    def again() -> Any:
        raise error

    return again
