"""Deletes one orphan: by a plan of its own, through the same executor and the same lock as every other write.

Directly before the call all that speaks for it is read again: the load balancer by its id, and all Ingresses. What the
cloud refuses is left; nothing is ever forced here, since nobody has said that it may go.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from l7lb import ledger
from l7lb.errors import Conflict, Unavailable
from l7lb.model.identity import BindingKey, CloudRef, Cluster
from l7lb.model.inventory import Census, Sighting, Warrant
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedLoadBalancer
from l7lb.model.plan import DeleteLoadBalancer, Plan, Step
from l7lb.reconciler.executor import Executor, Finished, Waiting
from l7lb.reconciler.flights import Flight
from l7lb.reconciler.locating import is_gone
from l7lb.reconciler.observations import read
from l7lb.reconciler.ports import LoadBalancers

SETTLE_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Tools:
    """What a collection works with."""

    cluster: Cluster
    cloud: LoadBalancers
    executor: Executor
    census: Callable[[], Census]
    """Reads all Ingresses of the cluster now, whole and at the newest version, or raises."""
    inhabited: Callable[[frozenset[str]], frozenset[str] | None]
    """Of these addresses those of this cluster's nodes and pods; None while that is unknown."""
    monotonic: Callable[[], float]
    wall: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Gone:
    """It does not exist any more, as a call that names it says."""


class Collection:
    """One orphan on its way out. `begin` once, then `advance` until it is Gone; any error ends it."""

    def __init__(self, tools: Tools, ref: CloudRef, sighting: Sighting, collected: tuple[float, ...]) -> None:
        self.ref = ref
        self._tools = tools
        self._cloud = tools.cloud.at(Lane.VERIFY)
        self._sighting = sighting
        self._collected = collected
        self._warrant: Warrant | None = None
        self._flight: Flight | None = None
        self._deleted = False

    def prepare(self) -> Plan:
        """Read what speaks for it, and make the plan. Raises Conflict when something speaks against it."""
        warrant = self._read()
        observed = read(self._cloud, warrant.head)
        step = DeleteLoadBalancer(self.ref.id, proof=ledger.proof(warrant))
        plan = Plan((step,), tuple(f"goes with it: {item.spec.key}" for item in observed.listeners))
        ledger.authorize_collection(plan, warrant, observed)
        self._warrant = warrant
        key = BindingKey(f"orphan/{self.ref}")
        self._flight = Flight(key, self.ref.region, plan, "collect", observed, self._tools.monotonic())
        return plan

    @property
    def proof(self) -> str:
        """In words."""
        assert self._warrant is not None, "prepare comes first"
        return ledger.proof(self._warrant)

    @property
    def head(self) -> LoadBalancerHead:
        """As it was read."""
        assert self._warrant is not None, "prepare comes first"
        return self._warrant.head

    def advance(self) -> Waiting | Gone:
        """As far as it goes without waiting. Raises what the cloud raises."""
        assert self._flight is not None, "prepare comes first"
        executor = self._tools.executor
        if not self._deleted:
            if executor.flights.of(self._flight.key) is None and not executor.flights.begin(self._flight):
                return Waiting(SETTLE_S, f"{self.ref} is being written on behalf of an Ingress")
            progress = executor.advance(self._flight, self._cloud, self)
            if not isinstance(progress, Finished):
                return progress if isinstance(progress, Waiting) else Waiting(SETTLE_S, progress.message)
            self._deleted = True
        if not is_gone(self._cloud, self.head):
            return Waiting(SETTLE_S, f"{self.ref} is still there after its deletion")
        return Gone()

    def give_up(self) -> None:
        """Free what it holds; what was sent is found by observing."""
        if self._flight is not None:
            self._tools.executor.abandon(self._flight)

    def created(self, ref: CloudRef) -> None:
        """Nothing is created here."""
        raise AssertionError(f"{ref} was created while an orphan was collected")

    def confirmed(self, head: LoadBalancerHead) -> bool:
        """Nothing is created here."""
        raise AssertionError(f"{head.ref} was created while an orphan was collected")

    def prove(self, step: Step, observed: ObservedLoadBalancer) -> None:
        """List and tags once more; `step` must be what was allowed."""
        assert self._warrant is not None, "prepare comes first"
        fresh = self._read()
        ledger.authorize_collection(
            Plan((step,)), replace(self._warrant, head=fresh.head, census=fresh.census), observed
        )

    def performed(self, step: Step) -> None:
        """Whoever advances it hears by the answer."""

    def _read(self) -> Warrant:
        """Raises Conflict when something objects, Unavailable when it cannot be told."""
        tools = self._tools
        head = self._cloud.heads((self.ref,)).get(self.ref)
        if head is None:
            raise Unavailable(f"{self.ref} is not listed now")
        warrant = Warrant(tools.cluster, head, tools.census(), self._sighting, self._collected, tools.wall())
        if why := ledger.objection(warrant):
            raise Conflict(f"{self.ref}: {why}")
        self._refuse_a_strangers()
        return warrant

    def _refuse_a_strangers(self) -> None:
        """What the original of a copied cluster has made since has all tags of ours, and serves its machines."""
        found = self._cloud.health((self.ref,))
        bound = [target for targets in found.values() for target in targets]
        inhabited = self._tools.inhabited(frozenset(target.key.address for target in bound))
        if inhabited is None:
            raise Unavailable("nodes or pods of this cluster are not known yet: no orphan is deleted")
        if strangers := ledger.liken(self.ref, bound, inhabited).strangers:
            raise Conflict(
                f"{self.ref}: it serves {strangers} living targets that are no nodes or pods of this cluster"
            )
