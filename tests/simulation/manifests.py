"""Objects as people write them, in as few words as a scenario needs."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

CERTIFICATES = ("certrsa1", "certrsa2", "certecc1")


def node(name: str, address: str, instance: str = "", *, ready: bool = True) -> Json:
    """A node with a CVM id behind it."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "spec": {"providerID": f"tencentcloud://{instance}"} if instance else {},
        "status": {
            "addresses": [{"type": "InternalIP", "address": address}],
            "conditions": [
                {"type": "Ready", "status": str(ready), "lastTransitionTime": "2025-12-31T00:00:00Z"},
            ],
        },
    }


def service(name: str, port: int = 30080, namespace: str = "shop") -> Json:
    """A NodePort Service on port 80."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"type": "NodePort", "selector": {"app": name}, "ports": [{"port": 80, "nodePort": port}]},
    }


def secret(name: str, certificate: str, namespace: str = "shop") -> Json:
    """A Secret with a certificate id, as TKE has them."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "type": "Opaque",
        "stringData": {"qcloud_cert_id": certificate},
    }


def rule(host: str, *paths: str, backend: str = "web") -> Json:
    """A host and its paths, all to one Service."""
    return {
        "host": host,
        "http": {
            "paths": [
                {
                    "path": path,
                    "pathType": "Prefix",
                    "backend": {"service": {"name": backend, "port": {"number": 80}}},
                }
                for path in paths or ("/",)
            ]
        },
    }


def ingress(
    name: str,
    *rules: Json,
    annotations: Mapping[str, str] | None = None,
    tls: str = "",
    namespace: str = "shop",
    **spec: Any,
) -> Json:
    """An Ingress without a class, which is ours; `tls` names a Secret."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": namespace, "annotations": dict(annotations or {})},
        "spec": {
            "rules": list(rules) or [rule("a.example.com")],
            **({"tls": [{"secretName": tls}]} if tls else {}),
            **spec,
        },
    }


def ingress_class(name: str, controller: str = "l7lb.dev/ingress-controller") -> Json:
    """An IngressClass, ours unless said otherwise."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": name},
        "spec": {"controller": controller},
    }


def words(rules: list[Json]) -> list[str]:
    """Rules in a line of a log: `host/path->service`."""
    return [
        f"{one['host']}{path['path']}->{path['backend']['service']['name']}"
        for one in rules
        for path in one["http"]["paths"]
    ]
