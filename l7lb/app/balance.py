"""Who holds how many shards, and whether one should go to somebody else. What is known of others is what Leases say."""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final, Protocol

from l7lb.errors import L7lbError
from l7lb.model.lease import LeaseRecord
from l7lb.runtime.election import Elector, Lead, LeaseClient

_logger = logging.getLogger(__name__)

LOOK_S: Final = 5.0
TURN_S: Final = 1.0
"""So long for each shard that it holds a replica lets others take a free one first."""
LEFT_S: Final = 10.0
"""So long a shard that was let go for somebody is left to him."""
APART: Final = 2
"""Who holds so many less than another asks for one of his: a smaller difference would come back as another."""


class Place(Protocol):
    """One shard, as far as balancing goes: `app.seats.Seat`."""

    @property
    def elector(self) -> Elector:
        """The one that campaigns for it now, or holds it."""
        ...

    @property
    def leases(self) -> LeaseClient:
        """Its Lease."""
        ...


@dataclass(slots=True)
class Balance:
    """For one process. `courtesy` and `yields` may be asked from any thread; `step` is for one."""

    identity: str
    union: Lead
    monotonic: Callable[[], float]
    ready: Callable[[], bool]
    """Whether we could begin to work on a shard at once."""
    places: list[Place] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def held(self) -> int:
        """How many are ours."""
        now = self.monotonic()
        return sum(place.elector.holds(now) for place in self.places)

    def courtesy(self, record: LeaseRecord) -> float:
        """For how many seconds a free shard is left to others; infinite: while we could not work on it."""
        if not (self.union.holds(self.monotonic()) and self.ready()):
            return inf
        if record.wanted_by == self.identity:
            return 0.0
        return TURN_S * self.held() + (LEFT_S if record.wanted_by else 0.0)

    def yields(self, place: Place) -> bool:
        """Whether it is ours, and somebody who has asked for it is to have it."""
        record = place.elector.seen.record
        now = self.monotonic()
        if record is None or record.wanted_by in ("", self.identity) or not place.elector.holds(now):
            return False
        term = place.elector.term
        if term is None or not term.settled(now):
            return False  # it would be nobody's until it expires
        return self.held() - self._counts()[record.wanted_by] >= APART

    def step(self) -> None:
        """Ask for one of another's when he has too many; one at a time."""
        now = self.monotonic()
        if not (self.union.holds(now) and self.ready()):
            return
        counts, mine = self._counts(), self.held()
        rich = {holder for holder, count in counts.items() if count - mine >= APART}
        theirs = [(place, record) for place in self.places if (record := place.elector.seen.record) is not None]
        theirs = [(place, record) for place, record in theirs if record.holder in rich]
        if not theirs or any(record.wanted_by == self.identity for _, record in theirs):
            return
        place, record = max(theirs, key=lambda one: (counts[one[1].holder], not one[1].wanted_by))
        if record.wanted_by:
            return
        try:
            # What was seen last may be older than its holder's renewal, again and again: both keep a rhythm.
            fresh = place.leases.get()
            if fresh.holder != record.holder or fresh.wanted_by:
                return
            place.leases.update(replace(fresh, wanted_by=self.identity))
        except L7lbError as error:
            _logger.debug("a shard of %s could not be asked for: %s", record.holder, error)
            return
        _logger.info("asking %s, who holds %d shards, for one", record.holder, counts[record.holder])

    def run(self) -> None:
        """A thread's life: until `stop`."""
        while not self._stopping.wait(LOOK_S):
            self.step()

    def stop(self) -> None:
        """End `run`."""
        self._stopping.set()

    def _counts(self) -> Counter[str]:
        """Of others, by what was last seen of the Leases that are not over."""
        now, found = self.monotonic(), Counter[str]()
        for place in self.places:
            record = place.elector.seen.record
            alive = record is not None and record.holder and now < place.elector.seen.expiry(record)
            if record is not None and alive and record.holder != self.identity:
                found[record.holder] += 1
        return found
