"""The front door of the console: which path shows what, as a page or as JSON."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import unquote

from l7lb.console.wire import as_json
from l7lb.model.identity import CloudRef, LoadBalancerId, ObjectKey
from l7lb.model.portrait import Fleet, Tree, Why

JSON: Final = "application/json"
TEXT: Final = "text/plain; charset=utf-8"
PART_MAX: Final = 253
"""Letters of a part of a path: no name in Kubernetes or in the cloud is longer."""


class Portraits(Protocol):
    """Where portraits come from. Never raises what a page could be told."""

    def fleet(self) -> Fleet:
        """Everything, as of now."""
        ...

    def tree(self, ref: CloudRef) -> Tree | None:
        """One load balancer; None: no such one."""
        ...

    def why(self, key: ObjectKey) -> Why | None:
        """One Ingress; None: no such one."""
        ...


@dataclass(frozen=True, slots=True)
class Visit:
    """What a client asks for."""

    path: str
    query: str = ""
    accept: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What it gets."""

    status: int
    content_type: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Console:
    """Answers visits; keeps nothing between them."""

    def __init__(self, portraits: Portraits) -> None:
        self._portraits = portraits

    def answer(self, visit: Visit) -> Page:
        """A page for every visit, also for a wrong one."""
        path = visit.path.removesuffix(".json")
        match tuple(unquote(part) for part in path.strip("/").split("/")):
            case ("",) | ("index",):
                return _shown(self._portraits.fleet)
            case ("balancers", region, name) if len(region) <= PART_MAX and len(name) <= PART_MAX:
                return _shown(lambda: self._portraits.tree(CloudRef(region, LoadBalancerId(name))))
            case ("ingresses", namespace, name) if len(namespace) <= PART_MAX and len(name) <= PART_MAX:
                return _shown(lambda: self._portraits.why(ObjectKey(namespace, name)))
        return Page(404, TEXT, b"not found\n")


def _shown(draw: Callable[[], Fleet | Tree | Why | None]) -> Page:
    portrait = draw()
    return Page(200, JSON, as_json(portrait)) if portrait is not None else Page(404, TEXT, b"not found\n")
