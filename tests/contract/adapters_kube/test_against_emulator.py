"""Lists, watches, patches, Leases and Events through the adapter, against the Kubernetes emulator over its socket."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from l7lb import errors
from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.cluster import KubeCluster
from l7lb.adapters.kube.credentials import Source
from l7lb.adapters.kube.events import EventWriter
from l7lb.adapters.kube.ingresses import KubeIngresses
from l7lb.adapters.kube.leases import KubeLeases
from l7lb.adapters.kube.listwatch import KubeListWatch, KubeObjectListWatch, Scope
from l7lb.adapters.kube.serviceconfigs import KubeServiceConfigs
from l7lb.adapters.kube.transport import Transport
from l7lb.model.cluster import Ingress, IngressAddress, TkeServiceConfig
from l7lb.model.identity import ObjectKey
from l7lb.model.lease import LeaseRecord
from l7lb.model.watch import Bookmark, Change, ChangeType, Page, StreamError
from l7lb.model.writing import EventType, MetadataChange, Note, ObjectReference
from tests.emulators.kube import KubeEmulator, Request
from tests.emulators.kube.faults import Fault

pytestmark = pytest.mark.system


@pytest.fixture(name="emulator")
def _emulator() -> Iterator[KubeEmulator]:
    with KubeEmulator(token="let-me-in") as emulator:
        yield emulator


@pytest.fixture(name="transport")
def _transport(emulator: KubeEmulator, tmp_path: Path) -> Iterator[Transport]:
    emulator.write_kubeconfig(tmp_path / "kubeconfig")
    with Transport(Source(kubeconfig=str(tmp_path / "kubeconfig"))) as transport:
        yield transport


def web(name: str = "web", **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": "default"} | metadata,
        "spec": {"defaultBackend": {"service": {"name": "shop", "port": {"number": 80}}}},
    }


def secret(name: str = "cert", form: str = "Opaque") -> dict[str, Any]:
    data = {"qcloud_cert_id": base64.b64encode(b"abc\n").decode(), "other": base64.b64encode(b"hush").decode()}
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": form, "data": data}


KEY = ObjectKey("default", "web")


def listed(transport: Transport, version: str = "0") -> Page[Ingress]:
    return KubeListWatch(transport, kinds.INGRESS).list_page(resource_version=version, continue_token="")


def test_list_goes_through_all_pages_at_one_version(emulator: KubeEmulator, transport: Transport) -> None:
    for number in range(5):
        emulator.create(web(f"web-{number}"))
    listwatch = KubeListWatch(transport, kinds.INGRESS, Scope("default"), page_size=2)
    names: list[str] = []
    versions: set[str] = set()
    version, token = "", ""
    while True:
        page = listwatch.list_page(resource_version=version, continue_token=token)
        names += [item.key.name for item in page.items]
        versions.add(page.resource_version)
        if not (token := page.continue_token):
            break
    assert names == [f"web-{number}" for number in range(5)]
    assert len(versions) == 1


@pytest.mark.parametrize(
    "kind", [kinds.INGRESS, kinds.INGRESS_CLASS, kinds.SERVICE, kinds.ENDPOINT_SLICE, kinds.NODE, kinds.SECRET,
             kinds.CONFIG_MAP, kinds.DEPLOYMENT, kinds.LEASE], ids=lambda kind: str(kind.name)
)  # fmt: skip
def test_every_kind_is_listed_and_watched(transport: Transport, kind: kinds.Kind[object]) -> None:
    listwatch = KubeListWatch(transport, kind)
    page = listwatch.list_page(resource_version="0", continue_token="")
    assert page.quarantined == ()
    stream = listwatch.watch(resource_version=page.resource_version, timeout_s=300)
    stream.close()
    assert stream.next() is None


def test_kind_without_definition_is_absent(transport: Transport) -> None:
    with pytest.raises(errors.NotFound) as caught:
        KubeListWatch(transport, kinds.TKE_SERVICE_CONFIG).list_page(resource_version="0", continue_token="")
    assert caught.value.what == ""


def test_watch_tells_what_happens_after_the_list(emulator: KubeEmulator, transport: Transport) -> None:
    emulator.create(web())
    page = listed(transport)
    stream = KubeListWatch(transport, kinds.INGRESS).watch(resource_version=page.resource_version, timeout_s=300)
    ingresses = KubeIngresses(transport)
    [item] = page.items
    patched = ingresses.patch_metadata(item.object, MetadataChange(annotations={"a": "1"}))
    changed = stream.next()
    assert isinstance(changed, Change)
    assert (changed.type, changed.item.object) == (ChangeType.MODIFIED, patched)
    emulator.create(web("other"))
    added = stream.next()
    assert isinstance(added, Change)
    assert (added.type, added.item.key.name) == (ChangeType.ADDED, "other")
    stream.close()


def test_forgotten_version_is_expired(emulator: KubeEmulator, transport: Transport) -> None:
    before = listed(transport).resource_version
    emulator.create(web())
    emulator.create(web("other"))
    emulator.world.storage.compact(None)
    listwatch = KubeListWatch(transport, kinds.INGRESS)
    try:
        first = listwatch.watch(resource_version=before, timeout_s=300).next()
    except errors.Expired:
        return
    assert isinstance(first, StreamError)
    assert first.code == 410


def test_version_of_the_future_is_too_large(transport: Transport) -> None:
    with pytest.raises(errors.VersionTooLarge):
        listed(transport, "999999")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault("http_429", seconds=7), errors.Throttled),
        (Fault("http_500"), errors.Unavailable),
        (Fault("http_403"), errors.AccessDenied),
        (Fault("gone"), errors.Expired),
        (Fault("drop"), errors.Unavailable),
    ],
)
def test_ordered_fault_is_the_error_it_stands_for(
    emulator: KubeEmulator, transport: Transport, fault: Fault, expected: type[Exception]
) -> None:
    emulator.controls.order(fault)
    with pytest.raises(expected):
        listed(transport)
    assert listed(transport).items == ()


def test_malformed_line_is_unavailable(emulator: KubeEmulator, transport: Transport) -> None:
    stream = KubeListWatch(transport, kinds.INGRESS).watch(
        resource_version=listed(transport).resource_version, timeout_s=300
    )
    emulator.controls.order(Fault("malformed_line"))
    with pytest.raises(errors.Unavailable):
        stream.next()


def test_wrong_token_is_denied_and_a_new_one_taken_up(
    emulator: KubeEmulator, transport: Transport, tmp_path: Path
) -> None:
    assert listed(transport).items == ()
    emulator._token = "another"
    with pytest.raises(errors.AccessDenied):
        listed(transport)
    emulator.write_kubeconfig(tmp_path / "kubeconfig")
    with Transport(Source(kubeconfig=str(tmp_path / "kubeconfig"))) as fresh:
        assert listed(fresh).items == ()


def test_only_opaque_secrets_and_only_their_certificate_ids_are_seen(
    emulator: KubeEmulator, transport: Transport
) -> None:
    emulator.create(secret())
    emulator.create(secret("other", "example.com/other"))
    page = KubeListWatch(transport, kinds.SECRET).list_page(resource_version="0", continue_token="")
    assert [(item.key.name, item.object.qcloud_cert_id) for item in page.items] == [("cert", "abc")]


def test_single_secret_is_followed_by_its_name(emulator: KubeEmulator, transport: Transport) -> None:
    emulator.create(secret("other"))
    listwatch = KubeObjectListWatch(transport, kinds.SECRET, ObjectKey("default", "cert"))
    page = listwatch.list_page(resource_version="0", continue_token="")
    assert page.items == ()
    emulator.create(secret())
    stream = listwatch.watch(resource_version=page.resource_version, timeout_s=300)
    added = stream.next()
    assert isinstance(added, Change)
    assert (added.type, added.item.object.qcloud_cert_id) == (ChangeType.ADDED, "abc")
    stream.close()
    again = listwatch.watch(resource_version=page.resource_version, timeout_s=300)
    assert isinstance(again.next(), Bookmark)
    again.close()
    requests = emulator.controls.log.wire(100)["log"]
    assert not [line for line in requests if line["verb"] == "list"]


def test_finalizer_and_record_are_written_in_one_patch_and_taken_off_again(
    emulator: KubeEmulator, transport: Transport
) -> None:
    emulator.create(web(finalizers=["example.com/theirs"]))
    ingresses = KubeIngresses(transport)
    found = ingresses.live(KEY)
    assert found is not None
    taken = ingresses.patch_metadata(found, MetadataChange({"l7lb.dev/record": "{}"}, ("l7lb.dev/load-balancer",)))
    assert taken.finalizers == ("example.com/theirs", "l7lb.dev/load-balancer")
    with pytest.raises(errors.Conflict):
        ingresses.patch_metadata(found, MetadataChange({"l7lb.dev/record": "stale"}))
    left = ingresses.patch_metadata(
        taken, MetadataChange({"l7lb.dev/record": None}, remove_finalizers=("l7lb.dev/load-balancer",))
    )
    assert (left.finalizers, left.annotations) == (("example.com/theirs",), {})


def test_addresses_are_set_and_removed_without_touching_the_rest(emulator: KubeEmulator, transport: Transport) -> None:
    emulator.create(web())
    ingresses = KubeIngresses(transport)
    found = ingresses.live(KEY)
    assert found is not None
    addresses = (IngressAddress(ip="203.0.113.7"), IngressAddress(hostname="lb.example.com"))
    published = ingresses.set_addresses(found, addresses)
    assert (published.addresses, published.spec) == (addresses, found.spec)
    assert ingresses.set_addresses(published, ()).addresses == ()


def test_absent_objects_are_none_and_their_writes_not_found(emulator: KubeEmulator, transport: Transport) -> None:
    ingresses = KubeIngresses(transport)
    assert ingresses.live(KEY) is None
    assert ingresses.live_class("qcloud") is None
    assert ingresses.live_service(KEY) is None
    emulator.create(web())
    found = ingresses.live(KEY)
    assert found is not None
    gone = Request.of("DELETE", kinds.INGRESS.object_path(KEY), {}, {"Authorization": "Bearer let-me-in"})
    assert emulator.handle(gone).status == 200
    with pytest.raises((errors.NotFound, errors.Conflict)):
        ingresses.patch_metadata(found, MetadataChange({"a": "1"}))


def test_everyone_is_listed(emulator: KubeEmulator, transport: Transport) -> None:
    uids = {emulator.create(web(f"web-{number}"))["metadata"]["uid"] for number in range(3)}
    assert {one.metadata.uid for one in KubeIngresses(transport).everyone()} == uids


def test_lease_is_created_renewed_and_guarded_by_its_version(transport: Transport) -> None:
    leases = KubeLeases(transport, ObjectKey("kube-system", "l7lb-cls-1"))
    with pytest.raises(errors.NotFound):
        leases.get()
    at = "2026-11-22T10:00:00.000000Z"
    first = leases.create(LeaseRecord("a", 30, at, at))
    with pytest.raises(errors.AlreadyExists):
        leases.create(LeaseRecord("b", 30, at, at))
    renewed = leases.update(LeaseRecord("a", 30, at, "2026-11-22T10:00:05.000000Z", 0, first.resource_version))
    assert leases.get() == renewed
    with pytest.raises(errors.Conflict):
        leases.update(LeaseRecord("b", 30, at, at, 1, first.resource_version))
    released = leases.update(LeaseRecord("", 1, at, at, 0, renewed.resource_version))
    assert (released.holder, released.duration_s) == ("", 1)


def test_event_is_written_once_and_counted(emulator: KubeEmulator, transport: Transport) -> None:
    created = emulator.create(web())
    about = ObjectReference("networking.k8s.io/v1", "Ingress", KEY, created["metadata"]["uid"])
    note = Note(about, EventType.WARNING, "NoService", "E4041 there is no Service shop", "E4041")
    drops: list[str] = []
    writer = EventWriter(transport, instance="pod-1", on_drop=drops.append)
    emulator.controls.order(Fault("lost", "create", "events"))
    writer.emit(note)
    now = writer._clocks.monotonic()
    for seconds in (0, 2):
        writer.step(now + seconds)
    writer.emit(note)
    writer.step(now + 60)
    [event] = emulator.controls.state()["objects"]["events"].values()
    assert (event["count"], event["reason"], event["involvedObject"]["uid"]) == (2, "NoService", about.uid)
    assert drops == []


def test_cluster_has_an_identity_and_a_version(emulator: KubeEmulator, transport: Transport) -> None:
    cluster = KubeCluster(transport)
    namespaces = emulator.controls.state()["objects"]["namespaces"]
    assert cluster.uid() == namespaces["kube-system"]["metadata"]["uid"]
    assert cluster.version().major == 1


DEFINITION = Path(__file__).parents[3] / "charts/l7lb/crds/tkeserviceconfigs.yaml"
KEPT = ObjectKey("default", "web-auto-ingress-config")
OWNER = ObjectReference("networking.k8s.io/v1", "Ingress", KEY, "u-1")


def spec(*ports: int) -> dict[str, Any]:
    return {"loadBalancer": {"l7Listeners": [{"protocol": "HTTP", "port": port} for port in ports]}}


def kept(transport: Transport) -> TkeServiceConfig | None:
    page = KubeListWatch(transport, kinds.TKE_SERVICE_CONFIG).list_page(resource_version="", continue_token="")
    return page.items[0].object if page.items else None


def test_a_service_config_is_made_for_its_owner_changed_at_its_version_and_deleted_as_itself(
    emulator: KubeEmulator, transport: Transport
) -> None:
    emulator.create(yaml.safe_load(DEFINITION.read_text(encoding="utf-8")))
    configs = KubeServiceConfigs(transport)
    configs.create(KEPT, OWNER, {**spec(80), "theirs": 1})
    first = kept(transport)
    assert first is not None
    with pytest.raises(errors.AlreadyExists):
        configs.create(KEPT, OWNER, spec(80))
    configs.patch(first, spec(80, 443))
    second = kept(transport)
    assert second is not None
    assert msgspec.json.decode(second.spec) == {**spec(80, 443), "theirs": 1}
    with pytest.raises(errors.Conflict):
        configs.patch(first, spec(8080))
    stranger = msgspec.structs.replace(second, metadata=msgspec.structs.replace(second.metadata, uid="another"))
    with pytest.raises(errors.Conflict):
        configs.delete(stranger)
    configs.delete(second)
    assert kept(transport) is None
    with pytest.raises(errors.NotFound):
        configs.delete(second)


def test_a_service_config_is_not_written_past_the_guard(emulator: KubeEmulator, transport: Transport) -> None:
    def closed() -> None:
        raise errors.GateClosed("closed")

    emulator.create(yaml.safe_load(DEFINITION.read_text(encoding="utf-8")))
    with pytest.raises(errors.GateClosed):
        KubeServiceConfigs(transport, guard=closed).create(KEPT, OWNER, spec(80))
    assert kept(transport) is None


def test_without_the_kind_there_is_nothing_to_write_to(transport: Transport) -> None:
    with pytest.raises(errors.NotFound):
        KubeServiceConfigs(transport).create(KEPT, OWNER, spec(80))
