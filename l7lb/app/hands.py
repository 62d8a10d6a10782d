"""NodePorts that have passed from one Service to another: what is still bound there leads to the wrong one.

Memory of what the informers have seen. A port that was another's before this process began tells nothing.
"""

import threading
from collections.abc import Iterable
from typing import Final

from l7lb.model.cluster import Service
from l7lb.model.identity import ObjectKey

REMEMBERED_S: Final = 3600.0
"""So long a port that was given up is remembered, and so long one that was taken."""


class Hands:
    """Safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: dict[int, tuple[ObjectKey, float]] = {}
        self._taken: dict[int, tuple[ObjectKey, ObjectKey, float]] = {}
        """Who had it, who has it, and when that was seen."""

    def changed(self, old: Service | None, new: Service | None, now: float) -> frozenset[ObjectKey]:
        """One Service has changed; answers with those whose former ports it has got."""
        before, after = _ports(old), _ports(new)
        former: set[ObjectKey | None] = set()
        with self._lock:
            self._left = {port: one for port, one in self._left.items() if now - one[1] < REMEMBERED_S}
            self._taken = {port: one for port, one in self._taken.items() if now - one[2] < REMEMBERED_S}
            if old is not None:
                self._left |= dict.fromkeys(before - after, (old.key, now))
            if new is not None:
                former = {self._take(port, new.key, now) for port in after - before}
        return frozenset(key for key in former if key is not None)

    def _take(self, port: int, key: ObjectKey, now: float) -> ObjectKey | None:
        """Whose it was, if it was another's."""
        self._taken.pop(port, None)
        left = self._left.pop(port, None)
        if left is None or left[0] == key:
            return None
        self._taken[port] = (left[0], key, now)
        return left[0]

    def taken(self, ports: Iterable[int], mine: frozenset[ObjectKey]) -> frozenset[int]:
        """Of these ports those that one of my Services had, and that one has now that is none of mine."""
        with self._lock:
            found = {port: self._taken[port] for port in ports if port in self._taken}
        return frozenset(port for port, (had, has, _) in found.items() if had in mine and has not in mine)


def _ports(service: Service | None) -> frozenset[int]:
    return frozenset(port.node_port for port in service.ports if port.node_port) if service is not None else frozenset()
