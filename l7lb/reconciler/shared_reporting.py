"""What the members of a group hear: each its own Events, condition and status, and nothing of what is another's."""

from collections.abc import Iterable, Mapping

from l7lb import ledger, planner
from l7lb.errors import TerminalError, UnsafePlan
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.ownership import Claim
from l7lb.model.plan import Plan
from l7lb.model.sharing import Share
from l7lb.reconciler import drift
from l7lb.reconciler.drafting import Draft
from l7lb.reconciler.farewells import Farewells
from l7lb.reconciler.late_edits import LateEdits
from l7lb.reconciler.mixing import MIXED
from l7lb.reconciler.passes import Matter, Workshop, note, problem
from l7lb.reconciler.records import asked
from l7lb.reconciler.reporting import Reporter, reason_of
from l7lb.reconciler.seats import Meeting, Seat, extent
from l7lb.reconciler.shared_records import member, reached

_KEPT_APART = "Ingresses with and without enable-group never use one load balancer; name another one"


class GroupReporter:
    """Says how each member stands."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop
        self._reporter = Reporter(shop)
        self._farewells = Farewells(shop)
        self._late = LateEdits(shop.settings)

    def listen(self, meeting: Meeting) -> None:
        """What each member hears whatever becomes of the rest."""
        for seat in meeting.staying:
            translation = seat.translation
            if translation is None:
                continue
            seat.matter.problems = [*translation.problems, *self._late.of(seat.matter)]
            if translation.refusal is not None and translation.refusal not in seat.matter.problems:
                seat.matter.problems.insert(0, translation.refusal)

    def turn_away(self, matter: Matter, other: str) -> None:
        """One that may not use the load balancer because of those who have it."""
        named = matter.options.exist_lb_id
        text = f"Ingress {matter.ingress.key}: load balancer {named} is used by {other}: {_KEPT_APART}"
        matter.problems.append(problem(MIXED, reason_of(MIXED, "LoadBalancerMixed"), text))
        self._reporter.report(matter, None)

    def stopped(self, meeting: Meeting, seat: Seat, refusal: UnsafePlan) -> None:
        """The guard has stopped its part of the plan: it keeps what it has."""
        seat.unsafe, seat.parting = True, None
        seat.matter.problems.append(problem(refusal.code, refusal.reason, str(refusal)))
        self._shop.telemetry.refused(meeting.key, seat.matter.ingress.key, refusal.reason, str(refusal))
        meeting.failures.append(refusal)

    def say(self, meeting: Meeting, draft: Draft, pieces: Iterable[tuple[Seat, Plan]]) -> None:
        """Said before it is done: what is removed or left out now need not be in the notes of the next plan."""
        for seat, piece in pieces:
            self._shop.telemetry.planned(meeting.key, seat.matter.ingress.key, piece)
            if not _is_edited(seat):
                drift.tell(self._shop, meeting.key, seat.matter.ingress, meeting.ref, piece)
        for seat in meeting.staying:
            for finding in (*seat.matter.problems, *draft.told.get(seat.uid, ())):
                self._shop.events.emit(note(seat.matter.ingress, finding))
        for seat in meeting.leaving:
            self._farewells.announce(seat.matter, draft.observed, draft.claim)

    def settled(self, seat: Seat, draft: Draft) -> None:
        """Its record as it is now, then Events, conditions, id and status."""
        matter, share, translation = seat.matter, draft.shares[seat.uid], seat.translation
        if seat.keeps:
            self._kept(seat, draft)
            return
        matter.problems += draft.told.get(seat.uid, ())
        served = bool(share.rules)
        if seat.member or served or share.parts or share.listeners:
            desired = translation.desired if translation is not None else None
            base = member(matter, draft.observed, self._shop.settings)
            # What is tried again later is still the author's edit (the guard).
            if seat.uid not in draft.unfinished:
                base = asked(base, matter.ingress, planner.shape_digest(desired) if desired is not None else "")
            record = reached(base, draft, share)
            matter.ingress = self._shop.desk.enter(matter.ingress, record, matter.added)
            matter.record, matter.added = record, {}
        self._reporter.report(matter, draft.observed if served else None)

    def _kept(self, seat: Seat, draft: Draft) -> None:
        """It keeps what it has: neither its record nor its status says anything else."""
        if seat.member and seat.matter.record is not None:
            # Somebody may have taken our finalizer off.
            seat.matter.ingress = self._shop.desk.enter(seat.matter.ingress, seat.matter.record)
        if seat.translation is None:
            return
        seat.matter.problems += draft.told.get(seat.uid, ())
        self._reporter.report(seat.matter, draft.observed if seat.member and not seat.refused else None)

    def denied(self, meeting: Meeting, seat: Seat, claim: Claim, observed: ObservedLoadBalancer) -> None:
        """Not ours to touch; whose it is decides about the code."""
        tagged = ledger.ingress_of(observed.head.tags)
        other = next((stranger for stranger in meeting.strangers if stranger.metadata.uid == tagged), None)
        if other is not None:
            self.turn_away(seat.matter, f"Ingress {other.key}")
            return
        reason = reason_of(claim.code, "OwnershipConflict")
        seat.matter.problems.append(problem(claim.code, reason, f"{claim.load_balancer}: {claim.reason}"))
        self._reporter.report(seat.matter, None)

    def gone(self, meeting: Meeting, seat: Seat) -> None:
        """A lent load balancer that does not exist."""
        text = f"load balancer {meeting.ref.id} does not exist in region {meeting.ref.region}: correct existLbId"
        seat.matter.problems.append(problem("E4018", "LoadBalancerNotFound", text))
        self._reporter.report(seat.matter, None)

    def failed(self, meeting: Meeting, error: TerminalError) -> None:
        """An error that no retry cures: for those whose part it is, and for all when it is nobody's."""
        extents = {seat.uid: extent(seat) for seat in meeting.seats}
        concerned = _concerned(meeting, extents)
        for seat in meeting.seats:
            if seat.uid not in concerned:
                continue
            with meeting.apart(seat):
                if seat.parting is None:
                    self._reporter.failed(seat.matter, error)
                else:
                    self._farewells.failed(seat.matter, error.code, error.reason, str(error))


def _is_edited(seat: Seat) -> bool:
    """Whether it comes, goes, or asks for something else than it was last given."""
    desired = seat.translation.desired if seat.translation is not None else None
    record = seat.matter.record if seat.member and seat.parting is None else None
    return record is None or desired is None or record.desired != planner.shape_digest(desired)


def _concerned(meeting: Meeting, extents: Mapping[str, Share]) -> frozenset[str]:
    if meeting.step is None:
        return frozenset(extents)
    plan = Plan((meeting.step,))
    found = {uid for uid, share in extents.items() if planner.part(plan, planner.Extent(share.rules, share.listeners))}
    return frozenset(found or extents)
