"""Ingress rules -> forwarding rules: hosts, paths, pathType, the default backend. Backends are carried, not looked at.

The meaning of a path is TKE's: Exact is CLB's `=`, Prefix and ImplementationSpecific are CLB's plain (string) prefix.
"""

import re
from dataclasses import dataclass
from typing import Final

from l7lb.model.cluster import Backend, HttpPath, Ingress
from l7lb.model.identity import RuleKey
from l7lb.model.quotas import Quota, shortage
from l7lb.translator.notebook import Notebook, shown

HOST_MAX: Final = 80
"""CreateRule page: a domain has 1 to 80 characters."""
HOST: Final = re.compile(r"(\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?)(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+", re.ASCII)
PATH_MAX: Final = 200
PLAIN: Final = re.compile(r"(=|\^~)?/[a-zA-Z0-9.\-_/=?:]*", re.ASCII)
REGEX: Final = re.compile(r"~\*?[a-zA-Z0-9.\-_/=?~^*$:()\[\]+|]+", re.ASCII)
PATH_TYPES: Final = ("Exact", "Prefix", "ImplementationSpecific")
ROOT: Final = "/"
DEFAULT_BACKEND: Final = "spec.defaultBackend"


@dataclass(frozen=True, slots=True)
class Route:
    """One forwarding rule and what stands behind it."""

    key: RuleKey
    backend: Backend
    field: str
    """Where it stands in the Ingress."""
    path: str
    """As the Ingress writes it."""

    @property
    def is_default(self) -> bool:
        """Whether it comes from the default backend."""
        return self.field == DEFAULT_BACKEND


def routes(ingress: Ingress, notebook: Notebook, *, rules_max: int, ipv6: bool = False) -> tuple[Route, ...]:
    """Every rule that the Ingress asks for and that can be one, in the Ingress's own order, the default backend's last.

    `ipv6`: the load balancer has no IPv4 address that could stand for a missing host.
    """
    found: dict[RuleKey, Route] = {}
    hosts: dict[str, None] = {}
    for index, rule in enumerate(ingress.spec.rules or ()):
        host, field = rule.host or "", f"spec.rules[{index}]"
        if not _is_usable(host, field, notebook, ipv6=ipv6):
            notebook.hold_host(host)
            continue
        paths = (rule.http.paths if rule.http else None) or ()
        if not paths:
            notebook.problem(
                "E4013",
                "RuleWithoutHttp",
                f"Ingress {notebook.about}: {field} ({_named(host)}) has no http paths; give it at least one",
                field=f"{field}.http",
            )
            notebook.hold_host(host)
            continue
        hosts[host] = None
        for number, path in enumerate(paths):
            _add(found, host, path, f"{field}.http.paths[{number}]", notebook)
    _add_default(ingress, found, tuple(hosts), notebook, rules_max=rules_max, ipv6=ipv6)
    return tuple(found.values())


def bad_host(host: str, *, ipv6: bool) -> tuple[str, str] | None:
    """TKE's code and what is wrong with a host; None: nothing. `ipv6`: the load balancer has no IPv4 address."""
    if not host:
        return ("E4034", "no host is given, and an IPv6 load balancer needs one") if ipv6 else None
    if len(host) > HOST_MAX or not HOST.fullmatch(host):
        what = f"host {shown(host)} cannot be served; use lower-case letters, digits, hyphens and at least one dot,"
        return "E4052", f"{what} at most {HOST_MAX} characters, and * only as the whole first label"
    return None


def is_url(url: str) -> bool:
    """Whether a path is one that CLB takes, in any of its forms."""
    return len(url) <= PATH_MAX and (PLAIN.fullmatch(url) is not None or REGEX.fullmatch(url) is not None)


def _is_usable(host: str, field: str, notebook: Notebook, *, ipv6: bool) -> bool:
    fault = bad_host(host, ipv6=ipv6)
    if fault is None:
        return True
    code, what = fault
    reasons = {"E4034": "HostMissing", "E4052": "BadHost"}
    notebook.problem(code, reasons[code], f"Ingress {notebook.about}: {field}: {what}", field=f"{field}.host")
    return False


def _add(found: dict[RuleKey, Route], host: str, path: HttpPath, field: str, notebook: Notebook) -> None:
    key = RuleKey(host, _url(path))
    if not _is_valid(key.path, path):
        notebook.problem(
            "E4031",
            "BadPath",
            f"Ingress {notebook.about}: path {shown(path.path or '')} with pathType {shown(path.path_type or '')}"
            f" in {field} cannot be served; start it with /, use a-z A-Z 0-9 . - _ / = ? : only,"
            f" at most {PATH_MAX} characters",
            field=f"{field}.path",
        )
        notebook.hold_rule(key)
    elif key in found:
        notebook.warn(
            "",
            "DuplicateRule",
            f"Ingress {notebook.about}: {field} gives the same rule {shown(str(key))} as {found[key].field},"
            " which stays; remove one of them",
            field=field,
        )
    else:
        found[key] = Route(key, path.backend, field, path.path or ROOT)


def _url(path: HttpPath) -> str:
    return ("=" if path.path_type == "Exact" else "") + (path.path or ROOT)


def _is_valid(url: str, path: HttpPath) -> bool:
    if len(url) > PATH_MAX or path.path_type not in (None, "", *PATH_TYPES):
        return False
    if path.path_type == "Exact":
        return PLAIN.fullmatch(url) is not None and url.startswith("=/")
    if path.path_type == "Prefix":
        return PLAIN.fullmatch(url) is not None and url.startswith(ROOT)
    return is_url(url)


def _add_default(
    ingress: Ingress,
    found: dict[RuleKey, Route],
    hosts: tuple[str, ...],
    notebook: Notebook,
    *,
    rules_max: int,
    ipv6: bool,
) -> None:
    backend = ingress.spec.default_backend
    if backend is None:
        return
    if ipv6:
        notebook.warn(
            "E4034",
            "HostMissing",
            f"Ingress {notebook.about}: spec.defaultBackend serves its hosts only, an IPv6 load balancer needs a host",
            field=DEFAULT_BACKEND,
        )
    wanted = [RuleKey(host, ROOT) for host in dict.fromkeys((*(() if ipv6 else ("",)), *hosts))]
    missing = [key for key in wanted if key not in found]
    room = max(0, rules_max - len(found))
    for key in missing[:room]:
        found[key] = Route(key, backend, DEFAULT_BACKEND, ROOT)
    for key in missing[room:]:
        notebook.warn(
            "E4005",
            "RuleQuota",
            f"Ingress {notebook.about}: no room for the rule of spec.defaultBackend under {_named(key.host)}:"
            f" {shortage(Quota.RULES, used=rules_max, limit=rules_max, wanted=1)}",
            field=DEFAULT_BACKEND,
        )


def _named(host: str) -> str:
    return f"host {shown(host)}" if host else "no host"
