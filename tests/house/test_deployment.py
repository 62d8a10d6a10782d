"""The manifest for a real cluster gives exactly the rights that the client uses, and flags that exist."""

import json
import random
import re
from typing import Any, cast

import pytest
import yaml

from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.cluster import KubeCluster
from l7lb.adapters.kube.events import Clocks, EventWriter
from l7lb.adapters.kube.ingresses import KubeIngresses
from l7lb.adapters.kube.leases import KubeLeases
from l7lb.adapters.kube.listwatch import KubeObjectListWatch
from l7lb.adapters.kube.transport import Request
from l7lb.app.caches import Caches, stores
from l7lb.app.config import FLAGS, config
from l7lb.app.informing import informers
from l7lb.app.secrets import Means
from l7lb.app.triggers import Triggers
from l7lb.errors import Unavailable
from l7lb.model.cluster import Ingress, IngressAddress, ObjectMeta
from l7lb.model.identity import BindingKey, Cluster, ObjectKey
from l7lb.model.lane import Lane
from l7lb.model.lease import LeaseRecord
from l7lb.model.snapshot import Settings
from l7lb.model.writing import EventType, MetadataChange, Note, ObjectReference
from l7lb.runtime.clock import SystemClock
from l7lb.runtime.informer import Informer, NoInformerMetrics
from tests.house.access import Access, Recorder, Right, rights_in
from tests.house.source import PRODUCT, ROOT, modules

MANIFEST = ROOT / "examples/deploy/l7lb.yaml"
OPERATIONS = ROOT / "docs/operations.md"
API = ROOT / "tests/emulators/clb/schema.json"
CLUSTER_ID = "cls-xxxxxxxx"
CLUSTER = Cluster(CLUSTER_ID, "uid-of-kube-system")
WEB = ObjectKey("shop", "web")
INGRESS = Ingress(metadata=ObjectMeta(name="web", namespace="shop", uid="u", resource_version="7"))


class Nowhere:
    """Keys that nobody works on."""

    def add(self, key: BindingKey, lane: Lane, *, urgent: bool = False, after_s: float = 0.0) -> None:
        """Drop it."""


def documents() -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8")) if document]


def answer(request: Request) -> object | None:
    """Writes succeed; of single objects kube-system and the Lease are there."""
    meta = {"name": "any", "namespace": "any", "uid": "u", "resourceVersion": "8"}
    is_there = request.method != "GET" or request.what in ("Namespace", "Lease")
    return {"metadata": meta} if is_there else None


def watched(*, referenced: bool) -> set[Access]:
    """What the informers of `l7lb run` ask for."""
    recorder = Recorder(answer)
    settings = Settings(CLUSTER_ID, "ap-guangzhou", "vpc-xxxxxxxx")
    kept = stores(CLUSTER, settings)
    caches = Caches(kept, CLUSTER, unread=frozenset, wall=lambda: 0.0, service_exists=lambda _: True)
    means = Means(recorder, SystemClock(), random.Random(1), NoInformerMetrics())
    triggers = Triggers(kept, caches, CLUSTER, settings, Nowhere())
    made = informers(means, kept, triggers, namespace="", referenced=referenced)
    for watcher in made.all:
        informer = cast(Informer[Any], watcher)
        informer.step()
        informer.step()
    return recorder.seen


def written() -> set[Access]:
    """What is read and written one object at a time."""
    recorder = Recorder(answer)
    KubeCluster(recorder).uid()
    ingresses = KubeIngresses(recorder)
    ingresses.live(WEB)
    ingresses.live_class("qcloud")
    ingresses.live_service(WEB)
    ingresses.patch_metadata(INGRESS, MetadataChange({"a": "b"}))
    ingresses.set_addresses(INGRESS, (IngressAddress(ip="10.0.0.1"),))
    leases = KubeLeases(recorder, ObjectKey("kube-system", f"l7lb-{CLUSTER_ID}"))
    leases.create(LeaseRecord("me", 30))
    leases.update(leases.get())
    write_events(recorder)
    return recorder.seen


def write_events(recorder: Recorder) -> None:
    """One that is created, and then counted."""
    now = 0.0
    events = EventWriter(recorder, clocks=Clocks(monotonic=lambda: now, wall=lambda: now))
    note = Note(ObjectReference("networking.k8s.io/v1", "Ingress", WEB, "u"), EventType.WARNING, "Reason", "message")
    for now in (0.0, 60.0):
        events.emit(note)
        while events.step(now) == 0.0:
            continue


USED = watched(referenced=False) | written()


@pytest.mark.parametrize("access", sorted(USED), ids=lambda one: f"{one.verb} {one.resource} {one.name}".strip())
def test_what_the_client_asks_for_is_allowed(access: Access) -> None:
    assert any(right.allows(access) for right in rights_in(documents()))


def test_nothing_is_allowed_that_the_client_does_not_ask_for() -> None:
    def is_used(right: Right) -> bool:
        names = {access.name for access in USED if right.allows(access)}
        return bool(names) and right.names <= names

    assert [right for right in rights_in(documents()) if not is_used(right)] == []


def test_without_the_right_to_list_secrets_only_named_ones_are_asked_for() -> None:
    assert not any(access.resource == "secrets" for access in watched(referenced=True))
    recorder = Recorder(answer)
    one = KubeObjectListWatch(recorder, kinds.SECRET, ObjectKey("shop", "certificate"))
    one.list_page(resource_version="", continue_token="")
    with pytest.raises(Unavailable):
        one.watch(resource_version="1", timeout_s=60)
    assert {(access.verb, access.namespace, access.name) for access in recorder.seen} == {
        ("get", "shop", "certificate"),
        ("watch", "shop", "certificate"),
    }


def test_the_arguments_are_flags_of_the_command() -> None:
    (deployment,) = (one for one in documents() if one["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    command, *arguments = container["args"]
    given = dict(argument.removeprefix("--").split("=", 1) for argument in arguments)
    values = {flag.field: given.get(flag.name, flag.default) for flag in FLAGS}
    assert command == "run"
    assert given.keys() <= {flag.name for flag in FLAGS}
    assert config(values).cluster_id == CLUSTER_ID
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert {f":{port}" for port in ports.values()} == {
        str(values["metrics_bind_address"]),
        str(values["health_probe_bind_address"]),
    }


def test_the_manifest_does_not_take_itself_for_the_controller_that_it_replaces() -> None:
    (deployment,) = (one for one in documents() if one["kind"] == "Deployment")
    assert (deployment["metadata"]["namespace"], deployment["metadata"]["name"]) != ("kube-system", "l7-lb-controller")


def test_the_rights_in_the_cloud_are_those_of_the_actions_that_are_called() -> None:
    known = {
        action
        for service, described in json.loads(API.read_text(encoding="utf-8"))["services"].items()
        if service in ("clb", "tag")
        for action in described["actions"]
    }
    adapter = [module for module in modules(PRODUCT) if module.place.startswith("l7lb/adapters/clb/")]
    callers = [module for module in adapter if not module.place.endswith(("/errors.py", "/ratelimit.py"))]
    called = known & {text for module in callers for text in module.strings}
    rights = OPERATIONS.read_text(encoding="utf-8").partition("## Rights in the cloud")[2].partition("##")[0]
    assert known & set(re.findall(r"`([A-Za-z]+)`", rights)) == called
    assert len(called) > 15
