"""`l7lb status`, `tree` and `explain` as commands on a live world: they tell what is there, and write nothing."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.system.kube import Json
from tests.system.test_handing_over import command, writes
from tests.system.world import CONDITIONS, World, ingress, rule, service

pytestmark = pytest.mark.system


HOSTILE = json.dumps(
    [
        {
            "type": "Ready",
            "status": "False",
            "reason": "\x1b]0;owned\x07",
            "message": "\x1b[2J\nload balancer lb-9: fine\u202e",
        }
    ]
)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One Ingress is served, one asks for what is not there, and one load balancer has lost its Ingress."""
    with World() as made:
        made.namespace("shop")
        made.kube.create(service("web", "shop", 0))
        controller = made.start()
        for name in ("web", "gone"):
            made.kube.create(ingress(name, "shop", rule(f"{name}.example.com", "web")))
            made.ready(name, "shop")
        made.kube.create(ingress("broken", "shop", rule("broken.example.com", "nowhere")))
        made.wait("it is told", lambda: "E4041" in str(made.kube.get("Ingress", "broken", "shop")["metadata"]))
        assert controller.terminate() == 0
        made.kube.patch("Ingress", "gone", "shop", {"metadata": {"finalizers": None}})
        made.kube.delete("Ingress", "gone", "shop")
        evil = rule("evil.example.com", "web")
        made.kube.create(ingress("evil", "shop", evil, annotations={CONDITIONS: HOSTILE, "l7lb.dev/record": HOSTILE}))
        yield made


@pytest.fixture(autouse=True)
def _nothing_is_written(world: World) -> Iterator[None]:
    before, objects = writes(world), world.kube.all("Ingress", "shop")
    yield
    assert writes(world) == before
    assert world.kube.all("Ingress", "shop") == objects


def said(world: World, code: int, *arguments: str) -> Json:
    """The JSON of a command that ends with this code."""
    found, out, err = command(world, *arguments, "-o", "json")
    assert (found, err) == (code, ""), out
    value: Json = json.loads(out)
    return value


def test_a_status_counts_everything_and_puts_problems_first(world: World) -> None:
    seen = said(world, 2, "status")
    assert (seen["ingresses"]["total"], seen["ingresses"]["ok"], seen["ingresses"]["bad"]) == (3, 1, 2)
    assert seen["loadBalancers"] == {"used": 1, "orphan": 1}
    assert seen["targets"] == {"healthy": 2, "total": 2, "notKnown": {}}
    assert [one["about"] for one in seen["problems"] if one["mark"] == "bad"] == [
        "Ingress shop/broken", "Ingress shop/evil",
    ]  # fmt: skip
    assert any("orphan" in one["says"] for one in seen["problems"])
    assert any("nobody leads" in one["says"] for one in seen["problems"])
    assert seen["quotas"][0]["used"] == 2
    code, out, _ = command(world, "status")
    lines = out.splitlines()
    assert (code, lines[3].startswith("  x Ingress shop/broken: E4041")) == (2, True), out


@pytest.mark.parametrize("word", ["web.example.com", "lb-00000001"])
def test_a_tree_is_found_by_any_of_its_names(world: World, word: str) -> None:
    (balancer,) = said(world, 0, "tree", word)["loadBalancers"]
    assert balancer["ingresses"] == ["shop/web"]
    ((host,),) = [listener["hosts"] for listener in balancer["listeners"]]
    (found,) = host["rules"]
    assert (host["host"], found["path"], found["part"], len(found["targets"])) == ("web.example.com", "/", "there", 2)
    assert {target["weight"] for target in found["targets"]} == {10}
    assert all(target["health"] for target in found["targets"])


def test_a_tree_of_all_names_who_has_none(world: World) -> None:
    seen = said(world, 0, "tree")
    assert [one["ingresses"] for one in seen["loadBalancers"]] == [["shop/web"]]
    assert [one["ingress"] for one in seen["ingressesWithout"]] == ["shop/broken", "shop/evil"]
    _, out, _ = command(world, "tree")
    assert "└─ HTTP:80" in out
    assert "\x1b" not in out


def test_a_load_balancer_that_nobody_uses_is_drawn_when_it_is_named(world: World) -> None:
    (balancer,) = said(world, 0, "tree", "lb-00000002")["loadBalancers"]
    assert (balancer["ingresses"], len(balancer["listeners"])) == ([], 1)


@pytest.mark.parametrize("arguments", [["status"], ["tree"], ["explain", "shop/evil"], ["plan", "--full"]])
def test_a_hostile_object_cannot_order_the_terminal_about(world: World, arguments: list[str]) -> None:
    _, out, err = command(world, *arguments)
    assert all(line.isprintable() for line in (out + err).split("\n"))
    assert not any(line.startswith("load balancer lb-9") for line in out.split("\n"))


def test_a_name_that_does_not_exist_says_which_one_may_be_meant(world: World) -> None:
    code, out, err = command(world, "tree", "shop/wbe")
    assert (code, out) == (2, "")
    assert "did you mean shop/web" in err
    assert err.count("\n") == 1


def test_a_served_ingress_is_explained_from_its_class_to_the_health_of_its_targets(world: World) -> None:
    seen = said(world, 2, "explain", "web.example.com")
    assert seen["ingress"] == "shop/web"
    marks = {one["name"]: one["mark"] for one in seen["checks"]}
    assert marks["Controller"] == "bad"
    assert {marks[name] for name in ("Class", "Gate", "Ingress", "Load balancer", "Work", "Forwarding rules")} == {"ok"}
    read = {one["object"]: one["says"] for one in seen["read"]}
    assert read["Service shop/web"].startswith("NodePort, ports 80:")
    assert seen["plan"]["plan"]["steps"] == []
    assert seen["tree"]["ingresses"] == ["shop/web"]


@pytest.fixture
def _sick(world: World) -> Iterator[None]:
    """Every target of web fails its check."""
    (balancer,) = said(world, 0, "tree", "shop/web")["loadBalancers"]
    keys = [f"{one['address']}:{one['port']}" for one in balancer["listeners"][0]["hosts"][0]["rules"][0]["targets"]]
    world.seed({"health": dict.fromkeys(keys, "Dead")})
    yield
    world.seed({"health": dict.fromkeys(keys, "Alive")})


@pytest.mark.usefixtures("_sick")
def test_an_ingress_none_of_whose_targets_answers_is_broken_for_every_command(world: World) -> None:
    seen = said(world, 2, "status")
    assert (seen["ingresses"]["ok"], seen["ingresses"]["bad"], seen["targets"]["healthy"]) == (0, 3, 0)
    says = {one["about"]: one["says"] for one in seen["problems"]}
    assert says["Ingress shop/web"].startswith("0 of 2 targets healthy")
    checks = {one["name"]: one for one in said(world, 2, "explain", "shop/web")["checks"]}
    assert checks["Target health"]["mark"] == "bad"
    assert "security groups" in checks["Target health"]["hint"]


def test_a_status_without_the_health_of_targets_is_a_status_still(world: World) -> None:
    world.fault(action="DescribeTargetHealth", kind="error", code="UnauthorizedOperation", count=0)
    try:
        seen = said(world, 2, "status")
    finally:
        world.mend()
    assert (seen["ingresses"]["unknown"], seen["ingresses"]["ok"], seen["notRead"]) == (1, 0, [])
    assert list(seen["targets"]["notKnown"]) == ["ap-guangzhou/lb-00000001"]


def test_a_broken_ingress_is_explained_by_what_is_missing(world: World) -> None:
    code, out, err = command(world, "explain", "shop/broken")
    assert (code, err) == (2, "")
    assert "Service shop/nowhere  not found" in out
    assert re.search(r"broken +Ingress +E4041: Service shop/nowhere not found", out), out
    seen = said(world, 2, "explain", "broken")
    assert [one["code"] for one in seen["problems"]] == ["E4041"]
    assert seen["tree"] is None


# the cloud does not answer

NOWHERE = "http://127.0.0.1:1"
REFUSED = "no usable answer from 127.0.0.1:1 for ap-guangzhou: the connection is refused"


def test_a_tree_without_an_answer_of_the_cloud_shows_what_the_cluster_knows(world: World) -> None:
    code, out, err = command(world, "tree", cloud=NOWHERE)
    assert (code, err) == (1, ""), out
    lines = out.splitlines()
    assert lines[0].startswith("the cloud did not answer for ap-guangzhou: ")
    assert REFUSED in lines[0]
    assert "ap-guangzhou/lb-00000001  could not be read: the cloud did not answer" in lines
    (web,) = [line for line in lines if line.startswith("  Ingress shop/web  ")]
    assert "HTTPConnection" not in out + err
    assert any(line.startswith("Ingress shop/broken  E4041") for line in lines), out
    assert web


def test_an_explanation_without_an_answer_of_the_cloud_goes_as_far_as_the_cluster(world: World) -> None:
    code, out, err = command(world, "explain", "shop/web", cloud=NOWHERE)
    assert (code, err) == (1, ""), out
    assert REFUSED in out
    assert re.search(
        r"unknown +Load balancer +lb-00000001 in ap-guangzhou, as its record says; it could not be", out
    ), out
    assert re.search(r"unknown +Work +It cannot be planned, because the cloud did not answer; the controller", out), out
    assert "nobody can tell: the cloud did not answer" in out
