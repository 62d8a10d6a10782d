"""Keys that become ready later: one wait a key, the earlier time wins; and one more for its verification.

A turn of the verifier that comes sooner must not bring a better reason forward: the key would be handed out for that,
again and again, and its turn would never come. Knows nothing of locks or workers.
"""

import heapq
import itertools
from collections.abc import Iterator

from l7lb.runtime.lanes import Reasons, Row, merge


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
        """Keys whose time has come, with each row they waited for and the time when it was due."""
        while (due := self.next_due()) is not None and due <= now:
            _, _, which = heapq.heappop(self._heap)
            _, reasons = self._waits.pop(which)
            for row in reasons:
                yield which[0], row, due

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
