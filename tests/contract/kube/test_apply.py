"""Server-side apply and the record of who owns which field."""

from tests.contract.kube.api import (
    APPLY,
    CONFIG_MAPS,
    DEPLOYMENTS,
    INGRESSES,
    SERVICES,
    Answer,
    Json,
    KubeApi,
    config_map,
    ingress,
    service,
)


def _apply(kube_api: KubeApi, path: str, body: Json, manager: str = "one", query: str = "") -> Answer:
    return kube_api.patch(f"{path}/{body['metadata']['name']}?fieldManager={manager}{query}", body, APPLY)


def _owned(obj: Json, manager: str) -> Json:
    (line,) = [line for line in obj["metadata"]["managedFields"] if line["manager"] == manager]
    fields: Json = line["fieldsV1"]
    return fields


def test_apply_creates_and_then_changes(kube_api: KubeApi) -> None:
    assert _apply(kube_api, CONFIG_MAPS, config_map("a", x="1")).status == 201
    answer = _apply(kube_api, CONFIG_MAPS, config_map("a", x="2"))
    assert (answer.status, answer.body["data"]) == (200, {"x": "2"})
    assert _owned(answer.body, "one") == {"f:data": {"f:x": {}}}


def test_same_apply_again_changes_nothing(kube_api: KubeApi) -> None:
    first = _apply(kube_api, INGRESSES, ingress("a"))
    again = _apply(kube_api, INGRESSES, ingress("a"))
    assert again.body["metadata"]["resourceVersion"] == first.body["metadata"]["resourceVersion"]


def test_field_that_is_no_longer_applied_goes(kube_api: KubeApi) -> None:
    _apply(kube_api, CONFIG_MAPS, config_map("a", x="1", y="2"))
    assert _apply(kube_api, CONFIG_MAPS, config_map("a", x="1")).body["data"] == {"x": "1"}


def test_field_that_another_manager_owns_too_stays(kube_api: KubeApi) -> None:
    _apply(kube_api, CONFIG_MAPS, config_map("a", x="1", y="2"), "one")
    _apply(kube_api, CONFIG_MAPS, config_map("a", y="2"), "two")
    assert _apply(kube_api, CONFIG_MAPS, config_map("a", x="1"), "one").body["data"] == {"x": "1", "y": "2"}


def test_other_value_for_a_field_of_another_manager_is_a_conflict(kube_api: KubeApi) -> None:
    _apply(kube_api, CONFIG_MAPS, config_map("a", x="1"), "one")
    refused = _apply(kube_api, CONFIG_MAPS, config_map("a", x="2"), "two")
    assert (refused.status, refused.body["reason"]) == (409, "Conflict")
    assert refused.causes == {("FieldManagerConflict", ".data.x")}
    assert refused.body["message"] == 'Apply failed with 1 conflict: conflict with "one": .data.x'


def test_forced_apply_takes_the_field_over(kube_api: KubeApi) -> None:
    _apply(kube_api, CONFIG_MAPS, config_map("a", x="1", y="1"), "one")
    forced = _apply(kube_api, CONFIG_MAPS, config_map("a", x="2"), "two", "&force=true")
    assert forced.body["data"] == {"x": "2", "y": "1"}
    assert _owned(forced.body, "one") == {"f:data": {"f:y": {}}}
    assert _owned(forced.body, "two") == {"f:data": {"f:x": {}}}


def test_ordinary_write_takes_ownership_of_what_it_changes(kube_api: KubeApi) -> None:
    _apply(kube_api, CONFIG_MAPS, config_map("a", x="1", y="1"), "one")
    patched = kube_api.patch(f"{CONFIG_MAPS}/a?fieldManager=two", {"data": {"x": "2"}}).body
    assert _owned(patched, "one") == {"f:data": {"f:y": {}}}
    assert _owned(patched, "two") == {"f:data": {"f:x": {}}}
    assert _apply(kube_api, CONFIG_MAPS, config_map("a", x="1", y="1"), "one").status == 409


def test_ports_of_a_service_are_owned_one_by_one(kube_api: KubeApi) -> None:
    _apply(kube_api, SERVICES, service("a", ports=[{"name": "web", "port": 80}]), "one")
    more = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "a"},
        "spec": {"ports": [{"name": "more", "port": 81}]},
    }
    both = _apply(kube_api, SERVICES, more, "two").body
    assert [port["port"] for port in both["spec"]["ports"]] == [80, 81]
    assert 'k:{"port":81,"protocol":"TCP"}' in _owned(both, "two")["f:spec"]["f:ports"]
    fewer = {**more, "spec": {"ports": [{"name": "other", "port": 82}]}}
    assert [port["port"] for port in _apply(kube_api, SERVICES, fewer, "two").body["spec"]["ports"]] == [80, 82]


def test_rules_of_an_ingress_are_owned_whole(kube_api: KubeApi) -> None:
    _apply(kube_api, INGRESSES, ingress("a"), "one")
    refused = _apply(kube_api, INGRESSES, ingress("a", host="b.example.com"), "two")
    assert refused.causes == {("FieldManagerConflict", ".spec.rules")}


def test_status_is_owned_by_who_writes_the_status(kube_api: KubeApi) -> None:
    _apply(kube_api, INGRESSES, ingress("a"), "one")
    published = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    answer = kube_api.patch(f"{INGRESSES}/a/status?fieldManager=two", published).body
    (line,) = [line for line in answer["metadata"]["managedFields"] if line["manager"] == "two"]
    assert (line["subresource"], line["fieldsV1"]) == ("status", {"f:status": {"f:loadBalancer": {"f:ingress": {}}}})
    again = _apply(kube_api, INGRESSES, ingress("a", host="b.example.com"), "one").body
    assert again["status"] == published["status"]


def test_replicas_left_out_stay_with_who_scales(kube_api: KubeApi) -> None:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "nginx:1"}]}}
    spec: Json = {"selector": {"matchLabels": {"app": "a"}}, "template": template}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": spec}
    _apply(kube_api, DEPLOYMENTS, body)
    kube_api.patch(f"{DEPLOYMENTS}/a/scale?fieldManager=scaler", {"spec": {"replicas": 3}})
    spec["template"]["spec"]["containers"][0]["image"] = "nginx:2"
    after = _apply(kube_api, DEPLOYMENTS, body).body["spec"]
    assert (after["replicas"], after["template"]["spec"]["containers"][0]["image"]) == (3, "nginx:2")


def test_apply_without_a_manager_is_refused(kube_api: KubeApi) -> None:
    answer = kube_api.patch(f"{CONFIG_MAPS}/a", config_map("a"), APPLY)
    assert (answer.status, answer.causes) == (422, {("FieldValueRequired", "fieldManager")})


def test_apply_with_managed_fields_is_refused(kube_api: KubeApi) -> None:
    body = config_map("a")
    body["metadata"]["managedFields"] = [{"manager": "x", "operation": "Apply"}]
    assert _apply(kube_api, CONFIG_MAPS, body).status == 400


def test_managed_fields_can_be_wiped(kube_api: KubeApi) -> None:
    _apply(kube_api, CONFIG_MAPS, config_map("a", x="1"), "one")
    wiped = kube_api.patch(f"{CONFIG_MAPS}/a", {"metadata": {"managedFields": [{}]}}).body
    assert "managedFields" not in wiped["metadata"]


def test_ordinary_write_owns_maps_and_lists_as_such(kube_api: KubeApi) -> None:
    kube_api.made(f"{INGRESSES}?fieldManager=one", ingress("a"))
    change = {"metadata": {"annotations": {"x": "1"}, "finalizers": ["example.com/hold"]}}
    patched = kube_api.patch(f"{INGRESSES}/a?fieldManager=two", change).body
    assert _owned(patched, "one") == {"f:spec": {"f:rules": {}}}
    assert _owned(patched, "two") == {
        "f:metadata": {
            "f:annotations": {".": {}, "f:x": {}},
            "f:finalizers": {".": {}, 'v:"example.com/hold"': {}},
        }
    }


def test_several_conflicts_are_told_by_manager(kube_api: KubeApi) -> None:
    _apply(kube_api, CONFIG_MAPS, config_map("a", x="1", y="1"), "one")
    refused = _apply(kube_api, CONFIG_MAPS, config_map("a", x="2", y="2"), "two")
    assert refused.body["message"] == 'Apply failed with 2 conflicts: conflicts with "one":\n- .data.x\n- .data.y'


def test_finalizer_that_is_no_longer_applied_goes(kube_api: KubeApi) -> None:
    body = config_map("a")
    body["metadata"]["finalizers"] = ["example.com/x", "example.com/y"]
    _apply(kube_api, CONFIG_MAPS, body)
    body["metadata"]["finalizers"] = ["example.com/y"]
    assert _apply(kube_api, CONFIG_MAPS, body).body["metadata"]["finalizers"] == ["example.com/y"]
