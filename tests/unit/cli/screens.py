"""What each command that looks shows of one small installation; `python -m tests.unit.cli.screens` writes it anew.

The same screens are in docs/command-line.md.
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from l7lb.adapters.clb.probing import Finding as Shown
from l7lb.adapters.clb.probing import Probe
from l7lb.adapters.kube.cluster import ServerVersion
from l7lb.adapters.kube.examining import Replica
from l7lb.adapters.kube.rights import Uses, rights
from l7lb.app.audit_words import audit_json
from l7lb.app.auditing import Audit, Held, Word
from l7lb.app.config import Config
from l7lb.app.diagnosing import diagnose
from l7lb.app.doctor_words import doctor_json, doctor_text
from l7lb.app.dry import Finding
from l7lb.app.explain_words import explanation_document, explanation_text
from l7lb.app.explaining import Explanation
from l7lb.app.facts import CloudFacts, ClusterFacts, Facts, Granted, Known
from l7lb.app.gate import Standing
from l7lb.app.overview import overview
from l7lb.app.overview_words import overview_json, overview_text
from l7lb.app.printing import as_json, as_text, explanation_json
from l7lb.app.pulses import CURE, Pulse, Pulses
from l7lb.app.regions import Look
from l7lb.app.sketching import Sketch
from l7lb.app.tree_words import tree_json, tree_text
from l7lb.ledger import format_record
from l7lb.model.branches import HostView, ListenerView, Mark, Part, RuleView, TargetView
from l7lb.model.cloud import Health
from l7lb.model.cluster import HttpRule, Ingress, IngressRule, IngressSpec, ObjectMeta
from l7lb.model.codes import CODES
from l7lb.model.identity import CloudRef, Cluster, ListenerKey, LoadBalancerId, ObjectKey, RuleKey, RuleRef
from l7lb.model.inventory import Entry, Provenance, Use
from l7lb.model.lease import LeaseRecord
from l7lb.model.loadbalancer import (
    CreateSpec,
    HealthCheck,
    HostSpec,
    LoadBalancerHead,
    RuleSpec,
    Target,
    TargetKey,
)
from l7lb.model.marks import CONDITIONS, FINALIZER, RECORD
from l7lb.model.ownership import Record
from l7lb.model.plan import (
    CreateListeners,
    CreateLoadBalancer,
    CreateRules,
    DeleteRules,
    DeregisterTargets,
    ModifyRule,
    Placement,
    Plan,
    RegisterTargets,
)
from l7lb.model.portrait import Balancer, Check, Member, Tree, Trouble
from l7lb.model.snapshot import Limits

FOLDER: Final = Path(__file__).parent / "screens"
NOW: Final = 1_795_392_000.0
"""2026-11-23T00:00:00Z."""
CLUSTER: Final = "cls-9mfq2k1t"
REGION: Final = "ap-guangzhou"
WEB, BLOG, NEW = ObjectKey("shop", "web"), ObjectKey("blog", "front"), ObjectKey("shop", "new")
REF = CloudRef(REGION, LoadBalancerId("lb-0a1b2c3d"))
OTHER = CloudRef(REGION, LoadBalancerId("lb-4e5f6a7b"))
HTTP, HTTPS = ListenerKey("HTTP", 80), ListenerKey("HTTPS", 443)
ROOT, API, OLD = (RuleKey("shop.example.com", path) for path in ("/", "/api", "/v1"))


def placed(rule: RuleKey, *numbers: int) -> tuple[Placement, ...]:
    """Pods on a rule."""
    return tuple(
        Placement(RuleRef(HTTPS, rule), Target(TargetKey(f"172.16.0.{number}", 8080), weight=10)) for number in numbers
    )


CHANGED = Finding(
    WEB,
    Plan((
        CreateRules(HTTPS, (RuleSpec(API, scheduler="LEAST_CONN"),)),
        RegisterTargets((*placed(ROOT, *range(11, 25)), *placed(API, 11, 12))),
        ModifyRule(
            HTTPS,
            RuleSpec(ROOT, scheduler="WRR", health_check=HealthCheck(path="/", interval_s=5)),
            RuleSpec(ROOT, scheduler="LEAST_CONN", health_check=HealthCheck(path="/healthz")),
        ),
        DeregisterTargets(placed(ROOT, 7)),
        DeleteRules(HTTPS, (OLD,)),
    )),
    load_balancer=REF,
)  # fmt: skip
BOUGHT = Finding(
    NEW,
    Plan((
        CreateLoadBalancer(CreateSpec(name=f"{CLUSTER}_shop_new"), (("tke-clusterId", CLUSTER),), "token"),
        CreateListeners("HTTP", (80,), "TKE-DEDICATED-LISTENER"),
        CreateRules(HTTP, (RuleSpec(RuleKey("new.example.com", "/")),), (HostSpec("new.example.com", default=True),)),
    )),
)  # fmt: skip
MISSING = "E4041: Service blog/front not found; create it or change the backend"
BROKEN = Finding(BLOG, error=MISSING, load_balancer=OTHER)
QUIET = Finding(ObjectKey("shop", "api"), load_balancer=CloudRef(REGION, LoadBalancerId("lb-8c9d0e1f")))


def target(number: int, health: Health) -> TargetView:
    """A pod as it is bound."""
    return TargetView(TargetKey(f"172.16.0.{number}", 8080), weight=10, health=health, name=f"web-6d4cf56db-{number}")


TREE = Tree(
    drawn=NOW,
    balancer=Balancer(REF, f"{CLUSTER}_shop_web", ("203.0.113.10",), "created", (WEB,), mark=Mark.OK),
    listeners=(
        ListenerView(HTTP, name="TKE-DEDICATED-LISTENER", hosts=(
            HostView("shop.example.com", rules=(
                RuleView("/", owner=WEB, redirect="301 to HTTPS:443 shop.example.com/"),)),
        )),
        ListenerView(HTTPS, name="TKE-DEDICATED-LISTENER", hosts=(
            HostView("shop.example.com", "Zt4kB8wn", (
                RuleView("/", owner=WEB, backend="web:80", targets=(
                    target(11, Health.ALIVE), target(12, Health.ALIVE), target(13, Health.DEAD))),
                RuleView("/api", Part.MISSING, owner=WEB, backend="api:80", targets=(
                    replace(target(14, Health.ALIVE), part=Part.MISSING, weight=None, health=None),)),
            )),
        )),
    ),
    ownership="created: we made it for this Ingress; when its Ingress goes, the load balancer is deleted",
    checked=NOW,
)  # fmt: skip
SKETCH = Sketch(
    (TREE,), (Member(NEW, Mark.UNKNOWN, "nothing has been said about it yet"),), {OTHER: "it is not listed"}
)


def ingress(key: ObjectKey, status: str, message: str, ref: CloudRef | None = None) -> Ingress:
    """With a condition, and a load balancer where one is named."""
    condition = {
        "type": "Ready", "status": status, "reason": "Ensured" if status == "True" else "ServiceNotFound",
        "message": message, "lastTransitionTime": "2026-11-22T21:40:00Z",
    }  # fmt: skip
    text = json.dumps([condition])
    notes = {CONDITIONS: text}
    if ref is not None:
        notes[RECORD] = format_record(Record(str(key), CLUSTER, region=ref.region, lb=ref.id, claim="created"))
    meta = ObjectMeta(name=key.name, namespace=key.namespace, uid=str(key), annotations=notes, finalizers=(FINALIZER,))
    return Ingress(metadata=meta, spec=IngressSpec(rules=(IngressRule(http=HttpRule(paths=())),)))


READY = "the load balancer is as the Ingress asks"
FACTS = Facts(
    cluster_id=CLUSTER,
    region=REGION,
    version="0.1.0",
    now=NOW,
    cluster=ClusterFacts(
        version=Known(ServerVersion(1, 28, "v1.28.0")),
        identity=Known(Cluster(CLUSTER, "0f1e2d3c-4b5a-4968-8776-655443322110")),
        skew_s=Known(0.0),
        definitions=Known(("v1alpha1",)),
        classes=Known(()),
        ingresses=Known((
            ingress(WEB, "True", READY, REF),
            ingress(ObjectKey("shop", "api"), "True", READY, QUIET.load_balancer),
            ingress(BLOG, "False", MISSING),
        )),
        gate=Standing(True, "Deployment kube-system/l7-lb-controller has 0 replicas"),
        lease=Known(LeaseRecord("l7lb-6f7c9_1a2b", 30, "2026-11-22T09:12:44Z", "2026-11-22T23:59:57.120000Z")),
        replicas=Known(tuple(
            Replica("l7lb", f"l7lb-{name}", True, ("registry.example.com/l7lb:0.1.0",)) for name in ("6f7c9", "x2k4p")
        )),
    ),
    cloud=CloudFacts(
        source="file:/var/run/secrets/l7lb",
        heads=Known((LoadBalancerHead(REF, "web", running=True, tags={"tke-clusterId": CLUSTER}),)),
        limits=Known(Limits(public_used=93, internal_used=2)),
        skew_s=0.0,
        probes=(
            Probe("clb:DescribeLoadBalancers", Shown.ALLOWED),
            Probe("ssl:DescribeCertificates", Shown.DENIED, "no right"),
            Probe("clb:CreateLoadBalancer", Shown.UNPROVEN, "the proof would be a write"),
        ),
    ),
    rights=Known(tuple(
        Granted(one, one.resource != "pods/status") for one in rights(Uses(f"l7lb-{CLUSTER}"))
    )),
    account="system:serviceaccount:l7lb:l7lb",
    copy=Known(""),
)  # fmt: skip
ORPHAN = Entry(
    LoadBalancerHead(OTHER, "old", running=True), Provenance.MADE, Use.ORPHAN,
    reason="its Ingress 5d6c7b8a is not there any more",
)  # fmt: skip
USED = Entry(LoadBalancerHead(REF, "web", running=True), Provenance.MADE, Use.USED)
LOST = Word(BLOG, "gone", "its record names ap-guangzhou/lb-77777777, which does not exist any more")
AUDIT = Audit(Cluster(CLUSTER, "uid"), Look((), (REGION,)), (Held(USED, (WEB,)), Held(ORPHAN, ())), (LOST,), 3, 0)
EXPLAINED = Explanation(
    member=Member(WEB, Mark.OK, READY, REF),
    checks=(
        Check("Class", Mark.OK, "It has class qcloud, which is l7lb's."),
        Check("Controller", Mark.OK, "l7lb-6f7c9_1a2b leads; it renewed the Lease 3 s ago."),
        Check("Gate", Mark.OK, "Open: Deployment kube-system/l7-lb-controller has 0 replicas."),
        Check("Work", Mark.WAITING, "5 steps to be done.", "They are below; the leader does them one after the other."),
        Check("Target health", Mark.WARNING, "1 of 3 bindings fail their check: 172.16.0.13:8080.",
              CURE),
    ),
    read=(
        ("record", "created, load balancer lb-0a1b2c3d"),
        ("Service shop/web", "NodePort, ports 80:30080, 3 of 3 endpoints are ready"),
        ("Secret shop/cert", "certificate Zt4kB8wn"),
    ),
    troubles=(Trouble(WEB, Mark.WARNING, "NotApplied", "vpc-id was edited", "", advice="make it anew"),),
    tree=TREE,
    unread="",
    finding=CHANGED,
)  # fmt: skip
PULSES = Pulses({
    REF: Pulse(healthy=2, total=3, dead=1, rules=1),
    CloudRef(REGION, LoadBalancerId("lb-8c9d0e1f")): Pulse(healthy=4, total=4, rules=2),
})  # fmt: skip
SCREENS: Final[Mapping[str, Callable[[int | None], str]]] = {
    "status": lambda width: overview_text(overview(FACTS, Known(AUDIT), Config(CLUSTER, REGION), PULSES), width),
    "tree": lambda width: tree_text(SKETCH, width=width),
    "plan": lambda _: as_text((CHANGED, BOUGHT, BROKEN, QUIET)),
    "explain": lambda _: explanation_text(EXPLAINED),
    "doctor": lambda _: doctor_text(diagnose(FACTS), FACTS),
}
DOCUMENTS: Final[Mapping[str, Callable[[], str]]] = {
    "status": lambda: overview_json(
        overview(FACTS, Known(AUDIT), Config(CLUSTER, REGION), replace(PULSES, silent={OTHER: "it is gone"}))
    ),
    "tree": lambda: tree_json(SKETCH),
    "explain INGRESS": lambda: explanation_document(EXPLAINED),
    "explain CODE": lambda: explanation_json(CODES["E4041"]),
    "plan": lambda: as_json((CHANGED,)),
    "audit": lambda: audit_json(AUDIT),
    "doctor": lambda: doctor_json(diagnose(FACTS), FACTS),
}
"""What the same commands say with `-o json`."""
FORMS: Final[Mapping[str, Callable[[Callable[[int | None], str]], str]]] = {
    "plain": lambda screen: click.unstyle(screen(None)),
    "colour": lambda screen: screen(None),
    "narrow": lambda screen: click.unstyle(screen(60)),
}


def plain(name: str) -> str:
    """A screen without colour, as wide as it is."""
    return FORMS["plain"](SCREENS[name])


def file_of(name: str, form: str) -> Path:
    """Where it is kept."""
    return FOLDER / f"{name}.{form}.txt"


def main() -> None:
    """Take what is shown now for right; the difference is to be read before it is kept."""
    FOLDER.mkdir(exist_ok=True)
    for name, screen in SCREENS.items():
        for form, make in FORMS.items():
            file_of(name, form).write_text(make(screen), encoding="utf-8")
    sys.stdout.write(f"written: {len(SCREENS) * len(FORMS)} files in {FOLDER}\n")


if __name__ == "__main__":
    main()
