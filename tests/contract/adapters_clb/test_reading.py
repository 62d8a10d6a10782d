"""Lists over pages, quotas, lanes, and what the wire does to an answer."""

import pytest

from l7lb import errors
from l7lb.adapters.clb.calls import Request
from l7lb.model.identity import CloudRef, LoadBalancerId
from l7lb.model.lane import Lane
from l7lb.model.plan import AddTags, Bindings, CreateListeners
from tests.contract.adapters_clb.conftest import Rent
from tests.contract.adapters_clb.tenant import HTTP, REGION, TAGS, Tenant
from tests.emulators.clb.faults import Fault
from tests.emulators.clb.nouns import LoadBalancer
from tests.emulators.clb.nouns import Redirect as StoredRedirect
from tests.emulators.clb.world import set_tags


def fill(tenant: Tenant, count: int) -> set[str]:
    """So many load balancers of our cluster, one a second."""
    world = tenant.emulator.world
    for number in range(count):
        lb_id = world.new_id("lb")
        lb = LoadBalancer(lb_id, REGION, f"n{number}", "OPEN", float(number), vip="127.80.1.1", status=1)
        set_tags(lb, dict(TAGS), 0.0, 0.0)
        world.load_balancers[lb_id] = lb
    return set(world.load_balancers)


def test_pages_are_joined_oldest_first_in_as_few_calls_as_possible(tenant: Tenant) -> None:
    ids = fill(tenant, 250)
    found = tenant.cloud.find(REGION, {"tke-clusterId": "cls-test"})
    assert {head.ref.id for head in found} == ids
    assert [head.created for head in found] == sorted(head.created for head in found)
    assert tenant.calls() == {"DescribeLoadBalancers": 3}


@pytest.mark.parametrize("paging", ["shift_left", "shift_right"])
@pytest.mark.parametrize("seed", range(5))
def test_pages_that_shift_lose_nothing(rent: Rent, paging: str, seed: int) -> None:
    tenant = rent(switches={"paging": paging}, seed=seed)
    ids = fill(tenant, 250)
    assert {head.ref.id for head in tenant.cloud.find(REGION, {"tke-clusterId": "cls-test"})} == ids


def test_only_those_that_bear_all_tags_are_found(tenant: Tenant) -> None:
    head = tenant.create()
    assert tenant.cloud.find(REGION, dict(TAGS)) == (head,)
    assert tenant.cloud.find(REGION, {**dict(TAGS), "tke-lb-ingress-uuid": "uid-2"}) == ()
    assert tenant.cloud.find("ap-shanghai", dict(TAGS)) == ()
    with pytest.raises(errors.UnauthorizedPlan):
        tenant.cloud.find(REGION, {})


def test_twenty_heads_are_read_in_one_call(tenant: Tenant) -> None:
    fill(tenant, 20)
    refs = tuple(CloudRef(REGION, LoadBalancerId(lb_id)) for lb_id in tenant.emulator.world.load_balancers)
    assert set(tenant.cloud.heads(refs)) == set(refs)
    assert tenant.calls() == {"DescribeLoadBalancers": 1}
    with pytest.raises(errors.UnauthorizedPlan):
        tenant.cloud.heads((*refs, *refs))


def test_quotas_are_read_when_they_are_older_than_wanted_and_old_ones_serve_while_they_cannot_be_read(
    tenant: Tenant,
) -> None:
    tenant.emulator.world.quotas["TOTAL_TARGET_BIND_QUOTA"] = 200
    assert tenant.cloud.limits(REGION).targets_per_rule == 200
    tenant.now += 3600
    assert tenant.cloud.limits(REGION).rules_per_listener == 50
    assert tenant.calls() == {"DescribeQuota": 1}
    tenant.emulator.world.quotas["TOTAL_TARGET_BIND_QUOTA"] = 300
    tenant.emulator.gateway.faults.add(Fault("DescribeQuota", "error", code="InternalError"))
    assert tenant.cloud.limits(REGION, 3600.0).targets_per_rule == 200
    assert tenant.cloud.limits(REGION, 3600.0).targets_per_rule == 300
    assert tenant.calls() == {"DescribeQuota": 3}


def test_load_balancers_that_were_ordered_since_are_counted(tenant: Tenant) -> None:
    before = tenant.cloud.limits(REGION)
    tenant.create()
    after = tenant.cloud.limits(REGION)
    assert (before.public_used, after.public_used, after.internal_used) == (0, 1, 0)
    assert tenant.calls()["DescribeQuota"] == 1
    assert tenant.cloud.limits(REGION, 0.0) == after


@pytest.mark.parametrize("shape", ["null", "empty_object"])
def test_a_rule_without_a_redirect_has_none_in_either_shape(rent: Rent, shape: str) -> None:
    tenant = rent(switches={"rewrite_target": shape})
    head, _ = tenant.shop()
    assert tenant.listener(head, HTTP).redirects == {}


def test_a_redirect_is_seen_on_its_source(tenant: Tenant) -> None:
    head, bindings = tenant.shop()
    tenant.run(CreateListeners("HTTP", (81,), "x"), bindings)
    source = tenant.listener(head, HTTP)
    (location,) = source.locations.values()
    rule = tenant.emulator.world.load_balancers[head.ref.id].listeners[source.id].rules[location]
    rule.redirect = StoredRedirect("lbl-target", "loc-target", 301, take_url=True, kind="Manual")
    (redirect,) = tenant.listener(head, HTTP).redirects.values()
    assert (redirect.listener, redirect.location, redirect.code) == ("lbl-target", "loc-target", 301)


def test_listeners_of_a_lender_on_layer_4_are_seen_and_have_no_rules(tenant: Tenant) -> None:
    head = tenant.create()
    request = Request(
        "clb", "CreateListener", {"LoadBalancerId": head.ref.id, "Ports": [22], "Protocol": "TCP"}, write=True
    )
    tenant.cloud.caller.call(request, region=REGION, lane=Lane.CHANGE)
    tenant.emulator.advance(60)
    (found,) = tenant.cloud.listeners(head)
    assert (str(found.spec.key), found.spec.rules, found.spec.hosts) == ("TCP:22", (), ())
    assert tenant.cloud.targets(head.ref) == {}


def test_compressed_answers_are_read(rent: Rent) -> None:
    tenant = rent(switches={"gzip_answers": True})
    head, _ = tenant.shop()
    assert tenant.head(head.ref.id) == head


@pytest.mark.parametrize("kind", ["http_500", "drop_before", "drop_after"])
def test_a_read_is_tried_again_at_once(tenant: Tenant, kind: str) -> None:
    head = tenant.create()
    tenant.emulator.gateway.faults.add(Fault("DescribeLoadBalancers", kind))
    assert tenant.head(head.ref.id) == head


@pytest.mark.parametrize("kind", ["http_500", "drop_before", "drop_after"])
def test_a_write_that_may_have_happened_is_never_sent_again(tenant: Tenant, kind: str) -> None:
    head = tenant.create()
    tenant.emulator.gateway.faults.add(Fault("ModifyResourceTags", kind))
    with pytest.raises(errors.Unavailable):
        tenant.run(AddTags((("team", "a"),)), Bindings(head.ref.id))
    sent = [record for record in tenant.records if record.action == "ModifyResourceTags"]
    assert [record.code for record in sent] == ["NoAnswer"]
    assert ("team" in tenant.head(head.ref.id).tags) is (kind == "drop_after")


def test_a_write_that_was_refused_for_rate_is_sent_again(tenant: Tenant) -> None:
    head = tenant.create()
    tenant.emulator.gateway.faults.add(Fault("ModifyResourceTags", "error", code="RequestLimitExceeded"))
    tenant.run(AddTags((("team", "a"),)), Bindings(head.ref.id))
    assert tenant.head(head.ref.id).tags["team"] == "a"


def test_wrong_keys_are_access_denied_and_say_which_right(tenant: Tenant) -> None:
    tenant.emulator.gateway.faults.add(
        Fault("DescribeQuota", "error", code="UnauthorizedOperation", message="no right to clb:DescribeQuota")
    )
    with pytest.raises(errors.AccessDenied, match="no right to clb:DescribeQuota"):
        tenant.cloud.limits(REGION)


def test_the_guard_is_asked_before_each_write_and_never_before_a_read(tenant: Tenant) -> None:
    head = tenant.create()

    def closed() -> None:
        raise errors.LostLeadership("not the leader")

    tenant.guard = closed
    before = sum(tenant.calls().values())
    with pytest.raises(errors.LostLeadership):
        tenant.cloud.perform(REGION, AddTags((("team", "a"),)), Bindings(head.ref.id))
    assert sum(tenant.calls().values()) == before
    assert tenant.head(head.ref.id) == head
