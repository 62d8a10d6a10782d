"""What was seen of a Lease, and since when: by our own clock alone. Deciding and asking are for the elector."""

from dataclasses import replace
from datetime import UTC, datetime

from l7lb.model.lease import LeaseRecord
from l7lb.runtime.clock import Clock
from l7lb.runtime.store import newer


class Sighting:
    """The Lease as last seen, and since when its words have been so. Its owner holds a lock."""

    def __init__(self, identity: str, lease_s: int) -> None:
        self._identity = identity
        self._lease_s = lease_s
        self.record: LeaseRecord | None = None
        self.is_alive = False
        """Whether its words have changed while we looked: whoever holds it lives."""
        self._is_current = False
        self._since = 0.0

    def note(self, record: LeaseRecord, now: float) -> None:
        """Keep the newest version; a lease runs from when its words changed, not from when its metadata did."""
        known = self.record
        if known is None or _words(known) != _words(record):
            self._since = now
            self.is_alive = known is not None
        self.record, self._is_current = record, True

    def outdated(self) -> None:
        """The Lease has moved: look again before anything else."""
        self._is_current = False

    def expiry(self, record: LeaseRecord) -> float:
        """When the lease is over if it does not change."""
        return self._since + max(self._lease_s, record.duration_s)

    def free_since(self, record: LeaseRecord) -> float:
        """When it became free, once it is: let go, or over."""
        return self._since if record.holder in ("", self._identity) else self.expiry(record)

    def anothers(self, now: float) -> float:
        """Seconds for which a holder that was seen may still believe in its lease, whatever became of the object."""
        if self.record is None or self.record.holder in ("", self._identity):
            return 0.0
        return max(0.0, self.expiry(self.record) - now)

    def is_free(self, now: float) -> bool:
        """Nobody's; or ours, from an answer that was lost; or over."""
        if self.record is None or not self._is_current:
            return False
        return self.record.holder in ("", self._identity) or now >= self.expiry(self.record)


def _words(record: LeaseRecord) -> LeaseRecord:
    """What only a holder changes: a lease does not live on for a mark that somebody else has made."""
    return replace(record, resource_version="", wanted_by="")


def went_back(known: LeaseRecord | None, found: LeaseRecord) -> bool:
    """Whether a read of the newest state is older than what was there before: the API server was set back.

    What our caches hold, and what we remember of our own writes, is then of a time that was undone.
    """
    if known is None or not (known.resource_version.isdecimal() and found.resource_version.isdecimal()):
        return False
    return newer(known.resource_version, found.resource_version)


def stamped(record: LeaseRecord, clock: Clock, holder: str, duration_s: int) -> LeaseRecord:
    """The record as this holder writes it now; without a holder: as it is let go."""
    now = datetime.fromtimestamp(clock.time(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    is_same = record.holder == holder
    return replace(
        record,
        holder=holder,
        duration_s=duration_s,
        acquire_time=record.acquire_time if is_same or not holder else now,
        renew_time=now,
        transitions=record.transitions + (0 if is_same or not holder or not record.resource_version else 1),
        wanted_by=record.wanted_by if is_same or not holder else "",
    )
