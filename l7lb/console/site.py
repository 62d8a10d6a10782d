"""The front door of the console: which path shows what, as a page or as JSON."""

from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import unquote

from l7lb.console.finding import wanted
from l7lb.console.pages import HERE, Pages
from l7lb.console.wire import as_json
from l7lb.model.identity import CloudRef, LoadBalancerId, ObjectKey
from l7lb.model.portrait import Fleet, PlanView, Standing, Tree, Why

JSON: Final = "application/json"
TEXT: Final = "text/plain; charset=utf-8"
HTML: Final = "text/html; charset=utf-8"
TWIN: Final = ".json"
PART_MAX: Final = 253
"""Letters of a part of a path: no name in Kubernetes or in the cloud is longer."""
STATIC: Final = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


class Portraits(Protocol):
    """Where portraits come from."""

    def standing(self) -> Standing:
        """The process."""
        ...

    def fleet(self) -> Fleet:
        """Everything, as of now."""
        ...

    def plans(self) -> tuple[float, tuple[PlanView, ...]]:
        """The time, and what was planned lately, newest first."""
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

    @property
    def wants_json(self) -> bool:
        """By the address, or because it takes nothing else."""
        return self.path.endswith(TWIN) or ("application/json" in self.accept and "text/html" not in self.accept)


@dataclass(frozen=True, slots=True)
class Page:
    """What it gets."""

    status: int
    content_type: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Console:
    """Answers visits; keeps nothing between them but its templates."""

    def __init__(self, portraits: Portraits) -> None:
        self._portraits = portraits
        self._pages = Pages()
        self._static = {name: (HERE / "static" / name).read_bytes() for name in STATIC}

    def answer(self, visit: Visit) -> Page:
        """A page for every visit, also for a wrong one."""
        path = visit.path.removesuffix(TWIN)
        parts = tuple(unquote(part, errors="replace") for part in path.strip("/").split("/"))
        if any(len(part) > PART_MAX for part in parts):
            return self._missing(visit, "No name is that long.")
        match parts:
            case ("",) | ("index",):
                return self._overview(visit)
            case ("plans",):
                return self._plans(visit)
            case ("balancers", region, name):
                return self._balancer(visit, CloudRef(region, LoadBalancerId(name)))
            case ("ingresses", namespace, name):
                return self._ingress(visit, ObjectKey(namespace, name))
            case ("static", name) if name in STATIC:
                return Page(200, STATIC[name], self._static[name])
        return self._missing(visit, "The address leads nowhere.")

    def _overview(self, visit: Visit) -> Page:
        fleet = self._portraits.fleet()
        return _shown(as_json(fleet)) if visit.wants_json else _page(self._pages.overview(fleet, wanted(visit.query)))

    def _plans(self, visit: Visit) -> Page:
        now, plans = self._portraits.plans()
        if visit.wants_json:
            return _shown(as_json(plans))
        return _page(self._pages.plans(plans, self._portraits.standing(), now))

    def _balancer(self, visit: Visit, ref: CloudRef) -> Page:
        tree = self._portraits.tree(ref)
        if tree is None:
            return self._missing(visit, f"No Ingress uses a load balancer {ref.id} in {ref.region}.")
        if visit.wants_json:
            return _shown(as_json(tree))
        return _page(self._pages.balancer(tree, self._portraits.standing(), wanted(visit.query)))

    def _ingress(self, visit: Visit, key: ObjectKey) -> Page:
        why = self._portraits.why(key)
        if why is None:
            return self._missing(visit, f"There is no Ingress {key} in the cluster, or it is not watched.")
        return _shown(as_json(why)) if visit.wants_json else _page(self._pages.ingress(why, self._portraits.standing()))

    def _missing(self, visit: Visit, what: str) -> Page:
        if visit.wants_json:
            return Page(404, JSON, as_json({"error": what}))
        return _page(self._pages.missing(self._portraits.standing(), self._portraits.plans()[0], what), 404)


def _shown(body: bytes) -> Page:
    return Page(200, JSON, body)


def _page(body: bytes, status: int = 200) -> Page:
    return Page(status, HTML, body)
