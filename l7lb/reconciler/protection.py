"""Modification protection: compared with what an Ingress declares, and said; nobody can switch it through the API.

The state takes a call of its own, so it is read once for each observation, and only where an annotation asks.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from l7lb.errors import Protected
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.maybe import UNSET, Unset
from l7lb.model.problems import Problem, Severity
from l7lb.model.snapshot import Switches
from l7lb.reconciler.passes import Matter, Workshop, problem

HOW: Final = "no public API call switches it: do it in the console of CLB"


class Protection:
    """Asks and tells."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop

    def compared(self, matter: Matter, observed: ObservedLoadBalancer) -> ObservedLoadBalancer:
        """The observation with the protection in it, if the Ingress declares one; a difference becomes a warning."""
        wanted = matter.options.modification_protection
        if isinstance(wanted, Unset):
            return observed
        if observed.head.modification_protection is UNSET:
            is_on = bool(matter.cloud.protected((observed.head.ref,)))
            observed = replace(observed, head=replace(observed.head, modification_protection=is_on))
            self._shop.executor.observations.keep(observed)
        if observed.head.modification_protection != wanted:
            state, switch = ("off", "on") if wanted else ("on", "off")
            text = f"modification protection of {observed.head.ref.id} is {state} and is to be switched {switch}: {HOW}"
            matter.problems.append(problem("", "NotSupported", text, severity=Severity.WARNING))
        return observed

    def not_given(self, matter: Matter, switches: Switches) -> None:
        """A new load balancer is to be protected by a switch of the cluster, and will not be: said once."""
        if switches.default_modification_protection and matter.options.modification_protection is UNSET:
            text = f"the cluster asks for modification protection of new load balancers; this one has none: {HOW}"
            matter.problems.append(problem("", "NotSupported", text, severity=Severity.WARNING))


def is_in_the_way(refused: Iterable[Problem]) -> bool:
    """Whether something was left out because of it."""
    return any(finding.reason == REASON for finding in refused)


def forbids(refusal: Protected) -> bool:
    """Whether it is modification protection, and not that against deletion."""
    return refusal.reason == REASON


REASON: Final = "ModificationProtected"
