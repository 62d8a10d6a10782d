"""What satisfies the Ingress as TKE reads it is named, and only that."""

from l7lb.model.identity import CloudRef, ListenerId, ListenerKey, LoadBalancerId, RuleKey
from l7lb.model.loadbalancer import (
    DesiredLoadBalancer,
    ListenerSpec,
    LoadBalancerHead,
    ObservedListener,
    ObservedLoadBalancer,
    Presence,
    RuleSpec,
    Target,
    TargetKey,
)
from l7lb.planner import rulings

HTTP = ListenerKey("HTTP", 80)
KEPT, BOUND = Target(TargetKey("10.0.0.9", 31080)), Target(TargetKey("10.0.0.1", 31080))


def rule(path: str, *targets: Target) -> RuleSpec:
    return RuleSpec(RuleKey("a.example.com", path), targets)


def told(desired: RuleSpec, observed: RuleSpec) -> tuple[str, ...]:
    head = LoadBalancerHead(CloudRef("ap-guangzhou", LoadBalancerId("lb-1")), "lb", running=True)
    listener = ObservedListener(ListenerId("lbl-1"), ListenerSpec(HTTP, rules=(observed,)))
    return rulings(
        DesiredLoadBalancer(listeners=(ListenerSpec(HTTP, rules=(desired,)),)), ObservedLoadBalancer(head, (listener,))
    )


def test_a_plain_path_that_stands_for_an_exact_one_is_named() -> None:
    (sentence,) = told(rule("=/p", BOUND), rule("/p", BOUND))
    assert sentence.startswith("HTTP:80 a.example.com/p stays as it is: ")
    assert sentence.endswith(" for pathType Exact would be HTTP:80 a.example.com=/p")


def test_nodes_that_are_left_bound_are_named() -> None:
    tolerated = Target(KEPT.key, presence=Presence.TOLERATED)
    assert told(rule("/p", BOUND, tolerated), rule("/p", BOUND, KEPT)) == (
        "HTTP:80 a.example.com/p keeps 1 target that would not be bound anew: 10.0.0.9:31080",
    )


def test_what_we_would_make_in_the_same_way_is_not_worth_a_word() -> None:
    assert told(rule("=/p", BOUND), rule("=/p", BOUND)) == ()
    assert told(rule("/q", BOUND), rule("/p", BOUND)) == ()
    assert told(rule("/p", Target(KEPT.key, presence=Presence.TOLERATED)), rule("/p", BOUND)) == ()
