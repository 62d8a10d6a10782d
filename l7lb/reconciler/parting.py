"""How a member leaves its group: when nothing of its own is there any more, and nothing of it can still come."""

from typing import Final

from l7lb.model.identity import CloudRef
from l7lb.model.outcome import Again
from l7lb.model.ownership import Claim
from l7lb.model.writing import EventType
from l7lb.reconciler import records
from l7lb.reconciler.attempts import LOOKS_APART_S, Attempts
from l7lb.reconciler.conditions import Readiness
from l7lb.reconciler.disposing import Disposer
from l7lb.reconciler.drafting import Draft
from l7lb.reconciler.farewells import Farewells
from l7lb.reconciler.passes import Workshop, note, say
from l7lb.reconciler.seats import Meeting, Seat
from l7lb.reconciler.shared_records import remains
from l7lb.reconciler.witnesses import Parting

LATER_S: Final = 30.0
SETTLE_S: Final = 2.0


class Partings:
    """Lets members go, one by one."""

    def __init__(self, shop: Workshop, disposer: Disposer) -> None:
        self._shop = shop
        self._disposer = disposer
        self._attempts = Attempts(shop.monotonic)
        self._farewells = Farewells(shop)
        self.untagged: dict[CloudRef, float] = {}
        """When we took our tags off, where nobody has come since."""

    def fading(self, meeting: Meeting, draft: Draft) -> Again | None:
        """Who comes while a tag still shows that was taken off would do without one: it is waited for."""
        at = self.untagged.get(meeting.ref)
        if at is None or not meeting.staying or draft.claim.missing_tags:
            return None
        if self._shop.monotonic() - at > LOOKS_APART_S:
            return None
        self._shop.executor.observations.drop(meeting.ref)
        return Again(SETTLE_S, f"{meeting.ref.id} still shows our tag, which was taken off: used when it does not")

    def unseen(self, meeting: Meeting) -> Again | None:
        """The last one goes and our tag was not there to be taken off: it may have been written and not show yet.

        Who only means to join leaves no trace when it goes again: it would not come back for the tag.
        """
        if any(seat.member and seat.uid not in meeting.absent for seat in meeting.staying):
            self.untagged.pop(meeting.ref, None)
            return None
        if meeting.ref in self.untagged or not any(seat.member for seat in meeting.leaving):
            return None
        if self._attempts.until_second_look(meeting.owner) <= 0:
            self._attempts.forget(meeting.owner)
            return None
        self._shop.executor.observations.drop(meeting.ref)
        return Again(SETTLE_S, f"{meeting.ref.id} does not show our tag: it may still come, and would be left there")

    def let_go(self, seat: Seat, draft: Draft) -> Again | None:
        """Nothing is left to be taken off. None: it is released."""
        record = seat.matter.record if seat.member else None
        if record is not None and (left := remains(record, draft)):
            reason = f"{draft.claim.load_balancer}: what this Ingress has there cannot be taken off: {', '.join(left)}"
            for finding in draft.told.get(seat.uid, ()):
                self._shop.events.emit(note(seat.matter.ingress, finding))
            self._farewells.tell(seat.matter, Readiness(False, "Deleting", reason))
            return Again(LATER_S, reason)
        there = {item.spec.key for item in draft.observed.listeners}
        if records.expected(record) - there:
            wait = self._attempts.until_second_look(seat.matter.owner)
            if wait > 0:
                self._shop.executor.observations.drop(draft.observed.head.ref)
                return Again(wait, "what was sent may still be on its way: looking once more before letting go")
        early = self._shop.trusted_from - self._shop.monotonic()
        if early > 0:
            return Again(early, "a write of the leader before us may still be on its way: not letting go yet")
        if record is None:
            text = (
                f"W1002: {draft.claim.load_balancer}: no record says what this Ingress had there: nothing is taken off"
            )
            self._shop.events.emit(say(seat.matter.ingress, "LoadBalancerLeft", text, EventType.WARNING))
        self.release(seat)
        return None

    def release(self, seat: Seat) -> None:
        """Take our marks off."""
        self._attempts.forget(seat.matter.owner)
        self._disposer.released(seat.matter, seat.parting or Parting.DELETED, ours=True)

    def leave_it(self, seat: Seat, claim: Claim) -> None:
        """The load balancer is not ours to touch: said, and the Ingress is not held."""
        self._disposer.let_go(seat.matter, claim, claim.reason, seat.parting or Parting.DELETED)
