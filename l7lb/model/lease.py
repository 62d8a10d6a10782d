"""What a Lease says: the words between the elector and the Kubernetes adapter."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """The spec of a coordination.k8s.io/v1 Lease and the version at which it was read.

    Times are RFC 3339 text with microseconds, UTC (`2026-11-22T10:00:00.000000Z`), and are written for people only: an
    elector judges another's lease by its own clock and by whether the record changed.
    """

    holder: str
    """holderIdentity; empty: nobody holds it."""
    duration_s: int
    """leaseDurationSeconds."""
    acquire_time: str = ""
    renew_time: str = ""
    transitions: int = 0
    """leaseTransitions: how often the holder changed."""
    resource_version: str = ""
    """Empty: not read from the API server yet."""
    wanted_by: str = ""
    """Another than the holder who asks for it; empty: nobody does."""
