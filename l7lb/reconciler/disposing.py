"""The pass of an Ingress that goes away or has left our class: claim, prove, take away what is ours, read back, let go.

Every prefix of it leaves finalizer and record, so that the next pass goes on. The finalizer goes when what was to go is
gone, not when the call was accepted.
"""

from dataclasses import replace
from typing import Final

from l7lb import ledger, planner, translator
from l7lb.errors import DeleteRisk, Protected, Rejected, TerminalError, Unavailable, UnsafePlan
from l7lb.model.identity import CloudRef, ListenerKey, Owner
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.marks import FINALIZER
from l7lb.model.maybe import UNSET
from l7lb.model.outcome import Again, Done, Outcome
from l7lb.model.ownership import Claim, Disposal, Ownership, Record
from l7lb.model.phases import Stage
from l7lb.model.plan import DeleteLoadBalancer, Plan, RemoveTags
from l7lb.model.writing import EventType
from l7lb.reconciler import records
from l7lb.reconciler.attempts import Attempts
from l7lb.reconciler.autoconfig import AutoConfig
from l7lb.reconciler.conditions import Readiness
from l7lb.reconciler.confirming import AGAIN_S as HELD_S
from l7lb.reconciler.confirming import HELD
from l7lb.reconciler.executor import CreationFailed, Finished, Waiting
from l7lb.reconciler.exits import Exits
from l7lb.reconciler.farewells import Farewells
from l7lb.reconciler.flights import Flight
from l7lb.reconciler.locating import Creating, Found, Gone, Nothing
from l7lb.reconciler.passes import Matter, Workshop, say
from l7lb.reconciler.proof import Proof
from l7lb.reconciler.witnesses import LettingGo, Parting

SETTLE_S: Final = 2.0
LATER_S: Final = 30.0
RELEASING: Final = "releasing"
TIED: Final = "E4006: "
LEFT: Final = "W1002: "
_OURS = frozenset({Ownership.CREATED, Ownership.KEPT, Ownership.ADOPTED, Ownership.TO_ADOPT})


class Disposer:
    """Lets one Ingress go."""

    def __init__(self, shop: Workshop, exits: Exits) -> None:
        self._shop = shop
        self._proof = Proof(shop)
        self._farewells = Farewells(shop)
        self._attempts = Attempts(shop.monotonic)
        self._exits = exits
        self._auto = AutoConfig(shop)
        self._refused: set[CloudRef] = set()
        self._forced: set[CloudRef] = set()

    def run(self, matter: Matter, parting: Parting) -> Outcome:
        """One pass."""
        try:
            return self._run(matter, parting)
        except TerminalError as error:
            self._farewells.failed(matter, error.code, error.reason, str(error))
            if error.reason == HELD:
                return Again(HELD_S, str(error))
            if isinstance(error, Rejected | Protected | DeleteRisk):
                # What goes away is tried until it is gone, more and more slowly.
                raise Unavailable(str(error)) from error
            raise

    def forget(self, owner: Owner) -> None:
        """It is not to go any more: looks that were taken do not count for another time."""
        self._attempts.forget(owner)

    def _run(self, matter: Matter, parting: Parting) -> Outcome:
        flight = self._shop.executor.flights.of(matter.flight)
        if flight is not None:
            if matter.options.skip or not flight.fingerprint.startswith("dispose"):
                self._shop.executor.cut_short(flight)
            return self._fly(matter, flight, parting)
        if matter.options.skip:
            return self.let_go(matter, None, "mode: skip: nothing is touched", parting)
        self._shop.phases.enter(Stage.OBSERVE)
        # One that only has to see the end does not wait behind the first looks of all others that go at the same time.
        cloud = self._shop.cloud.at(Lane.REMOVALS) if self._attempts.is_deleted(matter.owner) else matter.cloud
        location = self._shop.locator.locate(matter.question(), cloud)
        if isinstance(location, Found) and location.remembered and not self._is_deleted(matter, location.observed):
            location = self._shop.locator.look(location.observed.head.ref, matter.cloud)
        match location:
            case Creating(ref):
                return Again(SETTLE_S, f"{ref.id} is still being created")
            case Gone(ref):
                self._forced.discard(ref)
                self._refused.discard(ref)
                return self.released(matter, parting, ours=True)
            case Nothing():
                return self._never_had(matter, parting)
            case Found(observed):
                return self._dispose(matter, observed, parting)

    def _never_had(self, matter: Matter, parting: Parting) -> Outcome:
        """Nothing is found. An order may be on its way when the record says so: two looks, 60 s apart."""
        if matter.record is not None and matter.record.claim in ("creating", "failed"):
            wait = self._attempts.until_second_look(matter.owner)
            if wait > 0:
                return Again(wait, "an order may still be on its way: looking by tag once more before letting go")
        return self.released(matter, parting, ours=True)

    def _dispose(self, matter: Matter, observed: ObservedLoadBalancer, parting: Parting) -> Outcome:
        self._shop.phases.enter(Stage.PLAN, observed.head.ref.id)
        claim = self._claim(matter, observed)
        released = matter.record is not None and matter.record.claim == RELEASING
        if too_early := self._too_early(matter, observed, claim):
            return too_early
        if claim.ownership not in _OURS and released:
            return self.released(matter, parting, ours=True)
        if claim.ownership not in _OURS or claim.untouched:
            return self.let_go(matter, claim, claim.reason, parting)
        if parting is Parting.DELETED and not self._proof.is_leaving(matter):
            return Again(SETTLE_S, "the API server does not say that the Ingress is being deleted")
        if claim.disposal is Disposal.LEAVE:
            return self.released(matter, parting, ours=True)
        if parting is Parting.BACK and claim.disposal is Disposal.DELETE_LOAD_BALANCER and matter.record is not None:
            # It was to be given back, and is ours again as a whole: nobody has left, so it goes on serving.
            matter.record = replace(matter.record, claim=Ownership.CREATED.value)
            matter.ingress = self._shop.desk.enter_record(matter.ingress, matter.record)
            return Again(0.0, "the Ingress is ours again, and so is its load balancer")
        plan = planner.teardown(observed, claim, claim.disposal, redirects_ours=self._redirects(matter))
        self._tell_notes(matter, plan)
        if observed.head.ref in self._forced:
            plan = _forced(plan)
        if not plan:
            return self.released(matter, parting, ours=True)
        if self._attempts.tagging(matter.owner) and all(isinstance(step, RemoveTags) for step in plan.steps):
            self._shop.executor.observations.drop(observed.head.ref)
            return Again(SETTLE_S, f"{observed.head.ref.id} still shows our tags, which were taken off")
        _, doubt = self._shop.confirmation.sift(plan, observed, claim, matter.cloud)
        if doubt:
            raise UnsafePlan(doubt, reason=HELD)
        self._check(matter, plan, observed, parting)
        ledger.authorize(plan, claim, observed)
        self._farewells.announce(matter, observed, claim)
        flight = Flight(
            matter.flight, observed.head.ref.region, plan, "dispose", observed, self._shop.monotonic()
        )  # fmt: skip
        self._shop.telemetry.planned(matter.key, matter.ingress.key, plan)
        self._shop.writable()
        if claim.disposal is Disposal.RELEASE_LISTENERS and matter.record is not None:
            # After the last tag is off nothing else would say that it was ours to take off.
            matter.record = replace(matter.record, lb=observed.head.ref.id, region=observed.head.ref.region,
                                    claim=RELEASING)  # fmt: skip
            matter.ingress = self._shop.desk.enter_record(matter.ingress, matter.record)
        if not self._shop.executor.flights.begin(flight):
            return Again(SETTLE_S, "the load balancer is being written on behalf of another Ingress")
        return self._fly(matter, flight, parting)

    def _redirects(self, matter: Matter) -> bool:
        """Whether redirects that begin on our listeners are ours, because the Ingress asks for some or for none."""
        desired = translator.translate(self._shop.snapshots.snapshot(matter.ingress), self._shop.settings).desired
        return desired is not None and desired.redirects is not UNSET

    def _tell_notes(self, matter: Matter, plan: Plan) -> None:
        """Listeners of others that stay, and redirects of others that hold one of ours: looked for until they go."""
        for text in plan.notes:
            if text.startswith(LEFT):
                self._shop.events.emit(say(matter.ingress, "ListenersLeft", text, EventType.WARNING))
        ties = [text.removeprefix(TIED) for text in plan.notes if text.startswith(TIED)]
        if not ties:
            return
        text = f"{'; '.join(ties)}: remove it in the console, then the listeners go"
        self._farewells.failed(matter, "E4006", "RedirectInTheWay", text)
        if not plan:
            raise Unavailable(text)

    def _too_early(self, matter: Matter, observed: ObservedLoadBalancer, claim: Claim) -> Again | None:
        """What arrived after we had let go would stay, on a load balancer that is not ours."""
        if claim.disposal is not Disposal.DELETE_LOAD_BALANCER and _may_still_come(matter, observed, claim):
            wait = self._attempts.until_second_look(matter.owner)
            if wait > 0:
                self._shop.executor.observations.drop(observed.head.ref)
                return Again(wait, "what was sent may still be on its way: looking once more before letting go")
        early = self._shop.trusted_from - self._shop.monotonic()
        if early > 0 and claim.disposal is Disposal.RELEASE_LISTENERS:
            return Again(early, "a write of the leader before us may still be on its way: not letting go yet")
        return None

    def _claim(self, matter: Matter, observed: ObservedLoadBalancer) -> Claim:
        """Before an adoption has ended no listener is ours: the first one comes after it."""
        wanted, names = records.expected(matter.record), dict[ListenerKey, str]()
        if matter.record is None or matter.record.claim != "adopting":
            snapshot = self._shop.snapshots.snapshot(matter.ingress)
            desired = translator.translate(snapshot, self._shop.settings).desired
            listeners = desired.listeners if desired is not None else ()
            wanted |= frozenset(listener.key for listener in listeners)
            names = records.declared_names(listeners)
        evidence = matter.evidence(observed, refused=observed.head.ref in self._refused)
        return ledger.read(evidence, observed, wanted, names)

    def _is_deleted(self, matter: Matter, observed: ObservedLoadBalancer) -> bool:
        """Whether it goes as a whole; for what is given back, or left, what is remembered of it is not good enough."""
        return self._claim(matter, observed).disposal is Disposal.DELETE_LOAD_BALANCER

    def _check(self, matter: Matter, plan: Plan, observed: ObservedLoadBalancer, parting: Parting) -> None:
        exits = self._exits.count(matter.owner.ingress_uid) if parting is Parting.LEFT else 0
        circumstances = planner.Circumstances(
            deleting=parting is Parting.DELETED,
            ingress_changed=True,
            class_exits=exits,
            approved=matter.options.approve,
        )
        try:
            planner.guard(plan, None, observed, circumstances)
        except UnsafePlan as refusal:
            self._shop.telemetry.refused(matter.key, matter.ingress.key, refusal.reason, str(refusal))
            raise

    def _fly(self, matter: Matter, flight: Flight, parting: Parting) -> Outcome:
        ref = flight.ref
        self._shop.phases.enter(Stage.APPLY, ref.id if ref is not None else "")
        self._shop.executor.flights.work_on(flight, matter.key)
        if not self._shop.borders.ours(matter.ingress):
            self._shop.executor.abandon(flight)  # what was written down leads elsewhere: another goes on
            return Done()
        try:
            progress = self._shop.executor.advance(flight, matter.cloud, LettingGo(self._shop, matter, parting))
        except DeleteRisk as risk:
            if ref is None or ref in self._forced:
                raise
            # The Ingress is gone, that is its author's word: prove once more, then force.
            self._forced.add(ref)
            self._shop.events.emit(
                say(matter.ingress, "ForcingDeletion", f"{ref.id}: {risk}; deleted all the same", EventType.WARNING)
            )
            return Again(0.0, "the deletion is forced after the proof is read again")
        except Protected as refusal:
            if ref is None or ref in self._refused or not isinstance(flight.step, DeleteLoadBalancer):
                raise
            self._refused.add(ref)
            self._shop.events.emit(
                say(matter.ingress, "LoadBalancerKept", f"W1001: {ref.id} is kept: {refusal}", EventType.WARNING)
            )
            return Again(0.0, "the load balancer is kept: its listeners are released")
        match progress:
            case Waiting(after_s, reason):
                self._farewells.tell(matter, Readiness(False, "Deleting", reason))
                return Again(after_s, reason)
            case CreationFailed(message):
                return Again(LATER_S, message)
            case Finished(observed):
                if observed is not None:
                    self._shop.executor.observations.drop(observed.head.ref)
                    if any(isinstance(step, RemoveTags) for step in flight.plan.steps):
                        self._attempts.tagged(matter.owner)
                if any(isinstance(step, DeleteLoadBalancer) for step in flight.plan.steps):
                    self._attempts.deleted(matter.owner)
                return Again(0.0, "look whether it is gone")

    def let_go(self, matter: Matter, claim: Claim | None, reason: str, parting: Parting) -> Outcome:
        """Not ours, or not to be touched: said, and the Ingress is not held."""
        named = claim.load_balancer if claim is not None else (matter.record.lb if matter.record else "")
        self._shop.events.emit(
            say(
                matter.ingress,
                "LoadBalancerLeft",
                f"W1001: load balancer {named or '(none known)'} is left as it is: {reason}",
                EventType.WARNING,
            )
        )
        return self.released(matter, parting, ours=False)

    def released(self, matter: Matter, parting: Parting, *, ours: bool) -> Outcome:
        """Take our marks off the Ingress; what remains of the record is the attempt, for the next time."""
        self._shop.phases.enter(Stage.REPORT)
        self._shop.writable()
        finalizers = (FINALIZER, *(self._shop.tke_finalizers if ours else ()))
        record: Record | None = None
        if parting is not Parting.DELETED and matter.record is not None:
            record = Record(uid=matter.record.uid, cluster=matter.record.cluster, attempt=matter.record.attempt + 1)
        held_by = others(matter, finalizers)
        if held_by:
            self._shop.events.emit(say(matter.ingress, "FinalizersLeft", held_by, EventType.WARNING))
        if parting is Parting.DELETED:
            self._auto.drop(matter)
        self._shop.desk.release(matter.ingress, record, finalizers)
        self._attempts.forget(matter.owner)
        self._shop.telemetry.settled(matter.ingress, ready=False, deleting=True)
        self._shop.telemetry.left_out(matter.key, 0)
        return Done()


def _may_still_come(matter: Matter, observed: ObservedLoadBalancer, claim: Claim) -> bool:
    """Whether tags of an order or of an adoption may not show yet, or a listener whose creation was not answered."""
    word = matter.record.claim if matter.record is not None else ""
    if word == "adopting" and claim.ownership in {Ownership.TO_ADOPT, Ownership.UNCLAIMED}:
        return True
    if word in {"creating", "created"} and claim.ownership is Ownership.UNCLAIMED:
        return True
    return bool(records.expected(matter.record) - {listener.spec.key for listener in observed.listeners})


def _forced(plan: Plan) -> Plan:
    return replace(
        plan,
        steps=tuple(replace(step, force=True) if isinstance(step, DeleteLoadBalancer) else step for step in plan.steps),
    )


def others(matter: Matter, ours: tuple[str, ...]) -> str:
    """What still holds a deleting Ingress when we are done: left alone, but said. Empty: nothing does."""
    left = [name for name in matter.ingress.finalizers if name not in ours]
    if not (matter.ingress.deleting and left):
        return ""
    return f"l7lb is done with this Ingress; it is still held by the finalizers {', '.join(left)}"
