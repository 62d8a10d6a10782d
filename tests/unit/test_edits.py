"""One edit after the other of what sorts and redirects rules, from the Ingress to the load balancer.

The translator and the planner have laws of their own; these are about both of them together.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from l7lb import planner
from l7lb.model.cluster import IngressRule
from l7lb.model.identity import RuleRef
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.maybe import UNSET
from l7lb.model.ownership import Claim
from l7lb.model.plan import Plan
from l7lb.model.snapshot import Limits, Translation
from l7lb.translator.names import Name
from tests.builders import claim
from tests.unit.planner.worlds import EMPTY, after, follow, grown
from tests.unit.translator.builders import HTTP, HTTPS
from tests.unit.translator.test_layout_laws import forwarded, keys, rules, said, translate

Asked = tuple[list[IngressRule], dict[Name, str], bool]
asked: st.SearchStrategy[Asked] = st.tuples(rules, said, st.booleans())


def step(found: Translation, world: ObservedLoadBalancer, of: Claim) -> tuple[Plan, ObservedLoadBalancer, Claim]:
    assert found.desired is not None
    plan = planner.converge(found.desired, world, of, found.held, Limits(), None)
    there = after(world, plan)
    return plan, there, grown(of, there, plan)


def served(world: ObservedLoadBalancer) -> set[RuleRef]:
    return {
        RuleRef(item.spec.key, one.key)
        for item in world.listeners
        for one in item.spec.rules
        if one.key not in item.redirects
    }


@given(asked, asked)
@settings(max_examples=200, deadline=None)
def test_after_every_edit_one_pass_is_enough_and_what_is_wanted_twice_never_stops(one: Asked, other: Asked) -> None:
    world, of = EMPTY, claim()
    for first in (one, other):
        before = world
        found = translate(*first)
        plan, world, of = step(found, world, of)
        again, _, _ = step(found, world, of)
        assert again.steps == (), (plan.steps, plan.notes)
        assert found.desired is not None
        stays = served(before) & forwarded(found)
        for between in follow(before, plan):
            assert stays <= served(between)
        made = {RuleRef(item.spec.key, key) for item in world.listeners for key in item.redirects}
        declared = found.desired.redirects
        if made and declared is UNSET:
            return  # Nobody says anything about redirects any more: they are left, and so is what they keep in place.
        needs = {spec.source: spec.target for spec in (() if declared is UNSET else declared)}
        missing = (forwarded(found) | needs.keys()) - served(world) - made
        held = {ref for ref in missing if found.held.covers(ref) or found.held.covers(needs.get(ref, ref))}
        assert missing == held, plan.notes
        # On a port that is taken out of the list it ends; what is on the others is not lost to a mistake elsewhere.
        ports = {HTTP, HTTPS, *(spec.key for spec in found.desired.listeners)}
        alive = {ref.rule for ref in served(before) if ref.listener in ports} & keys(first[0])
        lost = alive - {ref.rule for ref in served(world) | made}
        assert lost == set(), (lost, plan.notes)
