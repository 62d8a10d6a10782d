"""`l7lb audit` on a simulated cluster: each thing that can be wrong is found, and nothing else."""

import json
from collections.abc import Callable
from dataclasses import replace

import click
import pytest

from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.listwatch import KubeListWatch
from l7lb.app.audit_words import audit_json, audit_text
from l7lb.app.auditing import Audit, Place, audit
from l7lb.app.releasing import listed
from l7lb.errors import L7lbError, Unavailable
from l7lb.model.cluster import Ingress
from l7lb.model.identity import ObjectKey
from l7lb.model.inventory import Memory, Sighting
from l7lb.model.watch import Quarantined
from tests.simulation import manifests
from tests.simulation.cluster import FINALIZER, RECORD
from tests.simulation.test_orphans import served, vanish
from tests.simulation.world import World

LENT = "lb-lent0001"
BORROWED = {"kubernetes.io/ingress.existLbId": LENT}


def place(world: World) -> Place:
    if world.process is None:
        world.start()
    process = world.live()
    assert process.term is not None
    stage = process.term._stage
    listing: KubeListWatch[Ingress] = KubeListWatch(process._transport, kinds.INGRESS)
    return Place(
        cluster=stage.cluster,
        home=stage.settings.region,
        more_regions=(),
        ingresses=listed(listing).items,
        live=stage.ingresses,
        cloud=stage.cloud,
        now=world.clock.time(),
        sleep=world.clock.advance,
    )


def told(found: Audit) -> dict[str, str]:
    """What somebody should look at: object -> what it is."""
    lbs = {one.entry.head.ref.id: one.entry.use.value for one in found.load_balancers if one.is_finding}
    return lbs | {str(word.ingress): word.kind for word in found.words}


@pytest.fixture
def world() -> World:
    return World()


def test_a_cluster_that_is_at_rest_is_clean(world: World) -> None:
    world.account.lend(LENT)
    world.users.create(manifests.ingress("lent", annotations=BORROWED))
    served(world, "shop", "blog")
    before = world.account.writes()
    found = audit(place(world))
    assert told(found) == {}
    assert (found.findings, found.finalizers, found.deleting) == (0, 3, 0)
    assert {str(key) for one in found.load_balancers for key in one.ingresses} == {
        "shop/shop",
        "shop/blog",
        "shop/lent",
    }
    assert world.account.writes() == before


def _orphan(world: World) -> dict[str, str]:
    lb = world.users.ingress().record["lb"]
    vanish(world)
    return {lb: "orphan"}


def _unproven(world: World) -> dict[str, str]:
    lb = world.users.ingress().record["lb"]
    world.account.edit("set_tags", lb, remove=["l7lb-cluster-uid"])
    vanish(world)
    return {lb: "unproven orphan"}


def _foreign(world: World) -> dict[str, str]:
    lb = world.users.ingress().record["lb"]
    world.account.edit("set_tags", lb, set={"l7lb-cluster-uid": "another"})
    return {lb: "foreign", "shop/shop": "not ours"}


def _taken_away(world: World) -> dict[str, str]:
    lb = world.users.ingress().record["lb"]
    world.account.edit("set_tags", lb, set={"tke-clusterId": "cls-another"})
    return {"shop/shop": "not ours"}


def _gone(world: World) -> dict[str, str]:
    world.account.edit("delete_load_balancer", world.users.ingress().record["lb"])
    return {"shop/shop": "gone"}


def _duplicate(world: World) -> dict[str, str]:
    tags = dict(world.account.emulator.world.load_balancers[world.users.ingress().record["lb"]].tags)
    world.account.seed(load_balancers=[{"id": "lb-double01", "tags": tags}])
    return {"lb-double01": "duplicate"}


def _for_nobody(world: World) -> dict[str, str]:
    tags = {"tke-createdBy-flag": "yes", "tke-clusterId": world.around.cluster.id}
    world.account.seed(load_balancers=[{"id": "lb-nobodys1", "tags": tags}])
    return {"lb-nobodys1": "unclaimed"}


def _restored(world: World) -> dict[str, str]:
    lb = world.users.ingress().record["lb"]
    annotations = world.users.ingress().annotations
    vanish(world)
    world.users.create(manifests.ingress("shop", annotations=annotations))
    return {lb: "named"}


def _left_behind(world: World) -> dict[str, str]:
    world.account.lend(LENT)
    world.users.create(manifests.ingress("lent", annotations=BORROWED))
    world.settle()
    vanish(world, "lent")
    return {LENT: "left behind"}


def _stuck(world: World) -> dict[str, str]:
    world.crash()
    world.users.delete()
    world.clock.advance(600)
    return {"shop/shop": "deleting"}


def _bare(world: World) -> dict[str, str]:
    world.crash()
    world.users.create(manifests.ingress("bare"))
    world.users.patch({"metadata": {"finalizers": [FINALIZER]}}, "bare")
    return {"shop/bare": "no load balancer"}


def _half(world: World) -> dict[str, str]:
    world.crash()
    record = {**world.users.ingress().record, "claim": "releasing"}
    world.users.annotate({RECORD: json.dumps(record)})
    return {"shop/shop": "half-made"}


def _stray_listener(world: World) -> dict[str, str]:
    world.account.lend(LENT)
    world.users.create(manifests.ingress("lent", annotations=BORROWED))
    world.settle()
    world.crash()
    record = {**world.users.ingress("lent").record, "listeners": {}}
    world.users.annotate({RECORD: json.dumps(record)}, "lent")
    return {LENT: "used"}


WRONGS: dict[str, Callable[[World], dict[str, str]]] = {
    "its Ingress is gone": _orphan,
    "its Ingress is gone, and TKE made it": _unproven,
    "it bears another identity": _foreign,
    "it was given to another cluster": _taken_away,
    "the recorded one is gone": _gone,
    "two bear one UID": _duplicate,
    "made for nobody": _for_nobody,
    "a restored manifest names it": _restored,
    "lent, and its Ingress is gone": _left_behind,
    "a deletion that does not end": _stuck,
    "a finalizer without a load balancer": _bare,
    "on its way from one state to another": _half,
    "a listener of ours that no record knows": _stray_listener,
}


@pytest.mark.parametrize("wrong", WRONGS)
def test_what_is_wrong_is_found_and_nothing_else(world: World, wrong: str) -> None:
    served(world, "shop", "blog")
    expected = WRONGS[wrong](world)
    process = world.process
    look = place(world) if process is not None else _outside(world)
    before = world.account.writes()
    found = audit(look)
    assert told(found) == expected
    assert world.account.writes() == before
    text = audit_text(found)
    assert all(name in text for name in expected)
    assert f"findings: {len(expected)}" in text


def _outside(world: World) -> Place:
    """From outside the cluster, while nobody of us runs: a process is made for its connections alone."""
    world.start()
    return place(world)


def test_the_output_for_programs_has_all_load_balancers_and_who_uses_them(world: World) -> None:
    served(world, "shop", "blog")
    lb = world.users.ingress().record["lb"]
    vanish(world)
    here = place(world)
    entry = next(one.entry for one in audit(here).load_balancers if one.entry.head.ref.id == lb)
    seen = Sighting(entry.ingress_uid, 1_700_000_000.0, 1_700_000_000.0, 2)
    said = json.loads(audit_json(audit(replace(here, memory=Memory({entry.head.ref: seen})))))
    orphan = next(one for one in said["loadBalancers"] if one["id"] == lb)
    other = next(one for one in said["loadBalancers"] if one["id"] != lb)
    assert (orphan["use"], orphan["orphanSince"], orphan["seen"]) == ("orphan", "2023-11-14T22:13:20Z", 2)
    assert (other["use"], other["ingresses"], other["finding"]) == ("used", ["shop/blog"], False)
    assert said["stranded"] == {"finalizers": 1, "deleting": 0}
    assert said["regions"] == {"read": ["ap-guangzhou"], "notRead": {}}
    assert said["findings"] == 1


def test_an_orphan_elsewhere_is_found_where_one_is_told_to_look(world: World) -> None:
    served(world, "shop")
    tags = dict(world.account.lb().tags) | {"tke-lb-ingress-uuid": "gone"}
    world.account.seed(load_balancers=[{"id": "lb-far00001", "region": "ap-beijing", "tags": tags}])
    assert told(audit(place(world))) == {}
    found = audit(replace(place(world), more_regions=("ap-beijing",)))
    assert told(found) == {"lb-far00001": "orphan"}


def test_what_cannot_be_read_is_an_error_and_not_clean(world: World) -> None:
    served(world, "shop")
    here = place(world)
    world.users.fault("http_500", verb="list", resource="ingresses", count=100)
    with pytest.raises(Unavailable):
        audit(here)


def test_a_region_that_is_refused_is_named(world: World) -> None:
    served(world, "shop")
    found = audit(replace(place(world), more_regions=("ap-nowhere",)))
    assert set(found.look.refused) == {"ap-nowhere"}
    assert "region ap-nowhere could not be read" in audit_text(found)


def test_a_cloud_that_does_not_answer_is_an_error(world: World) -> None:
    served(world, "shop")
    here = place(world)
    world.account.fault("DescribeLoadBalancers", "error", code="InternalError", count=50)
    with pytest.raises(L7lbError):
        audit(here)


def test_no_findings_are_no_word_for_it_that_all_is_served(world: World) -> None:
    served(world, "shop")
    world.users.create(manifests.ingress("broken", manifests.rule("broken.example.com", backend="nowhere")))
    world.settle()
    found = audit(place(world))
    assert (found.not_ready, found.findings) == (1, 0)
    assert click.unstyle(audit_text(found)).startswith("1 Ingress is not ready: l7lb status says why\n")


def test_an_ingress_that_cannot_be_decoded_is_counted_and_named(world: World) -> None:
    served(world, "shop")
    odd = Quarantined(ObjectKey("shop", "odd"), "spec: no object")
    found = audit(replace(place(world), undecoded=(odd,)))
    assert told(found) == {"shop/odd": "not read"}
