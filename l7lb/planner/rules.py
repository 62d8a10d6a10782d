"""Rules and hosts of one listener: which are made, changed and let go. Targets are the business of `targets`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import islice
from typing import Final

from l7lb.model.identity import Protocol, RuleKey, RuleRef
from l7lb.model.loadbalancer import Certificate, HealthCheck, HostSpec, ListenerSpec, RuleSpec
from l7lb.model.maybe import UNSET, Maybe, given
from l7lb.model.plan import CreateRules, DeleteRules, ModifyHost, ModifyRule
from l7lb.model.quotas import Quota, shortage
from l7lb.planner.certificates import effective
from l7lb.planner.defaults import ANY_HOST, default_host, new_rule
from l7lb.planner.fitting import Fitter, serves_http2
from l7lb.planner.listeners import Site, differs
from l7lb.planner.order import Draft, Phase, chunks
from l7lb.planner.pairing import Pairing, pair
from l7lb.planner.scene import Scene
from l7lb.planner.ties import aliases

NAMED: Final = 5
"""So many rules a note names; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Bed:
    """A rule that is there once the new ones are made: where its targets go. `observed` None: made by this plan."""

    ref: RuleRef
    desired: RuleSpec
    observed: RuleSpec | None
    redirects: bool = False
    """It redirects: no target belongs there."""


@dataclass(frozen=True, slots=True)
class Ground:
    """One listener, sorted out."""

    site: Site
    pairing: Pairing[RuleKey, RuleSpec, RuleSpec]
    """By observed keys where both sides have the rule."""
    missing: tuple[RuleSpec, ...]
    """What can be made, in order."""
    surplus: tuple[RuleKey, ...]
    """What can be let go, in order."""
    room_first: bool
    """Whether the quota wants the old ones off before the new ones come."""
    certificates: Mapping[str, Certificate | None]
    mirrored: frozenset[RuleKey] = frozenset()
    """Missing rules that come by AutoRewrite."""
    unmade: frozenset[RuleKey] = frozenset()
    """Rules that were to redirect and cannot: they stay as they are."""

    @property
    def created(self) -> tuple[RuleSpec, ...]:
        """Missing rules that are made by themselves, in order."""
        return tuple(spec for spec in self.missing if spec.key not in self.mirrored)

    @property
    def before(self) -> tuple[RuleKey, ...]:
        """Rules that are there when new ones are made."""
        observed = self.site.observed
        rules = observed.spec.rules if observed is not None else ()
        gone = set(self.surplus) if self.room_first else set()
        return tuple(rule.key for rule in rules if rule.key not in gone)


def plan_rules(scene: Scene, ground: Ground, draft: Draft) -> tuple[Bed, ...]:
    """Steps for one listener's rules and hosts; answers with the rules that targets are planned for."""
    site = ground.site
    _modify_hosts(scene, ground, draft)
    _create(ground, scene.limits.rules_per_call, draft)
    _modify_rules(scene, ground, draft)
    _delete(ground, scene.limits.rules_per_call, draft)
    sources = {ref.rule for ref in scene.ties.wanted if ref.listener == site.key}
    beds = [
        Bed(RuleRef(site.key, key), want, have, redirects=key in sources)
        for key, (want, have) in ground.pairing.matched.items()
        if key not in ground.unmade
    ]
    beds += [Bed(RuleRef(site.key, spec.key), spec, None) for spec in ground.missing if spec.key not in sources]
    return tuple(sorted(beds, key=lambda bed: bed.ref))


def survey_rules(scene: Scene, site: Site, draft: Draft) -> Ground:
    """Sort one listener's rules out. What cannot be made or may not go is left out, and said."""
    observed = site.observed.spec if site.observed is not None else ListenerSpec(site.key)
    pairing = _pair(scene, site.desired, observed)
    surplus = _surplus(scene, site, pairing.surplus, draft)
    pairing = _fitted(scene, site, pairing, observed, draft)
    missing = [spec for spec in pairing.missing.values() if _whole(scene, site, observed, spec.key)]
    room = scene.limits.rules_per_listener - len(observed.rules)
    room_first = len(missing) > room and bool(surplus)
    if room_first:
        room += len(surplus)
    if len(missing) > max(room, 0):
        left = missing[max(room, 0) :]
        names = _names(spec.key for spec in left)
        missing = missing[: max(room, 0)]
        limit = scene.limits.rules_per_listener
        words = shortage(Quota.RULES, used=limit - room + len(missing), limit=limit, wanted=len(left))
        draft.note(f"E4005: {site.key} has its most rules, {len(left)} left out: {names} ({words})")
    return Ground(
        site=site,
        pairing=pairing,
        missing=tuple(missing),
        surplus=surplus,
        room_first=room_first,
        certificates=_certificates(scene, site, observed),
    )


def _fitted(
    scene: Scene,
    site: Site,
    pairing: Pairing[RuleKey, RuleSpec, RuleSpec],
    observed: ListenerSpec,
    draft: Draft,
) -> Pairing[RuleKey, RuleSpec, RuleSpec]:
    """The desired rules without settings that cannot be had; what is held is not looked at."""
    fitter = Fitter(site.key, scene.head)
    wants = {host.host: host for host in site.desired.hosts}
    haves = {host.host: host for host in observed.hosts}

    def fit(key: RuleKey, want: RuleSpec, have: RuleSpec | None) -> RuleSpec:
        if scene.held.covers(RuleRef(site.key, key)):
            return want
        return fitter.fit(want, have, serves_http2(site.key, wants.get(key.host), haves.get(key.host)))

    made = replace(
        pairing,
        missing={key: fit(key, want, None) for key, want in pairing.missing.items()},
        matched={key: (fit(key, want, have), have) for key, (want, have) in pairing.matched.items()},
    )
    for text in fitter.notes:
        draft.note(text)
    return made


def _certificates(scene: Scene, site: Site, observed: ListenerSpec) -> dict[str, Certificate | None]:
    """What each host is to show; a held host that exists shows what it shows."""
    shown = {host.host: given(host.certificate, None) for host in observed.hosts}
    wanted = effective(site.desired, observed)
    return wanted | {host: own for host, own in shown.items() if scene.holds_host(site.key, host)}


def _pair(scene: Scene, desired: ListenerSpec, observed: ListenerSpec) -> Pairing[RuleKey, RuleSpec, RuleSpec]:
    """By key; and TKE's `/p` satisfies our `=/p` until we have made one ourselves."""
    there = {rule.key: rule for rule in observed.rules}
    names = aliases((rule.key for rule in desired.rules), there, native=scene.native)
    wanted: dict[RuleKey, RuleSpec] = {}
    for rule in desired.rules:
        wanted.setdefault(names[rule.key], rule)
    return pair(wanted, there)


def _surplus(scene: Scene, site: Site, surplus: Mapping[RuleKey, RuleSpec], draft: Draft) -> tuple[RuleKey, ...]:
    free, others = [], []
    for key in sorted(surplus):
        ref = RuleRef(site.key, key)
        if scene.spares(ref):
            others.append(key)
            continue
        if scene.held.covers(ref):
            continue
        link = scene.ties.at(ref)
        if link is not None and link.source != ref:
            draft.note(f"E4006: {ref} is not wanted any more, but a redirect leads to it ({link}): left")
        elif link is not None:
            draft.note(f"{ref} is not wanted, but it redirects: left")
        else:
            free.append(key)
    if free and scene.owned is None:
        draft.note(f"drift: nobody wants {len(free)} of the rules on {site.key}: {_names(free)}{_more(free)}")
    if others:
        draft.note(
            f"drift: {len(others)} of the rules on {site.key} are nobody's, left: {_names(others)}{_more(others)}"
        )
    return tuple(free)


def _more(keys: Sequence[RuleKey]) -> str:
    return ", ..." if len(keys) > NAMED else ""


def _names(keys: Iterable[RuleKey]) -> str:
    return ", ".join(str(key) for key in islice(keys, NAMED))


def _whole(scene: Scene, site: Site, observed: ListenerSpec, key: RuleKey) -> bool:
    """Whether a missing rule may be made: a held one is broken, and so is a new host that is held."""
    there = {host.host for host in observed.hosts} | {rule.key.host for rule in observed.rules}
    if RuleRef(site.key, key) in scene.held.rules:
        return False
    if (site.key, key.host) in scene.held.hosts:
        return key.host in there
    # A listener that is held keeps its certificate, so a host that needs another one has to wait.
    if key.host not in there and site.observed is not None and scene.holds_listener(site.key):
        return _shows(site, effective(site.desired, observed).get(key.host))
    return True


def _shows(site: Site, certificate: Certificate | None) -> bool:
    https = site.key.protocol == Protocol.HTTPS
    return not https or site.binding.sni or certificate in {None, site.binding.certificate}


def _modify_hosts(scene: Scene, ground: Ground, draft: Draft) -> None:
    site = ground.site
    if site.observed is None:
        return
    # A host that ends to make room and comes again is a new one: what it was, default included, is lost on the way.
    present = {key.host for key in ground.before}
    there = {host.host: host for host in site.observed.spec.hosts if host.host in present or not ground.room_first}
    https = site.key.protocol == Protocol.HTTPS
    for want in site.desired.hosts:
        have = there.get(want.host)
        if scene.holds_host(site.key, want.host):
            continue
        if have is not None:
            after = HostSpec(
                want.host,
                certificate=_certificate(ground, want.host, have) if https and site.binding.sni else UNSET,
                http2=differs(want.http2, have.http2) if https else UNSET,
            )
            if after != HostSpec(want.host):
                draft.add(Phase.HOSTS, ModifyHost(site.key, have, after))
        becomes = want.default is True and (have is None or have.default is not True)
        if becomes and not _fresh_default(ground, want.host) and _will_be_there(ground, want.host):
            before = have if have is not None else HostSpec(want.host)
            draft.add(Phase.DEFAULTS, ModifyHost(site.key, before, HostSpec(want.host, default=True)))


def _certificate(ground: Ground, host: str, have: HostSpec) -> Maybe[Certificate | None]:
    wanted = ground.certificates[host]
    return UNSET if wanted is None or wanted == have.certificate else wanted


def _will_be_there(ground: Ground, host: str) -> bool:
    return any(key.host == host for key in ground.before) or any(spec.key.host == host for spec in ground.created)


def _fresh_default(ground: Ground, host: str) -> bool:
    """Whether the creation itself makes this host the default."""
    return not ground.before and default_host(ground.site.desired) == host


def _create(ground: Ground, per_call: int, draft: Draft) -> None:
    site = ground.site
    wanted = {host.host: host for host in site.desired.hosts}
    names = list(wanted)
    told: set[str] = {key.host for key in ground.before}
    first = first_default(ground)
    for part in chunks(ground.created, per_call):
        hosts = tuple(dict.fromkeys(spec.key.host for spec in part))
        said = [
            _new_host(ground, wanted.get(host, HostSpec(host)), fresh=host not in told, default=host == first)
            for host in hosts
        ]
        told |= set(hosts)
        if first in hosts:
            first = None
        step = CreateRules(
            site.key,
            tuple(new_rule(spec, names) for spec in part),
            tuple(host for host in said if host is not None),
        )
        draft.add(Phase.RULES, step)


def first_default(ground: Ground) -> str | None:
    """The host that becomes the default by being made now: on an empty listener, or as the nameless one."""
    made = {spec.key.host for spec in ground.created}
    present = {key.host for key in ground.before}
    if not present:
        chosen = default_host(ground.site.desired)
        return chosen if chosen in made else next(iter(spec.key.host for spec in ground.created), None)
    declared = any(host.default is True for host in ground.site.desired.hosts)
    return ANY_HOST if ANY_HOST in made - present and not declared else None


def _new_host(ground: Ground, want: HostSpec, *, fresh: bool, default: bool) -> HostSpec | None:
    """What the create call says of a host. Under SNI always its certificate: silence might unbind it."""
    site, host = ground.site, want.host
    certificate = ground.certificates.get(host) if site.binding.sni else None
    said = HostSpec(
        host,
        certificate=certificate if certificate is not None else UNSET,
        http2=want.http2 if fresh and site.key.protocol == Protocol.HTTPS else UNSET,
        default=True if default else UNSET,
    )
    return said if fresh or said != HostSpec(host) else None


def _modify_rules(scene: Scene, ground: Ground, draft: Draft) -> None:
    site = ground.site
    for key, (want, have) in ground.pairing.matched.items():
        if scene.held.covers(RuleRef(site.key, key)):
            continue
        after = RuleSpec(
            key,
            health_check=_check_changes(want.health_check, have.health_check),
            scheduler=differs(want.scheduler, have.scheduler),
            session_s=differs(want.session_s, have.session_s),
            forward_type=differs(want.forward_type, have.forward_type),
        )
        if after != RuleSpec(key):
            draft.add(Phase.SHAPES, ModifyRule(site.key, replace(have, targets=()), after))


def _check_changes(want: HealthCheck, have: HealthCheck) -> HealthCheck:
    changes = {f.name: differs(getattr(want, f.name), getattr(have, f.name)) for f in fields(HealthCheck)}
    return HealthCheck(**changes)


def _delete(ground: Ground, per_call: int, draft: Draft) -> None:
    """The default host's rules go last, so that the call which ends it is the one that names its successor."""
    phase = Phase.ROOM if ground.room_first else Phase.SURPLUS_RULES
    heir = _successor(ground)
    observed = ground.site.observed
    defaults = {host.host for host in observed.spec.hosts if host.default is True} if observed is not None else set()
    parts = list(chunks(sorted(ground.surplus, key=lambda key: (key.host in defaults, key)), per_call))
    for number, part in enumerate(parts, start=1):
        draft.add(phase, DeleteRules(ground.site.key, part, heir if number == len(parts) else None))


def _successor(ground: Ground) -> str | None:
    """Who becomes the default host because the present one loses its last rule; None: nobody, or it does not."""
    site = ground.site
    if site.observed is None:
        return None
    gone = set(ground.surplus)
    kept = {rule.key.host for rule in site.observed.spec.rules if rule.key not in gone}
    if not ground.room_first:
        kept |= {spec.key.host for spec in ground.created}
    current = _default_at_deletion(ground, kept)
    if current is None or current in kept or not kept:
        return None
    in_order = [host.host for host in site.desired.hosts if host.host in kept]
    return in_order[0] if in_order else min(kept)


def _default_at_deletion(ground: Ground, kept: Iterable[str]) -> str | None:
    site = ground.site
    if not ground.room_first:
        moved = [host.host for host in site.desired.hosts if host.default is True and host.host in kept]
        made = first_default(ground) if ground.created else None
        if moved or made is not None:
            return moved[0] if moved else made
    hosts = site.observed.spec.hosts if site.observed is not None else ()
    return next((host.host for host in hosts if host.default is True), None)
