"""List and watch over a server that breaks off wherever it can."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

import pytest

from l7lb import errors
from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.listwatch import KubeListWatch, KubeObjectListWatch, Scope
from l7lb.adapters.kube.transport import Transport
from l7lb.model.cluster import Service
from l7lb.model.identity import ObjectKey
from l7lb.model.watch import Bookmark, Change, Page, StreamError, WatchEvent, WatchStream
from tests.unit.adapters.kube.fault_server import STREAM_HEAD, Answer, Fault, FaultServer, Seen, chunk, chunked, reply
from tests.unit.adapters.kube.kubeconfigs import kubeconfig

pytestmark = pytest.mark.system

T = TypeVar("T")

EMPTY = b'{"kind":"ServiceList","metadata":{"resourceVersion":"5","continue":"next"},"items":[]}'


@contextmanager
def connected(folder: Path, *answers: Answer) -> Iterator[tuple[FaultServer, Transport]]:
    with FaultServer(answers) as server, Transport(kubeconfig(folder, server.address)) as transport:
        yield server, transport


def query(seen: Seen) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(seen.target).query).items()}


def event(change: str, name: str, version: int, note: str = "") -> bytes:
    metadata = {"name": name, "namespace": "shop", "uid": name, "resourceVersion": str(version)}
    return (
        json.dumps({"type": change, "object": {"metadata": metadata | {"annotations": {"note": note}}}}).encode()
        + b"\n"
    )


def drain(stream: WatchStream[T]) -> list[WatchEvent[T]]:
    return list(iter(stream.next, None))


@pytest.mark.parametrize(
    ("kind", "version", "token", "expected"),
    [
        (kinds.SERVICE, "0", "", {"resourceVersion": "0", "limit": "500"}),
        (kinds.SERVICE, "", "", {"limit": "500"}),
        (kinds.SERVICE, "77", "", {"resourceVersion": "77"}),
        (kinds.SERVICE, "77", "tok", {"limit": "500", "continue": "tok"}),
        (kinds.ENDPOINT_SLICE, "0", "", {"resourceVersion": "0", "limit": "200"}),
        (kinds.SECRET, "0", "", {"fieldSelector": "type=Opaque", "limit": "100"}),
        (kinds.SECRET, "77", "", {"fieldSelector": "type=Opaque", "limit": "100"}),
        (kinds.SECRET, "", "tok", {"fieldSelector": "type=Opaque", "limit": "100", "continue": "tok"}),
    ],
)
def test_list_asks_for_pages_where_the_server_honours_them(
    tmp_path: Path, kind: kinds.Kind[object], version: str, token: str, expected: dict[str, str]
) -> None:
    with connected(tmp_path, reply(EMPTY)) as (server, transport):
        page = KubeListWatch(transport, kind).list_page(resource_version=version, continue_token=token)
    assert query(server.seen[0]) == expected
    assert page == Page((), "5", "next")


def test_scope_narrows_path_and_selector(tmp_path: Path) -> None:
    with connected(tmp_path, reply(EMPTY)) as (server, transport):
        scope = Scope(namespace="shop", field_selector="metadata.name=a")
        listwatch = KubeListWatch(transport, kinds.SECRET, scope, page_size=7)
        listwatch.list_page(resource_version="0", continue_token="")
    assert urlsplit(server.seen[0].target).path == "/api/v1/namespaces/shop/secrets"
    assert query(server.seen[0]) == {"fieldSelector": "type=Opaque,metadata.name=a", "limit": "7"}


def test_watch_asks_for_bookmarks_and_an_end(tmp_path: Path) -> None:
    with connected(tmp_path, Answer(chunked())) as (server, transport):
        stream = KubeListWatch(transport, kinds.SECRET).watch(resource_version="5", timeout_s=321)
        assert stream.next() is None
    assert query(server.seen[0]) == {
        "watch": "1",
        "resourceVersion": "5",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": "321",
        "fieldSelector": "type=Opaque",
    }


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (reply(b"", "410 Gone"), errors.Expired),
        (reply(b"", "429 Too Many Requests", Retry_After="2"), errors.Throttled),
        (reply(b"", "403 Forbidden"), errors.AccessDenied),
        (reply(b"", "500 Oops"), errors.Unavailable),
        (reply(b"404 page not found", "404 Not Found"), errors.NotFound),
    ],
)
def test_refused_watch_and_list_raise(tmp_path: Path, answer: Answer, expected: type[Exception]) -> None:
    with connected(tmp_path, answer) as (_, transport):
        listwatch = KubeListWatch(transport, kinds.SERVICE)
        with pytest.raises(expected):
            listwatch.watch(resource_version="5", timeout_s=300)
        with pytest.raises(expected):
            listwatch.list_page(resource_version="5", continue_token="")


BOOKMARK = b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"12"}}}\n'
EXPIRED = b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"old"}}\n'
STREAM = event("ADDED", "a", 10), event("MODIFIED", "a", 11, "line\nbreak"), event("DELETED", "b", 12)


def test_events_come_in_order_however_they_are_chunked(tmp_path: Path) -> None:
    whole = b"".join((*STREAM, b"\r\n", b'{"type":"NEWS","object":{}}\n', BOOKMARK, EXPIRED))
    seen: list[list[WatchEvent[Service]]] = []
    for size in (1, 7, 100, len(whole)):
        pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
        with connected(tmp_path, Answer(chunked(*pieces))) as (_, transport):
            seen.append(drain(KubeListWatch(transport, kinds.SERVICE).watch(resource_version="5", timeout_s=300)))
    first = seen[0]
    assert [type(one) for one in first] == [Change, Change, Change, Bookmark, StreamError]
    assert all(other == first for other in seen)


def test_stream_cut_at_any_byte_yields_no_wrong_event(tmp_path: Path) -> None:
    whole = chunked(*STREAM)
    with connected(tmp_path, Answer(whole)) as (_, transport):
        expected = drain(KubeListWatch(transport, kinds.SERVICE).watch(resource_version="5", timeout_s=300))
    assert len(expected) == 3
    cuts = range(len(STREAM_HEAD), len(whole))
    with connected(tmp_path, *(Answer(whole[:cut], Fault.CLOSE) for cut in cuts)) as (_, transport):
        listwatch = KubeListWatch(transport, kinds.SERVICE)
        for cut in cuts:
            stream = listwatch.watch(resource_version="5", timeout_s=300)
            got: list[WatchEvent[Service]] = []
            try:
                got.extend(iter(stream.next, None))
                clean = True
            except errors.Unavailable:
                clean = False
            assert got == expected[: len(got)]
            # Only the very last bytes may be missing from an end that counts as clean.
            assert not clean or cut >= len(whole) - len(b"\r\n\r\n")


def test_line_cut_at_any_byte_before_a_clean_end_yields_no_wrong_event(tmp_path: Path) -> None:
    whole = b"".join(STREAM)
    ends = {sum(map(len, STREAM[:n])) for n in range(4)}
    cuts = range(0, len(whole), 3)
    with connected(tmp_path, *(Answer(chunked(whole[:cut])) if cut else Answer(chunked()) for cut in cuts)) as (
        _,
        transport,
    ):
        listwatch = KubeListWatch(transport, kinds.SERVICE)
        for cut in cuts:
            stream = listwatch.watch(resource_version="5", timeout_s=300)
            if cut in ends:
                assert len(drain(stream)) == whole[:cut].count(b"\n")
                continue
            with pytest.raises(errors.Unavailable):
                drain(stream)


@pytest.mark.parametrize("bad", [b"garbage\n", b"10\n", b'{"type":"ADDED"}\n', b"\xff\n"])
def test_malformed_line_drops_the_connection_after_the_good_ones(tmp_path: Path, bad: bytes) -> None:
    with connected(tmp_path, Answer(chunked(STREAM[0], bad, STREAM[1]))) as (_, transport):
        stream = KubeListWatch(transport, kinds.SERVICE).watch(resource_version="5", timeout_s=300)
        assert isinstance(stream.next(), Change)
        with pytest.raises(errors.Unavailable):
            stream.next()
        assert stream.next() is None


@pytest.mark.parametrize("then", [Fault.RESET, Fault.CLOSE])
def test_broken_connection_is_unavailable(tmp_path: Path, then: Fault) -> None:
    with connected(tmp_path, Answer(STREAM_HEAD + chunk(STREAM[0]) + b"20\r\n{", then)) as (_, transport):
        stream = KubeListWatch(transport, kinds.SERVICE).watch(resource_version="5", timeout_s=300)
        with pytest.raises(errors.Unavailable):
            drain(stream)


def test_line_without_end_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("l7lb.adapters.kube.listwatch.LINE_LENGTH_MAX", 1000)
    with connected(tmp_path, Answer(STREAM_HEAD + chunk(b"x" * 600) * 2, Fault.STALL)) as (_, transport):
        stream = KubeListWatch(transport, kinds.SERVICE).watch(resource_version="5", timeout_s=300)
        with pytest.raises(errors.Unavailable, match="longer"):
            stream.next()


def test_silent_stream_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("l7lb.adapters.kube.listwatch.SILENCE_S", 0.05)
    with connected(tmp_path, Answer(STREAM_HEAD + chunk(STREAM[0]), Fault.STALL)) as (_, transport):
        stream = KubeListWatch(transport, kinds.SERVICE).watch(resource_version="5", timeout_s=300)
        with pytest.raises(errors.Unavailable):
            drain(stream)


def test_close_frees_a_blocked_next(tmp_path: Path) -> None:
    with connected(tmp_path, Answer(STREAM_HEAD + chunk(STREAM[0]), Fault.STALL)) as (_, transport):
        stream = KubeListWatch(transport, kinds.SERVICE).watch(resource_version="5", timeout_s=300)
        got: list[WatchEvent[Service]] = []
        first = threading.Event()

        def read() -> None:
            while found := stream.next():
                got.append(found)
                first.set()

        reader = threading.Thread(target=read)
        reader.start()
        assert first.wait(30)
        stream.close()
        reader.join(30)
        assert not reader.is_alive()
    assert len(got) == 1


KEY = ObjectKey("shop", "a")
ABSENT = reply(b'{"kind":"Status","code":404,"reason":"NotFound","details":{"name":"it"}}', "404 Not Found")


def secret(version: int) -> Answer:
    metadata = {"name": "a", "namespace": "shop", "uid": "a", "resourceVersion": str(version)}
    return reply(json.dumps({"kind": "Secret", "metadata": metadata}).encode())


def test_single_object_is_read_and_watched_by_name_without_a_list(tmp_path: Path) -> None:
    watch = Answer(chunked(event("ADDED", "a", 3), event("MODIFIED", "a", 4)))
    with connected(tmp_path, secret(3), watch, secret(3)) as (server, transport):
        listwatch = KubeObjectListWatch(transport, kinds.SECRET, KEY)
        page = listwatch.list_page(resource_version="0", continue_token="")
        events = drain(listwatch.watch(resource_version="3", timeout_s=300))
    assert [item.key for item in page.items] == [KEY]
    paths = [urlsplit(seen.target).path for seen in server.seen]
    assert paths == [f"/api/v1/namespaces/shop/secrets{suffix}" for suffix in ("/a", "", "/a")]
    assert query(server.seen[1])["fieldSelector"] == "metadata.name=a"
    assert "resourceVersion" not in query(server.seen[1])
    assert [(type(one), getattr(one, "resource_version", "")) for one in events] == [(Bookmark, "3"), (Change, "")]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (secret(3), ABSENT, "DELETED"),
        (secret(3), secret(8), "MODIFIED"),
        (ABSENT, secret(8), "ADDED"),
        (secret(3), secret(3), "looked"),
        (ABSENT, ABSENT, "looked"),
    ],
)
def test_single_object_says_what_was_missed_between_read_and_watch(
    tmp_path: Path, before: Answer, after: Answer, expected: str
) -> None:
    with connected(tmp_path, before, Answer(chunked()), after) as (_, transport):
        listwatch = KubeObjectListWatch(transport, kinds.SECRET, KEY)
        listwatch.list_page(resource_version="0", continue_token="")
        first = listwatch.watch(resource_version="0", timeout_s=300).next()
    assert (first.type.value if isinstance(first, Change) else "looked") == expected
    assert isinstance(first, Change | Bookmark)


def test_bare_404_is_no_proof_that_a_single_object_is_gone(tmp_path: Path) -> None:
    bare = reply(b"404 page not found", "404 Not Found")
    with connected(tmp_path, bare) as (_, transport), pytest.raises(errors.NotFound):
        KubeObjectListWatch(transport, kinds.SECRET, KEY).list_page(resource_version="0", continue_token="")
