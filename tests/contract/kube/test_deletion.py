"""Delete, finalizers, preconditions, whole collections, and the end of a namespace."""

import pytest

from tests.contract.kube.api import (
    CONFIG_MAPS,
    INGRESSES,
    SERVICES,
    Json,
    KubeApi,
    config_map,
    fresh_name,
    ingress,
    service,
)

FINALIZER = "l7lb.example.com/finalizer"


def _finalized(kube_api: KubeApi, name: str = "a") -> Json:
    body = ingress(name)
    body["metadata"]["finalizers"] = [FINALIZER]
    return kube_api.made(INGRESSES, body)


def test_delete_answers_with_a_status_that_names_the_uid(kube_api: KubeApi) -> None:
    made = kube_api.made(INGRESSES, ingress("a"))
    answer = kube_api.delete(f"{INGRESSES}/a")
    details = {"name": "a", "group": "networking.k8s.io", "kind": "ingresses", "uid": made["metadata"]["uid"]}
    assert (answer.status, answer.body["status"], answer.body["details"]) == (200, "Success", details)
    assert kube_api.get(f"{INGRESSES}/a").status == 404
    assert kube_api.delete(f"{INGRESSES}/a").status == 404


def test_delete_of_a_service_answers_with_the_object(kube_api: KubeApi) -> None:
    made = kube_api.made(SERVICES, service("a"))
    assert kube_api.delete(f"{SERVICES}/a").body["metadata"]["uid"] == made["metadata"]["uid"]


def test_finalizer_holds_a_deleted_object(kube_api: KubeApi) -> None:
    made = _finalized(kube_api)
    held = kube_api.delete(f"{INGRESSES}/a")
    assert held.status == 200
    assert held.body["metadata"]["deletionTimestamp"]
    assert held.body["metadata"]["deletionGracePeriodSeconds"] == 0
    assert held.body["metadata"]["generation"] == made["metadata"]["generation"] + 1
    again = kube_api.delete(f"{INGRESSES}/a")
    assert again.body["metadata"]["resourceVersion"] == held.body["metadata"]["resourceVersion"]


def test_object_goes_with_its_last_finalizer(kube_api: KubeApi) -> None:
    _finalized(kube_api)
    kube_api.delete(f"{INGRESSES}/a")
    answer = kube_api.patch(f"{INGRESSES}/a", {"metadata": {"finalizers": None}})
    assert answer.status == 200
    assert "finalizers" not in answer.body["metadata"]
    assert kube_api.get(f"{INGRESSES}/a").status == 404


def test_update_that_drops_the_last_finalizer_removes_the_object(kube_api: KubeApi) -> None:
    _finalized(kube_api)
    held = kube_api.delete(f"{INGRESSES}/a").body
    held["metadata"]["finalizers"] = []
    assert kube_api.put(f"{INGRESSES}/a", held).status == 200
    assert kube_api.get(f"{INGRESSES}/a").status == 404


def test_object_that_is_being_deleted_takes_no_new_finalizer(kube_api: KubeApi) -> None:
    _finalized(kube_api)
    kube_api.delete(f"{INGRESSES}/a")
    answer = kube_api.patch(f"{INGRESSES}/a", {"metadata": {"finalizers": [FINALIZER, "x.example.com/late"]}})
    assert (answer.status, answer.causes) == (422, {("FieldValueForbidden", "metadata.finalizers")})


def test_object_that_is_being_deleted_can_still_be_changed(kube_api: KubeApi) -> None:
    _finalized(kube_api)
    kube_api.delete(f"{INGRESSES}/a")
    assert kube_api.patch(f"{INGRESSES}/a", {"metadata": {"annotations": {"k": "v"}}}).status == 200
    published = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    assert kube_api.patch(f"{INGRESSES}/a/status", published).status == 200


def test_recreated_object_has_another_uid(kube_api: KubeApi) -> None:
    first = kube_api.made(INGRESSES, ingress("a"))
    kube_api.delete(f"{INGRESSES}/a")
    assert kube_api.made(INGRESSES, ingress("a"))["metadata"]["uid"] != first["metadata"]["uid"]


@pytest.mark.parametrize("name", ["uid", "resourceVersion"])
def test_delete_with_a_precondition_that_does_not_hold_is_a_conflict(kube_api: KubeApi, name: str) -> None:
    made = kube_api.made(CONFIG_MAPS, config_map("a"))
    wrong = {"uid": "00000000-0000-0000-0000-000000000000", "resourceVersion": "1"}[name]
    answer = kube_api.delete(f"{CONFIG_MAPS}/a", {"preconditions": {name: wrong}})
    assert (answer.status, answer.body["reason"]) == (409, "Conflict")
    right = {"preconditions": {name: made["metadata"][name]}, "propagationPolicy": "Background"}
    assert kube_api.delete(f"{CONFIG_MAPS}/a", right).status == 200


def test_unknown_propagation_policy_is_refused(kube_api: KubeApi) -> None:
    kube_api.made(CONFIG_MAPS, config_map("a"))
    assert kube_api.delete(f"{CONFIG_MAPS}/a", {"propagationPolicy": "Sideways"}).status == 422


def test_collection_is_deleted_by_selector(kube_api: KubeApi) -> None:
    for name, color in (("a", "red"), ("b", "red"), ("c", "blue")):
        body = config_map(name)
        body["metadata"]["labels"] = {"color": color}
        kube_api.made(CONFIG_MAPS, body)
    assert kube_api.delete(f"{CONFIG_MAPS}?labelSelector=color%3Dred").status == 200
    assert kube_api.get(CONFIG_MAPS).items == ["c"]


def test_terminating_namespace_refuses_creates(kube_api: KubeApi) -> None:
    _finalized(kube_api)
    deleted = kube_api.delete(f"/api/v1/namespaces/{kube_api.namespace}")
    assert deleted.body["status"]["phase"] == "Terminating"
    answer = kube_api.post(CONFIG_MAPS, config_map("late"))
    assert (answer.status, answer.body["reason"]) == (403, "Forbidden")
    assert ("NamespaceTerminating", "metadata.namespace") in answer.causes


def test_finalizing_a_namespace_by_hand_removes_it(kube_api: KubeApi) -> None:
    kube_api.delete(f"/api/v1/namespaces/{kube_api.namespace}")
    held = kube_api.get(f"/api/v1/namespaces/{kube_api.namespace}")
    if held.status == 200:  # A server with a namespace controller has been quicker.
        held.body["spec"]["finalizers"] = []
        assert kube_api.put(f"/api/v1/namespaces/{kube_api.namespace}/finalize", held.body).status == 200
    assert kube_api.get(f"/api/v1/namespaces/{kube_api.namespace}").status == 404


def test_namespace_goes_when_its_last_finalizer_is_taken_off(kube_api: KubeApi) -> None:
    if kube_api.is_real:
        pytest.skip("needs a namespace controller, which does not run beside this kube-apiserver")
    name = f"/api/v1/namespaces/{kube_api.namespace}"
    _finalized(kube_api)
    kube_api.made(CONFIG_MAPS, config_map("a"))
    kube_api.delete(name)
    assert kube_api.get(CONFIG_MAPS).items == []
    conditions = {c["type"]: c["message"] for c in kube_api.get(name).body["status"]["conditions"]}
    assert FINALIZER in conditions["NamespaceFinalizersRemaining"]
    kube_api.patch(f"{INGRESSES}/a", {"metadata": {"finalizers": None}})
    assert kube_api.get(name).status == 404


def test_bound_pod_is_given_time_and_a_pending_one_is_not(kube_api: KubeApi) -> None:
    path = "/api/v1/namespaces/{ns}/pods"

    def pod(name: str, **spec: str) -> Json:
        body = {"containers": [{"name": "c", "image": "nginx"}], **spec}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": body}

    kube_api.made(path, pod("pending"))
    kube_api.made(path, pod("bound", nodeName=fresh_name("node")))
    kube_api.delete(f"{path}/pending")
    held = kube_api.delete(f"{path}/bound").body
    assert held["metadata"]["deletionGracePeriodSeconds"] == 30
    assert kube_api.get(path).items == ["bound"]
    kube_api.delete(f"{path}/bound", {"gracePeriodSeconds": 0})
    assert kube_api.get(path).items == []
