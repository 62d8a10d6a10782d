"""What the cloud refuses, and the class that comes out of it."""

import pytest

from l7lb import errors
from l7lb.adapters.clb.errors import CLIENT_TOKEN_REFUSED
from l7lb.model.cloud import TaskStatus
from l7lb.model.identity import CloudRef, LoadBalancerId, RuleKey, TaskId
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import Certificate, CreateSpec, HostSpec, RuleSpec
from l7lb.model.plan import (
    Bindings,
    CreateListeners,
    CreateLoadBalancer,
    CreateRules,
    DeleteListeners,
    DeleteLoadBalancer,
    DeleteRules,
    ModifyHost,
    ModifyLoadBalancer,
    RegisterTargets,
    Step,
)
from tests.contract.adapters_clb.conftest import Rent
from tests.contract.adapters_clb.tenant import HTTP, REGION, SHOP, TAGS, Tenant, placed
from tests.emulators.clb.faults import Fault
from tests.emulators.clb.nouns import LoadBalancer


def stored(tenant: Tenant, bindings: Bindings) -> LoadBalancer:
    return tenant.emulator.world.load_balancers[bindings.load_balancer]


def test_a_second_write_while_a_task_runs_is_busy(rent: Rent) -> None:
    tenant = rent(latency=1.0)
    head = tenant.create()
    bound = Bindings(head.ref.id)
    accepted = tenant.cloud.perform(REGION, CreateListeners("HTTP", (80,), "x"), bound)
    with pytest.raises(errors.Busy):
        tenant.cloud.perform(REGION, CreateListeners("HTTP", (81,), "x"), bound)
    assert accepted.task is not None
    assert tenant.cloud.task(REGION, accepted.task).status is TaskStatus.RUNNING
    assert tenant.ended(accepted).status is TaskStatus.SUCCEEDED


def test_a_failed_task_says_why(tenant: Tenant) -> None:
    head = tenant.create()
    tenant.emulator.gateway.faults.add(Fault("CreateListener", "task_fail", message="no more ports"))
    accepted = tenant.cloud.perform(REGION, CreateListeners("HTTP", (80,), "x"), Bindings(head.ref.id))
    state = tenant.ended(accepted)
    assert state.status is TaskStatus.FAILED
    assert "no more ports" in state.message


@pytest.mark.parametrize("code", ["InvalidParameter", "FailedOperation"])
def test_a_forgotten_task_is_unknown(rent: Rent, code: str) -> None:
    tenant = rent(switches={"unknown_task_code": code})
    assert tenant.cloud.task(REGION, TaskId("0-1-2")).status is TaskStatus.UNKNOWN


@pytest.mark.parametrize("code", ["InvalidParameterValue.Duplicate", "InvalidParameterValue", "InvalidParameter"])
def test_a_double_rule_exists_already_whatever_the_code(rent: Rent, code: str) -> None:
    tenant = rent(switches={"duplicate_rule_code": code})
    _, bindings = tenant.shop()
    with pytest.raises(errors.AlreadyExists):
        tenant.run(CreateRules(HTTP, (RuleSpec(SHOP.rule),)), bindings)


def test_a_bad_path_is_rejected_and_not_taken_for_a_double(tenant: Tenant) -> None:
    _, bindings = tenant.shop()
    with pytest.raises(errors.Rejected):
        tenant.run(CreateRules(HTTP, (RuleSpec(RuleKey("shop.example.com", "/%20")),)), bindings)


@pytest.mark.parametrize("code", ["InvalidParameter.LocationNotFound", "InvalidParameter", "InvalidParameterValue"])
def test_a_rule_that_is_gone_is_not_found_whatever_the_code(rent: Rent, code: str) -> None:
    tenant = rent(switches={"missing_location_code": code})
    _, bindings = tenant.shop()
    tenant.run(DeleteRules(HTTP, (SHOP.rule,)), bindings)
    with pytest.raises(errors.NotFound) as caught:
        tenant.run(DeleteRules(HTTP, (SHOP.rule,)), bindings)
    assert caught.value.what == "rule"


def test_a_listener_that_is_gone_is_not_found(tenant: Tenant) -> None:
    _, bindings = tenant.shop()
    tenant.run(DeleteListeners((HTTP,)), bindings)
    with pytest.raises(errors.NotFound) as caught:
        tenant.run(DeleteListeners((HTTP,)), bindings)
    assert caught.value.what == "listener"


def test_a_port_that_is_taken_exists_already(tenant: Tenant) -> None:
    _, bindings = tenant.shop()
    with pytest.raises(errors.AlreadyExists):
        tenant.run(CreateListeners("HTTP", (80,), "x"), bindings)


QUOTAS: dict[str, Step] = {
    "E4003": CreateLoadBalancer(CreateSpec(), TAGS, "token-9"),
    "E4004": CreateListeners("HTTP", (81,), "x"),
    "E4005": CreateRules(HTTP, (RuleSpec(RuleKey("b.example.com", "/")),)),
    "E4054": RegisterTargets((placed(SHOP, "10.0.0.1"), placed(SHOP, "10.0.0.2"))),
}


@pytest.mark.parametrize("code", list(QUOTAS))
def test_each_quota_has_the_code_of_what_is_used_up(tenant: Tenant, code: str) -> None:
    _, bindings = tenant.shop()
    for name in tenant.emulator.world.quotas:
        tenant.emulator.world.quotas[name] = 1
    with pytest.raises(errors.QuotaExceeded) as caught:
        tenant.run(QUOTAS[code], bindings)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("spec", "kind", "code"),
    [
        (CreateSpec(internal_subnet="subnet-00000002", vpc_id="vpc-00000001"), errors.QuotaExceeded, "E4053"),
        (CreateSpec(internal_subnet="subnet-0000000z", vpc_id="vpc-00000001"), errors.Rejected, "E4091"),
        (CreateSpec(bandwidth_mbps=99999), errors.Rejected, "E4024"),
        (CreateSpec(extensive=(("Bogus", "1"),)), errors.Rejected, "E4024"),
    ],
)
def test_a_creation_that_is_refused_has_tkes_code(
    tenant: Tenant, spec: CreateSpec, kind: type[errors.TerminalError], code: str
) -> None:
    with pytest.raises(kind) as caught:
        tenant.run(CreateLoadBalancer(spec, TAGS, "token-8"))
    assert caught.value.code == code


@pytest.mark.parametrize(("id_", "code"), [("nosuchid", "E4036"), ("certexp1", "E4039")])
def test_a_bad_certificate_has_tkes_code(tenant: Tenant, id_: str, code: str) -> None:
    head = tenant.create()
    with pytest.raises(errors.Rejected) as caught:
        tenant.run(CreateListeners("HTTPS", (443,), "x", Certificate(frozenset({id_}))), Bindings(head.ref.id))
    assert caught.value.code == code


def test_a_spent_client_token_is_told_apart(tenant: Tenant) -> None:
    head = tenant.create()
    tenant.run(DeleteLoadBalancer(head.ref.id, proof="test"))
    with pytest.raises(errors.Rejected) as caught:
        tenant.create()
    assert caught.value.reason == CLIENT_TOKEN_REFUSED


def test_targets_make_a_deletion_risky_and_force_answers_it(tenant: Tenant) -> None:
    head, bindings = tenant.shop()
    tenant.run(RegisterTargets(tuple(placed(SHOP, f"10.0.0.{number}") for number in range(1, 21))), bindings)
    with pytest.raises(errors.DeleteRisk):
        tenant.run(DeleteLoadBalancer(head.ref.id, proof="test"))
    tenant.run(DeleteLoadBalancer(head.ref.id, proof="test", force=True))
    assert tenant.cloud.heads((head.ref,)) == {}


@pytest.mark.parametrize("code", ["FailedOperation", "OperationDenied", "UnsupportedOperation"])
@pytest.mark.parametrize("how", ["delete_protect", "operate_protect", "endpoint"])
def test_a_protected_load_balancer_is_told_from_other_failures(rent: Rent, code: str, how: str) -> None:
    tenant = rent(switches={"protected_delete_code": code})
    head, bindings = tenant.shop()
    setattr(stored(tenant, bindings), how, True if how == "delete_protect" else "somebody")
    with pytest.raises(errors.Protected):
        tenant.run(DeleteLoadBalancer(head.ref.id, proof="test"))


def test_a_failed_deletion_without_protection_may_be_tried_again(tenant: Tenant) -> None:
    head = tenant.create()
    tenant.emulator.gateway.faults.add(Fault("DeleteLoadBalancer", "error", code="FailedOperation"))
    with pytest.raises(errors.Unavailable):
        tenant.run(DeleteLoadBalancer(head.ref.id, proof="test"))


def test_modification_protection_is_told_from_missing_rights(tenant: Tenant) -> None:
    _, bindings = tenant.shop()
    stored(tenant, bindings).operate_protect = "somebody"
    with pytest.raises(errors.Protected):
        tenant.run(ModifyLoadBalancer(delete_protection=True), bindings)
    stored(tenant, bindings).operate_protect = ""
    tenant.emulator.gateway.faults.add(Fault("ModifyLoadBalancerAttributes", "error", code="OperationDenied"))
    with pytest.raises(errors.AccessDenied):
        tenant.run(ModifyLoadBalancer(delete_protection=True), bindings)


def test_a_list_that_is_too_long_is_planned_again_in_smaller_steps(rent: Rent) -> None:
    tenant = rent(switches={"create_rule_max": 20})
    _, bindings = tenant.shop()
    rules = tuple(RuleSpec(RuleKey(f"h{number}.example.com", "/")) for number in range(30))
    with pytest.raises(errors.Conflict):
        tenant.run(CreateRules(HTTP, rules), bindings)
    size = tenant.cloud.limits(REGION).rules_per_call
    assert size == 15
    assert tenant.cloud.at(Lane.VERIFY).limits(REGION).rules_per_call == 15
    tenant.run(CreateRules(HTTP, rules[:size]), bindings)


def test_a_certificate_for_a_host_without_sni_is_rejected(tenant: Tenant) -> None:
    _, bindings = tenant.shop()
    host = HostSpec("shop.example.com", Certificate(frozenset({"certrsa1"})))
    with pytest.raises(errors.Rejected):
        tenant.run(ModifyHost(HTTP, HostSpec("shop.example.com"), host), bindings)


def test_a_rule_of_several_hosts_goes_only_with_all_of_them(tenant: Tenant) -> None:
    head, bindings = tenant.shop()
    listener = stored(tenant, bindings).listeners[bindings.listeners[HTTP]]
    (rule,) = listener.rules.values()
    rule.domains = ("shop.example.com", "b.example.com")
    bindings = tenant.bindings(head)
    with pytest.raises(errors.Rejected) as caught:
        tenant.run(DeleteRules(HTTP, (RuleKey("b.example.com", "/"),)), bindings)
    assert caught.value.reason == "RuleServesSeveralHosts"
    tenant.run(DeleteRules(HTTP, (RuleKey("b.example.com", "/"), SHOP.rule)), bindings)
    assert tenant.listener(head, HTTP).spec.rules == ()


def test_absence_from_a_list_is_no_error(tenant: Tenant) -> None:
    assert tenant.cloud.heads((CloudRef(REGION, LoadBalancerId("lb-0000000z")),)) == {}
