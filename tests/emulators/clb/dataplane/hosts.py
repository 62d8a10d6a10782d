"""Which domain of a listener serves a host name. Pure: no request, no socket, no URL matching.

Order of the classes: CLB's page on forwarding rules. Inside one class the cloud promises nothing; here it is nginx's
order (longest wildcard, first created expression), so that a run can be repeated.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HostIndex:
    """The domains of one listener, sorted by kind."""

    exact: Mapping[str, str]
    leading: tuple[tuple[str, str], ...]
    trailing: tuple[tuple[str, str], ...]
    patterns: tuple[tuple[re.Pattern[str], str], ...]


def index_hosts(domains: Iterable[str]) -> HostIndex:
    """Sort domains (in order of creation) into the four kinds.

    Raises ``ValueError`` for an expression that does not compile: the control plane should have refused it.
    """
    exact: dict[str, str] = {}
    leading: list[tuple[str, str]] = []
    trailing: list[tuple[str, str]] = []
    patterns: list[tuple[re.Pattern[str], str]] = []
    for domain in dict.fromkeys(domains):
        lowered = domain.lower()
        if domain.startswith("~"):
            patterns.append((_compiled(domain), domain))
        elif lowered.startswith("*."):
            leading.append((lowered[1:], domain))
        elif lowered.endswith(".*"):
            trailing.append((lowered[:-1], domain))
        else:
            exact.setdefault(lowered, domain)
    leading.sort(key=lambda item: -len(item[0]))
    trailing.sort(key=lambda item: -len(item[0]))
    return HostIndex(exact, tuple(leading), tuple(trailing), tuple(patterns))


def match_host(host: str, index: HostIndex) -> str | None:
    """The domain that serves ``host`` (as ``bare_host`` gives it), or None: then the default domain does."""
    found = index.exact.get(host)
    if found is not None:
        return found
    for suffix, domain in index.leading:
        if host.endswith(suffix) and len(host) > len(suffix):
            return domain
    for prefix, domain in index.trailing:
        if host.startswith(prefix) and len(host) > len(prefix):
            return domain
    for pattern, domain in index.patterns:
        if pattern.search(host):
            return domain
    return None


def bare_host(header: str) -> str:
    """A Host header without port, final dot and capitals; an IPv6 literal keeps its brackets."""
    host = header.strip().lower()
    if host.startswith("["):
        return host[: host.find("]") + 1]
    return host.partition(":")[0].rstrip(".")


def is_concrete(domain: str) -> bool:
    """True for a name or address that can stand in a Host header: no wildcard, no expression."""
    return bool(domain) and not domain.startswith("~") and "*" not in domain


def _compiled(domain: str) -> re.Pattern[str]:
    try:
        return re.compile(domain[1:].strip(), re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"domain {domain!r} is not a regular expression: {error}") from error
