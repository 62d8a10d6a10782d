"""What `l7lb leave` says of load balancers, when no Ingress is held any more."""

import pytest

from l7lb.app.config import Config
from l7lb.app.uninstalling import stranded
from l7lb.errors import Unavailable
from l7lb.model.cluster import Object, ObjectMeta
from l7lb.model.marks import LOAD_BALANCER_ID
from tests.builders import head
from tests.unit.app.account import Account
from tests.unit.app.room import CLUSTER, REGION

TAGS = {"tke-createdBy-flag": "yes", "tke-clusterId": CLUSTER.id, "l7lb-cluster-uid": CLUSTER.uid}


class Metadata:
    """One Ingress, which names a load balancer."""

    def everyone(self) -> tuple[Object, ...]:
        meta = ObjectMeta(name="web", namespace="shop", uid="u-1", annotations={LOAD_BALANCER_ID: "lb-used"})
        return (Object(metadata=meta),)


def said(account: Account) -> str:
    return stranded(Config(CLUSTER.id, REGION), lambda: CLUSTER.uid, Metadata(), account)


def test_where_each_has_its_ingress_nothing_is_left_behind_and_where_was_looked_is_said() -> None:
    used = head("lb-used", TAGS | {"tke-lb-ingress-uuid": "u-1"})
    assert said(Account({"lb-used": used})) == (
        f", and no load balancer of the cluster is without one (looked in {REGION}): nothing is left behind"
    )


def test_one_whose_ingress_is_gone_is_named() -> None:
    orphan = head("lb-orphan", TAGS | {"tke-lb-ingress-uuid": "u-9"})
    told = said(Account({"lb-orphan": orphan}))
    assert told.startswith(f"; none has {REGION}/lb-orphan (looked in {REGION})")
    assert "nothing is left behind" not in told


def test_a_cloud_that_does_not_answer_is_no_word_for_it_that_nothing_is_left() -> None:
    def silent(_call: str) -> None:
        raise Unavailable("no usable answer")

    told = said(Account(trouble=silent))
    assert told == "; whether a load balancer is left without one could not be looked up: no usable answer"


@pytest.mark.parametrize("count", [10, 12])
def test_many_are_counted_and_not_all_named(count: int) -> None:
    orphans = {f"lb-{n:02}": head(f"lb-{n:02}", TAGS | {"tke-lb-ingress-uuid": "u-9"}) for n in range(count)}
    assert ("and 2 more" in said(Account(orphans))) is (count == 12)
