"""A verifier over a room and an account, with a queue that the test empties."""

from collections.abc import Iterator
from contextlib import contextmanager

from l7lb.app.sweep import Sweep
from l7lb.app.verifying import Beat, Verifier
from l7lb.model.identity import BindingKey
from l7lb.reconciler.observations import Observations, read
from l7lb.runtime.workqueue import Deadline, Taken, WorkQueue
from tests.builders import head
from tests.unit.app.account import Account
from tests.unit.app.room import CLUSTER, SETTINGS, Room, named, served
from tests.unit.translator.builders import ingress, rule


class Scene:
    """A verifier over a room and an account, with a queue that the test empties."""

    def __init__(self, account: Account | None = None, *, trusted_from: float = 0.0, interval_s: float = 600.0) -> None:
        self.room = Room()
        self.account = Account() if account is None else account
        self.queue = WorkQueue(workers=8)
        self.observations = Observations()
        self.sweep = Sweep()
        self.read = 0
        self.verifier = Verifier(
            Beat(
                cluster=CLUSTER,
                settings=SETTINGS,
                stores=self.room.stores,
                caches=self.room.caches,
                cloud=self.account,
                clock=self.room.clock,
                queue=self.queue,
                observations=self.observations,
                sweep=self.sweep,
                trusted_from=trusted_from,
            ),
            interval_s=interval_s,
            on_read=self._count,
        )

    def _count(self) -> None:
        self.read += 1

    def serve(self, *names: str) -> None:
        """Ingresses that are served, each by a load balancer of its own."""
        for name in names:
            self.account.own(f"lb-{name}")
            self.room.put(served(named(ingress(rule()), name), f"lb-{name}"))

    def believe(self, name: str) -> None:
        """An observation as a pass would leave it."""
        self.observations.keep(read(Account({f"lb-{name}": head(f"lb-{name}")}), head(f"lb-{name}")))

    def take(self) -> Taken:
        """The next key; waits on the test's clock where it has to."""
        while not isinstance(taken := self.queue.take(self.room.clock.monotonic()), Taken):
            assert isinstance(taken, Deadline), "nothing is queued"
            self.room.clock.advance(taken.after_s)
        return taken

    @contextmanager
    def next_turn(self) -> Iterator[Taken]:
        """A pass over the next key."""
        taken = self.take()
        try:
            with self.verifier.turn(BindingKey(taken.key), taken.lane):
                yield taken
        finally:
            self.queue.done(taken.key, self.room.clock.monotonic())


def turns(scene: Scene, count: int) -> list[str]:
    """So many passes, one after the other."""
    seen = []
    for _ in range(count):
        with scene.next_turn() as taken:
            seen.append(taken.key)
    return seen
