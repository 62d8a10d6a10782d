"""The health of targets in lists: counted over what takes traffic, asked for many at once, never taken for granted."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from l7lb.app.pulses import Pulse, Pulses, ask_pulses, beating, own_listeners, pulse
from l7lb.errors import L7lbError, NotFound, Throttled, Unavailable
from l7lb.model.branches import Mark
from l7lb.model.cloud import Health, TargetHealth
from l7lb.model.cluster import HttpRule, Ingress, IngressRule, IngressSpec, ObjectMeta
from l7lb.model.identity import CloudRef, ListenerId, LoadBalancerId, LocationId, ObjectKey
from l7lb.model.loadbalancer import LoadBalancerHead, TargetKey
from l7lb.model.ownership import Record
from l7lb.model.portrait import Member
from l7lb.reconciler.checkups import Healths
from tests.builders import head

ALIVE, DEAD, PROBED, OFF = Health.ALIVE, Health.DEAD, Health.UNKNOWN, Health.UNCHECKED
HOME = "ap-guangzhou"
ONE, TWO = (CloudRef(HOME, LoadBalancerId(name)) for name in ("lb-1", "lb-2"))
KEY = ObjectKey("shop", "web")
WELL = Member(KEY, Mark.OK, "as asked", ONE)
INGRESS = Ingress(
    metadata=ObjectMeta(name="web", namespace="shop"),
    spec=IngressSpec(rules=(IngressRule(http=HttpRule(paths=())),)),
)


def rule(*healths: Health, weight: int = 10) -> tuple[TargetHealth, ...]:
    return tuple(TargetHealth(TargetKey("10.0.0.1", number), one, weight) for number, one in enumerate(healths, 1))


@pytest.mark.parametrize(
    ("rules", "mark", "words"),
    [
        ([rule(ALIVE, OFF)], Mark.OK, "2 of 2 targets healthy"),
        ([rule(ALIVE), ()], Mark.OK, "1 of 1 target healthy"),
        ([rule(DEAD, DEAD)], Mark.BAD, "0 of 2 targets healthy: its only rule has no healthy target"),
        ([rule(ALIVE), rule(DEAD)], Mark.BAD, "1 of 2 targets healthy: 1 of 2 rules have no healthy target"),
        ([rule(ALIVE, DEAD)], Mark.WARNING, "1 of 2 targets healthy"),
        ([rule(PROBED, PROBED)], Mark.WAITING, "0 of 2 targets healthy: the rest is being probed"),
        ([rule(DEAD, PROBED)], Mark.WARNING, "0 of 2 targets healthy: the rest is being probed"),
        ([rule(ALIVE), rule(DEAD, weight=0)], Mark.OK, "1 of 1 target healthy"),
        ([()], Mark.BAD, "no target is bound that takes traffic"),
    ],
)
def test_a_load_balancer_stands_as_its_worst_rule(
    rules: list[tuple[TargetHealth, ...]], mark: Mark, words: str
) -> None:
    seen = pulse(rules)
    assert (seen.mark, seen.words) == (mark, words)


SICK = Pulse(total=2, dead=2, rules=1, dark=1)
HALF = Pulse(healthy=1, total=2, dead=1, rules=2, dark=1)


@pytest.mark.parametrize(
    ("found", "users", "mark", "says"),
    [
        (Pulses({ONE: Pulse(healthy=2, total=2, rules=1)}), 1, Mark.OK, "as asked"),
        (Pulses({ONE: SICK}), 1, Mark.BAD, "0 of 2 targets healthy: its only rule has no healthy target on lb-1"),
        (Pulses({ONE: SICK}), 2, Mark.BAD, "0 of 2 targets healthy: its only rule has no healthy target on lb-1"),
        (Pulses({ONE: HALF}), 1, Mark.BAD, "1 of 2 targets healthy: 1 of 2 rules have no healthy target on lb-1"),
        (Pulses({ONE: HALF}), 2, Mark.WARNING, "1 of 2 targets healthy: 1 of 2 rules have no healthy target on lb-1"),
        (Pulses({}, {ONE: "down"}), 1, Mark.UNKNOWN, "as asked; the health of its targets is not known: down"),
        (Pulses(), 1, Mark.UNKNOWN, "as asked; the health of its targets is not known: nobody has asked lately"),
    ],
)
def test_an_ingress_works_only_where_its_targets_are_known_to(found: Pulses, users: int, mark: Mark, says: str) -> None:
    seen = beating(WELL, INGRESS, found, users)
    assert (seen.mark, seen.says) == (mark, says)


@pytest.mark.parametrize(
    "member", [replace(WELL, mark=Mark.BAD), replace(WELL, deleting=True), replace(WELL, ref=None)]
)
def test_what_stands_worse_or_has_nothing_to_be_checked_stays_as_it_is(member: Member) -> None:
    assert beating(member, INGRESS, Pulses({ONE: SICK}), 1) is member


@dataclass
class Cloud:
    """Health by load balancer; what is not in it does not exist; `errors` are raised first."""

    healths: Mapping[CloudRef, Healths]
    errors: list[L7lbError] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)

    def health(self, refs: tuple[CloudRef, ...]) -> Healths:
        self.asked.append(len(refs))
        if self.errors:
            raise self.errors.pop(0)
        if set(refs) - set(self.healths):
            raise NotFound("gone")
        return {key: targets for ref in refs for key, targets in self.healths[ref].items()}

    def heads(self, refs: tuple[CloudRef, ...], *, ahead: bool = False) -> Mapping[CloudRef, LoadBalancerHead]:
        return {ref: head(str(ref.id), {}) for ref in refs if ref in self.healths}


def said(ref: CloudRef, **listeners: tuple[TargetHealth, ...]) -> Healths:
    return {(ref, ListenerId(name), LocationId("loc-1")): targets for name, targets in listeners.items()}


def ask(cloud: Cloud, *wanted: CloudRef, own: frozenset[ListenerId] = frozenset()) -> Pulses:
    return ask_pulses(cloud, dict.fromkeys(wanted, own), lambda _: None)  # type: ignore[arg-type]  # what is asked of it


def test_thirty_load_balancers_are_asked_about_with_one_call() -> None:
    many = [CloudRef(HOME, LoadBalancerId(f"lb-{number}")) for number in range(45)]
    cloud = Cloud({ref: said(ref, lbl=rule(ALIVE)) for ref in many})
    assert len(ask(cloud, *many).known) == 45
    assert cloud.asked == [30, 15]


def test_one_that_is_gone_does_not_hide_the_others() -> None:
    assert ask(Cloud({ONE: said(ONE, lbl=rule(DEAD))}), ONE, TWO).known[ONE].dark == 1


def test_a_cloud_that_does_not_answer_leaves_the_health_unknown() -> None:
    cloud = Cloud({ONE: {}}, [Unavailable("down")])
    assert ask(cloud, ONE) == Pulses({}, {ONE: "down"})


def test_a_refusal_for_rate_is_waited_out() -> None:
    assert ask(Cloud({ONE: said(ONE, lbl=rule(ALIVE))}, [Throttled("slow down")]), ONE).known[ONE].healthy == 1


def test_listeners_of_others_on_a_lent_load_balancer_do_not_count() -> None:
    record = Record("uid", "cls-1", listeners={"HTTP:80": ("lbl-ours", ""), "HTTPS:443": ("", "")})
    own = own_listeners((record, None))
    assert own == {ListenerId("lbl-ours")}
    cloud = Cloud({ONE: {**said(ONE, **{"lbl-ours": rule(ALIVE)}), **said(ONE, theirs=rule(DEAD, DEAD))}})
    assert ask(cloud, ONE, own=own).known[ONE] == Pulse(healthy=1, total=1, rules=1)
    assert ask(cloud, ONE).known[ONE].total == 3


def test_an_ingress_whose_targets_are_yet_to_be_bound_is_on_its_way() -> None:
    waiting = replace(WELL, mark=Mark.WAITING)
    assert beating(waiting, INGRESS, Pulses({ONE: Pulse()}), 1) is waiting
    assert beating(WELL, INGRESS, Pulses({ONE: Pulse()}), 1).mark is Mark.BAD
    assert beating(WELL, Ingress(metadata=INGRESS.metadata), Pulses({ONE: Pulse()}), 1) is WELL
