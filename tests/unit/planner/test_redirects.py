"""Redirects over random worlds: it converges once, and no step is one that the cloud would refuse or makes a chain.

What the cloud refuses is written down here anew, from its pages and not from the planner.
"""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from l7lb import ledger, planner
from l7lb.errors import UnsafePlan
from l7lb.model.identity import ListenerKey, RuleRef
from l7lb.model.loadbalancer import (
    DesiredLoadBalancer,
    ListenerSpec,
    ObservedLoadBalancer,
    RedirectSpec,
    RuleSpec,
)
from l7lb.model.maybe import UNSET, Maybe
from l7lb.model.maybe import given as or_else
from l7lb.model.ownership import Claim, Ownership
from l7lb.model.plan import CreateRules, DeleteListeners, DeleteRules, Plan, Step
from l7lb.model.problems import Held
from l7lb.model.redirecting import CreateRedirects, DeleteRedirects, MirrorHosts
from l7lb.model.snapshot import Limits
from tests.builders import LB, claim, desired, host, listener, observed, rule, there
from tests.unit.planner.worlds import after, follow, grown

HTTP, HTTPS, OTHER = "HTTP:80", "HTTPS:443", "HTTP:8080"
HOSTS = ("a.example.com", "b.example.com", "")
PATHS = ("/", "/x", "=/x")
KEYS = [f"{name}{path}" for name in HOSTS for path in PATHS]
relaxed = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])

World = tuple[ObservedLoadBalancer, Claim]
Case = tuple[DesiredLoadBalancer, World]
TARGETS = ((), ("10.0.0.1:80",), ("10.0.0.2:80", "10.0.0.3:80"))
CODES: tuple[Maybe[int], ...] = (UNSET, 301, 302, 307)
dice = st.integers(min_value=0, max_value=2**32).map(Random)
"""Worlds are made from a seed: drawing each part by itself would cost most of the run."""


def spec_of(roll: Random, text: str, *, least: int = 0) -> ListenerSpec:
    rules = [rule(key, *roll.choice(TARGETS)) for key in roll.sample(KEYS, roll.randint(least, 5))]
    names = list(dict.fromkeys(item.key.host for item in rules))
    default = roll.choice([None, *names])
    shown = "one" if text == HTTPS else None
    hosts = [host(name, shown, default=True if name == default else UNSET) for name in names]
    return listener(text, *rules, hosts=hosts, shown=shown)


def redirects(roll: Random, sources: list[RuleRef], ends: list[RuleRef]) -> tuple[RedirectSpec, ...]:
    """Any that make neither fork nor chain; a mirror of HTTPS:443 now and then."""
    made: dict[RuleRef, RedirectSpec] = {}
    if roll.random() < 0.5:
        code = roll.choice(CODES)
        for end in ends:
            source = RuleRef(ListenerKey.parse(HTTP), end.rule)
            if str(end.listener) == HTTPS and source in sources:
                made[source] = RedirectSpec(source, end, code, mirrored=True)
    for source in sources:
        if source not in made and ends and roll.random() < 0.3:
            made[source] = RedirectSpec(source, roll.choice(ends), roll.choice(CODES))
    taken = {spec.target for spec in made.values()}
    return tuple(spec for source, spec in sorted(made.items()) if source not in taken)


def _desired(roll: Random) -> DesiredLoadBalancer:
    """Listeners with rules, and what redirects from elsewhere to these rules."""
    specs = [
        spec_of(roll, HTTP),
        spec_of(roll, HTTPS, least=1),
        *([spec_of(roll, OTHER)] if roll.random() < 0.5 else []),
    ]
    rules = {RuleRef(spec.key, item.key) for spec in specs for item in spec.rules}
    free = [RuleRef(spec.key, rule(text).key) for spec in specs for text in KEYS]
    found = redirects(roll, [ref for ref in free if ref not in rules], sorted(rules))
    return desired(*specs, redirects=found if roll.random() < 0.8 else UNSET)


def _world(roll: Random) -> World:
    """What is there, with redirects of any sort; a listener now and then is not ours."""
    texts = [HTTP, HTTPS, *([OTHER] if roll.random() < 0.5 else [])]
    specs = [spec_of(roll, text) for text in texts]
    theirs = {OTHER} if roll.random() < 0.5 else set()
    rules = [RuleRef(spec.key, item.key) for spec in specs for item in spec.rules]
    sources = [ref for ref in rules if roll.random() < 0.5]
    found = redirects(roll, sources, [ref for ref in rules if ref not in sources])
    automatic = {ref.rule.host for ref in sources if str(ref.listener) == HTTP and roll.random() < 0.5}
    made = [
        there(
            replace(spec, name="theirs") if str(spec.key) in theirs else spec,
            {str(one.source.rule): _leads(one, automatic) for one in found if one.source.listener == spec.key},
        )
        for spec in specs
    ]
    of = claim(Ownership.CREATED, *(text for text in texts if text not in theirs), native=roll.random() < 0.5)
    return observed(*made), of


def _neighbours(roll: Random) -> tuple[DesiredLoadBalancer, World]:
    """What was reached for one desire, and another one that differs in little: the usual case of an edit."""
    one, (_, of) = _desired(roll), _world(roll)
    of = replace(of, listeners=frozenset())
    first = planner.converge(one, observed(), of, Held(), Limits(), None)
    reached = after(observed(), first)
    other = _desired(roll)
    kept = {spec.key: spec for spec in one.listeners}
    mixed = tuple(kept.get(spec.key, spec) if roll.random() < 0.7 else spec for spec in other.listeners)
    rules = {RuleRef(spec.key, item.key) for spec in mixed for item in spec.rules}
    asked = [*or_else(one.redirects, ()), *or_else(other.redirects, ())]
    roll.shuffle(asked)
    changed = (replace(spec, code=roll.choice(CODES)) if roll.random() < 0.3 else spec for spec in asked)
    keys = {spec.key for spec in mixed}
    found = {
        spec.source: spec
        for spec in changed
        if spec.target in rules and spec.source not in rules and spec.source.listener in keys
    }
    taken = {spec.target for spec in found.values()}
    return (
        desired(*mixed, redirects=tuple(spec for source, spec in sorted(found.items()) if source not in taken)),
        (reached, grown(of, reached, first)),
    )


cases = st.one_of(dice.map(lambda roll: (_desired(roll), _world(roll))), dice.map(_neighbours))
worlds = dice.map(_world)


def _leads(one: RedirectSpec, automatic: set[str]) -> str:
    mirror = str(one.target.listener) == HTTPS and one.source.rule == one.target.rule
    auto = " auto" if mirror and str(one.source.listener) == HTTP and one.source.rule.host in automatic else ""
    code = "" if one.code is UNSET else f" {one.code}"
    return f"{one.target}{code}{auto}"


keys = st.sampled_from([HTTP, HTTPS, OTHER]).map(ListenerKey.parse)
rule_keys = st.sampled_from(KEYS).map(lambda text: rule(text).key)
helds = st.builds(
    Held,
    everything=st.sampled_from([False, False, False, True]),
    hosts=st.frozensets(st.tuples(keys, st.sampled_from(HOSTS)), max_size=1),
    rules=st.frozensets(st.builds(RuleRef, keys, rule_keys), max_size=3),
)
limits = st.builds(Limits, rules_per_listener=st.sampled_from([3, 50]), rules_per_call=st.sampled_from([1, 50]))


def converge(wanted: DesiredLoadBalancer, world: World, held: Held, quota: Limits) -> Plan:
    return planner.converge(wanted, *world, held, quota, None)


def leads(world: ObservedLoadBalancer) -> dict[RuleRef, RuleRef]:
    """Source -> target of every redirect; a target that is not there fails."""
    ids = {(item.id, item.locations[one.key]): RuleRef(item.spec.key, one.key)
           for item in world.listeners for one in item.spec.rules}  # fmt: skip
    return {RuleRef(item.spec.key, source): ids[to.listener, to.location]
            for item in world.listeners for source, to in item.redirects.items()}  # fmt: skip


def automatic(world: ObservedLoadBalancer, key: ListenerKey, name: str) -> set[bool]:
    return {to.automatic for item in world.listeners if item.spec.key == key
            for source, to in item.redirects.items() if source.host == name}  # fmt: skip


def rules_of(world: ObservedLoadBalancer) -> dict[RuleRef, RuleSpec]:
    return {RuleRef(item.spec.key, one.key): one for item in world.listeners for one in item.spec.rules}


def would_refuse(world: ObservedLoadBalancer, step: Step) -> str:
    """Why the cloud would not do this (ManualRewrite, AutoRewrite, DeleteRewrite pages; E4006); empty: it would."""
    now, rules = leads(world), rules_of(world)
    match step:
        case DeleteRules(key, gone):
            tied = {RuleRef(key, one) for one in gone} & {*now, *now.values()}
            return f"{tied} in a redirect" if tied else ""
        case DeleteListeners(keys):
            tied = {ref for ref in (*now, *now.values()) if ref.listener in keys}
            return f"{tied} in a redirect" if tied else ""
        case CreateRules(key, made):
            double = [one for one in made if RuleRef(key, one.key) in rules]
            return f"{double} there already" if double else ""
        case DeleteRedirects(key, _, former):
            absent = [one for one in former if now.get(RuleRef(key, one.source)) != one.target]
            return f"{absent} not there" if absent else ""
        case CreateRedirects(source, target, pairs):
            for pair in pairs:
                begin, end = RuleRef(source, pair.source), RuleRef(target, pair.target)
                if begin not in rules or end not in rules:
                    return f"{begin} or {end} is not there"
                if begin in now or end in now or begin in now.values():
                    return f"{begin} -> {end}: a fork or a chain"
                if True in automatic(world, source, pair.source.host):
                    return f"{begin}: its host is redirected automatically"
            return ""
        case MirrorHosts(hosts):
            for name, _ in hosts:
                if False in automatic(world, ListenerKey.parse(HTTP), name):
                    return f"{name} has a redirect of its own"
                if not any(str(ref.listener) == HTTPS and ref.rule.host == name for ref in rules):
                    return f"{name} is not on HTTPS:443"
            return ""
        case _:
            return ""


@relaxed
@given(cases, helds, limits)
def test_a_second_pass_plans_nothing(case: Case, held: Held, quota: Limits) -> None:
    wanted, world = case
    plan = converge(wanted, world, held, quota)
    reached = after(world[0], plan)
    again = converge(wanted, (reached, grown(world[1], reached, plan)), held, quota)
    assert [planner.describe(step) for step in again.steps] == []


@relaxed
@given(cases, helds, limits)
def test_no_step_is_refused_and_no_chain_is_made(case: Case, held: Held, quota: Limits) -> None:
    wanted, world = case
    plan = converge(wanted, world, held, quota)
    ledger.authorize(plan, world[1], world[0])
    states = follow(world[0], plan)
    for state, step in zip(states, plan.steps, strict=False):
        assert would_refuse(state, step) == "", planner.describe(step)
    for state in states:
        now = leads(state)
        assert not now.keys() & set(now.values())


@relaxed
@given(cases)
def test_what_is_asked_for_is_reached(case: Case) -> None:
    wanted, world = case
    foreign = {item.spec.key for item in world[0].listeners} - world[1].listeners
    if wanted.redirects is UNSET or foreign:
        return
    reached = after(world[0], converge(wanted, world, Held(), Limits()))
    now = leads(reached)
    asked = {spec.source: spec for spec in wanted.redirects}
    assert len(now) == len(asked)
    if not world[1].native:
        return  # /p may stand for =/p
    assert now == {source: spec.target for source, spec in asked.items()}
    for source, spec in asked.items():
        item = next(item for item in reached.listeners if item.spec.key == source.listener)
        assert spec.code is UNSET or (item.redirects[source.rule].code or 302) == spec.code
        assert rules_of(reached)[source].targets == ()


@relaxed
@given(cases)
def test_without_an_annotation_no_redirect_is_touched(case: Case) -> None:
    wanted, world = case
    plan = converge(replace(wanted, redirects=UNSET), world, Held(), Limits())
    assert leads(after(world[0], plan)) == leads(world[0])
    assert not any(isinstance(step, MirrorHosts | CreateRedirects | DeleteRedirects) for step in plan.steps)


@relaxed
@given(cases, helds)
@example(
    (_desired(roll := Random(1911)), _world(roll)), Held(hosts=frozenset({(ListenerKey.parse(HTTPS), "a.example.com")}))
)  # a redirect that cannot be replaced, on a host whose others are made anew
def test_what_is_held_or_not_ours_keeps_its_redirect(case: Case, held: Held) -> None:
    wanted, world = case
    before = leads(world[0])
    now = leads(after(world[0], converge(wanted, world, held, Limits())))
    for source, target in before.items():
        if held.covers(source) or held.covers(target) or source.listener not in world[1].listeners:
            assert now[source] == target


@relaxed
@given(cases)
def test_a_rule_that_forwards_before_and_after_never_loses_its_targets_to_a_redirect(case: Case) -> None:
    wanted, world = case
    states = follow(world[0], converge(wanted, world, Held(), Limits()))
    first, last = rules_of(states[0]), rules_of(states[-1])
    for ref in first.keys() & last.keys():
        if first[ref].targets and last[ref].targets and all(ref in rules_of(state) for state in states):
            assert all(rules_of(state)[ref].targets for state in states)


@relaxed
@given(cases)
def test_where_a_redirect_is_made_its_target_serves_and_where_one_ends_its_source_does(case: Case) -> None:
    wanted, world = case
    plan = converge(wanted, world, Held(), Limits())
    states = follow(world[0], plan)
    last = rules_of(states[-1])
    for state, step in zip(states, plan.steps, strict=False):
        if isinstance(step, CreateRedirects):
            ends = [RuleRef(step.target, pair.target) for pair in step.redirects]
            assert all(rules_of(state)[end].targets for end in ends if last[end].targets)
        if isinstance(step, DeleteRedirects):
            begins = [RuleRef(step.source, one.source) for one in step.redirects]
            assert all(rules_of(state)[ref].targets for ref in begins if ref in last and last[ref].targets)


@relaxed
@given(worlds, st.booleans(), st.sampled_from([Ownership.KEPT, Ownership.ADOPTED]))
@example((observed(), claim(Ownership.KEPT)), True, Ownership.KEPT)
def test_a_release_takes_no_redirect_off_that_is_not_ours_and_deletes_nothing_under_one(
    world: World, ours: bool, ownership: Ownership
) -> None:
    of = replace(claim(ownership, *map(str, world[1].listeners)), load_balancer=LB)
    plan = planner.teardown(world[0], of, of.disposal, redirects_ours=ours)
    ledger.authorize(plan, of, world[0])
    states = follow(world[0], plan)
    for state, step in zip(states, plan.steps, strict=False):
        assert would_refuse(state, step) == "", planner.describe(step)
    before, left = leads(world[0]), {item.spec.key for item in states[-1].listeners}
    foreign = {ref for ref in (*before, *before.values()) if ref.listener not in of.listeners}
    assert {ref.listener for ref in foreign} <= left
    if not any(ref in foreign for pair in before.items() for ref in pair):
        assert not left & of.listeners


def test_a_redirect_counts_as_removal_for_an_empty_desire() -> None:
    world = observed(
        there(listener(HTTP, rule("a.example.com/")), {"a.example.com/": "HTTPS:443 a.example.com/"}),
        listener(HTTPS, rule("a.example.com/", "10.0.0.1:80"), shown="one"),
    )
    off = DeleteRedirects(ListenerKey.parse(HTTP), world.listeners[1].id, ())
    with pytest.raises(UnsafePlan, match="no rule at all"):
        planner.guard(Plan((off,)), desired(redirects=()), world, planner.Circumstances(ingress_changed=True))
