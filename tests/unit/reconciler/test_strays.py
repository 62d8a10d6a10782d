"""Targets that lead nowhere or to somebody else go at once: in the middle of a swap, and behind rules that are held."""

import pytest

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.cluster import NODES, SERVICES
from tests.simulation.world import World

pytestmark = pytest.mark.usefixtures("watchman")

LENT = "lb-lent0001"
SHARES = {"kubernetes.io/ingress.existLbId": LENT, "ingress.cloud.tencent.com/enable-group": "true"}


def _serve(world: World, *rules: manifests.Json) -> None:
    world.users.create(manifests.ingress("shop", *rules))
    world.start()
    world.settle()
    world.account.forget_calls()


def _number(world: World, port: int) -> None:
    world.users.update(f"{SERVICES}/web", {"spec": {"ports": [{"port": 80, "nodePort": port}]}})


def _bound(world: World, host: str = "a.example.com") -> set[tuple[str, int]]:
    return {(address, port) for path, address, port in world.account.targets() if path == f"{host}/"}


def test_a_swap_ends_at_once_for_a_node_port_that_another_service_has_got(world: World) -> None:
    _serve(world)
    world.account.seed(health={f"10.0.0.{number}:30091": "Unknown" for number in (1, 2)})
    _number(world, 30091)
    world.run(6.0)
    assert {port for _, port in _bound(world)} == {30080, 30091}
    world.users.create(manifests.service("other", 30080))
    world.run(1.0)
    assert {port for _, port in _bound(world)} == {30091}


def test_a_node_port_that_is_still_the_old_services_is_swapped_with_patience(world: World) -> None:
    _serve(world)
    world.account.seed(health={f"10.0.0.{number}:30081": "Unknown" for number in (1, 2)})
    world.users.rules(manifests.rule("a.example.com", backend="api"))
    world.run(12.0)
    assert {port for _, port in _bound(world)} == {30080, 30081}


def test_a_rule_without_its_service_loses_the_node_port_that_another_one_has_got(world: World) -> None:
    _serve(world, manifests.rule("a.example.com"), manifests.rule("b.example.com", backend="api"))
    world.users.remove(f"{SERVICES}/web")
    world.run(30.0)
    assert {port for _, port in _bound(world)} == {30080}
    world.users.create(manifests.service("other", 30080))
    world.run(1.0)
    assert _bound(world) == set()
    assert world.account.paths() == {"a.example.com/", "b.example.com/"}
    assert len(_bound(world, "b.example.com")) == 2


@pytest.mark.parametrize("fault", ["no service", "no port"])
def test_a_rule_that_is_held_loses_a_node_that_is_gone_and_nothing_else(world: World, fault: str) -> None:
    _serve(world, manifests.rule("a.example.com"), manifests.rule("b.example.com", backend="api"))
    if fault == "no service":
        world.users.remove(f"{SERVICES}/web")
    else:
        world.users.update(f"{SERVICES}/web", {"spec": {"ports": [{"port": 8080, "nodePort": 30080}]}})
    world.users.remove(f"{NODES}/node-b")
    world.run(30.0)
    assert _bound(world) == {("10.0.0.1", 30080)}
    assert world.account.paths() == {"a.example.com/", "b.example.com/"}
    assert not world.users.ingress().is_ready


def test_an_empty_list_of_nodes_takes_nothing_off_a_held_rule(world: World) -> None:
    _serve(world)
    world.users.remove(f"{SERVICES}/web")
    for name in ("node-a", "node-b"):
        world.users.remove(f"{NODES}/{name}")
    world.run(30.0)
    assert len(_bound(world)) == 2


def test_a_service_that_is_gone_for_five_minutes_has_no_targets_and_keeps_its_rule(world: World) -> None:
    _serve(world, manifests.rule("a.example.com"), manifests.rule("b.example.com", backend="api"))
    world.users.remove(f"{SERVICES}/web")
    world.run_for(299.0)
    assert len(_bound(world)) == 2
    world.run_for(5.0)
    assert _bound(world) == set()
    assert world.account.paths() == {"a.example.com/", "b.example.com/"}


def test_a_service_that_the_api_server_still_has_or_cannot_tell_of_keeps_its_targets(world: World) -> None:
    _serve(world)
    world.users.remove(f"{SERVICES}/web")
    world.run_for(290.0)
    world.users.fault("http_500", "get", "services", 50)
    world.run_for(15.0)
    assert len(_bound(world)) == 2


def test_a_member_of_a_group_that_is_held_loses_its_dead_targets_too(world: World, watchman: Watchman) -> None:
    world.account.lend(LENT)
    watchman.remember()
    world.users.create(manifests.ingress("a", manifests.rule("a.example.com"), annotations=SHARES))
    world.users.create(manifests.ingress("b", manifests.rule("b.example.com", backend="api"), annotations=SHARES))
    world.start()
    world.settle()
    world.users.remove(f"{SERVICES}/web")
    world.users.remove(f"{NODES}/node-b")
    world.run(30.0)
    assert _bound(world) == {("10.0.0.1", 30080)}
    world.users.create(manifests.service("other", 30080))
    world.run(5.0)
    assert _bound(world) == set()
    assert _bound(world, "b.example.com") == {("10.0.0.1", 30081)}
    assert world.users.ingress("b").is_ready
    assert "E4041" in world.users.ingress("a").why


def test_a_member_of_a_group_that_cannot_be_read_loses_its_dead_targets_too(world: World, watchman: Watchman) -> None:
    world.account.lend(LENT)
    watchman.remember()
    world.users.create(manifests.ingress("a", manifests.rule("a.example.com"), annotations=SHARES))
    world.users.create(manifests.ingress("b", manifests.rule("b.example.com", backend="api"), annotations=SHARES))
    world.start()
    world.settle()
    world.users.annotate({"kubernetes.io/ingress.http-rules": "{not json", "ingress.cloud.tencent.com/listen-ports":
                          "nonsense"}, "a")  # fmt: skip
    world.users.remove(f"{NODES}/node-b")
    world.users.rules(manifests.rule("b.example.com", "/", "/new", backend="api"), name="b")
    world.run(30.0)
    assert not world.users.ingress("a").is_ready
    assert _bound(world) == {("10.0.0.1", 30080)}
    assert "b.example.com/new" in world.account.paths()
