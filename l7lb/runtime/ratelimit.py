"""How long to wait: exponential per key, a token bucket for all keys, and the longer of both.

Nothing in here sleeps or reads a clock; the answer is always a number of seconds and somebody else waits.
"""

import threading
from dataclasses import dataclass, field


@dataclass(slots=True)
class ItemBackoff:
    """Delay by the number of failures of one key in a row. Not for several threads: its owner holds a lock."""

    first_s: float = 0.005
    cap_s: float = 60.0
    factor: float = 2.0
    _failures: dict[str, int] = field(default_factory=dict, init=False, repr=False)

    def when(self, key: str) -> float:
        """Seconds until the next try; counts one failure."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        try:
            return min(self.cap_s, self.first_s * self.factor**failures)
        except OverflowError:
            return self.cap_s

    def failures(self, key: str) -> int:
        """Failures since the last `forget`."""
        return self._failures.get(key, 0)

    def forget(self, key: str) -> None:
        """The key has succeeded, or is given up."""
        self._failures.pop(key, None)


class TokenBucket:
    """`rate` tokens a second, at most `burst` saved up. May be shared by threads."""

    def __init__(self, rate: float, burst: float) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError(f"a bucket needs rate > 0 and burst >= 1, not {rate} and {burst}")
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._filled_at: float | None = None
        self._lock = threading.Lock()

    def reserve(self, now: float) -> float:
        """Take a token, if need be one of the future: the seconds until it exists."""
        with self._lock:
            self._fill(now)
            self._tokens -= 1
            return max(0.0, -self._tokens / self._rate)

    def take(self, now: float) -> float:
        """Take a token if there is one (0.0); else take nothing and say in how many seconds there may be one."""
        with self._lock:
            self._fill(now)
            # A hair's breadth below one token is one token: else rounding answers with waits of 1e-16 s.
            if self._tokens >= 1 - 1e-9:
                self._tokens -= 1
                return 0.0
            return (1 - self._tokens) / self._rate

    def _fill(self, now: float) -> None:
        if self._filled_at is None:
            self._filled_at = now
        elif now > self._filled_at:
            self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
            self._filled_at = now


@dataclass(slots=True)
class RetryLimiter:
    """The longer of what the key's own back-off and the bucket of all retries ask for."""

    backoff: ItemBackoff = field(default_factory=ItemBackoff)
    bucket: TokenBucket = field(default_factory=lambda: TokenBucket(rate=10.0, burst=100.0))

    def when(self, key: str, now: float) -> float:
        """Seconds until the next try; counts one failure and spends one token."""
        return max(self.backoff.when(key), self.bucket.reserve(now))
