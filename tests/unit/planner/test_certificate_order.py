"""What clients are shown between the steps: at every point the old certificate or the new one, never none or another.

Every way leads through these: SNI off and on, a default that changes, one-way and mutual, one id and a pair, hosts that
come, go and are held.
"""

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from l7lb import planner
from l7lb.model.identity import ListenerKey, RuleKey
from l7lb.model.loadbalancer import (
    Certificate,
    DesiredLoadBalancer,
    HostSpec,
    ListenerSpec,
    ObservedLoadBalancer,
    RuleSpec,
    Target,
    TargetKey,
)
from l7lb.model.maybe import UNSET, Maybe
from l7lb.model.maybe import given as or_else
from l7lb.model.ownership import Ownership
from l7lb.model.plan import Plan
from l7lb.model.problems import Held
from l7lb.model.snapshot import Limits
from tests.builders import certificate, claim, observed, there
from tests.unit.planner.worlds import after, follow

HTTPS = ListenerKey("HTTPS", 443)
HOSTS = ("a.example.com", "b.example.com", "*.example.com", "")
ALL = ("one", "two", "one+two", "one/ca", "two/ca")
TARGET = Target(TargetKey("10.0.0.1", 80))
often = settings(deadline=None, max_examples=300)

hosts = st.lists(st.sampled_from(HOSTS), unique=True, min_size=1)
shown = st.sampled_from([certificate(text) for text in ALL])
maybe_shown: st.SearchStrategy[Maybe[Certificate | None]] = st.one_of(st.just(UNSET), shown)
declared_sni: st.SearchStrategy[Maybe[bool]] = st.sampled_from((UNSET, True))


def listener(of: dict[str, Certificate], own: Maybe[Certificate | None], sni: Maybe[bool]) -> ListenerSpec:
    return ListenerSpec(
        HTTPS,
        certificate=own,
        sni=sni,
        hosts=tuple(HostSpec(name, one) for name, one in of.items()),
        rules=tuple(RuleSpec(RuleKey(name, path), (TARGET,)) for name in of for path in ("/", "/api")),
    )


@dataclass(frozen=True)
class Case:
    wanted: dict[str, Certificate]
    desired: DesiredLoadBalancer
    world: ObservedLoadBalancer
    sni: bool
    """Of the observed listener."""
    held: frozenset[str] = frozenset()

    @property
    def plan(self) -> Plan:
        held = Held(hosts=frozenset((HTTPS, host) for host in self.held))
        of = claim(Ownership.CREATED, str(HTTPS))
        return planner.converge(self.desired, self.world, of, held, Limits(rules_per_call=3), None)

    def states(self) -> list[dict[str, Certificate | None]]:
        """What each host shows before each step and after the last."""
        return [
            {host.host: or_else(host.certificate, None) for item in world.listeners for host in item.spec.hosts}
            for world in follow(self.world, self.plan)
        ]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    wanted = {host: draw(shown) for host in draw(hosts)}
    now = {host: draw(shown) for host in draw(hosts)}
    if not (sni := draw(st.booleans())):
        one = draw(shown)
        now = dict.fromkeys(now, one)
    own = draw(maybe_shown) if sni else next(iter(now.values()))
    held = draw(st.frozensets(st.sampled_from(HOSTS), max_size=2))
    desired = DesiredLoadBalancer(listeners=(listener(wanted, draw(maybe_shown), draw(declared_sni)),))
    return Case(wanted, desired, observed(there(listener(now, own, sni))), sni, held)


@often
@given(cases())
def test_at_every_point_every_host_shows_a_certificate(case: Case) -> None:
    for state in case.states():
        assert None not in state.values()


@often
@given(cases())
def test_a_host_that_stays_shows_the_old_one_and_then_the_new_one(case: Case) -> None:
    states = case.states()
    for host in states[0].keys() & case.wanted.keys() - case.held:
        seen = [state[host] for state in states]
        assert seen[-1] == case.wanted[host]
        assert set(seen) <= {seen[0], seen[-1]}
        assert seen == sorted(seen, key=lambda one: one != seen[0]), "once only"


@often
@given(cases())
def test_a_new_host_shows_its_own_from_its_first_moment(case: Case) -> None:
    states = case.states()
    for host in case.wanted.keys() - states[0].keys() - case.held:
        assert {state[host] for state in states if host in state} == {case.wanted[host]}


@often
@given(cases())
def test_a_held_host_keeps_what_it_shows_and_a_new_one_waits(case: Case) -> None:
    states = case.states()
    for host in case.held & states[0].keys():
        assert {state[host] for state in states} == {states[0][host]}
    for host in case.held - states[0].keys():
        assert not any(host in state for state in states)


@often
@given(cases())
def test_a_host_that_goes_keeps_its_own_wherever_sni_allows_it(case: Case) -> None:
    states = case.states()
    if not case.sni and not any(or_else(item.spec.sni, False) for item in after(case.world, case.plan).listeners):
        return  # one certificate serves all of the listener: it is the one of those who stay
    for host in states[0].keys() - case.wanted.keys() - case.held:
        assert {state[host] for state in states if host in state} == {states[0][host]}


@often
@given(
    st.dictionaries(st.sampled_from(HOSTS), shown, min_size=1), maybe_shown, maybe_shown, declared_sni, st.booleans()
)
def test_wherever_the_right_certificates_are_bound_there_is_nothing_to_do(
    wanted: dict[str, Certificate],
    declared: Maybe[Certificate | None],
    own: Maybe[Certificate | None],
    sni: Maybe[bool],
    per_host: bool,
) -> None:
    same = len(set(wanted.values())) == 1
    by_host = listener(wanted, own, sni=True)
    at_listener = listener(wanted, next(iter(wanted.values())), sni=False)
    world = observed(there(by_host if per_host or not same else at_listener))
    desired = DesiredLoadBalancer(listeners=(replace(listener(wanted, declared, sni)),))
    assert Case(wanted, desired, world, per_host).plan.steps == ()
