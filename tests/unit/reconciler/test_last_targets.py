"""The last live target of a rule: it stays, its author hears why, and nothing else waits for that."""

import pytest

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.cluster import NODES, SERVICES
from tests.simulation.world import World

pytestmark = pytest.mark.usefixtures("watchman")

LENT = "lb-lent0001"
SHARES = {"kubernetes.io/ingress.existLbId": LENT, "ingress.cloud.tencent.com/enable-group": "true"}
EXCLUDED = {"node.kubernetes.io/exclude-from-external-load-balancers": ""}
APPROVE = "l7lb.dev/approve"


def _lose_all_nodes(world: World) -> None:
    """Both become nodes that are not bound, and pods go on serving behind them."""
    for name in ("node-a", "node-b"):
        world.users.remove(f"{NODES}/{name}")
    world.users.create(manifests.node("node-c", "10.0.0.3") | {"metadata": {"name": "node-c", "labels": EXCLUDED}})


def _endpoints(world: World, *services: str) -> None:
    for name in services:
        world.users.create({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": name, "namespace": "shop", "labels": {"kubernetes.io/service-name": name}},
            "ports": [{"name": "", "port": 8080, "protocol": "TCP"}],
            "endpoints": [{"addresses": ["172.16.0.9"], "conditions": {"ready": True}}],
        })  # fmt: skip


def test_all_else_of_the_plan_is_done_and_an_approval_lets_the_rest_pass(world: World) -> None:
    _endpoints(world, "web")
    world.users.create(manifests.ingress("shop", manifests.rule("a.example.com"),
                                         manifests.rule("b.example.com", backend="api")))  # fmt: skip
    world.start()
    world.settle()
    _lose_all_nodes(world)
    world.users.rules(manifests.rule("a.example.com"), manifests.rule("b.example.com", "/", "/new", backend="api"))
    world.settle()
    seen = world.users.ingress()
    assert "UnsafePlan" in seen.why
    assert {path for path, _, _ in world.account.targets()} == {"a.example.com/"}
    assert "b.example.com/new" in world.account.paths()
    world.users.annotate({APPROVE: seen.why.partition(f"{APPROVE}: ")[2].split(maxsplit=1)[0]})
    world.settle()
    assert world.account.targets() == set()
    assert world.users.ingress().is_ready


def test_in_a_group_only_the_member_of_that_rule_hears_of_it(world: World, watchman: Watchman) -> None:
    world.account.lend(LENT)
    watchman.remember()
    _endpoints(world, "web")
    world.users.create(manifests.ingress("a", manifests.rule("a.example.com"), annotations=SHARES))
    world.users.create(manifests.ingress("b", manifests.rule("b.example.com", backend="api"), annotations=SHARES))
    world.start()
    world.settle()
    _lose_all_nodes(world)
    world.users.rules(manifests.rule("b.example.com", "/", "/new", backend="api"), name="b")
    world.settle()
    assert "UnsafePlan" in world.users.ingress("a").why
    assert world.users.ingress("b").is_ready
    assert {path for path, _, _ in world.account.targets()} == {"a.example.com/"}
    assert "b.example.com/new" in world.account.paths()


def test_a_node_that_stays_not_ready_keeps_the_rule_that_has_no_other_and_leaves_the_others(world: World) -> None:
    _endpoints(world, "web")
    world.users.create(manifests.ingress("shop", manifests.rule("a.example.com"),
                                         manifests.rule("b.example.com", backend="api")))  # fmt: skip
    world.start()
    world.settle()
    # Only this node has pods of `web`, and it is lost for good.
    world.users.update(f"{SERVICES}/web", {
        "metadata": {"annotations": {"service.kubernetes.io/local-svc-only-bind-node-with-pod": "true"}},
        "spec": {"externalTrafficPolicy": "Local"},
    })  # fmt: skip
    world.users.update("/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices/web", {
        "endpoints": [{"addresses": ["172.16.0.9"], "conditions": {"ready": True}, "nodeName": "node-a"}]
    })  # fmt: skip
    world.settle()
    assert {address for path, address, _ in world.account.targets() if path == "a.example.com/"} == {"10.0.0.1"}
    lost = manifests.node("node-a", "10.0.0.1", "ins-0000000a", ready=False)
    world.users.remove(f"{NODES}/node-a")
    world.users.create(lost)
    world.users.rules(manifests.rule("a.example.com"), manifests.rule("b.example.com", "/", "/new", backend="api"))
    world.settle()
    assert {address for path, address, _ in world.account.targets() if path == "a.example.com/"} == {"10.0.0.1"}
    assert {address for path, address, _ in world.account.targets() if path == "b.example.com/"} == {"10.0.0.2"}
    assert "b.example.com/new" in world.account.paths()
