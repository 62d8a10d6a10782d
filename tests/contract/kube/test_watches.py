"""Watches: what is told, in which order, from where, and how a watch ends."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.kube.api import CONFIG_MAPS, INGRESSES, Json, KubeApi, config_map, ingress
from tests.emulators.kube import ConnectionLost, KubeEmulator, Request

NEVER = "/api/v1/namespaces/default/configmaps?watch=1"


def _told(events: list[Json]) -> list[tuple[str, str]]:
    return [(event["type"], event["object"]["metadata"]["name"]) for event in events]


def _version(kube_api: KubeApi, path: str = CONFIG_MAPS) -> str:
    return str(kube_api.get(path).body["metadata"]["resourceVersion"])


def test_changes_after_a_resource_version_are_told_in_order(kube_api: KubeApi) -> None:
    start = _version(kube_api)
    made = kube_api.made(CONFIG_MAPS, config_map("a", key="1"))
    changed = kube_api.patch(f"{CONFIG_MAPS}/a", {"data": {"key": "2"}}).body
    kube_api.made(CONFIG_MAPS, config_map("b"))
    kube_api.delete(f"{CONFIG_MAPS}/a")
    events = kube_api.watch(f"{CONFIG_MAPS}?resourceVersion={start}")
    assert _told(events) == [("ADDED", "a"), ("MODIFIED", "a"), ("ADDED", "b"), ("DELETED", "a")]
    assert events[0]["object"] == made
    assert events[1]["object"] == changed
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert versions == sorted(versions)
    assert events[3]["object"]["data"] == {"key": "2"}


@pytest.mark.parametrize("version", ["", "&resourceVersion=0"])
def test_watch_without_a_version_begins_with_what_is_there(kube_api: KubeApi, version: str) -> None:
    kube_api.made(CONFIG_MAPS, config_map("a"))
    assert _told(kube_api.watch(f"{CONFIG_MAPS}?pretty=false{version}")) == [("ADDED", "a")]


def test_watch_of_one_name_tells_of_no_other(kube_api: KubeApi) -> None:
    start = _version(kube_api)
    for name in ("a", "b"):
        kube_api.made(CONFIG_MAPS, config_map(name))
    assert _told(kube_api.watch(f"{CONFIG_MAPS}?resourceVersion={start}&fieldSelector=metadata.name%3Db")) == [
        ("ADDED", "b")
    ]


def test_object_that_leaves_a_selection_is_told_as_deleted(kube_api: KubeApi) -> None:
    start = _version(kube_api)
    kube_api.made(CONFIG_MAPS, config_map("a"))
    for color in ("red", "blue", "red"):
        kube_api.patch(f"{CONFIG_MAPS}/a", {"metadata": {"labels": {"color": color}}})
    left = int(_version(kube_api))
    events = kube_api.watch(f"{CONFIG_MAPS}?resourceVersion={start}&labelSelector=color%3Dred")
    assert _told(events) == [("ADDED", "a"), ("DELETED", "a"), ("ADDED", "a")]
    parted = events[1]["object"]["metadata"]
    assert parted["labels"] == {"color": "red"}
    assert int(start) < int(parted["resourceVersion"]) < left


def test_held_delete_is_a_modification_and_its_end_a_deletion(kube_api: KubeApi) -> None:
    start = _version(kube_api, INGRESSES)
    body = ingress("a")
    body["metadata"]["finalizers"] = ["example.com/hold"]
    kube_api.made(INGRESSES, body)
    kube_api.delete(f"{INGRESSES}/a")
    kube_api.patch(f"{INGRESSES}/a", {"metadata": {"finalizers": None}})
    events = kube_api.watch(f"{INGRESSES}?resourceVersion={start}")
    assert _told(events) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    assert "deletionTimestamp" in events[1]["object"]["metadata"]
    # The update that took the finalizer off was never stored: what is told is the state before it.
    assert events[2]["object"]["metadata"]["finalizers"] == ["example.com/hold"]


def test_write_that_changes_nothing_is_not_told(kube_api: KubeApi) -> None:
    kube_api.made(CONFIG_MAPS, config_map("a", key="1"))
    start = _version(kube_api)
    kube_api.patch(f"{CONFIG_MAPS}/a", {"data": {"key": "1"}})
    assert kube_api.watch(f"{CONFIG_MAPS}?resourceVersion={start}") == []


def test_event_comes_while_the_watch_is_open(kube_api: KubeApi) -> None:
    follow = kube_api.follow(f"{CONFIG_MAPS}?pretty=false", seconds=20)
    kube_api.made(CONFIG_MAPS, config_map("a"))
    assert _told([next(follow)]) == [("ADDED", "a")]
    kube_api.delete(f"{CONFIG_MAPS}/a")
    assert _told([next(follow)]) == [("DELETED", "a")]
    follow.close()


def _scribble(kube_api: KubeApi, writer: int) -> None:
    for turn in range(12):
        name = f"m{(writer + turn) % 5}"
        if turn % 4 == 3:
            kube_api.delete(f"{CONFIG_MAPS}/{name}")
        elif kube_api.post(CONFIG_MAPS, config_map(name, by=str(writer))).status == 409:
            kube_api.patch(f"{CONFIG_MAPS}/{name}", {"data": {"turn": f"{writer}-{turn}"}})


def test_watch_folds_to_the_list_whoever_writes_at_once(kube_api: KubeApi) -> None:
    start = _version(kube_api)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda writer: _scribble(kube_api, writer), range(6)))
    folded: dict[str, Json] = {}
    for event in kube_api.watch(f"{CONFIG_MAPS}?resourceVersion={start}"):
        name = event["object"]["metadata"]["name"]
        if event["type"] == "DELETED":
            del folded[name]
        else:
            assert (name in folded) is (event["type"] == "MODIFIED")
            folded[name] = event["object"]["data"]
    assert folded == {item["metadata"]["name"]: item["data"] for item in kube_api.get(CONFIG_MAPS).body["items"]}


def test_future_version_is_waited_for(kube_api: KubeApi) -> None:
    future = int(_version(kube_api)) + 100_000
    events = kube_api.watch(f"{CONFIG_MAPS}?resourceVersion={future}")
    assert [event for event in events if event["type"] != "ERROR"] == []


@pytest.mark.parametrize(
    "query",
    ["sendInitialEvents=true", "resourceVersionMatch=Exact"],
    ids=["streaming without match", "match without streaming"],
)
def test_watch_options_that_make_no_sense_are_refused(kube_api: KubeApi, query: str) -> None:
    answer = kube_api.get(f"{CONFIG_MAPS}?watch=1&timeoutSeconds=1&{query}")
    assert answer.status == 422
    assert ("FieldValueForbidden", "resourceVersionMatch") in answer.causes


# What follows needs a clock that can be moved, or a server that does as it is told.


class Clock:
    """Stands still until it is moved."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def still(clock: Clock) -> KubeEmulator:
    """An emulator without sockets whose time stands still."""
    return KubeEmulator(seed=1, clock=clock)


def _ask(emulator: KubeEmulator, method: str, path: str, body: Json | None = None) -> Json:
    return emulator.handle(Request.of(method, path, body)).json()


def _lines(emulator: KubeEmulator, path: str) -> list[Json]:
    stream = emulator.handle(Request.of("GET", path)).stream
    assert stream is not None
    return [json.loads(line) for line in stream]


def test_bookmark_comes_every_minute_and_names_the_newest_version(still: KubeEmulator, clock: Clock) -> None:
    stream = still.handle(Request.of("GET", f"{NEVER}&resourceVersion=6&allowWatchBookmarks=1")).stream
    assert stream is not None
    assert list(stream) == []
    newest = still.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
    clock.now += 61
    (line,) = [json.loads(line) for line in stream]
    assert (line["type"], line["object"]["metadata"]["resourceVersion"]) == (
        "BOOKMARK", newest["metadata"]["resourceVersion"])  # fmt: skip
    clock.now += 30
    assert list(stream) == []


def test_watch_ends_when_its_time_is_over(still: KubeEmulator, clock: Clock) -> None:
    stream = still.handle(Request.of("GET", f"{NEVER}&timeoutSeconds=300")).stream
    assert stream is not None
    clock.now += 301
    assert list(stream.wait())[-1:] in ([], [b""])


def test_last_thing_before_the_end_is_a_bookmark(still: KubeEmulator, clock: Clock) -> None:
    stream = still.handle(
        Request.of("GET", f"{NEVER}&resourceVersion=6&allowWatchBookmarks=1&timeoutSeconds=30")
    ).stream
    assert stream is not None
    clock.now += 28.5
    (line,) = [json.loads(line) for line in stream]
    marked = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"resourceVersion": "6", "creationTimestamp": None}}
    assert line == {"type": "BOOKMARK", "object": marked}
    clock.now += 2
    assert list(stream) == []
    assert list(stream.wait()) in ([], [b""])


def test_version_that_was_compacted_is_told_as_an_error_in_the_stream(still: KubeEmulator) -> None:
    still.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})
    _ask(still, "POST", "/_emulator/compact")
    (line,) = _lines(still, f"{NEVER}&resourceVersion=2")
    assert (line["type"], line["object"]["code"], line["object"]["reason"]) == ("ERROR", 410, "Expired")


def test_gone_can_also_be_an_http_answer(still: KubeEmulator) -> None:
    _ask(still, "POST", "/_emulator/faults", {"verb": "watch", "resource": "configmaps", "kind": "gone"})
    assert still.handle(Request.of("GET", NEVER)).status == 410
    assert still.handle(Request.of("GET", NEVER)).status == 200


def test_compaction_happens_by_itself_after_so_many_changes() -> None:
    emulator = KubeEmulator(seed=1, compact_after=3)
    for name in ("a", "b", "c", "d"):
        emulator.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
    (line,) = _lines(emulator, f"{NEVER}&resourceVersion=6")
    assert line["object"]["code"] == 410


def test_streaming_list_ends_with_a_marked_bookmark(still: KubeEmulator) -> None:
    still.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})
    query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    lines = _lines(still, f"{NEVER}&{query}")
    assert [line["type"] for line in lines] == ["ADDED", "BOOKMARK"]
    assert lines[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_reset_ends_every_open_watch_at_once(still: KubeEmulator) -> None:
    stream = still.handle(Request.of("GET", NEVER)).stream
    assert stream is not None
    _ask(still, "POST", "/_emulator/faults", {"kind": "reset_watches"})
    with pytest.raises(ConnectionLost):
        list(stream)


def test_silenced_watch_says_nothing_and_then_everything(still: KubeEmulator, clock: Clock) -> None:
    stream = still.handle(Request.of("GET", NEVER)).stream
    assert stream is not None
    _ask(still, "POST", "/_emulator/faults", {"kind": "silence", "seconds": 90})
    still.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})
    assert list(stream) == []
    clock.now += 91
    assert len(list(stream)) == 1


@pytest.mark.parametrize("kind", ["malformed_line", "watch_error"])
def test_ordered_line_reaches_open_watches(still: KubeEmulator, kind: str) -> None:
    stream = still.handle(Request.of("GET", NEVER)).stream
    assert stream is not None
    _ask(still, "POST", "/_emulator/faults", {"kind": kind})
    (line,) = list(stream)
    if kind == "watch_error":
        assert json.loads(line)["object"]["code"] == 500
    else:
        with pytest.raises(ValueError, match="Expecting value"):
            json.loads(line)
