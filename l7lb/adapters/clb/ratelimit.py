"""The API budget: one `Allowance` for each region, service and action, and the cloud's own count of deletions.

Nobody sleeps in here: a call without a token is told when there will be one. Time is an argument.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from l7lb.adapters.clb.allowance import Allowance
from l7lb.adapters.clb.deletions import DELETIONS_MAX, Deletions
from l7lb.errors import Throttled
from l7lb.model.lane import Lane

Budget: TypeAlias = tuple[str, str, str]
"""Region, service, action."""
QUOTAS: Mapping[tuple[str, str], float] = {
    ("ssl", "DescribeCertificates"): 10.0,
    ("ssl", "DescribeCertificateDetail"): 10.0,
    ("cvm", "DescribeInstances"): 40.0,
    ("vpc", "DescribeSubnets"): 100.0,
}
"""Documented requests a second where they are not 20 (API overview pages)."""
QUOTA_DEFAULT = 20.0
DELETE = "DeleteLoadBalancer"


@dataclass(frozen=True, slots=True)
class Pace:
    """How much of the quota is used: others in the same account call too. No second sees more than the quota."""

    share: float = 0.75
    """Of the documented quota: 15 a second for most actions."""
    burst: float = 0.25
    """Of the quota as well: calls that may go at once after a pause, 5 for most actions."""
    verify_share: float = 0.25
    """The most that `Lane.VERIFY` takes of our part."""
    second: float = 1.0
    """Of the quota of one second, what long lists may fill: those of the other shards have the rest."""

    @property
    def verifying(self) -> float:
        """Calls a second of most actions that `Lane.VERIFY` may make."""
        return QUOTA_DEFAULT * self.share * self.verify_share


def pace_of(share: float) -> Pace:
    """So much of the quota, above 0 and below 1."""
    return Pace(share, min(Pace().burst, share))


def divided(pace: Pace, parts: int) -> Pace:
    """One of so many equal parts."""
    return replace(pace, share=pace.share / parts, burst=pace.burst / parts, second=pace.second / parts)


def _unheard(_service: str, _action: str, _lane: Lane, _wait_s: float) -> None:
    """Nobody counts."""


@dataclass(slots=True)
class RateLimits:
    """All budgets of a process. `clock` gives monotonic seconds."""

    clock: Callable[[], float]
    pace: Pace = Pace()
    deletions_max: int = DELETIONS_MAX
    """In `deletions.DELETIONS_SPAN_S` and region."""
    on_wait: Callable[[str, str, Lane, float], None] = _unheard
    """Told service, action, lane and seconds whenever a call is refused here, for metrics."""
    _allowances: dict[Budget, Allowance] = field(default_factory=dict)
    _deletions: dict[str, Deletions] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(
        self, region: str, service: str, action: str, lane: Lane, *, borrow: bool = False, payer: Lane | None = None
    ) -> None:
        """Take a token, or raise Throttled with the wait.

        `borrow` takes it from the future: for the later reads of one pass, which would be worth nothing in pieces.
        `payer`: the lane that pays it back, if that is not its own.
        """
        now = self.clock()
        with self._lock:
            wait = self._of(region, service, action, now).take(lane, now, borrow=borrow, payer=payer)
        self._say(region, service, action, lane, wait)

    def take_deletion(self, region: str, load_balancer: str, lane: Lane) -> None:
        """As `take`, when its turn has come: the cloud has a count of its own for deletions."""
        now = self.clock()
        with self._lock:
            line = self._line(region)
            wait = line.wait_s(load_balancer, now)
            if wait <= 0:
                wait = self._of(region, "clb", DELETE, now).take(lane, now)
            if wait <= 0:
                line.sent(load_balancer, now)
        self._say(region, "clb", DELETE, lane, wait)

    def _say(self, region: str, service: str, action: str, lane: Lane, wait: float) -> None:
        """To the metrics and to the caller, unless there was a token."""
        if wait <= 0:
            return
        self.on_wait(service, action, lane, wait)
        raise Throttled(f"{action} in {region}: the API budget is used up", retry_after_s=wait)

    def give_back(self, region: str, action: str) -> None:
        """A deletion was refused, so it did not happen; other actions have nothing to give back."""
        with self._lock:
            if action == DELETE:
                self._line(region).give_back()

    def slow_down(self, region: str, service: str, action: str, *, sent: float, everywhere: bool = False) -> None:
        """The cloud refused for rate a call that was sent at `sent`. `everywhere`: it counts all regions together."""
        now = self.clock()
        with self._lock:
            self._of(region, service, action, now)
            for budget, allowance in self._allowances.items():
                if budget == (region, service, action) or (everywhere and budget[1:] == (service, action)):
                    allowance.complain(sent, now)

    def come_again(self, region: str, service: str, action: str, lane: Lane) -> float:
        """Seconds after which one that the cloud refused for rate may find a token."""
        now = self.clock()
        with self._lock:
            return self._of(region, service, action, now).come_again(lane, now)

    def no_deletions(self, region: str, seconds: float) -> None:
        """The cloud's own count of deletions in this region is full: others have deleted as well."""
        with self._lock:
            self._line(region).none_before(self.clock() + seconds)

    def rates(self) -> Mapping[Budget, float]:
        """Calls a second that may be made now, by region, service and action, as far as any was made."""
        now = self.clock()
        with self._lock:
            for allowance in self._allowances.values():
                allowance.look(now)
            return {budget: allowance.rate for budget, allowance in self._allowances.items()}

    def _of(self, region: str, service: str, action: str, now: float) -> Allowance:
        found = self._allowances.get((region, service, action))
        if found is None:
            quota = QUOTAS.get((service, action), QUOTA_DEFAULT)
            full, burst = quota * self.pace.share, max(1.0, quota * self.pace.burst)
            found = Allowance(quota, full, burst, self.pace.verify_share, now, self.pace.second)
            self._allowances[(region, service, action)] = found
        return found

    def _line(self, region: str) -> Deletions:
        return self._deletions.setdefault(region, Deletions(self.deletions_max))
