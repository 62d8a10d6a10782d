"""What is read of Pods: where they are, what gates them, and the few annotations that decide about a target."""

from typing import Final

import msgspec

from l7lb.model.cluster import LabelledMeta, Object, View

CUSTOM_WEIGHT: Final = "ingress.cloud.tencent.com/custom-weight"
NETWORKS: Final = "tke.cloud.tencent.com/networks"
KEPT_ANNOTATIONS: Final = (CUSTOM_WEIGHT, NETWORKS)
"""All others are dropped while decoding."""
READINESS_GATE: Final = "cloud.tencent.com/load-balancer-backendgroup-ready"
"""True once the pod is bound and healthy (contract, section 8.3)."""
BY_A_GATE: Final = "ReadinessGatesNotReady"
"""Reason of the Ready condition while only a gate holds it (kubelet)."""
OVER: Final = ("Succeeded", "Failed")
"""Phases in which no container runs and the address may be another pod's."""


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
    """status of a Pod; conditions are kept of gated pods only."""

    phase: str | None = None
    pod_ips: tuple[PodIP, ...] | None = msgspec.field(default=None, name="podIPs")
    conditions: tuple[PodCondition, ...] | None = None


class Pod(Object, frozen=True):
    """core/v1 Pod; of its annotations the adapter keeps only those that decide something."""

    metadata: LabelledMeta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def terminating(self) -> bool:
        """Whether it has a deletionTimestamp."""
        return self.metadata.deletion_timestamp is not None

    @property
    def over(self) -> bool:
        """Whether all its containers have ended for good."""
        return self.status.phase in OVER

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its own addresses; none while it has no network, and none for one that uses its node's."""
        return () if self.spec.host_network else tuple(one.ip for one in self.status.pod_ips or () if one.ip)

    @property
    def labels(self) -> dict[str, str]:
        """Never None."""
        return self.metadata.labels or {}

    @property
    def gated(self) -> bool:
        """Whether it waits to be bound and healthy before it is ready."""
        return any(gate.condition_type == READINESS_GATE for gate in self.spec.readiness_gates or ())

    @property
    def awaits_only_us(self) -> bool:
        """Whether nothing but our own gate keeps it from being ready."""
        return self.gated and self._is_well and self._said.get(READINESS_GATE) != "True"

    @property
    def is_ready_but_for_the_gate(self) -> bool:
        """Whether it would be ready without the gate, also while the kubelet has not seen yet that the gate is open.

        Its Ready condition tells that from a pod on a node that is lost, which keeps everything else it said.
        """
        if not (self.gated and self._is_well):
            return False
        if self._said.get(READINESS_GATE) != "True":
            return True
        ready = next((one for one in self.status.conditions or () if one.type == "Ready"), None)
        return ready is not None and (ready.status == "True" or ready.reason == BY_A_GATE)

    @property
    def _said(self) -> dict[str, str]:
        return {condition.type: condition.status for condition in self.status.conditions or ()}

    @property
    def _is_well(self) -> bool:
        """Containers and all gates but ours."""
        others = {gate.condition_type for gate in self.spec.readiness_gates or ()} - {READINESS_GATE}
        return all(self._said.get(kind) == "True" for kind in (*others, "ContainersReady"))
