"""The pass of an Ingress that is to be served: locate, claim, plan, check, perform, write back."""

from dataclasses import replace
from functools import partial
from typing import Final

from l7lb import ledger, planner, translator
from l7lb.errors import L7lbError, Protected, Rejected, TerminalError
from l7lb.model.identity import CloudRef
from l7lb.model.loadbalancer import DesiredLoadBalancer, ObservedLoadBalancer
from l7lb.model.marks import FINALIZER
from l7lb.model.outcome import Again, Done, Outcome
from l7lb.model.ownership import Claim, Ownership, Record, Stamp
from l7lb.model.phases import Stage
from l7lb.model.plan import AddTags, CreateRules, Plan
from l7lb.model.problems import Held, Severity
from l7lb.model.snapshot import Translation
from l7lb.model.writing import EventType
from l7lb.reconciler import blaming, departing, draining, drift, protection, records, strays
from l7lb.reconciler.attempts import Attempts
from l7lb.reconciler.autoconfig import AutoConfig
from l7lb.reconciler.confirming import AGAIN_S as HELD_S
from l7lb.reconciler.confirming import HELD
from l7lb.reconciler.culprits import Blamed, Culprits
from l7lb.reconciler.executor import CreationFailed, Finished, Waiting
from l7lb.reconciler.flights import Flight
from l7lb.reconciler.guarding import guarded
from l7lb.reconciler.holding_on import hold_on
from l7lb.reconciler.late_edits import LateEdits, never_given
from l7lb.reconciler.locating import Creating, Found, Gone, Nothing
from l7lb.reconciler.orders import Orders, servable, withdraw
from l7lb.reconciler.passes import Matter, Workshop, enter, fingerprint_of, note, problem, say
from l7lb.reconciler.protection import Protection
from l7lb.reconciler.refusals import AGAIN_S as LEFT_OUT_S
from l7lb.reconciler.refusals import Refusals, withheld
from l7lb.reconciler.replacing import refused_beforehand
from l7lb.reconciler.reporting import SKIPPED, Reporter, noted, reason_of
from l7lb.reconciler.rivals import Rivals
from l7lb.reconciler.shaping import Scene, shaped
from l7lb.reconciler.shortages import Shortages, check_order
from l7lb.reconciler.stability import Stability
from l7lb.reconciler.swaps import Swaps
from l7lb.reconciler.witnesses import Keeping

SETTLE_S: Final = 2.0
LEFT_OUT: Final = "modification protection is on: what it forbids is tried again later"
CREATE_THROTTLED: Final = "E4000"
TIME_TELLS: Final = "a node that is NotReady, or a Service that is gone, is looked at again"


class Converger:
    """Brings one Ingress's load balancer to what it asks for."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop
        self._stability = Stability(shop.monotonic)
        self._refusals = Refusals(shop.monotonic)
        self._protection = Protection(shop)
        self._orders = Orders(shop.monotonic)
        self._attempts = Attempts(shop.monotonic)
        self._reporter = Reporter(shop)
        self._rivals = Rivals(shop)
        self._late = LateEdits(shop.settings)
        self._auto = AutoConfig(shop)
        self._swaps = Swaps(shop.monotonic)
        self._culprits = Culprits(shop.monotonic)
        self._shortages = Shortages(shop.monotonic)

    def run(self, matter: Matter) -> Outcome:
        """One pass. Raises what the cloud and the API server raise, after the object has heard of it."""
        try:
            return self._run(matter)
        except TerminalError as error:
            self._reporter.failed(matter, error)
            if error.reason == HELD:
                return Again(HELD_S, str(error))
            raise

    def _run(self, matter: Matter) -> Outcome:
        if matter.record is not None and matter.record.claim and FINALIZER not in matter.ingress.finalizers:
            # Somebody took it off: without it a deletion would leave behind what the record leads to.
            matter.ingress = self._shop.desk.enter(matter.ingress, matter.record)
        self._shop.phases.enter(Stage.TRANSLATE)
        settings = self._shop.settings_in(matter.region, matter.cloud)
        snapshot = self._shop.snapshots.snapshot(matter.ingress)
        translation = translator.translate(replace(snapshot, site=matter.site or snapshot.site), settings)
        matter.problems += [*translation.problems, *self._late.of(matter)]
        if translation.refusal is not None or translation.desired is None:
            return self._refused(matter, translation)
        fingerprint = fingerprint_of(translation, matter)
        flight = self._shop.executor.flights.of(matter.flight)
        if flight is None:
            outcome = self._plan(matter, translation, translation.desired, fingerprint)
            if (told_s := translation.again_s) is None or (isinstance(outcome, Again) and outcome.after_s <= told_s):
                return outcome
            return Again(told_s, TIME_TELLS)
        if flight.fingerprint != fingerprint or self._shop.executor.stale(flight):
            self._shop.executor.cut_short(flight)
        return self._fly(matter, flight)

    def _refused(self, matter: Matter, translation: Translation) -> Outcome:
        """The whole Ingress is refused: what it had stays as it is."""
        refusal = translation.refusal
        if refusal is not None and refusal not in matter.problems:
            matter.problems.insert(0, refusal)
        flight = self._shop.executor.flights.of(matter.flight)
        if flight is not None:
            self._shop.executor.cut_short(flight)
            return self._fly(matter, flight)
        hold_on(self._shop, matter)
        return self._reporter.report(matter, None)

    def _plan(
        self, matter: Matter, translation: Translation, desired: DesiredLoadBalancer, fingerprint: str
    ) -> Outcome:
        self._shop.phases.enter(Stage.OBSERVE)
        location = self._shop.locator.locate(matter.question(), matter.cloud)
        if (
            isinstance(location, Found)
            and location.remembered
            and _claim(matter, desired, location.observed).ownership not in _HELD
        ):
            location = self._shop.locator.look(location.observed.head.ref, matter.cloud)
        match location:
            case Creating(ref):
                return Again(SETTLE_S, f"{ref.id} is still being created")
            case Gone(ref):
                return self._lost(matter, ref)
            case Nothing():
                return self._create(matter, translation, desired, fingerprint)
            case Found(observed):
                site = translator.site_of(observed.head, self._shop.settings)
                if site != translation.site:  # it is not what its annotations made one expect: read them anew
                    matter.site, matter.problems = site, []
                    return self._run(matter)
                self._shop.phases.enter(Stage.PLAN, observed.head.ref.id)
                return self._existing(matter, translation, desired, fingerprint, observed)

    def _existing(
        self,
        matter: Matter,
        translation: Translation,
        desired: DesiredLoadBalancer,
        fingerprint: str,
        observed: ObservedLoadBalancer,
    ) -> Outcome:
        claim = _claim(matter, desired, observed)
        if claim.ownership is Ownership.UNCLAIMED and self._is_fresh(matter):
            self._shop.executor.observations.drop(observed.head.ref)
            return Again(SETTLE_S, f"{observed.head.ref.id} does not show the tags of our order yet")
        if claim.code or claim.untouched or claim.ownership in _NOT_TOUCHED:
            return self._denied(matter, claim, observed)
        if rival := self._rivals.of(matter, claim):
            text = f"{observed.head.ref.id}: Ingress {rival.key} uses it, or is letting it go"
            matter.problems.append(problem(rival.code, reason_of(rival.code, ""), text))
            reported = self._reporter.report(matter, None)
            return reported if rival.again_s is None else Again(rival.again_s, text)
        if claim.ownership is Ownership.TO_ADOPT:
            if translation.create_refusal is not None:
                return self._reporter.report(matter, None)
            if self._attempts.tagging(matter.owner):
                self._shop.executor.observations.drop(observed.head.ref)
                return Again(SETTLE_S, f"{observed.head.ref.id} does not show our tags yet")
        observed = self._protection.compared(matter, observed)
        matter.problems += never_given(matter, observed)
        claim = replace(claim, strangers=records.strangers(matter.record, desired, observed, claim, translation.held))
        vacant = partial(self._shop.snapshots.vacant, matter.ingress)
        desired = draining.asked(desired, observed, matter.cloud.health)
        desired = departing.told(desired, observed, vacant) if matter.options.direct else desired
        limits = self._shortages.limits(observed.head.ref, matter.cloud)
        announced = _told(self._shop, matter, desired, observed, translation.held)
        settled = self._refusals.settle(announced, observed, translation.held).with_twins(observed)
        shape = shaped(settled, Scene(observed, claim, limits, matter.cloud, vacant), self._culprits, self._swaps)
        matter.problems += blaming.problems(shape.left_out, partial(self._shop.snapshots.snapshot, matter.ingress))
        stable, unstable = self._stability.filter(observed.head.ref, settled.spare(shape.plan))
        self._shop.telemetry.left_out(matter.key, len(unstable))
        allowed, refused = self._refusals.filter(observed.head.ref, stable)
        plan = guarded(self._shop, matter, allowed, desired, announced, observed)
        edited = matter.record is not None and matter.record.desired != planner.shape_digest(desired)
        matter.problems += [*unstable, *settled.problems, *refused, *noted(plan, edited=edited)]
        matter.problems += self._shortages.met(observed.head.ref, matter.problems)
        if not plan:
            waiting = settled.waiting or withheld(stable, plan)
            reached = self._reached(matter, desired, observed, claim, waiting=waiting)
            if shape.wait_s is not None and isinstance(reached, Done):
                return Again(shape.wait_s, shape.why)
            waits = Again(LEFT_OUT_S, LEFT_OUT) if protection.is_in_the_way(refused) else reached
            return self._shortages.again(observed.head.ref) or waits
        if locked := self._refusals.locked(observed.head.ref):
            raise locked
        if why := refused_beforehand(plan, observed.head.ref, matter.cloud, self._refusals):
            return Again(0.0, f"planned anew around what would be refused: {why}")
        plan = self._check(matter, plan, observed, claim)
        if not edited:
            drift.tell(self._shop, matter.key, matter.ingress, observed.head.ref, plan)
        record = records.announced(records.reached(matter, observed, claim, self._shop.settings), plan)
        flight = Flight(matter.flight, observed.head.ref.region, plan, fingerprint, observed, self._shop.monotonic())
        return self._begin(matter, flight, record)

    def _create(
        self, matter: Matter, translation: Translation, desired: DesiredLoadBalancer, fingerprint: str
    ) -> Outcome:
        self._shop.phases.enter(Stage.PLAN)
        if translation.create_refusal is not None or not (self._shop.buys_blind or servable(desired)):
            # Nothing is bought while nothing could be served.
            return self._reporter.report(matter, None)
        if matter.options.skip:
            # What is bought now would be left behind at its end.
            text = "mode: skip: no load balancer is made while it is set; take it off, or name one in existLbId"
            matter.problems.append(problem("", "Skipped", text, severity=Severity.WARNING))
            return self._reporter.report(matter, None)
        record = matter.record or records.blank(matter)
        if record.claim == "failed":
            wait = self._attempts.until_second_look(matter.owner)
            if wait > 0:
                return Again(wait, "the order of a load balancer failed: looking by tag once more before the next one")
            record = replace(record, attempt=record.attempt + 1)
        attempt = record.attempt
        stamp = Stamp(ledger.stamp(matter.owner), ledger.client_token(matter.owner, attempt))
        claim = ledger.to_create(matter.owner)
        region = record.region if record.claim == "creating" and record.region else matter.asked_region
        limits = self._shop.settings_in(region, matter.cloud).limits
        plan = planner.converge(desired, None, claim, translation.held, limits, stamp)
        matter.problems += noted(plan)
        if not any(isinstance(step, CreateRules) for step in plan.steps):
            return self._reporter.report(matter, None)  # what was asked for is held: still nothing to be served
        if answer := self._orders.answer(matter, plan):
            raise answer
        if record.claim != "creating":  # else it may be one of those that are counted
            check_order(desired.create, region, matter.cloud)
        self._protection.not_given(matter, self._shop.snapshots.switches())
        ledger.authorize(plan, claim, None)
        flight = Flight(matter.flight, region, plan, fingerprint, None, self._shop.monotonic())
        flight.first_order = record.claim not in ("creating", "failed")
        record = replace(records.blank(matter), region=region, claim="creating", attempt=attempt)
        record = replace(record, marks=translator.creation_marks(matter.ingress))
        record = records.announced(record, plan)
        self._attempts.forget(matter.owner)
        return self._begin(matter, flight, record)

    def _lost(self, matter: Matter, ref: CloudRef) -> Outcome:
        """A load balancer that we had is gone by its id: one of ours is made anew, a lent one never."""
        named, record = matter.options.exist_lb_id, matter.record
        lent = record is not None and record.claim == "adopted"
        if named == ref.id or (lent and not named):
            cure = "correct the id, or create it there" if named else "name another one, or delete the Ingress"
            text = (
                f"load balancer {ref.id}, which was lent by {_LENT_BY}, does not exist in region {ref.region}: {cure}"
            )
            matter.problems.append(problem("E4018", "LoadBalancerNotFound", text))
            return self._reporter.report(matter, None)
        attempt = record.attempt + 1 if record is not None else 1
        claim = "" if named else "creating"
        if not named:
            text = f"load balancer {_address(matter, ref)} no longer exists; a new one is created, with another address"
            self._shop.events.emit(say(matter.ingress, "LoadBalancerGone", text, EventType.WARNING))
        # Without its id all looks are taken again: the record may be older than what bears our tags.
        matter.record = replace(records.blank(matter), region=ref.region, claim=claim, attempt=attempt)
        matter.ingress = self._shop.desk.enter(matter.ingress, matter.record)
        return Again(0.0, f"{ref.id} is gone: looking for another one")

    def _is_fresh(self, matter: Matter) -> bool:
        """Whether its order may have been so lately that its tags do not show yet."""
        record = matter.record
        # What has been as it should be once has shown its tags.
        ordered = record is not None and record.claim in ("creating", "created") and not record.desired
        return ordered and self._attempts.until_second_look(matter.owner) > 0

    def _denied(self, matter: Matter, claim: Claim, observed: ObservedLoadBalancer) -> Outcome:
        """Not ours to touch: said with its code; no finalizer, record or status for one never claimed."""
        if claim.untouched:
            matter.problems.append(
                problem("", "Skipped", f"{claim.load_balancer}: {claim.reason}", severity=Severity.WARNING)
            )
            return self._reporter.report(matter, observed, SKIPPED)
        matter.problems.append(
            problem(claim.code, reason_of(claim.code, "OwnershipConflict"), f"{claim.load_balancer}: {claim.reason}")
        )
        # Its owner may change it at any time, and we follow nothing there: the next pass looks anew.
        self._shop.executor.observations.drop(observed.head.ref)
        return self._reporter.report(matter, None)

    def _check(self, matter: Matter, plan: Plan, observed: ObservedLoadBalancer, claim: Claim) -> Plan:
        """What of the plan may run."""
        plan, doubt = self._shop.confirmation.sift(plan, observed, claim, matter.cloud)
        matter.problems += [problem("", HELD, doubt, severity=Severity.WARNING)] if doubt else []
        ledger.authorize(plan, claim, observed)
        self._swaps.planned(observed.head.ref, plan)
        return plan

    def _begin(self, matter: Matter, flight: Flight, record: Record) -> Outcome:
        self._shop.telemetry.planned(matter.key, matter.ingress.key, flight.plan)
        # Said before it is done: what is removed or left out now need not be in the notes of the next plan.
        for finding in matter.problems:
            self._shop.events.emit(note(matter.ingress, finding))
        self._shop.phases.enter(Stage.APPLY)
        self._shop.writable()
        if not self._shop.executor.flights.begin(flight):
            return Again(SETTLE_S, "the load balancer is being written on behalf of another Ingress")
        try:
            enter(self._shop, matter, record)
        except BaseException:
            self._shop.executor.abandon(flight)
            raise
        return self._fly(matter, flight)

    def _fly(self, matter: Matter, flight: Flight) -> Outcome:
        self._shop.phases.enter(Stage.APPLY, flight.ref.id if flight.ref is not None else "")
        self._shop.executor.flights.work_on(flight, matter.key)
        if not self._shop.borders.ours(matter.ingress):
            # What was written down just now leads elsewhere: not one write more, another goes on from here.
            self._shop.executor.abandon(flight)
            return Done()
        witness = Keeping(self._shop, matter)
        try:
            progress = self._shop.executor.advance(flight, matter.cloud, witness)
        except L7lbError as refusal:
            blamed = self._culprits.blame(flight.observed, flight.step, refusal)
            if not blamed and isinstance(refusal, Rejected | Protected):
                blamed = self._refusals.note(flight.ref, flight.step, refusal)
            if blamed and flight.step is not None:
                self._shop.telemetry.isolated(matter.key, flight.step, found=blamed is Blamed.FOUND)
                return Again(0.0, f"planned anew around what was refused: {refusal}")
            if not isinstance(refusal, TerminalError):
                raise
            if self._shortages.refused(flight, refusal, matter.cloud):
                return Again(0.0, f"planned anew within what was refused: {refusal}")
            if self._orders.declined(matter, flight, refusal) and flight.first_order:
                withdraw(self._shop, matter)
            raise
        match progress:
            case Waiting(after_s, reason, code):
                if code == CREATE_THROTTLED:
                    text = "the cloud makes no more load balancers for a moment; it is tried again at once"
                    self._shop.events.emit(note(matter.ingress, problem("E4000", "CreateThrottled", text)))
                return Again(after_s, reason)
            case CreationFailed(message):
                return self._order_failed(matter, message)
            case Finished(observed):
                if observed is not None:
                    self._stability.ran(observed.head.ref, flight.plan)
                    if any(isinstance(step, AddTags) for step in flight.plan.steps):
                        # Tags are believed when they are read back, not when they were written.
                        self._attempts.tagged(matter.owner)
                        self._shop.executor.observations.drop(observed.head.ref)
                # The next pass sees what is now there and, as a rule, has nothing left to do.
                return Again(0.0, "plan finished: look once more")

    def _order_failed(self, matter: Matter, message: str) -> Outcome:
        """A used-up token: two looks by tag 60 s apart must find nothing before the next attempt (promise 3)."""
        matter.problems.append(problem("E4024", "CreationFailed", message))
        self._attempts.forget(matter.owner)
        self._reporter.report(matter, None)
        record = matter.record or records.blank(matter)
        matter.ingress = self._shop.desk.enter(matter.ingress, replace(record, claim="failed"))
        return Again(60.0, "the order of a load balancer failed: looking by tag before the next one")

    def _reached(
        self,
        matter: Matter,
        desired: DesiredLoadBalancer,
        observed: ObservedLoadBalancer,
        claim: Claim,
        *,
        waiting: bool,
    ) -> Outcome:
        """`waiting`: not all of it came, so that what is tried again later is still the author's edit (the guard)."""
        record = records.reached(matter, observed, claim, self._shop.settings)
        if not waiting:
            record = records.asked(record, matter.ingress, planner.shape_digest(desired))
        self._shop.phases.enter(Stage.REPORT)
        enter(self._shop, matter, record)
        self._attempts.forget(matter.owner)
        self._auto.keep(matter, desired, observed, claim)
        return self._reporter.report(matter, observed)


def _told(
    shop: Workshop, matter: Matter, desired: DesiredLoadBalancer, observed: ObservedLoadBalancer, held: Held
) -> DesiredLoadBalancer:
    """Under the names that were announced, and with what is known of targets that lead nowhere."""
    vacant = partial(shop.snapshots.vacant, matter.ingress)
    taken = partial(shop.snapshots.taken, matter.ingress)
    return strays.told(records.as_announced(desired, matter.record, observed), observed, held, vacant, taken)


def _claim(matter: Matter, desired: DesiredLoadBalancer, observed: ObservedLoadBalancer) -> Claim:
    wanted = frozenset(listener.key for listener in desired.listeners) | records.expected(matter.record)
    return ledger.read(matter.evidence(observed), observed, wanted, records.declared_names(desired.listeners))


def _address(matter: Matter, ref: CloudRef) -> str:
    """`lb-1 (203.0.113.10)`: what the Ingress showed of it."""
    shown = ", ".join(one.ip or one.hostname or "" for one in matter.ingress.addresses)
    return f"{ref.id} ({shown})" if shown else str(ref.id)


_LENT_BY = "the annotation kubernetes.io/ingress.existLbId"
_HELD = frozenset({Ownership.CREATED, Ownership.KEPT, Ownership.ADOPTED})
_NOT_TOUCHED = frozenset({Ownership.FOREIGN, Ownership.UNCLAIMED, Ownership.SHARED})
