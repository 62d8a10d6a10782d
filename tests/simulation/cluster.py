"""The cluster as its users and operators use it: `kubectl` in a few words, past all that the product does."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from tests.emulators.kube.emulator import KubeEmulator
from tests.emulators.kube.wire import Request, Response, copied
from tests.simulation.manifests import Json

T = TypeVar("T")

INGRESSES: Final = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses"
SERVICES: Final = "/api/v1/namespaces/shop/services"
NODES: Final = "/api/v1/nodes"
FINALIZER: Final = "l7lb.dev/load-balancer"
RECORD: Final = "l7lb.dev/record"
CONDITIONS: Final = "ingress.cloud.tencent.com/status.conditions"
LOAD_BALANCER_ID: Final = "kubernetes.io/ingress.qcloud-loadbalance-id"


@dataclass(frozen=True, slots=True)
class Seen:
    """An Ingress as its author sees it."""

    json: Json

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.json["metadata"]["name"])

    @property
    def uid(self) -> str:
        """Its UID."""
        return str(self.json["metadata"]["uid"])

    @property
    def annotations(self) -> dict[str, str]:
        """All of them."""
        return dict(self.json["metadata"].get("annotations") or {})

    @property
    def finalizers(self) -> list[str]:
        """All of them."""
        return list(self.json["metadata"].get("finalizers") or [])

    @property
    def deleting(self) -> bool:
        """Whether somebody has deleted it."""
        return "deletionTimestamp" in self.json["metadata"]

    @property
    def record(self) -> Json:
        """Our record; empty when absent."""
        return dict(json.loads(self.annotations.get(RECORD, "{}")))

    @property
    def condition(self) -> Json:
        """The Ready condition; empty when absent."""
        found: list[Json] = json.loads(self.annotations.get(CONDITIONS, "[]"))
        return next((one for one in found if one["type"] == "Ready"), {})

    @property
    def is_ready(self) -> bool:
        """Whether the Ready condition is true."""
        return self.condition.get("status") == "True"

    @property
    def why(self) -> str:
        """Reason and message of the Ready condition."""
        return f"{self.condition.get('reason', '')}: {self.condition.get('message', '')}"

    @property
    def addresses(self) -> list[str]:
        """IP or name of each entry of status.loadBalancer.ingress."""
        shown = (self.json.get("status") or {}).get("loadBalancer", {}).get("ingress") or []
        return [str(one.get("ip") or one.get("hostname")) for one in shown]


class Users:
    """Everybody but us who writes to the API server. Ingresses are in the namespace `shop`."""

    def __init__(self, emulator: KubeEmulator) -> None:
        self.emulator = emulator
        self.wrote_at = 0.0
        """When one of them last wrote; seconds since 1970."""

    def create(self, obj: Json) -> str:
        """As `kubectl create`; the UID."""
        self.wrote_at = self.emulator.world.time()
        uid: str = _past_faults(self.emulator, lambda: self.emulator.create(copied(obj)))["metadata"]["uid"]
        return uid

    def find(self, name: str = "shop") -> Json | None:
        """An Ingress as the API server has it."""
        response = _answer(self.emulator, Request.of("GET", f"{INGRESSES}/{name}"))
        return response.json() if response.status == 200 else None

    def ingress(self, name: str = "shop") -> Seen:
        """How it stands; it must be there."""
        return Seen(self.object(f"{INGRESSES}/{name}"))

    def patch(self, change: Json, name: str = "shop") -> None:
        """As a user edits: a merge patch without a version."""
        self.update(f"{INGRESSES}/{name}", change)

    def annotate(self, annotations: Mapping[str, str | None], name: str = "shop") -> None:
        """Set annotations, or remove them with None."""
        self.patch({"metadata": {"annotations": dict(annotations)}}, name)

    def rules(self, *rules: Json, name: str = "shop") -> None:
        """Edit the rules."""
        self.patch({"spec": {"rules": list(rules)}}, name)

    def delete(self, name: str = "shop") -> None:
        """As `kubectl delete --wait=false`."""
        self.wrote_at = self.emulator.world.time()
        assert _answer(self.emulator, Request.of("DELETE", f"{INGRESSES}/{name}")).status == 200

    def remove(self, path: str) -> None:
        """Delete any other object by its path."""
        self.wrote_at = self.emulator.world.time()
        assert _answer(self.emulator, Request.of("DELETE", path)).status == 200, path

    def update(self, path: str, change: Json) -> None:
        """Merge-patch any object by its path."""
        self.wrote_at = self.emulator.world.time()
        headers = {"Content-Type": "application/merge-patch+json"}
        response = _answer(self.emulator, Request.of("PATCH", path, change, headers))
        assert response.status == 200, response.body

    def fault(self, kind: str, verb: str = "patch", resource: str = "*", count: int = 1) -> None:
        """The API server goes wrong."""
        self.order({"kind": kind, "verb": verb, "resource": resource, "count": count})

    def order(self, body: Json) -> None:
        """A fault of the API server in all its members."""
        assert self.emulator.handle(Request.of("POST", "/_emulator/faults", body)).status == 200

    def object(self, path: str) -> Json:
        """Any object by its path; it must be there."""
        response = _answer(self.emulator, Request.of("GET", path))
        assert response.status == 200, response.body
        return response.json()

    def all(self, path: str) -> list[Json]:
        """All objects of a collection."""
        return list(self.object(path).get("items") or ())


def _past_faults(emulator: KubeEmulator, call: Callable[[], T]) -> T:
    """What goes wrong is meant for the product, not for its users, nor for those who look whether all is well."""
    controls = emulator.controls
    orders, controls.faults.orders = controls.faults.orders, []
    until, controls.out_until = controls.out_until, 0.0
    try:
        return call()
    finally:
        controls.faults.orders, controls.out_until = orders, until


def _answer(emulator: KubeEmulator, request: Request) -> Response:
    return _past_faults(emulator, lambda: emulator.handle(request))
