"""What is read of Pods: where they are, what gates them, and the few annotations that decide about a target."""

import msgspec

from l7lb.model.cluster import Object, View


class PodReadinessGate(View, frozen=True):
    """One entry of spec.readinessGates."""

    condition_type: str = ""


class PodCondition(View, frozen=True):
    """One condition of a Pod."""

    type: str = ""
    status: str = ""
    reason: str | None = None


class PodIP(View, frozen=True):
    """One entry of status.podIPs."""

    ip: str = ""


class PodSpec(View, frozen=True):
    """spec of a Pod."""

    node_name: str | None = None
    host_network: bool | None = None
    readiness_gates: tuple[PodReadinessGate, ...] | None = None


class PodStatus(View, frozen=True):
    """status of a Pod."""

    phase: str | None = None
    pod_ips: tuple[PodIP, ...] | None = msgspec.field(default=None, name="podIPs")
    conditions: tuple[PodCondition, ...] | None = None


class Pod(Object, frozen=True):
    """core/v1 Pod; of its annotations and labels the adapter keeps only those that decide something."""

    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def terminating(self) -> bool:
        """Whether it has a deletionTimestamp."""
        return self.metadata.deletion_timestamp is not None
