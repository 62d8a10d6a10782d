"""Pods in the caches: whom their changes concern, which are looked at, and where nobody is any more."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from l7lb.model.identity import BindingKey, ObjectKey
from l7lb.model.lane import Lane
from l7lb.model.pods import CUSTOM_WEIGHT, READINESS_GATE, PodCondition, PodIP, PodReadinessGate, PodSpec, PodStatus
from tests.unit.app.room import Added, Room, annotated, named
from tests.unit.translator.builders import SPACE, endpoints, ingress, node, path, rule, service
from tests.unit.translator.pod_builders import endpoint, pod, slice_of

DIRECT = {"ingress.cloud.tencent.com/direct-access": "true"}
WEB = "new/uid-web"
A, B = "172.16.0.1", "172.16.0.2"
QUIET: list[Added] = []


@pytest.fixture
def room() -> Room:
    """`web` has direct access to the Service web; `nodes` goes through its NodePort, `api` is about other pods."""
    made = Room()
    made.put(service("web"))
    made.put(service("api"))
    made.put(named(ingress(rule(), annotations=DIRECT), "web"))
    made.put(named(ingress(rule()), "nodes"))
    made.put(named(ingress(rule("api.example.com", path(to="api")), annotations=DIRECT), "api"))
    made.sink.taken()
    return made


def soon(key: str = WEB, *, urgent: bool = False) -> list[Added]:
    return [Added(key, Lane.ENDPOINTS, urgent=urgent)]


def with_status(one: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(one, status=msgspec.structs.replace(one.status, **fields))


def gated(status: str) -> dict[str, Any]:
    conditions = (
        PodCondition(type="ContainersReady", status=status),
        PodCondition(type=READINESS_GATE, status="False"),
    )
    return {"conditions": conditions}


GATED = pod(
    "web-a", A, spec=PodSpec(readiness_gates=(PodReadinessGate(condition_type=READINESS_GATE),)), **gated("False")
)

CHANGES: list[tuple[str, Any, Callable[[Any], Any], list[Added]]] = [
    ("its weight", pod("web-a", A), lambda one: annotated(one, **{CUSTOM_WEIGHT: "5"}), soon()),
    ("its end begins", pod("web-a", A), lambda _: pod("web-a", A, terminating=True), soon(urgent=True)),
    ("it has ended", pod("web-a", A), lambda one: with_status(one, phase="Failed"), soon(urgent=True)),
    ("it has an address", pod("web-a"), lambda one: with_status(one, pod_ips=(PodIP(ip=A),)), soon()),
    ("it waits only for us", GATED, lambda one: with_status(one, **gated("True")), soon()),
    ("its phase", pod("web-a", A), lambda one: with_status(one, phase="Unknown"), QUIET),
    ("nothing", pod("web-a", A), lambda one: one, QUIET),
]


@pytest.mark.parametrize(("before", "edit", "queued"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_what_of_a_pod_matters_queues_who_has_direct_access_to_it(
    room: Room, before: Any, edit: Callable[[Any], Any], queued: list[Added]
) -> None:
    there = room.put(before)
    room.sink.taken()
    room.put(edit(there))
    assert room.sink.taken() == queued


def test_a_pod_that_goes_is_urgent(room: Room) -> None:
    there = room.put(pod("web-a", A, terminating=True))
    room.sink.taken()
    room.remove(there)
    assert room.sink.taken() == soon(urgent=True)


def test_a_pod_without_an_address_concerns_nobody(room: Room) -> None:
    room.remove(room.put(pod("web-a")))
    assert room.sink.taken() == []


def test_whoever_gets_the_address_of_a_dying_pod_makes_its_end_urgent(room: Room) -> None:
    room.put(pod("web-a", A, terminating=True))
    room.sink.taken()
    room.put(pod("strange-a", A, of="strange"))
    assert room.sink.taken() == soon(urgent=True)


@pytest.mark.parametrize(
    ("before", "after", "urgent"),
    [
        (endpoint(A, "a"), endpoint(B, "b"), True),
        (endpoint(A, "a"), endpoint(A, "a", terminating=True), True),
        (endpoint(A, "a", terminating=True), endpoint(A, "a", ready=False, terminating=True), False),
    ],
    ids=["another in its place", "ready by declaration, but terminating", "it was on its way already"],
)
def test_a_slice_is_urgent_when_somebody_stops_serving(room: Room, before: Any, after: Any, urgent: bool) -> None:
    room.put(slice_of("api", before))
    room.sink.taken()
    room.put(slice_of("api", after))
    assert room.sink.taken() == soon("new/uid-api", urgent=urgent)


def test_a_snapshot_has_the_pods_of_its_endpoints_and_those_that_terminate(room: Room) -> None:
    room.put(slice_of("web", endpoint(A, "web-a")))
    behind, dying = room.put(pod("web-a", A)), room.put(pod("web-b", B, terminating=True))
    room.put(pod("api-a", "172.16.0.3", of="api"))
    (web,) = [one for one in room.caches.members(BindingKey(WEB)) if one.metadata.name == "web"]
    found = room.caches.snapshot(web)
    assert found.pods == {behind.key: behind, dying.key: dying}
    assert found.reused == frozenset()
    room.put(pod("strange-a", B, of="strange"))
    assert room.caches.snapshot(web).reused == {B}


@pytest.mark.parametrize(("kind", "looked_at"), [("", False), ("eklet", True)], ids=["nodes", "a super node"])
def test_without_direct_access_pods_are_looked_at_only_for_super_nodes(room: Room, kind: str, looked_at: bool) -> None:
    room.put(node("a", labels={"node.kubernetes.io/instance-type": kind}))
    room.put(slice_of("web", endpoint(A, "web-a")))
    room.put(pod("web-a", A))
    (plain,) = room.caches.members(BindingKey("new/uid-nodes"))
    assert bool(room.caches.snapshot(plain).pods) is looked_at


def test_an_address_is_vacant_when_neither_a_pod_of_the_namespace_nor_a_node_has_it(room: Room) -> None:
    room.put(endpoints("web"))
    room.put(node("a", "10.0.0.11"))
    room.put(pod("web-a", A, terminating=True))
    room.put(pod("web-b", B, phase="Failed"))
    room.put(named(pod("far", "172.16.0.3"), "far", namespace="elsewhere"))
    (web,) = room.caches.members(BindingKey(WEB))
    asked = frozenset({A, B, "172.16.0.3", "172.16.0.4", "10.0.0.11"})
    assert room.caches.vacant(web, asked) == {B, "172.16.0.3", "172.16.0.4"}
    room.unread = frozenset({"Pod"})
    assert room.caches.vacant(web, asked) == frozenset()


def test_a_pod_on_its_nodes_network_has_no_address_of_its_own(room: Room) -> None:
    spec, status = PodSpec(host_network=True), PodStatus(pod_ips=(PodIP(ip="10.0.0.11"),))
    there = room.put(msgspec.structs.replace(pod("web-a"), spec=spec, status=status))
    assert there.addresses == ()
    assert room.stores.pods.by_index("address", "10.0.0.11") == ()
    assert room.stores.pods.get(ObjectKey(SPACE, "web-a")) is not None
