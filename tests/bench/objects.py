"""Ingresses and slices as an API server writes them: 3.1 KB and, with 100 endpoints, 28 KB of JSON each.

Bytes with places for what differs between two versions, so that a server need not encode while it is measured against.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from tests.soak import memory

Json = dict[str, Any]
VERSION: Final = "@version@"
REVISION: Final = "@revision@"
"""Stands where a change that matters is made: an annotation of an Ingress, whether an endpoint of a slice is ready."""
TRUTH: Final = "@truth@"
"""Becomes REVISION without quotation marks, for `true` and `false`."""
MANAGER: Final = {
    "manager": "kube-controller-manager", "operation": "Update", "apiVersion": "networking.k8s.io/v1",
    "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1",
    "fieldsV1": {
        "f:metadata": {"f:annotations": {".": {}, "f:kubernetes.io/ingress.class": {}, "f:example.com/revision": {}},
                       "f:finalizers": {".": {}, 'v:"l7lb.dev/load-balancer"': {}},
                       "f:labels": {".": {}, "f:app.kubernetes.io/name": {}, "f:app.kubernetes.io/part-of": {}}},
        "f:spec": {"f:defaultBackend": {}, "f:ingressClassName": {}, "f:rules": {}, "f:tls": {}},
        "f:status": {"f:loadBalancer": {"f:ingress": {}}},
    },
}  # fmt: skip
"""Nobody reads it, and every object of a real server has it, some twice."""


@dataclass(frozen=True, slots=True)
class Template:
    """One object, encoded; `object` writes in what differs."""

    parts: tuple[bytes, ...]

    def object(self, version: int, revision: str) -> bytes:
        """Its JSON."""
        words = {VERSION.encode(): str(version).encode(), REVISION.encode(): revision.encode()}
        return b"".join(words.get(part, part) for part in self.parts)


def template(value: Json) -> Template:
    """Cut where something is to be written in."""
    text = json.dumps(value, separators=(",", ":")).replace(f'"{TRUTH}"', REVISION)
    return Template(tuple(part.encode() for part in re.split(f"({VERSION}|{REVISION})", text)))


def ingress(number: int) -> Template:
    """Two hosts with two paths each, with a certificate and an address."""
    backend = {"service": {"name": f"service-{number:05}", "port": {"number": 80}}}
    paths = [{"path": path, "pathType": "Prefix", "backend": backend} for path in ("/", "/api")]
    hosts = [f"h{number:05}.example.com", f"www.h{number:05}.example.com"]
    annotations = {
        "kubernetes.io/ingress.class": "qcloud", "example.com/revision": REVISION,
        "kubernetes.io/ingress.qcloud-loadbalance-id": f"lb-{number:08x}",
    }  # fmt: skip
    meta = memory.metadata(number, "ingress", annotations=annotations, resourceVersion=VERSION, generation=3)
    meta |= {"managedFields": [MANAGER, MANAGER], "finalizers": ["l7lb.dev/load-balancer"]}
    spec = {
        "rules": [{"host": host, "http": {"paths": paths}} for host in hosts],
        "tls": [{"hosts": hosts, "secretName": f"certificate-{number:05}"}],
    }
    annotations["kubectl.kubernetes.io/last-applied-configuration"] = json.dumps({"spec": spec})
    status = {"loadBalancer": {"ingress": [{"ip": f"203.0.{number // 250 % 250}.{number % 250}"}]}}
    return template({"kind": "Ingress", "apiVersion": "networking.k8s.io/v1", "metadata": meta,
                     "spec": spec, "status": status})  # fmt: skip


def endpoint_slice(number: int) -> Template:
    """A hundred pods of the Service with its number; one of them is ready or not."""
    endpoints: list[Json] = [
        {"addresses": [f"10.{number // 250 % 250}.{number % 250}.{pod + 1}"], "nodeName": f"node-{pod:05}",
         "conditions": {"ready": True, "serving": True, "terminating": False}, "zone": f"ap-guangzhou-{pod % 3 + 1}",
         "targetRef": {"kind": "Pod", "namespace": f"team-{number % memory.NAMESPACES:03}",
                       "name": f"web-{number:05}-5d4f8c7b9-{pod:05x}",
                       "uid": f"{number:08x}-{pod:04x}-4a65-9c7e-2f3f3f1f7a10"}}
        for pod in range(100)
    ]  # fmt: skip
    endpoints[0]["conditions"] = {"ready": TRUTH, "serving": True, "terminating": False}
    meta = memory.metadata(number, "slice", labels={"kubernetes.io/service-name": f"service-{number:05}"})
    meta["resourceVersion"] = VERSION
    ports = [{"name": "http", "port": 8080, "protocol": "TCP"}]
    return template({"kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1", "metadata": meta,
                     "addressType": "IPv4", "endpoints": endpoints, "ports": ports})  # fmt: skip
