"""Readiness gates in time: who is asked when, who is let through, what is told, and what one's trouble is to others."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import pytest

from l7lb import translator
from l7lb.app.readying import LONG_S, LOOK_S, NOT_A_TARGET, OPEN, SLOW_S, UNWANTED_S, Readying, Ward
from l7lb.errors import AccessDenied, GateClosed, L7lbError, NotFound, Throttled
from l7lb.model.cloud import Health, TargetHealth
from l7lb.model.identity import CloudRef, ListenerId, LoadBalancerId, LocationId
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedListener, ObservedLoadBalancer, Target
from l7lb.model.pods import READINESS_GATE, Pod, PodCondition, PodReadinessGate, PodSpec
from l7lb.model.writing import Note
from l7lb.reconciler.observations import Observations
from l7lb.telemetry.metrics import Metrics
from l7lb.translator.names import Name
from tests.builders import head, observed
from tests.unit.app.account import Account
from tests.unit.app.room import CLUSTER, REGION, SETTINGS, Room, annotated, named, served
from tests.unit.translator.builders import ingress, path, rule, service
from tests.unit.translator.pod_builders import endpoint, pod, slice_of

GATED = PodSpec(node_name="a", readiness_gates=(PodReadinessGate(condition_type=READINESS_GATE),))
WELL = (PodCondition(type="ContainersReady", status="True"),)
Rule = tuple[CloudRef, ListenerId, LocationId]


@dataclass
class Cloud(Account):
    """Says of every bound target what `says` has for its address, Alive by default."""

    known: dict[CloudRef, ObservedLoadBalancer] = field(default_factory=dict)
    says: dict[str, Health] = field(default_factory=dict)
    asked: list[list[str]] = field(default_factory=list)
    refusal: L7lbError | None = None
    tokens: list[str] | None = None
    """Each lets one pass begin, which borrows what it asks more; None: there are enough."""
    begun: bool = False

    def at(self, lane: Lane) -> Self:
        return replace(self, lane=lane, begun=False)

    def listeners(self, head: LoadBalancerHead) -> tuple[ObservedListener, ...]:
        return self.known[head.ref].listeners

    def targets(self, ref: CloudRef) -> Mapping[tuple[ListenerId, LocationId], tuple[Target, ...]]:
        return {
            (listener.id, listener.locations[one.key]): one.targets
            for listener in self.known[ref].listeners
            for one in listener.spec.rules
        }

    def health(self, refs: tuple[CloudRef, ...]) -> Mapping[Rule, tuple[TargetHealth, ...]]:
        if self.tokens is not None and not self.begun:
            if not self.tokens:
                raise Throttled("the API budget is used up")
            self.begun = bool(self.tokens.pop())
        self.asked.append([ref.id for ref in refs])
        if self.refusal is not None:
            raise self.refusal
        if any(ref not in self.known for ref in refs):
            raise NotFound("gone", what="load balancer")
        return {
            (ref, listener.id, listener.locations[one.key]): tuple(
                TargetHealth(target.key, self.says.get(target.key.address, Health.ALIVE), 10) for target in one.targets
            )
            for ref in refs
            for listener in self.known[ref].listeners
            for one in listener.spec.rules
        }


class Scene:
    """Services and Ingresses by name; `shown` is what was written to pods."""

    def __init__(self) -> None:
        self.room, self.cloud, self.metrics = Room(), Cloud(), Metrics("test")
        self.notes: list[Note] = []
        self.shown: list[tuple[str, str]] = []
        self.closed: L7lbError | None = None
        self.refused: L7lbError | None = None
        self.observations = Observations()
        self.readying = Readying(
            Ward(
                cluster=CLUSTER,
                settings=SETTINGS,
                stores=self.room.stores,
                caches=self.room.caches,
                cloud=self.cloud,
                pods=self,
                observations=self.observations,
                events=self,
                metrics=self.metrics,
                clock=self.room.clock,
                writable=self.check,
            )
        )

    def emit(self, note: Note) -> None:
        self.notes.append(note)

    def check(self) -> None:
        if self.closed is not None:
            raise self.closed

    def open_gate(self, pod: Pod, reason: str, message: str, at: float) -> None:
        if self.refused is not None:
            raise self.refused
        self.shown.append((pod.metadata.name, reason))

    def run(self, name: str, address: str, of: str = "web") -> None:
        """A pod of a Service that waits for nothing but the gate; the only endpoint."""
        self.room.put(pod(name, address, of=of, spec=GATED, conditions=WELL))
        self.room.put(slice_of(of, endpoint(address, name, ready=False), name=name))

    def serve(self, name: str = "web", **annotations: str) -> None:
        """A Service and an Ingress of ours with direct access."""
        self.room.put(service(name))
        made = named(ingress(rule(f"{name}.example.com", path(to=name))), name)
        self.room.put(served(annotated(made, **{Name.DIRECT_ACCESS: "true"} | annotations), f"lb-{name}"))

    def bind(self, name: str = "web") -> None:
        """The load balancer is as it is wanted."""
        (item,) = self.room.stores.ingresses.by_index("uid", f"uid-{name}")
        wanted = translator.translate(self.room.caches.snapshot(item.object), SETTINGS).desired
        assert wanted is not None
        made = observed(*wanted.listeners)
        ref = CloudRef(REGION, LoadBalancerId(f"lb-{name}"))
        made = replace(made, head=replace(made.head, ref=ref))
        self.cloud.known[ref] = made
        self.observations.keep(made)

    def look(self, after_s: float = LOOK_S) -> None:
        """A while later."""
        self.room.clock.advance(after_s)
        self.readying.step()

    def gauge(self, name: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, {"controller": "ingress"})


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_nobody_is_asked_while_nobody_waits(scene: Scene) -> None:
    scene.serve()
    scene.room.put(pod("web-a", "172.16.0.1"))
    scene.room.put(slice_of("web", endpoint("172.16.0.1", "web-a")))
    scene.bind()
    scene.look()
    assert (scene.cloud.asked, scene.shown) == ([], [])


def test_nobody_is_asked_while_the_pod_is_not_bound(scene: Scene) -> None:
    scene.serve()
    scene.bind()
    scene.run("web-a", "172.16.0.1")
    scene.look()
    assert (scene.cloud.asked, scene.shown) == ([], [])
    scene.bind()
    scene.look()
    assert (scene.cloud.asked, scene.shown) == ([["lb-web"]], [("web-a", OPEN)])


def test_all_that_are_healthy_are_opened_by_one_look_over_all_load_balancers(scene: Scene) -> None:
    for name, address in (("web", "172.16.0.1"), ("api", "172.16.0.2"), ("old", "172.16.0.3")):
        scene.serve(name)
        scene.run(f"{name}-a", address, name)
        scene.bind(name)
    scene.cloud.says["172.16.0.3"] = Health.UNKNOWN
    scene.look()
    assert scene.cloud.asked == [["lb-api", "lb-old", "lb-web"]]
    assert sorted(scene.shown) == [("api-a", OPEN), ("web-a", OPEN)]
    assert scene.gauge("l7lb_readiness_gates_pending") == 3


def test_looks_become_rare_and_an_event_says_why(scene: Scene) -> None:
    scene.serve()
    scene.run("web-a", "172.16.0.1")
    scene.bind()
    scene.cloud.says["172.16.0.1"] = Health.DEAD
    for _ in range(int(LONG_S + 60)):
        scene.look(1.0)
    late = len(scene.cloud.asked)
    for _ in range(60):
        scene.look(1.0)
    assert len(scene.cloud.asked) - late == 60 / SLOW_S
    (note,) = scene.notes
    assert (note.about.kind, note.about.key.name, note.reason) == ("Pod", "web-a", "ReadinessGatePending")
    assert "Dead of 172.16.0.1:8080" in note.message
    assert scene.gauge("l7lb_readiness_gate_oldest_seconds") == pytest.approx(LONG_S + 119)


def test_one_load_balancer_that_is_gone_holds_up_no_other(scene: Scene) -> None:
    for name, address in (("web", "172.16.0.1"), ("api", "172.16.0.2"), ("old", "172.16.0.3")):
        scene.serve(name)
        scene.run(f"{name}-a", address, name)
        scene.bind(name)
    del scene.cloud.known[CloudRef(REGION, LoadBalancerId("lb-old"))]
    scene.look()
    assert sorted(scene.shown) == [("api-a", OPEN), ("web-a", OPEN)]


def test_one_that_is_gone_holds_up_no_other_where_each_look_finds_budget_for_one_call(scene: Scene) -> None:
    for number in range(32):
        scene.serve(f"s{number:02}")
        scene.run(f"s{number:02}-a", f"172.16.0.{number}", f"s{number:02}")
        scene.bind(f"s{number:02}")
    del scene.cloud.known[CloudRef(REGION, LoadBalancerId("lb-s00"))]
    scene.cloud.tokens = ["one"]
    scene.look()
    assert len(scene.shown) == 31


@pytest.mark.parametrize("trouble", [Throttled("slow"), AccessDenied("no", reason="AccessDenied")])
def test_trouble_of_the_cloud_is_met_by_asking_later(scene: Scene, trouble: L7lbError) -> None:
    scene.serve()
    scene.run("web-a", "172.16.0.1")
    scene.bind()
    scene.cloud.refusal = trouble
    scene.look()
    assert (scene.shown, len(scene.cloud.asked)) == ([], 1)
    scene.cloud.refusal = None
    scene.look()
    assert scene.shown == [("web-a", OPEN)]


def test_a_load_balancer_that_no_pass_knows_now_is_read_for_the_next_look(scene: Scene) -> None:
    scene.serve()
    scene.run("web-a", "172.16.0.1")
    scene.bind()
    scene.cloud.heads_by_id["lb-web"] = head("lb-web")
    scene.observations.clear()
    scene.look()
    assert scene.shown == []
    scene.look()
    assert scene.shown == [("web-a", OPEN)]


def test_behind_a_closed_gate_nothing_is_asked_nor_written(scene: Scene) -> None:
    scene.serve()
    scene.run("web-a", "172.16.0.1")
    scene.bind()
    scene.closed = GateClosed("TKE's controller is running")
    scene.look()
    assert (scene.cloud.asked, scene.shown) == ([], [])
    assert scene.gauge("l7lb_readiness_gates_pending") == 1


def test_a_refused_write_is_tried_again_later(scene: Scene) -> None:
    scene.serve()
    scene.run("web-a", "172.16.0.1")
    scene.bind()
    scene.refused = AccessDenied("pods/status", reason="AccessDenied")
    scene.look()
    scene.refused = None
    scene.look()
    assert scene.shown == []
    scene.look(SLOW_S)
    assert scene.shown == [("web-a", OPEN)]


def test_a_pod_that_no_ingress_wants_is_let_through_after_a_while(scene: Scene) -> None:
    scene.room.put(service("web"))
    scene.run("web-a", "172.16.0.1")
    for _ in range(int(UNWANTED_S / LOOK_S)):
        scene.look()
    assert scene.shown == []
    scene.look(SLOW_S)
    assert scene.shown == [("web-a", NOT_A_TARGET)]
    assert scene.cloud.asked == []


@pytest.mark.parametrize("other", ["Service", "Ingress"])
def test_a_gate_that_somebody_else_may_answer_for_is_left(scene: Scene, other: str) -> None:
    scene.room.put(service("web", kind="LoadBalancer" if other == "Service" else "NodePort"))
    if other == "Ingress":
        scene.room.put(annotated(named(ingress(rule()), "theirs"), **{Name.DIRECT_ACCESS: "true"}))
    scene.run("web-a", "172.16.0.1")
    for _ in range(20):
        scene.look(SLOW_S)
    assert (scene.shown, scene.notes) == ([], [])
