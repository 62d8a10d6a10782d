"""The Deployment that runs us: what its annotations say, and its end."""

import msgspec

from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.decode import Decoder
from l7lb.adapters.kube.transport import MERGE_PATCH, Request, Transport
from l7lb.model.cluster import Deployment
from l7lb.model.identity import ObjectKey

TIMEOUT_S = 10.0


class KubeWorkload:
    """For one Deployment."""

    def __init__(self, transport: Transport, key: ObjectKey) -> None:
        self._transport = transport
        self.key = key

    def read(self) -> Deployment:
        """As it is now; raises NotFound."""
        request = Request("GET", self._path, timeout_s=TIMEOUT_S, what=kinds.DEPLOYMENT.name)
        found: Deployment = Decoder(kinds.DEPLOYMENT).item(self._transport.request(request).body).object
        return found

    def stop(self) -> None:
        """Scale it to 0; its pods are not waited for. Raises NotFound. No guard: it is for those who do not lead."""
        request = Request(
            "PATCH",
            f"{self._path}/scale",
            body=msgspec.json.encode({"spec": {"replicas": 0}}),
            content_type=MERGE_PATCH,
            timeout_s=TIMEOUT_S,
            what=kinds.DEPLOYMENT.name,
        )
        self._transport.request(request)

    @property
    def _path(self) -> str:
        return kinds.DEPLOYMENT.object_path(self.key)
