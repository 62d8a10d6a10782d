"""`l7lb teardown`: takes away what a whole cluster leaves in the account, on its operator's word.

Passive: no command line, no threads. What may go says `ledger.endings`; each write goes through the same planner,
ledger and executor as those of `l7lb run`, and its proof is read again right before it. Everything is read from the
worlds, so that a teardown that was killed goes on where it was when it is called again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, TypeVar

from l7lb import ledger, planner, translator
from l7lb.app.caches import record_of
from l7lb.app.planning import patiently
from l7lb.errors import (
    Conflict,
    DeleteRisk,
    GateClosed,
    L7lbError,
    LostLeadership,
    NotFound,
    OwnershipConflict,
    RetryableError,
    UnauthorizedPlan,
    Unavailable,
)
from l7lb.model.cluster import Ingress
from l7lb.model.ending import Ending, Fate, Order
from l7lb.model.identity import BindingKey, CloudRef, LoadBalancerId
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedLoadBalancer
from l7lb.model.marks import FINALIZER, RECORD
from l7lb.model.ownership import Evidence, Record
from l7lb.model.plan import DeleteLoadBalancer, Plan, Step
from l7lb.reconciler.executor import CreationFailed, Executor, Finished, Waiting
from l7lb.reconciler.flights import Flight, Flights
from l7lb.reconciler.locating import is_gone
from l7lb.reconciler.observations import Observations, read
from l7lb.reconciler.passes import is_grouped
from l7lb.reconciler.ports import Ingresses, LoadBalancers
from l7lb.reconciler.writeback import WriteBack
from l7lb.runtime.clock import Clock

T = TypeVar("T")

TRIES_MAX: Final = 12
WAIT_S: Final = 2.0
WAIT_S_MAX: Final = 30.0
TOLD_FROM_S: Final = 1.0
"""A shorter wait is not worth a word."""
SHARED: Final = "it is in a group of Ingresses, which share a load balancer: delete it while l7lb runs"
ORDERED: Final = "its load balancer may still be on the way: try again in a few minutes"


class End(Enum):
    """What has become of one load balancer or Ingress."""

    GONE = "gone"
    RELEASED = "released"
    KEPT = "kept"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Report:
    """One load balancer, or one Ingress that bore our marks."""

    what: str
    end: End
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """What is torn down, and with what."""

    order: Order
    cloud: LoadBalancers
    heads: tuple[LoadBalancerHead, ...]
    """Every load balancer that bears the id of the cluster, in all regions that are known."""
    clock: Clock
    sleep: Callable[[float], None]
    ingresses: tuple[Ingress, ...] = ()
    desk: Ingresses | None = None
    """None: there is no cluster."""
    home: str = ""
    tke_finalizers: tuple[str, ...] = ()
    told: Callable[[str], None] = field(default=lambda _: None)
    """Hears why it takes long."""


def doomed(ground: Ground) -> tuple[Ending, ...]:
    """What becomes of each load balancer."""
    return ledger.endings(ground.order, ground.heads, dict(_living(ground)))


def tear_down(ground: Ground, done: Callable[[Report], None]) -> tuple[Report, ...]:
    """Take everything away that may go, one after the other; `done` hears of each.

    Raises LostLeadership and GateClosed, when nothing may be written any more.
    """
    teardown, reports = _Teardown(ground), []
    for report in teardown.run():
        done(report)
        reports.append(report)
    return tuple(reports)


def _living(ground: Ground) -> Iterator[tuple[str, Evidence]]:
    """What each Ingress says of its load balancer. What is in a group says nothing about a whole one."""
    for ingress in ground.ingresses:
        record, options = record_of(ingress, ground.order.cluster), translator.options(ingress)
        yield (
            ingress.metadata.uid,
            Evidence(
                cluster=ground.order.cluster,
                ingress_uid=ingress.metadata.uid,
                tags={},
                record=record,
                load_balancer=LoadBalancerId(options.exist_lb_id),
                named=bool(options.exist_lb_id),
                group=is_grouped(record, options),
                skip=options.skip,
                retain=options.retain,
            ),
        )


class _Teardown:
    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._executor = Executor(Flights(), Observations(), ground.clock.monotonic)
        self._marks = WriteBack(ground.desk, ground.clock.time) if ground.desk is not None else None
        self._notes: tuple[str, ...] = ()

    def run(self) -> Iterator[Report]:
        left: set[str] = set()
        by_uid = {ingress.metadata.uid: ingress for ingress in self._ground.ingresses}
        for ending in doomed(self._ground):
            report = self._end(ending)
            yield report
            uid = ledger.ingress_of(ending.head.tags)
            if report.end is End.LEFT:
                left |= {uid, ending.head.ref.id}
            elif report.end in (End.GONE, End.RELEASED) and uid in by_uid:
                yield from self._let_go(by_uid.pop(uid), ours=True)
        for ingress in by_uid.values():
            yield from self._rest(ingress, left)

    def _end(self, ending: Ending) -> Report:
        """Again and again while what goes wrong may pass."""
        head, name, self._notes = ending.head, str(ending.head.ref), ()
        if ending.fate is Fate.KEPT or ending.fate is Fate.LEFT:
            return Report(name, End.KEPT if ending.fate is Fate.KEPT else End.LEFT, ending.reason)
        why, force = "", False
        for number in range(TRIES_MAX):
            try:
                if self._try(ending, force=force):
                    return Report(name, _ENDS[ending.fate], "; ".join(self._notes))
                why = "it is still there"
            except (LostLeadership, GateClosed, UnauthorizedPlan):
                raise
            except DeleteRisk as risk:
                # The operator has been shown what is bound, and has typed the id: that is the word for it.
                if force:
                    return Report(name, End.LEFT, str(risk))
                force = True
                continue
            except RetryableError as trouble:
                why = str(trouble)
            except L7lbError as refusal:
                return Report(name, End.LEFT, str(refusal))
            self._wait(min(WAIT_S * 1.5**number, WAIT_S_MAX), f"{head.ref.id}: {why}")
        return Report(name, End.LEFT, why)

    def _try(self, ending: Ending, *, force: bool) -> bool:
        """One plan from a fresh look; True when nothing is left to do."""
        cloud, ref = self._ground.cloud, ending.head.ref
        head = self._patiently(lambda: cloud.heads((ref,))).get(ref)
        if head is None:
            return self._patiently(lambda: is_gone(cloud, ending.head))
        if ending.fate is Fate.RELEASE and not ledger.ingress_of(head.tags):
            return True
        fate, reason = ledger.fate_now(self._ground.order, ending, head)
        if fate is not ending.fate:
            raise _not_now(reason)
        try:
            observed = self._patiently(lambda: read(cloud, head))
        except NotFound:
            return self._patiently(lambda: is_gone(cloud, head))
        claim = ledger.end(self._ground.order, ending, observed)
        plan = planner.teardown(observed, claim, claim.disposal)
        plan = _forced(plan) if force else plan
        if not plan:
            raise _not_now("; ".join(plan.notes) or claim.reason)
        self._notes = plan.notes
        ledger.authorize_ending(plan, self._ground.order, ending, observed)
        self._fly(ending, observed, plan)
        if ending.fate is Fate.DELETE:
            return self._patiently(lambda: is_gone(cloud, head))
        return False

    def _fly(self, ending: Ending, observed: ObservedLoadBalancer, plan: Plan) -> None:
        key = BindingKey(f"teardown/{ending.head.ref}")
        flight = Flight(key, ending.head.ref.region, plan, "teardown", observed, self._ground.clock.monotonic())
        if not self._executor.flights.begin(flight):
            raise AssertionError(f"{ending.head.ref} is being torn down already")
        witness = _OnTheWord(self._ground, ending)
        while True:
            match self._executor.advance(flight, self._ground.cloud, witness):
                case Finished():
                    return
                case Waiting(after_s, reason):
                    self._wait(after_s, f"{ending.head.ref.id}: {reason}")
                case CreationFailed(message):
                    raise AssertionError(f"nothing is created here: {message}")

    def _rest(self, ingress: Ingress, left: set[str]) -> Iterator[Report]:
        """An Ingress whose load balancer was not among those that went."""
        ground = self._ground
        if FINALIZER not in ingress.finalizers and RECORD not in ingress.annotations:
            return
        record = record_of(ingress, ground.order.cluster)
        if is_grouped(record, translator.options(ingress)):
            yield _about(ingress, End.LEFT, SHARED)
        elif ingress.metadata.uid in left or (record is not None and record.lb in left):
            yield _about(ingress, End.LEFT, "its load balancer is left")
        elif record is not None and record.claim in ("creating", "failed"):
            yield _about(ingress, End.LEFT, ORDERED)
        elif record is not None and record.lb and not self._is_settled(record):
            yield _about(ingress, End.LEFT, f"{record.lb} exists, and does not show its tags: try again")
        else:
            yield from self._let_go(ingress, ours=False)

    def _is_settled(self, record: Record) -> bool:
        """Whether what a record names was judged, shows other tags than ours, or is gone."""
        ref = CloudRef(record.region or self._ground.home, LoadBalancerId(record.lb))
        if any(head.ref == ref for head in self._ground.heads):
            return True
        head = self._patiently(lambda: self._ground.cloud.heads((ref,))).get(ref)
        if head is not None:
            return not ledger.bears_our_id(head.tags, self._ground.order.cluster)
        return self._patiently(lambda: is_gone(self._ground.cloud, LoadBalancerHead(ref, name="", running=False)))

    def _let_go(self, ingress: Ingress, *, ours: bool) -> Iterator[Report]:
        desk, marks = self._ground.desk, self._marks
        if desk is None or marks is None:
            return
        finalizers, now = (FINALIZER, *(self._ground.tke_finalizers if ours else ())), ingress
        for _ in range(TRIES_MAX):
            try:
                marks.release(marks.newest(now), None, finalizers)
            except Conflict:
                fresh = desk.live(ingress.key)
                if fresh is None or fresh.metadata.uid != ingress.metadata.uid:
                    break
                now = fresh
                continue
            break
        else:
            yield _about(ingress, End.LEFT, "it was edited by somebody else all the time: try again")
            return
        yield _about(ingress, End.RELEASED)

    def _wait(self, seconds: float, why: str) -> None:
        if seconds > TOLD_FROM_S:
            self._ground.told(f"waiting {seconds:.0f} s: {why}")
        self._ground.sleep(seconds)

    def _patiently(self, question: Callable[[], T]) -> T:
        return patiently(question, self._ground.sleep)


class _OnTheWord:
    """Answers the executor: every proof is read again, whatever was shown to the operator."""

    def __init__(self, ground: Ground, ending: Ending) -> None:
        self._ground = ground
        self._ending = ending

    def created(self, ref: CloudRef) -> None:
        """Nothing is created here."""
        raise AssertionError(f"{ref} was created while a cluster was torn down")

    def confirmed(self, head: LoadBalancerHead) -> bool:
        """Nothing is created here."""
        raise AssertionError(f"{head.ref} was created while a cluster was torn down")

    def prove(self, step: Step, observed: ObservedLoadBalancer) -> None:
        """Tags and protection by id."""
        ref = self._ending.head.ref
        head = self._ground.cloud.heads((ref,)).get(ref)
        if head is None:
            raise Unavailable(f"{ref.id} is not listed now")
        fate, reason = ledger.fate_now(self._ground.order, self._ending, head)
        if fate is not self._ending.fate:
            raise _not_now(reason)
        if isinstance(step, DeleteLoadBalancer):
            now = ObservedLoadBalancer(head, observed.listeners)
            ledger.authorize_ending(Plan((step,)), self._ground.order, self._ending, now)

    def performed(self, step: Step) -> None:
        """The report says it."""


_ENDS: Final = {Fate.DELETE: End.GONE, Fate.RELEASE: End.RELEASED}


def _not_now(reason: str) -> OwnershipConflict:
    return OwnershipConflict(reason, reason="OwnershipConflict")


def _about(ingress: Ingress, end: End, why: str = "") -> Report:
    return Report(f"Ingress {ingress.key}", end, why)


def _forced(plan: Plan) -> Plan:
    return replace(
        plan,
        steps=tuple(replace(step, force=True) if isinstance(step, DeleteLoadBalancer) else step for step in plan.steps),
    )
