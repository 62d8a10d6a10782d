"""Pods and the endpoints in front of them, for the translator's tests."""

from collections.abc import Mapping
from typing import Any

from l7lb.model.cluster import LabelledMeta, ObjectMeta
from l7lb.model.endpoints import Endpoint, EndpointConditions, EndpointPort, EndpointSlice, TargetReference
from l7lb.model.pods import Pod, PodIP, PodSpec, PodStatus

from .builders import SPACE


def pod(
    name: str,
    address: str | None = None,
    *,
    of: str = "web",
    terminating: bool = False,
    annotations: Mapping[str, str] | None = None,
    spec: PodSpec | None = None,
    **status: Any,
) -> Pod:
    """A pod of the Service `of`; its UID is `uid-<name>`."""
    return Pod(
        metadata=LabelledMeta(
            name=name,
            namespace=SPACE,
            uid=f"uid-{name}",
            labels={"app": of},
            annotations=dict(annotations or {}) or None,
            deletion_timestamp="2025-06-15T15:06:40Z" if terminating else None,
        ),
        spec=spec or PodSpec(node_name="a"),
        status=PodStatus(pod_ips=(PodIP(ip=address),) if address else None, **{"phase": "Running", **status}),
    )


def endpoint(
    address: str, pod: str | None, *, ready: bool | None = True, terminating: bool | None = None, on: str = "a"
) -> Endpoint:
    """One endpoint of a slice, behind which the pod of this name stands."""
    return Endpoint(
        addresses=(address,),
        conditions=EndpointConditions(ready=ready, terminating=terminating),
        node_name=on,
        target_ref=TargetReference(kind="Pod", name=pod, uid=f"uid-{pod}") if pod is not None else None,
    )


def slice_of(
    of: str, *those: Endpoint, name: str = "1", port: int | None = 8080, port_name: str = "http"
) -> EndpointSlice:
    """One slice of a Service."""
    metadata = ObjectMeta(name=f"{of}-{name}", namespace=SPACE)
    ports = (EndpointPort(name=port_name, port=port, protocol="TCP"),)
    return EndpointSlice.of(metadata, of, ports=ports, endpoints=those)
