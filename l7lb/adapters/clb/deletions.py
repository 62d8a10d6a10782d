"""The cloud's own count of deletions in a region, and the line of those who wait for it. Time is an argument.

Whoever waits is told when its turn comes, however many are before it. Were all told when the window opens, each window
would wake all of them: calls that grow with the square of the load balancers, and a crowd before those that are done.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

DELETIONS_MAX: Final = 25
DELETIONS_SPAN_S: Final = 300.0
"""The cloud refuses the 30th deletion of a region in five minutes (DeleteLoadBalancer page); we stay below."""
LATE_S: Final = 1.0
"""So much later than it could is a window used; those who wait for later ones are told a time after that."""
GRACE_S: Final = 30.0
"""So long after its time a place is kept for one that does not come: its Ingress may be kept after all."""


@dataclass(slots=True)
class Deletions:
    """Ask `wait_s` before each deletion, and say `sent` when it goes."""

    most: int = DELETIONS_MAX
    """In `DELETIONS_SPAN_S`."""
    _recent: deque[float] = field(default_factory=deque)
    _line: dict[str, float] = field(default_factory=dict)
    """Load balancers in the order of their turns, each with the time that it was told."""
    _not_before: float = 0.0

    def wait_s(self, load_balancer: str, now: float) -> float:
        """Seconds until its turn; 0: it may be deleted. Empty: one that stands in no line."""
        self._forget(now)
        free = max(0, self.most - len(self._recent))
        place = self._place(load_balancer)
        if place < free:
            wait = max(0.0, self._not_before - now)
        else:
            told = self._line.get(load_balancer, now)
            wait = max(self._not_before, told if told > now else self._turn(place - free, free, now)) - now
        if wait > 0 and load_balancer:
            self._line[load_balancer] = now + wait
        return wait

    def sent(self, load_balancer: str, now: float) -> None:
        """It is being deleted."""
        self._line.pop(load_balancer, None)
        self._recent.append(now)

    def give_back(self) -> None:
        """The last one did not happen."""
        if self._recent:
            self._recent.pop()

    def none_before(self, at: float) -> None:
        """The cloud's count is full: others have deleted as well."""
        self._not_before = at

    def _place(self, load_balancer: str) -> int:
        """How many are before it."""
        if load_balancer in self._line:
            return next(place for place, name in enumerate(self._line) if name == load_balancer)
        return len(self._line) if load_balancer else 0

    def _turn(self, behind: int, free: int, now: float) -> float:
        """When one may go that has so many before it, once all that are free now are gone."""
        sent = [*self._recent, *[now] * free]
        windows, of_window = divmod(behind, len(sent))
        return sent[of_window] + DELETIONS_SPAN_S * (1 + windows) + LATE_S * windows

    def _forget(self, now: float) -> None:
        while self._recent and self._recent[0] <= now - DELETIONS_SPAN_S:
            self._recent.popleft()
        while self._line and (first := next(iter(self._line))) and self._line[first] < now - GRACE_S:
            del self._line[first]
