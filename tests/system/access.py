"""Requests to an API server and rights in a manifest, in the same words: verb, group, resource, namespace, name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tests.system.kube import Json

PATH: Final = re.compile(
    r"/(?:api/v1|apis/(?P<group>[^/]+)/[^/]+)"
    r"(?:/namespaces/(?P<space>[^/]+)(?=/))?/(?P<resource>[^/]+)(?:/(?P<name>[^/]+))?(?:/(?P<part>[^/]+))?"
)


@dataclass(frozen=True, slots=True, order=True)
class Access:
    """One request as an authorizer sees it."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Right:
    """One verb on one resource. `namespace` empty: everywhere; `names` empty: any."""

    verb: str
    group: str
    resource: str
    namespace: str
    names: frozenset[str]

    def allows(self, access: Access) -> bool:
        """Whether this right is enough."""
        same = (self.verb, self.group, self.resource) == (access.verb, access.group, access.resource)
        return same and self.namespace in ("", access.namespace) and (not self.names or access.name in self.names)


def access_of(line: Json) -> Access:
    """A line of the emulator's request log: verb, path and query."""
    found = PATH.fullmatch(line["path"])
    assert found, line
    resource, name, part = found["resource"], found["name"] or "", found["part"]
    selector = str(line["query"].get("fieldSelector", ""))
    if not name and selector.startswith("metadata.name="):
        name = selector.removeprefix("metadata.name=")  # a watch of one object counts as access to that object
    return Access(
        line["verb"], found["group"] or "", f"{resource}/{part}" if part else resource, found["space"] or "", name
    )


def access_in(line: Json) -> Access | None:
    """A line of a kube-apiserver's audit log; None: what was asked for is no resource."""
    of: Json | None = line.get("objectRef")
    if of is None or "resource" not in of:
        return None
    resource = f"{of['resource']}/{of['subresource']}" if "subresource" in of else of["resource"]
    # The log fills in the name of what was made; the authorizer saw none.
    name = "" if line["verb"] == "create" else of.get("name", "")
    return Access(line["verb"], of.get("apiGroup", ""), resource, of.get("namespace", ""), name)


@dataclass(frozen=True, slots=True)
class Requests:
    """What one account asked of an API server."""

    asked: frozenset[Access]
    denied: tuple[str, ...] = ()
    """Requests that the server refused for want of a right."""


def requests_of(lines: Iterable[Json], account: str) -> Requests:
    """From a kube-apiserver's audit log. `account`: the name of the user, as RBAC has it."""
    own = [line for line in lines if line["user"]["username"] == account]
    denied = [
        f"{line['verb']} {line['requestURI']}"
        for line in own
        if line["annotations"].get("authorization.k8s.io/decision") != "allow"
    ]
    found = (access_in(line) for line in own)
    return Requests(frozenset(access for access in found if access is not None), tuple(denied))


def unused(rights: Iterable[Right], asked: Iterable[Access]) -> list[Right]:
    """Rights that no request needed; one that is tied to names needs a request for each."""
    seen = frozenset(asked)

    def is_used(right: Right) -> bool:
        names = {access.name for access in seen if right.allows(access)}
        return bool(names) and right.names <= names

    return [right for right in rights if not is_used(right)]


def rights_in(documents: Iterable[Json]) -> list[Right]:
    """Of every Role and ClusterRole."""
    return [
        Right(
            verb, group, resource, document["metadata"].get("namespace", ""), frozenset(rule.get("resourceNames", ()))
        )
        for document in documents
        if document["kind"] in ("Role", "ClusterRole")
        for rule in document["rules"]
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    ]
