"""Class exits within the last ten minutes: a sixth is a mistake in a template, not a wish (the guard)."""

import threading
from collections.abc import Callable
from typing import Final

WINDOW_S: Final = 600.0


class Exits:
    """Counts Ingresses, each once, by the time they were first seen to leave."""

    def __init__(self, monotonic: Callable[[], float], others: int = 0) -> None:
        """`others`: so many are left to those who work on other Ingresses, as if they had been seen."""
        self._others = others
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._left: dict[str, float] = {}

    def count(self, uid: str) -> int:
        """Exits in the window, this one counted."""
        now = self._monotonic()
        with self._lock:
            self._left = {other: at for other, at in self._left.items() if now - at < WINDOW_S}
            self._left.setdefault(uid, now)
            return sorted(self._left, key=lambda other: self._left[other]).index(uid) + 1 + self._others
