"""Questions without whose answer nothing can begin: asked again and again, one log line each time, and not for ever."""

import logging
from collections.abc import Callable
from typing import Final, TypeVar

from l7lb.errors import ConfigurationError, L7lbError, RetryableError, Unavailable
from l7lb.runtime.clock import Clock

T = TypeVar("T")
_logger = logging.getLogger(__name__)

START_S_MAX: Final = 120.0
"""After that the process ends, so that another replica, or a human, gets a chance."""
RETRY_S: Final = 2.0


class Patience:
    """Asks one side. `pause(seconds)` is False when the process is ending."""

    def __init__(self, whom: str, clock: Clock, pause: Callable[[float], bool]) -> None:
        self._whom = whom
        self._clock = clock
        self._pause = pause
        self.problem = ""
        """What the last answer was, in words; empty: nothing was asked, or it was answered."""

    def ask(self, question: Callable[[], T]) -> T | None:
        """The answer; None when the process is ending. Raises ConfigurationError, and Unavailable after two minutes."""
        deadline = self._clock.monotonic() + START_S_MAX
        while True:
            try:
                answer = question()
            except ConfigurationError:
                raise
            except L7lbError as error:
                self.problem = f"{self._whom}: {error}"
                if self._clock.monotonic() >= deadline:
                    raise Unavailable(f"no use of {self._whom} within {START_S_MAX:g} s: {error}") from error
                _logger.warning("waiting for %s: %s", self._whom, error)
                if not self._pause(_delay(error)):
                    return None
            else:
                self.problem = ""
                return answer


def _delay(error: L7lbError) -> float:
    told = error.retry_after_s if isinstance(error, RetryableError) else None
    return max(RETRY_S, told or 0.0)
