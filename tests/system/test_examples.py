"""Every example of the documentation is applied through the command and does in the cloud what its page says of it.

All of them live at the same time, each in a namespace of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import envtest
from tests.fixtures.examples import EXPECTED, Example, example
from tests.system.conftest import SERVERS
from tests.system.kube import Json, documents
from tests.system.pods import Pods
from tests.system.world import VPC, World

CONFIGS: Json = documents(Path(__file__).parents[2] / "charts/l7lb/crds/tkeserviceconfigs.yaml")[0]
ACCOUNT = {
    "subnets": [{"id": "subnet-4kq8z1wd", "vpc_id": VPC}],
    "certificates": [
        {"id": "Kd83hQ2x", "names": ["shop.example.com"]},
        {"id": "Ot4er9Zz", "names": ["*.example.com"]},
    ],
}
WEB = "web"


@dataclass
class Lived:
    """One example while it was there, and after it was deleted."""

    failure: str
    """What was waited for in vain."""
    ingress: Json
    cloud: Json | None
    made: list[Json | None]
    left: Json | None = None
    """Its load balancer once the Ingress is gone, where something is expected to stay."""


@pytest.fixture(scope="module", params=SERVERS)
def lives(request: pytest.FixtureRequest) -> Iterator[dict[str, Lived]]:
    """All examples through one controller."""
    if request.param and envtest.assets() is None:
        pytest.skip("no etcd and kube-apiserver in KUBEBUILDER_ASSETS")
    with World(real=request.param) as world:
        world.seed(ACCOUNT)
        world.kube.create(CONFIGS)
        world.wait("the custom kind is served", lambda: _is_served(world))
        world.start()
        yield _live(world)


def _is_served(world: World) -> bool:
    found = world.kube.get("CustomResourceDefinition", CONFIGS["metadata"]["name"])
    conditions = (found.get("status") or {}).get("conditions") or []
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


def _live(world: World) -> dict[str, Lived]:
    examples = [example(name) for name in EXPECTED]
    for one in examples:
        world.seed(one.expected.get("account", {}))
        world.kube.create_all(one.objects)
        _run(world, one)
    lived = {one.name: _seen(world, one) for one in examples}
    # The cloud deletes 30 load balancers in five minutes, so only those go of which something is to stay.
    for one in examples:
        if "kept" in one.expected:
            for name in one.ingresses:
                world.gone(name, one.namespace)
            shown = lived[one.name].cloud
            lived[one.name].left = world.load_balancers().get(shown["id"]) if shown is not None else None
    return lived


def _run(world: World, one: Example) -> None:
    """The pods of an example, as a kubelet and the endpoint controller would have them."""
    pods = Pods(world.kube, one.namespace, WEB, port_name="http")
    families: dict[str, list[Json]] = {}
    for name, addresses in one.expected.get("pods", {}).items():
        pods.run(name, *addresses)
        for address in addresses:
            families.setdefault("IPv6" if ":" in address else "IPv4", []).append(pods.endpoint(name, address))
    for family, endpoints in families.items():
        pods.slice(family, *endpoints)


def _seen(world: World, one: Example) -> Lived:
    failure = ""
    try:
        _await(world, one)
    except AssertionError as late:
        failure = str(late).partition("\n")[0]
    made = [world.kube.find(kind, name, one.namespace) for kind, name in one.expected.get("made", [])]
    return Lived(failure, world.kube.get("Ingress", WEB, one.namespace), _shown(world, one), made)


def _await(world: World, one: Example) -> None:
    expected, words = one.expected.get("cloud", {}), one.expected.get("said", "")
    if words:
        world.said(WEB, one.namespace, words)
    for name in one.ingresses:
        world.ready(name, one.namespace)
    world.wait(f"{one.name} is so in the cloud", lambda: fits(expected, _shown(world, one)), timeout_s=60.0)


def _shown(world: World, one: Example) -> Json | None:
    """Its load balancer: the one that is named, else the one that bears its tag."""
    named = one.expected.get("cloud", {}).get("id")
    if named:
        return by_name(world.load_balancers()[named])
    uid = world.kube.get("Ingress", WEB, one.namespace)["metadata"]["uid"]
    return next(map(by_name, world.of(uid)), None)


def by_name(load_balancer: Json) -> Json:
    """A load balancer with its listeners, rules and targets under their names."""
    return {
        **load_balancer,
        "listeners": {
            f"{listener['protocol']}:{listener['port']}": {
                **listener,
                "rules": {
                    rule["domains"][0] + rule["url"]: {
                        **rule, "targets": {target["ip"]: target for target in rule["targets"]}
                    }
                    for rule in listener["rules"]
                },
            }
            for listener in load_balancer["listeners"]
        },
    }  # fmt: skip


def fits(expected: Any, found: Any) -> bool:
    """Whether everything that is expected is found; more may be there."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(key in found and fits(expected[key], found[key]) for key in expected)
    if isinstance(expected, list):
        return isinstance(found, list | tuple) and list(found) == expected
    return bool(found) if expected == "*" else bool(found == expected)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_does_what_its_page_says(lives: dict[str, Lived], name: str) -> None:
    expected, lived = example(name).expected, lives[name]
    assert lived.failure == "", lived.cloud
    assert fits(expected.get("cloud", {}), lived.cloud)
    assert fits(expected.get("object", {}), lived.ingress)
    assert all(lived.made)
    if "kept" in expected:
        assert lived.left is not None
        is_bare = not lived.left["listeners"] and not lived.left["tags"]
        assert is_bare is (expected["kept"] == "bare")
