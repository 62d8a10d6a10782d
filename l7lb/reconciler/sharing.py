"""The pass of a group: all its members together, one claim, one plan, one flight; each hears its own, nobody waits.

What goes wrong with one member is put down and raised at the end, when the others have had their turn.
"""

from dataclasses import replace
from typing import Final

from l7lb import ledger, translator
from l7lb.errors import DeleteRisk, L7lbError, Protected, Rejected, TerminalError, Unavailable
from l7lb.model.identity import CloudRef
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.outcome import Again, Done, Outcome
from l7lb.model.ownership import Claim, Ownership
from l7lb.model.phases import Stage
from l7lb.model.plan import AddTags, Plan, RemoveTags
from l7lb.model.problems import Severity
from l7lb.model.site import Site
from l7lb.reconciler.attempts import Attempts
from l7lb.reconciler.confirming import AGAIN_S as HELD_S
from l7lb.reconciler.confirming import HELD
from l7lb.reconciler.converging import LEFT_OUT, TIME_TELLS
from l7lb.reconciler.culprits import Blamed
from l7lb.reconciler.disposing import Disposer
from l7lb.reconciler.drafting import Draft, Drafter
from l7lb.reconciler.executor import CreationFailed, Finished, Waiting
from l7lb.reconciler.exits import Exits
from l7lb.reconciler.flights import Flight
from l7lb.reconciler.late_edits import never_given
from l7lb.reconciler.locating import Creating, Found, Gone, Nothing
from l7lb.reconciler.mixing import begun_outside
from l7lb.reconciler.parting import Partings
from l7lb.reconciler.passes import Workshop, problem
from l7lb.reconciler.protection import Protection
from l7lb.reconciler.recent import Recent
from l7lb.reconciler.refusals import AGAIN_S as LEFT_OUT_S
from l7lb.reconciler.refusals import Refusals
from l7lb.reconciler.replacing import refused_beforehand
from l7lb.reconciler.rivals import ABROAD_S
from l7lb.reconciler.seats import Meeting, evidence
from l7lb.reconciler.shared_records import announced, member
from l7lb.reconciler.shared_reporting import GroupReporter
from l7lb.reconciler.shared_witness import GroupWitness
from l7lb.reconciler.stability import Stability, is_unstable

SETTLE_S: Final = 2.0


class Sharing:
    """Brings one shared load balancer to what all members of its group ask for."""

    def __init__(self, shop: Workshop, disposer: Disposer, exits: Exits) -> None:
        self._shop = shop
        self._stability = Stability(shop.monotonic)
        self._refusals = Refusals(shop.monotonic)
        self._attempts = Attempts(shop.monotonic)
        self._drafter = Drafter(shop, self._stability, self._refusals, exits)
        self.reporter = GroupReporter(shop)
        """Also for those who are turned away before they are members."""
        self._partings = Partings(shop, disposer)
        self._protection = Protection(shop)
        self._sites: Recent[CloudRef, Site] = Recent()

    def run(self, meeting: Meeting) -> Outcome:
        """One pass. Raises what the cloud raises, after the members that it concerns have heard of it."""
        self._shop.phases.enter(Stage.TRANSLATE, meeting.ref.id)
        self._stand(meeting, self._sites.get(meeting.ref))
        try:
            outcome = self._run(meeting)
        except TerminalError as error:
            self.reporter.failed(meeting, error)
            if error.reason == HELD:
                return Again(HELD_S, str(error))
            if meeting.leaving and isinstance(error, Rejected | Protected | DeleteRisk):
                # What goes away is tried until it is gone, more and more slowly.
                raise Unavailable(str(error)) from error
            raise
        for uid in meeting.absent:
            self._shop.desk.forget(uid)
        for failure in meeting.failures:
            # What no retry cures has been told; it must not keep a wait from being kept.
            if isinstance(outcome, Done) or not isinstance(failure, TerminalError):
                raise failure
        return outcome

    def _run(self, meeting: Meeting) -> Outcome:
        flight = self._shop.executor.flights.of(meeting.key)
        meeting.print = meeting.fingerprint()
        if flight is not None:
            if flight.fingerprint != meeting.print or self._shop.executor.stale(flight):
                self._shop.executor.cut_short(flight)
            return self._fly(meeting, flight)
        self._shop.phases.enter(Stage.OBSERVE)
        location = self._shop.locator.observe(meeting.ref, meeting.cloud)
        if isinstance(location, Found) and location.remembered and not self._is_ours(meeting, location.observed):
            location = self._shop.locator.look(meeting.ref, meeting.cloud)
        match location:
            case Creating(ref):
                return Again(SETTLE_S, f"{ref.id} is still being created")
            case Gone() | Nothing():
                return self._gone(meeting)
            case Found(observed):
                self._sites[meeting.ref] = translator.site_of(observed.head, self._shop.settings)
                self._stand(meeting, self._sites[meeting.ref])
                meeting.print = meeting.fingerprint()
                return self._meet(meeting, self._compared(meeting, observed))

    def _stand(self, meeting: Meeting, site: Site | None) -> None:
        """What each member asks for depends on what the load balancer is like."""
        for seat in meeting.staying:
            seat.stand_at(site)
        self.reporter.listen(meeting)

    def _compared(self, meeting: Meeting, observed: ObservedLoadBalancer) -> ObservedLoadBalancer:
        for seat in meeting.staying:
            observed = self._protection.compared(seat.matter, observed)
            seat.matter.problems += never_given(seat.matter, observed)
        return observed

    def _is_ours(self, meeting: Meeting, observed: ObservedLoadBalancer) -> bool:
        """Whether what is remembered is good enough: to take it, to refuse it and to let it go it is looked at."""
        known = any(seat.member for seat in meeting.seats) and not meeting.leaving
        return known and ledger.read_shared(evidence(meeting, observed), observed).ownership is Ownership.SHARED

    def _meet(self, meeting: Meeting, observed: ObservedLoadBalancer) -> Outcome:
        self._shop.phases.enter(Stage.PLAN)
        while True:
            draft = self._drafter.draft(meeting, observed)
            if isinstance(draft, Claim):
                return self._denied(meeting, draft, observed)
            if fading := self._partings.fading(meeting, draft):
                return fading
            self._shop.telemetry.left_out(meeting.key, len(_left_out(draft)))
            stopped = list(self._drafter.unsafe(meeting, draft))
            for seat, refusal in stopped:
                self.reporter.stopped(meeting, seat, refusal)
            if stopped:
                continue
            if not draft.plan:
                return self._settle(meeting, draft)
            if outside := self._outside(meeting, draft):
                return outside
            if wait := self._tagging(meeting, draft.plan):
                return wait
            if locked := self._refusals.locked(meeting.ref):
                raise locked
            if why := refused_beforehand(draft.plan, meeting.ref, meeting.cloud, self._refusals):
                return Again(0.0, f"planned anew around what would be refused: {why}")
            draft = _confirmed(self._shop, meeting, draft)
            self.reporter.say(meeting, draft, self._drafter.pieces(meeting, draft))
            self._shop.phases.enter(Stage.APPLY)
            self._shop.writable()
            if self._announce(meeting, draft):
                return self._begin(meeting, draft)

    def _outside(self, meeting: Meeting, draft: Draft) -> Outcome | None:
        """Before the first write for the group: nobody outside of it may have begun."""
        if any(seat.member for seat in meeting.seats):
            return None
        other = begun_outside(self._shop, meeting.strangers, draft.claim.load_balancer)
        abroad = self._shop.borders.holder(draft.claim.load_balancer, self._shop.cluster)
        if other is None and abroad is None:
            return None
        for seat in meeting.staying:
            self.reporter.turn_away(seat.matter, f"Ingress {other.key if other is not None else abroad}")
        return Done() if abroad is None else Again(ABROAD_S, f"Ingress {abroad} uses it, or is letting it go")

    def _tagging(self, meeting: Meeting, plan: Plan) -> Again | None:
        if self._attempts.tagging(meeting.owner) and all(isinstance(step, RemoveTags) for step in plan.steps):
            self._shop.executor.observations.drop(meeting.ref)
            return Again(SETTLE_S, f"{meeting.ref.id} still shows our tags, which were taken off")
        return None

    def _announce(self, meeting: Meeting, draft: Draft) -> bool:
        """Finalizer and record of each member before the first write. Who cannot be written to gets nothing new."""
        complete = True
        for seat in meeting.staying:
            share = draft.shares[seat.uid]
            if seat.keeps or not (seat.member or share.rules or share.parts or share.listeners):
                continue
            base = member(seat.matter, draft.observed, self._shop.settings)
            record = announced(base, draft.observed, draft.claim, share, draft.plan)
            with meeting.apart(seat):
                seat.matter.ingress = self._shop.desk.enter(seat.matter.ingress, record, seat.matter.added)
                seat.matter.record, seat.matter.added = record, {}
            complete = complete and not seat.unsafe
        return complete

    def _begin(self, meeting: Meeting, draft: Draft) -> Outcome:
        ledger.authorize(draft.plan, draft.claim, draft.observed)
        self._drafter.swaps.planned(meeting.ref, draft.plan)
        flight = Flight(
            meeting.key, meeting.ref.region, draft.plan, meeting.print, draft.observed, self._shop.monotonic()
        )
        if not self._shop.executor.flights.begin(flight):
            return Again(SETTLE_S, "the load balancer is being written on behalf of another Ingress")
        return self._fly(meeting, flight)

    def _fly(self, meeting: Meeting, flight: Flight) -> Outcome:
        self._shop.phases.enter(Stage.APPLY)
        self._shop.executor.flights.work_on(flight, meeting.key)
        meeting.step = flight.step
        try:
            progress = self._shop.executor.advance(flight, meeting.cloud, GroupWitness(self._shop, meeting))
        except L7lbError as refusal:
            meeting.step = flight.step
            blamed = self._drafter.culprits.blame(flight.observed, flight.step, refusal)
            if not blamed and isinstance(refusal, Rejected | Protected):
                blamed = self._refusals.note(flight.ref, flight.step, refusal)
            if blamed and flight.step is not None:
                self._shop.telemetry.isolated(meeting.key, flight.step, found=blamed is Blamed.FOUND)
                return Again(0.0, f"planned anew around what was refused: {refusal}")
            if self._drafter.shortages.refused(flight, refusal, meeting.cloud):
                return Again(0.0, f"planned anew within what was refused: {refusal}")
            raise
        match progress:
            case Waiting(after_s, reason, _):
                return Again(after_s, reason)
            case CreationFailed(message):
                raise AssertionError(f"a shared load balancer is never ordered: {message}")
            case Finished():
                self._stability.ran(meeting.ref, flight.plan)
                if any(isinstance(step, RemoveTags) for step in flight.plan.steps):
                    self._partings.untagged[meeting.ref] = self._shop.monotonic()
                if any(isinstance(step, AddTags | RemoveTags) for step in flight.plan.steps):
                    # Tags are believed when they are read back, not when they were written.
                    self._attempts.tagged(meeting.owner)
                    self._shop.executor.observations.drop(meeting.ref)
                return Again(0.0, "plan finished: look once more")

    def _settle(self, meeting: Meeting, draft: Draft) -> Outcome:
        """Nothing is left to do: what is there is written down, and who was to leave is let go."""
        self._shop.phases.enter(Stage.REPORT)
        if unseen := self._partings.unseen(meeting):
            return unseen
        waits = []
        for seat in meeting.staying:
            with meeting.apart(seat):
                self.reporter.settled(seat, draft)
            if seat.translation is not None and seat.translation.again_s is not None:
                waits.append(Again(seat.translation.again_s, TIME_TELLS))
        for seat in meeting.leaving:
            with meeting.apart(seat):
                wait = self._partings.let_go(seat, draft)
                waits += [wait] if wait is not None else []
        self._attempts.forget(meeting.owner)
        if draft.wait_s is not None:
            waits.append(Again(draft.wait_s, draft.why))
        if again := self._drafter.shortages.again(meeting.ref):
            waits.append(again)
        if draft.blocked:
            waits.append(Again(LEFT_OUT_S, LEFT_OUT))
        return min(waits, key=lambda wait: wait.after_s) if waits else Done()

    def _denied(self, meeting: Meeting, claim: Claim, observed: ObservedLoadBalancer) -> Outcome:
        """Not ours to touch: said with its code to all; who was to leave leaves."""
        self._shop.phases.enter(Stage.REPORT)
        for seat in meeting.staying:
            with meeting.apart(seat):
                self.reporter.denied(meeting, seat, claim, observed)
        for seat in meeting.leaving:
            with meeting.apart(seat):
                self._partings.leave_it(seat, claim)
        # Its owner may change it at any time, and we follow nothing there: the next pass looks anew.
        self._shop.executor.observations.drop(meeting.ref)
        return Done()

    def _gone(self, meeting: Meeting) -> Outcome:
        """It is gone by its id. What was lent is never replaced by one that costs money."""
        for seat in meeting.staying:
            with meeting.apart(seat):
                self.reporter.gone(meeting, seat)
        for seat in meeting.leaving:
            with meeting.apart(seat):
                self._partings.release(seat)
        return Done()


def _confirmed(shop: Workshop, meeting: Meeting, draft: Draft) -> Draft:
    """Without what may not be taken away while this cluster may be a copy; all members hear of it."""
    plan, doubt = shop.confirmation.sift(draft.plan, draft.observed, draft.claim, meeting.cloud)
    if not doubt:
        return draft
    finding = problem("", HELD, doubt, severity=Severity.WARNING)
    return replace(draft, plan=plan, told={uid: (*told, finding) for uid, told in draft.told.items()})


def _left_out(draft: Draft) -> set[str]:
    """Fields that do not keep what is written, each once although several members hear of it."""
    return {finding.message for told in draft.told.values() for finding in told if is_unstable(finding)}
