"""Portraits of the fleet from what this very process knows: caches, observations, conditions, plans on their way.

Looking costs nobody anything: no lock is held while a portrait is drawn but those of single look-ups, and the cloud is
asked only for health: of a load balancer whose page is open, and of all once a minute while their list is looked at.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from l7lb import translator
from l7lb.app.caches import Caches, Stores, key_of, record_of
from l7lb.app.claiming import claim_of, ownership_words
from l7lb.app.drawing import Asked, Sight, branches
from l7lb.app.glancing import Glance, Glances
from l7lb.app.judging import member_of, ref_of, told, troubles_of, worst
from l7lb.app.leading import Term
from l7lb.app.pulses import Pulses, beating, own_listeners
from l7lb.app.reasons import Case, checks
from l7lb.app.rounds import Rounds
from l7lb.model.branches import ListenerView, Mark
from l7lb.model.cloud import Health
from l7lb.model.cluster import Ingress
from l7lb.model.identity import BindingKey, CloudRef, Cluster, ObjectKey
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.marks import FINALIZER, LOAD_BALANCER_ID, RECORD
from l7lb.model.options import Standing as ByClass
from l7lb.model.portrait import Balancer, Fate, Fleet, Member, PlanView, Standing, Tree, Trouble, Why
from l7lb.model.snapshot import Settings
from l7lb.reconciler.flights import Flight
from l7lb.runtime.clock import Clock

FRESH_S: Final = 2.0
"""A fleet is drawn anew when the last drawing is older."""
GLANCE_S_MAX: Final = 300.0
"""What the cloud said of targets longer ago does not count in a list."""
NAMES_IT: Final = (RECORD, LOAD_BALANCER_ID)
"""Annotations in one of which the id of its load balancer stands."""
_STANDING_BY: Final = "this replica does not lead, and asks the cloud nothing"


@dataclass(frozen=True, slots=True)
class Studio:
    """What portraits are drawn from."""

    cluster: Callable[[], Cluster]
    settings: Settings
    stores: Stores
    caches: Caches
    """Caches of its own over the same stores: they ask nobody whether a Service is really gone."""
    term: Callable[[], Term | None]
    """The running term; None: this replica stands by."""
    standing: Callable[[], Standing]
    glances: Glances
    rounds: Rounds
    clock: Clock

    def ours(self) -> tuple[Ingress, ...]:
        """Ingresses that are ours by their class, or may be, or bear our finalizer."""
        found = (item.object for item in self.stores.ingresses.list())
        return tuple(one for one in found if self.by_class(one) is not ByClass.NOT_OURS or FINALIZER in one.finalizers)

    def users(self, ref: CloudRef) -> list[Ingress]:
        """Those of ours that use a load balancer: a page asks this of all Ingresses, so few of them are looked into."""
        found = (item.object for item in self.stores.ingresses.list())
        named = (one for one in found if any(ref.id in one.annotations.get(name, "") for name in NAMES_IT))
        return [
            one
            for one in named
            if self.ref(one) == ref and (self.by_class(one) is not ByClass.NOT_OURS or FINALIZER in one.finalizers)
        ]

    def by_class(self, ingress: Ingress) -> ByClass:
        """Where it stands with us."""
        classes, synced = self.caches.classes()
        record = record_of(ingress, self.cluster())
        return translator.standing(ingress, record, classes, self.settings, synced)

    def key(self, ingress: Ingress) -> BindingKey:
        """Its key in the queue."""
        return key_of(ingress, self.cluster(), self.settings)

    def ref(self, ingress: Ingress) -> CloudRef | None:
        """The load balancer that it uses."""
        return ref_of(ingress, record_of(ingress, self.cluster()), self.settings.region)

    def asked(self, ingress: Ingress) -> Asked:
        """What it is read as now."""
        term = self.term()
        settings = term.settings if term is not None else self.settings
        translation = translator.translate(self.caches.snapshot(ingress), settings)
        return Asked(ingress, record_of(ingress, self.cluster()), translation)

    def plans_of(self, keys: Iterable[BindingKey]) -> tuple[PlanView, ...]:
        """What runs first, then the newest."""
        term = self.term()
        if term is None:
            return ()
        flights = term.flights.underway()
        views = [view for key in keys for view in term.history.of(key, flights)]
        return tuple(sorted(views, key=lambda one: (one.fate is Fate.RUNNING, one.number), reverse=True))

    def seen(self, ref: CloudRef, flight: Flight | None) -> tuple[ObservedLoadBalancer | None, float | None]:
        """What is known of a load balancer, and as of when; what a plan on its way has made so far is known best."""
        term = self.term()
        if term is None:
            return None, None
        if flight is not None and flight.observed is not None:
            return flight.observed, self.clock.time()
        return term.observations.get(ref), term.observations.kept_at(ref)

    def names(self) -> Callable[[str], str]:
        """A pod's name where it is a pod's address, else a node's."""
        stores = self.stores
        nodes = {
            entry.address: item.object.metadata.name
            for item in stores.nodes.list()
            for entry in item.object.status.addresses or ()
        }

        def name_of(address: str) -> str:
            pods = stores.pods.by_index("address", address)
            return pods[0].object.metadata.name if pods else nodes.get(address, "")

        return name_of


class Portrayer:
    """Draws on the thread that asks; safe for several."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._lock = threading.Lock()
        self._drawn: tuple[float, Fleet] | None = None

    def fleet(self) -> Fleet:
        """All load balancers and Ingresses, at most `FRESH_S` old."""
        with self._lock:  # of visitors only: who comes while one is being drawn gets that one
            now = self._studio.clock.monotonic()
            if self._drawn is None or now - self._drawn[0] >= FRESH_S:
                self._drawn = now, self._draw_fleet()
            return self._drawn[1]

    def standing(self) -> Standing:
        """The process."""
        return self._studio.standing()

    def plans(self) -> tuple[float, tuple[PlanView, ...]]:
        """The time, and the latest plans of all keys."""
        term = self._studio.term()
        found = term.history.of(None, term.flights.underway()) if term is not None else ()
        return self._studio.clock.time(), found

    def tree(self, ref: CloudRef) -> Tree | None:
        """One load balancer; None: no Ingress uses it."""
        ingresses = self._studio.users(ref)
        return self._tree(ref, ingresses) if ingresses else None

    def why(self, key: ObjectKey) -> Why | None:
        """One Ingress, ours or not; None: there is none of that name."""
        item = self._studio.stores.ingresses.get(key)
        if item is None:
            return None
        ingress = item.object
        asked, ref = self._studio.asked(ingress), self._studio.ref(ingress)
        tree = self.tree(ref) if ref is not None else None
        member = self._member(ingress)
        term, binding = self._studio.term(), self._studio.key(ingress)
        plans = self._studio.plans_of([binding])
        pause, stumble = term.history.lately(binding) if term is not None else (None, None)
        case = Case(
            standing=self._studio.standing(),
            by_class=self._studio.by_class(ingress),
            asked=asked,
            options=translator.options(ingress),
            tree=tree,
            plans=plans,
            stumble=stumble,
            pause=pause,
        )
        troubles = troubles_of(ingress) or tuple(told(key, one) for one in asked.translation.problems)
        return Why(self._studio.clock.time(), member, checks(case), troubles, tree, plans)

    def _draw_fleet(self) -> Fleet:
        studio = self._studio
        term = studio.term()
        flights = {one.ref: one for one in (term.flights.underway() if term is not None else ())}
        users: defaultdict[CloudRef, list[Ingress]] = defaultdict(list)
        stand = [(ingress, self._member(ingress)) for ingress in studio.ours()]
        for ingress, member in stand:
            if member.ref is not None:
                users[member.ref].append(ingress)
        pulses = self._pulses(users)
        members: list[Member] = []
        troubles: list[Trouble] = []
        marks: defaultdict[CloudRef, list[Mark]] = defaultdict(list)
        for ingress, bare in stand:
            member = beating(bare, ingress, pulses, len(users[bare.ref]) if bare.ref is not None else 0)
            members.append(member)
            troubles += _told(ingress, member)
            if member.ref is not None:
                marks[member.ref].append(member.mark)
        drawn = (self._balancer(ref, users[ref], flights) for ref in sorted(users))
        return Fleet(
            drawn=studio.clock.time(),
            standing=studio.standing(),
            balancers=tuple(replace(one, mark=worst((one.mark, *marks[one.ref]))) for one in drawn),
            members=tuple(sorted(members, key=lambda one: one.key)),
            troubles=tuple(sorted(troubles, key=_urgency)),
        )

    def _pulses(self, users: Mapping[CloudRef, list[Ingress]]) -> Pulses:
        """Of all that are used; who stands by asks the cloud nothing."""
        if self._studio.term() is None:
            return Pulses({}, dict.fromkeys(users, _STANDING_BY))
        cluster = self._studio.cluster()
        records = {ref: [record_of(one, cluster) for one in many] for ref, many in users.items()}
        return self._studio.rounds.of({ref: own_listeners(many) for ref, many in records.items()})

    def _member(self, ingress: Ingress) -> Member:
        studio = self._studio
        member = member_of(ingress, record_of(ingress, studio.cluster()), studio.settings.region)
        if studio.by_class(ingress) is ByClass.UNCLEAR:
            return replace(member, mark=Mark.BAD, says="it cannot be told whether it is ours: nothing is changed")
        term = studio.term()
        if term is None or member.mark is Mark.BAD:
            return member
        pause, stumble = term.history.lately(self._studio.key(ingress))
        if stumble is not None:
            mark = Mark.BAD if stumble.lasting else Mark.WAITING
            return replace(member, mark=mark, says=stumble.message, since=stumble.at)
        if pause is not None:
            return replace(member, mark=Mark.WAITING, says=pause.message, since=pause.since)
        return member

    def _balancer(self, ref: CloudRef, users: Iterable[Ingress], flights: Mapping[CloudRef | None, Flight]) -> Balancer:
        studio = self._studio
        observed, seen = studio.seen(ref, flights.get(ref))
        ingresses = sorted(users, key=lambda one: one.key)
        members = [self._member(one) for one in ingresses]
        record = record_of(ingresses[0], studio.cluster()) if ingresses else None
        ails = _ails(studio.glances.peek(ref), studio.clock.time())
        rules = [rule for one in (observed.listeners if observed is not None else ()) for rule in one.spec.rules]
        return Balancer(
            ref=ref,
            name=observed.head.name if observed is not None else "",
            addresses=_addresses(observed) or tuple(dict.fromkeys(one for each in members for one in each.addresses)),
            claim=record.claim if record is not None else "",
            owners=tuple(one.key for one in ingresses),
            hosts=tuple(dict.fromkeys(host for one in members for host in one.hosts)),
            listeners=len(observed.listeners) if observed is not None else 0,
            rules=len(rules),
            targets=sum(len(rule.targets) for rule in rules),
            seen=seen,
            mark=worst((*(one.mark for one in members), *((Mark.WARNING,) if ails else ())), Mark.UNKNOWN),
            busy="a plan is on its way" if ref in flights else "",
            troubles=tuple(one for ingress in ingresses for one in troubles_of(ingress)),
        )

    def _tree(self, ref: CloudRef, ingresses: list[Ingress]) -> Tree:
        studio, term = self._studio, self._studio.term()
        flights = {one.ref: one for one in (term.flights.underway() if term is not None else ())}
        observed, _ = studio.seen(ref, flights.get(ref))
        keys = tuple(dict.fromkeys(self._studio.key(one) for one in ingresses))
        order = {one.key: number for key in keys for number, one in enumerate(studio.caches.members(key))}
        asked = tuple(
            self._studio.asked(one) for one in sorted(ingresses, key=lambda one: (order.get(one.key, 0), one.key))
        )
        claim = claim_of(asked, observed, studio.cluster()) if observed is not None else None
        glance = studio.glances.of(ref) if term is not None else Glance(problem=_STANDING_BY)
        sight = Sight(asked, observed, claim, glance.healths, self._studio.names())
        balancer, listeners = self._balancer(ref, ingresses, flights), branches(sight)
        return Tree(
            drawn=studio.clock.time(),
            balancer=replace(balancer, mark=worst((balancer.mark, *_rule_marks(listeners)))),
            listeners=listeners,
            ownership=ownership_words(claim),
            tags=dict(observed.head.tags) if observed is not None else {},
            checked=glance.at,
            unchecked=glance.problem,
            plans=self._studio.plans_of(keys),
        )


def _rule_marks(listeners: Iterable[ListenerView]) -> Iterator[Mark]:
    """Of the rules of which anything is known."""
    for listener in listeners:
        for host in listener.hosts:
            yield from (rule.mark for rule in host.rules if rule.mark is not Mark.UNKNOWN)


def _ails(glance: Glance, now: float) -> bool:
    """Whether a target that takes traffic failed its check when somebody last looked."""
    if glance.at is None or now - glance.at > GLANCE_S_MAX:
        return False
    return any(one.health is Health.DEAD and one.weight != 0 for targets in glance.healths.values() for one in targets)


def _addresses(observed: ObservedLoadBalancer | None) -> tuple[str, ...]:
    if observed is None:
        return ()
    head = observed.head
    return tuple(one for one in (*head.vips, head.ipv6, head.hostname) if one)


def _told(ingress: Ingress, member: Member) -> tuple[Trouble, ...]:
    """What its condition says; what only this process knows where that says nothing."""
    found = troubles_of(ingress)
    if found or member.mark is not Mark.BAD:
        return found
    return (Trouble(member.key, Mark.BAD, "", member.says, since=member.since),)


def _urgency(trouble: Trouble) -> tuple[bool, float, ObjectKey]:
    """What is broken first, and of that what is new."""
    return trouble.mark is not Mark.BAD, -(trouble.since or 0.0), trouble.about
