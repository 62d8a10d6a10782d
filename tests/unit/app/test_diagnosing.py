"""`l7lb doctor`: what each fact means, and that what could not be read is never taken for right."""

import json
from collections.abc import Callable
from dataclasses import replace

import click
import pytest

from l7lb.adapters.clb.probing import NOTHING_TO_READ, WRITES, Finding, Probe
from l7lb.adapters.kube.cluster import ServerVersion
from l7lb.adapters.kube.examining import Replica
from l7lb.adapters.kube.rights import Right
from l7lb.app.diagnosing import Diagnosis, Level, diagnose
from l7lb.app.doctor_words import doctor_json, doctor_text
from l7lb.app.facts import CloudFacts, ClusterFacts, Facts, Granted, Known, Unread, ask
from l7lb.app.gate import Standing
from l7lb.errors import AccessDenied, Throttled
from l7lb.model.cluster import (
    Ingress,
    IngressAddress,
    IngressClass,
    IngressClassSpec,
    IngressLoadBalancer,
    IngressSpec,
    IngressStatus,
    ObjectMeta,
)
from l7lb.model.identity import Cluster
from l7lb.model.lease import LeaseRecord
from l7lb.model.marks import CLASS_CONTROLLER, FINALIZER
from l7lb.model.snapshot import Limits
from tests.builders import head

NOW = 1_795_392_000.0
HELD = Ingress(metadata=ObjectMeta(name="web", namespace="shop", finalizers=(FINALIZER,)))
RENEWED = "2026-11-22T23:59:50.000000Z"
WELL = Facts(
    cluster_id="cls-1",
    region="ap-guangzhou",
    version="0.1.0",
    now=NOW,
    cluster=ClusterFacts(
        version=Known(ServerVersion(1, 28, "v1.28.0")),
        identity=Known(Cluster("cls-1", "uid-1")),
        skew_s=Known(0.0),
        definitions=Known(("v1alpha1",)),
        classes=Known(()),
        ingresses=Known(()),
        gate=Standing(True, "no part of it is here"),
        lease=Known(LeaseRecord("l7lb-a_1", 30, RENEWED, RENEWED)),
        replicas=Known((Replica("l7lb", "l7lb-a", True, ("example.com/l7lb:0.1.0",)),)),
    ),
    cloud=CloudFacts(
        source="env",
        heads=Known((head("lb-1", {"tke-clusterId": "cls-1"}),)),
        limits=Known(Limits(public_used=10, internal_used=0)),
        skew_s=0.0,
        probes=(Probe("clb:DescribeQuota", Finding.ALLOWED), Probe("clb:CreateRule", Finding.UNPROVEN, "it would")),
    ),
    rights=Known((Granted(Right("list", "", "pods"), True),)),
    copy=Known(""),
)
Change = Callable[[Facts], Facts]


def cluster(**changes: object) -> Change:
    return lambda facts: replace(facts, cluster=replace(facts.cluster, **changes))  # type: ignore[arg-type]  # fields


def cloud(**changes: object) -> Change:
    return lambda facts: replace(facts, cloud=replace(facts.cloud, **changes))  # type: ignore[arg-type]  # fields


def facts(**changes: object) -> Change:
    return lambda known: replace(known, **changes)  # type: ignore[arg-type]  # fields


def going(since: str) -> Ingress:
    meta = ObjectMeta(name="web", namespace="shop", finalizers=(FINALIZER,), deletion_timestamp=since)
    return Ingress(metadata=meta)


def asking(named: str, *addresses: str) -> Ingress:
    """For a load balancer, by a class."""
    meta, served = ObjectMeta(name="web", namespace="shop"), tuple(IngressAddress(ip=one) for one in addresses)
    spec, status = IngressSpec(ingress_class_name=named), IngressStatus(IngressLoadBalancer(served))
    return Ingress(metadata=meta, spec=spec, status=status)


def klass(name: str, controller: str) -> IngressClass:
    return IngressClass(metadata=ObjectMeta(name=name), spec=IngressClassSpec(controller))


def quota(used: int) -> Change:
    return cloud(limits=Known(Limits(public_used=used)))


def divided(*holders: str | Unread | None, renewed: str = RENEWED) -> Change:
    """Shards, by who holds them; `renewed`: when they last did."""
    leases = [one if isinstance(one, Unread) else Known(None if one is None else LeaseRecord(one, 30, "", renewed))
              for one in holders]  # fmt: skip
    return cluster(lease=Known(LeaseRecord(f"shards/{len(holders)}", 30, RENEWED, RENEWED)), shards=tuple(leases))


NUMBERS = tuple(Replica("l7lb", name, True, ("l7lb:0.1.0",), shards=number) for name, number in (("a", 1), ("b", 3)))
OK, W, F = Level.OK, Level.WARN, Level.FAIL
TABLE: list[tuple[str, Change, str, Level, str]] = [
    ("no API server", cluster(version=Unread("refused")), "API server", F, "refused"),
    ("an old one", cluster(version=Known(ServerVersion(1, 20, "v1.20"))), "API server", F, "too old"),
    ("no clock", cluster(skew_s=Known(None)), "clock", W, "does not tell"),
    ("a clock that is off", cluster(skew_s=Known(-45.0)), "clock", W, "45 s behind"),
    ("a clock that is far off", cluster(skew_s=Known(400.0)), "clock", F, "400 s ahead"),
    ("the cloud's clock far off", cloud(skew_s=-301.0), "account clock", F, "301 s behind"),
    ("no identity", cluster(identity=Unread("forbidden")), "identity", F, "forbidden"),
    (
        "another cluster with the id",
        cloud(heads=Known((head("lb-9", {"tke-clusterId": "cls-1", "l7lb-cluster-uid": "other"}),))),
        "identity", F, "lb-9",
    ),
    ("maybe a copy", facts(copy=Known("nobody lives there")), "identity", W, "nobody lives there"),
    ("copy not known", facts(copy=Unread("pods")), "identity", W, "cannot be told: pods"),
    ("a right is missing", facts(rights=Known((Granted(Right("list", "", "pods"), False),))), "rights", F, "list pods"),
    ("rights not known", facts(rights=Unread("forbidden")), "rights", W, "forbidden"),
    ("no definition", cluster(definitions=Known(())), "TkeServiceConfig", W, "is not served"),
    ("another definition", cluster(definitions=Known(("v2",))), "TkeServiceConfig", W, "only v2"),
    ("the class is another's", cluster(classes=Known((klass("qcloud", "x/y"),))), "IngressClass", W, "names x/y"),
    ("classes of ours", cluster(classes=Known((klass("edge", CLASS_CONTROLLER),))), "IngressClass", OK, "ours: edge"),
    ("the gate is closed", cluster(gate=Standing(False, "it runs")), "TKE's controller", W, "it runs"),
    (
        "an Ingress waits behind the gate",
        cluster(gate=Standing(False, "it runs"), ingresses=Known((asking("qcloud"),))),
        "TKE's controller", F, "waiting: shop/web",
    ),
    (
        "one of a class of ours waits behind the gate",
        cluster(gate=Standing(False, "it"), ingresses=Known((asking("e"),)),
                classes=Known((klass("e", CLASS_CONTROLLER),))),
        "TKE's controller", F, "waiting: shop/web",
    ),
    (
        "what l7lb holds waits behind the gate",
        cluster(gate=Standing(False, "it runs"), ingresses=Known((HELD,))),
        "TKE's controller", F, "waiting: shop/web",
    ),
    (
        "a stranger does not wait behind the gate",
        cluster(gate=Standing(False, "it runs"), ingresses=Known((asking("nginx"),))),
        "TKE's controller", W, "l7lb writes nothing: it runs",
    ),
    (
        "what is served does not wait behind the gate",
        cluster(gate=Standing(False, "it runs"), ingresses=Known((asking("qcloud", "203.0.113.1"),))),
        "TKE's controller", W, "l7lb writes nothing: it runs",
    ),
    ("shards", divided("a", "b", "a"), "shards", OK, "3: a (0, 2), b (1)"),
    ("a shard that was given back", divided("a", ""), "shards", W, "1 of 2 are not known to have a holder: 1 (it was"),
    ("a shard that nobody has had", divided("a", None), "shards", W, "1 (nobody has ever held it)"),
    ("a shard whose Lease is forbidden", divided("a", Unread("forbidden")), "shards", W, "cannot be read: forbidden"),
    (
        "a shard whose holder is dead", divided("a", "", renewed="2026-11-22T23:59:00Z"),
        "shards", F, "0 (a has not renewed it for 60 s); 1 (it was given back)",
    ),
    (
        "all who divide are dead",
        cluster(lease=Known(LeaseRecord("shards/2", 30, "", "2026-11-22T23:59:00Z")), shards=(Known(None),) * 2),
        "leader", F, "no replica with --shards=2 has renewed the Lease for 60 s",
    ),
    ("replicas differ in shards", cluster(replicas=Known(NUMBERS)), "--shards", W, "replicas differ: 1 (a), 3 (b)"),
    ("no Lease", cluster(lease=Known(None)), "leader", W, "nobody has ever led"),
    ("given back", cluster(lease=Known(LeaseRecord("", 30))), "leader", W, "given back"),
    (
        "a leader that is gone",
        cluster(lease=Known(LeaseRecord("a", 30, RENEWED, "2026-11-22T23:59:00Z"))), "leader", F, "for 60 s",
    ),
    ("no replicas", cluster(replicas=Known(())), "replicas", W, "no pod"),
    ("one not ready", cluster(replicas=Known((Replica("l7lb", "b", False),))), "replicas", W, "l7lb/b"),
    ("another version", cluster(replicas=Known((Replica("l7lb", "b", True, ("l:0.2",)),))), "replicas", W, "l:0.2"),
    ("stuck", cluster(ingresses=Known((going("2026-11-22T23:50:00Z"),))), "finalizers", W, "shop/web"),
    ("just deleted", cluster(ingresses=Known((going("2026-11-22T23:59:00Z"),))), "finalizers", OK, "on 1 of 1"),
    ("wrong keys", cloud(heads=Unread("AuthFailure")), "credentials", F, "AuthFailure"),
    ("a read refused", cloud(probes=(Probe("clb:A", Finding.DENIED),)), "account rights", F, "clb:A"),
    ("a read failed", cloud(probes=(Probe("clb:A", Finding.UNKNOWN, "slow"),)), "account rights", W, "slow"),
    ("nearly full", quota(90), "quota of public load balancers", W, "90 of 100"),
    ("full", quota(100), "quota of public load balancers", F, "100 of 100"),
    ("no quota", cloud(limits=Unread("denied")), "quota", W, "denied"),
]  # fmt: skip


def named(found: tuple[Diagnosis, ...], name: str) -> Diagnosis:
    area, _, rest = name.partition(" ")
    wanted = ("account", rest) if area == "account" else ("", name)
    return next(one for one in found if one.name == wanted[1] and wanted[0] in ("", one.area))


@pytest.mark.parametrize(("change", "name", "level", "said"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_fact_has_its_level_and_its_words(change: Change, name: str, level: Level, said: str) -> None:
    found = diagnose(change(WELL))
    one = named(found, name)
    assert (one.level, said in one.says) == (level, True), one
    assert [other for other in found if other.level is not OK and other.name not in (one.name, "identity")
            ] == []  # fmt: skip


def test_where_all_is_well_every_check_says_so() -> None:
    assert {one.level for one in diagnose(WELL)} == {OK}


def test_what_is_not_proven_says_why() -> None:
    probes = (
        Probe("clb:CreateRule", Finding.UNPROVEN, WRITES),
        Probe("clb:DescribeTargets", Finding.UNPROVEN, NOTHING_TO_READ),
        Probe("clb:DeleteRule", Finding.UNPROVEN, WRITES),
    )
    known = cloud(probes=probes)(WELL)
    lines = click.unstyle(doctor_text(diagnose(known), known)).splitlines()
    assert [line.strip() for line in lines if "not proven, because" in line] == [
        "not proven, because the proof would be a write: clb:CreateRule, clb:DeleteRule",
        "not proven, because there is no load balancer of this cluster to ask about: clb:DescribeTargets",
    ]


def test_what_fails_says_what_to_do() -> None:
    found = [one for _, change, _, level, _ in TABLE if level is F for one in diagnose(change(WELL)) if one.level is F]
    assert len(found) > 8
    assert [one for one in found if not one.cure] == []


def test_a_refusal_is_a_fact_and_a_full_budget_says_when_to_come_again() -> None:
    def denied() -> str:
        raise AccessDenied("no right", reason="Forbidden")

    def throttled() -> str:
        raise Throttled("slow down")

    assert ask(denied) == Unread("no right")
    assert ask(throttled) == Unread("slow down; ask again in a minute")
    assert ask(lambda: 7) == Known(7)


def test_a_report_is_lines_for_people_and_one_object_for_programs() -> None:
    found = diagnose(WELL)
    text = click.unstyle(doctor_text(found, WELL))
    assert "  ok    API server" in text
    assert text.endswith(f"l7lb 0.1.0, {len(found)} checks: {len(found)} ok, 0 warn, 0 fail\n")
    said = json.loads(doctor_json(found, WELL))
    assert said["counts"] == {"ok": len(found), "warn": 0, "fail": 0}
    assert said["rights"] == [{"right": "list pods", "allowed": True}]
    assert said["actions"][1] == {"action": "clb:CreateRule", "finding": "unproven", "why": "it would"}
    assert all(one.keys() == {"area", "name", "level", "says", "cure"} for one in said["checks"])


def test_a_hostile_name_cannot_write_on_the_screen() -> None:
    change = cluster(classes=Known((klass("\x1b[2Jedge", CLASS_CONTROLLER),)))
    text = click.unstyle(doctor_text(diagnose(change(WELL)), WELL))
    assert all(line.isprintable() for line in text.split("\n"))
