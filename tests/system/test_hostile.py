"""Bad input, end to end: it is told where its author looks, holds only its part, loses nothing, and can be cured."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from tests import envtest
from tests.system import hostile
from tests.system.conftest import SERVERS
from tests.system.hostile import BAD_LENT, CASES, EXISTING, HOST, KEY_MATERIAL, Hostile, Served
from tests.system.kube import Json
from tests.system.world import LOAD_BALANCER_ID, World, ingress, rule, service, tree

INGRESS_UID = "tke-lb-ingress-uuid"


@dataclass
class Scene:
    """All cases at once in one world, each in a namespace of its own; then all are cured at once."""

    world: World
    before: dict[str, Json] = field(default_factory=dict)
    """Load balancers of others, before anybody looked at them."""
    uids: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    """What went wrong with a case."""

    def served(self, case: Hostile) -> Served:
        """What the case's load balancer has of ours now."""
        found = self.world.of(self.uids[case.name])
        if not found:
            return None
        (load_balancer,) = found
        return {key: frozenset(rules) for key, rules in tree(load_balancer).items() if not key.startswith("TCP:")}

    def prepare(self, case: Hostile) -> None:
        """The case as its author applies it."""
        self.uids[case.name] = hostile.prepare(case, self.world, space(case))["metadata"]["uid"]
        if case.lent is not None:
            self.before[case.lent["id"]] = self.world.load_balancers()[case.lent["id"]]

    def judge(self, case: Hostile) -> None:
        """While it is bad."""
        world, namespace = self.world, space(case)
        if case.ready:
            world.ready("web", namespace)
        else:
            world.not_ready("web", namespace, case.code)
        world.said("web", namespace, case.code)
        world.wait(f"{case.name} is served as far as it can be", lambda: self.served(case) == case.served)
        if case.lent is not None:
            assert world.load_balancers()[case.lent["id"]] == self.before[case.lent["id"]]
        if case.served is None:
            status = world.kube.get("Ingress", "web", namespace).get("status", {})
            assert not status.get("loadBalancer", {}).get("ingress")

    def judge_cured(self, case: Hostile) -> None:
        """Once its author has cured it."""
        self.world.wait(f"{case.name} is served when it is cured", lambda: self.served(case) == case.cured)
        self.world.ready("web", space(case))
        assert len(self.world.of(self.uids[case.name])) == 1

    def all_through(self, part: Callable[[Hostile], None]) -> None:
        """One part for all cases that have done well so far."""
        for case in CASES:
            if case.name not in self.failures:
                try:
                    part(case)
                except AssertionError as failure:
                    self.failures[case.name] = str(failure)


def space(case: Hostile) -> str:
    return f"h-{case.name}"


@pytest.fixture(scope="module", params=SERVERS)
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    if request.param and envtest.assets() is None:
        pytest.skip("no etcd and kube-apiserver in KUBEBUILDER_ASSETS")
    with World(real=request.param) as world:
        world.seed(hostile.ACCOUNT)
        world.start()
        made = Scene(world)
        for case in CASES:
            made.prepare(case)
        made.all_through(made.judge)
        made.all_through(lambda case: case.cure(world, space(case)))
        made.all_through(made.judge_cured)
        yield made


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_told_holds_only_its_part_and_recovers_when_cured(scene: Scene, case: Hostile) -> None:
    assert not scene.failures.get(case.name)


@pytest.mark.parametrize("case", BAD_LENT, ids=lambda case: case.name)
def test_what_was_lent_is_given_back_as_it_was(scene: Scene, case: Hostile) -> None:
    world, namespace = scene.world, space(case)
    world.kube.delete("Ingress", "web", namespace)
    world.wait(f"{case.name} is gone", lambda: not world.kube.find("Ingress", "web", namespace))
    assert not world.of(scene.uids[case.name])
    for load_balancer in world.load_balancers().values():
        if load_balancer["id"] in hostile.SPARE or (case.lent and load_balancer["id"] == case.lent["id"]):
            assert {22} <= {listener["port"] for listener in load_balancer["listeners"]}


def test_key_material_in_the_wrong_place_never_leaves_it(scene: Scene) -> None:
    world, namespace = scene.world, "h-secret-with-a-key-in-it"
    assert world.controller is not None
    told = json.dumps([world.kube.get("Ingress", "web", namespace), world.kube.events("web", namespace)])
    assert KEY_MATERIAL[:20] not in told
    assert KEY_MATERIAL[:20] not in world.controller.log.read_text(encoding="utf-8")


def test_a_copied_manifest_gets_a_load_balancer_of_its_own(scene: Scene) -> None:
    world = scene.world
    for namespace in ("h-original", "h-copy"):
        world.namespace(namespace)
        world.kube.create(service("web", namespace, 0))
    first = world.kube.create(ingress("web", "h-original", rule(HOST, "web")))
    served = world.ready("web", "h-original")
    copied = ingress("web", "h-copy", rule(HOST, "web"), annotations=served["metadata"]["annotations"])
    second = world.kube.create(copied)
    (original,) = world.of(first["metadata"]["uid"])
    # The copy also says that it is ready, until it has been looked at.
    world.wait("the copy has its own", lambda: world.of(second["metadata"]["uid"]))
    (own,) = world.of(second["metadata"]["uid"])
    world.wait("the copy names its own", lambda: _named(world, "h-copy") == own["id"])
    world.ready("web", "h-copy")
    assert original["id"] != own["id"]
    assert _named(world, "h-original") == original["id"]


def _named(world: World, namespace: str) -> str:
    found: str = world.kube.get("Ingress", "web", namespace)["metadata"]["annotations"][LOAD_BALANCER_ID]
    return found


def test_a_host_with_a_certificate_that_the_cloud_refuses_does_not_hold_the_other_host(scene: Scene) -> None:
    world, namespace = scene.world, "h-one-bad-certificate"
    world.namespace(namespace)
    world.kube.create(service("web", namespace, 0))
    for name, certificate in (("good", "certrsa1"), ("bad", "nowhere2")):
        made = hostile.secret(name, qcloud_cert_id=certificate)
        world.kube.create({**made, "metadata": {"name": name, "namespace": namespace}})
    entries = hostile.tls(("good", (HOST,)), ("bad", (hostile.OTHER,)))
    made = world.kube.create(
        ingress("web", namespace, rule(HOST, "web"), rule(hostile.OTHER, "web"), tls=entries)
    )  # fmt: skip
    world.not_ready("web", namespace, "E4036")

    world.wait("the good host is served", lambda: rules_of(world, made["metadata"]["uid"]) == {f"{HOST}/"})
    world.kube.patch("Secret", "bad", namespace, {"data": hostile.secret("", qcloud_cert_id="certrsa2")["data"]})
    world.ready("web", namespace)
    assert rules_of(world, made["metadata"]["uid"]) == {f"{HOST}/", f"{hostile.OTHER}/"}


def test_a_certificate_that_is_rotated_to_a_bad_one_stays_and_keeps_nothing_else_from_changing(scene: Scene) -> None:
    world, namespace = scene.world, "h-bad-rotation"
    world.namespace(namespace)
    world.kube.create(service("web", namespace, 0))
    cert = hostile.secret("cert", qcloud_cert_id="certrsa1")
    world.kube.create({**cert, "metadata": {"name": "cert", "namespace": namespace}})
    made = world.kube.create(ingress("web", namespace, rule(HOST, "web"), tls=hostile.tls(("cert", ()))))
    uid = made["metadata"]["uid"]
    world.ready("web", namespace)
    world.kube.patch("Secret", "cert", namespace, {"data": hostile.secret("", qcloud_cert_id="nowhere3")["data"]})
    world.not_ready("web", namespace, "E4036")
    world.kube.patch("Ingress", "web", namespace, {"spec": {"rules": [hostile.with_path("/new", "web")]}})
    world.wait("the new path is served", lambda: rules_of(world, uid) == {f"{HOST}/", f"{HOST}/new"})
    (load_balancer,) = world.of(uid)
    assert load_balancer["listeners"][0]["certificate"]["server_ids"] == ("certrsa1",)


def rules_of(world: World, uid: str) -> set[str]:
    return {name for found in world.of(uid) for rules in tree(found).values() for name in rules}


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 30
    assert {case.ingress["metadata"]["annotations"].get(EXISTING) for case in BAD_LENT}
