"""A small client of the API server for tests: plain requests, no caches, none of the product's code."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import urllib3
import yaml

Json = dict[str, Any]

PLURALS = {
    "Namespace": ("v1", "namespaces", False),
    "Node": ("v1", "nodes", False),
    "Service": ("v1", "services", True),
    "Secret": ("v1", "secrets", True),
    "ConfigMap": ("v1", "configmaps", True),
    "Event": ("v1", "events", True),
    "Pod": ("v1", "pods", True),
    "Deployment": ("apps/v1", "deployments", True),
    "Ingress": ("networking.k8s.io/v1", "ingresses", True),
    "IngressClass": ("networking.k8s.io/v1", "ingressclasses", False),
    "EndpointSlice": ("discovery.k8s.io/v1", "endpointslices", True),
    "Lease": ("coordination.k8s.io/v1", "leases", True),
    "TkeServiceConfig": ("cloud.tencent.com/v1alpha1", "tkeserviceconfigs", True),
    "MutatingWebhookConfiguration": (
        "admissionregistration.k8s.io/v1",
        "mutatingwebhookconfigurations",
        False,
    ),
    "CustomResourceDefinition": ("apiextensions.k8s.io/v1", "customresourcedefinitions", False),
}


class Refused(AssertionError):
    """The API server did not do it."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status


class Kube:
    """`url`, headers and CA file of an API server."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None, ca: Path | None = None) -> None:
        self.url = url
        self._headers = dict(headers or {})
        self._pool = urllib3.PoolManager(ca_certs=str(ca) if ca else None, retries=False, timeout=30.0)

    def create(self, obj: Json) -> Json:
        """As `kubectl create`."""
        return self._send("POST", self._path(obj["kind"], obj["metadata"].get("namespace", "")), obj)

    def create_all(self, documents: Iterable[Json]) -> list[Json]:
        """In order; namespaces that exist already are left."""
        made = []
        for document in documents:
            if document["kind"] == "Namespace" and self.find("Namespace", document["metadata"]["name"]):
                continue
            made.append(self.create(document))
        return made

    def find(self, kind: str, name: str, namespace: str = "") -> Json | None:
        """None when it is not there."""
        try:
            return self.get(kind, name, namespace)
        except Refused as refusal:
            if refusal.status == 404:
                return None
            raise

    def get(self, kind: str, name: str, namespace: str = "") -> Json:
        """One object."""
        return self._send("GET", f"{self._path(kind, namespace)}/{name}")

    def all(self, kind: str, namespace: str = "") -> list[Json]:
        """All objects of a kind."""
        found = self._send("GET", self._path(kind, namespace)).get("items") or []
        return [{"kind": kind, **item} for item in found]

    def patch(self, kind: str, name: str, namespace: str, change: Json, *, part: str = "") -> Json:
        """A merge patch; `part` is `status` or `scale`."""
        path = f"{self._path(kind, namespace)}/{name}" + (f"/{part}" if part else "")
        return self._send("PATCH", path, change, "application/merge-patch+json")

    def annotate(self, name: str, namespace: str, **annotations: str | None) -> Json:
        """Set or remove annotations of an Ingress; give names with `**{...}`."""
        return self.patch("Ingress", name, namespace, {"metadata": {"annotations": annotations}})

    def delete(self, kind: str, name: str, namespace: str = "") -> None:
        """Asked for, not waited for; gone already is fine."""
        try:
            self._send("DELETE", f"{self._path(kind, namespace)}/{name}")
        except Refused as refusal:
            if refusal.status != 404:
                raise

    def delete_now(self, kind: str, name: str, namespace: str = "") -> None:
        """Without grace; gone already is fine."""
        try:
            self._send("DELETE", f"{self._path(kind, namespace)}/{name}?gracePeriodSeconds=0")
        except Refused as refusal:
            if refusal.status != 404:
                raise

    def events(self, name: str, namespace: str) -> list[str]:
        """`Reason: message` of every Event about an object of this name."""
        return [
            f"{event['reason']}: {event['message']}"
            for event in self.all("Event", namespace)
            if event["involvedObject"]["name"] == name
        ]

    def _path(self, kind: str, namespace: str) -> str:
        version, plural, namespaced = PLURALS[kind]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        return f"{root}/namespaces/{namespace}/{plural}" if namespaced and namespace else f"{root}/{plural}"

    def _send(self, method: str, path: str, body: Json | None = None, content_type: str = "application/json") -> Json:
        answer = self._pool.request(
            method,
            self.url + path,
            body=json.dumps(body) if body is not None else None,
            headers={**self._headers, "Content-Type": content_type},
        )
        if answer.status >= 300:
            raise Refused(answer.status, answer.data.decode(errors="replace"))
        found: Json = json.loads(answer.data)
        return found


def documents(path: Path) -> list[Json]:
    """The manifests of a file."""
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]
