"""Teams in namespaces of their own on one load balancer that its owner lent, through the command."""

import pytest

from tests.system.kube import Json
from tests.system.world import CLUSTER, FINALIZER, VPC, World, ingress, rule, service, tree

pytestmark = pytest.mark.system

EXIST = "kubernetes.io/ingress.existLbId"
GROUP = "ingress.cloud.tencent.com/enable-group"
PORTS = "ingress.cloud.tencent.com/listen-ports"
LENDER = {"protocol": "TCP", "port": 22, "name": "lender"}


def lend(world: World, name: str) -> None:
    world.seed({"load_balancers": [{"id": name, "vpc_id": VPC, "listeners": [LENDER], "tags": {"team": "platform"}}]})


PORT_OF = {
    name: 31080 + number
    for number, name in enumerate(
        ("teams-a", "teams-b", "teams-c", "whole", "broken", "inside", "outside", "killed-a", "killed-b")
    )
}


def team(world: World, namespace: str, lb: str, *rules: Json, **annotations: str) -> None:
    """A namespace with a Service and an Ingress `web` in the group of a load balancer."""
    world.namespace(namespace)
    world.kube.create(service("web", namespace, PORT_OF[namespace]))
    shares = {EXIST: lb, GROUP: "true"} | {f"ingress.cloud.tencent.com/{k}": v for k, v in annotations.items()}
    hosts = rules or (rule(f"{namespace}.example.com", "web"),)
    world.kube.create(ingress("web", namespace, *hosts, annotations=shares))


def on(world: World, lb: str) -> dict[str, dict[str, list[int]]]:
    return tree(world.load_balancers()[lb])


def test_teams_share_listeners_and_have_ports_of_their_own(world: World) -> None:
    lend(world, "lb-teams001")
    team(world, "teams-a", "lb-teams001")
    team(world, "teams-b", "lb-teams001", **{"listen-ports": '[{"HTTP":80},{"HTTP":8081}]'})
    for name in ("teams-a", "teams-b"):
        seen = world.ready("web", name)
        assert FINALIZER in seen["metadata"]["finalizers"]
    assert on(world, "lb-teams001") == {
        "TCP:22": {},
        "HTTP:80": {"teams-a.example.com/": [31080, 31080], "teams-b.example.com/": [31081, 31081]},
        "HTTP:8081": {"teams-b.example.com/": [31081, 31081]},
    }
    assert world.load_balancers()["lb-teams001"]["tags"] == {"team": "platform", "tke-clusterId": CLUSTER}

    team(world, "teams-c", "lb-teams001", rule("teams-a.example.com", "web"), rule("teams-c.example.com", "web"))
    assert "teams-a/web" in world.not_ready("web", "teams-c", "RuleConflict")
    assert "teams-c.example.com/" in on(world, "lb-teams001")["HTTP:80"]

    world.gone("web", "teams-b")
    assert set(on(world, "lb-teams001")) == {"TCP:22", "HTTP:80"}
    assert set(on(world, "lb-teams001")["HTTP:80"]) == {"teams-a.example.com/", "teams-c.example.com/"}

    world.gone("web", "teams-a")
    world.ready("web", "teams-c")
    world.gone("web", "teams-c")
    assert on(world, "lb-teams001") == {"TCP:22": {}}
    assert world.load_balancers()["lb-teams001"]["tags"] == {"team": "platform"}


def test_what_is_wrong_with_one_team_is_not_the_others_business(world: World) -> None:
    lend(world, "lb-teams002")
    team(world, "whole", "lb-teams002")
    team(world, "broken", "lb-teams002", rule("broken.example.com", "missing"))
    world.ready("web", "whole")
    world.not_ready("web", "broken", "E4041")
    world.kube.patch("Ingress", "web", "whole", {"spec": {"rules": [rule("whole.example.com", "web", "/v2")]}})
    world.wait("the edit is there", lambda: "whole.example.com/v2" in on(world, "lb-teams002")["HTTP:80"])
    world.gone("web", "broken")
    world.gone("web", "whole")
    assert on(world, "lb-teams002") == {"TCP:22": {}}


def test_an_ingress_outside_of_the_group_is_turned_away(world: World) -> None:
    lend(world, "lb-teams003")
    team(world, "inside", "lb-teams003")
    world.ready("web", "inside")
    world.namespace("outside")
    world.kube.create(service("web", "outside", PORT_OF["outside"]))
    world.kube.create(ingress("web", "outside", rule("outside.example.com", "web"), annotations={EXIST: "lb-teams003"}))
    world.not_ready("web", "outside", "E4406")
    assert set(on(world, "lb-teams003")["HTTP:80"]) == {"inside.example.com/"}
    world.gone("web", "outside")
    world.gone("web", "inside")


def test_a_killed_controller_goes_on_where_the_group_was(world: World) -> None:
    lend(world, "lb-teams004")
    team(world, "killed-a", "lb-teams004")
    team(world, "killed-b", "lb-teams004")
    world.wait("rules are made", lambda: world.calls().get("CreateRule"))
    world.crash()
    world.start()
    world.ready("web", "killed-a")
    world.ready("web", "killed-b")
    world.kube.delete("Ingress", "web", "killed-a")
    world.crash()
    world.start()
    world.gone("web", "killed-b")
    world.wait("both are gone", lambda: not world.kube.find("Ingress", "web", "killed-a"))
    assert on(world, "lb-teams004") == {"TCP:22": {}}
    assert world.load_balancers()["lb-teams004"]["tags"] == {"team": "platform"}
