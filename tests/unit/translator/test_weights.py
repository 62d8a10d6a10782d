"""Declared weights: which pod, behind which listener, and what a mistake leaves as it is."""

import json
from typing import Any

import pytest

from l7lb import translator
from l7lb.model.loadbalancer import Target
from l7lb.model.maybe import UNSET
from l7lb.model.pods import CUSTOM_WEIGHT
from l7lb.model.snapshot import Translation
from l7lb.translator.names import Name

from .builders import SETTINGS, codes, ingress, rule, service, snapshot
from .pod_builders import endpoint, pod, slice_of

HOST = "store.acme-demo.com"
WEIGHTS = Name.WEIGHTS
ADDRESSES = {"sts-v1-0": "172.16.0.1", "sts-v1-1": "172.16.0.2", "sts-v2-0": "172.16.0.3", "web-7d4b9": "172.16.0.4"}
DIRECT = {Name.DIRECT_ACCESS: "true"}


def group(proto: str, port: int, *pairs: tuple[int, list[int]], name: str = "sts-v1") -> dict[str, Any]:
    weights = [{"weight": weight, "podIndexes": ordinals} for weight, ordinals in pairs]
    return {"key": {"proto": proto, "port": port}, "statefulSets": [{"name": name, "weights": weights}]}


def translated(said: object = None, *, state: str = "ready", **annotations: str) -> Translation:
    """Of four pods; `annotations`: those of single pods, by name with underscores, as `custom-weight`."""
    text = said if isinstance(said, str) else json.dumps(said)
    parts = slice_of(
        "web",
        *(
            endpoint(address, name, ready=state == "ready", terminating=state == "terminating")
            for name, address in ADDRESSES.items()
        ),
    )
    own = {name.replace("_", "-"): {CUSTOM_WEIGHT: weight} for name, weight in annotations.items()}
    pods = [
        pod(name, address, terminating=state == "terminating", annotations=own.get(name))
        for name, address in ADDRESSES.items()
    ]
    it = ingress(rule(HOST), annotations=DIRECT | ({WEIGHTS: text} if said is not None else {}))
    return translator.translate(snapshot(it, service(kind="ClusterIP"), parts, *pods), SETTINGS)


def targets(found: Translation, number: int = 0) -> dict[str, Target]:
    assert found.desired is not None
    (one,) = found.desired.listeners[number].rules
    names = {address: name for name, address in ADDRESSES.items()}
    return {names[target.key.address]: target for target in one.targets}


def weights(found: Translation) -> list[object]:
    by_name = targets(found)
    return [by_name[name].weight for name in ADDRESSES]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, [UNSET, UNSET, UNSET, UNSET]),
        ("", [UNSET, UNSET, UNSET, UNSET]),
        ({"defaultWeight": 5}, [5, 5, 5, 5]),
        ({"groups": [group("TCP", 80, (0, [0]))]}, [0, UNSET, UNSET, UNSET]),
        ({"groups": [group("HTTP", 80, (30, [0, 1]))]}, [30, 30, UNSET, UNSET]),
        ({"groups": [group("HTTPS", 80, (30, [0]))]}, [UNSET, UNSET, UNSET, UNSET]),
        ({"groups": [group("HTTP", 8080, (30, [0]))]}, [UNSET, UNSET, UNSET, UNSET]),
        ({"groups": [group("TCP", 80, (1, [0])), group("HTTP", 80, (2, [0]))]}, [2, UNSET, UNSET, UNSET]),
        (
            {"defaultWeight": 100, "groups": [group("TCP", 80, (1, [1])), group("TCP", 80, (7, [0]), name="sts-v2")]},
            [100, 1, 7, 100],
        ),
        ({"groups": None, "later": "unknown"}, [UNSET, UNSET, UNSET, UNSET]),
    ],
    ids=[
        "nothing said", "empty", "default", "by the Service's port", "by the listener", "another protocol",
        "another listener", "the listener wins", "two StatefulSets", "null, and what we do not know",
    ],
)  # fmt: skip
def test_a_weight_goes_by_statefulset_ordinal_and_listener(said: object, expected: list[object]) -> None:
    found = translated(said)
    assert weights(found) == expected
    assert found.problems == ()


def test_each_listener_has_its_own_weights() -> None:
    part = slice_of("web", endpoint("172.16.0.1", "sts-v1-0"))
    said = {"groups": [group("HTTP", 80, (1, [0])), group("HTTP", 8080, (2, [0]))]}
    ports = {Name.LISTEN_PORTS: '[{"HTTP":80},{"HTTP":8080}]', WEIGHTS: json.dumps(said)}
    it = ingress(rule(HOST), annotations=DIRECT | ports)
    found = translator.translate(snapshot(it, service(), part, pod("sts-v1-0", "172.16.0.1")), SETTINGS)
    assert [targets(found, number)["sts-v1-0"].weight for number in (0, 1)] == [1, 2]


def test_the_pods_own_weight_wins() -> None:
    found = translated({"defaultWeight": 5, "groups": [group("TCP", 80, (50, [0]))]}, sts_v1_0="1", web_7d4b9="0")
    assert weights(found) == [1, 5, 5, 0]


@pytest.mark.parametrize("state", ["terminating", "unready"])
def test_draining_is_above_all(state: str) -> None:
    found = translated({"defaultWeight": 5}, state=state, sts_v1_0="100")
    assert weights(found) == [0, 0, 0, 0]


BAD = [
    "{", "[]", "true", '{"defaultWeight":101}', '{"defaultWeight":-1}', '{"defaultWeight":"5"}',
    '{"defaultWeight":true}', '{"defaultWeight":1.5}', '{"groups":{}}', '{"groups":[1]}', '{"groups":[{}]}',
    '{"groups":[{"key":{"proto":"UDP","port":80}}]}', '{"groups":[{"key":{"proto":"TCP","port":0}}]}',
    '{"groups":[{"key":{"proto":"TCP","port":true}}]}',
    '{"groups":[{"key":{"proto":"TCP","port":80},"statefulSets":[{"weights":[]}]}]}',
    '{"groups":[{"key":{"proto":"TCP","port":80},"statefulSets":[{"name":"a","weights":[{"podIndexes":[0]}]}]}]}',
    '{"groups":[{"key":{"proto":"TCP","port":80},"statefulSets":[{"name":"a","weights":[{"weight":1}]}]}]}',
    '{"groups":[{"key":{"proto":"TCP","port":1},"statefulSets":[{"name":"a","weights":[{"weight":1,"podIndexes":[-1]}]}]}]}',
]  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_weights_that_cannot_be_read_are_said_and_leave_what_is_there(text: str) -> None:
    found = translated(text)
    assert codes(found) == ["InvalidAnnotation"]
    assert {(one.weight, one.steady) for one in targets(found).values()} == {(UNSET, True)}


def test_a_dying_pod_is_drained_though_the_weights_cannot_be_read() -> None:
    assert weights(translated("{", state="terminating")) == [0, 0, 0, 0]


@pytest.mark.parametrize("text", ["101", "-1", "ten", "1.5", "1e1", "٣"])
def test_a_bad_weight_of_a_pod_is_its_own_affair(text: str) -> None:
    found = translated({"defaultWeight": 5}, sts_v1_0=text)
    assert codes(found) == ["BadPodWeight"]
    assert "Pod shop/sts-v1-0" in found.problems[0].message
    assert weights(found) == [UNSET, 5, 5, 5]
    assert targets(found)["sts-v1-0"].steady
