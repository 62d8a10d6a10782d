"""What admission does to a new object.

The plugins are NamespaceLifecycle, DefaultIngressClass and TaintNodesByCondition.

Source: "Admission Control in Kubernetes"; "Ingress", Default IngressClass.
"""

from tests.emulators.kube.kinds import Kind
from tests.emulators.kube.refusals import forbidden, not_found
from tests.emulators.kube.targets import Target
from tests.emulators.kube.wire import Json
from tests.emulators.kube.world import World

CLASS_ANNOTATION = "kubernetes.io/ingress.class"
NOT_READY = "node.kubernetes.io/not-ready"
DEFAULT_ANNOTATION = "ingressclass.kubernetes.io/is-default-class"


def check_namespace(world: World, target: Target, name: str) -> None:
    """No object is created in a namespace that is not there or is on its way out."""
    kind = target.kind
    if not kind.namespaced:
        return
    record = world.storage.get("namespaces", ("", target.namespace))
    if record is None:
        raise not_found("namespaces", "", target.namespace)
    if "deletionTimestamp" in record.obj["metadata"]:
        why = f"unable to create new content in namespace {target.namespace} because it is being terminated"
        error = forbidden(kind.plural, kind.group, name, why)
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {target.namespace} is being terminated",
            "field": "metadata.namespace",
        }
        error.details = {**(error.details or {}), "causes": [cause]}
        raise error


def fill(world: World, kind: Kind, obj: Json) -> None:
    """Write what admission plugins write."""
    if kind.bucket == "ingresses.networking.k8s.io":
        _default_ingress_class(world, obj)
    if kind.bucket == "nodes":
        _taint(obj)


def _taint(obj: Json) -> None:
    # TaintNodesByCondition. A node that says that it is ready would lose the taint at once to the node controller.
    conditions = (obj.get("status") or {}).get("conditions") or []
    if any(condition.get("type") == "Ready" and condition.get("status") == "True" for condition in conditions):
        return
    taints = obj.setdefault("spec", {}).setdefault("taints", [])
    if not any(taint.get("key") == NOT_READY for taint in taints):
        taints.append({"key": NOT_READY, "effect": "NoSchedule"})


def _default_ingress_class(world: World, obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    if "ingressClassName" in spec or CLASS_ANNOTATION in (obj["metadata"].get("annotations") or {}):
        return
    marked = [
        record.obj["metadata"]
        for _, record in world.storage.scan("ingressclasses.networking.k8s.io")
        if (record.obj["metadata"].get("annotations") or {}).get(DEFAULT_ANNOTATION) == "true"
    ]
    if marked:
        # Of several defaults the newest counts, then the first by name.
        newest = max(metadata["creationTimestamp"] for metadata in marked)
        spec["ingressClassName"] = min(metadata["name"] for metadata in marked
                                       if metadata["creationTimestamp"] == newest)  # fmt: skip
