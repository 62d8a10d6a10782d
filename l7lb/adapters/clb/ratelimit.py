"""The API budget: token buckets by (region, service, action), slower for the verifier, halved when the cloud complains.

Nobody sleeps in here: a call without a token is told when there will be one. Time is an argument.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from l7lb.errors import Throttled
from l7lb.model.lane import Lane

QUOTAS: Mapping[tuple[str, str], float] = {
    ("ssl", "DescribeCertificates"): 10.0,
    ("ssl", "DescribeCertificateDetail"): 10.0,
    ("cvm", "DescribeInstances"): 40.0,
    ("vpc", "DescribeSubnets"): 100.0,
}
"""Documented requests a second where they are not 20 (API overview pages)."""
QUOTA_DEFAULT = 20.0
DELETIONS_MAX = 25
DELETIONS_SPAN_S = 300.0
"""The cloud refuses the 30th deletion of a region in five minutes (DeleteLoadBalancer page); we stay below."""

_RECOVERY_S = 10.0
_WAIT_S_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How much of the quota is used: others in the same account call too."""

    share: float = 0.75
    """Of the documented quota: 15 a second for most actions."""
    burst: float = 5.0
    """Calls that may go at once after a pause. share x quota + burst must stay below the quota."""
    verify_share: float = 0.25
    """The most that `Lane.VERIFY` takes of our part."""


@dataclass(slots=True)
class _Bucket:
    full_per_s: float
    burst: float
    at: float
    per_s: float = 0.0
    tokens: float = 0.0
    changed: float = 0.0
    promised: float = 0.0
    """Until when tokens were already named to callers that were refused; spreads their return."""

    def __post_init__(self) -> None:
        self.per_s, self.tokens, self.changed = self.full_per_s, self.burst, self.at

    def refill(self, now: float) -> None:
        """Account for the time since the last look."""
        if self.per_s < self.full_per_s and now - self.changed >= _RECOVERY_S:
            self.per_s, self.changed = min(self.full_per_s, self.per_s * 1.5), now
        self.tokens = min(self.burst, self.tokens + max(0.0, now - self.at) * self.per_s)
        self.at = now

    def refuse(self, now: float) -> float:
        """Seconds until a token that was not yet named to somebody else."""
        slot = max(now + (1.0 - self.tokens) / self.per_s, self.promised)
        self.promised = min(slot + 1.0 / self.per_s, now + _WAIT_S_MAX)
        return slot - now

    def halve(self, now: float) -> None:
        """The cloud said: too fast."""
        self.per_s, self.changed = max(1.0, self.per_s / 2), now
        self.tokens = min(self.tokens, 0.0)


def _unheard(_service: str, _action: str, _lane: Lane, _wait_s: float) -> None:
    """Nobody counts."""


@dataclass(slots=True)
class RateLimits:
    """All buckets of a process. `clock` gives monotonic seconds."""

    clock: Callable[[], float]
    pace: Pace = Pace()
    on_wait: Callable[[str, str, Lane, float], None] = _unheard
    """Told service, action, lane and seconds whenever a call is refused here, for metrics."""
    _buckets: dict[tuple[str, str, str, bool], _Bucket] = field(default_factory=dict)
    _deletions: dict[str, deque[float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, region: str, service: str, action: str, lane: Lane, *, borrow: bool = False) -> None:
        """Take a token, or raise Throttled with the wait.

        `borrow` takes it from the future: for the later pages of one read, which would be worth nothing in pieces.
        """
        now = self.clock()
        with self._lock:
            buckets = self._of(region, service, action, lane, now)
            for bucket in buckets:
                bucket.refill(now)
            waits = [] if borrow else [bucket.refuse(now) for bucket in buckets if bucket.tokens < 1.0]
            if not waits and action == "DeleteLoadBalancer":
                waits = self._deletion(region, now)
            if not waits:
                for bucket in buckets:
                    bucket.tokens -= 1.0
                return
        self.on_wait(service, action, lane, max(waits))
        raise Throttled(f"{action} in {region}: the API budget is used up", retry_after_s=max(waits))

    def give_back(self, region: str, action: str) -> None:
        """A deletion was refused, so it did not happen; other actions have nothing to give back."""
        with self._lock:
            if action == "DeleteLoadBalancer" and self._deletions.get(region):
                self._deletions[region].pop()

    def slow_down(self, region: str, service: str, action: str) -> None:
        """The cloud refused this action for rate: halve it for now."""
        now = self.clock()
        with self._lock:
            bucket = self._of(region, service, action, Lane.CHANGE, now)[0]
            bucket.refill(now)
            bucket.halve(now)

    def _of(self, region: str, service: str, action: str, lane: Lane, now: float) -> list[_Bucket]:
        rate = QUOTAS.get((service, action), QUOTA_DEFAULT) * self.pace.share
        found = [self._bucket((region, service, action, False), rate, now)]
        if lane is Lane.VERIFY:
            found.append(self._bucket((region, service, action, True), rate * self.pace.verify_share, now))
        return found

    def _bucket(self, key: tuple[str, str, str, bool], rate: float, now: float) -> _Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            burst = max(1.0, self.pace.burst * (self.pace.verify_share if key[3] else 1.0))
            bucket = self._buckets[key] = _Bucket(rate, burst, now)
        return bucket

    def _deletion(self, region: str, now: float) -> list[float]:
        """Note a deletion, or say how long until one is allowed."""
        recent = self._deletions.setdefault(region, deque())
        while recent and recent[0] <= now - DELETIONS_SPAN_S:
            recent.popleft()
        if len(recent) >= DELETIONS_MAX:
            return [recent[0] + DELETIONS_SPAN_S - now]
        recent.append(now)
        return []
