"""A world in which the controller runs as its Deployment keeps it: some replicas, started anew when they end.

Replicas run side by side, one step at a time, in an order that the seed gives. Whoever waits inside a call (a slow
answer, a retry, a frozen process) lets all others run meanwhile.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from l7lb.adapters.clb.sdk import NoAnswer
from tests.emulators.kube.wire import Request
from tests.simulation.clock import MachineClock
from tests.simulation.leases import Register
from tests.simulation.replica import FOREVER, Due, Machine, Replica, Thread
from tests.simulation.toll import UNSTOPPABLE, Death, Died
from tests.simulation.world import LATE_S, STEPS_MAX, NotQuiet, World

T = TypeVar("T")

CUT_S: Final = 13.0
"""A call to the cloud is cut at this age, however long its process was frozen."""
READS: Final = ("GET ", "clb Describe", "clb Get", "tag Describe", "tag Get", "vpc ", "cvm ", "ssl Describe")
UNGUARDED: Final = ("leases", "events")


@dataclass(slots=True)
class Rig:
    """What the replicas run on; functions are asked once for each new replica."""

    replicas: int = 1
    workers: int = 1
    page_max: int = 0
    rate: Callable[[], float] = lambda: 1.0
    wall_off_s: Callable[[], float] = lambda: 0.0
    restart_s: Callable[[], float] = lambda: 2.0
    """How long after its end a replica is started anew."""
    call_s: Callable[[], float] = lambda: 0.0
    """How long a call takes on its way; others run meanwhile."""
    dice: random.Random = field(default_factory=lambda: random.Random(1))


class Deployment(World):
    """`Deployment(rig=Rig(replicas=2), seed=7)`; everything else as `World`."""

    def __init__(self, *, rig: Rig | None = None, **setup: Any) -> None:
        super().__init__(**setup)
        self.rig = rig if rig is not None else Rig()
        self.register = Register()
        self.ended: list[tuple[float, str, str]] = []
        """When which replica ended, and why."""
        self.replicas: list[Replica] = []
        self._starts: list[float] = []
        self._serial = 0
        self._failure: BaseException | None = None
        self.freeze_s: Callable[[], float] = lambda: 60.0
        """How long a replica that is frozen at a call stays so."""
        self.on_call: Callable[[str, str], None] = lambda _who, _name: None
        """Who begins which call; for tests that interfere."""

    # Starting and ending.

    def begin(self) -> None:
        """All replicas are started."""
        self._starts = [self.clock.now()] * self.rig.replicas
        self._recruit()

    def renew(self) -> None:
        """All end at once, without a word, and others are started."""
        for one in self.alive():
            one.end("killed")
        self.begin()

    def alive(self) -> list[Replica]:
        """Those that have not ended; also the frozen ones."""
        return [one for one in self.replicas if not one.over]

    def leader(self) -> Replica | None:
        """Who holds the lease and works on keys, as far as it knows itself."""
        return next((one for one in self.alive() if one.leads), None)

    def kill(self, one: Replica) -> None:
        """As kill -9."""
        one.end("killed")

    def freeze(self, one: Replica, seconds: float) -> None:
        """Between two of its calls: it stands still for so long, and all others run."""
        one.frozen = True
        try:
            self.run_for(seconds)
        finally:
            one.frozen = False

    def _recruit(self) -> None:
        now = self.clock.now()
        for one in [one for one in self.replicas if one.over]:
            self.replicas.remove(one)
            self.ended.append((now, one.name, one.over))
            self._starts.append(now + self.rig.restart_s())
        due, self._starts = [at for at in self._starts if at <= now], [at for at in self._starts if at > now]
        for _ in due:
            self._serial += 1
            self.replicas.append(self._new(f"replica-{self._serial}"))

    def _new(self, name: str) -> Replica:
        dice = random.Random(f"{self.rig.dice.random()}")
        clock = MachineClock(self.clock, dice.uniform(0.0, 1e6), self.rig.rate(), self.rig.wall_off_s())
        machine = Machine(
            name, clock, dice, self.register, self._elapse, self._judge, self.rig.workers, self.rig.page_max
        )
        made = Replica(self.around, machine, self.notes, self.passes)
        made.toll.on_frozen = lambda call_name, call: self._freeze_at(made, call_name, call)
        return made

    # Who may write.

    def _judge(self, who: str, name: str) -> None:
        if not name.startswith(READS) and not any(part in name for part in UNGUARDED):
            breach = self.register.breach(who, name, self.clock.now())
            if breach:
                self.breaches.append(breach)
        self.on_call(who, name)
        self._elapse(self.rig.call_s())

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

    def outage(self, seconds: float) -> None:
        """The API server refuses connections for so long."""
        body = {"seconds": seconds}
        assert self.users.emulator.handle(Request.of("POST", "/_emulator/outage", body)).status == 200

    # Time.

    def _turn(self) -> bool:
        """Every thread that is not in a call may do one thing; whether anything was done."""
        self._recruit()
        done = False
        for one in tuple(self.replicas):
            for thread in one.threads:
                if one.frozen or one.over:
                    break
                if not thread.running and self._step(one, thread):
                    done = True
        return done

    def _step(self, one: Replica, thread: Thread) -> bool:
        thread.running, passes = True, len(self.passes)
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
        if len(self.passes) > passes or one.over:
            self.after_step()
        return did

    def _dues(self) -> Due:
        dues = [
            thread.due()
            for one in self.replicas
            if not (one.frozen or one.over)
            for thread in one.threads
            if not thread.running
        ]
        news = min([*(due.news for due in dues), *self._starts], default=FOREVER)
        return Due(news, min((due.chore for due in dues), default=FOREVER))

    def _at_rest(self, due: Due) -> bool:
        return due.news == FOREVER and self.leader() is not None

    def _advance(self, until: float, *, rest: bool) -> bool:
        """Run up to that time, or (with `rest`) until nothing is left to do; whether it came to rest."""
        steps = 0
        while True:
            if self._turn():
                steps += 1
                if steps > STEPS_MAX * 4:
                    raise NotQuiet(f"a hot loop: {self.last_passes()}")
                continue
            due = self._dues()
            if rest and self._at_rest(due):
                return True
            at = min(due)
            if at > until:
                self.clock.advance(max(0.0, until - self.clock.now()))
                return False
            if at > self.clock.now():
                steps = 0
            self.clock.advance(max(at - self.clock.now(), 1e-6))

    def run(self, seconds: float) -> None:
        """Run for so long, or until nothing is left to do."""
        self._advance(self.clock.now() + seconds, rest=True)

    def run_for(self, seconds: float) -> None:
        """Run for exactly so long."""
        self._advance(self.clock.now() + seconds, rest=False)

    def settle(self, within_s: float = 1800.0) -> None:
        """Run until nothing is left to do; at most `within_s`."""
        if not self._advance(self.clock.now() + within_s, rest=True):
            raise NotQuiet(f"not quiet after {within_s:.0f} s: {self.ended[-5:]} {self.last_passes()}")

    def until(self, what: str, question: Callable[[], Any], within_s: float = 600.0) -> Any:
        """Run step by step until the answer is true."""
        end = self.clock.now() + within_s
        while not (answer := question()):
            if self._turn():
                continue
            at = min(self._dues())
            assert at <= end, f"not within {within_s:.0f} s: {what}; {self.ended[-5:]} {self.last_passes()}"
            self.clock.advance(max(at - self.clock.now(), 1e-6))
        return answer

    def _elapse(self, seconds: float) -> None:
        """Inside a call of somebody: so long all others run."""
        if seconds <= 0:
            return
        try:
            self._advance(self.clock.now() + seconds, rest=False)
        except Exception as failure:
            # The product, which is above us on the stack, must not take this for trouble of its own.
            self._failure = self._failure or failure
            raise Died(f"the simulation ends: {failure}") from failure

    def _freeze_at(self, one: Replica, name: str, call: Callable[[], T]) -> T:
        """The process stands still with this call on its way, which arrives while a lease of its could last, or never.

        An answer that is too old when it wakes is not read any more.
        """
        seconds = self.freeze_s()
        left_s = one.elector.remaining(one.machine.clock.monotonic())
        arrives_s = self.rig.dice.uniform(0.0, min(seconds, left_s + LATE_S))
        one.frozen = True
        answer: T | None = None
        trouble: Exception | None = None
        try:
            self._elapse(arrives_s)
            if not name.endswith(UNSTOPPABLE):
                inspect, self.inspect = self.inspect, lambda _action, _params: None  # nobody can hold it back
                try:
                    answer = call()
                except Exception as error:  # noqa: BLE001 - it is the frozen one's, and raised there
                    trouble = error
                finally:
                    self.inspect = inspect
            self._elapse(seconds - arrives_s)
        finally:
            one.frozen = False
        if seconds > CUT_S or (answer is None and trouble is None):
            raise _cut(name, sent=not name.endswith(UNSTOPPABLE))
        if trouble is not None:
            raise trouble
        assert answer is not None
        return answer

    # What the rest of the simulation asks of a world with one process.

    def live(self) -> Any:
        """The leader, or who else there is."""
        while not self.alive():
            self.clock.advance(1.0)
            self._recruit()
        return self.leader() or self.alive()[0]

    def start(self, *, die_at: int = 0, death: Death = Death.BEFORE, trusted_in_s: float = 0.0) -> Any:
        """All replicas are new; `die_at` is meant for the first."""
        assert not trusted_in_s, "that is told by the lease"
        self.renew()
        self.replicas[0].toll.arm(die_at, death)
        return self.replicas[0]

    def start_anyhow(self, *, trusted_in_s: float = 0.0) -> Any:
        """As `start`: a replica asks as long as it takes."""
        return self.start(trusted_in_s=trusted_in_s)

    def crash(self) -> None:
        """All die between two calls."""
        for one in self.alive():
            one.end("killed")


def _cut(name: str, *, sent: bool) -> Exception:
    if name.split(maxsplit=1)[0] in ("clb", "tag", "vpc", "cvm", "ssl"):
        return NoAnswer(f"{name}: cut at its deadline", sent=sent)
    return TimeoutError(f"{name}: cut at its deadline")
