"""What is served and how it is shown: discovery, OpenAPI, health, tables, other representations, reviews."""

import pytest

from tests.contract.kube.api import (
    CLASSES,
    CONFIG_MAPS,
    EVENTS,
    INGRESSES,
    LEASES,
    SERVICES,
    SLICES,
    TABLE,
    Json,
    KubeApi,
    config_map,
    fresh_name,
    ingress,
    lease,
    service,
)

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


def test_groups_and_their_versions_are_listed(kube_api: KubeApi) -> None:
    assert kube_api.get("/api").body["versions"] == ["v1"]
    groups = {group["name"]: group["preferredVersion"]["version"] for group in kube_api.get("/apis").body["groups"]}
    wanted = (
        "apps",
        "networking.k8s.io",
        "discovery.k8s.io",
        "coordination.k8s.io",
        "events.k8s.io",
        "apiextensions.k8s.io",
        "rbac.authorization.k8s.io",
        "policy",
    )
    assert {name: groups.get(name) for name in wanted} == dict.fromkeys(wanted, "v1")


@pytest.mark.parametrize(
    ("path", "name", "expected"),
    [
        pytest.param("/api/v1", "services", ("Service", True, ["svc"]), id="services"),
        pytest.param("/api/v1", "nodes", ("Node", False, ["no"]), id="nodes"),
        pytest.param("/apis/networking.k8s.io/v1", "ingresses", ("Ingress", True, ["ing"]), id="ingresses"),
        pytest.param("/apis/networking.k8s.io/v1", "ingressclasses", ("IngressClass", False, None), id="classes"),
        pytest.param("/apis/apps/v1", "deployments", ("Deployment", True, ["deploy"]), id="deployments"),
        pytest.param("/apis/coordination.k8s.io/v1", "leases", ("Lease", True, None), id="leases"),
    ],
)
def test_kind_is_described(
    kube_api: KubeApi, path: str, name: str, expected: tuple[str, bool, list[str] | None]
) -> None:
    resources = {resource["name"]: resource for resource in kube_api.get(path).body["resources"]}
    told = resources[name]
    assert (told["kind"], told["namespaced"], told.get("shortNames")) == expected
    assert set(told["verbs"]) >= {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}


def test_aggregated_discovery_is_answered_in_one_of_both_forms(kube_api: KubeApi) -> None:
    body = kube_api.get("/apis", accept=AGGREGATED).body
    assert body["kind"] in {"APIGroupDiscoveryList", "APIGroupList"}


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_health_is_ok(kube_api: KubeApi, path: str) -> None:
    answer = kube_api.get(path)
    assert (answer.status, answer.body["text"]) == (200, "ok")


def test_version_names_a_release(kube_api: KubeApi) -> None:
    assert kube_api.get("/version").body["gitVersion"].startswith("v1.")


def test_open_api_says_that_fields_are_validated_here(kube_api: KubeApi) -> None:
    paths = kube_api.get("/openapi/v3").body["paths"]
    document = kube_api.get(paths["apis/networking.k8s.io/v1"]["serverRelativeURL"]).body
    patch = document["paths"]["/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {
        "group": "networking.k8s.io",
        "kind": "Ingress",
        "version": "v1",
    }
    assert "fieldValidation" in {parameter["name"] for parameter in patch["parameters"]}


@pytest.mark.parametrize("path", ["/nothing", "/apis/nothing.example.com/v1", "/api/v1/nothings"])
def test_unknown_path_is_not_found(kube_api: KubeApi, path: str) -> None:
    assert kube_api.get(path).status == 404


def test_unknown_representation_is_not_acceptable(kube_api: KubeApi) -> None:
    assert kube_api.get(CONFIG_MAPS, accept="application/odd").status == 406


def _event(namespace: str) -> Json:
    about = {"kind": "Ingress", "name": "a", "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e"},
        "involvedObject": about,
        "type": "Warning",
        "reason": "Refused",
        "message": "no such host",
        "source": {"component": "l7lb"},
        "count": 3,
    }


def _cells(kube_api: KubeApi, path: str, name: str = "a") -> dict[str, object]:
    table = kube_api.get(f"{path}/{name}", accept=TABLE).body
    assert table["kind"] == "Table"
    columns = [column["name"] for column in table["columnDefinitions"]]
    (row,) = table["rows"]
    assert row["object"]["kind"] == "PartialObjectMetadata"
    told = dict(zip(columns, row["cells"], strict=True))
    return {column: cell for column, cell in told.items() if column not in {"Age", "Last Seen", "First Seen"}}


def test_table_of_an_ingress(kube_api: KubeApi) -> None:
    body = ingress("a", ingressClassName="qcloud", tls=[{"secretName": "cert"}])
    body["spec"]["rules"] += [{"host": f"{name}.example.com"} for name in ("b", "c", "d", "e")]
    kube_api.made(INGRESSES, body)
    published = [{"ip": "192.0.2.2"}, {"hostname": "lb.example.com"}]
    kube_api.patch(f"{INGRESSES}/a/status", {"status": {"loadBalancer": {"ingress": published}}})
    assert _cells(kube_api, INGRESSES) == {
        "Name": "a",
        "Class": "qcloud",
        "Hosts": "shop.example.com,b.example.com,c.example.com + 2 more...",
        "Address": "192.0.2.2,lb.example.com",
        "Ports": "80, 443",
    }


def test_table_of_a_service(kube_api: KubeApi) -> None:
    spec = kube_api.made(SERVICES, service("a", type="NodePort"))["spec"]
    assert _cells(kube_api, SERVICES) == {
        "Name": "a",
        "Type": "NodePort",
        "Cluster-IP": spec["clusterIP"],
        "External-IP": "<none>",
        "Port(s)": f"80:{spec['ports'][0]['nodePort']}/TCP",
        "Selector": "app=a",
    }


def test_table_of_a_lease_a_class_a_slice_and_an_event(kube_api: KubeApi) -> None:
    kube_api.made(LEASES, lease("a", "one"))
    assert _cells(kube_api, LEASES) == {"Name": "a", "Holder": "one"}
    name = fresh_name("class")
    spec = {"controller": "example.com/l7lb", "parameters": {"kind": "Params", "name": "p"}}
    kube_api.made(
        CLASSES,
        {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": name}, "spec": spec},
    )
    assert _cells(kube_api, CLASSES, name) == {"Name": name, "Controller": "example.com/l7lb", "Parameters": "Params/p"}
    kube_api.made(
        SLICES,
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": "a"},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [f"10.0.0.{n}"]} for n in range(1, 6)],
            "ports": [{"port": 80}],
        },
    )
    assert _cells(kube_api, SLICES) == {
        "Name": "a",
        "AddressType": "IPv4",
        "Ports": "80",
        "Endpoints": "10.0.0.1,10.0.0.2,10.0.0.3 + 2 more...",
    }
    kube_api.made(EVENTS, _event(kube_api.namespace))
    told = _cells(kube_api, EVENTS, "e")
    assert (told["Type"], told["Reason"], told["Object"], told["Message"]) == (
        "Warning",
        "Refused",
        "ingress/a",
        "no such host",
    )


def test_table_of_a_node(kube_api: KubeApi) -> None:
    name = fresh_name("node")
    status = {
        "conditions": [{"type": "Ready", "status": "True"}],
        "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
        "nodeInfo": {"kubeletVersion": "v1.36.0"},
    }
    kube_api.made(
        "/api/v1/nodes",
        {
            "apiVersion": "v1",
            "kind": "Node",
            "spec": {"unschedulable": True},
            "status": status,
            "metadata": {"name": name, "labels": {"node-role.kubernetes.io/worker": ""}},
        },
    )
    told = _cells(kube_api, "/api/v1/nodes", name)
    assert (told["Status"], told["Roles"], told["Internal-IP"]) == ("Ready,SchedulingDisabled", "worker", "10.0.0.1")


def test_metadata_alone_can_be_asked_for(kube_api: KubeApi) -> None:
    kube_api.made(CONFIG_MAPS, config_map("a", key="1"))
    told = kube_api.get(CONFIG_MAPS, accept="application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1").body
    assert told["kind"] == "PartialObjectMetadataList"
    assert "data" not in told["items"][0]
    assert told["items"][0]["metadata"]["name"] == "a"


def test_administrator_may_do_everything(kube_api: KubeApi) -> None:
    attributes = {"namespace": kube_api.namespace, "verb": "create", "resource": "pods"}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = kube_api.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    assert (answer.status, answer.body["status"]["allowed"]) == (201, True)


def test_event_is_one_object_in_both_groups(kube_api: KubeApi) -> None:
    kube_api.made(EVENTS, _event(kube_api.namespace))
    other = kube_api.get("/apis/events.k8s.io/v1/namespaces/{ns}/events/e").body
    assert (other["apiVersion"], other["note"], other["regarding"]["name"]) == ("events.k8s.io/v1", "no such host", "a")
    assert (other["deprecatedCount"], other["deprecatedSource"]) == (3, {"component": "l7lb"})
    new = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "n"},
        "reason": "Made",
        "type": "Normal",
        "regarding": {"kind": "Ingress", "name": "a", "namespace": kube_api.namespace},
        "note": "made",
        "action": "Make",
        "reportingController": "example.com/l7lb",
        "reportingInstance": "one",
        "eventTime": "2026-01-01T00:00:00.000000Z",
    }
    kube_api.made("/apis/events.k8s.io/v1/namespaces/{ns}/events", new)
    core = kube_api.get(f"{EVENTS}/n").body
    assert (core["message"], core["reportingComponent"], core["involvedObject"]["kind"]) == (
        "made",
        "example.com/l7lb",
        "Ingress",
    )
    refused = kube_api.post(
        "/apis/events.k8s.io/v1/namespaces/{ns}/events", {**new, "metadata": {"name": "m"}, "action": ""}
    )
    assert (refused.status, refused.causes) == (422, {("FieldValueRequired", "action")})


def test_default_class_is_written_into_an_ingress_without_one(kube_api: KubeApi) -> None:
    name = fresh_name("class")
    body = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "spec": {"controller": "example.com/x"},
        "metadata": {"name": name, "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}},
    }
    kube_api.made(CLASSES, body)
    deadline = 50
    made = kube_api.made(INGRESSES, ingress("a0"))
    for attempt in range(1, deadline):  # A real server looks into a cache that lags.
        if "ingressClassName" in made["spec"]:
            break
        made = kube_api.made(INGRESSES, ingress(f"a{attempt}"))
    assert made["spec"]["ingressClassName"] == name
    annotated = ingress("annotated")
    annotated["metadata"]["annotations"] = {"kubernetes.io/ingress.class": "qcloud"}
    assert "ingressClassName" not in kube_api.made(INGRESSES, annotated)["spec"]
    kube_api.delete(f"{CLASSES}/{name}")
