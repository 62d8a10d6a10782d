"""What one look at all load balancers of the cluster has shown, for as long as it is worth something."""

import threading
from collections.abc import Iterable

from l7lb.model.identity import CloudRef
from l7lb.model.loadbalancer import LoadBalancerHead


class Sweep:
    """Heads from one look at all load balancers of the cluster; each is used once, and not after a write to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heads: dict[CloudRef, LoadBalancerHead] = {}
        self._written: set[str] = set()

    def begin(self) -> None:
        """A look is about to be sent: what is written from now on may not be in it."""
        with self._lock:
            self._written.clear()

    def enter(self, heads: Iterable[LoadBalancerHead]) -> None:
        """What the look has found."""
        with self._lock:
            self._heads = {head.ref: head for head in heads if head.ref.id not in self._written}

    def wrote(self, load_balancer: str) -> None:
        """A write to it was sent, or the task of one has ended: its head is as good as unknown."""
        with self._lock:
            self._written.add(load_balancer)
            for ref in [ref for ref in self._heads if ref.id == load_balancer]:
                del self._heads[ref]

    def head(self, ref: CloudRef) -> LoadBalancerHead | None:
        """Its head, if there is one that is still good."""
        with self._lock:
            return self._heads.get(ref)

    def used(self, ref: CloudRef) -> None:
        """It has served: the next one needs a new look."""
        with self._lock:
            self._heads.pop(ref, None)
