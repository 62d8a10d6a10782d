"""Edits of one Ingress of a fleet each, and exactly what each of them may change in the cloud.

An edit says which facts change and to what, under which places everything is new, and under which everything is gone.
Whatever else is different afterwards is a breach.
"""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.fixtures.tke_cluster import Ground, Json
from tests.fixtures.tke_fleet import TKE, Tenant
from tests.simulation.cluster import Users
from tests.simulation.fleets import Facts

Place = tuple[str, ...]
Allows = Callable[[Place, Any, Any], bool]
"""Of a place, what was there and what is: whether that may be."""
ABSENT = object()
NETWORKING = "/apis/networking.k8s.io/v1"
FOREIGN = ("HTTP:9080", "TCP:9306")


@dataclass
class Edit:
    """One edit. `allows` lets more changes of single facts pass; `demands` says what must be true afterwards."""

    kind: str
    patches: list[tuple[str, Json]] = field(default_factory=list)
    creates: list[Json] = field(default_factory=list)
    exact: Facts = field(default_factory=dict)
    made: tuple[Place, ...] = ()
    gone: tuple[Place, ...] = ()
    allows: Allows = lambda _place, _before, _after: False
    demands: Callable[[Facts], str] = lambda _after: ""

    def perform(self, users: Users) -> None:
        """As the user does it."""
        for obj in self.creates:
            users.create(obj)
        for path, change in self.patches:
            users.update(path, change)

    def breaches(self, before: Facts, after: Facts) -> list[str]:
        """What is different and should not be, or should be and is not."""
        found = []
        for place in sorted({*before, *after}):
            was, now = before.get(place, ABSENT), after.get(place, ABSENT)
            if was != now and not self._is_right(place, was, now):
                found.append(f"{self.kind}: {place}: {_shown(was)} -> {_shown(now)}")
        found += [f"{self.kind}: {at} is {_shown(after.get(at, ABSENT))}, not {to}" for at, to in self.exact.items()
                  if after.get(at, ABSENT) != to]  # fmt: skip
        found += [f"{self.kind}: {at} is not there" for at in self.made if not _under(at, after)]
        found += [f"{self.kind}: {at} is still there" for at in self.gone if _under(at, after)]
        missing = self.demands(after)
        return [*found, f"{self.kind}: {missing}"] if missing else found

    def _is_right(self, place: Place, was: Any, now: Any) -> bool:
        if place in self.exact:
            return bool(now == self.exact[place])
        if was is ABSENT and any(place[: len(at)] == at for at in self.made):
            return True
        if now is ABSENT and any(place[: len(at)] == at for at in self.gone):
            return True
        return self.allows(place, was, now)


def _under(at: Place, facts: Facts) -> bool:
    return any(place[: len(at)] == at for place in facts)


def _shown(value: Any) -> str:
    return "absent" if value is ABSENT else repr(value)


@dataclass(frozen=True)
class Premises:
    """One load balancer with its first Ingress, before the edit."""

    tenant: Tenant
    ground: Ground
    ingress: Json
    facts: Facts

    @property
    def path(self) -> str:
        """Of the Ingress in the API."""
        meta = self.ingress["metadata"]
        return f"{NETWORKING}/namespaces/{meta['namespace']}/ingresses/{meta['name']}"

    @property
    def space(self) -> str:
        """Its namespace."""
        return str(self.ingress["metadata"]["namespace"])

    @property
    def layout(self) -> str:
        """Of its listeners; empty for a group."""
        return next((name.partition(": ")[2] for name in self.tenant.traits if name.startswith("layout: ")), "")

    def has(self, *traits: str) -> bool:
        """Whether any of these was drawn."""
        return any(trait in self.tenant.traits for trait in traits)

    def annotated(self, name: str, value: str | None) -> tuple[str, Json]:
        """A patch of one annotation."""
        return self.path, {"metadata": {"annotations": {name: value}}}

    def annotation(self, name: str) -> str | None:
        """What stands in it."""
        found: str | None = self.ingress["metadata"]["annotations"].get(name)
        return found

    def listeners(self) -> list[str]:
        """Keys of those that TKE's controller made."""
        return [
            place[1] for place in self.facts if place[0] == "listener" and place[2] == "id" and place[1] not in FOREIGN
        ]

    def rules(self, *, redirecting: bool = False) -> list[Place]:
        """(listener, domain, URL) of forwarding rules, or of those that redirect, on these listeners."""
        ours = self.listeners()
        places = [place[1:4] for place in self.facts if place[0] == "rule" and place[4] == "id" and place[1] in ours]
        return [at for at in places if bool(self.facts["rule", *at, "redirect"]) is redirecting]

    def rules_of(self, host: str, path: str) -> list[Place]:
        """Where a path of the Ingress is, redirects included; a path without a host is under a name of the cloud's."""
        everything = self.rules() + self.rules(redirecting=True)
        domain = host or self.facts["lb", "domain"] or self.facts["lb", "vip"]
        return [at for at in everything if at[2] in (path, f"={path}") and at[1] == domain]

    def targets(self, rule: Place) -> dict[str, int]:
        """`address:port` -> weight."""
        return targets(self.facts, rule)

    def behind(self, service: str) -> list[tuple[str, str]]:
        """(host, path) of the Ingress that lead to a Service."""
        return [
            (rule.get("host", ""), path["path"])
            for rule in self.ingress["spec"]["rules"]
            for path in rule["http"]["paths"]
            if path["backend"]["service"]["name"] == service
        ]

    def spec(self) -> Json:
        """A copy to change."""
        made: Json = copy.deepcopy(self.ingress["spec"])
        return made

    def objects(self, kind: str) -> list[Json]:
        """What the Ingress came with."""
        return [obj for obj in self.tenant.objects if obj["kind"] == kind]

    def always(self) -> list[str]:
        """Addresses of the nodes that must be bound."""
        return [one.address for one in self.ground.of("always")]


Draft = Callable[[Premises], Edit | None]


def targets(facts: Facts, rule: Place) -> dict[str, int]:
    """`address:port` -> weight."""
    return {at[4]: facts[at] for at in facts if at[0] == "target" and at[1:4] == rule and at[5] == "weight"}


def host_added(on: Premises) -> Edit | None:
    """A host, at the end."""
    if on.layout not in WHOLE or not _has_one_certificate(on):
        return None
    host = f"new.t{on.tenant.number}.example.com"
    spec = on.spec()
    first = spec["rules"][0]["http"]["paths"][0]
    spec["rules"].append({"host": host, "http": {"paths": [{**first, "path": "/", "pathType": "Prefix"}]}})
    return _comes(on, Edit("host added", [(on.path, {"spec": spec})]), host, "/")


def path_added(on: Premises) -> Edit | None:
    """A path of a host that is there."""
    host = on.ingress["spec"]["rules"][0].get("host", "")
    if on.layout not in WHOLE or not host:
        return None
    spec = on.spec()
    paths = spec["rules"][0]["http"]["paths"]
    paths.append({**paths[0], "path": "/added/here", "pathType": "Prefix"})
    return _comes(on, Edit("path added", [(on.path, {"spec": spec})]), host, "/added/here")


WHOLE = ("http", "https", "both", "automatic", "ports", "left over", "mixed, HTTP empty")
"""Layouts in which it is plain where a new rule goes."""


def _comes(on: Premises, edit: Edit, host: str, url: str) -> Edit:
    only_tls = on.layout in ("left over", "mixed, HTTP empty")
    where = [key for key in on.listeners() if not (only_tls and key.startswith("HTTP:"))]
    edit.made = tuple(place for key in where for place in _places(key, host, url))
    bare = {key for key in where if on.layout == "automatic" and key.startswith("HTTP:")}
    edit.made = tuple(at for at in edit.made if not (at[0] == "target" and at[1] in bare))
    # Under SNI the call that makes a rule names its host's certificate, which until then may have been the listener's:
    # it is bound in another place, and what the host shows is the same.
    edit.allows = lambda place, was, now: (
        place[0] == "rule" and place[2] == host and place[4] == "certificate" and was is None
        and now == on.facts["listener", place[1], "certificate"]
    )  # fmt: skip
    return edit


def _places(listener: str, host: str, url: str) -> tuple[Place, Place]:
    return ("rule", listener, host, url), ("target", listener, host, url)


def _has_one_certificate(on: Premises) -> bool:
    """Whether a new host has an answer, and the same as the others."""
    if not any(key.startswith("HTTPS:") for key in on.listeners()):
        return True
    tls = on.ingress["spec"].get("tls") or []
    return len(tls) == 1 and not tls[0].get("hosts")


def path_removed(on: Premises) -> Edit | None:
    """One of several paths of a host."""
    if on.layout not in ("http", "https", "both", "automatic", "ports"):
        return None
    spec = on.spec()
    for rule in spec["rules"]:
        if rule.get("host") and len(rule["http"]["paths"]) > 1:
            gone = rule["http"]["paths"].pop()
            places = on.rules_of(rule["host"], gone["path"])
            ends = tuple(end for at in places for end in (("rule", *at), ("target", *at)))
            return Edit("path removed", [(on.path, {"spec": spec})], gone=ends)
    return None


def node_port_changed(on: Premises) -> Edit | None:
    """The Service gets another NodePort: every node is bound with it, and the old one goes."""
    if on.has("direct access", "super node") or not on.layout:
        return None
    service = on.objects("Service")[0]
    port = service["spec"]["ports"][0]
    old, new = port["nodePort"], 32_000 + on.tenant.number
    path = f"/api/v1/namespaces/{on.space}/services/{service['metadata']['name']}"
    places = [
        at for host, url in on.behind(service["metadata"]["name"]) for at in on.rules_of(host, url) if on.targets(at)
    ]
    if not places:
        return None
    wanted = dict.fromkeys((f"{address}:{new}" for address in on.always()), 10)

    def is_move(place: Place, was: Any, now: Any) -> bool:
        if place[0] != "target" or place[1:4] not in places:
            return False
        return now is ABSENT if place[4].endswith(f":{old}") else was is ABSENT

    return Edit(
        "NodePort changed", [(path, {"spec": {"ports": [{**port, "nodePort": new}]}})], allows=is_move,
        demands=lambda after: _same_targets(after, places, wanted),
    )  # fmt: skip


def backend_changed(on: Premises) -> Edit | None:
    """A path leads to another Service."""
    services = on.objects("Service")
    if (
        on.has("direct access", "super node")
        or len(services) < 2
        or on.layout not in ("http", "https", "both", "ports")
    ):
        return None
    spec = on.spec()
    rule = spec["rules"][0]
    path = rule["http"]["paths"][0]
    now = path["backend"]["service"]["name"]
    other = next(one for one in services if one["metadata"]["name"] != now)
    port = other["spec"]["ports"][0]
    path["backend"] = {"service": {"name": other["metadata"]["name"], "port": {"number": port["port"]}}}
    places = on.rules_of(rule.get("host", ""), path["path"])
    wanted = dict.fromkeys((f"{address}:{port['nodePort']}" for address in on.always()), 10)
    return Edit(
        "backend changed", [(on.path, {"spec": spec})],
        allows=lambda place, _was, _now: place[0] == "target" and place[1:4] in places,
        demands=lambda after: _same_targets(after, places, wanted),
    )  # fmt: skip


def _same_targets(after: Facts, places: Iterable[Place], wanted: dict[str, int]) -> str:
    wrong = {at: targets(after, at) for at in places if targets(after, at) != wanted}
    return f"targets are {wrong}, not {wanted}" if wrong else ""


def security_groups_changed(on: Premises) -> Edit | None:
    """Another set."""
    if _is_protected(on):
        return None
    edit = Edit("security groups changed", [on.annotated(f"{TKE}/security-groups", "sg-9zzzzzzz")])
    edit.exact["lb", "security_groups"] = ("sg-9zzzzzzz",)
    return edit


def pass_to_target_changed(on: Premises) -> Edit | None:
    """On to off, or off to on."""
    if _is_protected(on):
        return None
    new = not on.facts["lb", "pass_to_target"]
    edit = Edit("pass-to-target changed", [on.annotated(f"{TKE}/pass-to-target", str(new).lower())])
    edit.exact["lb", "pass_to_target"] = new
    return edit


def deletion_protection_changed(on: Premises) -> Edit | None:
    """Likewise."""
    if _is_protected(on):
        return None
    new = not on.facts["lb", "delete_protect"]
    edit = Edit("deletion protection changed", [on.annotated(f"{TKE}/deletion-protection", str(new).lower())])
    edit.exact["lb", "delete_protect"] = new
    return edit


def _is_protected(on: Premises) -> bool:
    """Settings of the load balancer cannot be changed then; in a group its members would have to agree."""
    return bool(on.facts["lb", "operate_protect"]) or on.has("origin: shared")


def words_changed(on: Premises) -> Edit | None:
    """What says nothing to a controller."""
    return Edit("words changed", [on.annotated("description", "somebody else's")])


KINDS: tuple[Draft, ...] = (
    host_added,
    path_added,
    path_removed,
    node_port_changed,
    backend_changed,
    security_groups_changed,
    pass_to_target_changed,
    deletion_protection_changed,
    words_changed,
)
