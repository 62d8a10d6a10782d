"""The cluster as a user sees it: apply, read, edit and delete objects through the Kubernetes API.

Server-side apply does what `kubectl apply --server-side` does. The cloud is not known here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import yaml

from tests.demo.patience import Surprise
from tests.demo.wire import Json, ask

_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"


class Kind(NamedTuple):
    """Where objects of one kind are."""

    root: str
    plural: str
    namespaced: bool = True


_KINDS = {
    "Namespace": Kind("/api/v1", "namespaces", namespaced=False),
    "Node": Kind("/api/v1", "nodes", namespaced=False),
    "Service": Kind("/api/v1", "services"),
    "Secret": Kind("/api/v1", "secrets"),
    "Event": Kind("/api/v1", "events"),
    "EndpointSlice": Kind("/apis/discovery.k8s.io/v1", "endpointslices"),
    "Ingress": Kind("/apis/networking.k8s.io/v1", "ingresses"),
    "Lease": Kind("/apis/coordination.k8s.io/v1", "leases"),
}


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """One object by kind and name; the namespace is empty for kinds without."""

    kind: str
    namespace: str
    name: str

    @property
    def path(self) -> str:
        """Its path in the API."""
        return f"{collection(self.kind, self.namespace)}/{self.name}"

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


def collection(kind: str, namespace: str = "") -> str:
    """The path of all objects of a kind, in a namespace or in all."""
    root, plural, namespaced = _KINDS[kind]
    return f"{root}/namespaces/{namespace}/{plural}" if namespaced and namespace else f"{root}/{plural}"


def ref_of(document: Json) -> Ref:
    """Which object a manifest describes."""
    metadata = document["metadata"]
    kind = document["kind"]
    namespace = metadata.get("namespace", "default") if _KINDS[kind].namespaced else ""
    return Ref(kind, namespace, metadata["name"])


def documents(file: Path) -> list[Json]:
    """The manifests in a YAML file."""
    return [document for document in yaml.safe_load_all(file.read_text(encoding="utf-8")) if document]


class Cluster:
    """One API server that lets everybody in, as the emulator does."""

    def __init__(self, url: str) -> None:
        self.url = url

    def apply(self, document: Json, subresource: str = "") -> Ref:
        """Make the object as the manifest says, creating it if need be."""
        ref = ref_of(document)
        path = ref.path + (f"/{subresource}" if subresource else "")
        self._done("PATCH", f"{path}?fieldManager=demo&force=true", document, _APPLY)
        return ref

    def find(self, ref: Ref) -> Json | None:
        """The object, or None when there is none."""
        status, answer = ask(self.url, "GET", ref.path)
        if status == 404:
            return None
        return _checked("GET", ref.path, status, answer)

    def get(self, ref: Ref) -> Json:
        """The object; that there is none is a Surprise."""
        return self._done("GET", ref.path)

    def all(self, kind: str, namespace: str = "") -> Iterator[Json]:
        """Every object of a kind."""
        yield from self._done("GET", collection(kind, namespace))["items"]

    def annotate(self, ref: Ref, annotations: dict[str, str | None]) -> None:
        """Set annotations; None takes one off."""
        self._done("PATCH", f"{ref.path}?fieldManager=demo", {"metadata": {"annotations": annotations}}, _MERGE)

    def delete(self, ref: Ref) -> None:
        """Ask for deletion; finalizers may hold it."""
        self._done("DELETE", ref.path)

    def _done(self, method: str, path: str, body: object = None, content_type: str = "application/json") -> Json:
        return _checked(method, path, *ask(self.url, method, path, body, content_type))


def _checked(method: str, path: str, status: int, answer: Json) -> Json:
    if status >= 300:
        raise Surprise(f"Kubernetes answered {method} {path} with {status}: {answer.get('message', answer)}")
    return answer


def annotation(ingress: Json, name: str) -> str:
    """An annotation's value; empty when it is not there."""
    return str(ingress["metadata"].get("annotations", {}).get(name, ""))


def addresses(ingress: Json) -> list[str]:
    """What the status says about where the Ingress is reached."""
    entries = ingress.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    return [str(entry.get("ip") or entry.get("hostname")) for entry in entries]
