"""Many callers of one budget on a clock of their own: each comes when it was told to, a little late, and anew."""

import heapq
import random
from collections.abc import Callable, Sequence
from functools import partial

from l7lb.adapters.clb.loadbalancers import PAGE_WAIT_S_MAX
from l7lb.adapters.clb.ratelimit import Pace, RateLimits
from l7lb.errors import Throttled
from l7lb.model.lane import Lane

REGION = "ap-guangzhou"
LIST = "DescribeLoadBalancers"


class Street:
    """`waited`: of each pass that came to its end, by lane, the seconds from its first try to its last answer."""

    def __init__(self, pace: Pace, *, latency_s: float = 0.1) -> None:
        self.now = 0.0
        self.limits = RateLimits(lambda: self.now, pace)
        self.sent: dict[str, list[float]] = {}
        self.waited: dict[Lane, list[float]] = {lane: [] for lane in Lane}
        self.under_way = 0
        self.listed_s: list[float] = []
        self._latency_s = latency_s
        self._dice = random.Random(1)
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, when: float, deed: Callable[[], None]) -> None:
        """Do this then."""
        self._count += 1
        heapq.heappush(self._agenda, (when, self._count, deed))

    def run(self, until: float) -> None:
        """Let everybody do what is due by then."""
        while self._agenda and self._agenda[0][0] <= until:
            self.now, _, deed = heapq.heappop(self._agenda)
            deed()
        self.now = until

    def crowd(self, lane: Lane, reads: Sequence[str], per_s: float, until: float) -> None:
        """Passes that come by chance, so many a second."""
        if self.now > 0:
            self.come(lane, reads)
        when = self.now + self._dice.expovariate(per_s)
        if when < until:
            self.at(when, partial(self.crowd, lane, reads, per_s, until))

    def come(self, lane: Lane, reads: Sequence[str]) -> None:
        """One pass."""
        self.under_way += 1
        self._go_on(lane, reads, 0, self.now)

    def list_all(self, pages: int) -> None:
        """As the verifier does: a later page is waited for where it is."""
        self._turn_page(pages, 0, self.now)

    def _go_on(self, lane: Lane, reads: Sequence[str], place: int, began: float) -> None:
        if place == len(reads):
            self.under_way -= 1
            self.waited[lane].append(self.now - began)
            return
        wait = self._take(reads[place], lane, borrow=reads[place] in reads[:place])
        if wait > 0:
            self.at(self.now + wait + self._late(), partial(self._go_on, lane, reads, 0, began))
        else:
            self.at(self.now + self._latency_s, partial(self._go_on, lane, reads, place + 1, began))

    def _turn_page(self, pages: int, page: int, began: float) -> None:
        if page == pages:
            self.listed_s.append(self.now - began)
            return
        wait = self._take(LIST, Lane.VERIFY, borrow=page > 0, payer=Lane.VERIFY)
        pause = min(wait, PAGE_WAIT_S_MAX) + 1e-4 if wait > 0 else self._latency_s
        self.at(self.now + pause, partial(self._turn_page, pages, page if wait > 0 else page + 1, began))

    def _take(self, action: str, lane: Lane, *, borrow: bool, payer: Lane | None = None) -> float:
        try:
            self.limits.take(REGION, "clb", action, lane, borrow=borrow, payer=payer)
        except Throttled as refusal:
            return refusal.retry_after_s or 0.0
        self.sent.setdefault(action, []).append(self.now)
        return 0.0

    def _late(self) -> float:
        """Between the time that was named and the worker who takes the key."""
        return 0.001 + 0.05 * self._dice.random()
