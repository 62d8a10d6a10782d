"""What the author of an Ingress hears while its load balancer is disposed of."""

import logging

from l7lb.errors import GateClosed, L7lbError, LostLeadership, NotFound
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.ownership import Claim, Disposal
from l7lb.model.problems import Severity
from l7lb.model.writing import EventType
from l7lb.reconciler.conditions import Readiness
from l7lb.reconciler.passes import Matter, Workshop, note, problem, say

_logger = logging.getLogger(__name__)


class Farewells:
    """Events and the condition."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop

    def announce(self, matter: Matter, observed: ObservedLoadBalancer, claim: Claim) -> None:
        """Said before it is done: which one, where, by what proof."""
        head = observed.head
        where = ", ".join((*head.vips, head.hostname)).strip(", ")
        verb = {
            Disposal.DELETE_LOAD_BALANCER: f"deleting load balancer {head.ref.id} ({where})",
            Disposal.RELEASE_LISTENERS: f"releasing load balancer {head.ref.id} ({where})",
            Disposal.RELEASE_RULES: f"taking its rules off load balancer {head.ref.id} ({where})",
            Disposal.LEAVE: f"leaving load balancer {head.ref.id}",
        }[claim.disposal]
        self._shop.events.emit(say(matter.ingress, "Disposing", f"{verb}: {claim.reason}"))
        if claim.disposal is Disposal.DELETE_LOAD_BALANCER:
            others = [str(item.spec.key) for item in observed.listeners if item.spec.key not in claim.listeners]
            if others:
                text = f"{head.ref.id} is deleted together with listeners that are not ours: {', '.join(others)}"
                self._shop.events.emit(say(matter.ingress, "ForeignListenersDeleted", text, EventType.WARNING))

    def tell(self, matter: Matter, state: Readiness) -> None:
        """How far it is."""
        try:
            matter.ingress = self._shop.desk.tell(matter.ingress, state)
        except (LostLeadership, GateClosed, NotFound):
            raise
        except L7lbError as error:
            # A condition that cannot be written never holds a finalizer.
            _logger.warning("%s: the condition cannot be written: %s", matter.ingress.key, error)

    def failed(self, matter: Matter, code: str, reason: str, message: str) -> None:
        """What no retry cures."""
        finding = problem(code, reason, message, severity=Severity.ERROR)
        self._shop.events.emit(note(matter.ingress, finding))
        self.tell(matter, Readiness(False, reason, message))
        self._shop.telemetry.settled(matter.ingress, ready=False, deleting=True)
