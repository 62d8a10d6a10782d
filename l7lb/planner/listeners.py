"""Listeners: which are made, changed and let go. Their rules are the business of `rules`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from l7lb.model import marks
from l7lb.model.identity import ListenerKey, Protocol, RuleRef
from l7lb.model.loadbalancer import ListenerSpec, ObservedListener
from l7lb.model.maybe import UNSET, Maybe, given
from l7lb.model.plan import CreateListeners, DeleteListeners, ModifyListener
from l7lb.model.quotas import Quota, shortage
from l7lb.planner.certificates import Binding, bind_again, bind_new, effective
from l7lb.planner.order import Draft, Phase, chunks
from l7lb.planner.pairing import pair
from l7lb.planner.scene import Scene

T = TypeVar("T")

PORTS_PER_CALL: Final = 49
"""CreateListener page: the length of Ports is less than 50."""
DELETIONS_PER_CALL: Final = 20
"""DeleteLoadBalancerListeners page."""


@dataclass(frozen=True, slots=True)
class Site:
    """A listener on which rules are planned. `observed` None: it is made by this plan."""

    desired: ListenerSpec
    observed: ObservedListener | None
    binding: Binding

    @property
    def key(self) -> ListenerKey:
        """Of both sides."""
        return self.desired.key


@dataclass(frozen=True, slots=True)
class Layout:
    """The listeners on which rules are planned, and those that go before the others come."""

    sites: tuple[Site, ...]
    early: frozenset[ListenerKey]


def plan_listeners(scene: Scene, draft: Draft) -> Layout:
    """Steps for the listeners themselves; answers with those that are there once the new ones are made."""
    pairing = pair(scene.desired, scene.observed)
    removable = _removable(scene, pairing.surplus, draft)
    creatable = _creatable(scene, pairing.missing, removable, draft)
    early = _delete(scene, removable, creatable, whole=len(creatable) == len(pairing.missing), draft=draft)
    bindings = {key: bind_new(_coming(scene, spec)) for key, spec in creatable.items()}
    _create(creatable, bindings, draft)
    sites = [Site(spec, None, bindings[key]) for key, spec in creatable.items()]
    for desired, observed in pairing.matched.values():
        binding = _rebind(scene, desired, observed.spec)
        sites.append(Site(desired, observed, binding))
        if not scene.holds_listener(desired.key):
            _modify(desired, observed.spec, binding, draft)
    return Layout(tuple(sorted(sites, key=lambda site: site.key)), frozenset(early))


def _removable(scene: Scene, surplus: Mapping[ListenerKey, ObservedListener], draft: Draft) -> tuple[ListenerKey, ...]:
    free = []
    for key in surplus:
        if scene.held.covers_listener(key):
            continue
        if (link := scene.ties.on(key)) is not None:
            draft.note(f"E4006: {key} is not wanted any more, but a redirect begins or ends there ({link}): left")
            continue
        if not all(scene.owns(RuleRef(key, rule.key)) for rule in surplus[key].spec.rules):
            draft.note(f"W1002: {key} is not wanted any more, but has rules that are nobody's: left")
            continue
        free.append(key)
    return tuple(free)


def _creatable(
    scene: Scene, missing: Mapping[ListenerKey, ListenerSpec], removable: tuple[ListenerKey, ...], draft: Draft
) -> dict[ListenerKey, ListenerSpec]:
    kept_ports = {key.port for key in scene.observed if key not in removable}
    room = scene.limits.listeners_per_load_balancer - scene.listener_count + len(removable)
    creatable: dict[ListenerKey, ListenerSpec] = {}
    for key, spec in missing.items():
        why_not = _obstacle(scene, spec, kept_ports | {other.port for other in creatable})
        if why_not is None and len(creatable) >= room:
            limit = scene.limits.listeners_per_load_balancer
            words = shortage(Quota.LISTENERS, used=limit - room + len(creatable), limit=limit, wanted=1)
            why_not = f"E4004: {key} is left out, the load balancer has its most listeners: {words}"
        if why_not is None:
            creatable[key] = spec
        elif why_not:
            draft.note(why_not)
    return creatable


def _obstacle(scene: Scene, spec: ListenerSpec, taken: set[int]) -> str | None:
    """Why the listener cannot be made: None when it can, empty when its author has heard why already."""
    key = spec.key
    if key in scene.held.listeners:
        return ""
    if key.port in scene.foreign_ports:
        return f"E4101: {key} is left out: {scene.foreign_ports[key.port]} on that port is not ours"
    if key.port in taken:
        return f"{key} is left out: another listener of ours has that port and must stay"
    binding = bind_new(_coming(scene, spec))
    if key.protocol == Protocol.HTTPS and binding.certificate is None and not binding.sni:
        return f"E4040: {key} is left out: it has no certificate"
    return None


def _delete(
    scene: Scene,
    removable: tuple[ListenerKey, ...],
    creatable: Mapping[ListenerKey, ListenerSpec],
    *,
    whole: bool,
    draft: Draft,
) -> tuple[ListenerKey, ...]:
    """Old listeners go, early where a new one needs their place, and not at all while a wanted one cannot be made.

    Answers with the early ones.
    """
    ports = {key.port for key in creatable}
    short = scene.listener_count + len(creatable) > scene.limits.listeners_per_load_balancer
    early = tuple(key for key in removable if short or key.port in ports)
    late = tuple(key for key in removable if key not in early)
    waiting = tuple(key for key in late if not whole and key not in scene.held.left)
    if waiting:
        draft.note(f"{', '.join(map(str, waiting))}: not wanted any more, but what is wanted cannot be made yet: left")
        late = tuple(key for key in late if key not in waiting)
    for phase, keys in ((Phase.PORTS, early), (Phase.SURPLUS_LISTENERS, late)):
        for part in chunks(keys, DELETIONS_PER_CALL):
            draft.add(phase, DeleteListeners(part))
    return early


def _coming(scene: Scene, spec: ListenerSpec, observed: ListenerSpec | None = None) -> ListenerSpec:
    """The listener with only those hosts that are there or get a rule: the others decide about no certificate."""
    there = {rule.key.host for rule in observed.rules} if observed is not None else set()
    made = {
        rule.key.host
        for rule in spec.rules
        if RuleRef(spec.key, rule.key) not in scene.held.rules and (spec.key, rule.key.host) not in scene.held.hosts
    }
    known = there | made
    return replace(spec, hosts=tuple(host for host in spec.hosts if host.host in known))


def _create(
    creatable: Mapping[ListenerKey, ListenerSpec], bindings: Mapping[ListenerKey, Binding], draft: Draft
) -> None:
    """Ports of one protocol with the same settings go into one call."""
    groups: dict[tuple[str, str, Binding, Maybe[bool], Maybe[bool]], list[int]] = {}
    for key, spec in creatable.items():
        name = given(spec.name, marks.LISTENER_NAME)
        groups.setdefault((key.protocol, name, bindings[key], spec.keepalive, spec.snat), []).append(key.port)
    for (protocol, name, binding, keepalive, snat), ports in groups.items():
        for part in chunks(ports, PORTS_PER_CALL):
            step = CreateListeners(protocol, part, name, binding.certificate, binding.sni, keepalive, snat)
            draft.add(Phase.LISTENERS, step)


def _rebind(scene: Scene, desired: ListenerSpec, observed: ListenerSpec) -> Binding:
    """The certificates of an existing listener, with those of hosts that must stay as they are."""
    now = Binding(given(observed.certificate, None), given(observed.sni, False))
    if scene.holds_listener(desired.key):
        return now
    shown = {host.host: given(host.certificate, None) for host in observed.hosts}
    wanted = effective(_coming(scene, desired, observed), observed)
    staying = {host for host in shown if host in wanted and scene.holds_host(desired.key, host)}
    staying |= set(kept_hosts(scene, desired, observed))
    return bind_again(observed, wanted | {host: shown[host] for host in staying if host in shown})


def kept_hosts(scene: Scene, desired: ListenerSpec, observed: ListenerSpec) -> Iterable[str]:
    """Hosts that nobody wants, but of which a rule must stay."""
    wanted = {host.host for host in desired.hosts}
    for rule in observed.rules:
        ref = RuleRef(desired.key, rule.key)
        stays = scene.held.covers(ref) or ref in scene.ties.ends or not scene.owns(ref)
        if rule.key.host not in wanted and stays:
            yield rule.key.host


def _modify(desired: ListenerSpec, observed: ListenerSpec, binding: Binding, draft: Draft) -> None:
    before = replace(observed, hosts=(), rules=())
    after = ListenerSpec(
        key=desired.key,
        name=differs(desired.name, observed.name),
        certificate=differs(binding.certificate, given(observed.certificate, None)),
        sni=differs(binding.sni, given(observed.sni, False)),
        keepalive=differs(desired.keepalive, observed.keepalive),
        snat=differs(desired.snat, observed.snat),
    )
    if after != ListenerSpec(key=desired.key):
        draft.add(Phase.SETTINGS, ModifyListener(desired.key, before, after))


def differs(desired: Maybe[T], observed: Maybe[T]) -> Maybe[T]:
    """The desired value where it says something else, UNSET where there is nothing to do."""
    return UNSET if desired == observed else desired
