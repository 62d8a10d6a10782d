"""An Ingress that is refused although its load balancer is ours: taken over from TKE's controller, for example."""

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.world import World

UNREADABLE = {"kubernetes.io/ingress.rule-mix": "perhaps"}


def _of_tke(world: World, **tags: str) -> None:
    """An Ingress that is refused, with the load balancer that TKE's controller has made for it."""
    written = {"kubernetes.io/ingress.qcloud-loadbalance-id": "lb-0000tke1"}
    uid = world.users.create(manifests.ingress("shop", annotations=written | UNREADABLE))
    papers = {"tke-createdBy-flag": "yes", "tke-clusterId": "cls-9mfq2k1t", "tke-lb-ingress-uuid": uid}
    listener = {"name": "TKE-DEDICATED-LISTENER", "protocol": "HTTP", "port": 80}
    world.account.seed(load_balancers=[{"id": "lb-0000tke1", "tags": papers | tags, "listeners": [listener]}])


def test_a_refused_ingress_whose_load_balancer_is_ours_is_held_and_its_end_leaves_nothing_behind(
    world: World, watchman: Watchman
) -> None:
    _of_tke(world)
    watchman.remember()
    world.start()
    world.settle()
    ingress = world.users.ingress()
    assert (ingress.record["lb"], ingress.record["claim"]) == ("lb-0000tke1", "created")
    assert world.account.writes() == {}
    world.users.delete()
    world.settle()
    assert world.account.lbs() == []
    assert world.users.find() is None


def test_a_refused_ingress_whose_load_balancer_is_not_ours_is_not_held() -> None:
    world = World()
    _of_tke(world, **{"tke-clusterId": "cls-another0"})
    world.start()
    world.settle()
    assert world.users.ingress().finalizers == []
    assert world.account.writes() == {}
