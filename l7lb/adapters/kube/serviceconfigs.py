"""Writes of the TkeServiceConfigs that are kept for Ingresses. What is written is decided elsewhere."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.transport import MERGE_PATCH, Request, Transport
from l7lb.model.cluster import TkeServiceConfig
from l7lb.model.identity import ObjectKey
from l7lb.model.writing import ObjectReference

TIMEOUT_S = 10.0
KIND = kinds.TKE_SERVICE_CONFIG


class KubeServiceConfigs:
    """Safe for threads. Every write passes the guard right before it leaves."""

    def __init__(self, transport: Transport, *, guard: Callable[[], None] | None = None) -> None:
        """`guard` raises when we may not write: not the leader, too little of the lease left."""
        self._transport = transport
        self._guard = guard

    def create(self, key: ObjectKey, owner: ObjectReference, spec: Mapping[str, object]) -> None:
        """A new object that goes with its owner; raises AlreadyExists, and NotFound where the kind is not served."""
        made = {
            "apiVersion": KIND.api_version,
            "kind": KIND.name,
            "metadata": {
                "namespace": key.namespace,
                "name": key.name,
                "ownerReferences": [
                    {"apiVersion": owner.api_version, "kind": owner.kind, "name": owner.key.name, "uid": owner.uid}
                ],
            },
            "spec": dict(spec),
        }
        self._send("POST", KIND.path(key.namespace), made)

    def patch(self, config: TkeServiceConfig, spec: Mapping[str, object]) -> None:
        """Merge into the spec of this very version; raises Conflict when it moved, NotFound when it is gone."""
        locked = {"resourceVersion": config.metadata.resource_version, "uid": config.metadata.uid}
        self._send("PATCH", KIND.object_path(config.key), {"metadata": locked, "spec": dict(spec)})

    def delete(self, config: TkeServiceConfig) -> None:
        """Exactly this object, and not one that was made in its place; raises NotFound and Conflict."""
        self._send("DELETE", KIND.object_path(config.key), {"preconditions": {"uid": config.metadata.uid}})

    def _send(self, method: str, path: str, body: dict[str, Any]) -> None:
        request = Request(
            method,
            path,
            body=msgspec.json.encode(body),
            content_type=MERGE_PATCH if method == "PATCH" else "application/json",
            timeout_s=TIMEOUT_S,
            what=KIND.name,
        )
        self._transport.request(request, guard=self._guard)
