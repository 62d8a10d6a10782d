"""The tree of one load balancer: what Ingresses ask for laid over what is there, part by part. Pure; decides nothing.

Where the values come from is somebody else's business: caches of a running process, or a reading from outside.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from l7lb.model.branches import HostView, ListenerView, Part, RuleView, TargetView
from l7lb.model.cloud import TargetHealth
from l7lb.model.cluster import Backend, Ingress
from l7lb.model.identity import ListenerId, ListenerKey, LocationId, ObjectKey, RuleKey, RuleRef
from l7lb.model.loadbalancer import Certificate, ObservedListener, ObservedLoadBalancer, Presence, RuleSpec, Target
from l7lb.model.maybe import UNSET, Maybe, given
from l7lb.model.ownership import Claim, Record
from l7lb.model.snapshot import Translation

Healths: TypeAlias = Mapping[tuple[ListenerId, LocationId], tuple[TargetHealth, ...]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One Ingress on a load balancer: the object, its record, and what it is read as."""

    ingress: Ingress
    record: Record | None
    translation: Translation


@dataclass(frozen=True, slots=True)
class Sight:
    """All that a tree is drawn from."""

    asked: tuple[Asked, ...]
    observed: ObservedLoadBalancer | None = None
    """None: not known, which is not the same as empty."""
    claim: Claim | None = None
    """None: nobody has looked whose its parts are; then what is asked for counts as ours."""
    healths: Healths = field(default_factory=dict)
    name_of: Callable[[str], str] = lambda _address: ""
    """The node or pod that has an address."""


@dataclass(frozen=True, slots=True)
class _Wish:
    spec: RuleSpec | None
    """None: the rule is a redirect, which has no targets."""
    owner: ObjectKey
    backend: str
    redirect: str
    held: bool


def branches(sight: Sight) -> tuple[ListenerView, ...]:
    """Listener by listener, in the order of protocol and port."""
    wishes = _wishes(sight.asked)
    there = {one.spec.key: one for one in (sight.observed.listeners if sight.observed is not None else ())}
    keys = sorted({*there, *(ref.listener for ref in wishes), *_listeners(sight.asked)})
    return tuple(_listener(sight, key, there.get(key), wishes) for key in keys)


def backends(ingress: Ingress) -> dict[RuleKey, str]:
    """What each rule of an Ingress leads to, `web:80`, by the key that its forwarding rule has."""
    found: dict[RuleKey, str] = {}
    for rule in ingress.spec.rules or ():
        for path in (rule.http.paths if rule.http else None) or ():
            mark = "=" if path.path_type == "Exact" else ""
            found.setdefault(RuleKey(rule.host or "", mark + (path.path or "/")), _backend(path.backend))
    return found


def certificate_words(certificate: Maybe[Certificate | None]) -> str:
    """`cert-a + cert-b, client CA cert-c`; empty: none."""
    known = given(certificate, None)
    if known is None:
        return ""
    return " + ".join(sorted(known.ids)) + (f", client CA {known.ca_id}" if known.ca_id else "")


def _backend(backend: Backend) -> str:
    service = backend.service
    if service is None:
        return f"{backend.resource.kind} {backend.resource.name}" if backend.resource is not None else ""
    port = service.port
    return f"{service.name}:{port.name or port.number}" if port is not None else service.name


def _listeners(asked: Iterable[Asked]) -> Iterator[ListenerKey]:
    for one in asked:
        desired = one.translation.desired
        yield from (spec.key for spec in (desired.listeners if desired is not None else ()))


def _wishes(asked: Iterable[Asked]) -> dict[RuleRef, _Wish]:
    """What is asked for, rule by rule; who comes first in a group has it."""
    found: dict[RuleRef, _Wish] = {}
    for one in asked:
        desired, held, key = one.translation.desired, one.translation.held, one.ingress.key
        if desired is None:
            continue
        behind = backends(one.ingress)
        default = _backend(one.ingress.spec.default_backend) if one.ingress.spec.default_backend else ""
        for spec in desired.listeners:
            for rule in spec.rules:
                ref = RuleRef(spec.key, rule.key)
                backend = behind.get(rule.key) or behind.get(_plain(rule.key)) or default
                found.setdefault(ref, _Wish(rule, key, backend, "", held.covers(ref)))
        for redirect in given(desired.redirects, ()):
            words = _redirect(given(redirect.code, None), str(redirect.target))
            found.setdefault(redirect.source, _Wish(None, key, "", words, held.covers(redirect.source)))
    return found


def _plain(key: RuleKey) -> RuleKey:
    """The same path without CLB's mark for an exact one."""
    return RuleKey(key.host, key.path.removeprefix("="))


def _redirect(code: int | None, target: str) -> str:
    return f"{code or 302} to {target}"


def _listener(
    sight: Sight, key: ListenerKey, there: ObservedListener | None, wishes: Mapping[RuleRef, _Wish]
) -> ListenerView:
    wanted = {ref.rule: wish for ref, wish in wishes.items() if ref.listener == key}
    specs = {rule.key: rule for rule in (there.spec.rules if there is not None else ())}
    certificates = {host.host: host.certificate for host in (there.spec.hosts if there is not None else ())}
    asked = dict(_asked_certificates(sight.asked, key))
    hosts: dict[str, list[RuleView]] = {}
    for rule in sorted({*wanted, *specs}):
        view = _rule(sight, RuleRef(key, rule), there, wanted.get(rule))
        hosts.setdefault(rule.host, []).append(view)
    own = there.spec.certificate if there is not None else UNSET
    return ListenerView(
        key=key,
        part=_listener_part(sight, key, there, is_wanted=bool(wanted) or key in set(_listeners(sight.asked))),
        id=there.id if there is not None else "",
        name=given(there.spec.name, "") if there is not None else "",
        hosts=tuple(
            HostView(
                host,
                certificate_words(given(certificates.get(host, UNSET), None) or given(own, None))
                or certificate_words(asked.get(host, UNSET)),
                tuple(rules),
            )
            for host, rules in hosts.items()
        ),
    )


def _asked_certificates(asked: Iterable[Asked], key: ListenerKey) -> Iterator[tuple[str, Maybe[Certificate | None]]]:
    for one in asked:
        desired = one.translation.desired
        for spec in desired.listeners if desired is not None else ():
            if spec.key == key:
                yield from ((host.host, host.certificate) for host in spec.hosts)


def _listener_part(sight: Sight, key: ListenerKey, there: ObservedListener | None, *, is_wanted: bool) -> Part:
    if sight.observed is None:
        return Part.UNSEEN
    if there is None:
        return Part.MISSING
    if sight.claim is not None and key not in sight.claim.listeners:
        return Part.OTHERS
    if is_wanted:
        return Part.THERE
    if any(one.translation.held.covers_listener(key) for one in sight.asked):
        return Part.THERE
    return Part.SURPLUS if sight.claim is not None and not _all_held(sight.asked) else Part.OTHERS


def _all_held(asked: Iterable[Asked]) -> bool:
    """What is not asked for may be held: then nobody can say that it is surplus."""
    return any(one.translation.desired is None or one.translation.held.everything for one in asked)


def _rule(sight: Sight, ref: RuleRef, there: ObservedListener | None, wish: _Wish | None) -> RuleView:
    spec = next((rule for rule in there.spec.rules if rule.key == ref.rule), None) if there is not None else None
    location = there.locations.get(ref.rule, LocationId("")) if there is not None else LocationId("")
    redirect = _redirected(sight.observed, there, ref.rule) if there is not None else ""
    health = sight.healths.get((there.id, location), ()) if there is not None else ()
    wish = wish or _written(sight.asked, ref)
    return RuleView(
        path=ref.rule.path,
        part=_rule_part(sight, ref, spec, wish),
        id=location,
        owner=wish.owner if wish is not None else _recorded(sight.asked, ref),
        backend=wish.backend if wish is not None else "",
        redirect=redirect or (wish.redirect if wish is not None else ""),
        held=wish.held if wish is not None else False,
        targets=tuple(_targets(sight, spec, wish.spec if wish is not None else None, health)),
    )


def _rule_part(sight: Sight, ref: RuleRef, spec: RuleSpec | None, wish: _Wish | None) -> Part:
    if sight.observed is None:
        return Part.UNSEEN
    if spec is None:
        return Part.MISSING
    claim = sight.claim
    if claim is not None:
        foreign = ref.listener not in claim.listeners or ref in claim.strangers
        if foreign or (claim.rules is not None and ref not in claim.rules):
            return Part.OTHERS
    if wish is not None:
        return Part.THERE
    return Part.OTHERS if claim is None or _all_held(sight.asked) else Part.SURPLUS


def _written(asked: Iterable[Asked], ref: RuleRef) -> _Wish | None:
    """A rule that an Ingress has written and that is held as it is: something about it cannot be known."""
    for one in asked:
        behind = backends(one.ingress)
        backend = behind.get(ref.rule) or behind.get(_plain(ref.rule))
        if backend is not None and one.translation.held.covers(ref):
            return _Wish(None, one.ingress.key, backend, "", held=True)
    return None


def _recorded(asked: Iterable[Asked], ref: RuleRef) -> ObjectKey | None:
    """Whose record lists it."""
    return next((one.ingress.key for one in asked if one.record is not None and ref in one.record.rules), None)


def _redirected(observed: ObservedLoadBalancer | None, there: ObservedListener, rule: RuleKey) -> str:
    """Where a rule sends its clients, by the keys behind the ids."""
    redirect = there.redirects.get(rule)
    if redirect is None:
        return ""
    for listener in observed.listeners if observed is not None else ():
        if listener.id == redirect.listener:
            found = next((key for key, location in listener.locations.items() if location == redirect.location), None)
            target = str(RuleRef(listener.spec.key, found)) if found is not None else f"{listener.spec.key}"
            return _redirect(redirect.code, target)
    return _redirect(redirect.code, redirect.location)


def _targets(
    sight: Sight, spec: RuleSpec | None, wanted: RuleSpec | None, health: Iterable[TargetHealth]
) -> Iterator[TargetView]:
    said = {one.key: one for one in health}
    bound = {target.key: target for target in (spec.targets if spec is not None else ())}
    asked = {target.key: target for target in (wanted.targets if wanted is not None else ())}
    known = wanted is not None and wanted.targets_known
    for key in sorted({*bound, *(one for one, target in asked.items() if target.presence is Presence.REQUIRED)}):
        seen, told = bound.get(key), said.get(key)
        weight = given(seen.weight, None) if seen is not None else None
        yield TargetView(
            key=key,
            part=_target_part(sight, seen, asked.get(key), known=known),
            weight=told.weight if told is not None and told.weight is not None else weight,
            health=told.health if told is not None else None,
            name=sight.name_of(key.address),
            instance=(seen.instance_id if seen is not None else None) or "",
        )


def _target_part(sight: Sight, seen: Target | None, asked: Target | None, *, known: bool) -> Part:
    if sight.observed is None:
        return Part.UNSEEN
    if seen is None:
        return Part.MISSING
    leaves = asked is None or asked.presence is Presence.GONE
    return Part.SURPLUS if known and leaves else Part.THERE
