"""Hands on one virtual clock that wait for things, not only for times: thousands of idle seconds cost nothing.

A hand is a real thread, and only one runs at a time. What takes time is said: `sleep` for a call on its way, `think`
where the interpreter is held. A hand with nothing to do is `park`ed with a function that says when there will be
something; it is asked again whenever another hand has done something.
"""

import heapq
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tests.simulation.clock import SimClock

Due = Callable[[], float]
"""On the clock; the past or now: at once; infinite: not before somebody else has done something."""
STACK_BYTES: Final = 1024 * 1024


class Over(BaseException):
    """The world ends: nobody may catch this and go on."""


class Stuck(AssertionError):
    """Nothing will ever happen any more, and what was waited for has not."""


@dataclass(slots=True)
class Hand:
    """One thread and its turn."""

    name: str
    turn: threading.Lock = field(default_factory=threading.Lock)


class Crew:
    """`start` hands, `run` until something is true, look, and `run` again; `close` ends them all."""

    def __init__(self, clock: SimClock) -> None:
        self.clock = clock
        self.failures: list[BaseException] = []
        self._order = itertools.count()
        self._asleep: list[tuple[float, int, Hand]] = []
        self._parked: dict[int, tuple[Hand, Due]] = {}
        self._mine = threading.local()
        self._back = threading.Lock()
        self._back.acquire()
        self._threads: list[threading.Thread] = []
        self._thought_until = 0.0
        self._over = False

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Another hand, which begins when `run` comes to it."""
        hand = Hand(name)
        hand.turn.acquire()
        heapq.heappush(self._asleep, (self.clock.now(), next(self._order), hand))
        thread = threading.Thread(target=self._live, args=(hand, work), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def run(self, over: Callable[[], bool], within_s: float) -> None:
        """Let time pass until it is over; AssertionError: not within so many seconds."""
        deadline = self.clock.now() + within_s
        while not over():
            self._advance(deadline)
            if self.clock.now() >= deadline:
                raise Stuck(f"not within {within_s:g} s")

    def pass_time(self, seconds: float) -> None:
        """Let so many seconds pass."""
        until = self.clock.now() + seconds
        while self.clock.now() < until:
            self._advance(until)

    def sleep(self, seconds: float) -> None:
        """Of a hand: wait, while others go on."""
        if seconds > 0:
            hand: Hand = self._mine.hand
            heapq.heappush(self._asleep, (self.clock.now() + seconds, next(self._order), hand))
            self._yield(hand)

    def think(self, seconds: float) -> None:
        """Of a hand: hold the interpreter, so that nobody else thinks meanwhile."""
        self._thought_until = max(self.clock.now(), self._thought_until) + seconds
        self.sleep(self._thought_until - self.clock.now())

    def park(self, due: Due) -> None:
        """Of a hand: wait until there is something to do."""
        hand: Hand = self._mine.hand
        self._parked[next(self._order)] = hand, due
        self._yield(hand)

    def close(self) -> None:
        """End all hands."""
        self._over = True
        for hand in [*(entry[2] for entry in self._asleep), *(hand for hand, _ in self._parked.values())]:
            hand.turn.release()
            self._back.acquire()
        for thread in self._threads:
            thread.join()
        self._asleep.clear()
        self._parked.clear()

    def _advance(self, until: float) -> None:
        """One hand's turn, or the time until the next."""
        now = self.clock.now()
        if self._asleep and self._asleep[0][0] <= now:
            self._wake(heapq.heappop(self._asleep)[2])
            return
        soonest = self._asleep[0][0] if self._asleep else until
        for number, (hand, due) in self._parked.items():
            at = due()
            if at <= now:
                del self._parked[number]
                self._wake(hand)
                return
            soonest = min(soonest, at)
        self.clock.advance(min(soonest, until) - now)

    def _wake(self, hand: Hand) -> None:
        hand.turn.release()
        self._back.acquire()
        if self.failures:
            raise self.failures[0]

    def _yield(self, hand: Hand) -> None:
        self._back.release()
        hand.turn.acquire()
        if self._over:
            raise Over

    def _live(self, hand: Hand, work: Callable[[], None]) -> None:
        self._mine.hand = hand
        hand.turn.acquire()
        try:
            if not self._over:
                work()
        except Over:
            pass
        except BaseException as failure:  # noqa: BLE001 - told by `run`
            self.failures.append(failure)
        finally:
            self._back.release()
