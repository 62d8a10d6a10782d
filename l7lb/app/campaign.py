"""The Lease of a cluster as a part of the process: campaigned for, held under a watchdog, and let go last of all."""

import threading
from collections.abc import Callable

from l7lb.app.config import SHARDS_MAX
from l7lb.model.identity import ObjectKey
from l7lb.runtime.clock import Clock
from l7lb.runtime.election import LATE_WRITE_S, Elector, Lead, LeaseClient, Term, WriteGuard
from l7lb.runtime.lifecycle import Threads


def lease_key(cluster_id: str) -> ObjectKey:
    """The same for every release and namespace that l7lb is installed in, so that two of them never write both."""
    return ObjectKey("kube-system", f"l7lb-{cluster_id.lower()}")


def shard_key(cluster_id: str, shard: int) -> ObjectKey:
    """The Lease of one shard."""
    whole = lease_key(cluster_id)
    return ObjectKey(whole.namespace, f"{whole.name}-{shard}")


def union_identity(shards: int) -> str:
    """Under which name all who divide the cluster into so many shards hold its plain Lease together."""
    return f"shards/{shards}"


def shards_of(holder: str) -> int:
    """Into how many the load balancers are divided, by who holds the plain Lease; 1: into none."""
    numbers = range(2, SHARDS_MAX + 1)
    return next((number for number in numbers if holder == union_identity(number)), 1)


class Campaign:
    """An elector with its write guard and its two threads."""

    def __init__(
        self, leases: LeaseClient, identity: str, clock: Clock, *, wait: bool, on_lost: Callable[[str], None]
    ) -> None:
        """`on_lost` must end the process: whatever is on its way must not be followed by anything."""
        self.elector = Elector(leases, identity, clock, wait=wait, on_lost=on_lost)
        self.guard = WriteGuard(self.elector, clock)
        self._asked = threading.Event()
        loops = {"lease": self.elector.run, "lease-watchdog": self._watch}
        self.part = Threads("lease", loops, self._ask, only_after_drain=True)
        """Stopped only when nothing of ours is being written any more: its end lets the next leader begin."""

    def _watch(self) -> None:
        """Ends with the elector; why that has ended is for the elector's own thread to say."""
        self.elector.run_watchdog()
        self._asked.wait()

    def _ask(self) -> None:
        self._asked.set()
        self.elector.stop()


class Joint:
    """Two leases that count only together: the one of all who agree on the number of shards, and that of a shard."""

    def __init__(self, union: Lead, own: Lead) -> None:
        self._both = (union, own)

    @property
    def term(self) -> Term | None:
        """Since both are ours; whoever held either of them before may have a write on its way."""
        union, own = (one.term for one in self._both)
        if union is None or own is None:
            return None
        began = max(union.taken_over_at, own.taken_over_at)
        ends = [one.previous_expiry for one in (union, own) if one.previous_expiry is not None]
        return Term(began, max((end for end in ends if end + LATE_WRITE_S > began), default=None))

    def holds(self, now: float) -> bool:
        """Whether both are ours."""
        return all(one.holds(now) for one in self._both)

    def remaining(self, now: float) -> float:
        """Seconds left of the one that ends first."""
        return min(one.remaining(now) for one in self._both)
