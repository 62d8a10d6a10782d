"""The Secret with the webhook's certificate and the configuration that tells the API server whom to trust.

Every write names the version that it was decided on and passes the guard right before it leaves.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from l7lb.adapters.kube.decode import MALFORMED
from l7lb.adapters.kube.transport import STRATEGIC_PATCH, Request, Transport
from l7lb.errors import NotFound, Unavailable
from l7lb.model.identity import ObjectKey
from l7lb.model.shapes import json_decoder

T = TypeVar("T")

TIMEOUT_S = 10.0
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"


@dataclass(frozen=True, slots=True)
class Shown:
    """What the Secret holds, PEM; empty where it has none."""

    version: str
    authority: bytes = b""
    certificate: bytes = b""
    key: bytes = b""

    def __repr__(self) -> str:
        return f"Shown(version={self.version!r})"


class _Meta(msgspec.Struct, frozen=True, rename="camel"):
    resource_version: str = ""


class _Secret(msgspec.Struct, frozen=True):
    metadata: _Meta
    data: dict[str, str] | None = None


class _Client(msgspec.Struct, frozen=True, rename="camel"):
    ca_bundle: str = ""


class _Hook(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    client_config: _Client = _Client()


class _Configuration(msgspec.Struct, frozen=True):
    metadata: _Meta
    webhooks: tuple[_Hook, ...] | None = None


class KubeWebhooks:
    """For one Secret and one MutatingWebhookConfiguration."""

    def __init__(
        self, transport: Transport, secret: ObjectKey, configuration: str, guard: Callable[[], None] | None = None
    ) -> None:
        """`guard` raises when we may not write: not the leader, too little of the lease left."""
        self._transport = transport
        self._secret = secret
        self._configuration = f"{CONFIGURATIONS}/{quote(configuration, safe='')}"
        self._guard = guard

    def read(self) -> Shown | None:
        """The Secret; None: there is none."""
        body = self._get(self._secret_path(self._secret.name), "Secret")
        if body is None:
            return None
        found = _decoded(body, _Secret)
        data = {name: base64.b64decode(text) for name, text in (found.data or {}).items()}
        parts = (data.get(name, b"") for name in ("ca.crt", "tls.crt", "tls.key"))
        return Shown(found.metadata.resource_version, *parts)

    def write(self, shown: Shown) -> None:
        """Make the Secret (version empty), or bring this version of it up to date; raises AlreadyExists, Conflict."""
        parts = {"ca.crt": shown.authority, "tls.crt": shown.certificate, "tls.key": shown.key}
        data = {name: base64.b64encode(content).decode() for name, content in parts.items()}
        if shown.version:
            change = {"metadata": {"resourceVersion": shown.version}, "data": data}
            self._send("PATCH", self._secret_path(self._secret.name), change, "Secret")
            return
        meta = {"name": self._secret.name, "namespace": self._secret.namespace}
        made = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": meta, "data": data}
        self._send("POST", self._secret_path(""), made, "Secret")

    def trust(self, authority: bytes) -> bool:
        """Let every webhook of the configuration trust this; whether something had to be written."""
        body = self._get(self._configuration, "MutatingWebhookConfiguration")
        if body is None:
            return False
        found, bundle = _decoded(body, _Configuration), base64.b64encode(authority).decode()
        wrong = [hook.name for hook in found.webhooks or () if hook.client_config.ca_bundle != bundle]
        if wrong:
            hooks = [{"name": name, "clientConfig": {"caBundle": bundle}} for name in wrong]
            change = {"metadata": {"resourceVersion": found.metadata.resource_version}, "webhooks": hooks}
            self._send("PATCH", self._configuration, change, "MutatingWebhookConfiguration")
        return bool(wrong)

    def _secret_path(self, name: str) -> str:
        root = f"/api/v1/namespaces/{quote(self._secret.namespace, safe='')}/secrets"
        return f"{root}/{quote(name, safe='')}" if name else root

    def _get(self, path: str, what: str) -> bytes | None:
        try:
            return self._transport.request(Request("GET", path, timeout_s=TIMEOUT_S, what=what)).body
        except NotFound as absence:
            if absence.what:
                return None
            raise Unavailable(f"{absence} (not from the API server)") from absence

    def _send(self, method: str, path: str, body: Mapping[str, Any], what: str) -> None:
        request = Request(
            method,
            path,
            body=msgspec.json.encode(body),
            content_type=STRATEGIC_PATCH if method == "PATCH" else "application/json",
            timeout_s=TIMEOUT_S,
            what=what,
        )
        self._transport.request(request, guard=self._guard)


def _decoded(body: bytes, form: type[T]) -> T:
    try:
        return json_decoder(form).decode(body)
    except MALFORMED as error:
        raise Unavailable(f"{form.__name__.strip('_')}: cannot be decoded: {error}") from error
