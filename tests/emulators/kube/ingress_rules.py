"""Which Ingresses and IngressClasses are refused.

Source: the API reference, IngressSpec, HTTPIngressPath and IngressBackend v1 networking.k8s.io.
"""

from collections.abc import Iterator

from tests.emulators.kube import fields, names
from tests.emulators.kube.admission import CLASS_ANNOTATION
from tests.emulators.kube.refusals import Cause
from tests.emulators.kube.wire import Json

WILDCARD_MESSAGE = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which "
    "must consist of lower case "
    "alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for "
    r"validation is '\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
NEVER_IN_PATHS = ("//", "/./", "/../", "%2f", "%2F")
NEVER_AT_THE_END = ("/..", "/.")
PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")


def ingress(new: Json, old: Json | None) -> Iterator[Cause]:
    """An Ingress."""
    spec = new["spec"]
    annotated = (new["metadata"].get("annotations") or {}).get(CLASS_ANNOTATION)
    if old is None and annotated is not None and spec.get("ingressClassName", annotated) != annotated:
        path = f"annotations.{CLASS_ANNOTATION}"
        yield fields.invalid(path, annotated, "must match `ingressClassName` when both are specified")
    rules = spec.get("rules") or []
    if not rules and "defaultBackend" not in spec:
        yield fields.invalid("spec", [], "either `defaultBackend` or `rules` must be specified")
    if "defaultBackend" in spec:
        yield from _backend("spec.defaultBackend", spec["defaultBackend"])
    for index, rule in enumerate(rules):
        yield from _rule(f"spec.rules[{index}]", rule)
    for index, entry in enumerate(spec.get("tls") or []):
        for place, host in enumerate(entry.get("hosts") or []):
            yield from _host(f"spec.tls[{index}].hosts[{place}]", host)
        if entry.get("secretName"):
            yield from fields.subdomain(f"spec.tls[{index}].secretName", entry["secretName"])
    if "ingressClassName" in spec:
        yield from fields.subdomain("spec.ingressClassName", spec["ingressClassName"])


def _rule(path: str, rule: Json) -> Iterator[Cause]:
    if host := rule.get("host"):
        if fields.is_address(host):
            yield fields.invalid(f"{path}.host", host, "must be a DNS name, not an IP address")
        yield from _host(f"{path}.host", host)
    if "http" not in rule:
        return
    paths = rule["http"].get("paths") or []
    if not paths:
        yield fields.required(f"{path}.http.paths")
    for index, entry in enumerate(paths):
        yield from _path(f"{path}.http.paths[{index}]", entry)


def _host(path: str, value: str) -> Iterator[Cause]:
    if "*" not in value:
        yield from fields.subdomain(path, value)
    elif not (value.startswith("*.") and names.is_subdomain(value[2:])):
        yield fields.invalid(path, value, WILDCARD_MESSAGE)


def _path(path: str, entry: Json) -> Iterator[Cause]:
    kind, text = entry.get("pathType"), entry.get("path", "")
    if kind is None:
        yield fields.required(f"{path}.pathType", "pathType must be specified")
    elif kind not in PATH_TYPES:
        yield from fields.one_of(f"{path}.pathType", kind, PATH_TYPES)
    elif not text.startswith("/") and (text or kind != "ImplementationSpecific"):
        yield fields.invalid(f"{path}.path", text, "must be an absolute path")
    if kind in {"Exact", "Prefix"}:
        for part in NEVER_IN_PATHS:
            if part in text:
                yield fields.invalid(f"{path}.path", text, f"must not contain '{part}'")
        for part in NEVER_AT_THE_END:
            if text.endswith(part):
                yield fields.invalid(f"{path}.path", text, f"cannot end with '{part}'")
    yield from _backend(f"{path}.backend", entry.get("backend") or {})


def _backend(path: str, backend: Json) -> Iterator[Cause]:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        yield fields.invalid(path, "", "cannot set both resource and service backends")
    elif resource is not None:
        yield from _reference(f"{path}.resource", resource)
    elif service is not None:
        yield from _service(path, service)
    else:
        yield fields.invalid(path, "", "resource or service backend is required")


def _service(path: str, service: Json) -> Iterator[Cause]:
    if not service.get("name"):
        yield fields.required(f"{path}.service.name")
    else:
        yield from fields.label_1035(f"{path}.service.name", service["name"])
    port = service.get("port") or {}
    name, number = port.get("name", ""), port.get("number", 0)
    if name and number:
        yield fields.invalid(path, "", "cannot set both port name & port number")
    elif name:
        yield from fields.port_name(f"{path}.service.port.name", name)
    elif number:
        yield from fields.port_number(f"{path}.service.port.number", number)
    else:
        yield fields.required(path, "port name or number is required")


def _reference(path: str, reference: Json) -> Iterator[Cause]:
    for name in ("kind", "name"):
        if not reference.get(name):
            yield fields.required(f"{path}.{name}", f"{name} is required")


def status(new: Json, _old: Json | None) -> Iterator[Cause]:
    """What a load balancer may be published as."""
    entries = ((new.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    for index, entry in enumerate(entries):
        path = f"status.loadBalancer.ingress[{index}]"
        if entry.get("ip"):
            yield from fields.address(f"{path}.ip", entry["ip"])
        if host := entry.get("hostname"):
            yield from fields.subdomain(f"{path}.hostname", host)
            if fields.is_address(host):
                yield fields.invalid(f"{path}.hostname", host, "must be a DNS name, not an IP address")


def ingress_class(new: Json, old: Json | None) -> Iterator[Cause]:
    """An IngressClass, whose controller never changes."""
    spec = new["spec"]
    controller = spec.get("controller", "")
    if old is not None:
        yield from fields.immutable("spec.controller", old["spec"].get("controller", ""), controller)
    elif not controller:
        yield fields.required("spec.controller")
    else:
        domain, slash, rest = controller.partition("/")
        if not slash or not rest:
            yield fields.invalid(
                "spec.controller", controller, 'must be a domain-prefixed path (such as "acme.io/foo")'
            )
        else:
            yield from fields.subdomain("spec.controller", domain)
    parameters = spec.get("parameters")
    if parameters:
        yield from _reference("spec.parameters", parameters)
        yield from fields.one_of("spec.parameters.scope", parameters.get("scope"), ("Cluster", "Namespace"))
        if parameters.get("scope") == "Namespace" and not parameters.get("namespace"):
            yield fields.required("spec.parameters.namespace", "`parameters.scope` is set to 'Namespace'")
