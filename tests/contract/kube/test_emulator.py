"""What the emulator promises to tests and people beyond being an API server: control, faults, time, determinism."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import trustme
import urllib3
import yaml

from tests.contract.kube.api import Json, KubeApi
from tests.emulators.kube import ConnectionLost, Hang, KubeEmulator, Request, Response, Tls

MAPS = "/api/v1/namespaces/default/configmaps"
NOW = 1_800_000_000.0


@pytest.fixture
def still() -> KubeEmulator:
    """An emulator without sockets whose time stands still."""
    return KubeEmulator(seed=1, clock=lambda: NOW)


def _ask(emulator: KubeEmulator, method: str, path: str, body: Json | None = None) -> Response:
    return emulator.handle(Request.of(method, path, body))


def _map(name: str, **data: str) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def _order(emulator: KubeEmulator, **fault: object) -> None:
    assert _ask(emulator, "POST", "/_emulator/faults", dict(fault)).status == 200


def _run(emulator: KubeEmulator) -> list[bytes]:
    answers = [
        emulator.handle(Request.of("POST", MAPS, _map("a"))),
        emulator.handle(Request.of("GET", "/api/v1/services")),
    ]
    generated = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "x-"}}
    return [answer.body for answer in [*answers, emulator.handle(Request.of("POST", MAPS, generated))]]


def test_same_seed_and_clock_give_the_same_bytes() -> None:
    runs = [_run(KubeEmulator(seed=seed, clock=lambda: NOW)) for seed in (7, 7, 8)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_cluster_begins_with_its_namespaces_and_its_own_service(still: KubeEmulator) -> None:
    names = [item["metadata"]["name"] for item in _ask(still, "GET", "/api/v1/namespaces").json()["items"]]
    assert names == ["default", "kube-node-lease", "kube-public", "kube-system"]
    service = _ask(still, "GET", "/api/v1/namespaces/default/services/kubernetes").json()
    assert service["spec"]["clusterIP"] == "10.96.0.1"


def test_state_shows_all_objects_by_bucket_and_name(still: KubeEmulator) -> None:
    still.create(_map("a", key="1"))
    state = _ask(still, "GET", "/_emulator/state").json()
    assert state["objects"]["configmaps"]["default/a"]["data"] == {"key": "1"}
    assert state["objects"]["namespaces"].keys() >= {"default", "kube-system"}
    assert state["time"] == "2027-01-15T08:00:00Z"


def test_requests_are_counted_and_logged(still: KubeEmulator) -> None:
    still.create(_map("a"))
    _ask(still, "GET", f"{MAPS}?limit=5")
    _ask(still, "GET", f"{MAPS}/a")
    _ask(still, "PUT", "/apis/coordination.k8s.io/v1/namespaces/default/leases/x", {"metadata": {"name": "x"}})
    told = _ask(still, "GET", "/_emulator/requests").json()
    assert told["counts"] == {"create configmaps": 1, "get configmaps": 1, "list configmaps": 1, "update leases": 1}
    assert (told["log"][1]["query"], told["log"][1]["status"]) == ({"limit": "5"}, 200)
    _ask(still, "DELETE", "/_emulator/requests")
    assert _ask(still, "GET", "/_emulator/requests").json()["counts"] == {}


@pytest.mark.parametrize(
    ("kind", "status"), [("http_500", 500), ("http_503", 503), ("http_403", 403), ("conflict", 409), ("gone", 410)]
)
def test_ordered_status_hits_the_next_matching_requests(still: KubeEmulator, kind: str, status: int) -> None:
    _order(still, verb="list", resource="configmaps", kind=kind, count=2)
    assert _ask(still, "GET", "/api/v1/namespaces/default/secrets").status == 200
    assert [_ask(still, "GET", MAPS).status for _ in range(3)] == [status, status, 200]


def test_too_many_requests_say_when_to_come_back(still: KubeEmulator) -> None:
    _order(still, verb="*", resource="configmaps", kind="http_429", seconds=7)
    answer = _ask(still, "GET", MAPS)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")


def test_subresource_is_a_resource_of_its_own(still: KubeEmulator) -> None:
    _order(still, verb="patch", resource="ingresses/status", kind="http_500")
    path = "/apis/networking.k8s.io/v1/namespaces/default/ingresses/a"
    assert still.handle(Request.of("PATCH", path, {}, {"Content-Type": "application/merge-patch+json"})).status == 404
    assert (
        still.handle(Request.of("PATCH", f"{path}/status", {}, {"Content-Type": "application/merge-patch+json"})).status
        == 500
    )


def test_dropped_request_is_not_carried_out_and_a_lost_answer_is(still: KubeEmulator) -> None:
    _order(still, verb="create", resource="configmaps", kind="drop")
    with pytest.raises(ConnectionLost):
        _ask(still, "POST", MAPS, _map("a"))
    assert _ask(still, "GET", f"{MAPS}/a").status == 404
    _order(still, verb="create", resource="configmaps", kind="lost")
    with pytest.raises(ConnectionLost):
        _ask(still, "POST", MAPS, _map("a"))
    assert _ask(still, "GET", f"{MAPS}/a").status == 200


def test_hanging_request_is_a_time_out_for_a_simulation(still: KubeEmulator) -> None:
    _order(still, verb="get", resource="configmaps", kind="hang", seconds=30)
    with pytest.raises(Hang) as raised:
        _ask(still, "GET", f"{MAPS}/a")
    assert raised.value.seconds == 30


def test_unknown_fault_is_refused(still: KubeEmulator) -> None:
    assert _ask(still, "POST", "/_emulator/faults", {"kind": "gremlin"}).status == 400


def test_clock_is_moved(still: KubeEmulator) -> None:
    _ask(still, "POST", "/_emulator/clock", {"advance": 3600})
    made = still.create(_map("a"))
    assert made["metadata"]["creationTimestamp"] == "2027-01-15T09:00:00Z"


def test_outage_refuses_connections_until_it_is_over(still: KubeEmulator) -> None:
    _ask(still, "POST", "/_emulator/outage", {"seconds": 60})
    with pytest.raises(ConnectionRefusedError):
        _ask(still, "GET", MAPS)
    _ask(still, "POST", "/_emulator/clock", {"advance": 61})
    assert _ask(still, "GET", MAPS).status == 200


def _restored(emulator: KubeEmulator, counter: str) -> tuple[Json, int, int]:
    old = emulator.create(_map("a", key="old"))
    then = int(old["metadata"]["resourceVersion"])
    changed = {**old, "data": {"key": "new"}}
    _ask(emulator, "PUT", f"{MAPS}/a", changed)
    emulator.create(_map("b"))
    top = int(emulator.create(_map("c"))["metadata"]["resourceVersion"])
    answer = _ask(emulator, "POST", "/_emulator/restore", {"resourceVersion": then, "counter": counter})
    assert answer.status == 200
    return old, then, top


@pytest.mark.parametrize("counter", ["back", "rise"])
def test_restore_brings_back_older_objects_with_their_uids(still: KubeEmulator, counter: str) -> None:
    old, then, top = _restored(still, counter)
    listed = _ask(still, "GET", MAPS).json()
    assert listed["items"] == [{key: value for key, value in old.items() if key not in {"kind", "apiVersion"}}]
    version = int(listed["metadata"]["resourceVersion"])
    assert version == then if counter == "back" else version > top


def test_restore_that_goes_back_finds_later_versions_too_large(still: KubeEmulator) -> None:
    _, _, top = _restored(still, "back")
    assert _ask(still, "GET", f"{MAPS}?resourceVersion={top}").status == 504
    stream = _ask(still, "GET", f"{MAPS}?watch=1&resourceVersion={top}").stream
    assert stream is not None
    assert list(stream) == []


def test_restore_that_rises_finds_earlier_versions_gone(still: KubeEmulator) -> None:
    _, _, top = _restored(still, "rise")
    stream = _ask(still, "GET", f"{MAPS}?watch=1&resourceVersion={top}").stream
    assert stream is not None
    (line,) = list(stream)
    assert json.loads(line)["object"]["code"] == 410


def test_restore_ends_watches_and_brings_back_kinds(still: KubeEmulator) -> None:
    before = still.world.storage.revision
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    names = {"plural": "things", "kind": "Thing"}
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    still.create({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                  "metadata": {"name": "things.example.com"}, "spec": spec})  # fmt: skip
    after = still.world.storage.revision
    stream = _ask(still, "GET", f"{MAPS}?watch=1").stream
    assert stream is not None
    _ask(still, "POST", "/_emulator/restore", {"resourceVersion": before, "counter": "rise"})
    with pytest.raises(ConnectionLost):
        list(stream)
    assert _ask(still, "GET", "/apis/example.com/v1/things").status == 404
    assert _ask(still, "POST", "/_emulator/restore", {"resourceVersion": after + 1000}).status == 400


def test_token_is_asked_for(still: KubeEmulator) -> None:
    guarded = KubeEmulator(seed=1, clock=lambda: NOW, token="secret")
    assert _ask(guarded, "GET", MAPS).status == 401
    assert guarded.handle(Request.of("GET", MAPS, None, {"Authorization": "Bearer secret"})).status == 200
    assert _ask(guarded, "GET", "/healthz").status == 200


def test_hundreds_of_objects_of_a_namespace_go_with_it(still: KubeEmulator) -> None:
    still.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "big"}})
    for index in range(1500):
        body = _map(f"m{index}")
        body["metadata"]["namespace"] = "big"
        still.create(body)
    assert _ask(still, "DELETE", "/api/v1/namespaces/big").status == 200
    assert _ask(still, "GET", "/api/v1/namespaces/big").status == 404


# The same through sockets.


def test_open_watch_is_cut_by_a_reset_in_the_middle(emulator: KubeEmulator) -> None:
    pool = urllib3.PoolManager(retries=False)
    raw = pool.request("GET", f"{emulator.url}{MAPS}?watch=1", preload_content=False)
    emulator.create(_map("a"))
    stream = raw.stream(amt=None)
    assert b'"ADDED"' in next(stream)
    pool.request("POST", f"{emulator.url}/_emulator/faults", body=b'{"kind":"reset_watches"}')
    with pytest.raises(urllib3.exceptions.ProtocolError):
        list(stream)
    pool.clear()


def test_door_is_shut_for_the_time_of_an_outage(emulator: KubeEmulator) -> None:
    pool = urllib3.PoolManager(retries=False, timeout=30.0)
    pool.request("POST", f"{emulator.url}/_emulator/outage", body=b'{"seconds":1.0}')
    refused, served, deadline = 0, False, time.monotonic() + 30
    while not (refused and served) and time.monotonic() < deadline:
        try:
            served = pool.request("GET", f"{emulator.url}{MAPS}").status == 200
        except urllib3.exceptions.HTTPError:
            refused += 1
        time.sleep(0.02)
    assert (refused > 0, served) == (True, True)
    pool.clear()


def test_tls_and_token_are_in_the_kubeconfig(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(str(tmp_path / "key"))
    (tmp_path / "cert").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    authority.cert_pem.write_to_path(str(tmp_path / "ca"))
    tls = Tls(tmp_path / "cert", tmp_path / "key", tmp_path / "ca")
    with KubeEmulator(seed=1, token="secret", tls=tls) as emulator:
        told = yaml.safe_load(emulator.kubeconfig())
        assert told["clusters"][0]["cluster"]["server"].startswith("https://127.0.0.1:")
        assert told["users"][0]["user"] == {"token": "secret"}
        pool = urllib3.PoolManager(ca_certs=str(tmp_path / "ca"), retries=False)
        api = KubeApi(emulator.url, {"Authorization": "Bearer secret"}, None, Path(), is_real=False, pool=pool)
        assert api.get(MAPS).status == 200
        assert [event["type"] for event in api.watch("/api/v1/services")] == ["ADDED"]
        pool.clear()


@pytest.mark.system
def test_command_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "config"
    command = [sys.executable, "-m", "tests.emulators.kube", "--port", "0", "--kubeconfig-out", str(kubeconfig)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    url = line.removeprefix("listening on ").strip()
    assert yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))["clusters"][0]["cluster"]["server"] == url
    pool = urllib3.PoolManager(retries=False)
    assert pool.request("GET", f"{url}/readyz").data == b"ok"
    pool.clear()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    process.stdout.close()
