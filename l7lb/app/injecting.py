"""Which new pods get the readiness gate, as answers to the API server's AdmissionReviews. Pure but for the caches.

A pod gets it when a Service selects it that stands behind an Ingress of ours with direct access. Nothing is written
anywhere, so a dry run needs no care, and a pod that has the gate is left as it is.
"""

import base64
from collections.abc import Callable
from typing import Literal

import msgspec

from l7lb import translator
from l7lb.app.caches import Caches, Stores
from l7lb.model.cluster import LabelledMeta
from l7lb.model.pods import READINESS_GATE, Pod, PodSpec
from l7lb.model.shapes import json_decoder
from l7lb.model.snapshot import Settings, Verdict


class _Object(msgspec.Struct, frozen=True):
    """The pod, as far as it counts."""

    metadata: LabelledMeta = LabelledMeta()
    spec: PodSpec = PodSpec()


class _Request(msgspec.Struct, frozen=True):
    """AdmissionReview.request."""

    uid: str
    operation: str = ""
    namespace: str = ""
    object: _Object | None = None


class _Review(msgspec.Struct, frozen=True, rename="camel"):
    """admission.k8s.io/v1 AdmissionReview."""

    api_version: Literal["admission.k8s.io/v1"]
    kind: Literal["AdmissionReview"]
    request: _Request


def answer(body: bytes, wants: Callable[[Pod], bool]) -> bytes:
    """The answer to a review: allowed, with a patch when the pod is to have the gate; ValueError: it is no review."""
    try:
        request = json_decoder(_Review).decode(body).request
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    response: dict[str, object] = {"uid": request.uid, "allowed": True}
    if request.operation == "CREATE" and request.object is not None:
        given = request.object
        # A pod that is being made may not say its namespace, the request does.
        meta = msgspec.structs.replace(given.metadata, namespace=request.namespace)
        pod = Pod(metadata=meta, spec=given.spec)
        if not pod.gated and not pod.spec.host_network and wants(pod):
            response |= {"patchType": "JSONPatch", "patch": base64.b64encode(_patch(pod)).decode()}
    return msgspec.json.encode({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})


def _patch(pod: Pod) -> bytes:
    gate = {"conditionType": READINESS_GATE}
    if pod.spec.readiness_gates is None:
        return msgspec.json.encode([{"op": "add", "path": "/spec/readinessGates", "value": [gate]}])
    return msgspec.json.encode([{"op": "add", "path": "/spec/readinessGates/-", "value": gate}])


def is_behind_ours(pod: Pod, stores: Stores, caches: Caches, settings: Settings) -> bool:
    """Whether an Ingress of ours with direct access leads to a Service that selects it."""
    classes, synced = caches.classes()
    for item in stores.ingresses.by_index("direct", pod.metadata.namespace):
        ingress = item.object
        if ingress.deleting or translator.verdict(ingress, classes, settings, synced) is not Verdict.OURS:
            continue
        services = (stores.services.get(key) for key in translator.services_of(ingress))
        if any(found is not None and translator.selects(found.object, pod) for found in services):
            return True
    return False
