"""What the API server's admission plugins do to a new object: NamespaceLifecycle and DefaultIngressClass.

Source: "Admission Control in Kubernetes"; "Ingress", Default IngressClass.
"""

from tests.emulators.kube.kinds import Kind
from tests.emulators.kube.targets import Target
from tests.emulators.kube.wire import Json, forbidden, not_found
from tests.emulators.kube.world import World

CLASS_ANNOTATION = "kubernetes.io/ingress.class"
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
