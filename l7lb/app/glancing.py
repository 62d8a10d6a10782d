"""The health of one load balancer's targets for somebody who looks at a page: asked seldom, remembered shortly.

The cloud is asked on a thread of its own and in the lowest lane; a page waits a moment for the answer and shows what is
known. Nobody looks: nothing is asked.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from l7lb.app.drawing import Healths
from l7lb.errors import L7lbError, Throttled
from l7lb.model.identity import CloudRef
from l7lb.runtime.clock import Clock

EVERY_S: Final = 20.0
"""One load balancer is asked about no more often than this."""
PATIENCE_S: Final = 1.5
"""So long a page waits for an answer."""
REMEMBERED_MAX: Final = 200
TRIES: Final = 5
THROTTLED_S: Final = 1.0
ASKING_MAX: Final = 2
"""Calls on their way at once."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What is known of one load balancer's targets."""

    healths: Healths = field(default_factory=dict)
    at: float | None = None
    """By the wall clock; None: never asked with success."""
    problem: str = ""


@dataclass(slots=True)
class _Entry:
    glance: Glance = Glance()
    asked: float = float("-inf")
    """Monotonic."""
    answered: threading.Event = field(default_factory=threading.Event)


class Glances:
    """Safe for several threads."""

    def __init__(
        self,
        ask: Callable[[CloudRef], Healths],
        clock: Clock,
        *,
        patience_s: float = PATIENCE_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`ask` makes one call and raises the classes of `errors`."""
        self._sleep = sleep
        self._ask = ask
        self._clock = clock
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._known: OrderedDict[CloudRef, _Entry] = OrderedDict()
        self._asking = 0

    def of(self, ref: CloudRef) -> Glance:
        """As of at most `EVERY_S` ago where the cloud answers in time, else the last one and why it is old."""
        now = self._clock.monotonic()
        with self._lock:
            entry = self._known.setdefault(ref, _Entry())
            self._known.move_to_end(ref)
            if now - entry.asked >= EVERY_S and self._asking < ASKING_MAX:
                entry.asked = now
                entry.answered.clear()
                self._asking += 1
                threading.Thread(target=self._fetch, args=(ref, entry), name="glance", daemon=True).start()
            elif entry.asked == float("-inf"):
                return Glance(problem="other load balancers are being asked about: look again in a moment")
            while len(self._known) > REMEMBERED_MAX:
                self._known.popitem(last=False)
        entry.answered.wait(self._patience_s)
        glance = entry.glance
        waits = glance.at is None and not glance.problem
        return Glance(problem="the cloud has not answered yet: look again in a moment") if waits else glance

    def peek(self, ref: CloudRef) -> Glance:
        """What is remembered; asks nobody."""
        with self._lock:
            entry = self._known.get(ref)
        return entry.glance if entry is not None else Glance()

    def _fetch(self, ref: CloudRef, entry: _Entry) -> None:
        before = entry.glance
        glance = Glance(before.healths, before.at, "asking the cloud failed; the log says why")
        try:
            glance = Glance(self._patiently(ref), self._clock.time())
        except L7lbError as error:
            glance = Glance(before.healths, before.at, f"the cloud does not say now: {error}")
        finally:
            with self._lock:
                entry.glance = glance
                self._asking -= 1
            entry.answered.set()

    def _patiently(self, ref: CloudRef) -> Healths:
        """The lowest lane is often used up for a moment."""
        for _ in range(TRIES - 1):
            try:
                return self._ask(ref)
            except Throttled as refusal:
                self._sleep(min(refusal.retry_after_s or THROTTLED_S, THROTTLED_S))
        return self._ask(ref)
