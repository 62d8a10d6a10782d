"""What the webhook answers: a patch for pods that are to have the gate, and for no others."""

import base64
import json
from typing import Any

import pytest

from l7lb.app.injecting import answer, is_behind_ours
from l7lb.model.pods import READINESS_GATE, Pod
from l7lb.translator.names import Name
from tests.unit.app.room import SETTINGS, Room, annotated, named
from tests.unit.translator.builders import SPACE, ingress, rule, service
from tests.unit.translator.pod_builders import pod

OURS = {"conditionType": READINESS_GATE}
OTHER = {"conditionType": "example.com/ready"}


def review(operation: str = "CREATE", **spec: Any) -> bytes:
    request = {
        "uid": "review-1",
        "operation": operation,
        "namespace": SPACE,
        "object": {"metadata": {"generateName": "web-", "labels": {"app": "web"}}, "spec": spec},
    }
    return json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}).encode()


def patch(body: bytes, *, wanted: bool = True) -> object:
    """What is changed; None: nothing. In every case the pod is allowed."""
    response = json.loads(answer(body, lambda _: wanted))["response"]
    assert (response["uid"], response["allowed"]) == ("review-1", True)
    return json.loads(base64.b64decode(response["patch"])) if "patch" in response else None


@pytest.mark.parametrize(
    ("body", "wanted", "expected"),
    [
        (review(), True, [{"op": "add", "path": "/spec/readinessGates", "value": [OURS]}]),
        (review(readinessGates=[OTHER]), True, [{"op": "add", "path": "/spec/readinessGates/-", "value": OURS}]),
        (review(readinessGates=[]), True, [{"op": "add", "path": "/spec/readinessGates/-", "value": OURS}]),
        (review(readinessGates=[OTHER, OURS]), True, None),
        (review(hostNetwork=True), True, None),
        (review("UPDATE"), True, None),
        (review(), False, None),
    ],
)
def test_the_gate_is_added_once_to_new_pods_that_are_wanted(body: bytes, wanted: bool, expected: object) -> None:
    assert patch(body, wanted=wanted) == expected


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"request":{"uid":1}}'])
def test_what_is_no_review_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(ValueError):
        answer(body, lambda _: True)


def test_the_namespace_is_that_of_the_request() -> None:
    seen: list[Pod] = []

    def wants(one: Pod) -> bool:
        seen.append(one)
        return True

    answer(review(), wants)
    assert (seen[0].metadata.namespace, seen[0].labels) == (SPACE, {"app": "web"})


@pytest.mark.parametrize(
    ("annotations", "of", "expected"),
    [
        ({Name.DIRECT_ACCESS: "true"}, "web", True),
        ({Name.DIRECT_ACCESS: "true"}, "api", False),
        ({}, "web", False),
        ({Name.DIRECT_ACCESS: "true", "kubernetes.io/ingress.class": "nginx"}, "web", False),
    ],
)
def test_pods_of_services_behind_our_ingresses_with_direct_access_are_wanted(
    annotations: dict[str, str], of: str, expected: bool
) -> None:
    room = Room()
    room.put(service("web"))
    room.put(service("api"))
    room.put(annotated(named(ingress(rule()), "web"), **annotations))
    assert is_behind_ours(pod("a", of=of), room.stores, room.caches, SETTINGS) is expected
