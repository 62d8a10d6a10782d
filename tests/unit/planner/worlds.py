"""Folds plans over observations, and grows claims as the ledger would once it reads the new world."""

from dataclasses import replace

from l7lb import planner
from l7lb.model.identity import CloudRef, RuleRef
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedLoadBalancer
from l7lb.model.ownership import Claim, Ownership
from l7lb.model.plan import AddTags, CreateListeners, CreateLoadBalancer, Plan, Step
from tests.builders import LB, listener_id, location_id

EMPTY = ObservedLoadBalancer(LoadBalancerHead(CloudRef("ap-guangzhou", LB), "demo", running=True))


def follow(observed: ObservedLoadBalancer | None, plan: Plan) -> list[ObservedLoadBalancer]:
    """The world before each step and after the last."""
    worlds = [observed or EMPTY]
    for step in plan.steps:
        worlds.append(perform(worlds[-1], step))
    return worlds


def after(observed: ObservedLoadBalancer | None, plan: Plan) -> ObservedLoadBalancer:
    """The world after the plan."""
    return follow(observed, plan)[-1]


def perform(observed: ObservedLoadBalancer, step: Step) -> ObservedLoadBalancer:
    """What the step leaves behind, with the ids that a cloud would have given."""
    ids = {key: listener_id(key) for key in step.keys} if isinstance(step, CreateListeners) else {}
    made = planner.predict(observed, step, ids)
    return replace(
        made,
        listeners=tuple(
            replace(
                item,
                locations={rule.key: location_id(RuleRef(item.spec.key, rule.key)) for rule in item.spec.rules},
            )
            for item in made.listeners
        ),
    )


def grown(claim: Claim, observed: ObservedLoadBalancer, plan: Plan) -> Claim:
    """The claim on the world that the plan has made."""
    made = {key for step in plan.steps if isinstance(step, CreateListeners) for key in step.keys}
    there = {item.spec.key for item in observed.listeners}
    created = any(isinstance(step, CreateLoadBalancer) for step in plan.steps)
    tagged = any(isinstance(step, AddTags) for step in plan.steps)
    return replace(
        claim,
        load_balancer=LB if created else claim.load_balancer,
        listeners=(claim.listeners | made) & there,
        missing_tags=() if tagged else claim.missing_tags,
        ownership=Ownership.ADOPTED if tagged else claim.ownership,
    )
