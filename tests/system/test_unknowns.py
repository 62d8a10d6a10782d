"""What nobody knows about the cloud, drawn from seeds: Ingresses live whole lives under every value of each switch."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.emulators.clb.switches import CHOICES, Switches
from tests.system.world import VPC, World, ingress, rule, service, tree

pytestmark = pytest.mark.system

SEEDS = ((1, 2, 1776, 2435), (3, 4, 543, 1578))
"""Lived side by side, one world each."""
HOST, OTHER = "shop.example.com", "pay.example.com"
LENDER = {"protocol": "TCP", "port": 22, "name": "lender"}
EXISTING = "kubernetes.io/ingress.existLbId"


def test_the_seeds_draw_every_value_of_every_switch() -> None:
    drawn = [Switches.drawn(seed).as_dict() for seeds in SEEDS for seed in seeds]
    assert {name: {draw[name] for draw in drawn} for name in CHOICES} == {
        name: set(values) for name, values in CHOICES.items()
    }


@pytest.mark.parametrize("seeds", SEEDS, ids=lambda seeds: "-".join(map(str, seeds)))
def test_whole_lives_leave_nothing_behind(seeds: tuple[int, ...]) -> None:
    with ThreadPoolExecutor(len(seeds)) as lives:
        assert [failure for failure in lives.map(lived, seeds) if failure] == []


def lived(seed: int) -> str:
    """What went wrong under a seed; empty: nothing."""
    try:
        live(seed)
    except Exception as failure:  # noqa: BLE001 - the seed has to stand beside it
        return f"seed {seed}: {failure!r}"
    return ""


def live(seed: int) -> None:
    # The cloud's clock runs faster than ours, so that its lags pass.
    with World(setup={"seed": seed, "latency": 0.0}, pace_s=0.5) as world:
        world.seed({"load_balancers": [{"id": "lb-0000lent", "vpc_id": VPC, "listeners": [LENDER]}]})
        world.start()
        world.namespace("life")
        world.kube.create(service("web", "life", 0))
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cert", "namespace": "life"}}
        world.kube.create({**secret, "type": "Opaque", "stringData": {"qcloud_cert_id": "certrsa1"}})
        tls = [{"secretName": "cert"}]
        own = world.kube.create(ingress("own", "life", rule(HOST, "web"), rule(OTHER, "web", "/pay"), tls=tls))
        lent = world.kube.create(ingress("lent", "life", rule(HOST, "web"), annotations={EXISTING: "lb-0000lent"}))
        uids = own["metadata"]["uid"], lent["metadata"]["uid"]
        assert shape(world, "own", uids[0]) == {"HTTPS:443": {f"{HOST}/", f"{OTHER}/pay"}}
        assert shape(world, "lent", uids[1]) == {"TCP:22": set(), "HTTP:80": {f"{HOST}/"}}

        world.kube.patch("Ingress", "own", "life", {"spec": {"rules": [rule(HOST, "web"), rule(HOST, "web", "/new")]}})
        world.wait("the edit is served", lambda: rules(world, uids[0]) == {"HTTPS:443": {f"{HOST}/", f"{HOST}/new"}})
        world.kube.delete("Node", "node-b")
        world.wait("the node is off", lambda: targets(world, *uids) == {1})
        world.ready("own", "life")

        for name in ("own", "lent"):
            world.kube.delete("Ingress", name, "life")
        for name in ("own", "lent"):
            world.gone(name, "life", timeout_s=60.0)
        (left,) = world.load_balancers().values()
        assert (left["id"], tree(left), left["tags"]) == ("lb-0000lent", {"TCP:22": {}}, {})
        assert world.calls()["CreateLoadBalancer"] == 1


def shape(world: World, name: str, uid: str) -> dict[str, set[str]]:
    world.ready(name, "life")
    return rules(world, uid)


def rules(world: World, uid: str) -> dict[str, set[str]]:
    """Of the one load balancer that an Ingress has."""
    (found,) = world.of(uid)
    return {key: set(names) for key, names in tree(found).items()}


def targets(world: World, *uids: str) -> set[int]:
    """How many targets the rules of these Ingresses have."""
    found = [lb for uid in uids for lb in world.of(uid)]
    return {len(ports) for lb in found for names in tree(lb).values() for ports in names.values()}
