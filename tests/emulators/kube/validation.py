"""Which values an object may hold: the entrance to the checks of each kind.

Types and field names are checked by `schema`, names and labels by `metadata`.
"""

from collections.abc import Callable, Iterable

from tests.emulators.kube import custom_rules, ingress_rules, other_rules, service_rules
from tests.emulators.kube.kinds import Kind
from tests.emulators.kube.refusals import Cause
from tests.emulators.kube.wire import Json

Check = Callable[[Json, Json | None], Iterable[Cause]]

_OF_OBJECTS: dict[str, Check] = {
    "ingresses.networking.k8s.io": ingress_rules.ingress,
    "ingressclasses.networking.k8s.io": ingress_rules.ingress_class,
    "services": service_rules.service,
    "endpointslices.discovery.k8s.io": service_rules.endpoint_slice,
    "configmaps": other_rules.config_map,
    "secrets": other_rules.secret,
    "leases.coordination.k8s.io": other_rules.lease,
    "events": other_rules.event,
    "pods": other_rules.pod,
    "deployments.apps": other_rules.workload,
    "replicasets.apps": other_rules.workload,
    "statefulsets.apps": other_rules.workload,
    "daemonsets.apps": other_rules.workload,
    "rolebindings.rbac.authorization.k8s.io": other_rules.binding,
    "clusterrolebindings.rbac.authorization.k8s.io": other_rules.binding,
    "customresourcedefinitions.apiextensions.k8s.io": other_rules.definition,
}
_OF_STATUS: dict[str, Check] = {
    "ingresses.networking.k8s.io": ingress_rules.status,
    "services": ingress_rules.status,
}


def problems(kind: Kind, new: Json, old: Json | None, subresource: str = "") -> list[Cause]:
    """What is wrong with the values of an object, compared with what it was."""
    if kind.group == "events.k8s.io":
        return list(other_rules.new_event(new, old))
    if kind.is_custom:
        return list(custom_rules.of_schema(kind.schema, new))
    check = (_OF_STATUS if subresource == "status" else _OF_OBJECTS).get(kind.bucket)
    return list(check(new, old)) if check else []
