"""`l7lb status`: the whole installation at one glance, from outside, with what is wrong first. Reads only."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from l7lb import __version__, translator
from l7lb.app.auditing import Audit, audit
from l7lb.app.caches import record_of
from l7lb.app.config import Config
from l7lb.app.connections import connect
from l7lb.app.diagnosing import Diagnosis, Level, diagnose_control, diagnose_quotas
from l7lb.app.examining import cloud_facts, cluster_facts
from l7lb.app.facts import Facts, Known, Unread, ask
from l7lb.app.inspecting import place_of
from l7lb.app.judging import member_of, ref_of, troubles_of
from l7lb.app.progress import Progress, silent
from l7lb.app.pulses import CURE, EMPTY, Pulses, ask_pulses, beating, leads, own_listeners
from l7lb.app.watching import settings_of
from l7lb.errors import GateClosed
from l7lb.model.branches import Mark
from l7lb.model.cluster import Ingress
from l7lb.model.identity import CloudRef, Cluster, ListenerId, ObjectKey
from l7lb.model.lane import Lane
from l7lb.model.marks import CONDITIONS, FINALIZER
from l7lb.model.options import Standing
from l7lb.model.portrait import Member
from l7lb.reconciler.conditions import ready_of
from l7lb.reconciler.ports import LoadBalancers
from l7lb.runtime.clock import SystemClock
from l7lb.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that somebody should look at."""

    mark: Mark
    about: str
    says: str
    since: float | None = None
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything."""

    facts: Facts
    control: tuple[Diagnosis, ...]
    members: tuple[Member, ...]
    """Ingresses that are ours."""
    conditions: Mapping[str, int]
    """Reason of the Ready condition -> how many Ingresses have it; empty: they have none yet."""
    audit: Known[Audit] | Unread
    problems: tuple[Problem, ...]
    """Worst first."""
    pulses: Pulses = field(default_factory=Pulses)
    """The health of the targets behind those Ingresses."""

    @property
    def unread(self) -> tuple[str, ...]:
        """What could not be read, and why."""
        parts = (("Ingresses", self.facts.cluster.ingresses), ("load balancers", self.audit))
        whole = [f"{what}: {part.why}" for what, part in parts if isinstance(part, Unread)]
        refused = self.audit.value.look.refused if isinstance(self.audit, Known) else {}
        return (*whole, *(f"region {region}: {why}" for region, why in refused.items()))

    @property
    def by_mark(self) -> Mapping[Mark, int]:
        """How many Ingresses stand how."""
        return Counter(one.mark for one in self.members)

    @property
    def by_use(self) -> Mapping[str, int]:
        """How many load balancers are used how."""
        found = self.audit.value.load_balancers if isinstance(self.audit, Known) else ()
        return Counter(one.entry.use.value for one in found)


def overviewed(config: Config, environ: Mapping[str, str], told: Progress = silent) -> Overview:
    """Raises ConfigurationError when no client can be built; what cannot be read is named in the answer."""
    clock = SystemClock()
    connections = connect(config, environ, Metrics(__version__), _never, clock)
    told("reading the cluster")
    cluster = cluster_facts(config, connections, clock)
    told("reading the account")
    cloud = cloud_facts(config, connections, clock, cluster.identity, probing=False)
    facts = Facts(config.cluster_id, config.region, __version__, clock.time(), cluster, cloud)
    found = ask(lambda: audit(place_of(config, connections, clock), told))
    told("asking for the health of targets")
    pulses = _asked(tuple(_ours(facts, config)), connections.cloud.at(Lane.VERIFY), found, config)
    return overview(facts, found, config, pulses)


def overview(facts: Facts, found: Known[Audit] | Unread, config: Config, pulses: Pulses | None = None) -> Overview:
    """Put together; pure. `pulses`: None where nobody has asked."""
    ours, pulses = tuple(_ours(facts, config)), pulses or Pulses()
    stand = [member_of(one, record_of(one, Cluster(config.cluster_id)), config.region) for one in ours]
    users = Counter(one.ref for one in stand)
    members = [beating(one, ingress, pulses, users[one.ref]) for one, ingress in zip(stand, ours, strict=True)]
    control = diagnose_control(facts)
    problems = [*_of_control((*control, *diagnose_quotas(facts))), *_of_ingresses(ours), *_of_audit(found)]
    problems += _of_targets((one for one, ingress in zip(members, ours, strict=True) if leads(ingress)), pulses)
    order = list(Mark)
    problems.sort(key=lambda one: (order.index(one.mark), one.about))
    conditions = Counter(_reason(one) for one in ours)
    in_order = tuple(sorted(members, key=lambda one: one.key))
    return Overview(facts, control, in_order, conditions, found, tuple(problems), pulses)


def _asked(ours: Iterable[Ingress], cloud: LoadBalancers, found: Known[Audit] | Unread, config: Config) -> Pulses:
    """Nothing is asked of a cloud that has not answered before."""
    cluster, listeners = Cluster(config.cluster_id), defaultdict[CloudRef, set[ListenerId]](set)
    for one in ours:
        record = record_of(one, cluster)
        ref = ref_of(one, record, config.region)
        if ref is not None:
            listeners[ref] |= own_listeners((record,))
    wanted = {ref: frozenset(own) for ref, own in listeners.items()}
    refused = found.value.look.refused if isinstance(found, Known) else {}
    silent = {ref: refused[ref.region] for ref in wanted if ref.region in refused}
    if isinstance(found, Unread):
        silent = dict.fromkeys(wanted, found.why)
    seen = ask_pulses(cloud, {ref: own for ref, own in wanted.items() if ref not in silent})
    return Pulses(seen.known, {**seen.silent, **silent})


def _reason(ingress: Ingress) -> str:
    condition = ready_of(ingress.annotations.get(CONDITIONS))
    return "" if condition is None else condition.reason or condition.status


def _ours(facts: Facts, config: Config) -> Iterator[Ingress]:
    if isinstance(facts.cluster.ingresses, Unread):
        return
    known = facts.cluster.classes
    classes = {one.metadata.name: one for one in known.value} if isinstance(known, Known) else {}
    cluster, settings = Cluster(config.cluster_id), settings_of(config)
    for one in facts.cluster.ingresses.value:
        if config.watch_namespace not in ("", one.key.namespace):
            continue
        standing = translator.standing(one, record_of(one, cluster), classes, settings, isinstance(known, Known))
        if standing is not Standing.NOT_OURS or FINALIZER in one.finalizers:
            yield one


def _of_control(control: tuple[Diagnosis, ...]) -> Iterator[Problem]:
    marks = {Level.WARN: Mark.WARNING, Level.FAIL: Mark.BAD}
    for one in control:
        if one.level in marks:
            yield Problem(marks[one.level], one.name, one.says, advice=one.cure)


def _of_ingresses(ours: tuple[Ingress, ...]) -> Iterator[Problem]:
    for one in ours:
        for trouble in troubles_of(one):
            says = f"{trouble.code}: {trouble.message}" if trouble.code else trouble.message
            yield Problem(trouble.mark, f"Ingress {one.key}", says, trouble.since, trouble.advice)


def _of_targets(members: Iterable[Member], pulses: Pulses) -> Iterator[Problem]:
    """One for each load balancer, however many Ingresses are on it."""
    users: defaultdict[CloudRef, list[ObjectKey]] = defaultdict(list)
    for one in members:
        if one.ref is not None and not one.deleting and one.mark is not Mark.WAITING:
            users[one.ref].append(one.key)
    for ref, keys in users.items():
        seen = pulses.known.get(ref)
        if seen is not None and seen.mark in (Mark.BAD, Mark.WARNING):
            about = f"Ingress {keys[0]}" if len(keys) == 1 else f"load balancer {ref}"
            of = "" if len(keys) == 1 else f" for {len(keys)} Ingresses"
            yield Problem(seen.mark, about, f"{seen.words}{of}", advice=CURE if seen.total else EMPTY)


def _of_audit(found: Known[Audit] | Unread) -> Iterator[Problem]:
    if isinstance(found, Unread):
        return
    for held in found.value.load_balancers:
        if held.is_finding:
            entry = held.entry
            says = f"{entry.use.value}: {entry.reason}"
            first = held.sighting.first if held.sighting is not None else None
            yield Problem(Mark.WARNING, f"load balancer {entry.head.ref}", says, first)
    for word in found.value.words:
        yield Problem(Mark.WARNING, f"Ingress {word.ingress}", f"{word.kind}: {word.text}")


def _never() -> None:
    raise GateClosed("whoever looks writes nothing")
