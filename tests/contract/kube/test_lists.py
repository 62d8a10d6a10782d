"""Lists: selectors, pages under one resource version, and what a resource version asks for."""

import pytest

from tests.contract.kube.api import CONFIG_MAPS, EVENTS, INGRESSES, SECRETS, Json, KubeApi, config_map, ingress
from tests.emulators.kube import KubeEmulator, Request


def _labelled(name: str, **labels: str) -> Json:
    body = config_map(name)
    body["metadata"]["labels"] = labels
    return body


@pytest.fixture
def coloured(kube_api: KubeApi) -> KubeApi:
    """Four ConfigMaps: a red, b red and big, c blue, d without a label."""
    for body in (
        _labelled("a", color="red"),
        _labelled("b", color="red", size="big"),
        _labelled("c", color="blue"),
        config_map("d"),
    ):
        kube_api.made(CONFIG_MAPS, body)
    return kube_api


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        pytest.param("color=red", ["a", "b"], id="equal"),
        pytest.param("color==red,size", ["b"], id="equal and there"),
        pytest.param("color!=red", ["c", "d"], id="not equal takes what has no such label"),
        pytest.param("color in (red, blue),!size", ["a", "c"], id="in and not there"),
        pytest.param("color notin (red)", ["c", "d"], id="not in takes what has no such label"),
        pytest.param("color", ["a", "b", "c"], id="there"),
        pytest.param("!color", ["d"], id="not there"),
    ],
)
def test_label_selector_chooses(coloured: KubeApi, selector: str, expected: list[str]) -> None:
    answer = coloured.get(f"{CONFIG_MAPS}?labelSelector={selector.replace(' ', '%20').replace('=', '%3D')}")
    assert answer.items == expected


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        pytest.param("metadata.name=a", ["a"], id="name"),
        pytest.param("metadata.name!=a", ["b", "c", "d"], id="not this name"),
        pytest.param("metadata.namespace=nowhere", [], id="another namespace"),
    ],
)
def test_field_selector_chooses(coloured: KubeApi, selector: str, expected: list[str]) -> None:
    assert coloured.get(f"{CONFIG_MAPS}?fieldSelector={selector.replace('=', '%3D')}").items == expected


@pytest.mark.parametrize("query", ["fieldSelector=spec.color%3Dred", "labelSelector=a%20b%20c", "fieldSelector=x"])
def test_selector_that_cannot_be_read_is_refused(kube_api: KubeApi, query: str) -> None:
    assert kube_api.get(f"{CONFIG_MAPS}?{query}").status == 400


def test_secrets_are_chosen_by_type(kube_api: KubeApi) -> None:
    for name, kind in (("a", "Opaque"), ("b", "example.com/other")):
        kube_api.made(SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": kind})
    assert kube_api.get(f"{SECRETS}?fieldSelector=type%3DOpaque").items == ["a"]


def test_events_are_chosen_by_the_object_they_are_about(kube_api: KubeApi) -> None:
    for name in ("a", "b"):
        about = {"kind": "Ingress", "name": name, "namespace": kube_api.namespace, "uid": f"uid-{name}"}
        kube_api.made(
            EVENTS,
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": f"e-{name}"},
                "involvedObject": about,
                "reason": "Tried",
                "type": "Normal",
            },
        )
    query = f"involvedObject.kind%3DIngress,involvedObject.uid%3Duid-a,involvedObject.namespace%3D{kube_api.namespace}"
    assert kube_api.get(f"{EVENTS}?fieldSelector={query}").items == ["e-a"]


def test_items_of_a_built_in_list_do_not_repeat_their_kind(kube_api: KubeApi) -> None:
    kube_api.made(INGRESSES, ingress("a"))
    answer = kube_api.get(INGRESSES).body
    assert (answer["kind"], answer["apiVersion"]) == ("IngressList", "networking.k8s.io/v1")
    assert {"kind", "apiVersion"} & answer["items"][0].keys() == set()


def test_list_of_all_namespaces_holds_them_all(kube_api: KubeApi) -> None:
    kube_api.made(CONFIG_MAPS, config_map("a"))
    found = kube_api.get(f"/api/v1/configmaps?fieldSelector=metadata.namespace%3D{kube_api.namespace}")
    assert found.items == ["a"]


def test_pages_show_one_state_and_carry_one_resource_version(kube_api: KubeApi) -> None:
    for name in ("a", "b", "c", "d", "e"):
        kube_api.made(CONFIG_MAPS, config_map(name))
    first = kube_api.get(f"{CONFIG_MAPS}?limit=2")
    assert (first.items, first.body["metadata"]["remainingItemCount"]) == (["a", "b"], 3)
    kube_api.delete(f"{CONFIG_MAPS}/d")
    kube_api.made(CONFIG_MAPS, config_map("c2"))
    second = kube_api.get(f"{CONFIG_MAPS}?limit=2&continue={first.body['metadata']['continue']}")
    third = kube_api.get(f"{CONFIG_MAPS}?limit=2&continue={second.body['metadata']['continue']}")
    assert [second.items, third.items] == [["c", "d"], ["e"]]
    assert "continue" not in third.body["metadata"]
    versions = {page.body["metadata"]["resourceVersion"] for page in (first, second, third)}
    assert len(versions) == 1


def test_pages_with_a_selector_do_not_say_how_much_is_left(coloured: KubeApi) -> None:
    page = coloured.get(f"{CONFIG_MAPS}?limit=1&labelSelector=color%3Dred").body["metadata"]
    assert "remainingItemCount" not in page
    assert page["continue"]


def test_continue_token_is_checked(kube_api: KubeApi) -> None:
    for name in ("a", "b"):
        kube_api.made(CONFIG_MAPS, config_map(name))
    assert kube_api.get(f"{CONFIG_MAPS}?continue=nonsense").status == 400
    token = kube_api.get(f"{CONFIG_MAPS}?limit=1").body["metadata"]["continue"]
    assert kube_api.get(f"{CONFIG_MAPS}?limit=1&continue={token}&resourceVersion=1").status == 400


def test_resource_version_in_the_future_is_too_large(kube_api: KubeApi) -> None:
    answer = kube_api.get(f"{CONFIG_MAPS}?resourceVersion=999999999")
    assert (answer.status, answer.body["reason"]) == (504, "Timeout")
    assert answer.causes == {("ResourceVersionTooLarge", "")}
    assert answer.body["details"]["retryAfterSeconds"] == 1


def test_exact_resource_version_shows_the_past(kube_api: KubeApi) -> None:
    kube_api.made(CONFIG_MAPS, config_map("a"))
    then = kube_api.get(CONFIG_MAPS).body["metadata"]["resourceVersion"]
    kube_api.made(CONFIG_MAPS, config_map("b"))
    kube_api.delete(f"{CONFIG_MAPS}/a")
    exact = kube_api.get(f"{CONFIG_MAPS}?resourceVersion={then}&resourceVersionMatch=Exact")
    assert (exact.items, exact.body["metadata"]["resourceVersion"]) == (["a"], then)
    now = kube_api.get(CONFIG_MAPS).body["metadata"]["resourceVersion"]  # up to which a cache may be behind
    at_least = kube_api.get(f"{CONFIG_MAPS}?resourceVersion={now}&resourceVersionMatch=NotOlderThan")
    assert at_least.items == ["b"]


@pytest.mark.parametrize(
    "query",
    [
        "resourceVersionMatch=Exact",
        "resourceVersion=0&resourceVersionMatch=Exact",
        "resourceVersion=5&resourceVersionMatch=Odd",
    ],
)
def test_resource_version_match_that_makes_no_sense_is_refused(kube_api: KubeApi, query: str) -> None:
    answer = kube_api.get(f"{CONFIG_MAPS}?{query}")
    assert answer.status == 422
    assert {field for _, field in answer.causes} == {"resourceVersionMatch"}


def test_expired_continue_token_is_gone_and_says_how_to_go_on(emulator: KubeEmulator) -> None:
    for name in ("a", "b", "c"):
        emulator.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
    path = "/api/v1/namespaces/default/configmaps"
    first = emulator.handle(Request.of("GET", f"{path}?limit=1")).json()
    emulator.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "d"}})
    emulator.handle(Request.of("POST", "/_emulator/compact"))
    gone = emulator.handle(Request.of("GET", f"{path}?limit=1&continue={first['metadata']['continue']}"))
    assert (gone.status, gone.json()["reason"]) == (410, "Expired")
    token = gone.json()["metadata"]["continue"]
    rest = emulator.handle(Request.of("GET", f"{path}?continue={token}")).json()
    assert [item["metadata"]["name"] for item in rest["items"]] == ["b", "c", "d"]


def test_version_zero_is_answered_without_pages(emulator: KubeEmulator) -> None:
    for name in ("a", "b"):
        emulator.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
    path = "/api/v1/namespaces/default/configmaps?limit=1&resourceVersion=0"
    assert len(emulator.handle(Request.of("GET", path)).json()["items"]) == 2
