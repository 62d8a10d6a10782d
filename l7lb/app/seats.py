"""The shards of one process: campaigned for, led while they are ours, and let go in order when another is to have one.

A Lease that is lost ends the process, as with one leader. A shard that is handed over ends as a process does that is
stopped: its passes drain, then its Lease is let go. What comes after is another campaign with another term.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from l7lb.app.balance import Balance
from l7lb.app.campaign import Campaign, Joint
from l7lb.app.door import Doorman
from l7lb.app.leadership import Leadership
from l7lb.app.leading import QueueSink
from l7lb.app.leading import Term as Led
from l7lb.app.quotas import Ratios, together
from l7lb.app.shards import shard_of
from l7lb.model.identity import BindingKey
from l7lb.model.lane import Lane
from l7lb.runtime.clock import Clock
from l7lb.runtime.election import Elector, Lead, LeaseClient, Term, WriteGuard
from l7lb.runtime.lifecycle import Died, Threads

_logger = logging.getLogger(__name__)

LOOK_S: Final = 0.5
DRAIN_S: Final = 25.0
"""Longer than a term takes to drain."""
LET_GO_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Router:
    """Where triggers put keys: to the shard of each."""

    sinks: tuple[QueueSink, ...]

    def add(self, key: BindingKey, lane: Lane, *, urgent: bool = False, after_s: float = 0.0) -> None:
        """Queue it where its shard is led, if that is here."""
        self.sinks[shard_of(key, len(self.sinks))].add(key, lane, urgent=urgent, after_s=after_s)

    def forget(self, uid: str) -> None:
        """An Ingress may have moved between shards."""
        for sink in self.sinks:
            sink.forget(uid)


@dataclass(frozen=True, slots=True)
class Means:
    """What a seat is made with."""

    leases: LeaseClient
    identity: str
    union: Lead
    clock: Clock
    door: Doorman
    leading: Callable[[Lead], Leadership]
    """A new leadership, for a lease and the agreement together."""
    end: Callable[[str], None]
    """Ends the process and does not come back."""


class Seat:
    """One shard in this process. `sit`, then `rise`, then `sit` again: by one thread; the rest by any."""

    def __init__(self, shard: int, means: Means, balance: Balance) -> None:
        self.shard = shard
        self._means = means
        self._balance = balance
        self._campaign, self._leadership = self._round()

    @property
    def elector(self) -> Elector:
        """Of the campaign that runs."""
        return self._campaign.elector

    @property
    def leases(self) -> LeaseClient:
        """Its Lease."""
        return self._means.leases

    @property
    def lead(self) -> Lead:
        """What counts: the shard and the agreement on how many there are."""
        return Joint(self._means.union, self._campaign.elector)

    @property
    def term(self) -> Term | None:
        """Of the lease."""
        return self.lead.term

    def holds(self, now: float) -> bool:
        """Whether it is ours."""
        return self.lead.holds(now)

    def remaining(self, now: float) -> float:
        """Seconds left of it."""
        return self.lead.remaining(now)

    @property
    def leadership(self) -> Leadership:
        """Of this campaign."""
        return self._leadership

    def sit(self, died: Died) -> None:
        """Campaign, and lead when it is ours."""
        self._campaign.part.start(died)
        self._leadership.start(died)

    def rise(self) -> bool:
        """Drain and let the Lease go; False when something still runs: then the Lease is left as it is."""
        if not self._leadership.stop(DRAIN_S):
            return False
        return self._campaign.part.stop(LET_GO_S)

    def renew(self) -> None:
        """For another campaign, which knows nothing of the one before."""
        self._campaign, self._leadership = self._round()

    def _round(self) -> tuple[Campaign, Leadership]:
        means = self._means
        campaign = Campaign(means.leases, means.identity, means.clock, wait=True, on_lost=means.end)
        campaign.elector.courtesy = self._balance.courtesy
        joint = Joint(means.union, campaign.elector)
        means.door.guard = WriteGuard(joint, means.clock)
        return campaign, means.leading(joint)


@dataclass(slots=True)
class Fleet:
    """All seats of a process, as one part of it."""

    seats: tuple[Seat, ...]
    balance: Balance
    end: Callable[[str], None]
    name: str = "shards"
    only_after_drain: bool = False
    _stopping: threading.Event = field(default_factory=threading.Event)
    _undrained: set[int] = field(default_factory=set)
    _threads: Threads | None = None

    @property
    def terms(self) -> tuple[Led, ...]:
        """Those of the shards that are led here."""
        return tuple(term for seat in self.seats for term in seat.leadership.terms)

    @property
    def problem(self) -> str:
        """Why a shard that is ours cannot be led."""
        return "; ".join(dict.fromkeys(seat.leadership.problem for seat in self.seats if seat.leadership.problem))

    def quotas(self) -> Ratios:
        """How much of each quota is in use, as far as we know."""
        return together(seat.leadership.quotas() for seat in self.seats)

    def start(self, died: Died) -> None:
        """Returns at once."""
        loops: dict[str, Callable[[], object]] = {
            f"shard-{seat.shard}": partial(self._live, seat, died) for seat in self.seats
        }
        self._threads = Threads(self.name, {**loops, "balance": self.balance.run}, self._ask)
        self._threads.start(died)

    def stop(self, timeout_s: float) -> bool:
        """Drain all shards at the same time, and let each go that has drained."""
        stopped = self._threads is None or self._threads.stop(timeout_s)
        return stopped and not self._undrained

    def _ask(self) -> None:
        self.balance.stop()
        self._stopping.set()

    def _live(self, seat: Seat, died: Died) -> None:
        while True:
            seat.sit(died)
            while not self._stopping.wait(LOOK_S):
                if self.balance.yields(seat):
                    break
            if not self._stopping.is_set():
                record = seat.elector.seen.record
                _logger.info("shard %d is handed over to %s", seat.shard, record.wanted_by if record else "")
            risen = seat.rise()
            if self._stopping.is_set():
                if not risen:
                    self._undrained.add(seat.shard)
                return
            if not risen:
                self.end(f"shard {seat.shard} could not be handed over: something of it still runs")
                return
            seat.renew()
