"""How long to wait: exponential per key, a token bucket for all keys, the longer of both, and a bucket that learns.

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

    @property
    def rate(self) -> float:
        """Tokens a second, as of now."""
        return self._rate

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

    def set_rate(self, rate: float, now: float) -> None:
        """What was saved up so far is counted at the old rate; debt is paid off at the new one."""
        with self._lock:
            self._fill(now)
            self._rate = rate

    def empty(self, now: float) -> None:
        """Forget what was saved up; debt stays."""
        with self._lock:
            self._fill(now)
            self._tokens = min(self._tokens, 0.0)

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


class AdaptiveBucket:
    """A token bucket against a quota that others spend too: halved on each throttle, won back little by little.

    `recovery` is in tokens a second per second. Throttles within a second of the last one are one event: they answer
    calls that were sent before the rate went down.
    """

    def __init__(self, rate: float, burst: float, *, recovery: float | None = None, floor: float | None = None) -> None:
        self._bucket = TokenBucket(rate, burst)
        self._nominal = rate
        self._recovery = rate / 60 if recovery is None else recovery
        self._floor = rate / 32 if floor is None else floor
        self._changed_at: float | None = None
        self._throttled_at: float | None = None
        self._lock = threading.Lock()

    @property
    def rate(self) -> float:
        """Tokens a second, as of the last call."""
        return self._bucket.rate

    def reserve(self, now: float) -> float:
        """As `TokenBucket.reserve`."""
        self._recover(now)
        return self._bucket.reserve(now)

    def take(self, now: float) -> float:
        """As `TokenBucket.take`."""
        self._recover(now)
        return self._bucket.take(now)

    def throttled(self, now: float) -> None:
        """The other side refused for rate."""
        self._recover(now)
        with self._lock:
            if self._throttled_at is not None and now - self._throttled_at < 1.0:
                return
            self._throttled_at = self._changed_at = now
            self._bucket.set_rate(max(self._floor, self._bucket.rate / 2), now)
            self._bucket.empty(now)

    def _recover(self, now: float) -> None:
        with self._lock:
            if self._changed_at is None or now <= self._changed_at:
                return
            gained = self._bucket.rate + (now - self._changed_at) * self._recovery
            self._changed_at = now if gained < self._nominal else None
            self._bucket.set_rate(min(self._nominal, gained), now)
