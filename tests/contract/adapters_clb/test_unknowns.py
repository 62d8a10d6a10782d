"""The whole life of a load balancer whatever the cloud does where no page says: each switch drawn from a seed."""

import pytest

from l7lb import errors
from l7lb.model.cloud import Accepted, TaskStatus
from l7lb.model.identity import CloudRef, LoadBalancerId, RuleKey, RuleRef
from l7lb.model.loadbalancer import CreateSpec, HostSpec, LoadBalancerHead, RuleSpec
from l7lb.model.plan import (
    Bindings,
    CreateListeners,
    CreateLoadBalancer,
    CreateRules,
    DeleteLoadBalancer,
    DeleteRules,
    DeregisterTargets,
    RegisterTargets,
    SetSecurityGroups,
    Step,
)
from tests.contract.adapters_clb.conftest import Rent
from tests.contract.adapters_clb.tenant import HTTP, REGION, SHOP, TAGS, Tenant, placed

OTHER = RuleRef(HTTP, RuleKey("", "/"))


def settled(tenant: Tenant, step: Step, bindings: Bindings) -> Accepted:
    """Perform, waiting while the load balancer is busy; `busy_code` may be InternalError too."""
    for _ in range(20):
        try:
            accepted = tenant.cloud.perform(REGION, step, bindings)
        except (errors.Busy, errors.Unavailable):
            tenant.emulator.advance(3)
            continue
        if accepted.task is not None:
            assert tenant.ended(accepted).status in (TaskStatus.SUCCEEDED, TaskStatus.UNKNOWN)
        return accepted
    raise AssertionError(f"busy for ever: {step}")


def bought(tenant: Tenant) -> LoadBalancerHead:
    accepted = tenant.cloud.perform(REGION, CreateLoadBalancer(CreateSpec(name="web"), TAGS, "token-1"), Bindings())
    state = tenant.ended(accepted)
    (lb,) = state.load_balancers
    assert accepted.load_balancer in (None, lb)
    return tenant.head(LoadBalancerId(lb))


@pytest.mark.parametrize("seed", range(12))
def test_a_load_balancer_lives_and_dies_under_every_switch(rent: Rent, seed: int) -> None:
    tenant = rent(seed=seed, latency=1.0)
    head = bought(tenant)
    settled(tenant, CreateListeners("HTTP", (80,), "x"), tenant.bindings(head))
    rules = (RuleSpec(SHOP.rule), RuleSpec(OTHER.rule))
    settled(tenant, CreateRules(HTTP, rules, (HostSpec("", default=True),)), tenant.bindings(head))
    bindings = tenant.bindings(head)
    assert {rule.key for rule in tenant.listener(head, HTTP).spec.rules} == {SHOP.rule, OTHER.rule}
    both = (placed(SHOP, "10.0.0.1"), placed(OTHER, "10.0.0.1", weight=4))
    assert settled(tenant, RegisterTargets(both), bindings).complete
    assert [target.weight for target in tenant.targets(head, OTHER)] == [4]
    assert settled(tenant, DeregisterTargets(both[:1]), bindings).complete
    assert tenant.targets(head, SHOP) == ()
    settled(tenant, SetSecurityGroups(frozenset({"sg-00000001"})), bindings)
    settled(tenant, DeleteRules(HTTP, (SHOP.rule,)), bindings)
    settled(tenant, DeleteLoadBalancer(head.ref.id, proof="test"), bindings)
    assert tenant.cloud.heads((CloudRef(REGION, head.ref.id),)) == {}
