"""One pass for one key: the product on one screen."""

import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

from l7lb import ledger, translator
from l7lb.errors import Conflict, L7lbError, NotFound, RetryableError, TerminalError, Throttled
from l7lb.model.cluster import Ingress
from l7lb.model.identity import BindingKey, Owner
from l7lb.model.lane import Lane
from l7lb.model.marks import RECORD
from l7lb.model.options import Standing
from l7lb.model.outcome import Again, Done, Outcome
from l7lb.model.problems import Severity
from l7lb.model.writing import EventType
from l7lb.reconciler import defaults
from l7lb.reconciler.attempts import TOLD_EVERY, Setbacks, pause
from l7lb.reconciler.conditions import Readiness
from l7lb.reconciler.converging import Converger
from l7lb.reconciler.disposing import Disposer
from l7lb.reconciler.exits import Exits
from l7lb.reconciler.gathering import Gathering
from l7lb.reconciler.intent import Intent
from l7lb.reconciler.leavings import Leavings
from l7lb.reconciler.passes import Matter, Workshop, note, problem, say
from l7lb.reconciler.ports import LoadBalancers
from l7lb.reconciler.sharing import Sharing
from l7lb.reconciler.witnesses import Parting

BUSY_S: Final = 0.2
Turn: TypeAlias = Callable[[], Outcome]


class Reconciler:
    """Level, not edge: each pass reads the whole truth of its key; doing it twice is doing it once."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop
        exits = Exits(shop.monotonic, shop.borders.exits)
        self._converger = Converger(shop)
        self._disposer = Disposer(shop, exits)
        self._sharing = Sharing(shop, self._disposer, exits)
        self._setbacks = Setbacks()
        self._leavings = Leavings(shop)
        self._gathering = Gathering(shop, self._leavings)
        self._lock = threading.Lock()
        self._busy: set[str] = set()

    def reconcile(self, key: BindingKey, lane: Lane = Lane.CHANGE) -> Outcome:
        """Every member in turn, and a group as one; what fails does not keep the others waiting.

        Its error is raised at the end, unless it is terminal, which its object has heard, and another member waits:
        then the key has to come back.
        """
        failure: Exception | None = None
        waits: list[Again] = []
        members = self._shop.snapshots.members(key)
        self._land(key, members)
        for turn in self._turns(key, members, self._shop.cloud.at(lane)):
            try:
                outcome = turn()
            except Exception as error:  # noqa: BLE001 - judged below, after the other members had their turn
                failure = failure or error
                continue
            if isinstance(outcome, Again):
                waits.append(outcome)
        if failure is not None and not (waits and isinstance(failure, TerminalError)):
            raise failure
        return min(waits, key=lambda wait: wait.after_s) if waits else Done()

    def _turns(self, key: BindingKey, members: tuple[Ingress, ...], cloud: LoadBalancers) -> list[Turn]:
        """One pass for each member that is alone, and one for the group."""
        newest = (self._shop.desk.newest(ingress) for ingress in members)
        matters = [self._matter(key, ingress, cloud) for ingress in newest if self._shop.borders.ours(ingress)]
        group = tuple(matter for matter in matters if matter.grouped)
        alone = tuple(matter for matter in matters if not matter.grouped)
        away = self._gathering.turned_away(matters)
        turns: list[Turn] = [
            partial(self._pass, (one.ingress,), partial(self._member, one, one.owner.ingress_uid in away))
            for one in alone
        ]
        if group:
            ingresses = tuple(matter.ingress for matter in group)
            turns.append(partial(self._pass, ingresses, partial(self._together, key, group, alone, away)))
        return turns

    def _land(self, key: BindingKey, members: tuple[Ingress, ...]) -> None:
        """Give up plans of Ingresses that were torn away: nobody would ever see them to their end."""
        if not members:
            self._shop.telemetry.left_out(key, 0)
        present = {ingress.metadata.uid for ingress in members}
        for flight in self._shop.executor.flights.under(key):
            torn = not members if flight.key == key else flight.key not in present
            if torn and (not self._shop.snapshots.living(flight.key) or self._shop.borders.strayed(flight.key)):
                self._shop.executor.abandon(flight)

    def _pass(self, ingresses: tuple[Ingress, ...], body: Turn) -> Outcome:
        """Never two passes over one Ingress: its old and its new key may be handed out at the same time."""
        uids = {ingress.metadata.uid for ingress in ingresses}
        with self._lock:
            if uids & self._busy:
                return Again(BUSY_S, "another pass over this Ingress is running")
            self._busy |= uids
        self._shop.phases.about(tuple(str(ingress.key) for ingress in ingresses))
        try:
            outcome = body()
        except NotFound as absence:
            outcome = self._absent(ingresses, absence)
        except Throttled:
            raise
        except RetryableError as error:
            self._set_back(ingresses, error)
            raise
        finally:
            with self._lock:
                self._busy -= uids
        if isinstance(outcome, Done):
            for uid in uids:
                self._setbacks.forget(uid)
        return outcome

    def _set_back(self, ingresses: tuple[Ingress, ...], error: RetryableError) -> None:
        """Slower with each failure; trouble that lasts is said on the object."""
        counts = [self._setbacks.count(ingress.metadata.uid) for ingress in ingresses]
        error.retry_after_s = max(error.retry_after_s or 0.0, pause(max(counts)))
        for ingress, count in zip(ingresses, counts, strict=True):
            if count % TOLD_EVERY:
                continue
            text = f"tried {count} times: {error}"
            self._shop.events.emit(say(ingress, type(error).__name__, text, EventType.WARNING))
            # The pass has failed, and may have failed for the API server: what cannot be said now is said later.
            with contextlib.suppress(L7lbError):
                self._shop.desk.tell(self._shop.desk.newest(ingress), Readiness(False, type(error).__name__, text))

    def _absent(self, ingresses: tuple[Ingress, ...], absence: NotFound) -> Outcome:
        """Something went while we looked: the Ingress itself, or a part of the cloud that is to be observed anew."""
        if absence.what != "Ingress" or len(ingresses) > 1:
            conflict = Conflict(f"gone in the meantime: {absence}")
            self._set_back(ingresses, conflict)
            raise conflict from absence
        uid = ingresses[0].metadata.uid
        self._shop.executor.flights.end(BindingKey(uid))
        self._shop.desk.forget(uid)
        return Done()

    def _together(
        self, key: BindingKey, group: tuple[Matter, ...], alone: tuple[Matter, ...], away: frozenset[str]
    ) -> Outcome:
        """All members of a group, but those that have to give way."""
        for matter in group:
            if matter.owner.ingress_uid in away:
                self._sharing.reporter.turn_away(matter, f"Ingress {alone[0].ingress.key}, which is in no group")
        staying = [matter for matter in group if matter.owner.ingress_uid not in away]
        meeting, waits = self._gathering.meeting(key, staying, alone, group[0].cloud)
        for seat in meeting.staying:
            if seat.unclear:
                self._unresolved(seat.matter)
        if not meeting.seats:
            return Done()
        outcome = self._sharing.run(meeting)
        waits += (outcome,) if isinstance(outcome, Again) else ()
        return min(waits, key=lambda wait: wait.after_s) if waits else outcome

    def _member(self, seen: Matter, away: bool) -> Outcome:
        newest = self._shop.desk.newest(seen.ingress)
        # What a switch of the cluster gives it stands in `seen` already, and would not be found new again.
        matter = seen if newest is seen.ingress else self._matter(seen.key, newest, seen.cloud)
        purpose = self._leavings.purpose(matter)
        match purpose:
            case Intent.KEEP if away:
                self._sharing.reporter.turn_away(matter, "a group of Ingresses")
                return Done()
            case Intent.KEEP:
                self._disposer.forget(matter.owner)
                return self._converger.run(matter)
            case Intent.BACK:
                return self._disposer.run(matter, Parting.BACK)
            case Intent.DISPOSE:
                return self._disposer.run(matter, Parting.DELETED)
            case Intent.LEAVE:
                return self._leavings.wait(matter) or self._disposer.run(matter, Parting.LEFT)
            case Intent.HOLD:
                return self._unresolved(matter)
            case Intent.IGNORE:
                self._left_to_tke(matter)
                return Done()

    def _matter(self, key: BindingKey, ingress: Ingress, cloud: LoadBalancers) -> Matter:
        owner = Owner(self._shop.cluster, ingress.metadata.uid)
        record = ledger.parse_record(ingress.annotations.get(RECORD), owner)
        added = defaults.of_a_new_one(ingress, self._shop.snapshots.switches(), self._shop.tke_finalizers)
        ingress = defaults.annotated(ingress, added)
        options = translator.options(ingress)
        return Matter(key, ingress, record, options, cloud, owner, self._shop.settings.region, added=added)

    def _left_to_tke(self, matter: Matter) -> None:
        """Deleted before we had a finalizer on it: TKE's holds it, nobody takes that off, and no other can be added."""
        ingress = matter.ingress
        held = sorted(set(self._shop.tke_finalizers).intersection(ingress.finalizers))
        if not ingress.deleting or not held:
            return
        classes, synced = self._shop.snapshots.classes()
        if translator.standing(ingress, matter.record, classes, self._shop.settings, synced) is not Standing.OURS:
            return
        text = (
            f"it was deleted before l7lb had taken it over, and finalizer {', '.join(held)} holds it: only TKE's"
            " controller can end it and its load balancer; switch that on until it is gone"
        )
        self._shop.events.emit(say(ingress, "LeftToTke", text, EventType.WARNING))

    def _unresolved(self, matter: Matter) -> Outcome:
        finding = problem(
            "",
            "ClassUnresolved",
            "it cannot be told whether this Ingress is still ours (its class changed its meaning, not the Ingress): "
            "nothing is changed until it is edited or its class is restored",
            severity=Severity.WARNING,
        )
        self._shop.events.emit(note(matter.ingress, finding))
        self._shop.telemetry.refused(matter.key, matter.ingress.key, "ClassUnresolved", finding.message)
        return Done()
