"""The definition of TkeServiceConfig as it is shipped: what it takes, what it refuses, and with which field named."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.contract.kube.api import TABLE, Json, KubeApi

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
FILE = Path(__file__).parents[3] / "charts/l7lb/crds/tkeserviceconfigs.yaml"
MANIFESTS = Path(__file__).parents[2] / "fixtures/manifests"
PATH = "/apis/cloud.tencent.com/v1alpha1/namespaces/{ns}/tkeserviceconfigs"
RULE = "spec.loadBalancer.l7Listeners[0].domains[0].rules[0]"


@pytest.fixture(scope="module")
def served(server: KubeApi) -> Iterator[KubeApi]:
    """A server that serves the kind; afterwards it does not."""
    definition = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    name = definition["metadata"]["name"]
    server.made(DEFINITIONS, definition)
    _wait(lambda: server.get(PATH.replace("{ns}", "default")).status == 200)
    yield server
    server.delete(f"{DEFINITIONS}/{name}")
    _wait(lambda: server.get(f"{DEFINITIONS}/{name}").status == 404)


@pytest.fixture
def api(served: KubeApi, kube_api: KubeApi) -> KubeApi:
    """The same with a namespace of one's own."""
    return replace(served, namespace=kube_api.namespace)


def _wait(question: object) -> None:
    deadline = time.monotonic() + 20
    while callable(question) and not question() and time.monotonic() < deadline:
        time.sleep(0.1)  # A real server needs a moment.


def config(balancer: Json, name: str = "a") -> Json:
    return {
        "apiVersion": "cloud.tencent.com/v1alpha1",
        "kind": "TkeServiceConfig",
        "metadata": {"name": name},
        "spec": {"loadBalancer": balancer},
    }


def of_rule(**said: object) -> Json:
    domain = {"domain": "", "rules": [{"url": "/", **said}]}
    return {"l7Listeners": [{"protocol": "HTTP", "port": 80, "domains": [domain]}]}


def of_listener(**said: object) -> Json:
    return {"l7Listeners": [{"protocol": "HTTP", "port": 80, **said}]}


CHECK = {
    "intervalTime": 5, "timeout": 5, "healthNum": 3, "unHealthNum": 3, "httpCode": 31, "httpCheckMethod": "HEAD",
    "httpCheckPath": "/", "httpCheckDomain": "console.example.com", "sourceIpType": 0,
}  # fmt: skip
TAKEN = {
    "an object that TKE keeps": {
        "l7Listeners": [
            {
                "protocol": "HTTPS", "port": 443, "defaultServer": "console.example.com", "keepaliveEnable": 0,
                "domains": [
                    {
                        "domain": "console.example.com",
                        "rules": [
                            {
                                "url": "/", "forwardType": "HTTP", "scheduler": "WRR", "session": {"enable": False},
                                "healthCheck": {"enable": True, **CHECK},
                            }
                        ],
                    }
                ],
            },
            {"protocol": "HTTP", "port": 80, "keepaliveEnable": 0},
        ]
    },
    "the spelling of the first edition": of_rule(
        session={"enabled": True, "sessionExpireTime": 3600}, healthCheck={"enabled": False}
    ),
    "listeners of a Service": {
        "internetMaxBandwidthOut": 100,
        "l4Listeners": [
            {
                "protocol": "TCP", "port": 80, "session": {"enable": True, "sessionExpireTime": 30}, "scheduler": "WRR",
                "healthCheck": {"enable": True, "checkType": "CUSTOM", "sendContext": "a", "contextType": "TEXT"},
                "deregisterTargetRst": True,
            }
        ],
    },
    "what it does not know": {**of_listener(sniSwitch=True), "somethingNew": {"a": [1]}},
    "all that a listener can have": of_listener(listenerName="a", defaultServer="", keepaliveEnable=1, snatEnable=True),
}  # fmt: skip


@pytest.mark.parametrize("balancer", TAKEN.values(), ids=TAKEN)
def test_what_the_contract_shows_is_taken_and_nothing_of_it_is_pruned(api: KubeApi, balancer: Json) -> None:
    assert api.made(PATH, config(balancer))["spec"]["loadBalancer"] == balancer


def test_the_objects_of_the_manifests_are_taken(api: KubeApi) -> None:
    documents = [
        one
        for path in sorted(MANIFESTS.glob("*.yaml"))
        for one in yaml.safe_load_all(path.read_text(encoding="utf-8"))
        if one["kind"] == "TkeServiceConfig"
    ]
    assert documents
    for document in documents:
        document["metadata"].pop("namespace")
        assert api.made(PATH, document)["spec"] == document["spec"]


BEYOND = [
    ("healthCheck", "timeout", 1), ("healthCheck", "timeout", 61), ("healthCheck", "intervalTime", 1),
    ("healthCheck", "intervalTime", 301), ("healthCheck", "healthNum", 1), ("healthCheck", "healthNum", 11),
    ("healthCheck", "unHealthNum", 1), ("healthCheck", "unHealthNum", 11), ("healthCheck", "httpCode", 0),
    ("healthCheck", "httpCode", 32), ("healthCheck", "checkPort", 0), ("healthCheck", "checkPort", 65536),
    ("session", "sessionExpireTime", 29), ("session", "sessionExpireTime", 86401),
]  # fmt: skip


@pytest.mark.parametrize(("part", "name", "value"), BEYOND)
def test_a_number_out_of_its_range_is_refused_by_its_field(api: KubeApi, part: str, name: str, value: int) -> None:
    answer = api.post(PATH, config(of_rule(**{part: {"enable": True, name: value}})))
    assert (answer.status, answer.causes) == (422, {("FieldValueInvalid", f"{RULE}.{part}.{name}")})


@pytest.mark.parametrize(
    ("balancer", "cause"),
    [
        pytest.param(of_rule(scheduler="RANDOM"), ("FieldValueNotSupported", f"{RULE}.scheduler"), id="scheduler"),
        pytest.param(of_rule(forwardType="FTP"), ("FieldValueNotSupported", f"{RULE}.forwardType"), id="forward type"),
        pytest.param(
            of_rule(healthCheck={"enable": True, "checkType": "PING"}),
            ("FieldValueNotSupported", f"{RULE}.healthCheck.checkType"),
            id="check type",
        ),
        pytest.param(
            of_rule(healthCheck={"enable": True, "httpCheckMethod": "POST"}),
            ("FieldValueNotSupported", f"{RULE}.healthCheck.httpCheckMethod"),
            id="method",
        ),
        pytest.param(
            of_rule(healthCheck={"enable": True, "httpCheckPath": "healthz"}),
            ("FieldValueInvalid", f"{RULE}.healthCheck.httpCheckPath"),
            id="check path",
        ),
        pytest.param(
            of_rule(healthCheck={"enable": "yes"}),
            ("FieldValueTypeInvalid", f"{RULE}.healthCheck.enable"),
            id="a text for a boolean",
        ),
        pytest.param(
            of_listener(keepaliveEnable=2),
            ("FieldValueNotSupported", "spec.loadBalancer.l7Listeners[0].keepaliveEnable"),
            id="keepalive",
        ),
        pytest.param(
            {"l7Listeners": [{"protocol": "TCP", "port": 80}]},
            ("FieldValueNotSupported", "spec.loadBalancer.l7Listeners[0].protocol"),
            id="protocol",
        ),
        pytest.param(
            {"l7Listeners": [{"protocol": "HTTP"}]},
            ("FieldValueRequired", "spec.loadBalancer.l7Listeners[0].port"),
            id="no port",
        ),
        pytest.param(
            {"internetMaxBandwidthOut": 2049},
            ("FieldValueInvalid", "spec.loadBalancer.internetMaxBandwidthOut"),
            id="bandwidth",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(api: KubeApi, balancer: Json, cause: tuple[str, str]) -> None:
    answer = api.post(PATH, config(balancer))
    assert answer.status == 422
    assert cause in answer.causes


@pytest.mark.parametrize("part", ["session", "healthCheck"])
def test_what_says_neither_on_nor_off_is_refused(api: KubeApi, part: str) -> None:
    answer = api.post(PATH, config(of_rule(**{part: {}})))
    assert answer.status == 422
    assert ("FieldValueRequired", f"{RULE}.{part}.enable") in answer.causes


def test_a_list_tells_for_which_ingress_an_object_is_kept(api: KubeApi) -> None:
    kept = config({}, "kept")
    owner = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "web", "uid": "u-1"}
    kept["metadata"]["ownerReferences"] = [owner]
    api.made(PATH, config({}, "by-hand"))
    api.made(PATH, kept)
    table = api.get(PATH, accept=TABLE).body
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Kept for", "Age"]
    assert [row["cells"][:2] for row in table["rows"]] == [["by-hand", None], ["kept", "web"]]
