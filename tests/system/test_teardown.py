"""A cluster goes away, with the shipped command: while it answers, and when nobody answers any more."""

import json
import os
from collections.abc import Iterator

import pytest

from tests import launcher
from tests.system.kube import Json
from tests.system.world import CLUSTER, FINALIZER, KEYS, REGION, World, ingress, rule, service

pytestmark = pytest.mark.system

OTHERS = {
    "lb-service1": {"tke-createdBy-flag": "yes", "tke-clusterId": CLUSTER, "tke-lb-serviceuuid": "svc-1"},
    "lb-another1": {"tke-createdBy-flag": "yes", "tke-clusterId": "cls-another0", "tke-lb-ingress-uuid": "uid-1"},
}


@pytest.fixture
def world() -> Iterator[World]:
    """One Ingress is served, and l7lb is scaled to 0."""
    with World() as made:
        made.namespace("shop")
        made.kube.create(service("web", "shop", 31080))
        made.seed({"load_balancers": [{"id": name, "tags": tags} for name, tags in OTHERS.items()]})
        made.kube.create(ingress("shop", "shop", rule("shop.example.com", "web")))
        controller = made.start()
        made.ready("shop", "shop")
        code, _, err = command(made, "--yes", CLUSTER)
        assert (code, "holds the Lease" in err) == (1, True), err
        assert controller.terminate() == 0
        yield made


def command(world: World, *arguments: str, given: str = "", alive: bool = True) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `l7lb teardown`."""
    flags = {"region": REGION, "clb-endpoint": world._clb.url, "cluster": CLUSTER}
    if alive:
        flags["kubeconfig"] = str(world._folder / "kubeconfig")
    told = ["teardown", *arguments, *(f"--{name}={value}" for name, value in flags.items())]
    done = launcher.run(told, env={**os.environ, **KEYS}, timeout=90, given=given)
    return done.returncode, done.stdout, done.stderr


def identity(world: World) -> str:
    found: Json = world.kube.get("Namespace", "kube-system")
    return str(found["metadata"]["uid"])


def test_the_list_is_shown_and_nothing_is_done_before_the_id_is_typed(world: World) -> None:
    state = world.load_balancers()
    code, out, _ = command(world, "--dry-run")
    assert code == 0
    (made,) = set(state) - set(OTHERS)
    assert f"{REGION}/{made}" in out
    assert "Ingress shop/shop" in out
    assert "listeners HTTP:80; 2 targets bound, 2 serving" in out
    assert "lb-another1" not in out
    for given in ("", "cls-another0\n", "\n"):
        assert command(world, given=given)[0] in (2, 130)
    assert command(world, "--yes", "cls-another0")[0] == 2
    assert command(world, "--without-cluster", "--yes", CLUSTER, alive=False)[0] == 2
    assert world.load_balancers() == state


def test_a_cluster_that_answers_is_torn_down_once_its_id_is_typed(world: World) -> None:
    code, out, err = command(world, given=f"{CLUSTER}\n")
    assert code == 0, err
    assert "Ingress shop/shop: released" in out
    assert set(world.load_balancers()) == set(OTHERS)
    found = world.kube.get("Ingress", "shop", "shop")
    assert FINALIZER not in (found["metadata"].get("finalizers") or [])
    code, out, _ = command(world, "--yes", CLUSTER, "-o", "json")
    assert (code, [one["end"] for one in json.loads(out)["ends"]]) == (0, ["kept"])


def test_an_account_is_cleared_of_a_cluster_that_does_not_answer_any_more(world: World) -> None:
    state, uid = world.load_balancers(), identity(world)
    code, _, err = command(world, "--without-cluster", "--cluster-uid", "another-uid", "--yes", CLUSTER, alive=False)
    assert (code, "bear another identity" in err) == (1, True)
    assert world.load_balancers() == state
    code, out, err = command(world, "--without-cluster", "--cluster-uid", uid, given=f"{CLUSTER}\n", alive=False)
    assert code == 0, err
    assert ": gone" in out
    assert set(world.load_balancers()) == set(OTHERS)
