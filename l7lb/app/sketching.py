"""Trees of load balancers from outside: `l7lb tree` and `l7lb explain` read a live cluster and account once, and draw.

The drawing is that of the console; only where the values come from differs. Reads are made in the lowest lane, so that
whoever looks at a thousand load balancers takes no more than a quarter of the API's budget.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from typing import Final

from l7lb import translator
from l7lb.app.caches import key_of, record_of
from l7lb.app.claiming import claim_of, ownership_words
from l7lb.app.drawing import Asked, Sight, branches
from l7lb.app.judging import member_of, troubles_of, worst
from l7lb.app.placing import place
from l7lb.app.planning import Worlds, patiently
from l7lb.app.progress import Progress, silent
from l7lb.app.survey import Surveyed
from l7lb.errors import ConfigurationError, L7lbError, NotFound
from l7lb.model.branches import Mark
from l7lb.model.cloud import TargetHealth
from l7lb.model.cluster import Ingress
from l7lb.model.identity import CloudRef, ListenerId, LocationId, ObjectKey
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedLoadBalancer
from l7lb.model.marks import FINALIZER
from l7lb.model.options import Standing
from l7lb.model.portrait import Balancer, Member, Tree
from l7lb.reconciler.observations import read
from l7lb.reconciler.ports import LoadBalancers

HEADS_PER_CALL: Final = 20
HEALTH_PER_CALL: Final = 30
NO_ANSWER: Final = "the cloud did not answer"
Healths = Mapping[tuple[ListenerId, LocationId], tuple[TargetHealth, ...]]


@dataclass(frozen=True, slots=True)
class Sketch:
    """What was asked for, drawn."""

    trees: tuple[Tree, ...]
    without: tuple[Member, ...] = ()
    """Ingresses that are ours and have no load balancer."""
    unread: Mapping[CloudRef, str] = field(default_factory=dict)
    """Load balancers that could not be read, and why."""
    known: Mapping[CloudRef, tuple[Member, ...]] = field(default_factory=dict)
    """Ingresses of those that could not be read."""
    unanswered: Mapping[str, str] = field(default_factory=dict)
    """Region -> why nothing of it is known."""


@dataclass(frozen=True, slots=True)
class Users:
    """Ingresses that are ours by the load balancer that they use."""

    by_ref: Mapping[CloudRef, tuple[Ingress, ...]]
    without: tuple[Ingress, ...]

    def everyone(self) -> tuple[Ingress, ...]:
        """Each once."""
        return tuple(one for many in (*self.by_ref.values(), self.without) for one in many)


def users_of(worlds: Worlds) -> Users:
    """In the order of names."""
    found: defaultdict[CloudRef, list[Ingress]] = defaultdict(list)
    without: list[Ingress] = []
    for item in worlds.stores.ingresses.list():
        ingress = item.object
        if by_class(worlds, ingress) is Standing.NOT_OURS and FINALIZER not in ingress.finalizers:
            continue
        ref = place(ingress, worlds.cluster, worlds.settings.region)
        (found[ref] if ref is not None else without).append(ingress)
    whole = {ref: tuple(sorted(found[ref], key=lambda one: one.key)) for ref in sorted(found)}
    return Users(whole, tuple(sorted(without, key=lambda one: one.key)))


def by_class(worlds: Worlds, ingress: Ingress) -> Standing:
    """Whether it is ours."""
    classes, synced = worlds.caches.classes()
    return translator.standing(ingress, record_of(ingress, worlds.cluster), classes, worlds.settings, synced)


def chosen(users: Users, word: str, heads: Iterable[LoadBalancerHead] = ()) -> Users:
    """What a word means: NAMESPACE/NAME or NAME of an Ingress, id or address of a load balancer, or a host.

    Empty: everything that Ingresses use. One of `heads` that none uses is meant only by its id. Raises
    ConfigurationError when the word means nothing, and says what may have been meant.
    """
    if not word:
        return users
    free = {head.ref: () for head in heads if head.ref not in users.by_ref and word in (head.ref.id, str(head.ref))}
    if free:
        return Users(free, ())
    by_ref = {ref: many for ref, many in users.by_ref.items() if _is_meant(ref, many, word)}
    without = tuple(one for one in users.without if word in _names(one))
    if by_ref or without:
        return Users(by_ref, without)
    known = {name for one in users.everyone() for name in _names(one)}
    known |= {name for ref in users.by_ref for name in (str(ref), str(ref.id))}
    close = get_close_matches(word, sorted(known), n=3)
    meant = f"; did you mean {' or '.join(close)}?" if close else ""
    raise ConfigurationError(
        f"{word!r} is no Ingress of ours, no load balancer of theirs, and none of their hosts{meant}"
    )


def asked(worlds: Worlds, ingress: Ingress) -> Asked:
    """How it is read."""
    translation = translator.translate(worlds.caches.snapshot(ingress), worlds.settings)
    return Asked(ingress, record_of(ingress, worlds.cluster), translation)


def sketch(
    found: Surveyed, users: Users, told: Progress = silent, sleep: Callable[[float], None] = time.sleep
) -> Sketch:
    """Two reads a load balancer, and one for the health of thirty."""
    worlds = found.worlds
    unread = {ref: NO_ANSWER for ref in users.by_ref if ref.region in found.unanswered}
    heads, failed = _heads(worlds.cloud, [ref for ref in users.by_ref if ref not in unread], found.heads, sleep)
    unread |= failed
    observed: dict[CloudRef, ObservedLoadBalancer] = {}
    for number, ref in enumerate(users.by_ref):
        told("reading load balancers", number, len(users.by_ref))
        if ref not in heads:
            unread.setdefault(ref, "it is not listed")
            continue
        try:
            cloud = worlds.cloud.at(Lane.VERIFY)
            observed[ref] = patiently(partial(read, cloud, heads[ref]), sleep)
        except L7lbError as error:
            unread[ref] = str(error)
    told("asking for the health of targets")
    healths, silence = _healths(worlds.cloud, tuple(observed), sleep)
    name_of = _names_of(worlds)
    trees = [
        _draw(worlds, observed[ref], users.by_ref[ref], (healths.get(ref, {}), silence.get(ref, "")), name_of)
        for ref in users.by_ref
        if ref in observed
    ]
    known = {ref: _members(worlds, users.by_ref[ref]) for ref in unread}
    return Sketch(tuple(trees), _members(worlds, users.without), unread, known, found.unanswered)


def _members(worlds: Worlds, many: Iterable[Ingress]) -> tuple[Member, ...]:
    return tuple(member_of(one, record_of(one, worlds.cluster), worlds.settings.region) for one in many)


def _draw(
    worlds: Worlds,
    observed: ObservedLoadBalancer,
    users: Iterable[Ingress],
    health: tuple[Healths, str],
    name_of: Callable[[str], str],
) -> Tree:
    """`health`: what is known, and why it is not."""
    healths, unchecked = health
    members = tuple(asked(worlds, one) for one in _in_order(worlds, users))
    claim = claim_of(members, observed, worlds.cluster)
    now = worlds.clock.time()
    return Tree(
        drawn=now,
        balancer=_balancer(worlds, observed, tuple(one.ingress for one in members), now),
        listeners=branches(Sight(members, observed, claim, healths, name_of)),
        ownership=ownership_words(claim),
        tags=dict(observed.head.tags),
        checked=None if unchecked else now,
        unchecked=unchecked,
    )


def _is_meant(ref: CloudRef, users: Iterable[Ingress], word: str) -> bool:
    return word in (ref.id, str(ref)) or any(word in _names(one) for one in users)


def _names(ingress: Ingress) -> frozenset[str]:
    """All words that mean this Ingress."""
    hosts = {rule.host for rule in ingress.spec.rules or () if rule.host}
    addresses = {one.ip or one.hostname or "" for one in ingress.addresses}
    return frozenset({str(ingress.key), ingress.key.name} | hosts | addresses) - {""}


def _in_order(worlds: Worlds, users: Iterable[Ingress]) -> tuple[Ingress, ...]:
    """As in a group, where the first has what two ask for."""
    kept = tuple(users)
    keys = dict.fromkeys(key_of(one, worlds.cluster, worlds.settings) for one in kept)
    order: dict[ObjectKey, int] = {}
    for key in keys:
        for one in worlds.caches.members(key):
            order.setdefault(one.key, len(order))
    return tuple(sorted(kept, key=lambda one: (order.get(one.key, len(order)), one.key)))


def _heads(
    cloud: LoadBalancers,
    refs: Iterable[CloudRef],
    known: Iterable[LoadBalancerHead],
    sleep: Callable[[float], None],
) -> tuple[dict[CloudRef, LoadBalancerHead], dict[CloudRef, str]]:
    """Of those that do not bear the cluster's id the heads are read by id; and why of some that failed."""
    found = {head.ref: head for head in known}
    failed: dict[CloudRef, str] = {}
    lacking: defaultdict[str, list[CloudRef]] = defaultdict(list)
    for ref in refs:
        if ref not in found:
            lacking[ref.region].append(ref)
    for many in lacking.values():
        for start in range(0, len(many), HEADS_PER_CALL):
            few = tuple(many[start : start + HEADS_PER_CALL])
            try:
                found |= patiently(partial(cloud.heads, few), sleep)
            except NotFound:
                continue  # each of them is told as not listed
            except L7lbError as error:
                failed |= dict.fromkeys(few, str(error))
    return found, failed


def _healths(
    cloud: LoadBalancers, refs: tuple[CloudRef, ...], sleep: Callable[[float], None]
) -> tuple[dict[CloudRef, dict[tuple[ListenerId, LocationId], tuple[TargetHealth, ...]]], dict[CloudRef, str]]:
    """By load balancer; and why of some it is not known."""
    found: dict[CloudRef, dict[tuple[ListenerId, LocationId], tuple[TargetHealth, ...]]] = {ref: {} for ref in refs}
    silence: dict[CloudRef, str] = {}
    for region in sorted({ref.region for ref in refs}):
        here = [ref for ref in refs if ref.region == region]
        for start in range(0, len(here), HEALTH_PER_CALL):
            few = tuple(here[start : start + HEALTH_PER_CALL])
            try:
                answer = patiently(partial(cloud.health, few), sleep)
            except L7lbError as error:
                silence |= dict.fromkeys(few, str(error))
                continue
            for (ref, listener, location), targets in answer.items():
                found[ref][listener, location] = targets
    return found, silence


def _balancer(worlds: Worlds, observed: ObservedLoadBalancer, users: tuple[Ingress, ...], now: float) -> Balancer:
    head = observed.head
    members = _members(worlds, users)
    record = record_of(users[0], worlds.cluster) if users else None
    rules = [rule for one in observed.listeners for rule in one.spec.rules]
    return Balancer(
        ref=head.ref,
        name=head.name,
        addresses=tuple(one for one in (*head.vips, head.ipv6, head.hostname) if one),
        claim=record.claim if record is not None else "",
        owners=tuple(one.key for one in users),
        hosts=tuple(dict.fromkeys(host for one in members for host in one.hosts)),
        listeners=len(observed.listeners),
        rules=len(rules),
        targets=sum(len(rule.targets) for rule in rules),
        seen=now,
        mark=worst((one.mark for one in members), Mark.UNKNOWN),
        troubles=tuple(trouble for one in users for trouble in troubles_of(one)),
    )


def _names_of(worlds: Worlds) -> Callable[[str], str]:
    """The pod with an address, else the node."""
    nodes = {
        each.address: item.object.metadata.name
        for item in worlds.stores.nodes.list()
        for each in item.object.status.addresses or ()
    }

    def name_of(address: str) -> str:
        pods = worlds.stores.pods.by_index("address", address)
        return pods[0].object.metadata.name if pods else nodes.get(address, "")

    return name_of
