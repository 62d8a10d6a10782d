"""The Lease of a cluster as a part of the process: campaigned for, held under a watchdog, and let go last of all."""

import threading
from collections.abc import Callable

from l7lb.model.identity import ObjectKey
from l7lb.runtime.clock import Clock
from l7lb.runtime.election import Elector, LeaseClient, WriteGuard
from l7lb.runtime.lifecycle import Threads


def lease_key(cluster_id: str) -> ObjectKey:
    """The same for every release and namespace that l7lb is installed in, so that two of them never write both."""
    return ObjectKey("kube-system", f"l7lb-{cluster_id.lower()}")


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
