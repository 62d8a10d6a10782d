"""Mixed rules: which rules of the Ingress go to HTTP and which to HTTPS (contract, section 4.4). No ports in here.

The two sets of entries make no rules, they direct those that the Ingress has. A rule that none names goes to HTTPS.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from l7lb.model.cluster import Backend
from l7lb.model.identity import Protocol, RuleKey
from l7lb.translator.entries import Entry
from l7lb.translator.names import Name
from l7lb.translator.notebook import Notebook, shown
from l7lb.translator.options import Reading, field_of
from l7lb.translator.routing import Route

SETS = {Protocol.HTTP: Name.HTTP_RULES, Protocol.HTTPS: Name.HTTPS_RULES}

Tuple = tuple[str, str, str, str]
"""Host, path, name of the Service, its port as text."""


@dataclass(frozen=True, slots=True)
class Sets:
    """The rules of each protocol, in the Ingress's own order."""

    http: tuple[Route, ...]
    https: tuple[Route, ...]

    def of(self, protocol: str) -> tuple[Route, ...]:
        """Of one protocol."""
        return self.http if protocol == Protocol.HTTP else self.https


def entries(reading: Reading, protocol: Protocol) -> tuple[Entry, ...]:
    """The entries for one protocol; none while rules are not mixed."""
    value = reading.values.get(SETS[protocol]) if reading.flag(Name.RULE_MIX) is True else None
    return value if isinstance(value, tuple) else ()


def sort(wanted: tuple[Route, ...], reading: Reading, notebook: Notebook) -> Sets:
    """Every rule into one set or both. The default backend goes where the host's own rules are, unless it is named."""
    named = {protocol: _tuples(entries(reading, protocol)) for protocol in SETS}
    known = _known(wanted)
    for protocol in SETS:
        _warn_of_strays(entries(reading, protocol), protocol, known, notebook)
    chosen: dict[RuleKey, frozenset[Protocol]] = {}
    by_host: dict[str, set[Protocol]] = {}
    for route in wanted:
        found = frozenset(protocol for protocol in SETS if not named[protocol].isdisjoint(tuples(route)))
        if route.is_default and not found:
            found = frozenset(by_host.get(route.key.host, ()))
        chosen[route.key] = found or frozenset({Protocol.HTTPS})
        by_host.setdefault(route.key.host, set()).update(chosen[route.key])
    return Sets(
        tuple(route for route in wanted if Protocol.HTTP in chosen[route.key]),
        tuple(route for route in wanted if Protocol.HTTPS in chosen[route.key]),
    )


def tuples(route: Route) -> tuple[Tuple, ...]:
    """What an entry may say to mean this rule: its path as the Ingress writes it, or as CLB does."""
    service, port = _behind(route.backend)
    return tuple((route.key.host, path, service, port) for path in dict.fromkeys((route.path, route.key.path)))


def meant_by(entry: Entry) -> Tuple:
    """What an entry says."""
    return entry.host, entry.path, entry.service, entry.port


def _known(wanted: Iterable[Route]) -> frozenset[Tuple]:
    return frozenset(one for route in wanted if route.backend.service is not None for one in tuples(route))


def _tuples(of: Iterable[Entry]) -> frozenset[Tuple]:
    return frozenset(meant_by(entry) for entry in of if entry.service)


def _behind(backend: Backend) -> tuple[str, str]:
    if backend.service is None:
        return "", ""
    ref = backend.service.port
    port = "" if ref is None else ref.name or ("" if ref.number is None else str(ref.number))
    return backend.service.name, port


def _warn_of_strays(of: tuple[Entry, ...], protocol: Protocol, known: frozenset[Tuple], notebook: Notebook) -> None:
    for number, entry in enumerate(of):
        if entry.rewrite is None and meant_by(entry) not in known:
            notebook.warn(
                "",
                "EntryWithoutRule",
                f"Ingress {notebook.about}: entry {number} of {SETS[protocol].value}"
                f" ({shown(entry.host + entry.path)}) names no rule of spec.rules and directs nothing; host, path,"
                " serviceName and servicePort must be those of the rule",
                field=field_of(SETS[protocol]),
            )
