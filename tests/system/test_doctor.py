"""`l7lb doctor` as a command, against both API servers: it looks, asks for rights, tries reads, and writes nothing."""

import json
from collections.abc import Iterator

import pytest

from tests import envtest
from tests.system.conftest import SERVERS
from tests.system.kube import Json
from tests.system.rights import COMMANDS, documents, grant
from tests.system.test_handing_over import command, writes
from tests.system.world import World, ingress, rule, service


@pytest.fixture(scope="module", params=SERVERS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A cluster with a leader and one Ingress; on a kube-apiserver also with the roles of the manifests."""
    if request.param and envtest.assets() is None:
        pytest.skip("no etcd and kube-apiserver in KUBEBUILDER_ASSETS")
    with World(real=request.param) as made:
        if request.param:
            grant(made, [*documents(), *documents(COMMANDS)])
        made.namespace("shop")
        made.kube.create(service("web", "shop", 0))
        made.kube.create(ingress("web", "shop", rule("web.example.com", "web")))
        made.start()
        made.ready("web", "shop")
        yield made


def doctor(world: World, *arguments: str) -> tuple[int, Json]:
    code, out, err = command(world, "doctor", "-o", "json", *arguments)
    assert out, err
    return code, json.loads(out)


def check(report: Json, area: str, name: str) -> Json:
    return next(one for one in report["checks"] if (one["area"], one["name"]) == (area, name))


def test_a_cluster_is_looked_at_and_nothing_is_written(world: World) -> None:
    before, objects = writes(world), world.kube.all("Ingress", "shop")
    code, report = doctor(world)
    assert code == 2
    assert report["counts"]["fail"] == 0
    for area, name in (("cluster", "identity"), ("cluster", "rights"), ("control", "leader"), ("account", "rights")):
        assert check(report, area, name)["level"] == "ok", check(report, area, name)
    assert check(report, "control", "replicas")["says"].startswith("no pod")
    found = {one["action"]: one["finding"] for one in report["actions"]}
    assert {name.partition(":")[2].startswith("Describe") for name, one in found.items() if one == "allowed"} == {True}
    assert sorted(set(found.values())) == ["allowed", "unproven"]
    # The look at the cloud's clock names no action.
    assert {name: count for name, count in writes(world).items() if name} == before
    assert world.kube.all("Ingress", "shop") == objects


@pytest.mark.parametrize("form", [["--color=always"], []])
def test_people_read_lines(world: World, form: list[str]) -> None:
    code, out, err = command(world, "doctor", *form)
    assert (code, err) == (2, "")
    assert ("\x1b[32mok" in out) is bool(form)
    assert out.splitlines()[-1].startswith("l7lb ")


def test_wrong_keys_are_a_finding_beside_all_others(world: World) -> None:
    world.fault(action="DescribeLoadBalancers", kind="error", code="AuthFailure.SignatureFailure", count=20)
    try:
        code, report = doctor(world)
    finally:
        world.mend()
    assert code == 1
    assert check(report, "account", "credentials")["level"] == "fail"
    assert check(report, "control", "leader")["level"] == "ok"


def test_keys_that_are_not_there_are_a_finding_beside_all_others(world: World) -> None:
    code, report = doctor(world, "--credentials=file:/nonexistent")
    assert code == 1
    found = check(report, "account", "credentials")
    assert (found["level"], "the account was not asked" in found["says"]) == ("fail", True)
    assert check(report, "cluster", "rights")["level"] == "ok"
    assert check(report, "control", "leader")["level"] == "ok"
    assert report["actions"] == []


def test_the_rights_of_an_account_are_asked_for_by_its_name(world: World) -> None:
    if world.kube_emulator is not None:
        pytest.skip("the emulator gives everybody every right")
    accounts = "system:serviceaccount:l7lb:"
    _, report = doctor(world, f"--as={accounts}l7lb")
    assert check(report, "cluster", "rights")["level"] == "ok"
    code, report = doctor(world, f"--as={accounts}l7lb-look")
    assert code == 1
    lacking = {one["right"] for one in report["rights"] if not one["allowed"]}
    assert {"patch ingresses.networking.k8s.io", "create leases.coordination.k8s.io in kube-system"} <= lacking
    assert "list pods" not in lacking
