"""When a readiness gate may be opened: bound wherever the pod is wanted, and healthy there."""

from dataclasses import replace

import pytest

from l7lb.model.cloud import Health, TargetHealth
from l7lb.model.cluster import LabelledMeta
from l7lb.model.identity import ListenerId, LocationId, ObjectKey
from l7lb.model.loadbalancer import ObservedLoadBalancer, Redirect, RuleSpec, TargetKey
from l7lb.model.pods import Pod, PodIP, PodStatus
from l7lb.model.problems import Held
from l7lb.model.snapshot import Translation
from l7lb.reconciler.draining import Healths
from l7lb.reconciler.readiness import Bound, Serving, Unwanted, Waiting, ailment, examine
from tests.builders import desired, listener, observed, ref, rule

POD = Pod(
    metadata=LabelledMeta(name="web-a", namespace="shop", uid="uid-web-a"),
    status=PodStatus(pod_ips=(PodIP(ip="172.16.0.1"),)),
)
HERE, THERE = "172.16.0.1:8080", "172.16.0.2:8080"


def serving(wanted: RuleSpec, *more: RuleSpec, there: ObservedLoadBalancer | None, held: Held | None = None) -> Serving:
    translation = Translation(desired(listener("HTTP:80", wanted, *more)), held or Held())
    return Serving(ObjectKey("shop", "web"), translation, there)


def on(*rules: RuleSpec) -> ObservedLoadBalancer:
    return observed(listener("HTTP:80", *rules))


WANTED = rule("a.example.com/", HERE, THERE)
NOT_IN_ANY = rule("a.example.com/", THERE)


def outcome(*servings: Serving) -> str:
    found = examine(POD, servings)
    match found:
        case Bound(checks):
            return " ".join(str(check.rule) for check in checks)
        case Waiting(why):
            return f"waits: {why}"
        case Unwanted():
            return "unwanted"


def redirecting(there: ObservedLoadBalancer) -> ObservedLoadBalancer:
    (first,) = there.listeners
    gone = {key: Redirect(ListenerId("lbl-9"), LocationId("loc-9")) for key in first.locations}
    return replace(there, listeners=(replace(first, redirects=gone),))


@pytest.mark.parametrize(
    ("servings", "expected"),
    [
        ((), "unwanted"),
        ((serving(WANTED, there=on(WANTED)),), "HTTP:80 a.example.com/"),
        ((serving(WANTED, there=on(NOT_IN_ANY)),), "waits: the pod is not bound to HTTP:80 a.example.com/"),
        ((serving(WANTED, there=None),), "waits: what is on the load balancer of Ingress shop/web is not known"),
        ((serving(WANTED, there=on()),), "waits: no rule of Ingress shop/web"),
        ((serving(WANTED, there=redirecting(on(WANTED))),), "waits: no rule of Ingress shop/web"),
        ((serving(WANTED, rule("b.example.com/", HERE), there=on(WANTED)),), "HTTP:80 a.example.com/"),
        (
            (serving(WANTED, rule("b.example.com/", HERE), there=on(WANTED, rule("b.example.com/", THERE))),),
            "waits: the pod is not bound to HTTP:80 b.example.com/",
        ),
        ((serving(NOT_IN_ANY, there=on(NOT_IN_ANY)),), "unwanted"),
        ((serving(NOT_IN_ANY, there=None),), "unwanted"),
        ((serving(rule("a.example.com/", f"{HERE} tolerated"), there=on(WANTED)),), "unwanted"),
        ((serving(rule(known=False), there=on(WANTED)),), "waits: the targets of Ingress shop/web cannot be told"),
        (
            (serving(NOT_IN_ANY, there=on(), held=Held(rules=frozenset({ref("HTTP:80", "c.example.com/")}))),),
            "waits: a part of Ingress shop/web is held",
        ),
        ((Serving(ObjectKey("shop", "web"), Translation(None)),), "waits: Ingress shop/web is refused"),
        (
            (serving(WANTED, there=on(WANTED)), serving(rule("b.example.com/", HERE), there=on(NOT_IN_ANY))),
            "waits: no rule of Ingress shop/web",
        ),
        (
            (serving(WANTED, there=on(WANTED)), Serving(ObjectKey("shop", "bad"), Translation(None))),
            "waits: Ingress shop/bad is refused",
        ),
    ],
)  # fmt: skip
def test_a_pod_is_bound_where_it_is_wanted(servings: tuple[Serving, ...], expected: str) -> None:
    assert outcome(*servings).startswith(expected)


@pytest.mark.parametrize(
    ("wanted", "health", "weight", "expected"),
    [
        (HERE, Health.ALIVE, 10, ""),
        (HERE, Health.UNCHECKED, 10, ""),
        (HERE, Health.ALIVE, None, ""),
        (HERE, Health.UNKNOWN, 10, "the health check of HTTP:80 a.example.com/ of lb-1 says Unknown"),
        (HERE, Health.DEAD, 10, "the health check of HTTP:80 a.example.com/ of lb-1 says Dead"),
        (HERE, Health.ALIVE, 0, "172.16.0.1:8080 has still weight 0"),
        (f"{HERE} weight=0", Health.DEAD, 0, ""),
        (f"{HERE} steady", Health.DEAD, 0, ""),
        (f"{HERE} steady", Health.DEAD, 5, "the health check"),
        (f"{HERE} weight=0", Health.DEAD, 10, "the health check"),
    ],
)
def test_the_check_of_the_cloud_decides_unless_there_is_none(
    wanted: str, health: Health, weight: int | None, expected: str
) -> None:
    found = examine(POD, (serving(rule("a.example.com/", wanted), there=on(WANTED)),))
    assert isinstance(found, Bound)
    (check,) = found.checks
    told = TargetHealth(TargetKey("172.16.0.1", 8080), health, weight)
    healths: Healths = {(check.ref, check.listener, check.location): (told,)}
    assert ailment(found.checks, healths).startswith(expected)
    assert bool(ailment(found.checks, healths)) == bool(expected)


def test_what_the_cloud_does_not_show_is_waited_for() -> None:
    found = examine(POD, (serving(WANTED, there=on(WANTED)),))
    assert isinstance(found, Bound)
    assert "does not show" in ailment(found.checks, {})


def test_a_rule_that_tke_wrote_without_its_equals_sign_is_the_one_that_an_exact_path_asks_for() -> None:
    wanted, plain = rule("a.example.com=/p", HERE), rule("a.example.com/p", HERE)
    assert outcome(serving(wanted, there=on(plain))) == "HTTP:80 a.example.com/p"
    assert outcome(serving(wanted, there=on(rule("a.example.com/p", THERE)))).startswith("waits: the pod is not bound")


def test_a_rule_that_another_member_of_the_group_has_is_not_waited_for() -> None:
    asked = serving(WANTED, rule("b.example.com/", HERE), there=on(NOT_IN_ANY, rule("b.example.com/", HERE)))
    assert outcome(asked).startswith("waits: the pod is not bound to HTTP:80 a.example.com/")
    mine = replace(asked, mine=frozenset({ref("HTTP:80", "b.example.com/")}))
    assert outcome(mine) == "HTTP:80 b.example.com/"
    assert outcome(replace(asked, mine=frozenset())).startswith("waits: no rule of Ingress shop/web")
