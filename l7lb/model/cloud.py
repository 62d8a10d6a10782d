"""Answers of the cloud to a step, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from l7lb.model.identity import ListenerKey, LoadBalancerId, TaskId
from l7lb.model.loadbalancer import TargetKey


@dataclass(frozen=True, slots=True)
class Accepted:
    """A write was accepted. With a task it has happened only when the task ends well; without one it has happened."""

    task: TaskId | None = None
    load_balancer: LoadBalancerId | None = None
    """The id that `CreateLoadBalancer` named, if it named one; valid when the task ends well."""
    listeners: Mapping[ListenerKey, str] = field(default_factory=dict)
    """Ids that `CreateListener` named; valid when the task ends well."""
    complete: bool = True
    """False: a Batch call named listeners that failed; the observation is worth nothing now."""
    failed: tuple[str, ...] = ()
    """Ids of these listeners."""
    message: str = ""


class TaskStatus(Enum):
    """DescribeTaskStatus: 0, 1, 2; `UNKNOWN`: the cloud does not know the id (any more)."""

    SUCCEEDED = 0
    FAILED = 1
    RUNNING = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class TaskState:
    """What a task has come to."""

    status: TaskStatus
    message: str = ""
    load_balancers: tuple[LoadBalancerId, ...] = ()


class Health(Enum):
    """What the load balancer's own check says of a target (HealthStatusDetail)."""

    ALIVE = "Alive"
    DEAD = "Dead"
    UNKNOWN = "Unknown"
    """Still probing; it gets no traffic."""
    UNCHECKED = "Close"
    """The check is off; it gets traffic."""


@dataclass(frozen=True, slots=True)
class TargetHealth:
    """One bound target as `DescribeTargetHealth` shows it."""

    key: TargetKey
    health: Health
    weight: int | None = None


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """A certificate as the SSL service lists it (DescribeCertificates page)."""

    id: str
    authority: bool = False
    """A client CA; else a server certificate."""
    usable: bool = True
    """Issued, and neither refused, revoked nor expired."""
    expired: bool = False
    expires: float | None = None
    """Seconds since 1970; None: it does not say."""
