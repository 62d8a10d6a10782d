"""Facts about the cluster as a whole, read once at start."""

from dataclasses import dataclass

import msgspec

from l7lb.adapters.kube.decode import MALFORMED
from l7lb.adapters.kube.transport import Request, Response, Transport
from l7lb.errors import Unavailable
from l7lb.model.cluster import Object
from l7lb.model.shapes import json_decoder


@dataclass(frozen=True, slots=True)
class ServerVersion:
    """What the API server says it is; `minor` without the `+` of some vendors."""

    major: int
    minor: int
    text: str


class _Version(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    major: str
    minor: str
    git_version: str


class KubeCluster:
    """Safe for threads."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def uid(self) -> str:
        """The UID of the kube-system namespace: the cluster's identity for as long as it lives."""
        response = self._get("/api/v1/namespaces/kube-system", "Namespace")
        try:
            uid = json_decoder(Object).decode(response.body).metadata.uid
        except MALFORMED as error:
            raise Unavailable(f"Namespace kube-system: the answer cannot be decoded: {error}") from error
        if not uid:
            raise Unavailable("Namespace kube-system: the answer has no uid")
        return uid

    def version(self) -> ServerVersion:
        """The version of the API server."""
        response = self._get("/version", "version")
        try:
            said = json_decoder(_Version).decode(response.body)
            return ServerVersion(int(said.major), int(said.minor.rstrip("+")), said.git_version)
        except MALFORMED as error:
            raise Unavailable(f"version: the answer cannot be decoded: {error}") from error

    def _get(self, path: str, what: str) -> Response:
        return self._transport.request(Request("GET", path, timeout_s=10, what=what))
