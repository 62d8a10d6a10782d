"""What holds for every pair of worlds: it converges, once; in any order; within the claim; make before break."""

import json
from dataclasses import replace
from random import Random

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from l7lb import ledger, planner
from l7lb.errors import UnsafePlan
from l7lb.model.identity import ListenerKey, RuleKey, RuleRef
from l7lb.model.loadbalancer import (
    DesiredLoadBalancer,
    HostSpec,
    ListenerSpec,
    ObservedLoadBalancer,
    Presence,
    RuleSpec,
    Target,
    TargetKey,
)
from l7lb.model.maybe import UNSET
from l7lb.model.maybe import given as or_else
from l7lb.model.ownership import Claim, Disposal, Ownership
from l7lb.model.plan import (
    CreateListeners,
    CreateRules,
    DeleteListeners,
    DeleteRules,
    DeregisterTargets,
    ModifyWeights,
    Plan,
    RegisterTargets,
)
from l7lb.model.problems import Held
from l7lb.model.snapshot import Limits
from tests.builders import OWNER, claim, observed, there
from tests.unit.planner.case_file import STAMP
from tests.unit.planner.strategies import desires, helds, limits, worlds
from tests.unit.planner.worlds import after, follow, grown

World = tuple[ObservedLoadBalancer, Claim]
FREE = Held()
relaxed = settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])


def converge(wanted: DesiredLoadBalancer, world: World, held: Held = FREE, quota: Limits | None = None) -> Plan:
    return planner.converge(wanted, *world, held, quota or Limits(), None)


def rules_of(observed: ObservedLoadBalancer) -> dict[RuleRef, RuleSpec]:
    return {RuleRef(item.spec.key, rule.key): rule for item in observed.listeners for rule in item.spec.rules}


def live(rule: RuleSpec) -> int:
    return sum(target.weight != 0 for target in rule.targets)


@relaxed
@given(desires(), worlds(), limits, helds)
def test_a_second_pass_plans_nothing(wanted: DesiredLoadBalancer, world: World, quota: Limits, held: Held) -> None:
    plan = converge(wanted, world, held, quota)
    reached = after(world[0], plan)
    again = converge(wanted, (reached, grown(world[1], reached, plan)), held, quota)
    assert [planner.describe(step) for step in again.steps] == []


@relaxed
@given(desires(), limits)
def test_what_is_built_from_nothing_is_right_at_once(wanted: DesiredLoadBalancer, quota: Limits) -> None:
    of = ledger.to_create(OWNER)
    plan = planner.converge(wanted, None, of, FREE, quota, STAMP)
    ledger.authorize(plan, of, None)
    reached = after(None, plan)
    again = converge(wanted, (reached, grown(of, reached, plan)), quota=quota)
    assert [planner.describe(step) for step in again.steps] == []


@relaxed
@given(desires(), worlds())
def test_the_plan_reaches_what_is_desired(wanted: DesiredLoadBalancer, world: World) -> None:
    reached = after(world[0], converge(wanted, world))
    foreign = {item.spec.key.port for item in world[0].listeners if item.spec.key not in world[1].listeners}
    there = {item.spec.key: item.spec for item in reached.listeners}
    for spec in wanted.listeners:
        if spec.key.port not in foreign:
            reaches(spec, there[spec.key], exact=world[1].native)
    wanted_keys = {spec.key for spec in wanted.listeners}
    if not any(key.port in foreign for key in wanted_keys):
        assert {key for key in there if key.port not in foreign} <= wanted_keys
    if wanted.security_groups is not UNSET:
        assert reached.head.security_groups == wanted.security_groups
    assert reached.head.pass_to_target == or_else(wanted.pass_to_target, world[0].head.pass_to_target)


def reaches(want: ListenerSpec, have: ListenerSpec, *, exact: bool) -> None:
    rules = {rule.key: rule for rule in have.rules}
    keys = {rule.key for rule in want.rules}
    for rule in want.rules:
        plain = RuleKey(rule.key.host, rule.key.path.removeprefix("="))
        satisfied = rule.key in rules or (not exact and plain not in keys)
        assert satisfied
        found = rules.pop(rule.key) if rule.key in rules else rules.pop(plain)
        assert rule.scheduler is UNSET or found.scheduler == rule.scheduler
        if rule.targets_known:
            holds_targets(rule, found)
    assert not rules
    hosts = {host.host: host for host in have.hosts}
    for host in want.hosts:
        assert hosts[host.host].certificate == host.certificate
        assert host.http2 is UNSET or hosts[host.host].http2 == host.http2
        assert host.default is not True or hosts[host.host].default is True
    assert [host.default for host in have.hosts].count(True) == 1


def holds_targets(want: RuleSpec, have: RuleSpec) -> None:
    wanted = {target.key: target for target in want.targets if target.presence is not Presence.GONE}
    bound = {target.key: target for target in have.targets}
    assert {key for key, target in wanted.items() if target.presence is Presence.REQUIRED} <= bound.keys()
    assert bound.keys() <= wanted.keys()
    for key, target in bound.items():
        if wanted[key].weight is not UNSET:
            assert target.weight == wanted[key].weight
        elif wanted[key].presence is Presence.REQUIRED and not wanted[key].steady:
            assert target.weight != 0


@relaxed
@given(desires(), worlds(), limits, st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(
    wanted: DesiredLoadBalancer, world: World, quota: Limits, dice: Random
) -> None:
    assert converge(shuffled(wanted, dice), (scattered(world[0], dice), world[1]), quota=quota) == converge(
        wanted, world, quota=quota
    )


def shuffled(wanted: DesiredLoadBalancer, dice: Random) -> DesiredLoadBalancer:
    """Listeners and targets; the order of hosts and rules is the Ingress's own, and means something."""
    listeners = [
        replace(
            spec,
            rules=tuple(
                replace(rule, targets=tuple(dice.sample(rule.targets, len(rule.targets)))) for rule in spec.rules
            ),
        )
        for spec in wanted.listeners
    ]
    return replace(wanted, listeners=tuple(dice.sample(listeners, len(listeners))))


def scattered(world: ObservedLoadBalancer, dice: Random) -> ObservedLoadBalancer:
    """Everything that the cloud may answer in any order."""
    listeners = [
        replace(
            item,
            spec=replace(
                item.spec,
                hosts=tuple(dice.sample(item.spec.hosts, len(item.spec.hosts))),
                rules=tuple(
                    replace(rule, targets=tuple(dice.sample(rule.targets, len(rule.targets))))
                    for rule in dice.sample(item.spec.rules, len(item.spec.rules))
                ),
            ),
        )
        for item in world.listeners
    ]
    return replace(world, listeners=tuple(dice.sample(listeners, len(listeners))))


@relaxed
@given(desires(), worlds(), limits, helds)
def test_no_step_leaves_the_claim(wanted: DesiredLoadBalancer, world: World, quota: Limits, held: Held) -> None:
    plan = converge(wanted, world, held, quota)
    ledger.authorize(plan, world[1], world[0])
    foreign = [item for item in world[0].listeners if item.spec.key not in world[1].listeners]
    reached = after(world[0], plan)
    assert [item for item in reached.listeners if item.spec.name == "theirs"] == foreign


@relaxed
@given(worlds())
def test_a_teardown_takes_what_is_ours_and_no_more(world: World) -> None:
    plan = planner.teardown(*world, world[1].disposal)
    ledger.authorize(plan, world[1], world[0])
    if world[1].disposal is Disposal.RELEASE_LISTENERS:
        reached = after(world[0], plan)
        assert {item.spec.key for item in reached.listeners}.isdisjoint(world[1].listeners)
        assert [i for i in world[0].listeners if i.spec.key not in world[1].listeners] == list(reached.listeners)
        assert reached.head.tags.keys().isdisjoint(world[1].removable_tags)
        assert not planner.teardown(reached, replace(world[1], listeners=frozenset()), world[1].disposal)


@relaxed
@given(desires(), worlds())
def test_a_rule_that_serves_before_and_after_serves_all_the_time(wanted: DesiredLoadBalancer, world: World) -> None:
    by_address = all(t.instance_id is None for spec in wanted.listeners for r in spec.rules for t in r.targets)
    assume(by_address)  # else an address may be bound anew, which is off before on
    states = [rules_of(state) for state in follow(world[0], converge(wanted, world))]
    for ref in states[0].keys() & states[-1].keys():
        same_listener = all(ref in state for state in states)
        if same_listener and live(states[0][ref]) and live(states[-1][ref]):
            assert all(live(state[ref]) for state in states)


@relaxed
@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([2, 3, 5, 100]))
def test_a_rule_all_of_whose_targets_are_replaced_is_never_without_one(old: int, new: int, quota: int) -> None:
    had = tuple(Target(TargetKey(f"10.0.0.{n}", 80), weight=10) for n in range(min(old, quota)))
    gets = tuple(Target(TargetKey(f"10.0.1.{n}", 80)) for n in range(new))
    rule = RuleSpec(RuleKey("a.example.com", "/"), had)
    spec = ListenerSpec(ListenerKey("HTTP", 80), hosts=(HostSpec("a.example.com", default=True),), rules=(rule,))
    world = observed(there(spec)), claim(Ownership.CREATED, "HTTP:80")
    wanted = DesiredLoadBalancer(listeners=(replace(spec, rules=(replace(rule, targets=gets),)),))
    plan = converge(wanted, world, quota=Limits(targets_per_rule=quota))
    states = [rules_of(state) for state in follow(world[0], plan)]
    assert all(live(one) for state in states for one in state.values())
    bound = {target.key for one in states[-1].values() for target in one.targets}
    assert bound <= {target.key for target in gets}
    assert len(bound) == min(new, quota)


@relaxed
@given(desires(), worlds(), limits)
def test_where_nobody_is_any_more_traffic_ends_before_anything_is_put_on(
    wanted: DesiredLoadBalancer, world: World, quota: Limits
) -> None:
    gone = {
        (RuleRef(spec.key, rule.key), target.key)
        for spec in wanted.listeners
        for rule in spec.rules
        for target in rule.targets
        if target.presence is Presence.GONE
    }
    waits = False
    for step in converge(wanted, world, quota=quota).steps:
        waits = waits or isinstance(step, RegisterTargets | ModifyWeights)
        if waits and isinstance(step, DeregisterTargets):
            dead = {(p.rule, p.target.key) for p in step.placements if p.target.weight != 0} & gone
            assert not dead


@relaxed
@given(desires(), worlds())
def test_new_rules_have_their_targets_before_old_ones_go(wanted: DesiredLoadBalancer, world: World) -> None:
    plan = converge(wanted, world)
    ports = {key.port for step in plan.steps if isinstance(step, CreateListeners) for key in step.keys}
    made = [index for index, step in enumerate(plan.steps) if isinstance(step, CreateRules | CreateListeners)]
    for index, step in enumerate(plan.steps):
        if isinstance(step, DeleteRules):
            assert all(index > other for other in made)
        if isinstance(step, DeleteListeners) and not {key.port for key in step.keys} & ports:
            assert all(index > other for other in made)


@relaxed
@given(desires(), worlds(), limits)
def test_no_rule_ever_has_more_targets_than_the_quota_allows(
    wanted: DesiredLoadBalancer, world: World, quota: Limits
) -> None:
    states = [rules_of(state) for state in follow(world[0], converge(wanted, world, quota=quota))]
    for state in states:
        for ref, rule in state.items():
            before = len(states[0][ref].targets) if ref in states[0] else 0
            assert len(rule.targets) <= max(before, quota.targets_per_rule)


@relaxed
@given(desires(), worlds(), limits, helds)
def test_what_is_held_keeps_its_shape(wanted: DesiredLoadBalancer, world: World, quota: Limits, held: Held) -> None:
    reached = after(world[0], converge(wanted, world, held, quota))
    before, now = rules_of(world[0]), rules_of(reached)
    for ref, rule in before.items():
        if held.covers(ref):
            assert replace(now[ref], targets=()) == replace(rule, targets=())
    shown = {(i.spec.key, h.host): h for i in reached.listeners for h in i.spec.hosts}
    for item in world[0].listeners:
        for host in item.spec.hosts:
            whole = held.everything or item.spec.key in held.listeners or (item.spec.key, host.host) in held.hosts
            if whole:
                found = shown[item.spec.key, host.host]
                assert (found.certificate, found.http2) == (host.certificate, host.http2)


@relaxed
@given(desires(), worlds())
def test_every_plan_has_words_and_a_name(wanted: DesiredLoadBalancer, world: World) -> None:
    plan = converge(wanted, world)
    assert all(planner.describe(step) and "UNSET" not in planner.describe(step) for step in plan.steps)
    document = json.loads(json.dumps(planner.to_json(plan)))
    assert document["digest"] == planner.digest(plan)
    assert len(document["steps"]) == len(plan.steps)


@relaxed
@given(desires(), worlds())
def test_an_approved_plan_passes_the_guard(wanted: DesiredLoadBalancer, world: World) -> None:
    plan = converge(wanted, world)
    refusal = refused(plan, wanted, world[0])
    if refusal:
        assert planner.digest(plan) in refusal
        planner.guard(plan, wanted, world[0], planner.Circumstances(approved=planner.digest(plan)))


def refused(plan: Plan, wanted: DesiredLoadBalancer, observed: ObservedLoadBalancer) -> str:
    try:
        planner.guard(plan, wanted, observed, planner.Circumstances())
    except UnsafePlan as refusal:
        return str(refusal)
    return ""
