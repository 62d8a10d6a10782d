"""A cluster, an account, a clock, and one process of the controller after the other between them.

Nothing here decides what is right; that is in `checkers` and in the tests.
"""

import contextlib
import random
from collections.abc import Callable, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry

from l7lb.app.config import Config
from l7lb.errors import GateClosed, L7lbError
from l7lb.model.identity import Cluster
from l7lb.runtime.workqueue import Deadline, Taken
from l7lb.telemetry.metrics import Metrics
from tests.emulators.clb.emulator import ClbEmulator
from tests.emulators.kube.emulator import KubeEmulator
from tests.simulation import manifests
from tests.simulation.account import Account
from tests.simulation.clock import SimClock
from tests.simulation.cluster import Users
from tests.simulation.feeds import Post
from tests.simulation.process import Notes, Pass, Process, Surroundings
from tests.simulation.toll import Death, Died
from tests.simulation.wires import Inspect

CLUSTER: Final = "cls-9mfq2k1t"
REGION: Final = "ap-guangzhou"
NODES: Final = {"node-a": ("10.0.0.1", "ins-0000000a"), "node-b": ("10.0.0.2", "ins-0000000b")}
LATE_S: Final = 15.0
"""A call is cut after 13 s: so long after the end of a lease a write of its holder may still arrive."""
STEPS_MAX: Final = 5_000
"""So many passes without rest are a hot loop."""


PROMPT: Final = Post()
"""News at once."""


class NotQuiet(AssertionError):
    """It does not come to rest."""


class World:
    """`World(latency=0.5)`: calm switches; `World(seed=7)`: everything that nobody knows is drawn."""

    def __init__(
        self, *, seed: int | None = None, latency: Any = 0.5, post: Post = PROMPT,
        config: Mapping[str, Any] | None = None, furnished: bool = True, **setup: Any,
    ) -> None:  # fmt: skip
        self.clock = SimClock()
        cloud = ClbEmulator(
            seed=seed, latency=latency, clock=self.clock, wall=self.clock.time, rate_limits={"*": 0}, **setup
        )
        self.account = Account(cloud)
        self.users = Users(KubeEmulator(seed=seed or 0, clock=self.clock.time))
        self.notes = Notes()
        self.passes: list[Pass] = []
        self.gate_open = True
        self.relics: set[str] = set()
        """Load balancers older than what the API server was set back to: one without an Ingress now is to be kept."""
        self.forgotten: set[str] = set()
        """Those among them whose Ingress is there and does not know them: it asked for none then, and has not since."""
        self.unheard_until = -1.0
        """Until then a leader may not have heard that the API server was set back, and orders for what is undone."""
        self.breaches: list[str] = []
        """What the world itself saw that must not be: a write begun by who does not hold the lease."""
        self.after_step: Callable[[], None] = lambda: None
        self.inspect: Inspect = lambda _action, _params: None
        if furnished:
            _furnish(self.users, self.account)
        self.around = Surroundings(
            clock=self.clock,
            cloud=cloud,
            kube=self.users.emulator,
            config=Config(CLUSTER, REGION, vpc_id="vpc-00000001", verify_interval=0.0, **(config or {})),
            cluster=Cluster(CLUSTER, self.users.object("/api/v1/namespaces/kube-system")["metadata"]["uid"]),
            metrics=Metrics("simulated", CollectorRegistry()),
            gate=self._gate,
            post=post,
            inspect=self._inspect,
        )
        self.process: Process | None = None

    def start(self, *, die_at: int = 0, death: Death = Death.BEFORE, trusted_in_s: float = 0.0) -> Process:
        """A new process, with nothing in its memory; `die_at`: the number of the call at which it dies."""
        if self.process is not None:
            self.process.end()
        self.process = Process(self.around, self.notes, self.passes)
        self.process.toll.arm(die_at, death)
        self.process.start(trusted_in_s=trusted_in_s)
        return self.process

    def start_anyhow(self, *, trusted_in_s: float = 0.0) -> Process:
        """As `start`, asked again while the worlds do not answer."""
        while True:
            try:
                return self.start(trusted_in_s=trusted_in_s)
            except L7lbError:
                self.clock.advance(2.0)

    def crash(self) -> None:
        """It dies between two calls."""
        if self.process is not None:
            self.process.end()
        self.process = None

    def settle(self, within_s: float = 1800.0) -> None:
        """Run until nothing is left to do, the clock jumping from deadline to deadline; at most `within_s`."""
        self.run(within_s)
        if self._next() is not None:
            raise NotQuiet(f"not quiet after {within_s:.0f} s: {self.last_passes()}")

    def run(self, seconds: float) -> None:
        """Run for so long, or until nothing is left to do."""
        until = self.clock.now() + seconds
        steps = 0
        while True:
            came = self.live().step()
            if isinstance(came, Taken):
                steps += 1
                if steps > STEPS_MAX:
                    raise NotQuiet(f"a hot loop: {self.last_passes()}")
                self.after_step()
                continue
            due = self._next(came)
            if due is None:
                return
            if due > until:
                self.clock.advance(max(0.0, until - self.clock.now()))
                return
            self.clock.advance(max(due - self.clock.now(), 1e-6))

    def run_for(self, seconds: float) -> None:
        """Run for exactly so long, also when nothing is left to do."""
        until = self.clock.now() + seconds
        self.run(seconds)
        self.clock.advance(max(0.0, until - self.clock.now()))

    def succeed(self, arrives_after_s: float) -> None:
        """A successor takes over; what the process before had on its way arrives so many seconds later (at most 15)."""
        late = self.live().toll.late
        self.start_anyhow(trusted_in_s=LATE_S)
        self.run_for(arrives_after_s)
        inspect, self.inspect = self.inspect, lambda _action, _params: None  # this one nobody can hold back
        for arrive in late:
            with contextlib.suppress(Exception):
                arrive()
        self.inspect = inspect
        self.run_for(LATE_S - arrives_after_s)
        self.live().trust()

    def live(self) -> Process:
        """The process; there must be one."""
        assert self.process is not None, "no process runs"
        return self.process

    def until(self, what: str, question: Callable[[], Any], within_s: float = 600.0) -> Any:
        """Run pass by pass until the answer is true."""
        end = self.clock.now() + within_s
        while not (answer := question()):
            came = self.live().step()
            if isinstance(came, Taken):
                self.after_step()
                continue
            due = self._next(came)
            assert due is not None, f"came to rest before: {what}; {self.last_passes()}"
            assert due <= end, f"not within {within_s:.0f} s: {what}; {self.last_passes()}"
            self.clock.advance(max(due - self.clock.now(), 1e-6))
        return answer

    def _next(self, came: Taken | Deadline | None = None) -> float | None:
        now = self.clock.now()
        queue = self.live().term
        assert queue is not None
        if came is None:
            asked = queue.queue.take(now)
            assert not isinstance(asked, Taken), "there is work"
            came = asked
        dues = [now + came.after_s] if isinstance(came, Deadline) else []
        news = self.live().next_news()
        return min([*dues, *([news] if news is not None else [])], default=None)

    def said(self, reason: str) -> list[str]:
        """Messages of the Events with this reason."""
        return [note.message for note in self.notes.all if note.reason == reason]

    def last_passes(self, count: int = 12) -> str:
        """For messages."""
        return "".join(f"\n  {one.at:9.3f} {one.key}: {one.outcome!r}" for one in self.passes[-count:])

    def _inspect(self, action: str, params: Mapping[str, Any]) -> None:
        self.inspect(action, params)

    def _gate(self) -> None:
        if not self.gate_open:
            raise GateClosed("TKE's own controller may be running")


def _furnish(users: Users, account: Account) -> None:
    users.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    for name, (address, instance) in NODES.items():
        users.create(manifests.node(name, address, instance))
    account.seed(instances=[{"id": instance, "ip": address} for address, instance in NODES.values()])
    users.create(manifests.service("web"))
    users.create(manifests.service("api", 30081))
    users.create(manifests.secret("cert", "certrsa1"))


def lag(dice: random.Random, most: float = 3.0) -> Post:
    """News that comes late and sometimes twice."""
    return Post(lambda: dice.choice((0.0, 0.0, 0.05, 0.5, most)), lambda: dice.random() < 0.2)


__all__ = ["Died", "NotQuiet", "World", "lag"]
