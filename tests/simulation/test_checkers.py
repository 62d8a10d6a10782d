"""The checkers themselves: each must see the breach that it is there for."""

from collections.abc import Callable

import pytest

from tests.emulators.clb.nouns import LoadBalancer
from tests.simulation import manifests
from tests.simulation.asking import PORTS
from tests.simulation.checkers import Broken, Watchman
from tests.simulation.cluster import FINALIZER
from tests.simulation.world import World

OURS = {"tke-createdBy-flag": "yes", "tke-clusterId": "cls-9mfq2k1t"}


def _served() -> tuple[World, Watchman]:
    world = World()
    world.account.lend("lb-lent0001")
    watchman = Watchman(world)
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.settle()
    return world, watchman


def _a_second_load_balancer(world: World) -> None:
    tags = {**OURS, "tke-lb-ingress-uuid": world.users.ingress().uid}
    world.account.seed(load_balancers=[{"id": "lb-second01", "tags": tags}])


def _one_without_an_ingress(world: World) -> None:
    world.account.seed(load_balancers=[{"id": "lb-orphan01", "tags": {**OURS, "tke-lb-ingress-uuid": "nobody"}}])


def _a_finalizer_that_is_gone(world: World) -> None:
    world.users.patch({"metadata": {"finalizers": [f"{FINALIZER}-not"]}})


def _a_touched_lender(world: World) -> None:
    world.account.edit("update_listener", "lb-lent0001", listener="HTTP:8080", fields={"name": "stolen"})


def _a_lenders_tag(world: World) -> None:
    world.account.edit("set_tags", "lb-lent0001", set={"team": "thief"})


BREACHES = (
    _a_second_load_balancer,
    _one_without_an_ingress,
    _a_finalizer_that_is_gone,
    _a_touched_lender,
    _a_lenders_tag,
)


@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: breach.__name__.strip("_").replace("_", "-"))
def test_a_breach_is_seen_after_the_step(breach: Callable[[World], None]) -> None:
    world, watchman = _served()
    watchman.check()
    breach(world)
    with pytest.raises(Broken):
        watchman.check()


def _a_rule_too_many(world: World) -> None:
    lb = next(lb for lb in world.account.lbs() if lb.id != "lb-lent0001")
    target = {"ip": "10.0.0.1", "port": 1}
    world.account.edit("add_rule", lb.id, listener="HTTP:80",
                       rule={"domain": "x.example.com", "url": "/", "targets": [target]})  # fmt: skip


def _tags_left_on_the_lent_one(world: World) -> None:
    world.account.edit("set_tags", "lb-lent0001", set={"tke-clusterId": "cls-9mfq2k1t"})


@pytest.mark.parametrize("breach", [_a_rule_too_many, _tags_left_on_the_lent_one])
def test_a_breach_is_seen_at_rest(breach: Callable[[World], None]) -> None:
    world, watchman = _served()
    breach(world)
    with pytest.raises(Broken):
        watchman.check_rest()


def test_a_deletion_of_what_we_did_not_make_is_seen_when_it_reaches_the_cloud() -> None:
    _, watchman = _served()
    watchman.inspect("DeleteLoadBalancer", {"LoadBalancerIds": ["lb-lent0001"]})
    with pytest.raises(Broken, match="do not say that we made it"):
        watchman.check()


def test_a_deletion_under_a_living_ingress_is_seen_when_it_reaches_the_cloud() -> None:
    world, watchman = _served()
    made = next(lb.id for lb in world.account.lbs() if lb.id != "lb-lent0001")
    watchman.inspect("DeleteLoadBalancer", {"LoadBalancerIds": [made]})
    with pytest.raises(Broken, match="whose Ingress lives"):
        watchman.check()


def test_a_write_behind_a_closed_gate_is_seen() -> None:
    world, watchman = _served()
    world.gate_open = False
    watchman.inspect("CreateRule", {"LoadBalancerId": "lb-00000001"})
    with pytest.raises(Broken, match="gate"):
        watchman.check()


def _quiet_for_long() -> tuple[World, Watchman]:
    world, watchman = _served()
    world.run_for(60.0)
    watchman.check()
    return world, watchman


def _the_last_target_off(world: World) -> None:
    for rule in world.account.listener(80, _made(world)).rules.values():
        rule.targets.clear()


def _a_rule_off(world: World) -> None:
    world.account.listener(80, _made(world)).rules.clear()


def _all_weights_zero(world: World) -> None:
    for rule in world.account.listener(80, _made(world)).rules.values():
        for target in rule.targets:
            target.weight = 0


def _made(world: World) -> LoadBalancer:
    return next(lb for lb in world.account.lbs() if lb.id != "lb-lent0001")


@pytest.mark.parametrize("breach", [_the_last_target_off, _a_rule_off, _all_weights_zero])
def test_what_clients_would_notice_is_seen(breach: Callable[[World], None]) -> None:
    world, watchman = _quiet_for_long()
    breach(world)
    with pytest.raises(Broken, match=r"last live target|was taken off"):
        watchman.check()


def test_a_certificate_that_goes_is_seen() -> None:
    world = World()
    watchman = Watchman(world)
    world.users.create(manifests.ingress("shop", tls="cert"))
    world.start()
    world.settle()
    world.run_for(60.0)
    watchman.check()
    world.account.listener(443).certificate = None
    with pytest.raises(Broken, match="lost its certificate"):
        watchman.check()


def test_what_stands_in_for_the_last_target_may_be_another_one() -> None:
    world, watchman = _quiet_for_long()
    for rule in world.account.listener(80, _made(world)).rules.values():
        del rule.targets[0]
    watchman.check()


def _with_a_lost_secret() -> tuple[World, Watchman]:
    world = World()
    watchman = Watchman(world)
    world.users.create(manifests.ingress("shop", tls="lost", annotations={PORTS: '[{"HTTP":80}]'}))
    world.start()
    world.settle()
    return world, watchman


def test_an_author_may_hear_of_a_secret_that_is_not_there_where_nothing_is_served_by_https() -> None:
    _, watchman = _with_a_lost_secret()
    watchman.check_rest()


def test_an_author_who_does_not_hear_of_a_secret_that_is_not_there_is_seen() -> None:
    world, watchman = _with_a_lost_secret()
    world.users.annotate({"ingress.cloud.tencent.com/status.conditions": None})
    with pytest.raises(Broken, match="nobody tells its author"):
        watchman.check_rest()
