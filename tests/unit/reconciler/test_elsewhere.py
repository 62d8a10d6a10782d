"""Load balancers in another region or VPC than the cluster: made, found, served by address, given back there."""

import pytest

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.outages import Outage
from tests.simulation.world import World

REGION = "ingress.cloud.tencent.com/cross-region-id"
VPC = "ingress.cloud.tencent.com/cross-vpc-id"
NAMED = "kubernetes.io/ingress.existLbId"
EXTENSIVE = "kubernetes.io/ingress.extensiveParameters"
SNAT = "ingress.cloud.tencent.com/snat-pro-info"
THERE = {REGION: "ap-shanghai", VPC: "vpc-6sh0remo"}
ADDRESSES = {"10.0.0.1", "10.0.0.2"}


def _serve(world: World, annotations: dict[str, str]) -> str:
    uid = world.users.create(manifests.ingress("shop", annotations=annotations))
    world.start()
    world.settle()
    return uid


def _bound(world: World) -> set[tuple[str, str]]:
    """(instance id, address) of everything that is bound to the first rule."""
    rule = next(iter(world.account.listener().rules.values()))
    return {(target.instance_id, target.ip) for target in rule.targets}


def test_one_is_made_in_the_region_and_vpc_that_are_named_and_its_targets_are_addresses(
    world: World, watchman: Watchman
) -> None:
    _serve(world, THERE)
    lb = world.account.lb()
    assert (lb.region, lb.vpc_id) == ("ap-shanghai", "vpc-6sh0remo")
    assert _bound(world) == {("", address) for address in ADDRESSES}
    assert world.users.ingress().is_ready
    assert world.users.ingress().record["region"] == "ap-shanghai"
    watchman.check_rest()


def test_one_in_another_vpc_of_the_same_region_is_served_by_address_too(world: World) -> None:
    _serve(world, {VPC: "vpc-00other1"})
    assert (world.account.lb().region, world.account.lb().vpc_id) == ("ap-guangzhou", "vpc-00other1")
    assert _bound(world) == {("", address) for address in ADDRESSES}


def test_it_goes_with_its_ingress(world: World, watchman: Watchman) -> None:
    _serve(world, THERE)
    world.users.delete()
    world.settle()
    assert world.account.lbs() == []
    assert world.users.find() is None
    watchman.check_rest()


def test_a_successor_finds_it_there_and_writes_nothing(world: World, watchman: Watchman) -> None:
    _serve(world, THERE)
    world.crash()
    world.account.forget_calls()
    world.start()
    world.settle()
    assert world.account.writes() == {}
    assert world.users.ingress().is_ready
    watchman.check_rest()


def test_a_lost_order_is_found_in_its_region_and_not_placed_twice(world: World, watchman: Watchman) -> None:
    world.users.create(manifests.ingress("shop", annotations=THERE))
    world.account.fault("CreateLoadBalancer", "drop_after")
    world.start()
    world.settle()
    assert world.account.lb().region == "ap-shanghai"
    watchman.check_rest()


def test_a_lent_one_is_looked_for_in_the_region_that_is_named(world: World, watchman: Watchman) -> None:
    world.account.lend("lb-lent0001", region="ap-shanghai", vpc_id="vpc-6sh0remo")
    watchman.remember()
    uid = _serve(world, {NAMED: "lb-lent0001", REGION: "ap-shanghai"})
    assert world.account.lb().tags["tke-lb-ingress-uuid"] == uid
    assert _bound(world) == {("", address) for address in ADDRESSES}
    world.users.delete()
    world.settle()
    assert world.account.lb().tags == {"team": "owner"}
    watchman.check_rest()


def test_a_lent_one_in_another_vpc_is_known_by_looking_at_it(world: World, watchman: Watchman) -> None:
    world.account.lend("lb-lent0001", vpc_id="vpc-00other1")
    watchman.remember()
    _serve(world, {NAMED: "lb-lent0001"})
    assert _bound(world) == {("", address) for address in ADDRESSES}
    watchman.check_rest()


def test_one_that_is_named_without_its_region_is_not_found(world: World, watchman: Watchman) -> None:
    world.account.lend("lb-lent0001", region="ap-shanghai")
    watchman.remember()
    _serve(world, {NAMED: "lb-lent0001"})
    assert "E4018" in world.users.ingress().why
    assert world.account.writes() == {}


def test_another_region_later_is_told_and_changes_nothing(world: World) -> None:
    _serve(world, THERE)
    world.account.forget_calls()
    world.users.annotate({REGION: "ap-beijing"})
    world.settle()
    assert world.account.writes() == {}
    assert "ap-shanghai" in world.users.ingress().why
    assert any(note.reason == "NotApplied" for note in world.notes.all)


@pytest.mark.parametrize(
    ("annotations", "code"),
    [
        pytest.param({REGION: "ap-shanghai"}, "E4024", id="no VPC there"),
        pytest.param({EXTENSIVE: '{"VpcId":"vpc-6sh0remo"}'}, "E4024", id="VPC in the JSON alone"),
        pytest.param({**THERE, SNAT: '{"snatIps":[{"subnetId":"subnet-00000001"}]}'}, "E4084", id="SNAT Pro"),
        pytest.param({**THERE, REGION: "ap-nowhere"}, "UnsupportedRegion", id="no such region"),
    ],
)
def test_what_cannot_be_made_is_said_and_nothing_is_bought(
    world: World, annotations: dict[str, str], code: str
) -> None:
    _serve(world, annotations)
    assert code in world.users.ingress().why
    assert world.account.lbs() == []
    assert world.users.ingress().finalizers == []


def test_the_vpc_may_stand_in_the_json_when_the_region_is_another(world: World) -> None:
    _serve(world, {REGION: "ap-shanghai", EXTENSIVE: '{"VpcId":"vpc-6sh0remo","ZoneId":"ap-shanghai-2"}'})
    lb = world.account.lb()
    assert (lb.region, lb.vpc_id, lb.zone) == ("ap-shanghai", "vpc-6sh0remo", "ap-shanghai-2")


def test_a_vpc_that_is_in_no_ccn_with_the_clusters_is_told(world: World) -> None:
    world.account.fault(
        "BatchRegisterTargets", "error", code="InvalidParameterValue", message="The VPCs are not in one CCN", count=0
    )
    world.users.create(manifests.ingress("shop", annotations=THERE))
    world.start()
    world.run(30.0)
    assert "E4071" in world.users.ingress().why


HERE_AND_THERE = ("ap-guangzhou", "ap-shanghai")


def _two_regions(world: World) -> None:
    """`shop` is served there, `blog` here; the process has ended."""
    _serve(world, THERE)
    world.users.create(manifests.ingress("blog", manifests.rule("blog.example.com")))
    world.settle()
    world.crash()


def _hosts_here(world: World) -> set[str]:
    here = next(lb for lb in world.account.lbs() if lb.region == HERE_AND_THERE[0])
    return {host for one in here.listeners.values() for rule in one.rules.values() for host in rule.domains}


@pytest.mark.parametrize("outage", [Outage(HERE_AND_THERE[1]), Outage(HERE_AND_THERE[1], code="RequestLimitExceeded")])
def test_while_a_region_does_not_answer_a_successor_serves_all_others_and_takes_nothing_away(
    world: World, watchman: Watchman, monkeypatch: pytest.MonkeyPatch, outage: Outage
) -> None:
    _two_regions(world)
    outage.begin(world, monkeypatch)
    world.start_anyhow()
    world.users.rules(manifests.rule("new.example.com"), name="blog")
    world.users.delete("shop")
    world.run(120.0)
    assert outage.tried
    assert _hosts_here(world) == {"blog.example.com", "new.example.com"}
    assert "ap-shanghai does not say yet" in world.users.ingress("blog").why
    assert sorted(lb.region for lb in world.account.lbs()) == list(HERE_AND_THERE)
    outage.end()
    world.settle()
    assert _hosts_here(world) == {"new.example.com"}
    assert {lb.region for lb in world.account.lbs()} == {HERE_AND_THERE[0]}
    watchman.check_rest()


def test_a_region_that_says_no_holds_deletes_there_and_nowhere_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _two_regions(world)
    outage = Outage(HERE_AND_THERE[1], code="UnauthorizedOperation", actions=("DescribeTargetHealth",))
    outage.begin(world, monkeypatch)
    world.start()
    world.users.delete("shop")
    world.users.rules(manifests.rule("new.example.com"), name="blog")
    world.run(600.0)
    assert _hosts_here(world) == {"new.example.com"}
    assert sorted(lb.region for lb in world.account.lbs()) == list(HERE_AND_THERE)
    outage.end()
    world.settle()
    assert {lb.region for lb in world.account.lbs()} == {HERE_AND_THERE[0]}
