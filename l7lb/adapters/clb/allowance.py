"""How often one action may be called in one region: tokens, a rate that learns, and turns between the lanes.

The quota is the account's, and others in it call too. So the rate goes down by half when the cloud complains, once for
all calls that were on their way, and comes back in three parts: quickly to a little below where the complaint came,
then it stays there, then slowly up. Against a neighbour who takes a part for good that is one complaint a cycle of
about 40 s instead of one every few seconds. Time is an argument; nobody sleeps in here.
"""

from collections import deque
from dataclasses import dataclass, field
from math import ceil, inf
from typing import Final

from l7lb.model.lane import Lane

CATCH_UP_S: Final = 5.0
"""So long after a complaint the rate is back at `KNEE` of what it was."""
HOLD_S: Final = 30.0
"""So long it stays there."""
CLIMB_S: Final = 60.0
"""From there it would take so long from nothing to all of it."""
RECOVERY_S_MAX: Final = CATCH_UP_S + HOLD_S + CLIMB_S
"""The whole rate is back so long after the last complaint, whatever there was before."""
KNEE: Final = 0.9
FLOOR: Final = 1 / 15
"""Of the whole rate, one call a second for most actions: what is always tried."""
WAIT_S_MAX: Final = 60.0
AT_ONCE: Final = 5
"""So many calls have room for what is borrowed, however low the rate: else a pass would never end."""
OWED_MAX: Final = 10.0
"""So many calls at most are paid back by `Lane.VERIFY`: after a hundred pages it would stand still for minutes."""
LATE: Final = 1.5
"""So many tokens are kept at least while nobody comes: with one, who comes a little late for it has the next one come a
little early, is refused and goes to the end of the line, and a quarter of all tokens is lost."""
GRACE_S: Final = 0.25
"""So long a token is kept for the lane that was told when to come for it."""
WAY_S: Final = 0.25
"""So long a long list gives way to those who were told to come."""
_WHOLE: Final = 1.0 - 1e-9
"""A hair's breadth below one token is one token: else rounding answers with waits of 1e-16 s."""
_TURNS: Final = {
    Lane.CHANGE: (Lane.REMOVALS, Lane.ENDPOINTS, Lane.ARRIVALS),
    Lane.REMOVALS: (Lane.CHANGE,),
    Lane.ENDPOINTS: (Lane.CHANGE,),
    Lane.ARRIVALS: (Lane.CHANGE,),
    Lane.VERIFY: (),
}
"""With whom a lane takes turns."""
_FIRST: Final = {
    Lane.CHANGE: (),
    Lane.REMOVALS: (),
    Lane.ENDPOINTS: (Lane.REMOVALS,),
    Lane.ARRIVALS: (Lane.REMOVALS, Lane.ENDPOINTS),
    Lane.VERIFY: (Lane.CHANGE, Lane.REMOVALS, Lane.ENDPOINTS, Lane.ARRIVALS),
}
"""To whom it leaves all that they wait for."""


@dataclass(slots=True)
class Allowance:
    """Not for several threads: its owner holds a lock.

    In no second does it let more than `quota` calls through, borrowed ones counted, whatever `full` and `burst` are.
    """

    quota: float
    """What the cloud allows in a second."""
    full: float
    """What we take of it in a second."""
    burst: float
    """Calls that may go at once after a pause."""
    verify_share: float
    """The most that `Lane.VERIFY` takes of the rate as it is now."""
    at: float
    second: float = 1.0
    """Of the quota of one second, what long lists may fill; the reads of one pass may fill all of it."""
    rate: float = 0.0
    """Calls a second, as of the last look."""
    _tokens: float = 0.0
    _spare: float = 0.0
    """Tokens that `Lane.VERIFY` may use."""
    _ceiling: float = 0.0
    _halved: float = -inf
    _base: float = 0.0
    _last: Lane = Lane.ENDPOINTS
    _due: dict[Lane, deque[float]] = field(default_factory=lambda: {lane: deque() for lane in Lane})
    """Times that were named to callers that were refused; spreads their return."""
    _sent: deque[float] = field(default_factory=deque)
    """Of the last second."""

    def __post_init__(self) -> None:
        self.rate = self._ceiling = self._base = self.full
        self._tokens, self._spare = self.burst, self._spare_max

    def take(self, lane: Lane, now: float, *, borrow: bool = False, payer: Lane | None = None) -> float:
        """Take a token (0.0), or take nothing and be told in how many seconds to come again.

        `borrow`: if need be one of the future, as long as the quota of this second is not used up.
        `payer`: the lane that pays it back, if that is not its own.
        """
        self.look(now)
        # Targets that are gone do not wait for a token, and a pass that is about them must not be taken apart. Of a
        # flood each that is beyond the burst does, and still leaves little to others.
        borrow = borrow or (lane is Lane.REMOVALS and self._tokens > -self.burst)
        wait = self._borrowing(lane, now) if borrow else self._asking(lane, now)
        if wait > 0:
            return self._named(lane, now, wait)
        if (payer or lane) is Lane.VERIFY:
            # What it borrows it alone pays back: a list of many pages must not hold up who changes something.
            if self._spare >= _WHOLE:
                self._tokens = max(self._tokens - 1.0, min(self._tokens, 0.0))
            self._spare = max(self._spare - 1.0, -OWED_MAX)
        else:
            self._tokens -= 1.0
            self._last = lane
        if self._due[lane]:
            self._due[lane].popleft()
        self._sent.append(now)
        return 0.0

    def complain(self, sent: float, now: float) -> None:
        """The cloud refused a call that was sent at `sent`: half the rate, unless that was done since."""
        self.look(now)
        if sent <= self._halved:
            return
        self._ceiling, self._halved = self.rate, now
        self._base = self.rate = max(self.full * FLOOR, self.rate / 2)
        self._tokens, self._spare = min(self._tokens, 0.0), min(self._spare, 0.0)

    def come_again(self, lane: Lane, now: float) -> float:
        """In how many seconds there may be a token for one that the cloud has refused."""
        self.look(now)
        return self._named(lane, now, max(self._lacking(lane, now), 1.0 / self.rate))

    def look(self, now: float) -> None:
        """Account for the time since the last look."""
        passed = max(0.0, now - self.at)
        self._tokens = min(max(LATE, self.burst), self._tokens + passed * self.rate)
        self._spare = min(self._spare_max, self._spare + passed * self.rate * self.verify_share)
        self.at = max(now, self.at)
        self.rate = self._recovered(now - self._halved)
        while self._sent and self._sent[0] <= now - 1.0:
            self._sent.popleft()
        for line in self._due.values():
            while line and line[0] < now - GRACE_S:
                line.popleft()

    @property
    def _spare_max(self) -> float:
        return max(LATE, self.burst * self.verify_share)

    def _recovered(self, since: float) -> float:
        """The rate so long after the last complaint."""
        knee = min(self.full, max(self._base, KNEE * self._ceiling))
        if since < CATCH_UP_S:
            return self._base + (knee - self._base) * since / CATCH_UP_S
        return min(self.full, knee + self.full * max(0.0, since - CATCH_UP_S - HOLD_S) / CLIMB_S)

    def _asking(self, lane: Lane, now: float) -> float:
        """Seconds until there is a token and this second has room for what the rate gives, borrowed or not."""
        return max(self._crowded(now, least=ceil(self.rate)), self._lacking(lane, now))

    def _borrowing(self, lane: Lane, now: float) -> float:
        """Seconds until one more may be borrowed: a second has room for all reads of one pass, not for a long list."""
        whole = int(max(AT_ONCE, self.quota * self.rate / self.full))
        if lane is not Lane.VERIFY:
            return self._crowded(now, least=whole)
        if self._spare - _WHOLE >= -OWED_MAX:
            return self._crowded(now, least=min(whole, int(OWED_MAX)))
        return self._in_the_way(now)

    def _in_the_way(self, now: float) -> float:
        """As `_crowded`, but within the rate, and counting those who were told to come within a second.

        Who reads a long list is there whenever a place becomes free: without this nobody else would have one.
        """
        told = (max(slot, now) for first in _FIRST[Lane.VERIFY] for slot in self._due[first] if slot < now + 1.0)
        times = sorted((*self._sent, now, *told))
        crowded = any(last - first < 1.0 for first, last in zip(times, times[ceil(self.rate) :], strict=False))
        return max(WAY_S if crowded else 0.0, self._crowded(now))

    def _crowded(self, now: float, least: int = 1) -> float:
        """Seconds until this second has room for one more; 0 while it has. It has room for `least`."""
        room = int(max(least, self.burst, self.quota * self.second * self.rate / self.full))
        return self._sent[-room] + 1.0 - now + 1e-6 if len(self._sent) >= room else 0.0

    def _lacking(self, lane: Lane, now: float) -> float:
        """Seconds until there is a token that nobody before us waits for; 0: there is one."""
        if lane is Lane.VERIFY and self._spare < _WHOLE:
            return (1.0 - self._spare) / (self.rate * self.verify_share)
        others = sum(slot <= now for first in _FIRST[lane] for slot in self._due[first])
        if (self._last is Lane.CHANGE) is (lane is Lane.CHANGE):
            others += any(self._due[rival] and self._due[rival][0] <= now for rival in _TURNS[lane])
        need = others + _WHOLE
        return (others + 1.0 - self._tokens) / self.rate if self._tokens < need else 0.0

    def _named(self, lane: Lane, now: float, wait: float) -> float:
        """A time that was not named to another of this lane."""
        line = self._due[lane]
        rate = self.rate * (self.verify_share if lane is Lane.VERIFY else 1.0)
        slot = max(now + wait, line[-1] + 1.0 / rate if line else 0.0)
        slot = min(slot, now + max(wait, WAIT_S_MAX))
        line.append(slot)
        return slot - now
