"""Which change queues which key, in which lane, how urgently."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from l7lb.model.cluster import TkeServiceConfig
from l7lb.model.lane import Lane
from l7lb.model.marks import CONDITIONS, FINALIZER, LOAD_BALANCER_ID
from l7lb.model.watch import Item
from tests.unit.app.room import REGION, Added, Room, annotated, named, served
from tests.unit.translator.builders import (
    class_object,
    endpoints,
    ingress,
    node,
    path,
    rule,
    secret,
    service,
    tls,
)

EXISTING = "kubernetes.io/ingress.existLbId"
CONFIG = "ingress.cloud.tencent.com/tke-service-config"
CHANGE, ENDPOINTS = Lane.CHANGE, Lane.ENDPOINTS


@pytest.fixture
def room() -> Room:
    """Two Ingresses: `web` with a certificate and a config to the Service web, `api` to the Service api."""
    made = Room()
    made.put(named(ingress(rule(), certs=[tls("cert")], annotations={CONFIG: "tuning"}, class_name="qcloud"), "web"))
    made.put(named(ingress(rule("api.example.com", path(to="api"))), "api"))
    made.sink.taken()
    return made


WEB, API = "new/uid-web", "new/uid-api"


def test_a_new_ingress_goes_to_the_first_lane(room: Room) -> None:
    room.put(named(ingress(rule()), "shop"))
    assert room.sink.taken() == [Added("new/uid-shop", CHANGE)]


def test_an_edit_of_the_binding_queues_the_old_and_the_new_key(room: Room) -> None:
    before = room.put(named(ingress(rule()), "shop"))
    room.sink.taken()
    room.put(annotated(before, **{EXISTING: "lb-0000lent"}))
    assert room.sink.taken() == [Added("new/uid-shop", CHANGE), Added(f"lb/{REGION}/lb-0000lent", CHANGE)]


def test_a_deleted_ingress_queues_its_key(room: Room) -> None:
    made = room.put(named(ingress(rule()), "shop"))
    room.sink.taken()
    room.remove(made)
    assert room.sink.taken() == [Added("new/uid-shop", CHANGE)]


def with_finalizer(one: Any) -> Any:
    return msgspec.structs.replace(one, metadata=msgspec.structs.replace(one.metadata, finalizers=(FINALIZER,)))


def deleting(one: Any) -> Any:
    meta = msgspec.structs.replace(one.metadata, deletion_timestamp="2026-01-01T00:00:00Z")
    return msgspec.structs.replace(one, metadata=meta)


def other_rules(one: Any) -> Any:
    return msgspec.structs.replace(one, spec=ingress(rule("b.example.com")).spec)


EDITS: list[tuple[str, Callable[[Any], Any], bool]] = [
    ("a rule", other_rules, True),
    ("an annotation", lambda one: annotated(one, **{"kubernetes.io/ingress.class": "qcloud"}), True),
    ("a deletion", deleting, True),
    ("our finalizer", with_finalizer, True),
    ("the record", lambda one: served(one, "lb-00000one"), True),
    ("our condition", lambda one: annotated(one, **{CONDITIONS: "[]"}), False),
    ("the id that we write", lambda one: annotated(one, **{LOAD_BALANCER_ID: "lb-1"}), False),
    ("nothing", lambda one: one, False),
]


@pytest.mark.parametrize(("edit", "queues"), [row[1:] for row in EDITS], ids=[row[0] for row in EDITS])
def test_an_ingress_is_queued_for_what_a_pass_depends_on(room: Room, edit: Callable[[Any], Any], queues: bool) -> None:
    before = room.put(named(ingress(rule()), "shop"))
    room.sink.taken()
    room.put(edit(before))
    assert bool(room.sink.taken()) is queues


def test_what_was_written_on_an_ingress_that_went_is_forgotten(room: Room) -> None:
    made = room.put(named(ingress(rule()), "shop"))
    room.put(annotated(made, team="other"))
    assert room.sink.forgotten == []
    room.remove(made)
    assert room.sink.forgotten == ["uid-shop"]


def test_what_was_written_on_an_ingress_that_was_set_back_to_an_older_version_is_forgotten(room: Room) -> None:
    made = room.put(named(ingress(rule()), "shop"))
    room.put(annotated(made, team="other"))
    older = Item(made.key, made.metadata.uid, "1", made)
    for delta in room.stores.ingresses.replace((older,)):
        room.triggers.ingress(delta)
    assert "uid-shop" in room.sink.forgotten


def test_an_ingress_of_the_same_name_made_anew_is_another(room: Room) -> None:
    room.put(named(ingress(rule()), "shop"))
    room.sink.taken()
    room.put(named(ingress(rule()), "shop", uid="uid-second"))
    assert {one.key for one in room.sink.taken()} == {"new/uid-shop", "new/uid-second"}


def test_a_service_concerns_who_names_it(room: Room) -> None:
    room.put(service("web"))
    assert room.sink.taken() == [Added(WEB, CHANGE)]
    room.put(service("nobodys"))
    assert room.sink.taken() == []


def test_a_service_that_only_got_a_new_version_queues_nothing(room: Room) -> None:
    room.put(service("web"))
    room.sink.taken()
    room.put(service("web"))
    assert room.sink.taken() == []
    room.put(service("web", kind="ClusterIP"))
    assert room.sink.taken() == [Added(WEB, CHANGE)]
    room.put(service("web", kind="ClusterIP", annotations={"a": "b"}))
    assert room.sink.taken() == [Added(WEB, CHANGE)]


def test_a_deleted_service_is_looked_at_now_and_the_pass_knows_when_to_come_back(room: Room) -> None:
    made = room.put(service("web"))
    room.sink.taken()
    room.remove(made)
    assert room.sink.taken() == [Added(WEB, CHANGE)]
    assert room.caches.snapshot(ingress(rule())).proof_in_s == 300


POD_A, POD_B = ("172.16.0.1", "a", True), ("172.16.0.2", "b", True)
UNREADY_B = ("172.16.0.2", "b", False)


@pytest.mark.parametrize(
    ("before", "after", "urgent"),
    [
        ([], [POD_A], False),
        ([POD_A], [POD_A, POD_B], False),
        ([POD_A, POD_B], [POD_A], True),
        ([POD_A, POD_B], [POD_A, UNREADY_B], True),
        ([POD_A, UNREADY_B], [POD_A, POD_B], False),
    ],
    ids=["first pod", "scale out", "pod gone", "pod unready", "pod ready"],
)
def test_endpoints_go_to_the_second_lane_and_are_urgent_when_some_go(
    room: Room, before: list[tuple[str, str, bool]], after: list[tuple[str, str, bool]], urgent: bool
) -> None:
    room.put(endpoints("web", *before))
    room.sink.taken()
    room.put(endpoints("web", *after))
    assert room.sink.taken() == [Added(WEB, ENDPOINTS, urgent=urgent)]


def test_a_slice_that_goes_is_urgent(room: Room) -> None:
    made = room.put(endpoints("web", POD_A))
    room.sink.taken()
    room.remove(made)
    assert room.sink.taken() == [Added(WEB, ENDPOINTS, urgent=True)]


def test_a_slice_that_changes_its_service_concerns_both(room: Room) -> None:
    made = room.put(endpoints("web", POD_A))
    room.sink.taken()
    room.put(msgspec.structs.replace(made, service_name="api"))
    assert {one.key for one in room.sink.taken()} == {WEB, API}


def test_a_node_that_joins_concerns_everybody_and_goes_behind_all_other_endpoints(room: Room) -> None:
    room.put(node("a"))
    arrived = {(WEB, Lane.ARRIVALS, False), (API, Lane.ARRIVALS, False)}
    assert {(one.key, one.lane, one.urgent) for one in room.sink.taken()} == arrived
    room.put(node("a", ready="False"))
    assert {(one.key, one.lane) for one in room.sink.taken()} == {(WEB, ENDPOINTS), (API, ENDPOINTS)}
    room.put(node("a"))
    assert {(one.key, one.lane, one.urgent) for one in room.sink.taken()} == arrived
    room.put(node("a", cordoned=True))
    assert {(one.key, one.lane) for one in room.sink.taken()} == {(WEB, ENDPOINTS), (API, ENDPOINTS)}


def test_a_node_that_goes_is_urgent(room: Room) -> None:
    made = room.put(node("a"))
    room.sink.taken()
    room.remove(made)
    assert {(one.key, one.urgent) for one in room.sink.taken()} == {(WEB, True), (API, True)}


@pytest.mark.parametrize(
    ("change", "queues"),
    [
        ({}, False),
        ({"ready": "False"}, True),
        ({"since": "2026-02-02T00:00:00Z"}, True),
        ({"labels": {"zone": "b"}}, True),
        ({"cordoned": True}, True),
        ({"address": "10.0.0.99"}, True),
    ],
    ids=["heartbeat", "not ready", "since", "labels", "cordoned", "address"],
)
def test_a_node_counts_for_what_targets_depend_on_and_not_for_its_heartbeat(
    room: Room, change: dict[str, Any], queues: bool
) -> None:
    room.put(node("a"))
    room.sink.taken()
    room.put(node("a", **change))
    assert bool(room.sink.taken()) is queues


def test_a_secret_concerns_who_uses_it_when_it_comes_changes_and_goes(room: Room) -> None:
    made = room.put(secret("cert"))
    assert room.sink.taken() == [Added(WEB, CHANGE)]
    made = room.put(secret("cert", "Another1"))
    assert room.sink.taken() == [Added(WEB, CHANGE)]
    room.remove(made)
    assert room.sink.taken() == [Added(WEB, CHANGE)]
    room.put(secret("strangers"))
    assert room.sink.taken() == []


def test_a_class_and_a_config_concern_who_names_them(room: Room) -> None:
    room.put(class_object("qcloud", "l7lb.dev/ingress-controller"))
    assert room.sink.taken() == [Added(WEB, CHANGE)]
    room.put(class_object("nginx", "k8s.io/nginx"))
    assert room.sink.taken() == []
    tuning = TkeServiceConfig(metadata=secret("tuning").metadata, spec=msgspec.Raw(b"{}"))
    room.put(tuning)
    assert room.sink.taken() == [Added(WEB, CHANGE)]


def test_what_an_ingress_waited_for_queues_its_key(room: Room) -> None:
    room.triggers.again(named(ingress(rule()), "web"))
    assert room.sink.taken() == [Added(WEB, CHANGE)]


def test_all_bindings_are_known(room: Room) -> None:
    assert set(room.triggers.bindings()) == {WEB, API}
