"""Addresses of load balancers: IPv6 in front of IPv4 targets, IPv6 throughout, and names instead of addresses."""

import pytest

from tests.simulation import manifests
from tests.simulation.world import World

EXTENSIVE = "kubernetes.io/ingress.extensiveParameters"
NAMED = "kubernetes.io/ingress.existLbId"
NAT64 = "ingress.cloud.tencent.com/loadbalance-nat-ipv6"
IPV6 = "ingress.cloud.tencent.com/loadbalance-ipv6"
ID = "kubernetes.io/ingress.qcloud-loadbalance-id"
FULL = '{"AddressIPVersion":"IPv6FullChain","SubnetId":"subnet-00000001"}'
SIX = {"node-six": "2402:4e00:10::1", "node-seven": "2402:4e00:10::2"}


def _nodes_with_ipv6(world: World) -> None:
    for name, address in SIX.items():
        world.users.create(manifests.node(name, address))


def _serve(world: World, annotations: dict[str, str], *rules: manifests.Json) -> None:
    world.users.create(manifests.ingress("shop", *rules, annotations=annotations))
    world.start()
    world.settle()


def _addresses(world: World) -> set[str]:
    return {address for _, address, _ in world.account.targets()}


def test_nat64_has_ipv4_targets_and_tells_its_address(world: World) -> None:
    _nodes_with_ipv6(world)
    _serve(world, {EXTENSIVE: '{"AddressIPVersion":"IPV6"}'})
    lb, seen = world.account.lb(), world.users.ingress()
    assert lb.ipv6_mode == "IPv6Nat64"
    assert _addresses(world) == {"10.0.0.1", "10.0.0.2"}
    assert seen.addresses == [lb.ipv6]
    assert (seen.annotations[NAT64], seen.annotations.get(IPV6)) == (lb.ipv6, None)


def test_full_chain_has_ipv6_targets_by_address_and_tells_its_address(world: World) -> None:
    _nodes_with_ipv6(world)
    _serve(world, {EXTENSIVE: FULL})
    lb, seen = world.account.lb(), world.users.ingress()
    assert lb.ipv6_mode == "IPv6FullChain"
    assert _addresses(world) == set(SIX.values())
    assert seen.addresses == [lb.ipv6]
    assert (seen.annotations[IPV6], seen.annotations.get(NAT64)) == (lb.ipv6, None)


def test_full_chain_without_an_ipv6_node_is_refused_and_not_bought(world: World) -> None:
    _serve(world, {EXTENSIVE: FULL})
    assert "E4032" in world.users.ingress().why
    assert world.account.lbs() == []


def test_full_chain_without_a_subnet_is_refused_by_the_cloud_and_told(world: World) -> None:
    _nodes_with_ipv6(world)
    _serve(world, {EXTENSIVE: '{"AddressIPVersion":"IPv6FullChain"}'})
    assert "E4024" in world.users.ingress().why
    assert world.account.lbs() == []


def test_a_region_without_ipv6_is_told(world: World) -> None:
    world.account.fault(
        "CreateLoadBalancer", "error", code="InvalidParameterValue", message="IPv6 is not supported in this region"
    )
    _serve(world, {EXTENSIVE: '{"AddressIPVersion":"IPV6"}'})
    assert "E4033" in world.users.ingress().why


@pytest.mark.parametrize(
    ("mode", "targets"),
    [("IPv6Nat64", {"10.0.0.1", "10.0.0.2"}), ("IPv6FullChain", set(SIX.values()))],
)
def test_the_family_of_a_lent_one_is_known_by_looking_at_it(world: World, mode: str, targets: set[str]) -> None:
    """No annotation says it; a rule without a host is then held, and the others are served."""
    _nodes_with_ipv6(world)
    world.account.lend("lb-lent0001", ipv6="2402:4e00:80::9", ipv6_mode=mode)
    hostless = manifests.rule("x")
    del hostless["host"]
    _serve(world, {NAMED: "lb-lent0001"}, manifests.rule("a.example.com"), hostless)
    assert "E4034" in world.users.ingress().why
    assert _addresses(world) == targets
    assert world.account.paths() == {"a.example.com/"}
    assert world.users.ingress().addresses == ["2402:4e00:80::9"]


def test_the_family_is_known_after_a_restart_without_a_write(world: World) -> None:
    _nodes_with_ipv6(world)
    world.account.lend("lb-lent0001", ipv6="2402:4e00:80::9", ipv6_mode="IPv6FullChain")
    _serve(world, {NAMED: "lb-lent0001"})
    assert world.users.ingress().record["site"] == ["ipv6fullchain", False]
    world.crash()
    world.account.forget_calls()
    world.start()
    world.settle()
    assert world.account.writes() == {}


def test_what_was_told_as_annotations_is_taken_back_when_we_let_go(world: World) -> None:
    _serve(world, {EXTENSIVE: '{"AddressIPVersion":"IPV6"}'})
    world.users.annotate({"kubernetes.io/ingress.class": "nginx"})
    world.settle()
    seen = world.users.ingress()
    assert not {NAT64, IPV6, ID} & seen.annotations.keys()
    assert seen.addresses == []


def test_a_domain_based_one_is_told_by_its_name_and_serves_rules_without_a_host() -> None:
    world = World(switches={"public_address": "domain"})
    hostless = manifests.rule("x")
    del hostless["host"]
    _serve(world, {}, hostless)
    lb = world.account.lb()
    assert world.users.ingress().addresses == [lb.domain]
    assert world.account.paths() == {f"{lb.domain}/"}
    world.account.forget_calls()
    world.live().verify()
    world.settle()
    assert world.account.writes() == {}


def test_a_lent_domain_based_one_serves_rules_without_a_host(world: World) -> None:
    world.account.lend("lb-lent0001", domain="lb-lent0001.example.net")
    hostless = manifests.rule("x")
    del hostless["host"]
    _serve(world, {NAMED: "lb-lent0001"}, hostless)
    assert world.account.paths() == {"lb-lent0001.example.net/"}
    assert world.users.ingress().addresses == ["lb-lent0001.example.net"]
