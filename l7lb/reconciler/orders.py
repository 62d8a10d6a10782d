"""Orders of load balancers that the cloud has declined outright: nothing was bought, and the same again is no use.

Memory of one term. The same order is not placed again for a while; after an edit by its author it is another order,
while our own marks on the Ingress, which also come back as changes, do not make it one.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from l7lb import planner
from l7lb.errors import TerminalError
from l7lb.model.loadbalancer import DesiredLoadBalancer
from l7lb.model.marks import CONDITIONS, FINALIZER, IPV6, LOAD_BALANCER_ID, NAT_IPV6, RECORD
from l7lb.model.plan import CreateLoadBalancer, Plan
from l7lb.reconciler import records
from l7lb.reconciler.flights import Flight
from l7lb.reconciler.passes import Matter, Workshop

AGAIN_S: Final = 290.0
"""Less than the resync of the worker, which is what asks again for a quota or a right."""


class Orders:
    """What was declined, by Ingress."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._declined: dict[str, tuple[str, float, TerminalError]] = {}

    def declined(self, matter: Matter, flight: Flight, error: TerminalError) -> bool:
        """Keep it in mind when it was the order itself that was declined, not a question about one under way."""
        if not isinstance(flight.step, CreateLoadBalancer) or flight.task is not None:
            return False
        now = self._monotonic()
        with self._lock:
            # Those of Ingresses that have gone since nobody asks for any more.
            self._declined = {uid: one for uid, one in self._declined.items() if now - one[1] < AGAIN_S}
            # A copy has no traceback: that would hold all that the pass had in its hands.
            self._declined[matter.owner.ingress_uid] = (_order(matter, flight.plan), now, error.anew())
        return True

    def answer(self, matter: Matter, plan: Plan) -> TerminalError | None:
        """How the very same order was answered lately."""
        with self._lock:
            order, at, error = self._declined.get(matter.owner.ingress_uid, ("", 0.0, None))
            if error is not None and (order != _order(matter, plan) or self._monotonic() - at >= AGAIN_S):
                del self._declined[matter.owner.ingress_uid]
                return None
            return error.anew() if error is not None else None


def withdraw(shop: Workshop, matter: Matter) -> None:
    """The order was declined and none was placed before: a refused Ingress bears no mark of ours."""
    attempt = matter.record.attempt if matter.record is not None else 0
    matter.record = replace(records.blank(matter), attempt=attempt) if attempt else None
    shop.desk.release(matter.ingress, matter.record, (FINALIZER,))
    matter.ingress = shop.desk.newest(matter.ingress)


def servable(desired: DesiredLoadBalancer) -> bool:
    """Whether there is a rule of which it is known where its traffic goes."""
    return any(rule.targets_known for listener in desired.listeners for rule in listener.rules)


def _order(matter: Matter, plan: Plan) -> str:
    ingress = matter.ingress
    said = sorted(item for item in ingress.annotations.items() if item[0] not in _OUR_MARKS)
    return f"{planner.digest(Plan(plan.steps[:1]))} {ingress.metadata.generation} {said}"


_OUR_MARKS: Final = frozenset({CONDITIONS, IPV6, LOAD_BALANCER_ID, NAT_IPV6, RECORD})
