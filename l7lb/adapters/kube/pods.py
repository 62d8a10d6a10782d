"""Writes to Pods: the condition of our readiness gate. What is written when is decided elsewhere."""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.transport import STRATEGIC_PATCH, Request, Transport
from l7lb.model.pods import READINESS_GATE, Pod

TIMEOUT_S = 10.0


class KubePods:
    """Safe for threads. Every write passes the guard right before it leaves."""

    def __init__(self, transport: Transport, *, guard: Callable[[], None] | None = None) -> None:
        """`guard` raises when we may not write: not the leader, too little of the lease left."""
        self._transport = transport
        self._guard = guard

    def open_gate(self, pod: Pod, reason: str, message: str, at: float) -> None:
        """Set the condition of our readiness gate True; raises NotFound when the pod is gone, Conflict for another one.

        Conditions are merged by their type, so this one is added beside the kubelet's whatever the pod's version. The
        UID is what must not have changed.
        """
        condition = {
            "type": READINESS_GATE,
            "status": "True",
            "reason": reason,
            "message": message,
            "lastTransitionTime": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        request = Request(
            "PATCH",
            kinds.POD.object_path(pod.key) + "/status",
            body=msgspec.json.encode({"metadata": {"uid": pod.metadata.uid}, "status": {"conditions": [condition]}}),
            content_type=STRATEGIC_PATCH,
            timeout_s=TIMEOUT_S,
            what=kinds.POD.name,
        )
        self._transport.request(request, guard=self._guard)
