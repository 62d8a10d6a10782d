"""The Lease of the cluster for the length of a command: taken when nobody renews it, let go at its end.

A command that writes excludes `l7lb run` in the same way as two replicas exclude each other.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from l7lb.adapters.kube.leases import KubeLeases
from l7lb.app.campaign import Campaign, lease_key
from l7lb.app.config import Config
from l7lb.app.connections import Connections, identity
from l7lb.app.leadership import trusted_from
from l7lb.errors import LostLeadership, NotFound
from l7lb.runtime.clock import Clock
from l7lb.runtime.election import LATE_WRITE_S, LeaseClient, Timing, WriteGuard
from l7lb.runtime.lifecycle import end_process

LOOK_S: Final = 0.5
RENEWED_S: Final = 7.0
"""A holder that lives renews within this time."""
STOP_S: Final = 10.0
TAKEN_S_MAX: Final = Timing().lease_s + RENEWED_S
WAIT_S_MAX: Final = RENEWED_S + TAKEN_S_MAX + LATE_WRITE_S
"""For a holder that has died: a look at it, the rest of its lease, and a write of its that may be on its way."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a command waits for before it writes."""

    lease: str
    holder: str
    at_most_s: float

    def __str__(self) -> str:
        return (
            f"waiting for the Lease {self.lease}, which {self.holder} has: until it is let go or has expired, "
            f"{self.at_most_s:.0f} s at most"
        )


Waits = Callable[[Waiting], None]


def in_silence(_waiting: Waiting) -> None:
    """Nobody hears."""


@contextmanager
def holding(config: Config, connections: Connections, clock: Clock, waits: Waits = in_silence) -> Iterator[WriteGuard]:
    """Raises LostLeadership when somebody renews the Lease; waits for the end of one that nobody renews any more."""
    key, sleep = lease_key(config.cluster_id), time.sleep
    leases = KubeLeases(connections.lease, key)
    refuse_a_living_holder(leases, str(key), sleep, waits)
    campaign = Campaign(leases, identity(), clock, wait=True, on_lost=end_process)
    campaign.part.start(lambda name, error: end_process(f"{name} has died: {error}"))
    try:
        _await(campaign, str(key), clock, sleep)
        yield campaign.guard
    finally:
        campaign.part.stop(STOP_S)


def refuse_a_living_holder(
    leases: LeaseClient, name: str, sleep: Callable[[float], None] = time.sleep, waits: Waits = in_silence
) -> None:
    """Raises LostLeadership when the Lease is held and its record moves while we look; `waits` hears of it at once."""
    try:
        first = leases.get()
    except NotFound:
        return
    if first.holder:
        waits(Waiting(name, first.holder, WAIT_S_MAX))
    looked_s = 0.0
    while first.holder and looked_s < RENEWED_S:
        sleep(LOOK_S)
        looked_s += LOOK_S
        try:
            now = leases.get()
        except NotFound:
            return
        if not now.holder:
            return
        if (now.holder, now.renew_time) != (first.holder, first.renew_time):
            raise LostLeadership(
                f"l7lb run holds the Lease {name} ({now.holder}): scale its Deployment to 0 first, then try again"
            )


def _await(campaign: Campaign, name: str, clock: Clock, sleep: Callable[[float], None]) -> None:
    elector = campaign.elector
    deadline = clock.monotonic() + TAKEN_S_MAX
    while not elector.holds(clock.monotonic()):
        if clock.monotonic() > deadline:
            raise LostLeadership(f"the Lease {name} cannot be taken: somebody else holds it")
        sleep(LOOK_S)
    early_s = trusted_from(elector.term) - clock.monotonic()
    if early_s > 0:
        # A write of the holder before us may still be on its way.
        sleep(early_s)
