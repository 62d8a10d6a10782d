"""`l7lb status`: problems first, worst first, and what could not be read is said."""

import json
from dataclasses import replace

import click
import pytest

from l7lb.app.auditing import Audit, Held, Word
from l7lb.app.config import Config
from l7lb.app.facts import Known, Unread
from l7lb.app.overview import overview
from l7lb.app.overview_words import ago, overview_json, overview_text
from l7lb.app.pulses import Pulse, Pulses
from l7lb.app.regions import Look
from l7lb.model.branches import Mark
from l7lb.model.cluster import Ingress, ObjectMeta
from l7lb.model.identity import Cluster, ObjectKey
from l7lb.model.inventory import Entry, Provenance, Use
from l7lb.model.marks import CONDITIONS
from l7lb.model.snapshot import Limits
from tests.builders import head
from tests.unit.app.test_diagnosing import WELL
from tests.unit.cli import screens
from tests.unit.cli.screens import READY, REF

CONFIG = Config("cls-1", "ap-guangzhou")
KEY = ObjectKey("shop", "web")
BROKEN = "E4041: Service shop/gone not found"


def ingress(name: str, status: str = "True", message: str = "the load balancer is as the Ingress asks") -> Ingress:
    condition = {"type": "Ready", "status": status, "reason": "Ensured" if status == "True" else "Bad",
                 "message": message, "lastTransitionTime": "2026-11-22T22:00:00Z"}  # fmt: skip
    return Ingress(metadata=ObjectMeta(name=name, namespace="shop", uid=name, annotations={
        CONDITIONS: json.dumps([condition])}))  # fmt: skip


def audit(*held: Held, words: tuple[Word, ...] = (), refused: dict[str, str] | None = None) -> Known[Audit]:
    look = Look((), ("ap-guangzhou",), refused or {})
    return Known(Audit(Cluster("cls-1", "uid-1"), look, held, words, 0, 0))


def held(name: str, use: Use) -> Held:
    return Held(Entry(head(name, {}), Provenance.MADE, use, reason="nobody wants it"), ())


FACTS = replace(
    WELL,
    cluster=replace(WELL.cluster, ingresses=Known((ingress("web"), ingress("api", "False", BROKEN)))),
    cloud=replace(WELL.cloud, limits=Known(Limits(public_used=95, internal_used=0))),
)
FOUND = audit(
    held("lb-1", Use.USED), held("lb-2", Use.ORPHAN), words=(Word(ObjectKey("shop", "old"), "gone", "no lb"),)
)
SEEN = overview(FACTS, FOUND, CONFIG)
TEXT = """\
cluster cls-1 in ap-guangzhou, 2026-11-23T00:00:00Z

4 problems
  x Ingress shop/api: E4041: Service shop/gone not found (2 h)
  ! Ingress shop/old: gone: no lb
  ! load balancer ap-guangzhou/lb-2: orphan: nobody wants it
  ! quota of public load balancers: 95 of 100 in ap-guangzhou

TKE's controller  off: no part of it is here
leader            l7lb-a_1, since 2026-11-22T23:59:50Z
replicas          1 ready, version 0.1.0
finalizers        on 0 of 2 Ingresses, none is stuck
Ingresses         2: 1 work, 1 broken
conditions        1 Bad, 1 Ensured
load balancers    2: 1 orphan, 1 used
quota, public     ###################- 95 of 100
quota, internal   -------------------- 0 of 100
versions          this command 0.1.0, Kubernetes v1.28.0
"""


def test_one_screen_has_problems_first_and_is_readable_without_colour() -> None:
    assert click.unstyle(overview_text(SEEN)) == TEXT


def test_colour_is_for_what_is_wrong() -> None:
    text = overview_text(SEEN)
    assert "\x1b[31mx\x1b[0m" in text
    assert "\x1b[33m###################\x1b[0m" in text


@pytest.mark.parametrize("width", [60, 80])
def test_a_long_problem_is_cut_at_the_edge_of_the_terminal(width: int) -> None:
    seen = overview(FACTS, audit(words=(Word(ObjectKey("shop", "old"), "gone", "x" * 500),)), CONFIG)
    problems = [line for line in click.unstyle(overview_text(seen, width)).split("\n") if line.startswith("  ")]
    assert max(map(len, problems)) <= width
    assert any(line.endswith("…") for line in problems)


def test_where_all_is_well_it_says_so() -> None:
    seen = overview(WELL, audit(), CONFIG)
    assert (seen.problems, seen.unread) == ((), ())
    assert "no problems\n" in click.unstyle(overview_text(seen))


def test_what_could_not_be_read_is_no_good_news() -> None:
    unread = replace(WELL, cluster=replace(WELL.cluster, ingresses=Unread("forbidden")))
    seen = overview(unread, Unread("no right"), CONFIG)
    assert seen.unread == ("Ingresses: forbidden", "load balancers: no right")
    assert "not read: load balancers: no right" in click.unstyle(overview_text(seen))
    assert overview(WELL, audit(refused={"ap-x": "denied"}), CONFIG).unread == ("region ap-x: denied",)


def test_an_overview_for_programs_is_one_object() -> None:
    said = json.loads(overview_json(SEEN))
    assert said["ingresses"] == {"total": 2, "bad": 1, "waiting": 0, "warning": 0, "unknown": 0, "ok": 1}
    assert said["conditions"] == {"Ensured": 1, "Bad": 1}
    assert said["loadBalancers"] == {"used": 1, "orphan": 1}
    assert said["quotas"][0] == {"name": "public", "used": 95, "limit": 100}
    assert said["problems"][0] == {
        "mark": "bad", "about": "Ingress shop/api", "says": BROKEN, "since": "2026-11-22T22:00:00Z",
        "advice": "Create it, or change the backend.",
    }  # fmt: skip
    assert said["gate"]["open"] is True
    assert said["versions"] == {"command": "0.1.0", "kubernetes": "v1.28.0"}


def test_an_ingress_of_another_class_and_another_namespace_does_not_count() -> None:
    other = replace(CONFIG, watch_namespace="blog")
    assert overview(FACTS, FOUND, other).members == ()
    assert [one.mark for one in SEEN.members] == [Mark.BAD, Mark.OK]


@pytest.mark.parametrize(("passed", "told"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (7200, "2 h"), (200_000, "2 d")])
def test_how_long_ago_is_told_in_one_unit(passed: float, told: str) -> None:
    assert ago(1000.0, 1000.0 + passed) == told


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "\u202e"])
def test_hostile_text_stays_text(text: str) -> None:
    seen = overview(FACTS, audit(words=(Word(ObjectKey("shop", text), text, text),), refused={text: text}), CONFIG)
    assert all(line.isprintable() for line in click.unstyle(overview_text(seen)).split("\n"))


@pytest.mark.parametrize(
    ("pulses", "first", "row", "line"),
    [
        (
            Pulses({REF: Pulse(total=2, dead=2, rules=1, dark=1)}),
            (Mark.BAD, "Ingress shop/web", "0 of 2 targets healthy: its only rule has no healthy target"),
            "Ingresses         1: 1 broken",
            "targets           0 of 2 healthy",
        ),
        (
            Pulses({REF: Pulse(healthy=1, total=2, dead=1, rules=1)}),
            (Mark.WARNING, "Ingress shop/web", "1 of 2 targets healthy"),
            "Ingresses         1: 1 work, with a warning",
            "targets           1 of 2 healthy",
        ),
        (
            Pulses({REF: Pulse()}),
            (Mark.BAD, "Ingress shop/web", "no target is bound that takes traffic"),
            "Ingresses         1: 1 broken",
            "targets           0 of 0 healthy",
        ),
        (
            Pulses({REF: Pulse(healthy=2, total=2, rules=1)}),
            None,
            "Ingresses         1: 1 work",
            "targets           2 of 2 healthy",
        ),
        (
            Pulses({}, {REF: "the cloud is down"}),
            None,
            "Ingresses         1: 1 unknown",
            "targets           health not known on 1 load balancer: the cloud is down",
        ),
    ],
)
def test_an_ingress_is_said_to_work_only_while_its_targets_do(
    pulses: Pulses, first: tuple[Mark, str, str] | None, row: str, line: str
) -> None:
    facts = replace(WELL, cluster=replace(WELL.cluster, ingresses=Known((screens.ingress(KEY, "True", READY, REF),))))
    seen = overview(facts, audit(), Config(screens.CLUSTER, "ap-guangzhou"), pulses)
    assert [(one.mark, one.about, one.says) for one in seen.problems] == ([first] if first else [])
    shown = click.unstyle(overview_text(seen)).split("\n")
    assert row in shown
    assert line in shown
    assert seen.unread == ()


def test_sick_targets_of_a_group_are_one_problem_of_its_load_balancer() -> None:
    both = tuple(screens.ingress(ObjectKey("shop", name), "True", READY, REF) for name in ("a", "b"))
    facts = replace(WELL, cluster=replace(WELL.cluster, ingresses=Known(both)))
    pulses = Pulses({REF: Pulse(healthy=1, total=2, dead=1, rules=2, dark=1)})
    seen = overview(facts, audit(), Config(screens.CLUSTER, "ap-guangzhou"), pulses)
    assert [(one.about, one.says) for one in seen.problems] == [
        (f"load balancer {REF}", "1 of 2 targets healthy: 1 of 2 rules have no healthy target for 2 Ingresses")
    ]
    assert [one.mark for one in seen.members] == [Mark.WARNING, Mark.WARNING]
