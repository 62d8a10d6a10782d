"""What is measured against: objects of the sizes that the page names, and bytes as a real server sends them."""

import json

import pytest

from tests.bench.apiserver import INGRESSES, KINDS, SLICES, absence, blocks, chunk, events, load
from tests.bench.objects import endpoint_slice, ingress


def unchunked(wire: bytes) -> list[bytes]:
    """The chunks of a body."""
    found = []
    while wire:
        size, _, rest = wire.partition(b"\r\n")
        found.append(rest[: int(size, 16)])
        wire = rest[int(size, 16) + 2 :]
    return found


def test_objects_are_as_large_as_the_page_says() -> None:
    one, many = ingress(12).object(7, "even"), endpoint_slice(12).object(7, "true")
    assert 3_050 <= len(one) <= 3_150
    assert 27_000 <= len(many) <= 28_000
    assert len(json.loads(many)["endpoints"]) == 100


@pytest.mark.parametrize(("revision", "ready"), [("true", True), ("false", False)])
def test_a_version_and_what_changes_are_written_into_an_object(revision: str, ready: bool) -> None:
    made = json.loads(endpoint_slice(3).object(41, revision))
    assert made["metadata"]["resourceVersion"] == "41"
    assert made["endpoints"][0]["conditions"]["ready"] is ready
    assert json.loads(ingress(3).object(41, "odd"))["metadata"]["annotations"]["example.com/revision"] == "odd"


@pytest.mark.parametrize("path", [INGRESSES, SLICES])
def test_each_object_is_added_once_and_then_changed_by_each_event(path: str) -> None:
    kind = KINDS[path]
    lines = [json.loads(one) for one in unchunked(b"".join(events(kind, [kind.make(0), kind.make(1)], 6)))]
    assert [line["type"] for line in lines] == ["ADDED"] * 2 + ["MODIFIED"] * 4
    names = [line["object"]["metadata"]["name"] for line in lines]
    assert names == names[:2] * 3
    versions = [int(line["object"]["metadata"]["resourceVersion"]) for line in lines]
    assert versions == sorted(set(versions))
    for before, after in zip(lines, lines[2:], strict=False):
        before["object"]["metadata"]["resourceVersion"] = after["object"]["metadata"]["resourceVersion"] = ""
        assert before["object"] != after["object"]


def test_pieces_in_blocks_are_the_same_bytes() -> None:
    pieces = [chunk(bytes([number % 256]) * 1_000) for number in range(600)]
    made = list(blocks(pieces))
    assert b"".join(made) == b"".join(pieces)
    assert len(made) < 5


def test_what_is_not_watched_has_no_events_and_what_is_absent_is_said_to_be() -> None:
    assert load(KINDS[INGRESSES], 3).events == ()
    assert len(load(KINDS[INGRESSES], 3).listed) == 3
    assert json.loads(absence("/api/v1/namespaces/kube-system/configmaps/one"))["details"]["name"] == "one"
    assert absence("/apis/cloud.tencent.com/v1alpha1/tkeserviceconfigs") == b"404 page not found\n"
