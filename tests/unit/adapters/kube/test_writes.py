"""What is sent to the API server, and what its answers come to: Ingresses, Leases, Events, facts of the cluster."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from l7lb import errors
from l7lb.adapters.kube.cluster import KubeCluster, ServerVersion
from l7lb.adapters.kube.events import MESSAGE_BYTES_MAX, Clocks, EventWriter
from l7lb.adapters.kube.ingresses import KubeIngresses
from l7lb.adapters.kube.leases import KubeLeases
from l7lb.adapters.kube.transport import MERGE_PATCH, Transport
from l7lb.model.cluster import Ingress, IngressAddress, ObjectMeta
from l7lb.model.identity import ObjectKey
from l7lb.model.lease import LeaseRecord
from l7lb.model.writing import EventType, MetadataChange, Note, ObjectReference
from tests.unit.adapters.kube.fault_server import Answer, Fault, FaultServer, reply
from tests.unit.adapters.kube.kubeconfigs import kubeconfig

pytestmark = pytest.mark.system

KEY = ObjectKey("shop", "web")
PATH = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses/web"
STORED = {"metadata": {"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "8"}}
ABSENT = reply(b'{"kind":"Status","code":404,"reason":"NotFound","details":{"name":"it"}}', "404 Not Found")
BARE_404 = reply(b"404 page not found", "404 Not Found")
CONFLICT = reply(b'{"kind":"Status","code":409,"reason":"Conflict"}', "409 Conflict")


def answer(document: object, status: str = "200 OK") -> Answer:
    return reply(json.dumps(document).encode(), status)


@contextmanager
def connected(folder: Path, *answers: Answer) -> Iterator[tuple[FaultServer, Transport]]:
    with FaultServer(answers) as server, Transport(kubeconfig(folder, server.address)) as transport:
        yield server, transport


def ingress(*finalizers: str) -> Ingress:
    meta = ObjectMeta(name="web", namespace="shop", uid="u", resource_version="7", finalizers=finalizers)
    return Ingress(metadata=meta)


def test_live_reads_the_newest_and_none_only_on_the_servers_word(tmp_path: Path) -> None:
    with connected(tmp_path, answer(STORED), ABSENT, BARE_404) as (server, transport):
        ingresses = KubeIngresses(transport)
        found = ingresses.live(KEY)
        assert found is not None
        assert found.key == KEY
        assert ingresses.live(KEY) is None
        with pytest.raises(errors.Unavailable, match="no proof"):
            ingresses.live(KEY)
    assert [seen.line for seen in server.seen] == [f"GET {PATH} HTTP/1.1"] * 3


def test_classes_and_services_are_read_live_too(tmp_path: Path) -> None:
    with connected(tmp_path, answer(STORED), ABSENT) as (server, transport):
        ingresses = KubeIngresses(transport)
        assert ingresses.live_service(KEY) is not None
        assert ingresses.live_class("qcloud") is None
    targets = [seen.target for seen in server.seen]
    assert targets == ["/api/v1/namespaces/shop/services/web", "/apis/networking.k8s.io/v1/ingressclasses/qcloud"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (MetadataChange(annotations={"a": "1", "b": None}), {"annotations": {"a": "1", "b": None}}),
        (MetadataChange(add_finalizers=("ours",)), {"finalizers": ["theirs", "ours"]}),
        (MetadataChange(add_finalizers=("theirs",)), {"finalizers": ["theirs"]}),
        (MetadataChange(remove_finalizers=("theirs", "other")), {"finalizers": []}),
        (MetadataChange({"a": "1"}, ("ours",), ("theirs",)), {"annotations": {"a": "1"}, "finalizers": ["ours"]}),
    ],
)
def test_metadata_is_patched_at_the_version_it_was_decided_on(
    tmp_path: Path, change: MetadataChange, expected: dict[str, Any]
) -> None:
    with connected(tmp_path, answer(STORED)) as (server, transport):
        patched = KubeIngresses(transport).patch_metadata(ingress("theirs"), change)
    [seen] = server.seen
    assert (seen.method, seen.target, seen.headers["content-type"]) == ("PATCH", PATH, MERGE_PATCH)
    assert json.loads(seen.body) == {"metadata": {**expected, "resourceVersion": "7", "uid": "u"}}
    assert patched.metadata.resource_version == "8"


def test_empty_change_sends_nothing(tmp_path: Path) -> None:
    with connected(tmp_path, answer(STORED)) as (server, transport):
        unchanged = KubeIngresses(transport).patch_metadata(ingress(), MetadataChange())
        assert server.seen == []
    assert unchanged == ingress()


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ((IngressAddress(ip="1.2.3.4"), IngressAddress(hostname="a.b")), [{"ip": "1.2.3.4"}, {"hostname": "a.b"}]),
        ((), None),
    ],
)
def test_addresses_replace_the_status(
    tmp_path: Path, addresses: tuple[IngressAddress, ...], expected: list[dict[str, str]] | None
) -> None:
    with connected(tmp_path, answer(STORED)) as (server, transport):
        KubeIngresses(transport).set_addresses(ingress(), addresses)
    [seen] = server.seen
    assert seen.target == PATH + "/status"
    assert json.loads(seen.body) == {
        "metadata": {"resourceVersion": "7", "uid": "u"},
        "status": {"loadBalancer": {"ingress": expected}},
    }


@pytest.mark.parametrize(("refusal", "expected"), [(CONFLICT, errors.Conflict), (ABSENT, errors.NotFound)])
def test_object_that_moved_or_went_is_said_so(tmp_path: Path, refusal: Answer, expected: type[Exception]) -> None:
    with connected(tmp_path, refusal) as (_, transport):
        ingresses = KubeIngresses(transport)
        with pytest.raises(expected):
            ingresses.patch_metadata(ingress(), MetadataChange(annotations={"a": "1"}))
        with pytest.raises(expected):
            ingresses.set_addresses(ingress(), ())


def test_guard_holds_writes_and_not_reads(tmp_path: Path) -> None:
    def refuse() -> None:
        raise errors.LostLeadership("not the leader")

    with connected(tmp_path, answer(STORED)) as (server, transport):
        ingresses = KubeIngresses(transport, guard=refuse)
        assert ingresses.live(KEY) is not None
        with pytest.raises(errors.LostLeadership):
            ingresses.patch_metadata(ingress(), MetadataChange(annotations={"a": "1"}))
        with pytest.raises(errors.LostLeadership):
            ingresses.set_addresses(ingress(), ())
        assert [seen.method for seen in server.seen] == ["GET"]


def test_everyone_is_listed_whole_at_the_newest_version(tmp_path: Path) -> None:
    items = [{"metadata": {"uid": uid, "annotations": {"a": uid}}} for uid in "abc"]
    listed = {"kind": "PartialObjectMetadataList", "metadata": {}, "items": items}
    with connected(tmp_path, answer(listed)) as (server, transport):
        everyone = KubeIngresses(transport).everyone()
    assert [(one.metadata.uid, one.annotations) for one in everyone] == [(uid, {"a": uid}) for uid in "abc"]
    assert server.seen[0].target == "/apis/networking.k8s.io/v1/ingresses"


@pytest.mark.parametrize(
    "listed",
    [
        {"kind": "IngressList", "metadata": {"continue": "x"}, "items": []},
        {"kind": "Status", "metadata": {}, "items": []},
        {"kind": "IngressList", "metadata": {}, "items": [{"metadata": {}}]},
        {"kind": "IngressList", "metadata": {}, "items": [{"metadata": {"uid": "a"}}, {"metadata": {"uid": ""}}]},
        {"kind": "IngressList", "metadata": {}},
        {},
    ],
)
def test_half_a_list_of_everyone_is_none(tmp_path: Path, listed: object) -> None:
    with connected(tmp_path, answer(listed)) as (_, transport), pytest.raises(errors.Unavailable):
        KubeIngresses(transport).everyone()


RECORD = LeaseRecord("me", 30, "2026-11-22T10:00:00.000000Z", "2026-11-22T10:00:05.000000Z", 2, "8")
SPEC = {
    "holderIdentity": "me",
    "leaseDurationSeconds": 30,
    "acquireTime": "2026-11-22T10:00:00.000000Z",
    "renewTime": "2026-11-22T10:00:05.000000Z",
    "leaseTransitions": 2,
}
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"


def test_lease_is_read_created_and_updated_at_its_version(tmp_path: Path) -> None:
    stored = answer({**STORED, "spec": SPEC})
    with connected(tmp_path, ABSENT, stored, stored, stored, BARE_404) as (server, transport):
        leases = KubeLeases(transport, ObjectKey("kube-system", "l7lb-cls"))
        with pytest.raises(errors.NotFound):
            leases.get()
        assert leases.create(RECORD) == RECORD
        assert leases.update(RECORD) == RECORD
        assert leases.get() == RECORD
        with pytest.raises(errors.Unavailable):
            leases.get()
    lines = [seen.line.removesuffix(" HTTP/1.1") for seen in server.seen[:4]]
    name = f"{LEASES}/l7lb-cls"
    assert lines == [f"GET {name}", f"POST {LEASES}", f"PATCH {name}", f"GET {name}"]
    assert json.loads(server.seen[1].body)["spec"] == SPEC
    assert json.loads(server.seen[2].body) == {"metadata": {"resourceVersion": "8"}, "spec": SPEC}


@pytest.mark.parametrize("wanted_by", ["pod-2", ""], ids=["somebody", "nobody"])
def test_lease_of_a_shard_says_who_else_wants_it(tmp_path: Path, wanted_by: str) -> None:
    marks = {"l7lb.dev/wanted-by": wanted_by} if wanted_by else {}
    stored = answer({"metadata": {**STORED["metadata"], "annotations": marks}, "spec": SPEC})
    with connected(tmp_path, stored) as (server, transport):
        leases = KubeLeases(transport, ObjectKey("kube-system", "l7lb-cls-2"), marked=True)
        record = replace(RECORD, wanted_by=wanted_by)
        assert leases.update(record) == record
    sent = json.loads(server.seen[0].body)["metadata"]
    assert sent == {"resourceVersion": "8", "annotations": {"l7lb.dev/wanted-by": wanted_by or None}}


def test_lease_that_moved_or_exists_already_is_said_so(tmp_path: Path) -> None:
    exists = reply(b'{"kind":"Status","code":409,"reason":"AlreadyExists"}', "409 Conflict")
    with connected(tmp_path, exists, CONFLICT) as (_, transport):
        leases = KubeLeases(transport, ObjectKey("kube-system", "l7lb-cls"))
        with pytest.raises(errors.AlreadyExists):
            leases.create(RECORD)
        with pytest.raises(errors.Conflict):
            leases.update(RECORD)


def note(message: str = "E4041 no such Service", namespace: str = "shop") -> Note:
    about = ObjectReference("networking.k8s.io/v1", "Ingress", ObjectKey(namespace, "web"), "u")
    return Note(about, EventType.WARNING, "NoService", message, "E4041")


CREATED = answer({}, "201 Created")
NOON = Clocks(monotonic=lambda: 100.0, wall=lambda: 1_800_000_000.0)


def test_event_says_what_its_note_says(tmp_path: Path) -> None:
    with connected(tmp_path, CREATED) as (server, transport):
        writer = EventWriter(transport, instance="pod-1", clocks=NOON)
        writer.emit(note())
        assert writer.step(100.0) == 0
        assert writer.step(100.0) is None
    [seen] = server.seen
    event = json.loads(seen.body)
    name = event["metadata"].pop("name")
    assert name.startswith("web.")
    assert seen.line == "POST /api/v1/namespaces/shop/events HTTP/1.1"
    assert event == {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"namespace": "shop"},
        "involvedObject": {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "namespace": "shop",
            "name": "web",
            "uid": "u",
        },
        "type": "Warning",
        "reason": "NoService",
        "message": "E4041 no such Service",
        "count": 1,
        "firstTimestamp": "2027-01-15T08:00:00Z",
        "lastTimestamp": "2027-01-15T08:00:00Z",
        "source": {"component": "l7lb"},
        "reportingComponent": "l7lb",
        "reportingInstance": "pod-1",
    }


def test_repeated_event_is_patched_with_its_count(tmp_path: Path) -> None:
    with connected(tmp_path, CREATED, answer({})) as (server, transport):
        writer = EventWriter(transport, clocks=NOON)
        writer.emit(note())
        writer.step(100.0)
        writer.emit(note())
        assert writer.step(100.0) == 30
        writer.step(130.0)
    created, patched = server.seen
    assert patched.line == f"PATCH {created.target}/{json.loads(created.body)['metadata']['name']} HTTP/1.1"
    assert json.loads(patched.body) == {"count": 2, "lastTimestamp": "2027-01-15T08:00:00Z"}


def test_event_whose_answer_was_lost_is_written_once(tmp_path: Path) -> None:
    exists = reply(b'{"kind":"Status","code":409,"reason":"AlreadyExists"}', "409 Conflict")
    drops: list[str] = []
    with connected(tmp_path, Answer(b"", Fault.CLOSE), exists) as (server, transport):
        writer = EventWriter(transport, on_drop=drops.append, clocks=NOON)
        writer.emit(note())
        writer.step(100.0)
        assert writer.step(100.0) == 1
        writer.step(101.0)
        assert writer.step(200.0) is None
    assert drops == []
    assert server.seen[0].body == server.seen[1].body


@pytest.mark.parametrize("refusal", [ABSENT, reply(b"", "403 Forbidden"), reply(b"", "422 Unprocessable Entity")])
def test_refused_event_is_dropped_and_counted(tmp_path: Path, refusal: Answer) -> None:
    drops: list[str] = []
    with connected(tmp_path, refusal) as (_, transport):
        writer = EventWriter(transport, on_drop=drops.append, clocks=NOON)
        writer.emit(note())
        writer.step(100.0)
        assert writer.step(1000.0) is None
    assert drops == ["refused"]


def test_strange_text_neither_raises_nor_is_sent_too_long(tmp_path: Path) -> None:
    drops: list[str] = []
    with connected(tmp_path, CREATED) as (server, transport):
        writer = EventWriter(transport, on_drop=drops.append, clocks=NOON)
        writer.emit(note("\ud800"))
        writer.emit(note("ü" * 5000, namespace=""))
        writer.step(100.0)
        writer.step(100.0)
    assert drops == ["refused"]
    assert server.seen[0].target == "/api/v1/namespaces/default/events"
    message = json.loads(server.seen[0].body)["message"]
    assert message.endswith("ü...")
    assert len(message.encode()) <= MESSAGE_BYTES_MAX


def test_running_writer_writes_what_comes_and_what_is_left_when_it_ends(tmp_path: Path) -> None:
    drops: list[str] = []
    with connected(tmp_path, CREATED) as (server, transport):
        writer = EventWriter(transport, on_drop=drops.append)
        writer.emit(note("before"))
        thread = threading.Thread(target=writer.run)
        thread.start()
        for number in range(15):
            writer.emit(note(str(number)))
        writer.stop()
        thread.join(30)
        assert not thread.is_alive()
    assert len(server.seen) == 10
    assert drops == ["rate"] * 6


def test_cluster_is_known_by_the_uid_of_kube_system(tmp_path: Path) -> None:
    with connected(tmp_path, answer(STORED), answer({"metadata": {}}), answer([])) as (server, transport):
        cluster = KubeCluster(transport)
        assert cluster.uid() == "u"
        for _ in range(2):
            with pytest.raises(errors.Unavailable):
                cluster.uid()
    assert server.seen[0].target == "/api/v1/namespaces/kube-system"


def test_version_of_the_server_is_read(tmp_path: Path) -> None:
    said = {"major": "1", "minor": "30+", "gitVersion": "v1.30.0-tke.6"}
    with connected(tmp_path, answer(said), answer({"major": "x"})) as (_, transport):
        cluster = KubeCluster(transport)
        assert cluster.version() == ServerVersion(1, 30, "v1.30.0-tke.6")
        with pytest.raises(errors.Unavailable):
            cluster.version()
