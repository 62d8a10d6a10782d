"""Opens the readiness gates of pods: finds those that wait, asks the cloud about their health, writes the condition.

A thread of the term beside the workers, so that no failing pass of one Ingress keeps the gates of others closed. While
no pod waits nothing is asked of the cloud. All pods that are found healthy by one look are opened together.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from l7lb import translator
from l7lb.app.caches import Caches, Stores, record_of
from l7lb.errors import ConfigurationError, Conflict, GateClosed, L7lbError, LostLeadership, NotFound, TerminalError
from l7lb.model.cloud import TargetHealth
from l7lb.model.cluster import Ingress, Service
from l7lb.model.identity import CloudRef, Cluster, ListenerId, LoadBalancerId, LocationId
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.marks import FINALIZER
from l7lb.model.pods import READINESS_GATE, Pod
from l7lb.model.snapshot import Settings
from l7lb.model.writing import EventType, Note, ObjectReference
from l7lb.reconciler.observations import Observations, read
from l7lb.reconciler.passes import SHARED
from l7lb.reconciler.ports import Events, LoadBalancers, Pods
from l7lb.reconciler.readiness import Bound, Serving, Unwanted, Waiting, ailment, examine
from l7lb.runtime.clock import Clock
from l7lb.telemetry.metrics import CONTROLLER, Metrics

_logger = logging.getLogger(__name__)

WAKE_S: Final = 0.5
"""How often it is asked whether a pod waits; costs no call."""
LOOK_S: Final = 2.0
"""At least so far apart are two looks at the cloud."""
HEALTH_MAX: Final = 30
"""Load balancers a call (DescribeTargetHealth page)."""
PACES: Final = ((60.0, LOOK_S), (300.0, 5.0))
"""A pod that waits for less than the first is looked at every second of these."""
SLOW_S: Final = 15.0
LONG_S: Final = 300.0
TELL_EVERY_S: Final = 1800.0
UNWANTED_S: Final = 60.0
"""So long after it was first seen a pod that no Ingress wants is let through: one may be on its way."""
READ_AGAIN_S: Final = 10.0
READS_MAX: Final = 5
"""Load balancers of which a look reads what is on them, because no pass has."""
SEEN_AFTER_S: Final = 30.0
"""A condition that was written and does not show by then is written again."""
OPEN: Final = "LoadBalancerNetworkGroupReady"
MESSAGE: Final = f'Marking condition "{READINESS_GATE}" to True.'
"""Both as TKE's own controller writes them (contract, section 8.3)."""
NOT_A_TARGET: Final = "NotATarget"

Healths = dict[tuple[CloudRef, ListenerId, LocationId], tuple[TargetHealth, ...]]


@dataclass(frozen=True, slots=True)
class Ward:
    """What it works with."""

    cluster: Cluster
    settings: Settings
    stores: Stores
    caches: Caches
    cloud: LoadBalancers
    pods: Pods
    observations: Observations
    events: Events
    metrics: Metrics
    clock: Clock
    writable: Callable[[], None]
    """Raises when nothing may be written: then nothing is asked either."""


@dataclass(slots=True)
class Patient:
    """One pod that waits; times are monotonic."""

    since: float
    due: float
    told: float | None = None
    written: float | None = None


@dataclass(slots=True)
class Readying:
    """For one term. `run` is a thread's life, `step` one turn of it."""

    ward: Ward
    _stopping: threading.Event = field(default_factory=threading.Event)
    _patients: dict[str, Patient] = field(default_factory=dict)
    _looked: float | None = None
    _read: dict[CloudRef, tuple[float, ObservedLoadBalancer]] = field(default_factory=dict)
    """Own readings and their times, of load balancers that no pass knows now."""
    _complaint: str = ""

    def run(self) -> None:
        """Until `stop`."""
        while True:
            self.step()
            if self._stopping.wait(WAKE_S):
                return

    def stop(self) -> None:
        """End `run`."""
        self._stopping.set()

    def step(self) -> None:
        """Count who waits; when one is due and the last look was long enough ago, look."""
        now = self.ward.clock.monotonic()
        waiting = self._waiting(now)
        ages = [now - patient.since for patient in self._patients.values() if patient.written is None]
        self.ward.metrics.set("l7lb_readiness_gates_pending", len(ages), CONTROLLER)
        self.ward.metrics.set("l7lb_readiness_gate_oldest_seconds", max(ages, default=0.0), CONTROLLER)
        if self._looked is not None and now - self._looked < LOOK_S:
            return
        due = [pod for pod in waiting if self._patients[pod.metadata.uid].due <= now]
        if due and self._may_write():
            self._looked = now
            self._look(due, now)

    def _waiting(self, now: float) -> list[Pod]:
        pods = self.ward.stores.pods
        found = [item.object for space in pods.index_values("waiting") for item in pods.by_index("waiting", space)]
        known = self._patients
        self._patients = {one.metadata.uid: known.get(one.metadata.uid) or Patient(since=now, due=now) for one in found}
        return found

    def _may_write(self) -> bool:
        try:
            self.ward.writable()
        except (GateClosed, LostLeadership):
            return False
        return True

    def _look(self, pods: list[Pod], now: float) -> None:
        """All whose turn it is, with one question for all their load balancers."""
        self._read = {ref: one for ref, one in self._read.items() if now - one[0] < READ_AGAIN_S}
        servings = Servings(self.ward, {ref: observed for ref, (_, observed) in self._read.items()})
        found = [(pod, examine(pod, servings.of(pod))) for pod in pods]
        wanted = {check.ref for _, one in found if isinstance(one, Bound) for check in one.checks}
        healths, unread = self._ask(wanted)
        for pod, one in found:
            match one:
                case Bound(checks):
                    silent = next((check.ref.id for check in checks if check.ref in unread), None)
                    why = f"the health of {silent} cannot be read now" if silent else ailment(checks, healths)
                    self._settle(pod, why, OPEN, MESSAGE, now)
                case Waiting(why):
                    self._settle(pod, why, OPEN, MESSAGE, now)
                case Unwanted():
                    self._unwanted(pod, servings, now)
        self._read_unknown(servings.unobserved, now)

    def _unwanted(self, pod: Pod, servings: "Servings", now: float) -> None:
        if servings.is_anothers(pod):
            patient = self._patients[pod.metadata.uid]
            patient.due = now + _pace(now - patient.since)
            return
        early = now - self._patients[pod.metadata.uid].since < UNWANTED_S
        text = "No load balancer of an Ingress takes this pod as a target: there is nothing to wait for."
        self._settle(pod, "no Ingress leads to the pod yet" if early else "", NOT_A_TARGET, text, now)

    def _settle(self, pod: Pod, why: str, reason: str, message: str, now: float) -> None:
        patient = self._patients[pod.metadata.uid]
        age = now - patient.since
        patient.due = now + _pace(age)
        if why:
            if age >= LONG_S and (patient.told is None or now - patient.told >= TELL_EVERY_S):
                patient.told = now
                self._tell(pod, age, why)
            return
        try:
            self.ward.pods.open_gate(pod, reason, message, self.ward.clock.time())
        except (NotFound, Conflict) as error:
            _logger.debug("pod %s has gone meanwhile: %s", pod.key, error)
        except L7lbError as error:
            patient.due = now + SLOW_S
            self._complain(f"the readiness gate of pod {pod.key} cannot be opened: {error}")
        else:
            patient.written, patient.due = now, now + SEEN_AFTER_S
            _logger.info("pod %s: readiness gate opened (%s) after %.1f s", pod.key, reason, age)

    def _tell(self, pod: Pod, age: float, why: str) -> None:
        text = f"the readiness gate has been waiting for {age / 60:.0f} minutes: {why}"
        about = ObjectReference("v1", "Pod", pod.key, pod.metadata.uid)
        self.ward.events.emit(Note(about, EventType.WARNING, reason="ReadinessGatePending", message=text))

    def _ask(self, refs: Iterable[CloudRef]) -> tuple[Healths, set[CloudRef]]:
        """What the checks say, and whose answer is missing."""
        by_region: dict[str, list[CloudRef]] = {}
        for ref in sorted(refs):
            by_region.setdefault(ref.region, []).append(ref)
        healths: Healths = {}
        unread: set[CloudRef] = set()
        # One for the whole look: with little budget, what comes late in it would else be refused in each.
        cloud = self.ward.cloud.at(Lane.ENDPOINTS)
        for part in by_region.values():
            for start in range(0, len(part), HEALTH_MAX):
                self._ask_some(cloud, tuple(part[start : start + HEALTH_MAX]), healths, unread)
        return healths, unread

    def _ask_some(
        self, cloud: LoadBalancers, refs: tuple[CloudRef, ...], healths: Healths, unread: set[CloudRef]
    ) -> None:
        """One that is gone spoils a call for all: the rest is asked in halves."""
        try:
            healths.update(cloud.health(refs))
        except (NotFound, TerminalError) as error:
            if len(refs) == 1 or isinstance(error, ConfigurationError):
                unread.update(refs)
                self._complain(f"the health of {refs[0]} cannot be read: {error}")
                return
            middle = len(refs) // 2
            self._ask_some(cloud, refs[:middle], healths, unread)
            self._ask_some(cloud, refs[middle:], healths, unread)
        except L7lbError as error:
            unread.update(refs)
            self._complain(f"the health of {len(refs)} load balancers cannot be read now: {error}")

    def _complain(self, text: str) -> None:
        """Not the same line at every look."""
        if text != self._complaint:
            self._complaint = text
            _logger.warning("%s", text)

    def _read_unknown(self, refs: set[CloudRef], now: float) -> None:
        """For the next look. A pass that fails again and again forgets what it knew, and pods need not wait for it."""
        cloud = self.ward.cloud.at(Lane.ENDPOINTS)
        for ref in sorted(refs)[:READS_MAX]:
            try:
                head = cloud.heads((ref,)).get(ref)
                if head is not None and head.running:
                    self._read[ref] = now, read(cloud, head)
            except L7lbError as error:
                self._complain(f"{ref} cannot be read now: {error}")


class Servings:
    """Which Ingresses lead to a pod, for one look; each is translated once."""

    def __init__(self, ward: Ward, read_lately: Mapping[CloudRef, ObservedLoadBalancer]) -> None:
        self._ward = ward
        self._read_lately = read_lately
        self._services: dict[str, list[Service]] = {}
        for item in ward.stores.services.list():
            self._services.setdefault(item.key.namespace, []).append(item.object)
        self._known: dict[str, Serving] = {}
        self.unobserved: set[CloudRef] = set()
        """Load balancers that nobody has read."""

    def of(self, pod: Pod) -> tuple[Serving, ...]:
        """Those of ours."""
        return tuple(self._serving(one) for one in self._leading_to(pod) if self._is_ours(one))

    def is_anothers(self, pod: Pod) -> bool:
        """Whether somebody else may answer for its gate: TKE's controllers know the same one.

        They do for Services of type LoadBalancer and for Ingresses with direct access that are not ours.
        """
        if any(service.spec.type == "LoadBalancer" for service in self._selecting(pod)):
            return True
        return any(translator.direct(one) and not self._is_ours(one) for one in self._leading_to(pod))

    def _selecting(self, pod: Pod) -> list[Service]:
        candidates = self._services.get(pod.metadata.namespace, ())
        return [service for service in candidates if translator.selects(service, pod)]

    def _leading_to(self, pod: Pod) -> tuple[Ingress, ...]:
        found: Mapping[str, Ingress] = {
            item.uid: item.object
            for service in self._selecting(pod)
            for item in self._ward.stores.ingresses.by_index("service", service.key)
        }
        return tuple(found.values())

    def _is_ours(self, ingress: Ingress) -> bool:
        return FINALIZER in ingress.finalizers and not ingress.deleting

    def _serving(self, ingress: Ingress) -> Serving:
        uid, ward = ingress.metadata.uid, self._ward
        if uid not in self._known:
            translation = translator.translate(ward.caches.snapshot(ingress), ward.settings)
            record = record_of(ingress, ward.cluster)
            observed = None
            if record is not None and record.lb:
                ref = CloudRef(record.region or ward.settings.region, LoadBalancerId(record.lb))
                observed = ward.observations.get(ref) or self._read_lately.get(ref)
                if observed is None:
                    self.unobserved.add(ref)
            mine = record.rules if record is not None and record.claim == SHARED else None
            self._known[uid] = Serving(ingress.key, translation, observed, mine)
        return self._known[uid]


def _pace(age_s: float) -> float:
    """Seconds until a pod that has been waiting for so long is looked at again."""
    return next((pace for limit, pace in PACES if age_s < limit), SLOW_S)
