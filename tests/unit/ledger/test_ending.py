"""What may go with a whole cluster, and what the operator's word does not reach."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from l7lb import ledger, planner
from l7lb.errors import UnauthorizedPlan
from l7lb.model.ending import Ending, Fate, Order
from l7lb.model.identity import Cluster, LoadBalancerId
from l7lb.model.loadbalancer import LoadBalancerHead
from l7lb.model.ownership import Evidence, Record
from l7lb.model.plan import DeleteLoadBalancer, Plan, RemoveTags
from tests.builders import CLUSTER, LB, LENT_TAGS, OUR_TAGS, head, listener, observed

ALIVE = Order(CLUSTER, typed="cls-1", alive=True)
ALONE = replace(ALIVE, alive=False)
NO_IDENTITY = {key: value for key, value in OUR_TAGS.items() if key != "l7lb-cluster-uid"}
RECORD = Record(uid="uid-1", cluster="cls-1", region="ap-guangzhou", lb=LB, claim="created")


def living(record: Record | None = RECORD, *, retain: bool = False, skip: bool = False) -> dict[str, Evidence]:
    return {"uid-1": Evidence(CLUSTER, "uid-1", {}, record, LoadBalancerId(""), retain=retain, skip=skip)}


def fate(order: Order, found: LoadBalancerHead, those: Mapping[str, Evidence] | None = None) -> Fate:
    (ending,) = ledger.endings(order, (found,), those or {})
    return ending.fate


@pytest.mark.parametrize("order", [ALIVE, ALONE], ids=["alive", "alone"])
@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(head(tags=OUR_TAGS), Fate.DELETE, id="made by this very cluster"),
        pytest.param(head(tags=NO_IDENTITY), Fate.LEFT, id="made by TKE"),
        pytest.param(head(tags=LENT_TAGS), Fate.LEFT, id="lent"),
        pytest.param(head(tags={"tke-clusterId": "cls-1"}), Fate.LEFT, id="shared"),
        pytest.param(head(tags={**OUR_TAGS, "tke-clusterId": "cls-2"}), Fate.KEPT, id="of another cluster"),
        pytest.param(head(tags={**OUR_TAGS, "tke-lb-serviceuuid": "s"}), Fate.KEPT, id="a Service's"),
        pytest.param(head(tags={**OUR_TAGS, "tke-lb-serviceId": "s"}), Fate.KEPT, id="a Service's by its other tag"),
        pytest.param(head(tags={**OUR_TAGS, "uuid_lbl-1": "s"}), Fate.KEPT, id="a Service's in the old form"),
        pytest.param(head(tags={**OUR_TAGS, "tke-lifecycle-owner": "user"}), Fate.KEPT, id="the user's"),
        pytest.param(replace(head(tags=OUR_TAGS), delete_protection=True), Fate.KEPT, id="protected"),
        pytest.param(replace(head(tags=OUR_TAGS), private_link=True), Fate.KEPT, id="behind PrivateLink"),
        pytest.param(head(tags={**OUR_TAGS, "tke-lb-ingress-uuid": ""}), Fate.KEPT, id="made for nobody"),
        pytest.param(head(tags={}), Fate.KEPT, id="without tags"),
    ],
)
def test_what_becomes_of_one_without_its_ingress(order: Order, found: LoadBalancerHead, expected: Fate) -> None:
    assert fate(order, found) is expected


@pytest.mark.parametrize(
    ("found", "those", "expected"),
    [
        pytest.param(head(tags=OUR_TAGS), living(), Fate.DELETE, id="made"),
        pytest.param(head(tags=NO_IDENTITY), living(), Fate.DELETE, id="made by TKE for an Ingress of this cluster"),
        pytest.param(head(tags=OUR_TAGS), living(retain=True), Fate.KEPT, id="to be retained"),
        pytest.param(head(tags=OUR_TAGS), living(skip=True), Fate.KEPT, id="mode: skip"),
        pytest.param(head(tags=LENT_TAGS), living(), Fate.RELEASE, id="lent"),
        pytest.param(head(tags=LENT_TAGS), living(None), Fate.LEFT, id="lent, and no record says to what"),
        pytest.param(head(tags=NO_IDENTITY), living(replace(RECORD, lb="lb-2")), Fate.LEFT, id="another one is meant"),
        pytest.param(head(tags={**OUR_TAGS, "l7lb-cluster-uid": "x"}), living(), Fate.KEPT, id="of a twin"),
        pytest.param(head(tags={**OUR_TAGS, "tke-lb-serviceuuid": "s"}), living(), Fate.KEPT, id="a Service's"),
    ],
)
def test_what_becomes_of_one_whose_ingress_lives(
    found: LoadBalancerHead, those: dict[str, Evidence], expected: Fate
) -> None:
    assert fate(ALIVE, found, those) is expected


def test_two_of_one_ingress_are_left_unless_its_record_names_one() -> None:
    both = (head(tags=OUR_TAGS), head("lb-2", tags=OUR_TAGS))
    assert [one.fate for one in ledger.endings(ALONE, both, {})] == [Fate.LEFT, Fate.LEFT]
    assert [one.fate for one in ledger.endings(ALIVE, both, living())] == [Fate.DELETE, Fate.LEFT]


def test_without_a_cluster_two_identities_forbid_everything() -> None:
    both = (head(tags=OUR_TAGS), head("lb-2", tags={**OUR_TAGS, "tke-lb-ingress-uuid": "u", "l7lb-cluster-uid": "x"}))
    for uid in (CLUSTER.uid, "x"):
        order = replace(ALONE, cluster=Cluster(CLUSTER.id, uid))
        assert ledger.forbids(order, both)
        assert all(one.fate is not Fate.DELETE for one in ledger.endings(order, both, {}))
    assert not ledger.forbids(ALIVE, both)
    assert ledger.forbids(replace(ALIVE, cluster=Cluster(CLUSTER.id)), ())


def ending(of: Fate = Fate.DELETE, tags: Mapping[str, str] = OUR_TAGS, evidence: Evidence | None = None) -> Ending:
    return Ending(head(tags=tags), of, "because", evidence)


DELETE = Plan((DeleteLoadBalancer(LB, "the operator said so"),))


@pytest.mark.parametrize(
    ("order", "tags", "plan"),
    [
        pytest.param(replace(ALIVE, typed=""), OUR_TAGS, DELETE, id="nothing was typed"),
        pytest.param(replace(ALIVE, typed="cls-2"), OUR_TAGS, DELETE, id="another id was typed"),
        pytest.param(replace(ALIVE, cluster=Cluster("cls-1")), OUR_TAGS, DELETE, id="no identity is known"),
        pytest.param(ALIVE, {**OUR_TAGS, "tke-lb-serviceuuid": "s"}, DELETE, id="a Service uses it now"),
        pytest.param(ALIVE, {**OUR_TAGS, "tke-lifecycle-owner": "user"}, DELETE, id="its user keeps it now"),
        pytest.param(ALIVE, NO_IDENTITY, DELETE, id="its identity is gone"),
        pytest.param(ALONE, {**OUR_TAGS, "l7lb-cluster-uid": "x"}, DELETE, id="it is a twin's"),
        pytest.param(ALIVE, OUR_TAGS, Plan((DeleteLoadBalancer(LoadBalancerId("lb-2"), "x"),)), id="another one"),
        pytest.param(ALIVE, OUR_TAGS, Plan((DeleteLoadBalancer(LB, ""),)), id="without a proof"),
        pytest.param(ALIVE, OUR_TAGS, Plan((RemoveTags(("tke-clusterId",)),)), id="tags of one that goes as a whole"),
    ],
)
def test_what_the_word_does_not_reach_is_refused(order: Order, tags: Mapping[str, str], plan: Plan) -> None:
    with pytest.raises(UnauthorizedPlan):
        ledger.authorize_ending(plan, order, ending(), observed(listener("HTTP:80"), on=head(tags=tags)))


@pytest.mark.parametrize("order", [ALIVE, ALONE], ids=["alive", "alone"])
def test_what_the_word_reaches_passes(order: Order) -> None:
    there = observed(listener("HTTP:80"), on=head(tags=OUR_TAGS))
    claim = ledger.end(order, ending(), there)
    plan = planner.teardown(there, claim, claim.disposal)
    ledger.authorize_ending(plan, order, ending(), there)
    assert plan.steps == (DeleteLoadBalancer(LB, proof=claim.reason),)
    assert "the operator has typed cls-1" in claim.reason


def test_of_a_lent_one_only_recorded_listeners_go() -> None:
    record = replace(RECORD, claim="adopted", listeners={"HTTP:80": ("lbl-HTTP:80", "TKE-DEDICATED-LISTENER")})
    there = observed(listener("HTTP:80"), listener("HTTP:81"), on=head(tags=LENT_TAGS))
    (mine,) = (item for item in there.listeners if item.spec.key.port == 80)
    record = replace(record, listeners={"HTTP:80": (mine.id, str(mine.spec.name))})
    (found,) = ledger.endings(ALIVE, (there.head,), living(record))
    claim = ledger.end(ALIVE, found, there)
    assert (found.fate, {str(key) for key in claim.listeners}) == (Fate.RELEASE, {"HTTP:80"})
    ledger.authorize_ending(planner.teardown(there, claim, claim.disposal), ALIVE, found, there)
