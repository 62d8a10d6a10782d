"""Custom kinds: served from their definition, pruned, filled in and checked by their schema."""

import time
from dataclasses import dataclass

import pytest

from tests.contract.kube.api import APPLY, STRATEGIC, TABLE, Json, KubeApi, fresh_name

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SPEC = {
    "type": "object",
    "required": ["mode"],
    "properties": {
        "mode": {"type": "string", "enum": ["fast", "slow"]},
        "weight": {"type": "integer", "minimum": 0, "maximum": 100, "default": 10},
        "hosts": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "port": {"x-kubernetes-int-or-string": True},
    },
}


def _definition(plural: str) -> Json:
    schema = {"type": "object", "properties": {
        "spec": SPEC, "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}  # fmt: skip
    version = {
        "name": "v1alpha1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": schema},
        "additionalPrinterColumns": [{"name": "Mode", "type": "string", "jsonPath": ".spec.mode"}],
    }
    names = {"plural": plural, "kind": plural.capitalize(), "shortNames": [f"s{plural}"]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]},
    }


@dataclass(frozen=True)
class Custom:
    """A server with one custom kind."""

    api: KubeApi
    plural: str

    @property
    def path(self) -> str:
        return f"/apis/example.com/v1alpha1/namespaces/{{ns}}/{self.plural}"

    def body(self, name: str = "a", **spec: object) -> Json:
        return {"apiVersion": "example.com/v1alpha1", "kind": self.plural.capitalize(), "metadata": {"name": name},
                "spec": {"mode": "fast", **spec}}  # fmt: skip


def _serve(api: KubeApi) -> str:
    plural = fresh_name("things").replace("-", "")
    api.made(DEFINITIONS, _definition(plural))
    deadline = time.monotonic() + 20
    while api.get(f"/apis/example.com/v1alpha1/{plural}").status != 200 and time.monotonic() < deadline:
        time.sleep(0.1)  # A real server needs a moment.
    return plural


@pytest.fixture(scope="module")
def plural(server: KubeApi) -> str:
    """A custom kind, served."""
    return _serve(server)


@pytest.fixture
def custom(kube_api: KubeApi, plural: str) -> Custom:
    """The custom kind in a namespace of one's own."""
    return Custom(kube_api, plural)


def test_definition_is_established_and_its_kind_discovered(custom: Custom) -> None:
    status = custom.api.get(f"{DEFINITIONS}/{custom.plural}.example.com").body["status"]
    assert {c["type"]: c["status"] for c in status["conditions"]} == {"NamesAccepted": "True", "Established": "True"}
    assert status["storedVersions"] == ["v1alpha1"]
    told = custom.api.get("/apis/example.com/v1alpha1").body["resources"]
    assert {resource["name"] for resource in told} >= {custom.plural, f"{custom.plural}/status"}


def test_defaults_are_filled_in_and_unknown_fields_pruned(custom: Custom) -> None:
    answer = custom.api.post(custom.path, custom.body(colour="red", free={"any": [1]}, hosts=[{"name": "a", "x": 1}]))
    assert answer.body["spec"] == {"mode": "fast", "weight": 10, "free": {"any": [1]}, "hosts": [{"name": "a"}]}
    assert answer.headers["Warning"] == (
        '299 - "unknown field \\"spec.colour\\"", 299 - "unknown field \\"spec.hosts[0].x\\""')  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "causes"),
    [
        pytest.param({"mode": "odd"}, {("FieldValueNotSupported", "spec.mode")}, id="enum"),
        pytest.param({"mode": None}, {("FieldValueRequired", "spec.mode")}, id="required"),
        pytest.param({"weight": 101}, {("FieldValueInvalid", "spec.weight")}, id="maximum"),
        pytest.param({"weight": "1"}, {("FieldValueTypeInvalid", "spec.weight")}, id="type"),
        pytest.param({"port": True}, {("FieldValueTypeInvalid", "spec.port")}, id="int or string"),
        pytest.param({"hosts": {}}, {("FieldValueTypeInvalid", "spec.hosts")}, id="list"),
    ],
)
def test_object_that_breaks_its_schema_is_refused(custom: Custom, spec: Json, causes: set[tuple[str, str]]) -> None:
    answer = custom.api.post(custom.path, custom.body(**spec))
    assert (answer.status, answer.causes) == (422, causes)


def test_status_write_touches_neither_spec_nor_metadata(custom: Custom) -> None:
    custom.api.made(custom.path, custom.body())
    change = {"status": {"seen": 1}, "spec": {"weight": 5}, "metadata": {"labels": {"a": "b"}}}
    told = custom.api.patch(f"{custom.path}/a/status", change).body
    assert (told["status"], told["spec"]["weight"], told["metadata"].get("labels")) == ({"seen": 1}, 10, None)
    assert told["metadata"]["generation"] == 1
    other = custom.api.patch(f"{custom.path}/a", {"status": {"seen": 2}, "spec": {"weight": 5}}).body
    assert (other["status"], other["metadata"]["generation"]) == ({"seen": 1}, 2)


def test_custom_kinds_take_no_strategic_merge(custom: Custom) -> None:
    custom.api.made(custom.path, custom.body())
    assert custom.api.patch(f"{custom.path}/a", {"spec": {}}, STRATEGIC).status == 415
    assert custom.api.patch(f"{custom.path}/a?fieldManager=x", custom.body(port=7), APPLY).status == 200


def test_update_needs_a_resource_version(custom: Custom) -> None:
    custom.api.made(custom.path, custom.body())
    assert custom.api.put(f"{custom.path}/a", custom.body()).status == 422


def test_table_has_the_declared_columns(custom: Custom) -> None:
    custom.api.made(custom.path, custom.body())
    table = custom.api.get(custom.path, accept=TABLE).body
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Mode"]
    assert [row["cells"] for row in table["rows"]] == [["a", "fast"]]


def test_kind_is_no_longer_served_when_its_definition_goes(kube_api: KubeApi) -> None:
    custom = Custom(kube_api, _serve(kube_api))
    kube_api.made(custom.path, custom.body())
    kube_api.delete(f"{DEFINITIONS}/{custom.plural}.example.com")
    deadline = time.monotonic() + 20
    while kube_api.get(custom.path).status != 404 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert kube_api.get(custom.path).status == 404


def test_definition_with_another_name_is_refused(kube_api: KubeApi) -> None:
    body = _definition("things")
    body["metadata"]["name"] = "things.example.org"
    answer = kube_api.post(DEFINITIONS, body)
    assert (answer.status, answer.causes) == (422, {("FieldValueInvalid", "metadata.name")})
