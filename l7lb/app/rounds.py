"""The health of all load balancers for somebody who looks at the list: one look a minute, and none while nobody looks.

The look is made on a thread of its own and in the lowest lane; only the first one is waited for, and that shortly.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Final

from l7lb.app.pulses import Pulses
from l7lb.model.identity import CloudRef, ListenerId
from l7lb.runtime.clock import Clock

EVERY_S: Final = 60.0
"""At most one look in this time."""
OLD_S: Final = 300.0
"""What was found longer ago is not known any more."""
PATIENCE_S: Final = 1.5

_logger = logging.getLogger(__name__)


class Rounds:
    """Safe for several threads."""

    def __init__(
        self,
        ask: Callable[[Mapping[CloudRef, frozenset[ListenerId]]], Pulses],
        clock: Clock,
        *,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """`ask`: for so many load balancers, with the listeners that count; a refusal is told and not raised."""
        self._ask = ask
        self._clock = clock
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._begun = float("-inf")
        self._running = False
        self._answered = threading.Event()
        self._found: tuple[float, Pulses] = (float("-inf"), Pulses())

    def of(self, wanted: Mapping[CloudRef, frozenset[ListenerId]]) -> Pulses:
        """What the last look has found, unless it is old; begins the next one where it is due."""
        now = self._clock.monotonic()
        with self._lock:
            if wanted and not self._running and now - self._begun >= EVERY_S:
                self._begun, self._running = now, True
                self._answered.clear()
                threading.Thread(target=self._look, args=(dict(wanted),), name="round", daemon=True).start()
            waits = self._running and now - self._found[0] > OLD_S
        if waits:
            self._answered.wait(self._patience_s)
        with self._lock:
            at, found = self._found
            return found if now - at <= OLD_S else Pulses()

    def _look(self, wanted: Mapping[CloudRef, frozenset[ListenerId]]) -> None:
        found = Pulses({}, dict.fromkeys(wanted, "asking the cloud failed; the log says why"))
        try:
            found = self._ask(wanted)
        except Exception:
            _logger.exception("the health of %d load balancers cannot be asked for", len(wanted))
        finally:
            with self._lock:
                self._found = self._clock.monotonic(), found
                self._running = False
            self._answered.set()
