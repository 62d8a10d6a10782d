"""There and back: from TKE's controller to l7lb and from l7lb to TKE's controller, with the shipped commands."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from tests import envtest, launcher
from tests.fixtures.tke_controller import FINALIZER as TKE
from tests.fixtures.tke_controller import TkeController
from tests.system.conftest import SERVERS
from tests.system.kube import Json
from tests.system.world import CLUSTER, FINALIZER, KEYS, LOAD_BALANCER_ID, REGION, VPC, World, ingress, rule, service

RECORD = "l7lb.dev/record"
NAME = "TKE-DEDICATED-LISTENER"
VERSIONS = {"clb": "2018-03-17", "tag": "2018-08-13"}
CONTROLLER: Json = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "l7-lb-controller", "namespace": "kube-system"},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "tke"}},
        "template": {"metadata": {"labels": {"app": "tke"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
    },
}


@pytest.fixture(params=SERVERS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A cluster that TKE's controller has served: one Ingress on a load balancer it made, one on a lent one."""
    if request.param and envtest.assets() is None:
        pytest.skip("no etcd and kube-apiserver in KUBEBUILDER_ASSETS")
    with World(real=request.param) as served:
        served.namespace("shop")
        served.kube.create(service("web", "shop", 31080))
        served.kube.create(CONTROLLER)
        of_tke(served, "made", "lb-0000made", made=True)
        of_tke(
            served, "lent", "lb-0000lent", made=False, annotations={"kubernetes.io/ingress.existLbId": "lb-0000lent"}
        )
        yield served


def of_tke(world: World, name: str, balancer: str, *, made: bool, annotations: Mapping[str, str] | None = None) -> str:
    """An Ingress as TKE's controller leaves it, and its load balancer, made by it or lent to it; the UID."""
    written = {LOAD_BALANCER_ID: balancer, **(annotations or {})}
    document = ingress(name, "shop", rule(f"{name}.example.com", "web"), annotations=written)
    document["metadata"]["finalizers"] = [TKE]
    uid = str(world.kube.create(document)["metadata"]["uid"])
    tags = {"tke-clusterId": CLUSTER, "tke-lb-ingress-uuid": uid}
    tags |= {"tke-createdBy-flag": "yes", "tke-lifecycle-owner": "tke"} if made else {}
    port = world.kube.get("Service", "web", "shop")["spec"]["ports"][0]["nodePort"]
    targets = [{"instance_id": instance, "port": port} for _, instance in world.nodes.values()]
    bound = {"domain": f"{name}.example.com", "url": "/", "targets": targets}
    listener = {"protocol": "HTTP", "port": 80, "name": NAME, "rules": [bound]}
    answer = world.seed({"load_balancers": [{"id": balancer, "tags": tags, "listeners": [listener]}]})
    vip = answer["load_balancers"][0]["vip"]
    world.kube.patch("Ingress", name, "shop", {"status": {"loadBalancer": {"ingress": [{"ip": vip}]}}}, part="status")
    return uid


def command(world: World, *arguments: str, given: str = "", cloud: str = "") -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `l7lb ARGUMENTS`."""
    flags = {
        "cluster-id": CLUSTER, "region": REGION, "vpc-id": VPC,
        "kubeconfig": str(world._folder / "kubeconfig"), "clb-endpoint": cloud or world._clb.url,
    }  # fmt: skip
    told = [*arguments, *(f"--{name}={value}" for name, value in flags.items())]
    done = launcher.run(told, env={**os.environ, **KEYS}, timeout=90, given=given)
    return done.returncode, done.stdout, done.stderr


def writes(world: World) -> dict[str, int]:
    """Calls to the cloud that are no reads."""
    return {name: count for name, count in world.calls().items() if not name.startswith("Describe")}


def scale(world: World, replicas: int) -> None:
    """TKE's controller is switched on or off."""
    change = {"spec": {"replicas": replicas}}
    world.kube.patch("Deployment", "l7-lb-controller", "kube-system", change)


def marks(world: World, name: str) -> tuple[list[str], bool]:
    """Finalizers of an Ingress, and whether it has a record."""
    meta = world.kube.get("Ingress", name, "shop")["metadata"]
    return meta.get("finalizers") or [], RECORD in (meta.get("annotations") or {})


def tke(world: World) -> TkeController:
    """TKE's controller, with the official client."""

    def ask(kind: str, action: str, params: Mapping[str, Any]) -> Json:
        profile = ClientProfile(
            httpProfile=HttpProfile(protocol="http", endpoint=world._clb.url.removeprefix("http://"))
        )
        keys = Credential(KEYS["TENCENTCLOUD_SECRET_ID"], KEYS["TENCENTCLOUD_SECRET_KEY"])
        client = CommonClient(kind, VERSIONS[kind], keys, REGION, profile=profile)
        answer: Json = client.call_json(action, dict(params))["Response"]
        if action.startswith("Delete"):
            deadline = time.monotonic() + 20
            while client.call_json("DescribeTaskStatus", {"TaskId": answer["RequestId"]})["Response"]["Status"] == 2:
                assert time.monotonic() < deadline
        return answer

    return TkeController(CLUSTER, world.kube, ask)


def test_the_dry_run_says_how_everything_stands_while_tkes_controller_runs_and_writes_nothing(world: World) -> None:
    state, objects = world.load_balancers(), world.kube.all("Ingress", "shop")
    code, out, err = command(world, "adopt", "--dry-run")
    assert (code, err) == (0, "")
    assert "Ingress shop/made (ap-guangzhou/lb-0000made): already right, 0 writes\n" in out
    assert "Ingress shop/lent (ap-guangzhou/lb-0000lent): already right, 0 writes\n" in out
    assert "gate closed: " in out
    assert out.endswith("2 Ingresses: 2 already right; 0 writes to the cloud in all\n")
    assert writes(world) == {}
    assert (world.load_balancers(), world.kube.all("Ingress", "shop")) == (state, objects)
    assert world.kube.find("Lease", f"l7lb-{CLUSTER}", "kube-system") is None


def test_what_would_change_what_cannot_be_taken_over_and_what_is_protected_is_named(world: World) -> None:
    of_tke(world, "edited", "lb-00edited", made=True)
    change = {"spec": {"rules": [rule("edited.example.com", "web"), rule("more.example.com", "web")]}}
    world.kube.patch("Ingress", "edited", "shop", change)
    protected = {"operate_protect": "100000000001"}
    world.console(edit="update", load_balancer="lb-00edited", fields=protected)
    world.console(edit="update", load_balancer="lb-0000made", fields={**protected, "delete_protect": True})
    of_tke(world, "stolen", "lb-00stolen", made=True)
    world.console(edit="set_tags", load_balancer="lb-00stolen", set={"tke-clusterId": "cls-another0"})
    code, out, _ = command(world, "adopt", "-o", "json")
    assert code == 1
    found = json.loads(out)
    by_name = {one["ingress"]: one for one in found["ingresses"]}
    assert {name: one["verdict"] for name, one in by_name.items()} == {
        "shop/edited": "would change", "shop/lent": "already right", "shop/made": "already right",
        "shop/stolen": "not taken over",
    }  # fmt: skip
    assert [step["step"] for step in by_name["shop/edited"]["plan"]["steps"]] == ["CreateRules", "RegisterTargets"]
    assert by_name["shop/edited"]["mustBeUnprotected"] is True
    made = by_name["shop/made"]
    assert (made["modificationProtected"], made["deletionProtected"], made["mustBeUnprotected"]) == (True, True, False)
    assert any("E4017" in problem for problem in by_name["shop/stolen"]["problems"])
    assert found["writes"] == by_name["shop/edited"]["writes"] == 2
    assert found["gate"]["open"] is False
    assert writes(world) == {}


def test_a_take_over_is_refused_while_tkes_controller_runs(world: World) -> None:
    code, out, err = command(world, "adopt", "--apply")
    assert (code, out) == (1, "")
    assert "TKE's own controller may run" in err
    assert marks(world, "made") == ([TKE], False)


def test_there_and_back_without_one_write_to_the_cloud(world: World) -> None:
    scale(world, 0)
    code, out, err = command(world, "adopt", "--apply")
    assert (code, err) == (0, ""), out
    assert "Ingress shop/made (ap-guangzhou/lb-0000made): taken over, 0 writes\n" in out
    for name in ("made", "lent"):
        assert marks(world, name) == ([TKE, FINALIZER], True)
    assert command(world, "adopt", "--apply")[0] == 0

    controller = world.start()
    world.leads()
    for name in ("made", "lent"):
        world.ready(name, "shop")
    assert writes(world) == {}
    code, out, err = command(world, "release", "--all", "--yes")
    assert (code, out) == (1, "")
    waiting, refused = err.splitlines()
    assert waiting.startswith("waiting for the Lease kube-system/l7lb-")
    assert "holds the Lease" in refused
    assert marks(world, "made") == ([TKE, FINALIZER], True)
    assert controller.terminate() == 0

    state = world.load_balancers()
    assert command(world, "release", "--all", given="cls-another0\n")[0] == 2
    assert marks(world, "made") == ([TKE, FINALIZER], True)
    code, out, _ = command(world, "release", "--all", given=f"{CLUSTER}\n")
    assert (code, out) == (0, "Ingress shop/lent: released\nIngress shop/made: released\n2 in all\n")
    for name in ("made", "lent"):
        assert marks(world, name) == ([TKE], False)
    assert command(world, "release", "--all", "--yes") == (0, "0 in all\n", "")
    assert (writes(world), world.load_balancers()) == ({}, state)

    for name in ("made", "lent"):
        world.kube.delete("Ingress", name, "shop")
    tke(world).sync()
    assert world.kube.all("Ingress", "shop") == []
    (lent,) = world.load_balancers().values()
    assert (lent["id"], lent["listeners"], lent["tags"]) == ("lb-0000lent", [], {})


def test_what_l7lb_made_is_deleted_by_tkes_controller_after_going_back(world: World) -> None:
    scale(world, 0)
    world.start()
    world.kube.create(ingress("new", "shop", rule("new.example.com", "web")))
    uid = world.ready("new", "shop")["metadata"]["uid"]
    assert world.controller is not None
    assert world.controller.terminate() == 0
    assert command(world, "release", "--all", "--yes")[0] == 0
    back = tke(world)
    back.sync()
    assert marks(world, "new") == ([TKE], False)
    world.kube.delete("Ingress", "new", "shop")
    back.sync()
    assert world.of(uid) == []
    assert world.kube.find("Ingress", "new", "shop") is None


def test_what_is_being_deleted_and_held_by_nobody_else_is_left_to_run(world: World) -> None:
    scale(world, 0)
    controller = world.start()
    world.kube.create(ingress("going", "shop", rule("going.example.com", "web")))
    world.ready("going", "shop")
    assert controller.terminate() == 0
    world.kube.delete("Ingress", "going", "shop")
    code, out, _ = command(world, "release", "--all", "--yes")
    assert code == 1
    assert "Ingress shop/going: left: it is being deleted" in out
    assert marks(world, "going") == ([FINALIZER], True)


def test_an_uninstall_of_what_watches_one_namespace_leaves_nothing_behind_in_others(world: World) -> None:
    """It was taken before the flag was given; with its finalizer left on it could never be deleted."""
    scale(world, 0)
    controller = world.start()
    world.kube.create(ingress("mine", "shop", rule("mine.example.com", "web"), ingressClassName="qcloud"))
    world.ready("mine", "shop")
    assert controller.terminate() == 0
    for policy in ("refuse", "keep"):
        code, out, _ = command(world, "leave", "--deployment=l7lb/l7lb", f"--policy={policy}", "--watch-namespace=blog")
        assert (code, "shop/mine would be left" in out) == (1, True), out
    assert marks(world, "mine") == ([FINALIZER], True)


def test_what_is_being_deleted_and_held_by_tkes_controller_is_named_as_its_to_end(world: World) -> None:
    world.kube.delete("Ingress", "made", "shop")
    code, out, _ = command(world, "adopt", "--dry-run")
    assert code == 2
    assert "Ingress shop/made (ap-guangzhou/lb-0000made): waits, 0 writes\n  waits: it is being deleted, and" in out
    scale(world, 0)
    assert command(world, "adopt", "--apply")[0] == 2
    assert marks(world, "made") == ([TKE], False)
    assert writes(world) == {}
    tke(world).sync()
    assert [one["metadata"]["name"] for one in world.kube.all("Ingress", "shop")] == ["lent"]
    assert command(world, "adopt", "--dry-run")[0] == 0
