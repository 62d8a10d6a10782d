"""Each kind of step, performed and read back."""

import pytest

from l7lb import errors
from l7lb.model.identity import ListenerKey, RuleKey, RuleRef
from l7lb.model.loadbalancer import (
    Certificate,
    CreateSpec,
    HealthCheck,
    HostSpec,
    ListenerSpec,
    RuleSpec,
    Target,
    TargetKey,
)
from l7lb.model.plan import (
    AddTags,
    Bindings,
    CreateListeners,
    CreateLoadBalancer,
    CreateRules,
    DeleteListeners,
    DeleteLoadBalancer,
    DeleteRules,
    DeregisterTargets,
    ModifyHost,
    ModifyListener,
    ModifyLoadBalancer,
    ModifyRule,
    ModifyWeights,
    Placement,
    RegisterTargets,
    RemoveTags,
    SetSecurityGroups,
)
from tests.contract.adapters_clb.conftest import Rent
from tests.contract.adapters_clb.tenant import HTTP, HTTPS, REGION, SHOP, TAGS, Tenant, placed
from tests.emulators.clb.nouns import Instance

RSA = Certificate(frozenset({"certrsa1"}))
RSA_2 = Certificate(frozenset({"certrsa2"}))
BOTH = Certificate(frozenset({"certrsa1", "certecc1"}))
MUTUAL = Certificate(frozenset({"certrsa1"}), "certca01")


def test_a_public_load_balancer_is_bought_with_its_tags_and_read_back(tenant: Tenant) -> None:
    head = tenant.create()
    assert head.running
    assert head.application
    assert head.name == "web"
    assert dict(head.tags) == dict(TAGS)
    assert len(head.vips) == 1
    assert tenant.cloud.find(REGION, dict(TAGS)) == (head,)


def test_an_internal_load_balancer_stands_in_its_subnet(tenant: Tenant) -> None:
    spec = CreateSpec(internal_subnet="subnet-00000001", vpc_id="vpc-00000001", name="in")
    head = tenant.create(CreateLoadBalancer(spec, TAGS, "token-2"))
    made = tenant.emulator.world.load_balancers[head.ref.id]
    assert (made.kind, made.subnet_id) == ("INTERNAL", "subnet-00000001")


def test_extensive_parameters_win_over_annotations_and_never_over_identity(tenant: Tenant) -> None:
    spec = CreateSpec(
        name="wide",
        charge_type="TRAFFIC_POSTPAID_BY_HOUR",
        bandwidth_mbps=20,
        extensive=(
            ("InternetAccessible", '{"InternetMaxBandwidthOut": 50}'),
            ("Number", "7"),
            ("Tags", '[{"TagKey": "tke-clusterId", "TagValue": "cls-other"}, {"TagKey": "team", "TagValue": "a"}]'),
        ),
        tags=(("cost", "1"),),
    )
    head = tenant.create(CreateLoadBalancer(spec, TAGS, "token-3", pass_to_target=True))
    made = tenant.emulator.world.load_balancers[head.ref.id]
    assert made.internet == {"InternetChargeType": "TRAFFIC_POSTPAID_BY_HOUR", "InternetMaxBandwidthOut": 50}
    assert dict(head.tags) == {**dict(TAGS), "team": "a", "cost": "1"}
    assert head.pass_to_target


def test_the_same_client_token_gives_the_same_load_balancer(tenant: Tenant) -> None:
    assert tenant.create().ref == tenant.create().ref


def test_listeners_of_several_ports_are_made_in_one_call_and_bound_by_port(tenant: Tenant) -> None:
    head = tenant.create()
    accepted = tenant.run(CreateListeners("HTTP", (8080, 80), "mine", keepalive=True, snat=True), tenant.bindings(head))
    found = {item.spec.key: item for item in tenant.cloud.listeners(head)}
    assert {key: item.id for key, item in found.items()} == accepted.listeners
    assert found[HTTP].spec == ListenerSpec(HTTP, "mine", None, sni=False, keepalive=True, snat=True)
    assert tenant.calls()["CreateListener"] == 1


@pytest.mark.parametrize("certificate", [RSA, BOTH, MUTUAL], ids=["one", "two algorithms", "mutual"])
def test_a_listener_shows_the_certificates_that_it_was_given(tenant: Tenant, certificate: Certificate) -> None:
    head = tenant.create()
    tenant.run(CreateListeners("HTTPS", (443,), "x", certificate), tenant.bindings(head))
    assert tenant.listener(head, HTTPS).spec.certificate == certificate


def test_with_sni_each_host_shows_its_own_certificate(tenant: Tenant) -> None:
    head = tenant.create()
    tenant.run(CreateListeners("HTTPS", (443,), "x", RSA, sni=True), tenant.bindings(head))
    keys = (RuleKey("a.example.com", "/"), RuleKey("a.example.com", "/api"), RuleKey("b.example.com", "/"))
    hosts = (
        HostSpec("a.example.com", RSA, http2=True),
        HostSpec("b.example.com", BOTH, default=True),
    )
    tenant.run(CreateRules(HTTPS, tuple(map(RuleSpec, keys)), hosts), tenant.bindings(head))
    tenant.run(ModifyHost(HTTPS, hosts[0], HostSpec("a.example.com", RSA_2)), tenant.bindings(head))
    assert tenant.listener(head, HTTPS).spec.hosts == (
        HostSpec("a.example.com", RSA_2, http2=True, default=False),
        HostSpec("b.example.com", BOTH, http2=False, default=True),
    )


def test_a_listener_is_changed_in_the_fields_that_are_set(tenant: Tenant) -> None:
    head = tenant.create()
    tenant.run(CreateListeners("HTTPS", (443,), "old", RSA), tenant.bindings(head))
    before = tenant.listener(head, HTTPS).spec
    assert before == ListenerSpec(HTTPS, "old", RSA, sni=False, keepalive=False, snat=False)
    after = ListenerSpec(HTTPS, name="new", certificate=RSA_2, keepalive=True)
    tenant.run(ModifyListener(HTTPS, before, after), tenant.bindings(head))
    seen = tenant.listener(head, HTTPS).spec
    assert seen == ListenerSpec(HTTPS, "new", RSA_2, sni=False, keepalive=True, snat=False)
    tenant.run(ModifyListener(HTTPS, seen, ListenerSpec(HTTPS, snat=True, keepalive=False)), tenant.bindings(head))
    assert tenant.listener(head, HTTPS).spec == ListenerSpec(HTTPS, "new", RSA_2, False, False, True)


def test_rules_without_a_host_live_under_the_address_and_read_back_without(tenant: Tenant) -> None:
    bare = RuleKey("", "/")
    head, bindings = tenant.shop(bare, SHOP.rule)
    assert [rule.key for rule in tenant.listener(head, HTTP).spec.rules] == [bare, SHOP.rule]
    tenant.run(ModifyHost(HTTP, HostSpec(""), HostSpec("", default=True)), bindings)
    tenant.run(DeleteRules(HTTP, (bare,), new_default="shop.example.com"), bindings)
    assert tenant.listener(head, HTTP).spec.hosts == (HostSpec("shop.example.com", None, http2=False, default=True),)


def test_rules_without_a_host_live_under_the_name_of_a_domain_based_load_balancer(rent: Rent) -> None:
    tenant = rent(switches={"public_address": "domain"})
    head, _ = tenant.shop(RuleKey("", "/"))
    assert head.hostname
    assert not head.vips
    assert [rule.key for rule in tenant.listener(head, HTTP).spec.rules] == [RuleKey("", "/")]


def test_a_rule_is_created_with_what_is_set_and_changed_field_by_field(tenant: Tenant) -> None:
    head, _ = tenant.shop(RuleKey("other.example.com", "/"))
    check = HealthCheck(enabled=True, interval_s=7, http_code=3, path="/ok", method="GET", source_ip_type=1)
    made = RuleSpec(SHOP.rule, health_check=check, scheduler="LEAST_CONN")
    tenant.run(CreateRules(HTTP, (made,)), tenant.bindings(head))
    seen = tenant.rule(head, SHOP)
    assert (seen.scheduler, seen.session_s, seen.forward_type) == ("LEAST_CONN", 0, "HTTP")
    assert (seen.health_check.interval_s, seen.health_check.path, seen.health_check.timeout_s) == (7, "/ok", 2)
    after = RuleSpec(SHOP.rule, scheduler="WRR", session_s=60, health_check=HealthCheck(path="/live"))
    tenant.run(ModifyRule(HTTP, seen, after), tenant.bindings(head))
    changed = tenant.rule(head, SHOP)
    assert (changed.scheduler, changed.session_s) == ("WRR", 60)
    assert (changed.health_check.path, changed.health_check.interval_s) == ("/live", 7)


def test_targets_come_change_their_weight_and_go(tenant: Tenant) -> None:
    head, bindings = tenant.shop()
    tenant.emulator.world.instances["ins-00000001"] = Instance("ins-00000001", "10.0.0.9")
    by_instance = Placement(SHOP, Target(TargetKey("10.0.0.9", 30080), "ins-00000001"))
    first, second = placed(SHOP, "10.0.0.1"), placed(SHOP, "10.0.0.2", weight=3)
    accepted = tenant.run(RegisterTargets((first, second, by_instance)), bindings)
    assert accepted.task is None
    assert accepted.complete
    assert [(str(target.key), target.instance_id, target.weight) for target in tenant.targets(head, SHOP)] == [
        ("10.0.0.1:30080", None, 10),
        ("10.0.0.2:30080", None, 3),
        ("10.0.0.9:30080", "ins-00000001", 10),
    ]
    tenant.run(ModifyWeights((placed(SHOP, "10.0.0.1", weight=0), placed(SHOP, "10.0.0.2", weight=5))), bindings)
    assert [target.weight for target in tenant.targets(head, SHOP)] == [0, 5, 10]
    tenant.run(DeregisterTargets((first, by_instance)), bindings)
    assert [str(target.key) for target in tenant.targets(head, SHOP)] == ["10.0.0.2:30080"]


def test_a_batch_that_fails_in_part_is_not_complete(tenant: Tenant) -> None:
    _, bindings = tenant.shop()
    assert not tenant.run(DeregisterTargets((placed(SHOP, "10.0.0.1"),)), bindings).complete


def test_health_shows_bindings_of_many_load_balancers_in_one_call(tenant: Tenant) -> None:
    head, bindings = tenant.shop()
    tenant.run(RegisterTargets((placed(SHOP, "10.0.0.1", weight=7),)), bindings)
    listener = tenant.listener(head, HTTP)
    (found,) = tenant.cloud.health((head.ref,))[head.ref, listener.id, listener.locations[SHOP.rule]]
    assert (str(found.key), found.weight) == ("10.0.0.1:30080", 7)
    assert tenant.calls()["DescribeTargetHealth"] == 1


def test_tags_are_set_and_taken_off_one_load_balancer(tenant: Tenant) -> None:
    head = tenant.create()
    bound = Bindings(load_balancer=head.ref.id)
    tenant.run(AddTags((("team", "a"), ("tke-clusterId", "cls-new"))), bound)
    assert dict(tenant.head(head.ref.id).tags) == {**dict(TAGS), "team": "a", "tke-clusterId": "cls-new"}
    tenant.run(RemoveTags(("team", "tke-clusterId")), bound)
    left = dict(TAGS)
    del left["tke-clusterId"]
    assert dict(tenant.head(head.ref.id).tags) == left


def test_security_groups_are_the_whole_set_and_an_empty_one_unbinds(tenant: Tenant) -> None:
    head = tenant.create()
    bound = Bindings(load_balancer=head.ref.id)
    tenant.run(SetSecurityGroups(frozenset({"sg-00000001", "sg-00000002"})), bound)
    assert tenant.head(head.ref.id).security_groups == {"sg-00000001", "sg-00000002"}
    tenant.run(SetSecurityGroups(frozenset()), bound)
    assert tenant.head(head.ref.id).security_groups == frozenset()


def test_attributes_are_changed_as_declared(tenant: Tenant) -> None:
    head = tenant.create()
    tenant.run(ModifyLoadBalancer(delete_protection=True, pass_to_target=True), Bindings(head.ref.id))
    seen = tenant.head(head.ref.id)
    assert (seen.delete_protection, seen.pass_to_target) == (True, True)


def test_rules_and_listeners_are_deleted_by_id_and_nothing_else_goes(tenant: Tenant) -> None:
    api = RuleKey("shop.example.com", "/api")
    head, _ = tenant.shop(SHOP.rule, api)
    tenant.run(CreateListeners("HTTP", (8080,), "other"), tenant.bindings(head))
    tenant.run(DeleteRules(HTTP, (api,)), tenant.bindings(head))
    assert [rule.key for rule in tenant.listener(head, HTTP).spec.rules] == [SHOP.rule]
    tenant.run(DeleteListeners((HTTP,)), tenant.bindings(head))
    assert [item.spec.key for item in tenant.cloud.listeners(head)] == [ListenerKey("HTTP", 8080)]


def test_a_deleted_load_balancer_is_gone_and_deleting_it_again_is_done(tenant: Tenant) -> None:
    head, _ = tenant.shop()
    tenant.run(DeleteLoadBalancer(head.ref.id, proof="test"))
    with pytest.raises(errors.NotFound) as caught:
        tenant.cloud.listeners(head)
    assert caught.value.what == "load balancer"
    assert tenant.cloud.heads((head.ref,)) == {}
    assert tenant.run(DeleteLoadBalancer(head.ref.id, proof="test")).task is None


def test_every_step_is_one_call(tenant: Tenant) -> None:
    head, bindings = tenant.shop()
    before = sum(tenant.calls().values())
    tenant.cloud.perform(REGION, RegisterTargets((placed(SHOP, "10.0.0.1"),)), bindings)
    tenant.cloud.perform(REGION, DeleteRules(HTTP, (SHOP.rule,)), bindings)
    assert sum(tenant.calls().values()) == before + 2
    assert [record.code for record in tenant.records[-2:]] == ["OK", "OK"]
    assert RuleRef(HTTP, SHOP.rule) == SHOP
    assert head.ref.region == REGION
