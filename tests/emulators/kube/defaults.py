"""What the API server writes into an object that did not say: defaults of the built-in kinds.

Allocation (cluster addresses, node ports) is in `services`; admission in `objects`. Source: the API
reference, "Defaults to".
"""

import base64
from collections.abc import Callable
from typing import Any

from tests.emulators.kube.kinds import Kind
from tests.emulators.kube.wire import Json


def fill(kind: Kind, obj: Json) -> None:
    """Write the kind's defaults into an object."""
    if found := _FILLERS.get(kind.bucket):
        found(obj)


def _missing(place: Json, **values: Any) -> None:
    for name, value in values.items():
        place.setdefault(name, value)


def _namespace(obj: Json) -> None:
    obj.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
    obj.setdefault("status", {}).setdefault("phase", "Active")
    obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = obj["metadata"].get("name", "")


def _pod(obj: Json) -> None:
    spec, status = obj.setdefault("spec", {}), obj.setdefault("status", {})
    pod_spec(spec)
    _missing(spec, enableServiceLinks=True, preemptionPolicy="PreemptLowerPriority", priority=0)
    _missing(
        spec,
        tolerations=[
            {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
        ],
    )
    _missing(status, phase="Pending", qosClass="BestEffort")
    for condition in status.get("conditions") or []:
        _missing(condition, lastProbeTime=None, lastTransitionTime=None)
    for held in status.get("containerStatuses") or []:
        _missing(held, state={}, lastState={})


def pod_spec(spec: Json) -> None:
    """Defaults of a pod, or of a template of pods."""
    _missing(
        spec,
        restartPolicy="Always",
        dnsPolicy="ClusterFirst",
        schedulerName="default-scheduler",
        terminationGracePeriodSeconds=30,
        securityContext={},
    )
    for container in spec.get("containers") or []:
        _missing(
            container, resources={}, terminationMessagePath="/dev/termination-log", terminationMessagePolicy="File"
        )
        tag = str(container.get("image", "")).rpartition("/")[2].partition(":")[2]
        _missing(container, imagePullPolicy="Always" if tag in {"", "latest"} else "IfNotPresent")
        for port in container.get("ports") or []:
            _missing(port, protocol="TCP")
    for volume in spec.get("volumes") or []:
        for source in ("secret", "configMap", "projected", "downwardAPI"):
            if isinstance(volume.get(source), dict):
                _missing(volume[source], defaultMode=420)


def _service(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    obj.setdefault("status", {}).setdefault("loadBalancer", {})
    _missing(spec, sessionAffinity="None", type="ClusterIP")
    for port in spec.get("ports") or []:
        _missing(port, protocol="TCP")
        if port.get("targetPort") in {None, 0, ""}:
            port["targetPort"] = port.get("port")
        if port.get("nodePort") == 0:
            del port["nodePort"]
    if spec["type"] in {"NodePort", "LoadBalancer"}:
        _missing(spec, externalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        _missing(spec, allocateLoadBalancerNodePorts=True)
    if spec["type"] != "ExternalName":
        _missing(spec, internalTrafficPolicy="Cluster")
    if spec["sessionAffinity"] == "ClientIP":
        _missing(spec, sessionAffinityConfig={"clientIP": {"timeoutSeconds": 10800}})


def _secret(obj: Json) -> None:
    _missing(obj, type="Opaque")
    texts = obj.pop("stringData", None) or {}
    if texts:
        data = obj.setdefault("data", {})
        data.update({name: base64.b64encode(text.encode()).decode() for name, text in texts.items()})


def _ingress(obj: Json) -> None:
    obj.setdefault("spec", {})
    obj.setdefault("status", {}).setdefault("loadBalancer", {})


def _ingress_class(obj: Json) -> None:
    parameters = obj.setdefault("spec", {}).get("parameters")
    if parameters:
        _missing(parameters, scope="Cluster")


def _endpoint_slice(obj: Json) -> None:
    # Go writes null for these two when they were not given.
    _missing(obj, endpoints=None, ports=None)
    for endpoint in obj["endpoints"] or []:
        _missing(endpoint, conditions={})
    for port in obj["ports"] or []:
        _missing(port, name="", protocol="TCP")


def _endpoints(obj: Json) -> None:
    for subset in obj.get("subsets") or []:
        for port in subset.get("ports") or []:
            _missing(port, protocol="TCP")


def _node(obj: Json) -> None:
    spec, status = obj.setdefault("spec", {}), obj.setdefault("status", {})
    if spec.get("podCIDR"):
        _missing(spec, podCIDRs=[spec["podCIDR"]])
    for condition in status.get("conditions") or []:
        _missing(condition, lastHeartbeatTime=None, lastTransitionTime=None)
    _missing(status, daemonEndpoints={"kubeletEndpoint": {"Port": 0}}, nodeInfo=dict.fromkeys(_NODE_INFO, ""))
    if "capacity" in status:
        _missing(status, allocatable=status["capacity"])


_NODE_INFO = (
    "architecture",
    "bootID",
    "containerRuntimeVersion",
    "kernelVersion",
    "kubeProxyVersion",
    "kubeletVersion",
    "machineID",
    "operatingSystem",
    "osImage",
    "systemUUID",
)


def _workload(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    obj.setdefault("status", {})
    template = spec.get("template") or {}
    if "spec" in template:
        pod_spec(template["spec"])


def _deployment(obj: Json) -> None:
    _workload(obj)
    spec = obj["spec"]
    _missing(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = spec.setdefault("strategy", {})
    _missing(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        _missing(rolling, maxUnavailable="25%", maxSurge="25%")


def _scaled_workload(obj: Json) -> None:
    _workload(obj)
    _missing(obj["spec"], replicas=1)
    _missing(obj["status"], replicas=0)


def _bound_role(obj: Json) -> None:
    if "roleRef" in obj:
        _missing(obj["roleRef"], apiGroup="rbac.authorization.k8s.io")
    for subject in obj.get("subjects") or []:
        if subject.get("kind") in {"User", "Group"}:
            _missing(subject, apiGroup="rbac.authorization.k8s.io")


def _role(obj: Json) -> None:
    _missing(obj, rules=None)


def _definition(obj: Json) -> None:
    spec = obj.get("spec") or {}
    names = spec.get("names") or {}
    if kind_name := names.get("kind"):
        _missing(names, singular=kind_name.lower(), listKind=f"{kind_name}List")
    _missing(spec, conversion={"strategy": "None"})


_FILLERS: dict[str, Callable[[Json], None]] = {
    "namespaces": _namespace,
    "pods": _pod,
    "services": _service,
    "secrets": _secret,
    "nodes": _node,
    "endpoints": _endpoints,
    "ingresses.networking.k8s.io": _ingress,
    "ingressclasses.networking.k8s.io": _ingress_class,
    "endpointslices.discovery.k8s.io": _endpoint_slice,
    "deployments.apps": _deployment,
    "replicasets.apps": _scaled_workload,
    "statefulsets.apps": _scaled_workload,
    "daemonsets.apps": _workload,
    "rolebindings.rbac.authorization.k8s.io": _bound_role,
    "clusterrolebindings.rbac.authorization.k8s.io": _bound_role,
    "roles.rbac.authorization.k8s.io": _role,
    "clusterroles.rbac.authorization.k8s.io": _role,
    "customresourcedefinitions.apiextensions.k8s.io": _definition,
}
