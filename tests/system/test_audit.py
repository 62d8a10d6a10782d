"""`l7lb audit` as a command, against both API servers: from outside, reading only, with its exit codes."""

import json
from collections.abc import Iterator

import pytest

from tests import envtest
from tests.system.conftest import SERVERS
from tests.system.test_handing_over import command, writes
from tests.system.world import CLUSTER, FINALIZER, REGION, World, ingress, rule, service


@pytest.fixture(params=SERVERS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param and envtest.assets() is None:
        pytest.skip("no etcd and kube-apiserver in KUBEBUILDER_ASSETS")
    with World(real=request.param) as made:
        yield made


@pytest.mark.system
def test_an_audit_is_clean_then_finds_an_orphan_and_changes_nothing(world: World) -> None:
    controller = world.start()
    namespace = world.namespace("audit")
    world.kube.create(service("web", namespace, 31090))
    for name in ("web", "gone"):
        world.kube.create(ingress(name, namespace, rule(f"{name}.example.com", "web")))
        world.ready(name, namespace)
    assert controller.terminate() == 0
    written = writes(world)
    code, text, _ = command(world, "audit")
    assert (code, "2 Ingresses bear our finalizer" in text, "findings: 0" in text) == (0, True, True), text
    world.kube.patch("Ingress", "gone", namespace, {"metadata": {"finalizers": None}})
    uid = world.kube.get("Ingress", "gone", namespace)["metadata"]["uid"]
    world.kube.delete("Ingress", "gone", namespace)
    code, out, err = command(world, "audit", "--output=json")
    assert code == 2, err
    said = json.loads(out)
    assert said["cluster"] == CLUSTER
    assert said["regions"]["read"] == [REGION]
    by_use = {one["use"]: one for one in said["loadBalancers"]}
    assert by_use["orphan"]["ingressUid"] == uid
    assert by_use["used"]["ingresses"] == [f"{namespace}/web"]
    assert said["findings"] == 1
    assert writes(world) == written
    assert world.kube.get("Ingress", "web", namespace)["metadata"]["finalizers"] == [FINALIZER]


@pytest.mark.system
def test_an_audit_of_a_region_that_refuses_is_not_clean(world: World) -> None:
    code, text, _ = command(world, "audit", "--more-regions=ap-nowhere")
    assert code == 1
    assert "region ap-nowhere could not be read" in text
