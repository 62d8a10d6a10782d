"""How long a change of endpoints takes from its event to the load balancer: a clock for each key that is on its way.

A change is done when a pass that began after it finds nothing left to do. It counts only if a plan was made for it, and
not where the gate keeps it from being done: the hours until TKE's controller is off are no delay of ours.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from l7lb.errors import GateClosed
from l7lb.model.identity import BindingKey
from l7lb.model.outcome import Done, Outcome


@dataclass(slots=True)
class _Journey:
    since: float
    """Monotonic, of the first change that is not done."""
    later: float | None = None
    """Of the first one that came while a pass was running: it may not have seen it."""
    running: bool = False
    planned: bool = False


@dataclass(slots=True)
class Propagation:
    """For one term. `on_done` gets seconds."""

    now: Callable[[], float]
    on_done: Callable[[float], None]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _journeys: dict[BindingKey, _Journey] = field(default_factory=dict)

    def seen(self, key: BindingKey) -> None:
        """Endpoints of this key have changed, just now."""
        with self._lock:
            journey = self._journeys.setdefault(key, _Journey(self.now()))
            if journey.running and journey.later is None:
                journey.later = self.now()

    def planned(self, key: BindingKey) -> None:
        """There is something to do for it."""
        with self._lock:
            if key in self._journeys:
                self._journeys[key].planned = True

    @contextmanager
    def passing(self, key: BindingKey) -> Iterator[Callable[[Outcome], Outcome]]:
        """Around a pass; what it yields is to be told the outcome, and gives it back."""
        with self._lock:
            if key in self._journeys:
                self._journeys[key].running = True
        try:
            yield lambda outcome: self._ended(key, outcome)
        except GateClosed:
            with self._lock:
                self._journeys.pop(key, None)
            raise
        finally:
            with self._lock:
                if key in self._journeys:
                    self._journeys[key].running = False

    def _ended(self, key: BindingKey, outcome: Outcome) -> Outcome:
        if not isinstance(outcome, Done):
            return outcome
        with self._lock:
            journey = self._journeys.get(key)
            if journey is None or not journey.running:
                return outcome
            if journey.later is None:
                del self._journeys[key]
            else:
                self._journeys[key] = _Journey(journey.later)
        if journey.planned:
            self.on_done(self.now() - journey.since)
        return outcome
