"""Requests to an API server and rights in a manifest, in the same words: verb, group, resource, namespace, name."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from l7lb.adapters.kube.transport import ByteStream, Request, Response, Transport
from l7lb.errors import NotFound, Unavailable

PATH: Final = re.compile(
    r"/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+)/[^/]+)"
    r"(?:/namespaces/(?P<space>[^/]+)(?=/))?/(?P<resource>[^/]+)(?:/(?P<name>[^/]+))?(?:/(?P<part>[^/]+))?"
)
WRITES: Final = {"POST": "create", "PATCH": "patch", "PUT": "update", "DELETE": "delete"}


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


def access_of(request: Request) -> Access:
    """What the authorizer makes of a request."""
    found = PATH.fullmatch(request.path)
    assert found, request.path
    resource, name, part = found["resource"], found["name"] or "", found["part"]
    selector = request.query.get("fieldSelector", "").removeprefix("metadata.name=")
    if request.method == "GET":
        verb = "watch" if "watch" in request.query else "get" if name else "list"
        name = name or (selector if "=" not in selector else "")
    else:
        verb = WRITES[request.method]
    return Access(
        verb,
        found["group"] or "",
        f"{resource}/{part}" if part else resource,
        unquote(found["space"] or ""),
        unquote(name),
    )


def rights_in(documents: Iterable[dict[str, Any]]) -> list[Right]:
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


class Recorder(Transport):
    """Writes down what is asked. Lists are empty, watches fail, single objects are what `answer` gives (None: 404)."""

    def __init__(self, answer: Callable[[Request], object | None]) -> None:
        self.seen: set[Access] = set()
        self._answer = answer

    def request(self, request: Request, *, guard: Callable[[], None] | None = None) -> Response:
        """Answer without a network."""
        del guard
        access = access_of(request)
        self.seen.add(access)
        if access.verb == "list":
            body: object = {"kind": "AnyList", "metadata": {"resourceVersion": "1"}, "items": []}
        else:
            found = self._answer(request)
            if found is None:
                raise NotFound(f"{request.path} not found", what=request.what)
            body = found
        return Response(200, {}, msgspec.json.encode(body))

    def stream(self, request: Request, *, silence_s: float) -> ByteStream:
        """No watch is ever opened."""
        del silence_s
        self.seen.add(access_of(request))
        raise Unavailable("nothing to watch")
