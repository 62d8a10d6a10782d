"""One target of many that the cloud refuses, with the real process: all others serve, and its Ingresses hear which."""

import pytest

from tests.system.kube import Json
from tests.system.world import World, ingress, node, rule, service, tree

pytestmark = pytest.mark.system

SHARED = "lb-lent0077"
SHARES = {"kubernetes.io/ingress.existLbId": SHARED, "ingress.cloud.tencent.com/enable-group": "true"}
BAD = "10.7.7.7"


def _targets(lb: Json) -> list[int]:
    """How many each rule has."""
    return [len(targets) for rules in tree(lb).values() for targets in rules.values()]


@pytest.mark.parametrize("form", ["call", "listener"])
def test_all_targets_but_the_refused_one_are_bound_and_it_is_named(form: str) -> None:
    with World() as world:
        world.start()
        world.leads()
        namespace = world.namespace("shop")
        world.seed({"refused": {BAD: form}})
        world.kube.create(node("elsewhere", BAD, ""))
        world.kube.create(service("web", namespace, 0))
        uid = str(
            world.kube.create(ingress("web", namespace, rule("a.example.com", "web"), rule("b.example.com", "web")))[
                "metadata"
            ]["uid"]
        )
        good = len(world.nodes)
        world.wait("all good ones are bound", lambda: [_targets(lb) for lb in world.of(uid)] == [[good, good]])
        assert "Node elsewhere, Service shop/web" in world.said("web", namespace, f"target {BAD}")
        assert world.calls()["BatchRegisterTargets"] < 30
        world.seed({"refused": {BAD: ""}})
        world.wait("it is bound as well", lambda: [_targets(lb) for lb in world.of(uid)] == [[good + 1, good + 1]])
        world.ready("web", namespace)
