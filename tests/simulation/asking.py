"""What Ingresses ask for, read from their text by a translation of its own, far simpler than the product's.

It looks at the API server's objects as they are at this moment, never at a cache. What an author has broken is named,
with what of his Ingress cannot be judged because of it. Nothing here knows a load balancer.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.simulation.manifests import Json
from tests.simulation.world import World

TKE: Final = "ingress.cloud.tencent.com"
PORTS, DIRECT = f"{TKE}/listen-ports", f"{TKE}/direct-access"
AUTO, CODE, SUPPORT = f"{TKE}/auto-rewrite", f"{TKE}/auto-rewrite-code", f"{TKE}/rewrite-support"
MIX, ON_HTTP, ON_HTTPS = (f"kubernetes.io/ingress.{name}" for name in ("rule-mix", "http-rules", "https-rules"))
WEIGHTS, WEIGHT, BY_ANNOTATION = f"{TKE}/lb-rs-weight", f"{TKE}/custom-weight", f"{TKE}/certificate"
HTTP, HTTPS = ("HTTP", 80), ("HTTPS", 443)
PATH_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_/=?:")

Listener = tuple[str, int]
Place = tuple[Listener, str, str]
"""A rule: its listener, host and path."""
Address = tuple[str, int]


@dataclass
class Backends:
    """What a rule is to be bound to. `must`: with the weight, None where any but 0 will do. `may`: left alone."""

    must: dict[Address, int | None] = field(default_factory=dict)
    may: set[Address] = field(default_factory=set)


@dataclass
class Ask:
    """All that one Ingress asks for."""

    rules: dict[Place, Backends] = field(default_factory=dict)
    redirects: dict[Place, tuple[Place, int | None]] = field(default_factory=dict)
    """Where a rule leads, and with which code. None: nothing says one, and a redirect that is there keeps its own."""
    certificates: dict[Place, frozenset[str]] = field(default_factory=dict)
    """The certificates that the host of a rule must show."""
    troubles: list[str] = field(default_factory=list)
    """What its author must mend."""
    held: set[Place] = field(default_factory=set)
    """Rules that are not judged, because something that they need is broken."""
    uncertified: set[Place] = field(default_factory=set)
    """Those among them that lack a good certificate: what their hosts show is to stay."""
    listeners: set[Listener] = field(default_factory=set)
    """Those that its layout has, with rules or without."""
    idle: bool = False
    """HTTPS has no rule and no good certificate: that matters only until the listener is there."""
    readable: bool = True
    """False: whatever it has is held."""

    @property
    def places(self) -> set[Place]:
        """All rules, those that redirect too."""
        return {*self.rules, *self.redirects, *self.held}


class Objects:
    """The objects of the cluster as the API server has them now."""

    def __init__(self, world: World) -> None:
        self._storage = world.users.emulator.world.storage
        self._certificates = world.account.emulator.world.certificates
        self._expired_too = world.account.emulator.cloud.switches.expired_certificate == "accepted"

    def all(self, bucket: str) -> Iterator[Json]:
        """Of one kind; not to be changed."""
        return (record.obj for _, record in self._storage.scan(bucket))

    def named(self, bucket: str, name: str) -> Json | None:
        """One of the namespace `shop`."""
        record = self._storage.get(bucket, ("shop", name))
        return record.obj if record else None

    def nodes(self) -> tuple[set[str], set[str]]:
        """Addresses of the nodes that must be bound behind a NodePort, and of those that may."""
        must: set[str] = set()
        may: set[str] = set()
        for node in self.all("nodes"):
            address = node["status"]["addresses"][0]["address"]
            ready = any(one["type"] == "Ready" and one["status"] == "True" for one in node["status"]["conditions"])
            sure = ready and not (node.get("spec") or {}).get("unschedulable")
            (must if sure else may).add(address)
        return must, may

    def pods(self, service: str) -> tuple[dict[str, Json], set[str]]:
        """Pods by address that serve for a Service, and addresses of those that are there and do not."""
        serving, resting = {}, set()
        for part in self.all("endpointslices.discovery.k8s.io"):
            if (part["metadata"].get("labels") or {}).get("kubernetes.io/service-name") != service:
                continue
            for one in part.get("endpoints") or ():
                pod = self.named("pods", one["targetRef"]["name"])
                if pod is None:
                    continue
                going = "deletionTimestamp" in pod["metadata"] or one["conditions"].get("terminating")
                if going or not one["conditions"]["ready"]:
                    resting.add(one["addresses"][0])
                else:
                    serving[one["addresses"][0]] = pod
        return serving, resting - set(serving)

    def backends(self, service: str, listener: Listener, annotations: Mapping[str, str]) -> Backends | None:
        """What a rule that leads to a Service is to be bound to; None: there is no such Service."""
        found = self.named("services", service)
        if found is None:
            return None
        port = found["spec"]["ports"][0]
        if annotations.get(DIRECT) != "true":
            must, may = self.nodes()
            return Backends(
                {(address, port["nodePort"]): None for address in must},
                {(address, port["nodePort"]) for address in may},
            )
        serving, resting = self.pods(service)
        number = port["targetPort"]
        return Backends(
            {(address, number): _weight(pod, listener, annotations) for address, pod in serving.items()},
            {(address, number) for address in resting},
        )

    def certificate(self, secret: str) -> frozenset[str]:
        """The ids in a Secret."""
        found = self.named("secrets", secret)
        text = base64.b64decode((found or {}).get("data", {}).get("qcloud_cert_id", "")).decode()
        return frozenset(text.split(","))

    def are_good(self, certificates: frozenset[str]) -> bool:
        """Whether the cloud takes them: certificates of servers, expired ones too where its switch says so."""
        shelf = self._certificates
        found = [shelf[one] for one in certificates if one in shelf]
        usable = all(one.kind == "SVR" and (one.status == 1 or self._expired_too) for one in found)
        return usable and len(found) == len(certificates)


def _weight(pod: Json, listener: Listener, annotations: Mapping[str, str]) -> int | None:
    own = (pod["metadata"].get("annotations") or {}).get(WEIGHT)
    if own is not None:
        return int(own)
    said = json.loads(annotations.get(WEIGHTS) or "{}")
    for group in said.get("groups", []):
        if (group["key"]["proto"], group["key"]["port"]) == listener:
            name, _, ordinal = pod["metadata"]["name"].rpartition("-")
            for one in group["statefulSets"]:
                for entry in one["weights"] if one["name"] == name else ():
                    if int(ordinal) in entry["podIndexes"]:
                        return int(entry["weight"])
    default: int | None = said.get("defaultWeight")
    return default


def ask(objects: Objects, ingress: Json) -> Ask:
    """What it asks for now."""
    annotations = ingress["metadata"].get("annotations") or {}
    asked = Ask()
    try:
        layout = _layout(ingress, annotations)
        json.loads(annotations.get(WEIGHTS) or "{}")
    except ValueError as error:
        return Ask(troubles=[f"cannot be read: {error}"], readable=False)
    asked.listeners = set(layout)
    for listener, rules in layout.items():
        for host, path, service in rules:
            _ask_rule(asked, objects, ingress, ((listener, host, path), service))
    if HTTPS in layout and not layout[HTTPS] and not objects.are_good(_certificate(objects, ingress, "")):
        asked.idle = True
    if _names_lost_secret(objects, ingress, annotations) and not asked.troubles:
        # Also where no rule is served by HTTPS: who names what is not there is told, and everything else goes on.
        asked.troubles.append("E4010")
    _ask_redirects(asked, annotations)
    return asked


def _layout(ingress: Json, annotations: Mapping[str, str]) -> dict[Listener, list[tuple[str, str, str]]]:
    """(host, path, Service) of every rule, by listener."""
    rules = [
        (rule["host"], path["path"], path["backend"]["service"]["name"])
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
    ]
    said: list[Mapping[str, int]] = json.loads(annotations.get(PORTS) or "[]")
    secure = bool(ingress["spec"].get("tls")) or BY_ANNOTATION in annotations
    if annotations.get(MIX) == "true":
        direct = {
            (entry["host"], entry["path"])
            for entry in json.loads(annotations.get(ON_HTTP) or "[]")
            if "backend" in entry
        }
        return {
            HTTP: [one for one in rules if one[:2] in direct],
            HTTPS: [one for one in rules if one[:2] not in direct],
        }
    if said:
        return {(protocol, port): rules for one in said for protocol, port in one.items()}
    return {HTTPS if secure else HTTP: rules}


def _ask_rule(asked: Ask, objects: Objects, ingress: Json, rule: tuple[Place, str]) -> None:
    (listener, host, path), service = rule
    place = (listener, host, path)
    if set(path) - PATH_CHARACTERS:
        asked.troubles.append("E4031")
        asked.held.add(place)
        return
    if listener[0] == "HTTPS":
        certificate = _certificate(objects, ingress, host)
        if not objects.are_good(certificate):
            asked.troubles.append(f"no certificate for {listener}")
            asked.uncertified.add(place)
            asked.held.add(place)
            return
        asked.certificates[place] = certificate
    backends = objects.backends(service, listener, ingress["metadata"].get("annotations") or {})
    if backends is None:
        asked.troubles.append("E4041")
        asked.held.add(place)
        return
    asked.rules[place] = backends


def _certificate(objects: Objects, ingress: Json, host: str) -> frozenset[str]:
    """Of the Secret whose entry names the host, or that names none; or of the annotation, likewise."""
    said = (ingress["metadata"].get("annotations") or {}).get(BY_ANNOTATION)
    entries: list[Json] = json.loads(said) if said else ingress["spec"].get("tls") or []
    fitting = [one for one in entries if host in one.get("hosts", [])] or [one for one in entries if "hosts" not in one]
    if not fitting:
        return frozenset({""})
    if not said:
        return objects.certificate(fitting[0].get("secretName", ""))
    found: str | list[str] = fitting[0]["qcloud_cert_id"]
    return frozenset([found] if isinstance(found, str) else found)


def _names_lost_secret(objects: Objects, ingress: Json, annotations: Mapping[str, str]) -> bool:
    if BY_ANNOTATION in annotations:
        return False
    entries: list[Json] = ingress["spec"].get("tls") or []
    return any(objects.named("secrets", entry.get("secretName", "")) is None for entry in entries)


def _ask_redirects(asked: Ask, annotations: Mapping[str, str]) -> None:
    if annotations.get(AUTO) == "true":
        codes: dict[str, Any] = json.loads(annotations.get(CODE) or "{}")
        for place in [one for one in asked.rules if one[0] == HTTPS]:
            source = (HTTP, *place[1:])
            asked.rules.pop(source, None)
            own = [one["rewriteCode"] for one in codes.get("rewriteCodeInfos", []) if one["host"] == place[1]]
            asked.redirects[source] = place, [*own, codes.get("defaultRewriteCode")][0]
        for place in [one for one in asked.held if one[0] == HTTPS]:
            asked.rules.pop((HTTP, *place[1:]), None)
            asked.held.add((HTTP, *place[1:]))
        # The cloud redirects a host as a whole, so that one rule that is held holds the redirects of its host.
        hosts = {place[1] for place in asked.held if place[0] == HTTPS}
        stuck = {source for source in asked.redirects if source[1] in hosts}
        asked.held |= stuck
        for source in stuck:
            del asked.redirects[source]
    if annotations.get(MIX) == "true" and annotations.get(SUPPORT) == "true":
        for entry in json.loads(annotations.get(ON_HTTP) or "[]"):
            if "rewrite" in entry:
                target = (HTTPS, entry["rewrite"]["host"], entry["rewrite"]["path"])
                source = (HTTP, entry["host"], entry["path"])
                if target in asked.rules:
                    asked.redirects[source] = target, None
                else:
                    asked.held.add(source)
