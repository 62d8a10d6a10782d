"""Waits between looks that protect against lagging tags: memory of one term, by Ingress."""

import threading
from collections.abc import Callable
from typing import Final

from l7lb.model.identity import Owner
from l7lb.reconciler.recent import Recent

LOOKS_APART_S: Final = 60.0
"""Two looks by tag this far apart prove that an order made nothing (the tag filter lags up to 30 s)."""


FIRST_S: Final = 0.1
CAP_S: Final = 60.0
TOLD_EVERY: Final = 5
"""So many setbacks in a row are nobody's business; then the object hears of each so-many-th."""


class Setbacks:
    """Failures of one Ingress in a row, also where waits for tasks lie between them (the queue forgets at a wait)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}

    def count(self, uid: str) -> int:
        """One more; how many it is."""
        with self._lock:
            self._counts[uid] = self._counts.get(uid, 0) + 1
            return self._counts[uid]

    def forget(self, uid: str) -> None:
        """It has come to rest."""
        with self._lock:
            self._counts.pop(uid, None)


def pause(count: int) -> float:
    """Seconds after the `count`-th setback in a row."""
    return min(CAP_S, FIRST_S * 2.0 ** min(count - 1, 16))


class Attempts:
    """When an order was first looked for in vain, when tags were written, and whose load balancer was deleted."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._looked: Recent[str, float] = Recent()
        self._tagged: Recent[str, float] = Recent()
        self._deleted: Recent[str, bool] = Recent()

    def until_second_look(self, owner: Owner) -> float:
        """Seconds until the second look counts; 0 when this is it. The first call is the first look."""
        with self._lock:
            first = self._looked.setdefault(owner.ingress_uid, self._monotonic())
            return max(0.0, first + LOOKS_APART_S - self._monotonic())

    def tagged(self, owner: Owner) -> None:
        """Tags were written just now."""
        with self._lock:
            self._tagged[owner.ingress_uid] = self._monotonic()

    def tagging(self, owner: Owner) -> bool:
        """Whether tags were written so lately that they may not show yet."""
        with self._lock:
            at = self._tagged.get(owner.ingress_uid)
            if at is not None and self._monotonic() - at > LOOKS_APART_S:
                del self._tagged[owner.ingress_uid]
                return False
            return at is not None

    def deleted(self, owner: Owner) -> None:
        """Its load balancer was deleted, and the task of that has ended."""
        with self._lock:
            self._deleted[owner.ingress_uid] = True

    def is_deleted(self, owner: Owner) -> bool:
        """Whether it only has to be seen that its load balancer is gone."""
        with self._lock:
            return owner.ingress_uid in self._deleted

    def forget(self, owner: Owner) -> None:
        """The matter is settled."""
        with self._lock:
            self._looked.pop(owner.ingress_uid, None)
            self._tagged.pop(owner.ingress_uid, None)
            self._deleted.pop(owner.ingress_uid, None)
