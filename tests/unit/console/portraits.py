"""Portraits for tests of the console: a small fleet with something of everything, and one as large as you like."""

from dataclasses import dataclass, field
from typing import Final

from l7lb.model.branches import HostView, ListenerView, Mark, Part, RuleView, TargetView
from l7lb.model.cloud import Health
from l7lb.model.identity import CloudRef, ListenerKey, LoadBalancerId, ObjectKey, TaskId
from l7lb.model.loadbalancer import TargetKey
from l7lb.model.portrait import Balancer, Check, Fate, Fleet, Member, PlanView, Standing, StepView, Tree, Trouble, Why

NOW: Final = 1_795_392_373.0
REGION: Final = "ap-guangzhou"
STANDING: Final = Standing(
    cluster="cls-9mfq2k1t",
    region=REGION,
    version="0.1.0",
    leading=True,
    leader="l7lb-6d9f7c8b5-x2x7q",
    gate="Deployment kube-system/l7-lb-controller has 0 replicas",
)
WEB: Final = ObjectKey("shop", "web")
CHECKOUT: Final = ObjectKey("shop", "checkout")
MISSING: Final = Trouble(
    CHECKOUT,
    Mark.BAD,
    "ServiceNotFound",
    "Service shop/payments not found; create it or change the backend",
    "E4041",
    NOW - 780,
)
EXPIRED: Final = Trouble(
    ObjectKey("media", "images"),
    Mark.WARNING,
    "CertificateExpires",
    "certificate aZ4kQ9Tn of images.example.com ends in 6 days",
    "",
    NOW - 86_400 * 2,
)


def ref(name: str, region: str = REGION) -> CloudRef:
    return CloudRef(region, LoadBalancerId(name))


def balancer(name: str, *owners: ObjectKey, mark: Mark = Mark.OK, **more: object) -> Balancer:
    """A load balancer in a list; `more` by field name."""
    said: dict[str, object] = {
        "name": f"cls-9mfq2k1t_{owners[0].namespace}_{owners[0].name}" if owners else "",
        "addresses": (f"203.0.113.{sum(map(ord, name)) % 250}",),
        "claim": "created",
        "owners": owners,
        "hosts": tuple(f"{key.name}.example.com" for key in owners),
        "listeners": 2,
        "rules": 6,
        "targets": 18,
        "seen": NOW - 200,
        "mark": mark,
    } | more
    return Balancer(ref(name), **said)  # type: ignore[arg-type]  # a builder


def member(key: ObjectKey, mark: Mark = Mark.OK, says: str = "the load balancer is as the Ingress asks") -> Member:
    return Member(
        key, mark, says, ref("lb-8f2kq1zd"), (f"{key.name}.example.com",), ("203.0.113.200",), since=NOW - 86_400 * 3
    )


def target(address: str, health: Health | None = Health.ALIVE, weight: int = 10, part: Part = Part.THERE) -> TargetView:
    last = address.rpartition(".")[2]
    return TargetView(TargetKey(address, 31080), part, weight, health, f"node-{last}", f"ins-0a1b2c{last}")


def rule(path: str, *targets: TargetView, **more: object) -> RuleView:
    said: dict[str, object] = {"id": f"loc-{abs(hash(path)) % 10**6:06}", "owner": WEB, "backend": "web:80"} | more
    return RuleView(path, targets=targets, **said)  # type: ignore[arg-type]  # a builder


def _trio() -> tuple[TargetView, ...]:
    return target("10.0.0.11"), target("10.0.0.12"), target("10.0.0.13")


def listeners() -> tuple[ListenerView, ...]:
    """HTTP that redirects, HTTPS that serves, and a port of the lender."""
    sick = (target("10.0.0.11"), target("10.0.0.12", Health.DEAD), target("10.0.0.13"))
    gone = (target("10.0.0.14", Health.DEAD), target("10.0.0.15", Health.DEAD))
    own = "TKE-DEDICATED-LISTENER"
    https = ListenerView(
        ListenerKey("HTTPS", 443),
        id="lbl-h1k29d0s",
        name=own,
        hosts=(
            HostView(
                "shop.example.com",
                "aZ4kQ9Tn + bY7mW2Lp",
                (
                    rule("/", *_trio()),
                    rule("/api", *sick, backend="api:http"),
                    rule("/checkout", *gone, backend="checkout:80", owner=CHECKOUT),
                    rule("/new", part=Part.MISSING, backend="new:80", id=""),
                ),
            ),
            HostView("*.shop.example.com", "cX1nV5Rk", (rule("/", *_trio(), held=True),)),
        ),
    )
    http = ListenerView(
        ListenerKey("HTTP", 80),
        id="lbl-c93jd02k",
        name=own,
        hosts=(
            HostView("shop.example.com", "", (rule("/", redirect="301 to HTTPS:443 shop.example.com/", backend=""),)),
        ),
    )
    lent = ListenerView(ListenerKey("TCP", 6379), part=Part.OTHERS, id="lbl-zz81kd0a", name="redis", hosts=())
    return http, https, lent


def plans() -> tuple[PlanView, ...]:
    """One of each fate, newest first."""
    made = (
        "create 1 listener HTTPS:443 with certificate aZ4kQ9Tn+bY7mW2Lp",
        "create 3 rules on HTTPS:443: shop.example.com/, shop.example.com/api, shop.example.com/checkout",
        "register 9 targets on 3 rules: 10.0.0.11:31080, 10.0.0.12:31080, 10.0.0.13:31080 and 6 more",
    )
    done = tuple(StepView(text, NOW - 7_100 + 3 * number) for number, text in enumerate(made))
    half = (StepView(made[0], NOW - 8), StepView(made[1]), StepView(made[2]))
    over = StepView("register 3 targets on HTTPS:443 shop.example.com/new: 10.0.0.11:31080 and 2 more")
    return (
        PlanView(
            9, WEB, NOW - 12, Fate.RUNNING, "4c0f2b7d19aa83e1", None, half,
            waiting="the cloud works on: create 3 rules on HTTPS:443", task=TaskId("6a1d9b52-0c1e-4b7f-9a55-0d2f"),
        ),
        PlanView(
            8, WEB, NOW - 900, Fate.REFUSED, ended=NOW - 60,
            reason="12 of 18 rules would be removed without a change of the Ingress; l7lb.dev/approve lets it pass",
        ),
        PlanView(7, WEB, NOW - 3_600, Fate.FAILED, "77e1", NOW - 3_590, (over,), reason="no answer in 13 s"),
        PlanView(6, WEB, NOW - 5_000, Fate.REPLACED, "92bd01ffec23a1b0", NOW - 4_990, (over,)),
        PlanView(5, WEB, NOW - 7_100, Fate.DONE, "380958197061a5cb", NOW - 7_094, done, more=2),
    )  # fmt: skip


def tree() -> Tree:
    return Tree(
        NOW,
        balancer("lb-8f2kq1zd", WEB, CHECKOUT, mark=Mark.BAD, troubles=(MISSING,), busy="a plan is on its way"),
        listeners(),
        "created: we made it for this Ingress; when its Ingress goes, the load balancer is deleted",
        {"tke-clusterId": "cls-9mfq2k1t", "tke-createdBy-flag": "yes", "tke-lifecycle-owner": "tke"},
        NOW - 4,
        "",
        plans(),
    )


def why(*checks: Check) -> Why:
    chain = checks or (
        Check("Class", Mark.OK, "It has class qcloud, which is l7lb's."),
        Check("Controller", Mark.OK, "This replica leads and does the work."),
        Check("Gate", Mark.OK, "Open: Deployment kube-system/l7-lb-controller has 0 replicas."),
        Check("Ingress", Mark.BAD, f"E4041: {MISSING.message}", MISSING.advice),
        Check("Load balancer", Mark.OK, "lb-8f2kq1zd in ap-guangzhou; created: we made it for this Ingress."),
        Check("Work", Mark.WAITING, "1 of 3 steps are done; the cloud works on: create 3 rules on HTTPS:443."),
        Check("Forwarding rules", Mark.WAITING, "1 rule not there yet: HTTPS:443 shop.example.com/new."),
        Check("Bound targets", Mark.OK, "Every rule has targets, 11 in all."),
        Check(
            "Target health",
            Mark.WARNING,
            "3 of 11 bindings fail their check: 10.0.0.12:31080, 10.0.0.14:31080, 10.0.0.15:31080.",
            "Does the health check's path answer with an accepted status? Do firewalls let the check through?",
        ),
        Check(
            "Published address",
            Mark.OK,
            "Published in its status: 203.0.113.200.",
            "Names of its hosts must lead there in the DNS: l7lb does not look after that.",
        ),
    )
    return Why(NOW, member(WEB, Mark.BAD, f"E4041: {MISSING.message}"), chain, (MISSING,), tree(), plans())


def fleet() -> Fleet:
    """A dozen load balancers, one in each state."""
    keys = [ObjectKey(*text.split("/")) for text in (
        "blog/posts", "docs/site", "media/images", "media/video", "pay/api", "pay/portal", "shop/admin", "search/front",
    )]  # fmt: skip
    marks = {2: Mark.WARNING, 4: Mark.WAITING, 7: Mark.UNKNOWN}
    balancers = (
        balancer("lb-8f2kq1zd", WEB, CHECKOUT, mark=Mark.BAD, hosts=("shop.example.com", "*.shop.example.com"),
                 troubles=(MISSING,), busy="a plan is on its way"),
        *(balancer(f"lb-{number}m3v{number}x7q", key, mark=marks.get(number, Mark.OK), rules=3 + 2 * number,
                   targets=9 * number + 6, seen=None if number == 7 else NOW - 37 * number,
                   claim="adopted" if number == 5 else "created") for number, key in enumerate(keys)),
        balancer("lb-gr0up5hd", *(ObjectKey("teams", f"team-{name}") for name in "abcde"), claim="shared", rules=41),
    )  # fmt: skip
    members = (
        member(WEB),
        member(CHECKOUT, Mark.BAD, f"E4041: {MISSING.message}"),
        *(member(key, marks.get(number, Mark.OK)) for number, key in enumerate(keys)),
    )
    return Fleet(NOW, STANDING, balancers, members, (MISSING, EXPIRED))


def large(count: int) -> Fleet:
    """So many load balancers with an Ingress each."""
    keys = [ObjectKey(f"team-{number % 40:02}", f"app-{number:04}") for number in range(count)]
    marks = [Mark.BAD if number % 97 == 0 else Mark.OK for number in range(count)]
    balancers = tuple(
        balancer(f"lb-{number:08}", key, mark=mark, rules=50, targets=500)
        for number, (key, mark) in enumerate(zip(keys, marks, strict=True))
    )
    members = tuple(member(key, mark) for key, mark in zip(keys, marks, strict=True))
    wrong = tuple(
        Trouble(key, Mark.BAD, "ServiceNotFound", "Service not found", "E4041", NOW - 60)
        for key, mark in zip(keys, marks, strict=True)
        if mark is Mark.BAD
    )
    return Fleet(NOW, STANDING, balancers, members, wrong)


def broad(rules: int, targets: int) -> Tree:
    """One load balancer with many rules on one listener, and many targets on each."""
    bound = tuple(target(f"10.0.{number // 250}.{number % 250}") for number in range(targets))
    hosts = tuple(HostView(f"h{number}.example.com", "", (rule("/", *bound),)) for number in range(rules))
    return Tree(NOW, balancer("lb-8f2kq1zd", WEB), (ListenerView(ListenerKey("HTTP", 80), hosts=hosts),), checked=NOW)


@dataclass
class Gallery:
    """Portraits that a test has chosen."""

    the_fleet: Fleet = field(default_factory=fleet)
    the_tree: Tree | None = field(default_factory=tree)
    the_why: Why | None = field(default_factory=why)
    the_plans: tuple[PlanView, ...] = field(default_factory=plans)

    def standing(self) -> Standing:
        return self.the_fleet.standing

    def fleet(self) -> Fleet:
        return self.the_fleet

    def plans(self) -> tuple[float, tuple[PlanView, ...]]:
        return NOW, self.the_plans

    def tree(self, ref: CloudRef) -> Tree | None:
        return self.the_tree if self.the_tree is not None and ref == self.the_tree.balancer.ref else None

    def why(self, key: ObjectKey) -> Why | None:
        return self.the_why if self.the_why is not None and key == self.the_why.member.key else None
