"""Redirects: which can be made, by which call, and what has to come off first. Plans neither rules nor listeners.

AutoRewrite redirects every URL of a host from HTTP:80 to HTTPS:443 and makes the rules for it: the fewest calls, for a
host of which HTTP:80 has nothing yet, and the only way to add a URL to a host that it has redirected before. All else
is ManualRewrite between rules that exist. What has another code or another target has to come off before (ManualRewrite
page), so its clients get an error for as long as the cloud takes for two calls; these follow one another directly.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from l7lb.model.identity import ListenerId, ListenerKey, RuleRef
from l7lb.model.loadbalancer import RedirectSpec
from l7lb.model.maybe import Unset, given
from l7lb.model.redirecting import (
    DEFAULT_CODE,
    MIRROR_SOURCE,
    MIRROR_TARGET,
    CreateRedirects,
    DeleteRedirects,
    FormerRedirect,
    MirrorHosts,
    RedirectPair,
)
from l7lb.planner.defaults import default_host
from l7lb.planner.listeners import Layout
from l7lb.planner.order import Draft, Phase, chunks
from l7lb.planner.rules import Ground, first_default
from l7lb.planner.scene import Scene
from l7lb.planner.ties import Link

NAMED: Final = 3
Grounds = Mapping[ListenerKey, Ground]


@dataclass(slots=True)
class _Work:
    """What is decided so far, by source."""

    on: dict[RuleRef, RedirectSpec]
    off: dict[RuleRef, Link]
    staying: list[Link]
    unmade: set[RuleRef] = field(default_factory=set)
    mirrored: dict[str, bool] = field(default_factory=dict)
    """Host -> whether its old rules have to go first."""

    def forgo(self, source: RuleRef) -> None:
        """It cannot be made: what is there stays (never make things worse)."""
        del self.on[source]
        self.unmade.add(source)
        if source in self.off:
            self.staying.append(self.off.pop(source))


def plan_redirects(scene: Scene, layout: Layout, grounds: Grounds, draft: Draft) -> dict[ListenerKey, Ground]:
    """Steps for the redirects; answers with the grounds as they are once it is known what becomes of the redirects."""
    ties = scene.ties
    staying = {link.source for link in ties.staying if (spec := ties.wanted.get(link.source)) and link.satisfies(spec)}
    work = _Work(
        on={source: spec for source, spec in ties.wanted.items() if source not in staying},
        off=dict(ties.off),
        staying=list(ties.staying),
    )
    for text in ties.notes:
        draft.note(text)
    while doomed := _doomed(scene, grounds, work, draft):
        for source in doomed:
            work.forgo(source)
    for listener, host in sorted({(source.listener, source.rule.host) for source in work.on}):
        _choose(scene, grounds, work, (listener, host), draft)
    _settle_default(grounds, work)
    _take_off(work, layout, grounds, scene.limits.rules_per_call, draft)
    _put_on(work, scene.limits.rules_per_call, draft)
    _mirror(work, grounds, draft)
    return {key: _informed(ground, work) for key, ground in grounds.items()}


def _doomed(scene: Scene, grounds: Grounds, work: _Work, draft: Draft) -> list[RuleRef]:
    """What cannot be made as things stand."""
    doomed = []
    for source, spec in sorted(work.on.items()):
        why_not = _obstacle(scene, grounds, work, spec)
        if why_not is None:
            continue
        doomed.append(source)
        if why_not:
            draft.note(why_not)
    return doomed


def _obstacle(scene: Scene, grounds: Grounds, work: _Work, spec: RedirectSpec) -> str | None:
    """Why the redirect cannot be made: None when it can, empty when its author has heard why already."""
    if not (_is_there(grounds, spec.source) and _is_there(grounds, spec.target)):
        return ""
    if scene.held.covers(spec.source) and _exists(grounds, spec.source):
        return ""
    for link in work.staying:
        if spec.source in (link.source, link.target) or spec.target == link.source:
            return f"E4006: the redirect {spec.source} -> {spec.target} is left out, {link} is in the way and must stay"
    return None


def _is_there(grounds: Grounds, ref: RuleRef) -> bool:
    """Whether the rule is there once new ones are made."""
    ground = grounds.get(ref.listener)
    return ground is not None and (
        ref.rule in ground.pairing.matched or any(spec.key == ref.rule for spec in ground.missing)
    )


def _exists(grounds: Grounds, ref: RuleRef) -> bool:
    ground = grounds.get(ref.listener)
    return ground is not None and ref.rule in ground.pairing.matched


def _choose(scene: Scene, grounds: Grounds, work: _Work, place: tuple[ListenerKey, str], draft: Draft) -> None:
    """By which call the new redirects of one host are made."""
    listener, host = place
    automatic = [link for link in work.staying if _at(link.source, place) and link.seen.automatic]
    if _mirrorable(grounds, work, place):
        old = grounds[MIRROR_TARGET]
        work.mirrored[host] = not old.room_first and any(key.host == host for key in old.surplus)
        return
    # A host that AutoRewrite has redirected takes no single redirect: it has to be redirected rule by rule.
    for link in automatic:
        spec = scene.ties.wanted.get(link.source)
        if link in scene.ties.fixed or spec is None or not link.satisfies(spec):
            for source in [source for source in work.on if _at(source, place)]:
                draft.note(f"E4006: the redirect from {source} is left out, {link} is in the way and must stay")
                work.forgo(source)
            return
    for link in automatic:
        work.staying.remove(link)
        work.off[link.source] = link
        work.on[link.source] = replace(
            scene.ties.wanted[link.source], code=given(scene.ties.wanted[link.source].code, link.code)
        )
    if automatic:
        draft.note(f"the redirects of {host or 'the nameless host'} on {listener} are made anew, one by one")


def _mirrorable(grounds: Grounds, work: _Work, place: tuple[ListenerKey, str]) -> bool:
    """Whether AutoRewrite does exactly what is wanted for the host."""
    listener, host = place
    if listener != MIRROR_SOURCE or MIRROR_TARGET not in grounds:
        return False
    on = [spec for source, spec in work.on.items() if _at(source, place)]
    staying = [link for link in work.staying if _at(link.source, place)]
    plain, secure = grounds[MIRROR_SOURCE], grounds[MIRROR_TARGET]
    if any(not spec.mirrored or spec.source.rule != spec.target.rule for spec in on):
        return False
    if any(spec.target.listener != MIRROR_TARGET for spec in on):
        return False
    if any(not link.seen.automatic or link.target is None for link in staying):
        return False
    if not staying and any(key.host == host for key in plain.before):
        return False
    twins = {spec.target.rule for spec in on} | {link.target.rule for link in staying if link.target is not None}
    surplus = set(secure.surplus)
    there = {key for key in secure.before if key.host == host and key not in surplus}
    there |= {spec.key for spec in secure.missing if spec.key.host == host}
    return there <= twins and len(_codes(on, staying)) <= 1


def _settle_default(grounds: Grounds, work: _Work) -> None:
    """The default host is made by a call that can say so, unless it comes first on a listener without a rule."""
    plain = grounds.get(MIRROR_SOURCE)
    if plain is None or not work.mirrored:
        return
    hosts = {spec.key.host for spec in plain.missing if RuleRef(MIRROR_SOURCE, spec.key) not in work.unmade}
    if not plain.before and hosts <= work.mirrored.keys():
        work.mirrored = dict.fromkeys(work.mirrored, any(work.mirrored.values()))
        return
    default = {spec.host for spec in plain.site.desired.hosts if spec.default is True}
    if (first := first_default(plain)) is not None:
        default.add(first)
    for host in default - {key.host for key in plain.before}:
        work.mirrored.pop(host, None)


def _codes(on: Iterable[RedirectSpec], staying: Iterable[Link]) -> set[int]:
    """The codes of one host: what is declared of new ones, and what old ones have."""
    declared = {spec.code for spec in on if not isinstance(spec.code, Unset)}
    return declared | {link.code for link in staying}


def _take_off(work: _Work, layout: Layout, grounds: Grounds, per_call: int, draft: Draft) -> None:
    again = sorted(set(work.off) & set(work.on))
    if again:
        names = ", ".join(map(str, again[:NAMED])) + (", ..." if len(again) > NAMED else "")
        draft.note(f"a redirect cannot be changed: it is taken off and made anew, and clients get an error until then, "
                   f"at {names}")  # fmt: skip
    groups: dict[tuple[Phase, ListenerKey, ListenerId, bool], list[FormerRedirect]] = {}
    for source, link in sorted(work.off.items()):
        early = any(_goes_early(end, layout, grounds) for end in (source, link.target) if end is not None)
        phase = Phase.UNTIED if early else Phase.REDIRECTS_OFF
        former = FormerRedirect(source.rule, link.seen.location, link.target)
        groups.setdefault((phase, source.listener, link.seen.listener, source in work.on), []).append(former)
    # What comes again is taken off last and put on first: its clients wait for the least time.
    for (phase, listener, to, repeated), formers in sorted(groups.items(), key=lambda group: group[0][3]):
        for part in chunks(formers, per_call):
            draft.add(phase, DeleteRedirects(listener, to, part, repeated))


def _goes_early(ref: RuleRef, layout: Layout, grounds: Grounds) -> bool:
    ground = grounds.get(ref.listener)
    making_room = ground is not None and ground.room_first and ref.rule in ground.surplus
    return ref.listener in layout.early or making_room


def _put_on(work: _Work, per_call: int, draft: Draft) -> None:
    groups: dict[tuple[ListenerKey, ListenerKey, bool], list[RedirectPair]] = {}
    for source, spec in sorted(work.on.items()):
        if not _is_mirrored(source, work):
            pair = RedirectPair(source.rule, spec.target.rule, given(spec.code, DEFAULT_CODE))
            groups.setdefault((source.listener, spec.target.listener, source in work.off), []).append(pair)
    for (listener, to, again), pairs in sorted(groups.items(), key=lambda group: not group[0][2]):
        for part in chunks(pairs, per_call):
            draft.add(Phase.REDIRECTS_ON, CreateRedirects(listener, to, part, again))


def _mirror(work: _Work, grounds: Grounds, draft: Draft) -> None:
    """One call for all hosts; the host that is to be the default comes first."""
    if not work.mirrored:
        return
    wanted = grounds[MIRROR_SOURCE].site.desired
    order = [default_host(wanted), *(host.host for host in wanted.hosts)]
    early = Phase.REDIRECTS_ON if _serve(grounds) else Phase.TWINS
    for phase, late in ((early, False), (Phase.MIRRORS, True)):
        hosts = [host for host in dict.fromkeys(order) if host is not None and work.mirrored.get(host) is late]
        if hosts:
            draft.add(phase, MirrorHosts(tuple((host, _code(work, host)) for host in hosts)))


def _serve(grounds: Grounds) -> bool:
    """Whether HTTP:80 or HTTPS:443 has a client already."""
    return any(grounds[key].before for key in (MIRROR_SOURCE, MIRROR_TARGET))


def _code(work: _Work, host: str) -> int:
    place = (MIRROR_SOURCE, host)
    on = [spec for source, spec in work.on.items() if _at(source, place)]
    codes = _codes(on, [link for link in work.staying if _at(link.source, place)])
    return next(iter(codes), DEFAULT_CODE)


def _informed(ground: Ground, work: _Work) -> Ground:
    key = ground.site.key
    unmade = frozenset(ref.rule for ref in work.unmade if ref.listener == key)
    missing = tuple(spec for spec in ground.missing if spec.key not in unmade)
    return replace(
        ground,
        missing=missing,
        surplus=tuple(rule for rule in ground.surplus if not _is_end(RuleRef(key, rule), work)),
        mirrored=frozenset(spec.key for spec in missing if _is_mirrored(RuleRef(key, spec.key), work)),
        unmade=unmade,
    )


def _is_end(ref: RuleRef, work: _Work) -> bool:
    return any(ref in (link.source, link.target) for link in work.staying)


def _is_mirrored(source: RuleRef, work: _Work) -> bool:
    return source in work.on and source.listener == MIRROR_SOURCE and source.rule.host in work.mirrored


def _at(source: RuleRef, place: tuple[ListenerKey, str]) -> bool:
    return (source.listener, source.rule.host) == place
