"""How a member leaves its group: when nothing of its own is there any more, and nothing of it can still come."""

from typing import Final

from l7lb.model.outcome import Again
from l7lb.model.ownership import Claim
from l7lb.model.writing import EventType
from l7lb.reconciler import records
from l7lb.reconciler.attempts import Attempts
from l7lb.reconciler.conditions import Readiness
from l7lb.reconciler.disposing import Disposer
from l7lb.reconciler.drafting import Draft
from l7lb.reconciler.farewells import Farewells
from l7lb.reconciler.passes import Workshop, note, say
from l7lb.reconciler.seats import Seat
from l7lb.reconciler.shared_records import remains
from l7lb.reconciler.witnesses import Parting

LATER_S: Final = 30.0


class Partings:
    """Lets members go, one by one."""

    def __init__(self, shop: Workshop, disposer: Disposer) -> None:
        self._shop = shop
        self._disposer = disposer
        self._attempts = Attempts(shop.monotonic)
        self._farewells = Farewells(shop)

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
