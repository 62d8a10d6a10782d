"""A plain HTTP client for the API server under test.

It uses no Kubernetes package, so that nothing hides what is on the wire.
"""

import itertools
import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import urllib3

Json: TypeAlias = dict[str, Any]
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

_names = itertools.count(1)


@dataclass(frozen=True)
class Answer:
    """One answer, decoded."""

    status: int
    body: Json
    headers: Mapping[str, str]

    @property
    def causes(self) -> set[tuple[str, str]]:
        """Reason and field of each cause of a refusal."""
        found = (self.body.get("details") or {}).get("causes") or []
        return {(cause["reason"], cause.get("field", "")) for cause in found}

    @property
    def items(self) -> list[str]:
        """Names of the objects of a list."""
        return [item["metadata"]["name"] for item in self.body["items"]]


@dataclass(frozen=True)
class KubeApi:
    """An API server and a namespace of one's own in it."""

    url: str
    headers: Mapping[str, str]
    ca: Path | None
    kubeconfig: Path
    is_real: bool
    namespace: str = "default"
    pool: urllib3.PoolManager = field(default_factory=urllib3.PoolManager, compare=False, repr=False)

    def ask(
        self, method: str, path: str, body: object = None, media: str = "application/json", accept: str = ""
    ) -> Answer:
        """One request; `{ns}` in the path is the test's own namespace."""
        headers = {**self.headers, "Content-Type": media}
        if accept:
            headers["Accept"] = accept
        encoded = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        raw = self.pool.request(
            method, self.url + path.replace("{ns}", self.namespace), body=encoded, headers=headers, retries=False
        )
        text = raw.data
        # The real server gives its OpenAPI index as plain text.
        is_json = text.startswith(b"{")
        return Answer(raw.status, json.loads(text) if is_json else {"text": text.decode()}, dict(raw.headers))

    def get(self, path: str, accept: str = "") -> Answer:
        """GET."""
        return self.ask("GET", path, accept=accept)

    def post(self, path: str, body: Json) -> Answer:
        """POST."""
        return self.ask("POST", path, body)

    def put(self, path: str, body: Json) -> Answer:
        """PUT."""
        return self.ask("PUT", path, body)

    def patch(self, path: str, body: object, media: str = MERGE) -> Answer:
        """PATCH, by default with a merge patch."""
        return self.ask("PATCH", path, body, media)

    def delete(self, path: str, body: Json | None = None) -> Answer:
        """DELETE."""
        return self.ask("DELETE", path, body)

    def made(self, path: str, body: Json) -> Json:
        """Create an object that cannot be refused."""
        answer = self.post(path, body)
        assert answer.status == 201, answer.body
        return answer.body

    def watch(self, path: str, seconds: int = 1) -> list[Json]:
        """All events until the server ends the watch after so many seconds."""
        return list(self.follow(path, seconds))

    def follow(self, path: str, seconds: int = 10) -> Generator[Json, None, None]:
        """Events of a watch as they come."""
        joint = "&" if "?" in path else "?"
        target = f"{self.url}{path.replace('{ns}', self.namespace)}{joint}watch=1&timeoutSeconds={seconds}"
        raw = self.pool.request("GET", target, headers=dict(self.headers), preload_content=False, retries=False)
        try:
            rest = b""
            for chunk in raw.stream(amt=None):
                *lines, rest = (rest + chunk).split(b"\n")
                yield from (json.loads(line) for line in lines if line)
        finally:
            raw.close()
            raw.release_conn()


def fresh_name(prefix: str = "x") -> str:
    """A name that no other test uses."""
    return f"{prefix}-{next(_names)}"


def config_map(name: str, **data: str) -> Json:
    """The simplest object there is."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def service(name: str, **spec: Any) -> Json:
    """A Service with one port."""
    body = {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": body}


def ingress(name: str, host: str = "shop.example.com", **spec: Any) -> Json:
    """An Ingress with one rule."""
    backend = {"service": {"name": "shop", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name},
        "spec": {"rules": [{"host": host, "http": {"paths": [path]}}], **spec},
    }


def lease(name: str, holder: str) -> Json:
    """A Lease as an elector writes it."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 30, "renewTime": "2026-01-01T00:00:00.000000Z"},
    }


CONFIG_MAPS = "/api/v1/namespaces/{ns}/configmaps"
SECRETS = "/api/v1/namespaces/{ns}/secrets"
SERVICES = "/api/v1/namespaces/{ns}/services"
EVENTS = "/api/v1/namespaces/{ns}/events"
PODS = "/api/v1/namespaces/{ns}/pods"
INGRESSES = "/apis/networking.k8s.io/v1/namespaces/{ns}/ingresses"
CLASSES = "/apis/networking.k8s.io/v1/ingressclasses"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases"
DEPLOYMENTS = "/apis/apps/v1/namespaces/{ns}/deployments"
