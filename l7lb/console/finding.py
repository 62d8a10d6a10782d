"""What a visitor searches for, and the part of a list that fits on a page. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar
from urllib.parse import parse_qs

from l7lb.model.branches import HostView, ListenerView, Mark, RuleView, TargetView
from l7lb.model.identity import ObjectKey
from l7lb.model.portrait import Balancer, Member

T = TypeVar("T")
Listed = TypeVar("Listed", Balancer, Member)

ROWS_MAX: Final = 50
"""Rows of a list on one page."""
RULES_MAX: Final = 100
"""Rules of a load balancer on one page."""
TEXT_MAX: Final = 200
PAGES_MAX: Final = 10_000
FIELDS_MAX: Final = 16
VIEWS: Final = ("balancers", "ingresses")
_ORDER: Final = {mark: number for number, mark in enumerate(Mark)}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the query of an address asks for."""

    text: str = ""
    mark: Mark | None = None
    view: str = VIEWS[0]
    page: int = 1


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """One page of what was found."""

    items: tuple[T, ...]
    total: int
    page: int
    pages: int
    counts: Mapping[Mark, int]
    """Of everything that fits the text, however it stands."""


def wanted(query: str) -> Wanted:
    """Total: what cannot be read counts as not said."""
    try:
        said = parse_qs(query[: 8 * TEXT_MAX], max_num_fields=FIELDS_MAX, errors="replace")
    except ValueError:
        return Wanted()
    first = {name: values[0] for name, values in said.items()}
    page = first.get("page", "1")
    view = first.get("view", VIEWS[0])
    return Wanted(
        text=first.get("q", "").strip()[:TEXT_MAX],
        mark=next((mark for mark in Mark if mark.value == first.get("mark")), None),
        view=view if view in VIEWS else VIEWS[0],
        page=min(max(int(page), 1), PAGES_MAX) if page.isascii() and page.isdecimal() and len(page) < 6 else 1,
    )


def find(items: Iterable[Listed], asked: Wanted, rows_max: int = ROWS_MAX) -> Found[Listed]:
    """Those that fit, worst first and then by name."""
    words = asked.text.lower().split()
    fitting = [one for one in items if _fits(one, words)]
    counts = Counter(one.mark for one in fitting)
    chosen = [one for one in fitting if asked.mark in (None, one.mark)]
    chosen.sort(key=lambda one: _ORDER[one.mark])  # stable: within a mark the order is that of the fleet
    shown, page, pages = _page(chosen, asked.page, rows_max)
    return Found(tuple(shown), len(chosen), page, pages, {mark: counts[mark] for mark in Mark})


def rules(listeners: Iterable[ListenerView], asked: Wanted, rows_max: int = RULES_MAX) -> Found[ListenerView]:
    """The branches of a load balancer whose host, path, Service or Ingress fits, so many rules of them."""
    words = asked.text.lower().split()
    flat = [
        (listener, host, rule)
        for listener in listeners
        for host in listener.hosts
        for rule in host.rules
        if _rule_fits(listener, host, rule, words)
    ]
    counts = Counter(rule.mark for _, _, rule in flat)
    chosen = [one for one in flat if asked.mark in (None, one[2].mark)]
    shown, page, pages = _page(chosen, asked.page, rows_max)
    bare = () if words or asked.mark else tuple(one for one in listeners if not one.hosts)
    items = (*_regrown(shown), *(bare if page == pages else ()))
    return Found(items, len(chosen), page, pages, {mark: counts[mark] for mark in Mark})


def owned(listeners: Iterable[ListenerView], key: ObjectKey, rows_max: int = RULES_MAX) -> tuple[ListenerView, ...]:
    """The branches that one Ingress asks for, so many rules of them."""
    flat = [
        (listener, host, rule)
        for listener in listeners
        for host in listener.hosts
        for rule in host.rules
        if rule.owner == key
    ]
    return tuple(_regrown(flat[:rows_max]))


def worst_targets(rule: RuleView) -> tuple[TargetView, ...]:
    """The targets of a rule, those first that need a look."""
    return tuple(sorted(rule.targets, key=lambda one: _ORDER[one.mark]))


def _page(items: Sequence[T], page: int, most: int) -> tuple[Sequence[T], int, int]:
    pages = max(1, -(-len(items) // most))
    page = min(page, pages)
    return items[(page - 1) * most : page * most], page, pages


def _regrown(flat: Iterable[tuple[ListenerView, HostView, RuleView]]) -> Iterator[ListenerView]:
    """The flat list as branches again."""
    listener: ListenerView | None = None
    host: HostView | None = None
    hosts: list[HostView] = []
    rules: list[RuleView] = []
    for its_listener, its_host, rule in flat:
        if host is not None and (its_host is not host or its_listener is not listener):
            hosts.append(replace(host, rules=tuple(rules)))
            rules = []
        if listener is not None and its_listener is not listener:
            yield replace(listener, hosts=tuple(hosts))
            hosts = []
        listener, host = its_listener, its_host
        rules.append(rule)
    if listener is not None and host is not None:
        yield replace(listener, hosts=(*hosts, replace(host, rules=tuple(rules))))


def _fits(one: Balancer | Member, words: Sequence[str]) -> bool:
    if not words:
        return True
    hay = " ".join(_words_of(one)).lower()
    return all(word in hay or _covered(one.hosts, word) for word in words)


def _words_of(one: Balancer | Member) -> Iterator[str]:
    yield from one.hosts
    yield from one.addresses
    if isinstance(one, Member):
        yield from (str(one.key), str(one.ref or ""), one.says)
        return
    yield from (str(one.ref), one.name, one.claim)
    yield from map(str, one.owners)
    for trouble in one.troubles:
        yield from (trouble.code, trouble.reason, trouble.message)


def _covered(hosts: Iterable[str], word: str) -> bool:
    """Whether a wildcard host serves the host that is searched for."""
    return any(host.startswith("*.") and word.endswith(host[1:].lower()) for host in hosts)


def _rule_fits(listener: ListenerView, host: HostView, rule: RuleView, words: Sequence[str]) -> bool:
    if not words:
        return True
    told = (str(listener.key), f"{host.host}{rule.path}", rule.id, str(rule.owner or ""), rule.backend, rule.redirect)
    targets = (f"{one.key} {one.name} {one.instance}" for one in rule.targets)
    hay = " ".join((*told, *targets)).lower()
    return all(word in hay or _covered((host.host,), word) for word in words)
