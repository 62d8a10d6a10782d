"""Keys that become ready later: one wait a key, the earlier time wins; and one more for its verification.

A turn of the verifier that comes sooner must not bring a better reason forward: the key would be handed out for that,
again and again, and its turn would never come. Knows nothing of locks or workers.
"""

import heapq
import itertools
from collections.abc import Iterator
from typing import Final

from l7lb.runtime.lanes import Reasons, Row, merge

PATIENCE_S: Final = 20.0
"""A verification gives way for so long at most; what looks again after a longer time does not hold it up."""
AFTER_S: Final = 1.0


class Delays:
    """A heap of due times. Not for several threads: its owner holds a lock."""

    def __init__(self) -> None:
        self._waits: dict[tuple[str, bool], tuple[float, Reasons]] = {}
        """By key, and whether it is for its verification."""
        self._heap: list[tuple[float, int, tuple[str, bool]]] = []
        self._order = itertools.count()

    def put(self, key: str, row: Row, due: float, now: float) -> bool:
        """False when the key waits for that row already (its time may have moved forward all the same)."""
        which = key, row is Row.VERIFY
        known = self._waits.get(which)
        reasons: Reasons = known[1] if known is not None else {}
        if known is None or due < known[0]:
            self._waits[which] = (due, reasons)
            heapq.heappush(self._heap, (due, next(self._order), which))
        return merge(reasons, row, now)

    def pop_due(self, now: float) -> Iterator[tuple[str, Row, float]]:
        """Keys whose time has come, with each row they waited for and the time when it was due.

        A verification lets a better reason that comes soon go first: it would do its work with the least of budgets.
        """
        while (due := self.next_due()) is not None and due <= now:
            _, _, which = heapq.heappop(self._heap)
            _, reasons = self._waits.pop(which)
            if (after := self._gives_way(which, reasons, now)) is not None:
                self._waits[which] = (after, reasons)
                heapq.heappush(self._heap, (after, next(self._order), which))
                continue
            for row in reasons:
                yield which[0], row, due

    def _gives_way(self, which: tuple[str, bool], reasons: Reasons, now: float) -> float | None:
        """Until when a verification waits for a better reason; None: no longer."""
        better = self._waits.get((which[0], False)) if which[1] else None
        if better is None or not now < better[0] <= now + PATIENCE_S or now - min(reasons.values()) >= PATIENCE_S:
            return None
        return better[0] + AFTER_S

    def next_due(self) -> float | None:
        """When the next key becomes ready."""
        while self._heap:
            due, _, which = self._heap[0]
            wait = self._waits.get(which)
            if wait is not None and wait[0] == due:
                return due
            heapq.heappop(self._heap)  # an earlier wait has replaced it
        return None

    def clear(self) -> None:
        """Forget all."""
        self._waits.clear()
        self._heap.clear()
