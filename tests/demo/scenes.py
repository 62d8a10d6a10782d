"""The scenes, in their order: each shows one promise and raises a Surprise when it does not see it kept."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from tests.demo import fleet as nodes
from tests.demo import manifests
from tests.demo.building import applied, served, shown
from tests.demo.children import Child
from tests.demo.cloud import OUR_TAGS, LoadBalancer, without_health
from tests.demo.cluster import Ref, addresses, annotation
from tests.demo.manifests import ACCOUNTS_CERTIFICATE, DEFAULT_CERTIFICATE, LENT_ID, Wanted
from tests.demo.patience import Surprise, expect, expect_same
from tests.demo.screen import tree_of
from tests.demo.stage import LEASE, Stage, controller_started
from tests.demo.traffic import Site, Stream, expect_answer

CLASS_ANNOTATION = "kubernetes.io/ingress.class"
ID_ANNOTATION = "kubernetes.io/ingress.qcloud-loadbalance-id"
OUR_FINALIZER = "l7lb.dev/load-balancer"
CLOSES_AFTER_S = 2.0
_CHANGE_S = 30.0
_STREAM_WARM_UP_S = 1.0


@dataclass
class Play:
    """What one scene leaves for the next."""

    stage: Stage
    examples: tuple[Wanted, ...] = field(default_factory=manifests.examples)
    controller: Child | None = None
    lbs: dict[Ref, LoadBalancer] = field(default_factory=dict)
    lent_before: LoadBalancer | None = None

    def lb(self, name: str) -> LoadBalancer:
        """The load balancer of an example, by the name of its Ingress, as last seen."""
        return next(lb for ref, lb in self.lbs.items() if ref.name == name)

    def remember(self, all_wanted: Sequence[Wanted], lbs: Sequence[LoadBalancer]) -> None:
        """Keep what was seen."""
        self.lbs |= {wanted.ingress: lb for wanted, lb in zip(all_wanted, lbs, strict=True)}

    def running(self) -> Child:
        """The controller."""
        if self.controller is None:
            raise Surprise("the controller was not started")
        return self.controller


def furnish(play: Play) -> None:
    """Two nodes; a load balancer that somebody else owns was there before."""
    stage = play.stage
    for name in ("node-a", "node-b"):
        node = stage.fleet.join(name)
        stage.screen.say(f"{node.name} has address {node.address} and is cloud server {node.instance}")
    play.lent_before = _lent(stage)
    stage.screen.say(f"{LENT_ID} belongs to {play.lent_before.tags['owner']}, with its listener TCP:2222")


def start(play: Play) -> None:
    """The shipped command, as a child process."""
    play.controller = controller_started(play.stage)
    play.stage.screen.say("ready")


def build(play: Play) -> None:
    """Apply the examples and watch the load balancers come up."""
    stage = play.stage
    for wanted in play.examples:
        applied(stage, wanted)
    lbs = served(stage, play.examples)
    play.remember(play.examples, lbs)
    shown(stage, play.examples, lbs)
    for wanted, lb in zip(play.examples, lbs, strict=True):
        ingress = stage.cluster.get(wanted.ingress)
        expect_same(f"annotation {ID_ANNOTATION} of {wanted.ingress}", annotation(ingress, ID_ANNOTATION), lb.id)
        expect(OUR_FINALIZER in ingress["metadata"].get("finalizers", []), f"{wanted.ingress} has no finalizer")
    expect(play.lb("backoffice").is_internal, "the load balancer of backoffice is not internal")
    _expect_lent_untouched(play, ours=True)
    calls = stage.cloud.calls()
    stage.screen.say(
        f"{sum(calls.values())} calls to the cloud, {calls.get('CreateLoadBalancer', 0)} load balancers ordered"
    )


def fetch(play: Play) -> None:
    """Requests through the load balancers: by host and path, with certificates by SNI, and without a host."""
    table = (
        ("storefront", "http://shop.example.com/", "storefront", ""),
        ("storefront", "http://shop.example.com/api/orders", "api", ""),
        ("checkout", "https://pay.example.com/", "checkout", DEFAULT_CERTIFICATE),
        ("checkout", "https://accounts.example.com/login", "checkout", ACCOUNTS_CERTIFICATE),
        ("backoffice", "http://*/", "backoffice", ""),
        ("backoffice", "http://*/reports/today", "reports", ""),
        ("partner-api", "http://partner.example.com/v1", "partner-api", ""),
    )
    writes = play.stage.cloud.writes()
    for ingress, url, service, certificate in table:
        site = play.stage.site(play.lb(ingress), url)
        answer = expect_answer(site)
        expect_same(f"who answers {site.url}", answer.backend.partition("@")[0], service)
        expect_same(f"the certificate shown for {site.url}", answer.certificate, certificate)
        verified = f", certificate {certificate} verified" if certificate else ""
        play.stage.screen.say(f"{site.url} → {answer.backend}{verified}")
    expect_same("writes to the cloud while nothing was edited", play.stage.cloud.writes() - writes, 0)


def roll(play: Play) -> None:
    """Replace a node while clients send requests all the time: none may fail."""
    stage = play.stage
    streams = [
        Stream(stage.site(play.lb("storefront"), "http://shop.example.com/")),
        Stream(stage.site(play.lb("checkout"), "https://pay.example.com/")),
        Stream(stage.site(play.lb("partner-api"), "http://partner.example.com/")),
    ]
    with ExitStack() as running:
        for stream in streams:
            running.enter_context(stream)
            stage.patience.watchers.append(stream.check)
            running.callback(stage.patience.watchers.remove, stream.check)
        stage.patience.rest(_STREAM_WARM_UP_S)
        began = time.monotonic()
        new = stage.fleet.join("node-c")
        stage.screen.say(f"{new.name} joins with {new.address}")
        play.remember(play.examples, served(stage, play.examples, _CHANGE_S))
        stage.screen.say(f"{new.name} is in use everywhere; node-a leaves")
        old = stage.fleet.leave("node-a")
        stage.patience.until(
            f"{old.address} to be bound nowhere", lambda: not stage.cloud.is_bound(old.address), _CHANGE_S
        )
        stage.screen.say(f"{old.address} gets no new requests; it closes in {CLOSES_AFTER_S:g} s")
        stage.patience.rest(CLOSES_AFTER_S)
        nodes.close(old)
        stage.patience.rest(_STREAM_WARM_UP_S)
        lasted = time.monotonic() - began
    _expect_unbroken(stage, streams, new.name, lasted)


def leave_class(play: Play) -> None:
    """Edit an Ingress out of its class, see its load balancer go, edit it back in."""
    stage, wanted = play.stage, play.examples[0]
    before = play.lb(wanted.ingress.name)
    stage.cluster.annotate(wanted.ingress, {CLASS_ANNOTATION: "nginx"})
    stage.screen.say(f"{wanted.ingress}: annotation {CLASS_ANNOTATION} is now nginx")
    stage.patience.until(
        f"{before.id} to be deleted, as it was made for this Ingress",
        lambda: stage.cloud.find(before.id) is None,
        _CHANGE_S,
    )
    stage.patience.until(
        f"finalizer and address to be taken off {wanted.ingress}", lambda: _is_let_go(stage, wanted.ingress), _CHANGE_S
    )
    stage.screen.say(f"{before.id} is gone, the Ingress is still there, without address and finalizer")
    stage.cluster.annotate(wanted.ingress, {CLASS_ANNOTATION: "qcloud"})
    stage.screen.say("the annotation is qcloud again")
    (lb,) = served(stage, [wanted])
    play.remember([wanted], [lb])
    answer = expect_answer(stage.site(lb, "http://shop.example.com/"))
    stage.screen.say(f"new load balancer {lb.id}; shop.example.com → {answer.backend}")


def crash(play: Play) -> None:
    """Kill the controller when a load balancer is ordered but its id has not arrived, and start it again."""
    stage, wanted = play.stage, manifests.latecomer()
    known = {lb.id for lb in stage.cloud.load_balancers()}
    stage.cloud.order_fault({"action": "CreateLoadBalancer", "kind": "slow", "seconds": 3.0, "count": 1})
    applied(stage, wanted)
    uid = stage.uid(wanted.ingress)
    ordered = stage.patience.until(
        "the order of a load balancer for latecomer", lambda: stage.cloud.of(uid) or None, _CHANGE_S
    )
    play.running().kill()
    stage.screen.say(f"{ordered[0].id} is ordered, its id has not reached the controller: killed (SIGKILL)")
    # The process is known to be dead, so its lease of 30 s need not be waited for: what an operator does in that case.
    stage.cluster.delete(LEASE)
    stage.screen.say(f"kubectl -n {LEASE.namespace} delete lease {LEASE.name}")
    play.controller = controller_started(stage)
    (lb,) = served(stage, [wanted])
    added = {lb.id for lb in stage.cloud.load_balancers()} - known
    expect_same("load balancers since the crash", added, {ordered[0].id})
    play.remember([wanted], [lb])
    shown(stage, [wanted], [lb])
    answer = expect_answer(stage.site(lb, "http://late.example.com/"))
    stage.screen.say(f"still one load balancer: {lb.id}; late.example.com → {answer.backend}")


def delete(play: Play) -> None:
    """Delete every Ingress: what was made goes, what was lent is as it was."""
    stage = play.stage
    for ingress in play.lbs:
        stage.cluster.delete(ingress)
    made = {lb.id for lb in play.lbs.values()} - {LENT_ID}
    with stage.screen.bar("deleting") as note:

        def look() -> bool:
            left = made & {lb.id for lb in stage.cloud.load_balancers()}
            held = [ref for ref in play.lbs if stage.cluster.find(ref) is not None]
            total = len(made) + len(play.lbs)
            note(total - len(left) - len(held), total, f"{len(left)} load balancers and {len(held)} Ingresses are left")
            return not left and not held

        stage.patience.until("every load balancer that was made and every Ingress to be gone", look, 60.0)
    play.lbs.clear()
    expect_same("load balancers that are left", {lb.id for lb in stage.cloud.load_balancers()}, {LENT_ID})
    _expect_lent_untouched(play, ours=False)
    expect_same("calls that may never be made", stage.cloud.forbidden(), [])
    stage.screen.show(tree_of(_lent(stage), "belongs to its owner alone again"))
    stage.screen.say(f"the load balancers that were made are gone; {LENT_ID} is as it was, with its owner's listener")


def stop(play: Play) -> None:
    """Ask the controller to end."""
    expect_same("exit code of the controller", play.running().end(), 0)
    lease = play.stage.cluster.get(LEASE)
    expect(not lease["spec"].get("holderIdentity"), f"the lease is still held by {lease['spec'].get('holderIdentity')}")
    play.stage.screen.say("the controller has ended with exit code 0 and has given its lease back")


def build_again(play: Play) -> None:
    """Put the examples back, for those who want to look around."""
    for wanted in play.examples:
        applied(play.stage, wanted)
    play.remember(play.examples, served(play.stage, play.examples))
    play.stage.screen.say("the examples are applied again")


Scene = tuple[str, Callable[[Play], None]]

SCENES: tuple[Scene, ...] = (
    ("Two emulators run; two nodes join; one load balancer belongs to somebody else", furnish),
    ("The controller starts", start),
    ("Four Ingresses are applied: examples/*.yaml", build),
    ("Requests through the load balancers", fetch),
    ("A node is replaced while requests go on", roll),
    ("An Ingress leaves its class and comes back", leave_class),
    ("The controller is killed in the middle of a creation", crash),
    ("Every Ingress is deleted", delete),
)
LAST: Scene = ("The controller ends", stop)
LAST_WHEN_KEPT: Scene = ("Everything stays up", build_again)


def _lent(stage: Stage) -> LoadBalancer:
    lb = stage.cloud.find(LENT_ID)
    if lb is None:
        raise Surprise(f"{LENT_ID}, which was lent, is gone")
    return lb


def _expect_lent_untouched(play: Play, *, ours: bool) -> None:
    """Its owner's listener and tags are as they were; with `ours`, ours stand beside them, else nothing does."""
    before, now = play.lent_before, _lent(play.stage)
    if before is None:
        raise Surprise("nobody looked at the lent load balancer before")
    theirs = [listener for listener in now.listeners if not ours or listener.protocol == "TCP"]
    expect_same(f"listeners of the owner of {LENT_ID}", without_health(theirs), without_health(before.listeners))
    tags = {key: value for key, value in now.tags.items() if not ours or key not in OUR_TAGS}
    expect_same(f"tags of {LENT_ID}", tags, before.tags)


def _is_let_go(stage: Stage, ref: Ref) -> bool:
    ingress = stage.cluster.get(ref)
    return OUR_FINALIZER not in ingress["metadata"].get("finalizers", []) and not addresses(ingress)


def _expect_unbroken(stage: Stage, streams: Sequence[Stream], new: str, lasted_s: float) -> None:
    for stream in streams:
        stream.check()
        site: Site = stream.site
        by_backend = ", ".join(f"{name} {count}" for name, count in sorted(stream.answers.items()))
        expect(
            any(name.endswith(f"@{new}") for name in stream.answers),
            f"{site.url}: {new} answered nothing: {by_backend}",
        )
        stage.screen.say(f"{site.url}: {stream.sent} requests in {lasted_s:.0f} s, 0 failed ({by_backend})")
