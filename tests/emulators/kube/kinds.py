"""Which kinds are served, and under which names: the built-in ones as a table, the rest from CustomResourceDefinitions.

What an object of a kind may contain is said in `schema` and `validation`, not here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.emulators.kube.wire import Json


@dataclass(frozen=True)
class Kind:
    """One served kind in one version."""

    group: str
    version: str
    plural: str
    name: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    model: str = ""
    """Its entry in `schema.json`; empty for a custom kind."""
    storage: str = ""
    """Where it is stored when another group shares the storage."""
    schema: Json = field(default_factory=dict, compare=False)
    """A custom kind's openAPIV3Schema."""
    columns: tuple[Json, ...] = field(default=(), compare=False)
    """A custom kind's additionalPrinterColumns."""
    selectable: tuple[str, ...] = ()
    """A custom kind's selectableFields."""

    @property
    def api_version(self) -> str:
        """What stands in `apiVersion`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def bucket(self) -> str:
        """The name of its storage: one for all versions."""
        return self.storage or (f"{self.plural}.{self.group}" if self.group else self.plural)

    @property
    def singular(self) -> str:
        """The name for one, as kubectl accepts it."""
        return self.name.lower()

    @property
    def is_custom(self) -> bool:
        """Whether it comes from a CustomResourceDefinition."""
        return not self.model


ALL = ("all",)
STATUS = ("status",)
SCALED = ("scale", "status")

BUILT_IN = (
    Kind("", "v1", "namespaces", "Namespace", False, ("ns",), ("finalize", "status"), model="V1Namespace"),
    Kind("", "v1", "pods", "Pod", True, ("po",), STATUS, ALL, "V1Pod"),
    Kind("", "v1", "services", "Service", True, ("svc",), STATUS, ALL, "V1Service"),
    Kind("", "v1", "endpoints", "Endpoints", True, ("ep",), model="V1Endpoints"),
    Kind("", "v1", "nodes", "Node", False, ("no",), STATUS, model="V1Node"),
    Kind("", "v1", "secrets", "Secret", model="V1Secret"),
    Kind("", "v1", "configmaps", "ConfigMap", True, ("cm",), model="V1ConfigMap"),
    Kind("", "v1", "events", "Event", True, ("ev",), model="CoreV1Event"),
    Kind("", "v1", "serviceaccounts", "ServiceAccount", True, ("sa",), model="V1ServiceAccount"),
    Kind("events.k8s.io", "v1", "events", "Event", True, ("ev",), model="EventsV1Event", storage="events"),
    Kind("apps", "v1", "deployments", "Deployment", True, ("deploy",), SCALED, ALL, "V1Deployment"),
    Kind("apps", "v1", "replicasets", "ReplicaSet", True, ("rs",), SCALED, ALL, "V1ReplicaSet"),
    Kind("apps", "v1", "statefulsets", "StatefulSet", True, ("sts",), SCALED, ALL, "V1StatefulSet"),
    Kind("apps", "v1", "daemonsets", "DaemonSet", True, ("ds",), STATUS, ALL, "V1DaemonSet"),
    Kind("networking.k8s.io", "v1", "ingresses", "Ingress", True, ("ing",), STATUS, model="V1Ingress"),
    Kind("networking.k8s.io", "v1", "ingressclasses", "IngressClass", False, model="V1IngressClass"),
    Kind("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", model="V1EndpointSlice"),
    Kind("coordination.k8s.io", "v1", "leases", "Lease", model="V1Lease"),
    Kind("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", True, ("pdb",), STATUS,
         model="V1PodDisruptionBudget"),
    Kind("rbac.authorization.k8s.io", "v1", "roles", "Role", model="V1Role"),
    Kind("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", model="V1RoleBinding"),
    Kind("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", False, model="V1ClusterRole"),
    Kind("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", False,
         model="V1ClusterRoleBinding"),
    Kind("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False,
         ("crd", "crds"), STATUS, model="V1CustomResourceDefinition"),
)  # fmt: skip

REVIEWS = (
    Kind("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", False, model="V1TokenReview"),
    Kind("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", False,
         model="V1SelfSubjectReview"),
    Kind("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", False,
         model="V1SelfSubjectAccessReview"),
    Kind("authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", False,
         model="V1SelfSubjectRulesReview"),
    Kind("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", False,
         model="V1SubjectAccessReview"),
    Kind("authorization.k8s.io", "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview", True,
         model="V1LocalSubjectAccessReview"),
)  # fmt: skip
"""Kinds that can only be created, and are answered at once instead of being stored."""


class Catalog:
    """All kinds that are served now."""

    def __init__(self) -> None:
        self._kinds = {(kind.group, kind.version, kind.plural): kind for kind in (*BUILT_IN, *REVIEWS)}

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._kinds.values())

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind behind a path, or nothing."""
        return self._kinds.get((group, version, plural))

    def of_bucket(self, bucket: str) -> Kind | None:
        """The first version of the kind that is stored there."""
        return next((kind for kind in self if kind.bucket == bucket), None)

    def versions(self) -> dict[str, list[str]]:
        """Group to its versions, in the order in which they are offered."""
        found: dict[str, list[str]] = {}
        for kind in self:
            versions = found.setdefault(kind.group, [])
            if kind.version not in versions:
                versions.append(kind.version)
        return found

    def define(self, definition: Json) -> None:
        """Serve what a CustomResourceDefinition declares; a second call replaces the first."""
        self.forget(definition)
        for kind in _declared(definition):
            self._kinds[kind.group, kind.version, kind.plural] = kind

    def forget(self, definition: Json) -> None:
        """Stop serving what a CustomResourceDefinition declares."""
        group, plural = definition["spec"]["group"], definition["spec"]["names"]["plural"]
        gone = [key for key in self._kinds if key[0] == group and key[2] == plural]
        for key in gone:
            del self._kinds[key]


def _declared(definition: Json) -> Iterator[Kind]:
    spec = definition["spec"]
    names = spec["names"]
    for version in spec["versions"]:
        if not version.get("served"):
            continue
        yield Kind(
            spec["group"],
            version["name"],
            names["plural"],
            names["kind"],
            spec.get("scope") == "Namespaced",
            tuple(names.get("shortNames") or ()),
            tuple(sorted(version.get("subresources") or {})),
            tuple(names.get("categories") or ()),
            schema=(version.get("schema") or {}).get("openAPIV3Schema") or {},
            columns=tuple(version.get("additionalPrinterColumns") or ()),
            selectable=tuple(entry["jsonPath"].lstrip(".") for entry in version.get("selectableFields") or ()),
        )
