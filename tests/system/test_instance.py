"""The load balancer itself, end to end: elsewhere, over IPv6, by name, protected; the command against real servers."""

from collections.abc import Iterator

import pytest

from tests.system.pods import Pods
from tests.system.world import LOAD_BALANCER_ID, World, ingress, rule, service, tree

pytestmark = pytest.mark.system

HOST = "shop.example.com"
THERE = {
    "ingress.cloud.tencent.com/cross-region-id": "ap-shanghai",
    "ingress.cloud.tencent.com/cross-vpc-id": "vpc-2remote7",
}
EXTENSIVE = "kubernetes.io/ingress.extensiveParameters"
PROTECTION = "ingress.cloud.tencent.com/modification-protection"
BANDWIDTH = "kubernetes.io/ingress.internetMaxBandwidthOut"


@pytest.fixture(scope="module")
def named() -> Iterator[World]:
    """A newer account: public load balancers have names instead of addresses."""
    with World(setup={"switches": {"public_address": "domain"}}) as world:
        world.start()
        world.leads()
        yield world


def shop(world: World, namespace: str, annotations: dict[str, str] | None = None, host: str | None = HOST) -> str:
    world.namespace(namespace)
    world.kube.create(service("web", namespace, 0))
    made = world.kube.create(ingress("web", namespace, rule(host, "web"), annotations=annotations))
    return str(made["metadata"]["uid"])


def test_one_in_another_region_lives_and_dies_there(world: World) -> None:
    uid = shop(world, "elsewhere", THERE)
    world.ready("web", "elsewhere")
    (lb,) = world.of(uid)
    assert (lb["region"], lb["vpc_id"]) == ("ap-shanghai", "vpc-2remote7")
    targets = lb["listeners"][0]["rules"][0]["targets"]
    assert {(one["instance_id"], one["ip"]) for one in targets} == {("", "127.10.0.1"), ("", "127.10.0.2")}
    world.gone("web", "elsewhere")
    assert world.of(uid) == []


def test_nat64_is_told_as_tke_tells_it(world: World) -> None:
    uid = shop(world, "nat64", {EXTENSIVE: '{"AddressIPVersion":"IPV6"}'})
    found = world.ready("web", "nat64")
    (lb,) = world.of(uid)
    assert found["metadata"]["annotations"]["ingress.cloud.tencent.com/loadbalance-nat-ipv6"] == lb["ipv6"]
    assert found["metadata"]["annotations"][LOAD_BALANCER_ID] == lb["id"]
    assert found["status"]["loadBalancer"]["ingress"] == [{"ip": lb["ipv6"]}]


def test_full_chain_in_a_cluster_without_ipv6_is_refused(world: World) -> None:
    uid = shop(world, "six", {EXTENSIVE: '{"AddressIPVersion":"IPv6FullChain"}'})
    world.not_ready("web", "six", "E4032")
    assert world.of(uid) == []


def test_protection_is_told_and_what_it_forbids_waits(world: World) -> None:
    uid = shop(world, "guarded", {PROTECTION: "true"})
    world.ready("web", "guarded")
    world.said("web", "guarded", "NotSupported")
    (lb,) = world.of(uid)
    world.console(edit="update", load_balancer=lb["id"], fields={"operate_protect": "uin-1"})
    world.kube.annotate("web", "guarded", **{"ingress.cloud.tencent.com/pass-to-target": "true"})
    world.not_ready("web", "guarded", "ModificationProtected")
    world.said("web", "guarded", "ModificationProtected")
    assert world.of(uid)[0]["pass_to_target"] is False
    world.console(edit="update", load_balancer=lb["id"], fields={"operate_protect": ""})


def test_a_later_bandwidth_is_told_and_does_nothing(world: World) -> None:
    uid = shop(world, "bandwidth", {BANDWIDTH: "100"})
    world.ready("web", "bandwidth")
    world.kube.annotate("web", "bandwidth", **{BANDWIDTH: "200"})
    world.said("web", "bandwidth", "NotApplied")
    assert world.of(uid)[0]["internet"]["InternetMaxBandwidthOut"] == 100


SWITCHES = "tke-service-controller-config"
DIRECT = "ingress.cloud.tencent.com/direct-access"


def test_a_new_ingress_gets_direct_access_by_the_clusters_switch_and_an_older_one_does_not() -> None:
    with World() as world:
        data = {"EnableIngressController": "false", "EnableDefaultDirectAccess": "false"}
        meta = {"name": SWITCHES, "namespace": "kube-system"}
        world.kube.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})
        controller = world.start()
        world.leads()
        before = shop(world, "older")
        world.ready("web", "older")
        assert controller.terminate() == 0
        data["EnableDefaultDirectAccess"] = "true"
        world.kube.patch("ConfigMap", SWITCHES, "kube-system", {"data": data})
        world.start()
        world.leads(2)
        world.namespace("newer")
        pods = Pods(world.kube, "newer", "web", port_name="")
        world.kube.create(service("web", "newer", 0))
        pods.run("web-0", "172.16.0.10")
        pods.endpoints(**{"web-0": ("172.16.0.10", "ready")})
        made = world.kube.create(ingress("web", "newer", rule(HOST, "web")))
        found = world.ready("web", "newer")
        assert found["metadata"]["annotations"][DIRECT] == "true"
        (lb,) = world.of(made["metadata"]["uid"])
        assert tree(lb) == {"HTTP:80": {f"{HOST}/": [8080]}}
        world.kube.annotate("web", "older", **{"example.com/try": "again"})
        world.gone("web", "newer")
        assert DIRECT not in world.kube.get("Ingress", "web", "older")["metadata"]["annotations"]
        assert {target["ip"] for target in world.of(before)[0]["listeners"][0]["rules"][0]["targets"]} == {
            "127.10.0.1",
            "127.10.0.2",
        }


def test_one_that_has_a_name_is_told_by_it_and_serves_a_rule_without_a_host(named: World) -> None:
    uid = shop(named, "by-name", host=None)
    found = named.ready("web", "by-name")
    (lb,) = named.of(uid)
    assert found["status"]["loadBalancer"]["ingress"] == [{"hostname": lb["domain"]}]
    assert list(tree(lb)["HTTP:80"]) == ["/"]
    named.gone("web", "by-name")
