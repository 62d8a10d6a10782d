"""Reads and writes of one Lease. Who may hold it, and until when, is the elector's business."""

from typing import Any

import msgspec

from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.decode import Decoder
from l7lb.adapters.kube.transport import MERGE_PATCH, Request, Transport
from l7lb.errors import NotFound, Unavailable
from l7lb.model.identity import ObjectKey
from l7lb.model.lease import LeaseRecord
from l7lb.model.marks import WANTED_BY

TIMEOUT_S = 5.0
"""Of every call: several must fit into the time in which a lease that cannot be renewed is given up."""


class KubeLeases:
    """One Lease, over a transport of its own."""

    def __init__(
        self, transport: Transport, key: ObjectKey, *, marked: bool = False, timeout_s: float = TIMEOUT_S
    ) -> None:
        """`marked`: who else wants it is written as well, as an annotation."""
        self._marked = marked
        self._transport = transport
        self._key = key
        self._timeout_s = timeout_s

    def get(self) -> LeaseRecord:
        """The Lease as it is now; raises NotFound only when the API server itself says that there is none."""
        try:
            return self._send("GET", kinds.LEASE.object_path(self._key))
        except NotFound as absence:
            if absence.what:
                raise
            raise Unavailable(f"{absence} (not from the API server)") from absence

    def create(self, record: LeaseRecord) -> LeaseRecord:
        """Write the first record; raises AlreadyExists when somebody was quicker."""
        lease = {
            "apiVersion": kinds.LEASE.api_version,
            "kind": kinds.LEASE.name,
            "metadata": {"namespace": self._key.namespace, "name": self._key.name},
            "spec": _spec(record),
        }
        return self._send("POST", kinds.LEASE.path(self._key.namespace), lease)

    def update(self, record: LeaseRecord) -> LeaseRecord:
        """Replace the record of `record.resource_version`; raises Conflict when it moved, NotFound when it is gone.

        A merge patch and not a PUT: that would drop labels, and would make a Lease anew that somebody deleted.
        """
        metadata: dict[str, Any] = {"resourceVersion": record.resource_version}
        if self._marked:
            metadata["annotations"] = {WANTED_BY: record.wanted_by or None}
        patch = {"metadata": metadata, "spec": _spec(record)}
        return self._send("PATCH", kinds.LEASE.object_path(self._key), patch)

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> LeaseRecord:
        request = Request(
            method,
            path,
            body=msgspec.json.encode(body) if body else b"",
            content_type=MERGE_PATCH if method == "PATCH" else "application/json",
            timeout_s=self._timeout_s,
            what=kinds.LEASE.name,
        )
        return Decoder(kinds.LEASE).item(self._transport.request(request).body).object


def _spec(record: LeaseRecord) -> dict[str, Any]:
    return {
        "holderIdentity": record.holder,
        "leaseDurationSeconds": record.duration_s,
        "acquireTime": record.acquire_time or None,
        "renewTime": record.renew_time or None,
        "leaseTransitions": record.transitions,
    }
