"""What the author of an Ingress hears at the end of a pass that serves it: Events, conditions, id and status."""

from typing import Final

from l7lb.errors import TerminalError
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.outcome import Done, Outcome
from l7lb.model.phases import Stage
from l7lb.model.plan import Plan
from l7lb.model.problems import Problem, Severity
from l7lb.reconciler.conditions import READY, Readiness, readiness
from l7lb.reconciler.passes import Matter, Workshop, note, problem, say
from l7lb.reconciler.writeback import NONE_ADDED, published


class Reporter:
    """Says how an Ingress stands."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop

    def report(self, matter: Matter, observed: ObservedLoadBalancer | None, reached: Readiness = READY) -> Outcome:
        """Events, conditions, id and status. A refused Ingress without a load balancer keeps an empty status.

        `reached`: what may be said when nothing is wrong.
        """
        self._shop.phases.enter(Stage.REPORT)
        state = readiness(tuple(matter.problems), reached if observed is not None else _NOT_YET)
        for finding in matter.problems:
            self._shop.events.emit(note(matter.ingress, finding))
        had = bool(matter.ingress.addresses)
        lb = observed.head.ref.id if observed is not None else None
        if observed is not None:
            # Before the condition: who waits for Ready=True wants to find the address.
            matter.ingress = self._shop.desk.address(matter.ingress, observed.head)
        shown = published(observed.head) if observed is not None else NONE_ADDED
        matter.ingress = self._shop.desk.tell(matter.ingress, state, published=shown)
        if state.ready and not had and observed is not None and reached is READY:
            self._shop.events.emit(say(matter.ingress, "EnsuredIngress", f"load balancer {lb} is as the Ingress asks"))
        self._shop.telemetry.settled(matter.ingress, state.ready, deleting=False)
        return Done()

    def failed(self, matter: Matter, error: TerminalError) -> None:
        """An error that no retry cures."""
        self._shop.phases.enter(Stage.REPORT)
        matter.problems.append(problem(error.code, error.reason, str(error)))
        state = readiness(tuple(matter.problems))
        for finding in matter.problems:
            self._shop.events.emit(note(matter.ingress, finding))
        matter.ingress = self._shop.desk.tell(matter.ingress, state)
        self._shop.telemetry.settled(matter.ingress, ready=False, deleting=False)


def noted(plan: Plan, *, edited: bool = False) -> list[Problem]:
    """What the planner saw, as problems with its code. `edited`: what nobody wants any more is no drift."""
    found = []
    for text in plan.notes:
        word, _, rest = text.partition(": ")
        if edited and word == DRIFT:
            continue
        known = word in _REASONS
        found.append(
            Problem(
                code=word if known and word not in _WORDS else "",
                reason=reason_of(word, "Noted"),
                message=rest if known else text,
                severity=Severity.ERROR if word in _LEFT_OUT else Severity.WARNING,
            )
        )
    return found


def reason_of(code: str, otherwise: str) -> str:
    """The Event's reason for TKE's code."""
    return _REASONS.get(code, otherwise)


SKIPPED = Readiness(True, "Skipped", "the load balancer is neither compared nor changed")
_NOT_YET = Readiness(False, "NotServed", "nothing of this Ingress can be served yet")
DRIFT: Final = "drift"
UNFIT: Final = "unfit"
_WORDS = frozenset({DRIFT, UNFIT})
"""What a note may begin with instead of a code."""
_REASONS = {
    DRIFT: "Drift",
    UNFIT: "InvalidServiceConfig",
    "E4017": "OwnershipConflict",
    "E4018": "LoadBalancerNotFound",
    "E4019": "LoadBalancerMadeByTke",
    "E4020": "LoadBalancerUsedByIngress",
    "E4030": "ClassicLoadBalancer",
    "E4101": "ListenerConflict",
    "E4406": "LoadBalancerMixed",
    "E4006": "RedirectInTheWay",
    "E4004": "ListenersExhausted",
    "E4005": "RulesExhausted",
    "E4040": "CertificateMissing",
    "E4054": "TargetsExhausted",
    "W1002": "ListenersLeft",
}
_LEFT_OUT = frozenset({"E4004", "E4005", "E4040", "E4101", UNFIT})
"""A part that is asked for is not served."""
