"""The columns that `kubectl get` shows for each kind, and the cells of a row. Pure: from a stored object to texts.

Source: what `kubectl get` and `kubectl get -o wide` print against a real server.
"""

import functools
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

from tests.emulators.kube.kinds import Kind
from tests.emulators.kube.wire import Json

Cells: TypeAlias = list[Any]
Row: TypeAlias = Callable[[Json], Cells]
Printer: TypeAlias = Callable[[Json, float], Cells]
NONE, UNKNOWN = "<none>", "<unknown>"


def _columns(text: str) -> list[Json]:
    """`Name Age Node*`: a star is a column of the wide form only; `_` stands for a space, `#` marks a number."""
    found = []
    for word in text.split():
        name = word.strip("*#").replace("_", " ")
        found.append({
            "name": name,
            "type": "integer" if "#" in word else "string",
            "format": "name" if name == "Name" else "",
            "description": "",
            "priority": 1 if "*" in word else 0,
        })  # fmt: skip
    return found


def of_kind(kind: Kind, now: float) -> tuple[list[Json], Row]:
    """The column definitions of a kind and what fills a row of them."""
    if kind.is_custom:
        return _declared(kind, now)
    text, printer = _PRINTERS.get(kind.bucket, ("Name Age", _name_and_age))
    return _columns(text), functools.partial(_row, printer, now)


def _row(printer: Printer, now: float, obj: Json) -> Cells:
    return printer(obj, now)


def age(stamp: str | None, now: float) -> str:
    """`5m`, `3h2m`, `12d`: how long ago a time stamp was."""
    if not stamp:
        return UNKNOWN
    seconds = int(now - datetime.fromisoformat(stamp.replace("Z", "+00:00")).replace(tzinfo=UTC).timestamp())
    if seconds < 0:
        return "0s" if seconds >= -2 else "<invalid>"
    if seconds < 120:
        return f"{seconds}s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    return f"{days}d" if days < 730 else f"{days // 365}y"


def _name(obj: Json) -> str:
    return str(obj["metadata"].get("name", ""))


def _born(obj: Json, now: float) -> str:
    return age(obj["metadata"].get("creationTimestamp"), now)


def _name_and_age(obj: Json, now: float) -> Cells:
    return [_name(obj), _born(obj, now)]


def _namespace(obj: Json, now: float) -> Cells:
    return [_name(obj), (obj.get("status") or {}).get("phase", ""), _born(obj, now)]


def _labels(selector: Json | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((selector or {}).items())) or NONE


def _published(obj: Json) -> list[str]:
    entries = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    return sorted(entry.get("ip") or entry.get("hostname") or "" for entry in entries)


def _service(obj: Json, now: float) -> Cells:
    spec = obj["spec"]
    addresses = _published(obj)
    if spec["type"] == "ExternalName":
        outside = spec.get("externalName", "")
    elif spec["type"] == "LoadBalancer":
        outside = ",".join([*addresses, *(spec.get("externalIPs") or [])]) or "<pending>"
    else:
        outside = ",".join(spec.get("externalIPs") or []) or NONE
    ports = [f"{port['port']}:{port['nodePort']}/{port['protocol']}" if port.get("nodePort")
             else f"{port['port']}/{port['protocol']}" for port in spec.get("ports") or []]  # fmt: skip
    return [_name(obj), spec["type"], spec.get("clusterIP") or NONE, outside, ",".join(ports) or NONE, _born(obj, now),
            _labels(spec.get("selector"))]  # fmt: skip


def _ingress(obj: Json, now: float) -> Cells:
    spec = obj["spec"]
    named = spec.get("ingressClassName") or NONE
    hosts = [rule["host"] for rule in spec.get("rules") or [] if rule.get("host")]
    shown = ",".join(hosts[:3]) + (f" + {len(hosts) - 3} more..." if len(hosts) > 3 else "") or "*"
    ports = "80, 443" if spec.get("tls") else "80"
    return [_name(obj), named, shown, ",".join(_published(obj)), ports, _born(obj, now)]


def _ingress_class(obj: Json, now: float) -> Cells:
    spec = obj["spec"]
    parameters = spec.get("parameters")
    shown = NONE
    if parameters:
        group = f".{parameters['apiGroup']}" if parameters.get("apiGroup") else ""
        shown = f"{parameters['kind']}{group}/{parameters['name']}"
    return [_name(obj), spec.get("controller", ""), shown, _born(obj, now)]


def _first(texts: list[str], many: int = 3) -> str:
    if not texts:
        return NONE
    return ",".join(texts[:many]) + (f" + {len(texts) - many} more..." if len(texts) > many else "")


def _endpoints(obj: Json, now: float) -> Cells:
    texts = [f"{address['ip']}:{port['port']}" for subset in obj.get("subsets") or []
             for port in subset.get("ports") or [] for address in subset.get("addresses") or []]  # fmt: skip
    return [_name(obj), _first(texts), _born(obj, now)]


def _endpoint_slice(obj: Json, now: float) -> Cells:
    ports = [str(port.get("port", "*")) for port in obj.get("ports") or []]
    addresses = [address for endpoint in obj.get("endpoints") or [] for address in endpoint.get("addresses") or []]
    shown_ports = _first(ports) if ports else "<unset>"
    shown = _first(addresses) if addresses else "<unset>"
    return [_name(obj), obj.get("addressType", ""), shown_ports, shown, _born(obj, now)]


def _node(obj: Json, now: float) -> Cells:
    status, spec = obj.get("status") or {}, obj.get("spec") or {}
    ready = {condition["type"]: condition["status"] for condition in status.get("conditions") or []}.get("Ready")
    words = ["Ready" if ready == "True" else "NotReady" if ready else "Unknown"]
    if spec.get("unschedulable"):
        words.append("SchedulingDisabled")
    prefix = "node-role.kubernetes.io/"
    roles = sorted(key.removeprefix(prefix) for key in obj["metadata"].get("labels") or {} if key.startswith(prefix))
    info = status.get("nodeInfo") or {}
    addresses = {address["type"]: address["address"] for address in reversed(status.get("addresses") or [])}
    return [_name(obj), ",".join(words), ",".join(roles) or NONE, _born(obj, now), info.get("kubeletVersion", ""),
            addresses.get("InternalIP", NONE), addresses.get("ExternalIP", NONE), info.get("osImage") or UNKNOWN,
            info.get("kernelVersion") or UNKNOWN, info.get("containerRuntimeVersion") or UNKNOWN]  # fmt: skip


def _event(obj: Json, now: float) -> Cells:
    involved = obj.get("involvedObject") or {}
    series = obj.get("series") or {}
    first = obj.get("firstTimestamp") or obj.get("eventTime")
    last = series.get("lastObservedTime") or obj.get("lastTimestamp") or first
    source = obj.get("source") or {}
    spoken = source.get("component") or obj.get("reportingComponent") or ""
    if host := source.get("host") or obj.get("reportingInstance"):
        spoken = f"{spoken}, {host}"
    count = series.get("count") or obj.get("count") or 1
    return [age(last, now), obj.get("type", ""), obj.get("reason", ""),
            f"{involved.get('kind', '').lower()}/{involved.get('name', '')}", involved.get("fieldPath", ""), spoken,
            str(obj.get("message", "")).strip(), age(first, now), count, _name(obj)]  # fmt: skip


def _lease(obj: Json, now: float) -> Cells:
    return [_name(obj), (obj.get("spec") or {}).get("holderIdentity") or "", _born(obj, now)]


def _secret(obj: Json, now: float) -> Cells:
    return [_name(obj), obj.get("type", ""), len(obj.get("data") or {}), _born(obj, now)]


def _config_map(obj: Json, now: float) -> Cells:
    return [_name(obj), len(obj.get("data") or {}) + len(obj.get("binaryData") or {}), _born(obj, now)]


def _service_account(obj: Json, now: float) -> Cells:
    return [_name(obj), len(obj.get("secrets") or []), _born(obj, now)]


def _containers(spec: Json) -> tuple[str, str]:
    containers = (((spec.get("template") or {}).get("spec") or {}).get("containers")) or []
    return ",".join(c.get("name", "") for c in containers), ",".join(c.get("image", "") for c in containers)


def _deployment(obj: Json, now: float) -> Cells:
    spec, status = obj["spec"], obj.get("status") or {}
    names, images = _containers(spec)
    return [_name(obj), f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}", status.get("updatedReplicas", 0),
            status.get("availableReplicas", 0), _born(obj, now), names, images,
            _labels((spec.get("selector") or {}).get("matchLabels"))]  # fmt: skip


def _replica_set(obj: Json, now: float) -> Cells:
    spec, status = obj["spec"], obj.get("status") or {}
    names, images = _containers(spec)
    return [_name(obj), spec.get("replicas", 0), status.get("replicas", 0), status.get("readyReplicas", 0),
            _born(obj, now), names, images, _labels((spec.get("selector") or {}).get("matchLabels"))]  # fmt: skip


def _pod(obj: Json, now: float) -> Cells:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    held = status.get("containerStatuses") or []
    running = [c for c in held if c.get("ready") and "running" in (c.get("state") or {})]
    ready, total = len(running), len(spec.get("containers") or [])
    phase = status.get("reason") or status.get("phase") or "Unknown"
    if "deletionTimestamp" in obj["metadata"]:
        phase = "Terminating"
    gates = spec.get("readinessGates") or []
    true = {c["type"] for c in status.get("conditions") or [] if c.get("status") == "True"}
    gate_text = f"{sum(g['conditionType'] in true for g in gates)}/{len(gates)}" if gates else NONE
    return [_name(obj), f"{ready}/{total}", phase, str(sum(c.get("restartCount", 0) for c in held)), _born(obj, now),
            status.get("podIP") or NONE, spec.get("nodeName") or NONE, status.get("nominatedNodeName") or NONE,
            gate_text]  # fmt: skip


def _created_at(obj: Json, now: float) -> Cells:
    return [_name(obj), obj["metadata"].get("creationTimestamp", "")]


def _binding(obj: Json, now: float) -> Cells:
    ref = obj.get("roleRef") or {}
    by_kind: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in obj.get("subjects") or []:
        space = f"{subject['namespace']}/" if subject.get("namespace") else ""
        by_kind.setdefault(subject.get("kind", ""), []).append(space + subject.get("name", ""))
    spoken = [", ".join(by_kind[kind]) for kind in ("User", "Group", "ServiceAccount")]
    return [_name(obj), f"{ref.get('kind')}/{ref.get('name')}", _born(obj, now), *spoken]


def _disruption_budget(obj: Json, now: float) -> Cells:
    spec = obj.get("spec") or {}
    allowed = (obj.get("status") or {}).get("disruptionsAllowed", 0)
    return [_name(obj), str(spec.get("minAvailable", "N/A")), str(spec.get("maxUnavailable", "N/A")), allowed,
            _born(obj, now)]  # fmt: skip


_PRINTERS: dict[str, tuple[str, Printer]] = {
    "namespaces": ("Name Status Age", _namespace),
    "services": ("Name Type Cluster-IP External-IP Port(s) Age Selector*", _service),
    "endpoints": ("Name Endpoints Age", _endpoints),
    "nodes": (
        "Name Status Roles Age Version Internal-IP* External-IP* OS-Image* Kernel-Version* Container-Runtime*",
        _node,
    ),
    "events": ("Last_Seen Type Reason Object Subobject* Source* Message First_Seen* Count* Name*", _event),
    "secrets": ("Name Type Data Age", _secret),
    "configmaps": ("Name Data Age", _config_map),
    "serviceaccounts": ("Name Secrets Age", _service_account),
    "pods": ("Name Ready Status Restarts Age IP* Node* Nominated_Node* Readiness_Gates*", _pod),
    "deployments.apps": ("Name Ready Up-to-date Available Age Containers* Images* Selector*", _deployment),
    "replicasets.apps": ("Name Desired Current Ready Age Containers* Images* Selector*", _replica_set),
    "ingresses.networking.k8s.io": ("Name Class Hosts Address Ports Age", _ingress),
    "ingressclasses.networking.k8s.io": ("Name Controller Parameters Age", _ingress_class),
    "endpointslices.discovery.k8s.io": ("Name AddressType Ports Endpoints Age", _endpoint_slice),
    "leases.coordination.k8s.io": ("Name Holder Age", _lease),
    "poddisruptionbudgets.policy": ("Name Min_Available Max_Unavailable Allowed_Disruptions# Age", _disruption_budget),
    "roles.rbac.authorization.k8s.io": ("Name Created_At", _created_at),
    "clusterroles.rbac.authorization.k8s.io": ("Name Created_At", _created_at),
    "rolebindings.rbac.authorization.k8s.io": ("Name Role Age Users* Groups* ServiceAccounts*", _binding),
    "clusterrolebindings.rbac.authorization.k8s.io": ("Name Role Age Users* Groups* ServiceAccounts*", _binding),
    "customresourcedefinitions.apiextensions.k8s.io": ("Name Created_At", _created_at),
}


def _declared(kind: Kind, now: float) -> tuple[list[Json], Row]:
    wanted = kind.columns or ({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},)
    definitions = _columns("Name") + [
        {"name": column["name"], "type": column.get("type", "string"), "format": column.get("format", ""),
         "description": column.get("description", ""), "priority": column.get("priority", 0)}
        for column in wanted
    ]  # fmt: skip

    def row(obj: Json) -> Cells:
        return [_name(obj), *(_cell(column, obj, now) for column in wanted)]

    return definitions, row


def _cell(column: Json, obj: Json, now: float) -> Any:
    value: Any = obj
    for name in re.findall(r"[^.\[\]]+", column.get("jsonPath", "")):
        if isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            value = value.get(name) if isinstance(value, dict) else None
    if column.get("type") == "date":
        return age(value, now) if isinstance(value, str) else ""
    return value
