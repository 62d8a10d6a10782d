"""Redirects that annotations declare: automatic ones (HTTP:80 to HTTPS:443) and entries with `rewrite` (section 4.7).

A source redirects instead of forwarding, so that it is no rule of its listener. What contradicts itself is refused
entry by entry and its source is held; nothing in here makes a chain, a loop, or two redirects of one source.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from l7lb.model.identity import ListenerKey, Protocol, RuleKey, RuleRef
from l7lb.model.loadbalancer import RedirectSpec
from l7lb.model.maybe import UNSET, Maybe
from l7lb.translator import mixing
from l7lb.translator.entries import Codes, Entry
from l7lb.translator.names import Name
from l7lb.translator.notebook import HTTP, HTTPS, Notebook, shown
from l7lb.translator.options import Reading, field_of
from l7lb.translator.routing import Route, bad_host, is_url

NO_CODES: Final = Codes(None, {})

Forwarding = Mapping[ListenerKey, tuple[Route, ...]]
"""What each listener forwards."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which redirects the annotations speak of."""

    any: bool
    """Whether all redirects of our listeners are declared, be it that there are none."""
    automatic: bool
    manual: bool


@dataclass(frozen=True, slots=True)
class Moves:
    """Redirects by entries. `sources` also has those that are refused: nothing else may begin there."""

    specs: tuple[RedirectSpec, ...] = ()
    sources: Mapping[RuleRef, RuleRef] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Move:
    entry: Entry
    place: str
    """`entry 2 of kubernetes.io/ingress.http-rules`."""
    field: str
    target: RuleRef | None
    """None: no listener has that port."""


def asked(reading: Reading) -> Asked:
    """Only "false" switches redirects off; in a group the absence of the annotation does so too.

    Where `auto-rewrite` was deleted its redirects stay, also under the `rewrite-support` that was beside it: that one
    declares redirects with entries, which `rule-mix` reads.
    """
    automatic, support = reading.flag(Name.AUTO_REWRITE), reading.flag(Name.REWRITE_SUPPORT)
    group = reading.flag(Name.GROUP) is True
    by_entries = support is True and reading.flag(Name.RULE_MIX) is True
    return Asked(
        any=group or automatic is not UNSET or support is False or by_entries,
        automatic=automatic is True and support is not False,
        manual=support is True or (group and support is not False),
    )


def moves(forwarding: Forwarding, reading: Reading, notebook: Notebook, *, ipv6: bool) -> Moves:
    """The redirects that entries of the rule sets declare."""
    _warn_without_effect(reading, notebook)
    if not asked(reading).manual:
        return Moves()
    found: dict[RuleRef, _Move] = {}
    for protocol in mixing.SETS:
        for number, entry in enumerate(mixing.entries(reading, protocol)):
            if entry.rewrite is not None:
                _collect(found, (protocol, number, entry), forwarding, notebook)
    specs = []
    for source, move in found.items():
        why_not = _fault(source, move, found, forwarding, ipv6=ipv6)
        if _is_declared(source, move.entry, forwarding):
            _give_way(source, move, notebook)
        elif why_not is not None:
            _refuse(source, move, why_not, notebook)
        elif move.target is not None:
            specs.append(RedirectSpec(source, move.target))
            _warn_of_backend(source, move, notebook)
    return Moves(tuple(specs), {source: move.target or source for source, move in found.items()})


def mirrors(forwarding: Forwarding, taken: Moves, reading: Reading, notebook: Notebook) -> tuple[RedirectSpec, ...]:
    """One redirect from HTTP:80 for each rule of HTTPS:443; what is declared there otherwise stays."""
    value = reading.values.get(Name.AUTO_REWRITE_CODE)
    codes = value if isinstance(value, Codes) else NO_CODES
    declared = {RuleRef(HTTP, route.key) for route in forwarding.get(HTTP, ())}
    routes = forwarding.get(HTTPS, ())
    specs = []
    for route in routes:
        source, target = RuleRef(HTTP, route.key), RuleRef(HTTPS, route.key)
        if source in declared or taken.sources.get(source, target) != target:
            notebook.warn(
                "E4068",
                "RedirectConflict",
                f"Ingress {notebook.about}: {source} is declared otherwise, so that it does not redirect to HTTPS;"
                " take it out of the HTTP rules, or switch auto-rewrite off",
                field=field_of(Name.AUTO_REWRITE),
            )
        elif source not in taken.sources:
            specs.append(RedirectSpec(source, target, _code(codes, route.key.host), mirrored=True))
    _warn_of_strays(codes, routes, notebook)
    return tuple(specs)


def _code(codes: Codes, host: str) -> Maybe[int]:
    code = codes.by_host.get(host, codes.default)
    return UNSET if code is None else code


def _collect(
    found: dict[RuleRef, _Move], of: tuple[Protocol, int, Entry], forwarding: Forwarding, notebook: Notebook
) -> None:
    protocol, number, entry = of
    name = mixing.SETS[protocol]
    place, at = f"entry {number} of {name.value}", field_of(name)
    move = _Move(entry, place, at, _target(entry, forwarding))
    listeners = [key for key in forwarding if key.protocol == protocol]
    if not listeners:
        notebook.problem(
            "",
            "RedirectRefused",
            f"Ingress {notebook.about}: {place} redirects from {protocol}, and no such listener is asked for",
            field=at,
        )
    for listener in listeners:
        source = RuleRef(listener, _meant(entry.host, entry.path, forwarding[listener]))
        first = found.setdefault(source, move)
        if first.target != move.target:
            notebook.problem(
                "",
                "RedirectRefused",
                f"Ingress {notebook.about}: {place} gives {source} a second target; {first.place} stays,"
                " remove one of them",
                field=at,
            )


def _target(entry: Entry, forwarding: Forwarding) -> RuleRef | None:
    rewrite = entry.rewrite
    for listener, routes in forwarding.items():
        if rewrite is not None and listener.port == rewrite.port:
            return RuleRef(listener, _meant(rewrite.host, rewrite.path, routes))
    return None


def _meant(host: str, path: str, routes: tuple[Route, ...]) -> RuleKey:
    """The rule of these routes that has this host and path, as CLB or as the Ingress writes it; else a plain one."""
    key = RuleKey(host, path)
    if any(route.key == key for route in routes):
        return key
    return next((route.key for route in routes if (route.key.host, route.path) == (host, path)), key)


def _fault(
    source: RuleRef, move: _Move, sources: Mapping[RuleRef, _Move], forwarding: Forwarding, *, ipv6: bool
) -> tuple[str, str] | None:
    """TKE's code, if there is one, and what is wrong with an entry; None: nothing."""
    entry, target = move.entry, move.target
    why_not = bad_host(entry.host, ipv6=ipv6)
    if why_not is not None:
        return why_not
    if not is_url(source.rule.path):
        return "E4031", f"its path {shown(entry.path)} cannot be served"
    if target is None:
        port = entry.rewrite.port if entry.rewrite is not None else 0
        return "", f"its target is on port {port}, and no listener is asked for there"
    if target == source:
        return "", f"{source} redirects to itself"
    if target in sources:
        return "", f"its target {target} redirects itself ({sources[target].place}); redirects may not be chained"
    if not any(route.key == target.rule for route in forwarding[target.listener]):
        return "", f"its target {target} is no forwarding rule of this Ingress"
    return None


def _is_declared(source: RuleRef, entry: Entry, forwarding: Forwarding) -> bool:
    """Whether the source forwards by a rule of the Ingress, other than the one that the entry itself names."""
    routes = forwarding[source.listener]
    itself = any(mixing.meant_by(entry) in mixing.tuples(route) for route in routes)
    return not itself and any(route.key == source.rule for route in routes)


def _refuse(source: RuleRef, move: _Move, why_not: tuple[str, str], notebook: Notebook) -> None:
    code, what = why_not
    notebook.problem(
        code,
        "RedirectRefused",
        f"Ingress {notebook.about}: {move.place} is refused: {what}; what is at {source} is left",
        field=move.field,
    )
    notebook.hold(source)
    if move.entry.service:
        # Its rule may be on its way from another listener, and must not be lost there.
        notebook.hold_broken(source.rule)


def _give_way(source: RuleRef, move: _Move, notebook: Notebook) -> None:
    notebook.problem(
        "E4081" if source.listener.protocol == Protocol.HTTPS else "",
        "RedirectRefused",
        f"Ingress {notebook.about}: {move.place} is refused: {source} is a forwarding rule, which stays; remove one of"
        " them, or name the rule's backend in the entry",
        field=move.field,
    )


def _warn_of_backend(source: RuleRef, move: _Move, notebook: Notebook) -> None:
    if move.entry.service:
        notebook.warn(
            "",
            "BackendUnused",
            f"Ingress {notebook.about}: {move.place} has backend and rewrite: {source} redirects, its backend is"
            " not used there",
            field=move.field,
        )


def _warn_without_effect(reading: Reading, notebook: Notebook) -> None:
    mixed, manual = reading.flag(Name.RULE_MIX) is True, asked(reading).manual
    if mixed and manual:
        return
    missing = Name.REWRITE_SUPPORT if mixed else Name.RULE_MIX
    for name in mixing.SETS.values():
        value = reading.values.get(name)
        if isinstance(value, tuple) and any(entry.rewrite is not None for entry in value):
            notebook.warn(
                "",
                "RewriteWithoutEffect",
                f'Ingress {notebook.about}: the rewrite entries of {name.value} need {missing.value}: "true"',
                field=field_of(name),
            )


def _warn_of_strays(codes: Codes, routes: tuple[Route, ...], notebook: Notebook) -> None:
    hosts = {route.key.host for route in routes}
    for host in codes.by_host:
        if host not in hosts:
            notebook.warn(
                "",
                "EntryWithoutRule",
                f"Ingress {notebook.about}: rewriteCodeInfos names {f'host {shown(host)}' if host else 'no host'},"
                " of which there is no HTTPS rule",
                field=field_of(Name.AUTO_REWRITE_CODE),
            )
