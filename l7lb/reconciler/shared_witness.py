"""Who answers the executor while a plan for a group is performed."""

from l7lb import ledger
from l7lb.errors import Conflict, Unavailable
from l7lb.model.identity import CloudRef
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedLoadBalancer
from l7lb.model.ownership import Ownership
from l7lb.model.plan import Plan, Step
from l7lb.reconciler.passes import Workshop
from l7lb.reconciler.seats import Meeting, evidence


class GroupWitness:
    """Answers for all members together."""

    def __init__(self, shop: Workshop, meeting: Meeting) -> None:
        self._shop = shop
        self._meeting = meeting

    def created(self, ref: CloudRef) -> None:
        """Never asked: what is shared was bought by its owner."""
        raise AssertionError(f"{ref} was created for a group")

    def confirmed(self, head: LoadBalancerHead) -> bool:
        """Likewise."""
        raise AssertionError(f"{head.ref} was created for a group")

    def prove(self, step: Step, observed: ObservedLoadBalancer) -> None:
        """The tags are read again before something is taken away, and the step is judged by them."""
        ref = observed.head.ref
        head = self._meeting.cloud.heads((ref,)).get(ref)
        if head is None:
            raise Unavailable(f"{ref.id} is not listed now")
        now = ObservedLoadBalancer(head, observed.listeners)
        claim = ledger.read_shared(evidence(self._meeting, now), now)
        if claim.ownership is not Ownership.SHARED:
            raise Conflict(f"{ref.id} is not shared by us any more: {claim.reason}")
        ledger.authorize(Plan((step,)), claim, now)

    def performed(self, step: Step) -> None:
        """Counted."""
        self._shop.telemetry.performed(self._meeting.key, step)
