"""One pass for one key: the product on one screen."""

import contextlib
import threading
from typing import Final

from l7lb import ledger, translator
from l7lb.errors import Conflict, L7lbError, NotFound, RetryableError, TerminalError, Throttled
from l7lb.model.cluster import Ingress
from l7lb.model.identity import BindingKey, Owner
from l7lb.model.lane import Lane
from l7lb.model.marks import RECORD
from l7lb.model.outcome import Again, Done, Outcome
from l7lb.model.ownership import Record
from l7lb.model.problems import Severity
from l7lb.model.writing import EventType
from l7lb.reconciler import defaults
from l7lb.reconciler.attempts import TOLD_EVERY, Setbacks, pause
from l7lb.reconciler.conditions import Readiness
from l7lb.reconciler.converging import Converger
from l7lb.reconciler.disposing import Disposer
from l7lb.reconciler.intent import Intent, intent
from l7lb.reconciler.passes import Matter, Workshop, note, problem, say
from l7lb.reconciler.ports import LoadBalancers
from l7lb.reconciler.witnesses import Parting

BUSY_S: Final = 0.2


class Reconciler:
    """Level, not edge: each pass reads the whole truth of its key; doing it twice is doing it once."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop
        self._converger = Converger(shop)
        self._disposer = Disposer(shop)
        self._setbacks = Setbacks()
        self._lock = threading.Lock()
        self._left_at: dict[str, float] = {}
        self._busy: set[str] = set()

    def reconcile(self, key: BindingKey, lane: Lane = Lane.CHANGE) -> Outcome:
        """Every member in turn; one that fails does not keep the others waiting.

        Its error is raised at the end, unless it is terminal, which its object has heard, and another member waits:
        then the key has to come back.
        """
        failure: Exception | None = None
        waits: list[Again] = []
        members = self._shop.snapshots.members(key)
        self._land(key, members)
        cloud = self._shop.cloud.at(lane)
        for ingress in members:
            try:
                outcome = self._alone(key, ingress, cloud)
            except Exception as error:  # noqa: BLE001 - judged below, after the other members had their turn
                failure = failure or error
                continue
            if isinstance(outcome, Again):
                waits.append(outcome)
        if failure is not None and not (waits and isinstance(failure, TerminalError)):
            raise failure
        return min(waits, key=lambda wait: wait.after_s) if waits else Done()

    def _land(self, key: BindingKey, members: tuple[Ingress, ...]) -> None:
        """Give up plans of Ingresses that were torn away: nobody would ever see them to their end."""
        present = {ingress.metadata.uid for ingress in members}
        for flight in self._shop.executor.flights.under(key):
            if flight.key not in present and not self._shop.snapshots.living(flight.key):
                self._shop.executor.abandon(flight)

    def _alone(self, key: BindingKey, ingress: Ingress, cloud: LoadBalancers) -> Outcome:
        """Never two passes over one Ingress: its old and its new key may be handed out at the same time."""
        uid = ingress.metadata.uid
        with self._lock:
            if uid in self._busy:
                return Again(BUSY_S, "another pass over this Ingress is running")
            self._busy.add(uid)
        try:
            outcome = self._member(key, ingress, cloud)
        except NotFound as absence:
            outcome = self._absent(ingress, absence)
        except Throttled:
            raise
        except RetryableError as error:
            self._set_back(ingress, error)
            raise
        finally:
            with self._lock:
                self._busy.discard(uid)
        if isinstance(outcome, Done):
            self._setbacks.forget(uid)
        return outcome

    def _set_back(self, ingress: Ingress, error: RetryableError) -> None:
        """Slower with each failure; trouble that lasts is said on the object."""
        count = self._setbacks.count(ingress.metadata.uid)
        error.retry_after_s = max(error.retry_after_s or 0.0, pause(count))
        if count % TOLD_EVERY:
            return
        text = f"tried {count} times: {error}"
        self._shop.events.emit(say(ingress, type(error).__name__, text, EventType.WARNING))
        # The pass has failed, and may have failed for the API server: what cannot be said now is said later.
        with contextlib.suppress(L7lbError):
            self._shop.desk.tell(self._shop.desk.newest(ingress), Readiness(False, type(error).__name__, text))

    def _absent(self, ingress: Ingress, absence: NotFound) -> Outcome:
        """Something went while we looked: the Ingress itself, or a part of the cloud that is to be observed anew."""
        if absence.what != "Ingress":
            conflict = Conflict(f"gone in the meantime: {absence}")
            self._set_back(ingress, conflict)
            raise conflict from absence
        uid = ingress.metadata.uid
        self._shop.executor.flights.end(BindingKey(uid))
        self._shop.desk.forget(uid)
        return Done()

    def _member(self, key: BindingKey, seen: Ingress, cloud: LoadBalancers) -> Outcome:
        matter = self._matter(key, self._shop.desk.newest(seen), cloud)
        classes, synced = self._shop.snapshots.classes()
        standing = translator.standing(matter.ingress, matter.record, classes, self._shop.settings, synced)
        purpose = intent(matter.ingress, standing, matter.record, matter.options.exist_lb_id)
        if purpose is not Intent.LEAVE:
            self._forget_leaving(matter)
        match purpose:
            case Intent.KEEP:
                self._disposer.forget(matter.owner)
                return self._converger.run(matter)
            case Intent.BACK:
                return self._disposer.run(matter, Parting.BACK)
            case Intent.DISPOSE:
                return self._disposer.run(matter, Parting.DELETED)
            case Intent.LEAVE:
                return self._leave(matter)
            case Intent.HOLD:
                return self._unresolved(matter)
            case Intent.IGNORE:
                return Done()

    def _matter(self, key: BindingKey, ingress: Ingress, cloud: LoadBalancers) -> Matter:
        owner = Owner(self._shop.cluster, ingress.metadata.uid)
        record = ledger.parse_record(ingress.annotations.get(RECORD), owner)
        added = defaults.of_a_new_one(ingress, self._shop.snapshots.switches(), self._shop.tke_finalizers)
        ingress = defaults.annotated(ingress, added)
        options = translator.options(ingress)
        return Matter(key, ingress, record, options, cloud, owner, self._shop.settings.region, added=added)

    def _leave(self, matter: Matter) -> Outcome:
        """A grace for typos, then a live look at the Ingress and at its class, then as if it were deleted."""
        uid = matter.owner.ingress_uid
        now = self._shop.monotonic()
        with self._lock:
            since = self._left_at.setdefault(uid, now)
        remaining = since + self._shop.class_exit_grace_s - now
        if remaining > 0:
            return Again(remaining, "the Ingress was edited out of our class: released after the grace")
        if not self._left_for_sure(matter, matter.record):
            self._forget_leaving(matter)
            return Again(2.0, "the API server does not confirm that the Ingress has left our class")
        return self._disposer.run(matter, Parting.LEFT)

    def _left_for_sure(self, matter: Matter, record: Record | None) -> bool:
        live = self._shop.ingresses.live(matter.ingress.key)
        if live is None or live.metadata.uid != matter.owner.ingress_uid:
            return False
        names = {name for name in translator.class_pair(live) if name}
        classes = {name: found for name in names if (found := self._shop.ingresses.live_class(name)) is not None}
        standing = translator.standing(live, record, classes, self._shop.settings, synced=True)
        return intent(live, standing) is Intent.LEAVE

    def _forget_leaving(self, matter: Matter) -> None:
        with self._lock:
            self._left_at.pop(matter.owner.ingress_uid, None)

    def _unresolved(self, matter: Matter) -> Outcome:
        finding = problem(
            "",
            "ClassUnresolved",
            "it cannot be told whether this Ingress is still ours (its class changed its meaning, not the Ingress): "
            "nothing is changed until it is edited or its class is restored",
            severity=Severity.WARNING,
        )
        self._shop.events.emit(note(matter.ingress, finding))
        self._shop.telemetry.refused(matter.key, "ClassUnresolved", finding.message)
        return Done()
