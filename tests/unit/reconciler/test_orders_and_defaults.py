"""What counts only when a load balancer is made, what a new Ingress is given, and what the cloud says to an order."""

import pytest

from l7lb.model.marks import DIRECT_ACCESS, FINALIZER, LOAD_BALANCER_ID, RECORD, TKE_FINALIZER
from l7lb.model.snapshot import Switches
from l7lb.reconciler.defaults import annotated, of_a_new_one
from tests.simulation import manifests
from tests.simulation.world import World
from tests.unit.app.room import annotated as with_annotations
from tests.unit.app.room import named
from tests.unit.translator.builders import ingress, rule

BANDWIDTH = "kubernetes.io/ingress.internetMaxBandwidthOut"
CHARGE = "kubernetes.io/ingress.internetChargeType"
SNAT = "ingress.cloud.tencent.com/snat-pro-info"
NAMED = "kubernetes.io/ingress.existLbId"
CREATE = "CreateLoadBalancer"
ON = Switches(default_direct_access=True)


def _serve(world: World, annotations: dict[str, str] | None = None) -> None:
    world.users.create(manifests.ingress("shop", annotations=annotations))
    world.start()
    world.settle()


# what counts only at creation


@pytest.mark.parametrize("restarted", [False, True], ids=["same process", "after a restart"])
@pytest.mark.parametrize(
    ("name", "value"), [(BANDWIDTH, "200"), (CHARGE, "BANDWIDTH_POSTPAID_BY_HOUR"), (BANDWIDTH, None)]
)
def test_an_edit_of_what_counts_only_at_creation_is_told_and_changes_nothing(
    world: World, restarted: bool, name: str, value: str | None
) -> None:
    _serve(world, {BANDWIDTH: "100", CHARGE: "TRAFFIC_POSTPAID_BY_HOUR"})
    before = dict(world.account.lb().internet)
    if restarted:
        world.crash()
    world.users.annotate({name: value})
    world.account.forget_calls()
    if restarted:
        world.start()
    world.settle()
    assert world.account.writes() == {}
    assert world.account.lb().internet == before
    assert name in world.users.ingress().why
    assert any(note.reason == "NotApplied" and name in note.message for note in world.notes.all)


def test_an_edit_that_is_taken_back_is_not_told_any_more(world: World) -> None:
    _serve(world, {BANDWIDTH: "100"})
    world.users.annotate({BANDWIDTH: "200"})
    world.settle()
    world.users.annotate({BANDWIDTH: "100"})
    world.settle()
    assert BANDWIDTH not in world.users.ingress().why


def test_snat_addresses_go_into_the_order(world: World) -> None:
    _serve(world, {SNAT: '{"snatIps":[{"subnetId":"subnet-00000001"}]}'})
    assert world.account.lb().snat_pro
    assert world.users.ingress().is_ready


def test_snat_addresses_for_a_lent_one_are_told_as_not_applied(world: World) -> None:
    world.account.lend("lb-lent0001")
    _serve(world, {NAMED: "lb-lent0001", SNAT: '{"snatIps":[{"subnetId":"subnet-00000001"}]}'})
    assert not world.account.lb().snat_pro
    assert "snat-pro-info is not applied" in world.users.ingress().why
    assert world.users.ingress().is_ready


# what the cloud says to an order

ANSWERS = {
    "E4003": ("LimitExceeded", "quota"),
    "E4024": ("InvalidParameterValue", "VipIsp is not valid"),
    "E4025": ("ResourceInsufficient", "no room"),
    "E4027": ("FailedOperation.InsufficientBalance", "no money"),
    "E4033": ("InvalidParameterValue", "IPv6 is not supported in this region"),
    "E4053": ("ResourceInsufficient", "Subnet 'subnet-1' has no available IP address."),
    "E4055": ("InvalidParameterValue", "SubnetId is not valid"),
    "E4060": ("UnauthorizedOperation", "SnatPro is not enabled for this account"),
    "E4071": ("UnsupportedOperation", "The VPCs are not in one CCN"),
    "E4091": ("InvalidParameterValue", "Subnet 'subnet-1' is not found in the VPC."),
}


@pytest.mark.parametrize("code", ANSWERS)
def test_an_order_that_is_refused_is_told_with_tkes_code_and_leaves_no_mark(world: World, code: str) -> None:
    answer, message = ANSWERS[code]
    world.account.fault(CREATE, "error", code=answer, message=message)
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.run(60.0)
    seen = world.users.ingress()
    assert seen.why.partition(": ")[2].startswith(code)
    assert any(note.code == code for note in world.notes.all)
    assert (seen.finalizers, seen.addresses, world.account.lbs()) == ([], [], [])


def test_an_order_that_is_too_many_for_the_moment_is_told_and_placed_again(world: World) -> None:
    world.account.fault(CREATE, "error", code="RequestLimitExceeded", message="slowly", count=8)
    _serve(world)
    assert [note.reason for note in world.notes.all if note.code == "E4000"][:1] == ["CreateThrottled"]
    assert world.users.ingress().is_ready
    assert len(world.account.lbs()) == 1


# what a switch gives a new Ingress


def test_a_new_ingress_gets_direct_access_where_the_cluster_says_so() -> None:
    it = ingress(rule())
    added = of_a_new_one(it, ON, ())
    assert added == {DIRECT_ACCESS: "true"}
    assert annotated(it, added).annotations[DIRECT_ACCESS] == "true"
    assert of_a_new_one(it, Switches(), ()) == {}
    assert annotated(it, {}) is it


@pytest.mark.parametrize("name", [DIRECT_ACCESS, RECORD, LOAD_BALANCER_ID])
def test_one_that_says_it_itself_or_was_served_before_gets_nothing(name: str) -> None:
    assert of_a_new_one(with_annotations(ingress(rule()), **{name: "false"}), ON, ()) == {}


@pytest.mark.parametrize("finalizer", [FINALIZER, TKE_FINALIZER, "their/own"])
def test_one_that_somebody_holds_already_gets_nothing(finalizer: str) -> None:
    held = named(ingress(rule()), "shop", finalizers=(finalizer,))
    assert of_a_new_one(held, ON, ("their/own",)) == {}
