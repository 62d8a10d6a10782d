"""The rights that `l7lb doctor` asks for are those that the manifests give: no fewer, and no more."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import yaml

from l7lb.adapters.kube.examining import KubeExaminer, Replica, skew_s
from l7lb.adapters.kube.rights import Right, Uses, rights
from l7lb.adapters.kube.transport import Response, Transport

DEPLOY = Path(__file__).parents[4] / "examples/deploy"
LEASE = "l7lb-cls-xxxxxxxx"


def given(*files: str) -> set[Right]:
    """One for each verb, resource and name in the roles of these files."""
    return {right for file in files for right in _given(file)}


def _given(file: str) -> Iterator[Right]:
    for document in yaml.safe_load_all((DEPLOY / file).read_text(encoding="utf-8")):
        if document["kind"] not in ("Role", "ClusterRole"):
            continue
        namespace = document["metadata"].get("namespace", "")
        for rule in document["rules"]:
            yield from (
                Right(verb, group, resource, namespace, name)
                for verb in rule["verbs"]
                for group in rule["apiGroups"]
                for resource in rule["resources"]
                for name in rule.get("resourceNames", [""])
            )


@pytest.mark.parametrize(
    ("uses", "files"),
    [
        pytest.param(Uses(LEASE), ("l7lb.yaml",), id="usual"),
        pytest.param(Uses(LEASE, collecting=True), ("l7lb.yaml", "collect-orphans.yaml"), id="collecting"),
        pytest.param(
            Uses(LEASE, webhook="l7lb/l7lb-webhook"), ("l7lb.yaml", "readiness-webhook.yaml"), id="with the webhook"
        ),
    ],
)
def test_the_table_has_the_rights_of_the_manifests(uses: Uses, files: tuple[str, ...]) -> None:
    found = rights(uses)
    assert len(found) == len(set(found))
    assert set(found) == given(*files)


def test_without_a_list_of_secrets_no_right_to_all_secrets_is_asked_for() -> None:
    left = set(rights(Uses(LEASE))) - set(rights(Uses(LEASE, all_secrets=False)))
    assert left == {Right("list", "", "secrets"), Right("watch", "", "secrets")}


def test_each_shard_has_a_lease_of_its_own_beside_the_plain_one() -> None:
    more = set(rights(Uses(LEASE, shards=2))) - set(rights(Uses(LEASE)))
    assert {(right.verb, right.name) for right in more} == {
        (verb, f"{LEASE}-{shard}") for verb in ("get", "patch") for shard in (0, 1)
    }


def test_a_right_is_told_as_people_say_it() -> None:
    assert str(Right("get", "apps", "deployments", "kube-system", "x")) == "get deployments.apps x in kube-system"
    assert str(Right("list", "", "pods")) == "list pods"


@pytest.mark.parametrize(
    ("date", "skew"),
    [
        ("Thu, 01 Jan 1970 00:01:40 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:01:39 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:02:40 GMT", 59.0),
        ("Thu, 01 Jan 1970 00:01:00 GMT", -39.0),
        ("soon", None),
        (None, None),
    ],
)
def test_a_clock_that_tells_whole_seconds_is_compared_with_ours(date: str | None, skew: float | None) -> None:
    assert skew_s(date, 100.0, 101.0) == skew


@pytest.mark.parametrize(
    ("image", "same"),
    [
        ("registry.example.com:5000/l7lb:1.2.3", True),
        ("l7lb:1.2.3@sha256:00", True),
        ("registry.example.com:5000/l7lb", False),
        ("l7lb:1.2.30", False),
    ],
)
def test_the_version_of_a_replica_is_the_tag_of_its_image(image: str, same: bool) -> None:
    assert Replica("l7lb", "a", True, (image,)).has_tag("1.2.3") is same


@pytest.mark.parametrize(
    ("container", "shards"),
    [
        ({}, 1),
        ({"args": ["run", "--shards=3"]}, 3),
        ({"args": ["run", "--shards", "4", "--region=x"]}, 4),
        ({"env": [{"name": "L7LB_SHARDS", "value": "2"}]}, 2),
        ({"args": ["--shards=3"], "env": [{"name": "L7LB_SHARDS", "value": "2"}]}, 3),
        ({"env": [{"name": "L7LB_SHARDS", "valueFrom": {"configMapKeyRef": {"name": "x"}}}]}, 1),
        ({"args": ["--shards=many"]}, 1),
        ({"args": ["--shards"]}, 1),
    ],
)
def test_into_how_many_shards_a_pod_divides_is_read_as_run_reads_it(container: dict[str, object], shards: int) -> None:
    pods = {"items": [{"metadata": {"name": "a", "namespace": "l7lb"}, "spec": {"containers": [container]}}]}

    class Api:
        """Answers every request alike."""

        def request(self, _request: object) -> Response:
            return Response(200, {}, json.dumps(pods).encode())

    (replica,) = KubeExaminer(cast(Transport, Api()), lambda: 0.0).replicas()
    assert replica.shards == shards
