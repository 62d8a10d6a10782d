"""Which load balancer an Ingress has, and what is on it. Three looks before anything is created; "gone" only by its id.

Reads only. What the reads mean for us is the ledger's to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from l7lb import ledger
from l7lb.errors import NotFound, OwnershipConflict, Unavailable
from l7lb.model.cluster import Ingress
from l7lb.model.identity import CloudRef, LoadBalancerId, Owner
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedLoadBalancer
from l7lb.model.marks import LOAD_BALANCER_ID
from l7lb.model.ownership import Record
from l7lb.reconciler.observations import Observations, read
from l7lb.reconciler.ports import LoadBalancers, Snapshots, Telemetry


@dataclass(frozen=True, slots=True)
class Found:
    """It is there and was read, or is known since it was."""

    observed: ObservedLoadBalancer
    remembered: bool = False
    """It was not read just now: good for what is ours, not for taking or refusing what is not."""


@dataclass(frozen=True, slots=True)
class Creating:
    """It is there, but the cloud is not done with creating it."""

    ref: CloudRef


@dataclass(frozen=True, slots=True)
class Gone:
    """A call that named the id says that it does not exist."""

    ref: CloudRef


@dataclass(frozen=True, slots=True)
class Nothing:
    """No tag, record or annotation leads to a load balancer."""


Location = Found | Creating | Gone | Nothing


@dataclass(frozen=True, slots=True)
class Question:
    """Where to look for one Ingress."""

    ingress: Ingress
    record: Record | None
    named: str
    """`existLbId`, or empty."""
    region: str
    owner: Owner


class Locator:
    """Finds and reads load balancers, from memory where an observation is verified."""

    def __init__(self, observations: Observations, snapshots: Snapshots, telemetry: Telemetry) -> None:
        self._observations = observations
        self._snapshots = snapshots
        self._telemetry = telemetry

    def locate(self, question: Question, cloud: LoadBalancers) -> Location:
        """Record, then `existLbId`, then tags, then the id annotation."""
        record = question.record
        if record is not None and record.lb:
            return self.observe(CloudRef(record.region or question.region, LoadBalancerId(record.lb)), cloud)
        if question.named:
            self._refuse_a_second(question, cloud)
            return self.observe(CloudRef(question.region, LoadBalancerId(question.named)), cloud)
        heads = cloud.find(question.region, ledger.lookup(question.owner))
        if len(heads) > 1:
            ids = ", ".join(head.ref.id for head in heads)
            raise OwnershipConflict(
                f"load balancers {ids} all bear the tags of this Ingress and no record says which is meant; "
                f"take the tag {ledger.INGRESS_TAG} off the wrong ones or delete them",
                reason="AmbiguousLoadBalancer",
                code="E4017",
            )
        if heads:
            if (record is None or not record.claim) and not ledger.ingress_of(heads[0].tags):
                # What we have just given back is found for a while by the tags that it had.
                self._observations.drop(heads[0].ref)
                raise Unavailable(f"{heads[0].ref.id} is found by our tags and does not show them", retry_after_s=2.0)
            return self.observe(heads[0].ref, cloud, heads[0])
        return self._annotated(question, cloud)

    def observe(self, ref: CloudRef, cloud: LoadBalancers, head: LoadBalancerHead | None = None) -> Location:
        """From memory, else by two or three reads."""
        known = self._observations.get(ref)
        if known is None:
            return self.look(ref, cloud, head)
        self._telemetry.observed("cache")
        return Found(known, remembered=True)

    def look(self, ref: CloudRef, cloud: LoadBalancers, head: LoadBalancerHead | None = None) -> Location:
        """By two or three reads; what is remembered stays until they have all been answered."""
        self._telemetry.observed("api")
        head = head or cloud.heads((ref,)).get(ref)
        if head is None:
            return self._unlisted(ref, cloud)
        if not head.running:
            return Creating(ref)
        try:
            observed = read(cloud, head)
        except NotFound as absence:
            if absence.what != "load balancer":
                raise
            return Gone(ref)
        self._observations.keep(observed)
        return Found(observed)

    def _refuse_a_second(self, question: Question, cloud: LoadBalancers) -> None:
        """The id on the Ingress says that it has had another one. While that bears its tags, no second one is taken."""
        if question.ingress.annotations.get(LOAD_BALANCER_ID, question.named) == question.named:
            return
        heads = cloud.find(question.region, ledger.lookup(question.owner))
        others = ", ".join(head.ref.id for head in heads if head.ref.id != question.named)
        if others:
            raise OwnershipConflict(
                f"existLbId names {question.named}, while {others} bears the tags of this Ingress, and no record says "
                f"which is meant; take existLbId off, or the tag {ledger.INGRESS_TAG} off {others}",
                reason="AmbiguousLoadBalancer",
                code="E4017",
            )

    def _annotated(self, question: Question, cloud: LoadBalancers) -> Location:
        """The id that was written on the Ingress, by us or by TKE: a last look before creating."""
        text = question.ingress.annotations.get(LOAD_BALANCER_ID, "")
        if not text:
            return Nothing()
        location = self.observe(CloudRef(question.region, LoadBalancerId(text)), cloud)
        match location:
            case Gone():
                return Nothing()
            case Found(observed) if self._copied(observed.head.tags, question.owner):
                return Nothing()
            case _:
                return location

    def _copied(self, tags: Mapping[str, str], owner: Owner) -> bool:
        """The annotation came along with a copied manifest: the load balancer is that of another living Ingress."""
        uid = ledger.ingress_of(tags)
        return bool(uid) and uid != owner.ingress_uid and self._snapshots.living(uid)

    def _unlisted(self, ref: CloudRef, cloud: LoadBalancers) -> Location:
        probe = LoadBalancerHead(ref, name="", running=False)
        if is_gone(cloud, probe):
            self._observations.drop(ref)
            return Gone(ref)
        raise Unavailable(f"{ref.id} exists but is not listed yet", retry_after_s=2.0)


def is_gone(cloud: LoadBalancers, head: LoadBalancerHead) -> bool:
    """Whether a call that names the id says so."""
    try:
        cloud.listeners(head)
    except NotFound as absence:
        if absence.what != "load balancer":
            raise Unavailable(f"{head.ref.id}: it cannot be told whether it is gone: {absence}") from absence
        return True
    return False
