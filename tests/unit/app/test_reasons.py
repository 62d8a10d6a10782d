"""The chain from an Ingress to traffic: which link is said to be broken."""

import json
from dataclasses import replace

import pytest

from l7lb.app.drawing import Asked
from l7lb.app.history import Pause, Stumble
from l7lb.app.reasons import Case, checks
from l7lb.model.branches import HostView, ListenerView, Mark, Part, RuleView, TargetView
from l7lb.model.cloud import Health
from l7lb.model.cluster import Ingress, IngressAddress, IngressLoadBalancer, IngressStatus, ObjectMeta
from l7lb.model.codes import CODES
from l7lb.model.identity import ListenerKey, ObjectKey
from l7lb.model.loadbalancer import DesiredLoadBalancer, TargetKey
from l7lb.model.marks import CONDITIONS
from l7lb.model.options import Options
from l7lb.model.options import Standing as ByClass
from l7lb.model.portrait import Balancer, Check, Fate, PlanView, StepView, Tree
from l7lb.model.problems import Problem, Severity
from l7lb.model.snapshot import Translation
from tests.unit.console.portraits import NOW, STANDING, ref

WEB = ObjectKey("shop", "web")
META = ObjectMeta(name="web", namespace="shop", uid="uid-1")
SERVED = Ingress(
    metadata=META, status=IngressStatus(load_balancer=IngressLoadBalancer(ingress=(IngressAddress(ip="203.0.113.1"),)))
)
MISSING = Problem("E4041", "ServiceNotFound", "Service shop/web not found")
WARNED = Problem("E4054", "TargetsExhausted", "too many nodes", severity=Severity.WARNING)
STANDBY = replace(STANDING, leading=False, leader="")


def target(health: Health | None = Health.ALIVE, weight: int = 10, part: Part = Part.THERE) -> TargetView:
    return TargetView(TargetKey("10.0.0.1", 80), part, weight, health)


def tree(*targets: TargetView, part: Part = Part.THERE, held: bool = False, redirect: str = "") -> Tree:
    rule = RuleView("/", part, "loc-1", WEB, "web:80", redirect, held, targets)
    listener = ListenerView(ListenerKey("HTTP", 80), hosts=(HostView("a.example.com", rules=(rule,)),))
    return Tree(NOW, Balancer(ref("lb-1"), seen=NOW), (listener,), "created", checked=NOW)


def case(**more: object) -> Case:
    """All is well, but for `more`."""
    fine: dict[str, object] = {
        "standing": STANDING,
        "by_class": ByClass.OURS,
        "asked": Asked(SERVED, None, Translation(DesiredLoadBalancer())),
        "options": Options(),
        "tree": tree(target()),
    }
    return Case(**(fine | more))  # type: ignore[arg-type]  # a builder


def asked(*problems: Problem, refusal: Problem | None = None, ingress: Ingress = SERVED) -> Asked:
    desired = None if refusal is not None else DesiredLoadBalancer()
    return Asked(ingress, None, Translation(desired, problems=problems, refusal=refusal))


def link(found: Case, name: str) -> Check:
    """The worst of this name."""
    return min((one for one in checks(found) if one.name == name), key=lambda one: list(Mark).index(one.mark))


UNREAD = replace(tree(part=Part.UNSEEN), balancer=Balancer(ref("lb-1")))


def plan(fate: Fate, **more: object) -> PlanView:
    view = PlanView(1, WEB, NOW, fate, steps=(StepView("one", NOW), StepView("two")))
    return replace(view, **more)  # type: ignore[arg-type]  # a builder


def test_when_all_is_well_every_link_says_so() -> None:
    assert {one.mark for one in checks(case())} == {Mark.OK}


@pytest.mark.parametrize(
    ("more", "name", "mark", "says"),
    [
        ({"by_class": ByClass.NOT_OURS}, "Class", Mark.BAD, "left to another controller"),
        ({"by_class": ByClass.UNCLEAR}, "Class", Mark.BAD, "Nothing is changed"),
        ({"by_class": ByClass.LEFT}, "Class", Mark.WAITING, "let go"),
        ({"standing": STANDBY}, "Controller", Mark.WAITING, "No replica is known to lead"),
        ({"standing": replace(STANDBY, leader="other")}, "Controller", Mark.OK, "other leads"),
        ({"standing": replace(STANDING, lacking="not synced: Pod")}, "Controller", Mark.WAITING, "not synced: Pod"),
        ({"standing": replace(STANDING, gate_open=False, gate="TKE's runs")}, "Gate", Mark.BAD, "TKE's runs"),
        ({"options": Options(skip=True)}, "Mode", Mark.WARNING, "mode: skip"),
        ({"asked": asked(WARNED, MISSING)}, "Ingress", Mark.BAD, "E4041: Service shop/web not found"),
        ({"asked": asked(WARNED)}, "Ingress", Mark.WARNING, "E4054"),
        ({"asked": asked(refusal=MISSING)}, "Ingress", Mark.BAD, "refused as a whole"),
        ({"asked": asked(refusal=MISSING), "tree": None}, "Work", Mark.UNKNOWN, "mended"),
        ({"tree": None}, "Load balancer", Mark.WAITING, "none yet"),
        ({"plans": (plan(Fate.RUNNING, waiting="the cloud works on: two"),)}, "Work", Mark.WAITING, "1 of 2 steps"),
        ({"plans": (plan(Fate.REFUSED, reason="too much"),)}, "Work", Mark.BAD, "too much"),
        ({"plans": (plan(Fate.DONE),)}, "Work", Mark.OK, "Nothing is left"),
        ({"stumble": Stumble(NOW, "no answer", 3)}, "Work", Mark.BAD, "3 times in a row"),
        ({"stumble": Stumble(NOW, "no answer", lasting=False)}, "Work", Mark.WAITING, "failed (once)"),
        ({"tree": UNREAD}, "Work", Mark.UNKNOWN, "No plan is on its way"),
        ({"tree": None}, "Work", Mark.UNKNOWN, "No plan is on its way"),
        ({"pause": Pause(NOW, "quota")}, "Work", Mark.WAITING, "quota"),
        ({"standing": STANDBY}, "Work", Mark.UNKNOWN, "Only the leader knows"),
        ({"tree": tree(part=Part.MISSING)}, "Forwarding rules", Mark.WAITING, "HTTP:80 a.example.com/"),
        ({"tree": tree(part=Part.UNSEEN)}, "Forwarding rules", Mark.UNKNOWN, "not known here"),
        ({"tree": tree(part=Part.UNSEEN)}, "Bound targets", Mark.UNKNOWN, "not known here"),
        ({"tree": tree(target(), held=True)}, "Forwarding rules", Mark.WARNING, "held"),
        ({"tree": tree()}, "Bound targets", Mark.BAD, "without any target"),
        ({"tree": tree(target(weight=0))}, "Bound targets", Mark.BAD, "weight 0 only"),
        ({"tree": tree(redirect="301 to HTTPS:443 a/")}, "Bound targets", Mark.OK, "All of its rules redirect"),
        ({"tree": tree(redirect="301 to HTTPS:443 a/")}, "Target health", Mark.OK, "nothing to check"),
        ({"tree": tree(part=Part.MISSING)}, "Bound targets", Mark.UNKNOWN, "no rule yet"),
        ({"tree": tree(target(Health.DEAD))}, "Target health", Mark.BAD, "1 of 1 bindings fail"),
        ({"tree": tree(target(Health.DEAD), target())}, "Target health", Mark.WARNING, "1 of 2 bindings fail"),
        ({"tree": tree(target(Health.DEAD, 0), target())}, "Target health", Mark.OK, "No binding fails"),
        ({"tree": tree(target(Health.UNKNOWN))}, "Target health", Mark.WAITING, "still being probed"),
        ({"tree": tree(target(Health.UNCHECKED))}, "Target health", Mark.OK, "the check is off for 1"),
        ({"tree": replace(tree(target(None)), checked=None, unchecked="x")}, "Target health", Mark.UNKNOWN, "x"),
        ({"asked": asked(ingress=Ingress(metadata=META))}, "Published address", Mark.WAITING, "None is in its status"),
    ],
)  # fmt: skip
def test_the_broken_link_is_named_with_its_reason(more: dict[str, object], name: str, mark: Mark, says: str) -> None:
    found = link(case(**more), name)
    assert found.mark is mark
    assert says in found.says


def test_of_a_deleted_one_only_what_ends_it_is_told() -> None:
    gone = Ingress(metadata=ObjectMeta(name="web", deletion_timestamp="2026-11-23T00:00:00Z", finalizers=("a/b",)))
    found = checks(case(asked=asked(ingress=gone), tree=None))
    assert [one.name for one in found] == ["Class", "Controller", "Gate", "Deletion", "Load balancer", "Work"]
    assert "held by a/b" in link(case(asked=asked(ingress=gone)), "Deletion").says


def test_an_older_refusal_does_not_count_once_something_was_done_since() -> None:
    plans = (plan(Fate.REFUSED, ended=NOW - 100, reason="too much"), plan(Fate.DONE, ended=NOW - 10))
    assert link(case(plans=plans), "Work").mark is Mark.OK


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("E4041: Service shop/web not found", "Look at the endpoints of the Service"),
        (
            "target 10.0.0.1:80 of HTTP:80 a.example.com/ is not bound, all others are served: no such instance",
            "The cloud refused: target 10.0.0.1:80 of HTTP:80 a.example.com/ is not bound",
        ),
        (
            "E4054: target 10.0.0.1:80 of HTTP:80 a.example.com/ is not bound, all others are served: full",
            CODES["E4054"].cure.split("`")[0],
        ),
    ],
)
def test_a_rule_whose_targets_the_cloud_refused_is_no_matter_of_endpoints(message: str, hint: str) -> None:
    said = [{"type": "Ready", "status": "False", "reason": "TargetRefused", "message": message}]
    meta = ObjectMeta(name="web", namespace="shop", uid="uid-1", annotations={CONDITIONS: json.dumps(said)})
    ingress = Ingress(metadata=meta)
    assert hint in link(case(asked=asked(ingress=ingress), tree=tree()), "Bound targets").hint


def test_a_failing_health_check_says_where_to_look() -> None:
    hint = link(case(tree=tree(target(Health.DEAD))), "Target health").hint
    assert all(word in hint for word in ("path", "security groups", "NodePort"))
