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
