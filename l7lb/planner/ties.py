"""Redirects sorted out before rules are planned: which are wanted, which stay, which are to come off. Makes no step.

Without an annotation every redirect stays. With one, those whose source is a rule of ours are what it says; what is
held, and what begins on a listener that is not ours, stays.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from l7lb.model.identity import ListenerKey, RuleKey, RuleRef
from l7lb.model.loadbalancer import (
    DesiredLoadBalancer,
    HostSpec,
    ListenerSpec,
    ObservedListener,
    Redirect,
    RedirectSpec,
    RuleSpec,
)
from l7lb.model.maybe import Unset
from l7lb.model.ownership import Claim
from l7lb.model.problems import Held
from l7lb.model.redirecting import DEFAULT_CODE


@dataclass(frozen=True, slots=True)
class Link:
    """One redirect as it was read, with its ends as keys where they are known."""

    source: RuleRef
    seen: Redirect
    listener: ListenerKey | None
    target: RuleRef | None

    @property
    def code(self) -> int:
        """What clients are answered."""
        return self.seen.code if self.seen.code is not None else DEFAULT_CODE

    def satisfies(self, wanted: RedirectSpec) -> bool:
        """Whether it is the one that is asked for. Whether it is automatic, and what it keeps of the URL, is not."""
        return self.target == wanted.target and (isinstance(wanted.code, Unset) or wanted.code == self.code)

    def __str__(self) -> str:
        return f"{self.source} -> {self.target or self.listener or self.seen.listener or 'nobody knows where'}"


@dataclass(frozen=True, slots=True)
class Ties:
    """All redirects of a load balancer, by what becomes of them."""

    staying: tuple[Link, ...] = ()
    fixed: tuple[Link, ...] = ()
    """Those of the staying ones that may not be taken off, not even for a moment."""
    off: Mapping[RuleRef, Link] = field(default_factory=dict)
    """By source."""
    wanted: Mapping[RuleRef, RedirectSpec] = field(default_factory=dict)
    """By source, with the keys that the rules have in the cloud; some are there already."""
    notes: tuple[str, ...] = ()

    @property
    def ends(self) -> frozenset[RuleRef]:
        """Rules at either end of what stays."""
        targets = {link.target for link in self.staying if link.target is not None}
        return frozenset(targets | {link.source for link in self.staying})

    def at(self, ref: RuleRef) -> Link | None:
        """What stays and has this rule at an end."""
        return next((link for link in self.staying if ref in (link.source, link.target)), None)

    def on(self, key: ListenerKey) -> Link | None:
        """What stays and has this listener at an end."""
        return next((link for link in self.staying if key in (link.source.listener, link.listener)), None)


def aliases(wanted: Iterable[RuleKey], there: Iterable[RuleKey], *, native: bool) -> dict[RuleKey, RuleKey]:
    """The key that each wanted rule has in the cloud: TKE's `/p` satisfies our `=/p` until we have made one."""
    keys, present = tuple(wanted), frozenset(there)
    asked = frozenset(keys)
    found = {}
    for key in keys:
        plain = RuleKey(key.host, key.path.removeprefix("="))
        stands_in = not native and key not in present and plain in present and plain not in asked
        found[key] = plain if stands_in else key
    return found


def sort_out(
    desired: DesiredLoadBalancer, everything: Iterable[ObservedListener], claim: Claim, held: Held, *, native: bool
) -> Ties:
    """What is wanted over what is there."""
    ours = claim.listeners
    listeners = sorted(everything, key=lambda item: item.spec.key)
    found = links(listeners)
    if isinstance(desired.redirects, Unset):
        return Ties(staying=found, fixed=found)
    there = {item.spec.key: item for item in listeners if item.spec.key in ours}
    wanted, notes = _wanted(desired, desired.redirects, there, native=native)
    mine = claim.redirects | wanted.keys() if claim.redirects is not None else None
    fixed = tuple(link for link in found if _fixed(link, ours, held) or (mine is not None and link.source not in mine))
    staying: list[Link] = []
    off: dict[RuleRef, Link] = {}
    for link in found:
        spec = wanted.get(link.source)
        if link in fixed or (spec is not None and link.satisfies(spec)):
            staying.append(link)
        else:
            off[link.source] = link
    return Ties(tuple(staying), fixed, off, wanted, notes)


def with_sources(spec: ListenerSpec, ties: Ties) -> ListenerSpec:
    """The listener with the rules that redirects need on it: they have no targets."""
    keys = {rule.key for rule in spec.rules}
    sources = [ref.rule for ref in sorted(ties.wanted) if ref.listener == spec.key and ref.rule not in keys]
    hosts = {host.host: host for host in spec.hosts}
    for key in sources:
        hosts.setdefault(key.host, HostSpec(key.host))
    return replace(spec, hosts=tuple(hosts.values()), rules=(*spec.rules, *map(RuleSpec, sources)))


def links(listeners: Iterable[ObservedListener]) -> tuple[Link, ...]:
    """Every redirect of a load balancer, in the order of its listeners."""
    by_id = {item.id: item for item in listeners}
    rules = {
        (item.id, location): RuleRef(item.spec.key, rule)
        for item in by_id.values()
        for rule, location in sorted(item.locations.items(), reverse=True)
        if location
    }
    return tuple(
        Link(
            source=RuleRef(item.spec.key, rule),
            seen=redirect,
            listener=by_id[redirect.listener].spec.key if redirect.listener in by_id else None,
            target=rules.get((redirect.listener, redirect.location)),
        )
        for item in by_id.values()
        for rule, redirect in sorted(item.redirects.items())
    )


def _fixed(link: Link, ours: frozenset[ListenerKey], held: Held) -> bool:
    """Whether it may not be taken off: not ours, held at an end, or without the ids that a call would need."""
    if link.source.listener not in ours or not (link.seen.listener and link.seen.location):
        return True
    return held.covers(link.source) or (link.target is not None and held.covers(link.target))


def _wanted(
    desired: DesiredLoadBalancer,
    redirects: Iterable[RedirectSpec],
    there: Mapping[ListenerKey, ObservedListener],
    *,
    native: bool,
) -> tuple[dict[RuleRef, RedirectSpec], tuple[str, ...]]:
    """What can stand beside the rules that are asked for: no chain, no rule that forwards and redirects as well."""
    rules = {spec.key: {rule.key for rule in spec.rules} for spec in desired.listeners}
    specs = {spec.source: spec for spec in sorted(redirects, key=lambda spec: spec.source)}
    notes, sound = [], {}
    for source, spec in specs.items():
        why_not = ""
        if source.listener not in rules:
            why_not = f"nobody asks for {source.listener}"
        elif source.rule in rules[source.listener]:
            why_not = f"{source} forwards"
        elif spec.target in specs:
            why_not = f"{spec.target} redirects itself"
        elif spec.target.rule not in rules.get(spec.target.listener, ()):
            why_not = f"nobody asks for {spec.target}"
        if why_not:
            notes.append(f"the redirect {source} -> {spec.target} is left out: {why_not}")
        else:
            sound[source] = spec
    names = {
        key: aliases(
            [*sorted(of), *(ref.rule for ref in sound if ref.listener == key)],
            (rule.key for rule in there[key].spec.rules) if key in there else (),
            native=native,
        )
        for key, of in rules.items()
    }

    def named(ref: RuleRef) -> RuleRef:
        return RuleRef(ref.listener, names[ref.listener][ref.rule])

    made = (replace(spec, source=named(spec.source), target=named(spec.target)) for spec in sound.values())
    return {spec.source: spec for spec in made}, tuple(notes)
