"""One text in one ConfigMap, kept for the next process. What it says is decided elsewhere.

The ConfigMap is made by whoever installs l7lb: a right to create could not be tied to its name.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.decode import Decoder
from l7lb.adapters.kube.transport import MERGE_PATCH, Request, Transport
from l7lb.model.cluster import ConfigMap
from l7lb.model.identity import ObjectKey

TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Kept:
    """What was read, and at which version."""

    text: str
    version: str


class KubeMemory:
    """Safe for threads."""

    def __init__(
        self, transport: Transport, key: ObjectKey, entry: str, *, guard: Callable[[], None] | None = None
    ) -> None:
        """`entry`: key in its data; `guard` raises when we may not write."""
        self._transport = transport
        self._key = key
        self._entry = entry
        self._guard = guard

    def read(self) -> Kept:
        """As it is now, empty while nothing was kept; raises NotFound when there is no such ConfigMap."""
        return self._send("GET", b"", None)

    def write(self, text: str, version: str) -> Kept:
        """Replace the text of this very version; raises Conflict when it moved, NotFound when it is gone."""
        patch = {"metadata": {"resourceVersion": version}, "data": {self._entry: text}}
        return self._send("PATCH", msgspec.json.encode(patch), self._guard)

    def _send(self, method: str, body: bytes, guard: Callable[[], None] | None) -> Kept:
        request = Request(
            method,
            kinds.CONFIG_MAP.object_path(self._key),
            body=body,
            content_type=MERGE_PATCH,
            timeout_s=TIMEOUT_S,
            what=kinds.CONFIG_MAP.name,
        )
        found: ConfigMap = Decoder(kinds.CONFIG_MAP).item(self._transport.request(request, guard=guard).body).object
        return Kept((found.data or {}).get(self._entry, ""), found.metadata.resource_version)
