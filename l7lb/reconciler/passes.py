"""What one pass over one Ingress works with: the parts that do not change, and the matter at hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final

from l7lb import translator
from l7lb.model.cluster import Ingress
from l7lb.model.identity import BindingKey, Cluster, Owner
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.options import Options
from l7lb.model.ownership import Evidence, Record
from l7lb.model.problems import Problem, Severity
from l7lb.model.site import Site
from l7lb.model.snapshot import Settings, Translation
from l7lb.model.writing import EventType, Note, ObjectReference
from l7lb.reconciler.borders import NO_BORDERS, Borders
from l7lb.reconciler.conditions import told
from l7lb.reconciler.confirming import Confirmation
from l7lb.reconciler.executor import Executor
from l7lb.reconciler.locating import Locator, Question
from l7lb.reconciler.phasing import NoPhases, Phases
from l7lb.reconciler.ports import Events, Ingresses, LoadBalancers, ServiceConfigs, Snapshots, Telemetry
from l7lb.reconciler.writeback import WriteBack

SHARED: Final = "shared"
"""The claim in the record of a member of a group."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """The lasting parts, the same for every pass."""

    cluster: Cluster
    settings: Settings
    cloud: LoadBalancers
    ingresses: Ingresses
    configs: ServiceConfigs
    snapshots: Snapshots
    events: Events
    telemetry: Telemetry
    executor: Executor
    locator: Locator
    confirmation: Confirmation
    desk: WriteBack
    monotonic: Callable[[], float]
    wall: Callable[[], float]
    tke_finalizers: tuple[str, ...] = ()
    class_exit_grace_s: float = 30.0
    buys_blind: bool = False
    """Plan a load balancer although no node is known (files rarely name nodes)."""
    trusted_from: float = 0.0
    """Monotonic; until then a write of the leader before us may still arrive (promise 7)."""
    writable: Callable[[], None] = lambda: None
    """Raises GateClosed or LostLeadership when nothing may be written now."""
    comparing: Callable[[BindingKey], bool] = lambda _key: False
    """Whether the running pass over a key looks at a cloud that differs from what we left there."""
    phases: Phases = field(default_factory=NoPhases)
    """Told how far a pass has come."""
    borders: Borders = NO_BORDERS
    """What other replicas work on."""

    def settings_in(self, region: str, cloud: LoadBalancers, max_age_s: float = inf) -> Settings:
        """The settings with the quotas of a region, which are known as a rule: the verifier reads them now and then."""
        return replace(self.settings, limits=cloud.limits(region, max_age_s))


@dataclass(slots=True)
class Matter:
    """One Ingress in one pass."""

    key: BindingKey
    ingress: Ingress
    record: Record | None
    options: Options
    cloud: LoadBalancers
    owner: Owner
    home: str
    """Region of the cluster."""
    site: Site | None = None
    """What its load balancer has turned out to be like in this pass."""
    added: Mapping[str, str] = field(default_factory=dict)
    """Annotations that a switch of the cluster gives it; they are in `ingress` already, and not yet written."""
    problems: list[Problem] = field(default_factory=list)

    @property
    def flight(self) -> BindingKey:
        """Flights are per Ingress: its binding may move while one is on its way (a record decides the key)."""
        return BindingKey(self.owner.ingress_uid)

    @property
    def grouped(self) -> bool:
        """Whether it shares its load balancer."""
        return is_grouped(self.record, self.options)

    @property
    def region(self) -> str:
        """Of its load balancer: the record's while it holds a claim, else the annotation's, else the cluster's."""
        return translator.region_of(self.ingress, self.record, self.home)

    @property
    def asked_region(self) -> str:
        """Where a load balancer that is made now is to be."""
        return translator.region_of(self.ingress, None, self.home)

    def question(self) -> Question:
        """Where to look for its load balancer."""
        return Question(self.ingress, self.record, self.options.exist_lb_id, self.region, self.owner)

    def evidence(self, observed: ObservedLoadBalancer, *, refused: bool = False) -> Evidence:
        """What the ledger judges."""
        head = observed.head
        return Evidence(
            cluster=self.owner.cluster,
            ingress_uid=self.owner.ingress_uid,
            tags=head.tags,
            record=self.record,
            load_balancer=head.ref.id,
            named=self.options.exist_lb_id == head.ref.id,
            group=self.grouped,
            skip=self.options.skip,
            retain=self.options.retain,
            delete_protection=head.delete_protection,
            private_link=head.private_link,
            delete_refused=refused,
        )


def enter(shop: Workshop, matter: Matter, record: Record) -> None:
    """Our marks, and with them what a switch of the cluster gives a new Ingress."""
    matter.ingress = shop.desk.enter(matter.ingress, record, matter.added)
    matter.record, matter.added = record, {}


def is_grouped(record: Record | None, options: Options) -> bool:
    """Whether an Ingress shares its load balancer: decided once, and from then on said by the record."""
    if record is not None and record.claim and record.lb:
        return record.claim == SHARED
    return options.group and bool(options.exist_lb_id)


def reference(ingress: Ingress) -> ObjectReference:
    """The Ingress as an Event names it."""
    return ObjectReference("networking.k8s.io/v1", "Ingress", ingress.key, ingress.metadata.uid)


def note(ingress: Ingress, problem: Problem) -> Note:
    """A problem as an Event."""
    return Note(reference(ingress), EventType.WARNING, problem.reason or "Problem", told(problem), problem.code)


def say(ingress: Ingress, reason: str, message: str, kind: EventType = EventType.NORMAL) -> Note:
    """Anything else as an Event."""
    return Note(reference(ingress), kind, reason, message)


def problem(code: str, reason: str, message: str, *, severity: Severity = Severity.ERROR) -> Problem:
    """A finding of the reconciler itself."""
    return Problem(code=code, reason=reason, message=message, severity=severity)


def fingerprint_of(translation: Translation, matter: Matter) -> str:
    """Equal when a plan on its way still serves what is asked."""
    held = translation.held
    parts = (
        translation.desired,
        (matter.options.skip, matter.options.retain, matter.options.approve),
        held.everything,
        sorted(map(str, held.listeners)),
        sorted(map(str, held.hosts)),
        sorted(map(str, held.rules)),
    )
    return repr(parts)
