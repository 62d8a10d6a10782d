"""Create, read, update, patch, delete: the life of one object."""

import pytest

from tests.contract.kube.api import (
    CONFIG_MAPS,
    INGRESSES,
    JSON_PATCH,
    LEASES,
    MERGE,
    SERVICES,
    STRATEGIC,
    Json,
    KubeApi,
    config_map,
    ingress,
    lease,
    service,
)


def test_created_object_has_what_only_the_server_sets(kube_api: KubeApi) -> None:
    made = kube_api.made(CONFIG_MAPS, config_map("a", key="value"))
    metadata = made["metadata"]
    assert metadata["namespace"] == kube_api.namespace
    assert metadata["uid"]
    assert metadata["creationTimestamp"].endswith("Z")
    assert int(metadata["resourceVersion"]) > 0
    assert kube_api.get(f"{CONFIG_MAPS}/a").body == made


def test_users_cannot_choose_uid_creation_time_or_generation(kube_api: KubeApi) -> None:
    wanted = ingress("a")
    wanted["metadata"] |= {"uid": "mine", "creationTimestamp": "2000-01-01T00:00:00Z", "generation": 7}
    made = kube_api.made(INGRESSES, wanted)
    assert made["metadata"]["uid"] != "mine"
    assert not made["metadata"]["creationTimestamp"].startswith("2000")
    assert made["metadata"]["generation"] == 1


def test_generate_name_appends_five_letters(kube_api: KubeApi) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "web-"}}
    names = [kube_api.made(CONFIG_MAPS, body)["metadata"]["name"] for _ in range(2)]
    assert all(name.startswith("web-") and len(name) == 9 for name in names)
    assert names[0] != names[1]


def test_second_create_of_a_name_is_refused(kube_api: KubeApi) -> None:
    kube_api.made(CONFIG_MAPS, config_map("a"))
    answer = kube_api.post(CONFIG_MAPS, config_map("a"))
    assert (answer.status, answer.body["reason"]) == (409, "AlreadyExists")
    assert answer.body["details"] == {"name": "a", "kind": "configmaps"}


def test_create_in_a_missing_namespace_is_not_found(kube_api: KubeApi) -> None:
    answer = kube_api.post("/api/v1/namespaces/nowhere/configmaps", config_map("a"))
    assert (answer.status, answer.body["reason"]) == (404, "NotFound")
    assert answer.body["message"] == 'namespaces "nowhere" not found'


def test_create_with_a_resource_version_is_refused(kube_api: KubeApi) -> None:
    body = config_map("a")
    body["metadata"]["resourceVersion"] = "1"
    assert kube_api.post(CONFIG_MAPS, body).status >= 400


def test_missing_object_is_not_found_with_its_kind_and_name(kube_api: KubeApi) -> None:
    answer = kube_api.get(f"{INGRESSES}/gone")
    assert answer.status == 404
    assert answer.body["message"] == 'ingresses.networking.k8s.io "gone" not found'
    assert answer.body["details"] == {"name": "gone", "group": "networking.k8s.io", "kind": "ingresses"}


def test_update_with_an_old_resource_version_is_a_conflict(kube_api: KubeApi) -> None:
    old = kube_api.made(CONFIG_MAPS, config_map("a", key="1"))
    new = kube_api.put(f"{CONFIG_MAPS}/a", {**old, "data": {"key": "2"}})
    assert new.status == 200
    assert int(new.body["metadata"]["resourceVersion"]) > int(old["metadata"]["resourceVersion"])
    stale = kube_api.put(f"{CONFIG_MAPS}/a", {**old, "data": {"key": "3"}})
    assert (stale.status, stale.body["reason"]) == (409, "Conflict")
    assert "the object has been modified" in stale.body["message"]


def test_update_without_a_resource_version_is_taken_for_an_ingress(kube_api: KubeApi) -> None:
    kube_api.made(INGRESSES, ingress("a"))
    answer = kube_api.put(f"{INGRESSES}/a", ingress("a", host="other.example.com"))
    assert answer.status == 200
    assert answer.body["spec"]["rules"][0]["host"] == "other.example.com"


def test_update_without_a_resource_version_is_refused_for_a_lease(kube_api: KubeApi) -> None:
    kube_api.made(LEASES, lease("a", "one"))
    answer = kube_api.put(f"{LEASES}/a", lease("a", "two"))
    assert answer.status == 422
    assert answer.causes == {("FieldValueInvalid", "metadata.resourceVersion")}


def test_lease_with_its_resource_version_is_taken_once(kube_api: KubeApi) -> None:
    held = kube_api.made(LEASES, lease("a", "one"))
    held["spec"]["holderIdentity"] = "two"
    assert kube_api.put(f"{LEASES}/a", held).status == 200
    held["spec"]["holderIdentity"] = "three"
    assert kube_api.put(f"{LEASES}/a", held).status == 409
    assert kube_api.get(f"{LEASES}/a").body["spec"]["holderIdentity"] == "two"


def test_put_creates_a_missing_lease_and_no_missing_ingress(kube_api: KubeApi) -> None:
    assert kube_api.put(f"{LEASES}/a", lease("a", "one")).status == 201
    assert kube_api.put(f"{INGRESSES}/a", ingress("a")).status == 404


def test_released_lease_keeps_its_empty_holder(kube_api: KubeApi) -> None:
    held = kube_api.made(LEASES, lease("a", "one"))
    held["spec"]["holderIdentity"] = ""
    assert kube_api.put(f"{LEASES}/a", held).body["spec"]["holderIdentity"] == ""


def test_write_that_changes_nothing_keeps_the_resource_version(kube_api: KubeApi) -> None:
    made = kube_api.made(CONFIG_MAPS, config_map("a", key="1"))
    assert kube_api.put(f"{CONFIG_MAPS}/a", made).body["metadata"] == made["metadata"]
    patched = kube_api.patch(f"{CONFIG_MAPS}/a", {"data": {"key": "1"}})
    assert patched.body["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_generation_rises_with_spec_and_not_with_annotations_or_status(kube_api: KubeApi) -> None:
    kube_api.made(INGRESSES, ingress("a"))
    annotated = kube_api.patch(f"{INGRESSES}/a", {"metadata": {"annotations": {"k": "v"}}})
    assert annotated.body["metadata"]["generation"] == 1
    status = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    assert kube_api.patch(f"{INGRESSES}/a/status", status).body["metadata"]["generation"] == 1
    respelled = kube_api.patch(f"{INGRESSES}/a", {"spec": {"ingressClassName": "qcloud"}})
    assert respelled.body["metadata"]["generation"] == 2


def test_status_write_leaves_spec_and_spec_write_leaves_status(kube_api: KubeApi) -> None:
    made = kube_api.made(INGRESSES, ingress("a"))
    assert made["status"] == {"loadBalancer": {}}
    published = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
    both = {**made, "spec": ingress("a", host="evil.example.com")["spec"], "status": published}
    through_status = kube_api.put(f"{INGRESSES}/a/status", both)
    assert through_status.status == 200
    assert through_status.body["spec"] == made["spec"]
    assert through_status.body["status"] == published
    cleared = {**through_status.body, "status": {"loadBalancer": {}}}
    assert kube_api.put(f"{INGRESSES}/a", cleared).body["status"] == published


def test_status_of_a_new_object_is_dropped(kube_api: KubeApi) -> None:
    body = {**ingress("a"), "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    assert kube_api.made(INGRESSES, body)["status"] == {"loadBalancer": {}}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"creationTimestamp": "2000-01-01T00:00:00Z"}, "metadata.creationTimestamp", id="born earlier"),
        pytest.param({"deletionTimestamp": "2000-01-01T00:00:00Z"}, "metadata.deletionTimestamp", id="dying by hand"),
    ],
)
def test_immutable_metadata_is_refused(kube_api: KubeApi, change: Json, field: str) -> None:
    made = kube_api.made(CONFIG_MAPS, config_map("a"))
    made["metadata"] |= change
    answer = kube_api.put(f"{CONFIG_MAPS}/a", made)
    if answer.status == 200:
        # Some servers quietly keep the old value; what counts is that it is kept.
        assert change.items() & answer.body["metadata"].items() == set()
    else:
        assert answer.causes == {("FieldValueInvalid", field)}


def test_update_with_another_uid_is_a_conflict(kube_api: KubeApi) -> None:
    made = kube_api.made(CONFIG_MAPS, config_map("a"))
    made["metadata"]["uid"] = "00000000-0000-0000-0000-000000000000"
    answer = kube_api.put(f"{CONFIG_MAPS}/a", made)
    assert (answer.status, answer.body["reason"]) == (409, "Conflict")
    assert "Precondition failed: UID in precondition" in answer.body["message"]


@pytest.mark.parametrize(
    ("body", "media", "expected"),
    [
        pytest.param({"data": {"a": None, "c": "3"}}, MERGE, {"b": "2", "c": "3"}, id="merge patch"),
        pytest.param({"data": {"a": None, "c": "3"}}, STRATEGIC, {"b": "2", "c": "3"}, id="strategic merge patch"),
        pytest.param(
            [
                {"op": "remove", "path": "/data/a"},
                {"op": "add", "path": "/data/c", "value": "3"},
                {"op": "test", "path": "/data/b", "value": "2"},
            ],
            JSON_PATCH,
            {"b": "2", "c": "3"},
            id="JSON patch",
        ),
        pytest.param(
            [
                {"op": "move", "from": "/data/a", "path": "/data/c"},
                {"op": "copy", "from": "/data/b", "path": "/data/d"},
            ],
            JSON_PATCH,
            {"b": "2", "c": "1", "d": "2"},
            id="JSON patch that moves and copies",
        ),
        pytest.param({"data": None}, MERGE, None, id="merge patch that takes all"),
    ],
)
def test_patch_changes_what_it_names(kube_api: KubeApi, body: object, media: str, expected: Json | None) -> None:
    kube_api.made(CONFIG_MAPS, config_map("a", a="1", b="2"))
    answer = kube_api.patch(f"{CONFIG_MAPS}/a", body, media)
    assert (answer.status, answer.body.get("data")) == (200, expected)


@pytest.mark.parametrize(
    ("body", "media", "status"),
    [
        pytest.param([{"op": "test", "path": "/data/a", "value": "2"}], JSON_PATCH, 422, id="failed test"),
        pytest.param([{"op": "remove", "path": "/data/none"}], JSON_PATCH, 422, id="nothing to remove"),
        pytest.param({"data": {}}, "application/json", 415, id="no patch type"),
        pytest.param({"metadata": {"resourceVersion": "1"}}, MERGE, 409, id="old resource version"),
        pytest.param(b"{", MERGE, 400, id="no JSON"),
        pytest.param({"data": {"a": 1}}, MERGE, 422, id="number for a text"),
    ],
)
def test_impossible_patch_is_refused(kube_api: KubeApi, body: object, media: str, status: int) -> None:
    made = kube_api.made(CONFIG_MAPS, config_map("a", a="1"))
    assert kube_api.patch(f"{CONFIG_MAPS}/a", body, media).status == status
    assert kube_api.get(f"{CONFIG_MAPS}/a").body == made


def test_patch_of_a_missing_object_is_not_found(kube_api: KubeApi) -> None:
    assert kube_api.patch(f"{CONFIG_MAPS}/a", {"data": {}}).status == 404


def test_strategic_merge_joins_service_ports_by_port(kube_api: KubeApi) -> None:
    kube_api.made(SERVICES, service("a", ports=[{"name": "web", "port": 80}]))
    more = {"spec": {"ports": [{"port": 81, "name": "more"}, {"port": 80, "targetPort": 8080}]}}
    ports = kube_api.patch(f"{SERVICES}/a", more, STRATEGIC).body["spec"]["ports"]
    assert {(p["port"], p["name"], p["targetPort"]) for p in ports} == {(80, "web", 8080), (81, "more", 81)}
    less = {"spec": {"ports": [{"port": 81, "$patch": "delete"}]}}
    ports = kube_api.patch(f"{SERVICES}/a", less, STRATEGIC).body["spec"]["ports"]
    assert [port["port"] for port in ports] == [80]


def test_strategic_merge_replaces_ingress_rules_whole(kube_api: KubeApi) -> None:
    kube_api.made(INGRESSES, ingress("a"))
    change = {"spec": {"rules": ingress("a", host="b.example.com")["spec"]["rules"]}}
    rules = kube_api.patch(f"{INGRESSES}/a", change, STRATEGIC).body["spec"]["rules"]
    assert [rule["host"] for rule in rules] == ["b.example.com"]


def test_strategic_merge_adds_to_finalizers_and_deletes_from_them(kube_api: KubeApi) -> None:
    kube_api.made(CONFIG_MAPS, config_map("a"))
    path = f"{CONFIG_MAPS}/a"
    kube_api.patch(path, {"metadata": {"finalizers": ["a.example.com/x"]}}, STRATEGIC)
    both = kube_api.patch(path, {"metadata": {"finalizers": ["b.example.com/x"]}}, STRATEGIC)
    assert sorted(both.body["metadata"]["finalizers"]) == ["a.example.com/x", "b.example.com/x"]
    one = kube_api.patch(path, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a.example.com/x"]}}, STRATEGIC)
    assert one.body["metadata"]["finalizers"] == ["b.example.com/x"]
    none = kube_api.patch(path, {"metadata": {"finalizers": None}})
    assert "finalizers" not in none.body["metadata"]


def test_empty_optional_parts_are_not_written(kube_api: KubeApi) -> None:
    body = ingress("a", tls=[])
    body["metadata"] |= {"annotations": {}, "labels": {}, "finalizers": []}
    made = kube_api.made(INGRESSES, body)
    assert {"annotations", "labels", "finalizers"} & made["metadata"].keys() == set()
    assert "tls" not in made["spec"]


def test_dry_run_says_what_would_be_and_writes_nothing(kube_api: KubeApi) -> None:
    answer = kube_api.post(f"{CONFIG_MAPS}?dryRun=All", config_map("a"))
    assert answer.status == 201
    assert kube_api.get(f"{CONFIG_MAPS}/a").status == 404
    made = kube_api.made(CONFIG_MAPS, config_map("a", key="1"))
    changed = kube_api.patch(f"{CONFIG_MAPS}/a?dryRun=All", {"data": {"key": "2"}})
    assert changed.body["data"] == {"key": "2"}
    assert kube_api.delete(f"{CONFIG_MAPS}/a?dryRun=All").status == 200
    assert kube_api.get(f"{CONFIG_MAPS}/a").body == made


def test_object_in_yaml_is_taken_and_given(kube_api: KubeApi) -> None:
    body = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {key: 'yes'}\n"
    assert kube_api.ask("POST", CONFIG_MAPS, body, "application/yaml").status == 201
    answer = kube_api.get(f"{CONFIG_MAPS}/a", accept="application/yaml")
    assert answer.headers["Content-Type"] == "application/yaml"
    assert "kind: ConfigMap" in answer.body["text"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param({"kind": "Secret"}, 400, id="another kind"),
        pytest.param({"apiVersion": "v2"}, 400, id="another version"),
        pytest.param({"metadata": {"name": "a", "namespace": "default"}}, 400, id="another namespace"),
    ],
)
def test_object_that_does_not_fit_its_path_is_refused(kube_api: KubeApi, change: Json, status: int) -> None:
    assert kube_api.post(CONFIG_MAPS, {**config_map("a"), **change}).status == status


def test_secret_takes_plain_texts_and_shows_base64(kube_api: KubeApi) -> None:
    path = "/api/v1/namespaces/{ns}/secrets"
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": {"qcloud_cert_id": "abc"}}
    made = kube_api.made(path, body)
    assert (made["type"], made["data"]) == ("Opaque", {"qcloud_cert_id": "YWJj"})
    assert "stringData" not in made


def test_scale_is_a_view_of_replicas(kube_api: KubeApi) -> None:
    path = "/apis/apps/v1/namespaces/{ns}/deployments"
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    spec = {"selector": {"matchLabels": {"app": "a"}}, "template": template}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": spec}
    assert kube_api.made(path, body)["spec"]["replicas"] == 1
    scale = kube_api.get(f"{path}/a/scale").body
    assert (scale["kind"], scale["apiVersion"], scale["spec"]) == ("Scale", "autoscaling/v1", {"replicas": 1})
    assert scale["status"] == {"replicas": 0, "selector": "app=a"}
    scale["spec"]["replicas"] = 0
    assert kube_api.put(f"{path}/a/scale", scale).status == 200
    scale["spec"]["replicas"] = 5
    assert kube_api.put(f"{path}/a/scale", scale).status == 409
    assert kube_api.patch(f"{path}/a/scale", {"spec": {"replicas": 3}}).body["spec"]["replicas"] == 3
    held = kube_api.get(f"{path}/a").body
    assert (held["spec"]["replicas"], held["metadata"]["generation"]) == (3, 3)
