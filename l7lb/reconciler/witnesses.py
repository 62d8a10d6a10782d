"""Who answers the executor while a plan is performed: for an Ingress that is kept, and for one that is let go."""

from dataclasses import replace
from enum import Enum

from l7lb import ledger
from l7lb.errors import Conflict, OwnershipConflict, UnauthorizedPlan, UnsafePlan
from l7lb.model.identity import CloudRef
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedLoadBalancer
from l7lb.model.marks import LOAD_BALANCER_ID
from l7lb.model.ownership import Disposal, Ownership
from l7lb.model.plan import DeleteLoadBalancer, Step
from l7lb.reconciler import records
from l7lb.reconciler.conditions import Readiness
from l7lb.reconciler.passes import Matter, Workshop, say
from l7lb.reconciler.proof import Proof


class Parting(Enum):
    """Why we let go."""

    DELETED = "deleted"
    """The Ingress is being deleted."""
    LEFT = "left"
    """It was edited out of our class, and stays in the cluster."""
    BACK = "back"
    """It does not name the load balancer any more that was about to be adopted, or came back in mid-release."""


class Keeping:
    """Answers the executor for one Ingress that is kept."""

    def __init__(self, shop: Workshop, matter: Matter) -> None:
        self._shop = shop
        self._matter = matter
        self._proof = Proof(shop)

    def created(self, ref: CloudRef) -> None:
        """The id goes into the record before the next write, so that a crash finds it again."""
        record = replace(
            self._matter.record or records.blank(self._matter),
            region=ref.region,
            lb=ref.id,
            claim=Ownership.CREATED.value,
        )
        self._matter.ingress = self._shop.desk.tell(
            self._matter.ingress,
            Readiness(False, "Creating", f"load balancer {ref.id} was created; its listeners follow"),
            record=record,
            published={LOAD_BALANCER_ID: ref.id},
        )
        self._matter.record = record
        self._shop.events.emit(say(self._matter.ingress, "CREATE", f"created load balancer {ref.id}"))

    def confirmed(self, head: LoadBalancerHead) -> bool:
        """Our cluster and our Ingress must be on it before anything else is written to it."""
        if ledger.is_ours(head.tags, self._matter.owner):
            return True
        if ledger.ingress_of(head.tags) not in ("", self._matter.owner.ingress_uid):
            raise OwnershipConflict(
                f"the order of a load balancer was answered with {head.ref.id}, which bears another Ingress's tags",
                reason="OwnershipConflict",
                code="E4017",
            )
        return False

    def prove(self, step: Step, observed: ObservedLoadBalancer) -> None:  # noqa: ARG002 - the protocol's shape
        """Tags are read again before listeners or rules are taken away."""
        self._proof.claim_now(self._matter, observed)

    def performed(self, step: Step) -> None:
        """Listeners of ours go into the record as they come (an adopted one knows them by it)."""
        self._shop.telemetry.performed(self._matter.key, step)


class LettingGo:
    """Answers the executor for one Ingress that is let go."""

    def __init__(self, shop: Workshop, matter: Matter, parting: Parting) -> None:
        self._shop = shop
        self._matter = matter
        self._parting = parting
        self._proof = Proof(shop)

    def created(self, ref: CloudRef) -> None:
        """An order that was on its way when the Ingress went: its id is written down, then it is disposed of."""
        record = self._matter.record
        if record is not None:
            record = replace(record, region=ref.region, lb=ref.id, claim=Ownership.CREATED.value)
            self._matter.ingress = self._shop.desk.enter_record(self._matter.ingress, record)
            self._matter.record = record

    def confirmed(self, head: LoadBalancerHead) -> bool:
        """As in converging: the tags must show."""
        return ledger.is_ours(head.tags, self._matter.owner)

    def prove(self, step: Step, observed: ObservedLoadBalancer) -> None:
        """Tags and protection by id; for a whole load balancer also the live Ingress."""
        claim = self._proof.claim_now(self._matter, observed)
        if isinstance(step, DeleteLoadBalancer):
            if self._parting is Parting.BACK or step.id != claim.load_balancer:
                raise UnauthorizedPlan(f"{step.id} is not what is to be deleted here ({self._parting})")
            if claim.disposal is not Disposal.DELETE_LOAD_BALANCER:
                raise Conflict(f"{claim.load_balancer} is not to be deleted any more: {claim.reason}")
            if self._parting is Parting.DELETED and not self._proof.is_leaving(self._matter):
                raise UnsafePlan("the Ingress is not being deleted any more", reason="NotLeaving")

    def performed(self, step: Step) -> None:
        """Counted."""
        self._shop.telemetry.performed(self._matter.key, step)
