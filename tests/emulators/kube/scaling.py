"""The scale subresource: `spec.replicas` of a workload or a custom object, seen as an autoscaling/v1 Scale.

Source: the API reference, Scale v1 autoscaling.
"""

from typing import Any

from tests.emulators.kube import fields
from tests.emulators.kube.kinds import Kind
from tests.emulators.kube.refusals import ApiError, invalid
from tests.emulators.kube.wire import Json


def of_object(kind: Kind, obj: Json) -> Json:
    """The Scale of an object."""
    metadata = obj["metadata"]
    selector = (obj.get("spec") or {}).get("selector") or {}
    labels = selector.get("matchLabels", selector) if isinstance(selector, dict) else {}
    status = {"replicas": (obj.get("status") or {}).get("replicas", 0)}
    if labels:
        status["selector"] = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: metadata[name] for name in kept if name in metadata},
        "spec": {"replicas": (obj.get("spec") or {}).get("replicas", 0)},
        "status": status,
    }


def scaled(obj: Json, scale: Json) -> Json:
    """The object with the replicas of a Scale, under the Scale's resourceVersion."""
    replicas: Any = (scale.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise ApiError(400, "Scale in version \"v1\" cannot be handled as a Scale: json: cannot unmarshal "
                            "spec.replicas into Go struct field ScaleSpec.spec.replicas of type int32")  # fmt: skip
    if replicas < 0:
        cause = fields.invalid("spec.replicas", replicas, "must be greater than or equal to 0")
        raise invalid("Scale", "autoscaling", obj["metadata"]["name"], [cause])
    changed = {**obj, "metadata": {**obj["metadata"]}, "spec": {**obj["spec"], "replicas": replicas}}
    version = (scale.get("metadata") or {}).get("resourceVersion")
    if version:
        changed["metadata"]["resourceVersion"] = version
    return changed
