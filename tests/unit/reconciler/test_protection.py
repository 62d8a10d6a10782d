"""Modification protection, which nobody can switch through the API: told, and what it forbids holds only itself."""

import pytest

from tests.simulation import manifests
from tests.simulation.world import World

PROTECTION = "ingress.cloud.tencent.com/modification-protection"
PASS = "ingress.cloud.tencent.com/pass-to-target"  # a name
HELD = "ModificationProtected"
ASK = "DescribeLBOperateProtect"


def _serve(world: World, annotations: dict[str, str] | None = None) -> None:
    world.users.create(manifests.ingress("shop", annotations=annotations))
    world.start()
    world.settle()


def _protect(world: World, by: str = "uin-1") -> None:
    """Switched on or off by hand."""
    world.account.edit("update", world.account.lb().id, fields={"operate_protect": by})


@pytest.mark.parametrize(("wanted", "said"), [("true", "is off and is to be switched on"), ("false", "")])
def test_a_protection_that_is_not_as_declared_is_told_with_the_way_to_do_it(
    world: World, wanted: str, said: str
) -> None:
    _serve(world, {PROTECTION: wanted})
    seen = world.users.ingress()
    assert seen.is_ready
    assert said in seen.why
    assert ("console" in seen.why) is bool(said)
    assert world.account.lb().operate_protect == ""


def test_one_that_is_on_although_declared_off_is_told(world: World) -> None:
    _serve(world)
    _protect(world)
    world.users.annotate({PROTECTION: "false"})
    world.settle()
    assert "is on and is to be switched off" in world.users.ingress().why


def test_it_is_asked_for_only_where_an_annotation_declares_it(world: World) -> None:
    _serve(world)
    assert ASK not in world.account.calls()


def test_it_is_asked_for_once_and_not_at_every_event(world: World) -> None:
    _serve(world, {PROTECTION: "true"})
    assert world.account.calls()[ASK] == 1
    world.users.create(manifests.node("node-c", "10.0.0.3"))
    world.settle()
    assert ("a.example.com/", "10.0.0.3", 30080) in world.account.targets()
    assert world.account.calls()[ASK] == 1


def test_the_verifier_looks_at_it_anew(world: World) -> None:
    _serve(world, {PROTECTION: "true"})
    _protect(world)
    world.live().verify()
    world.settle()
    assert "modification protection" not in world.users.ingress().why


def test_an_attribute_that_it_forbids_is_left_out_and_the_rest_is_done() -> None:
    world = World(switches={"protection_scope": "attributes"})
    _serve(world)
    _protect(world)
    world.users.annotate({PASS: "true"})
    world.users.rules(manifests.rule("a.example.com"), manifests.rule("b.example.com"))
    world.run(60.0)
    assert world.account.paths() == {"a.example.com/", "b.example.com/"}
    assert HELD in world.users.ingress().why
    assert any(note.reason == HELD for note in world.notes.all)
    assert not world.account.lb().pass_to_target


@pytest.mark.parametrize("scope", ["attributes", "all_writes"])
def test_it_goes_on_by_itself_once_the_protection_is_off(scope: str) -> None:
    world = World(switches={"protection_scope": scope})
    _serve(world)
    _protect(world)
    world.users.annotate({PASS: "true"})
    world.users.rules(manifests.rule("b.example.com"))
    world.run(60.0)
    assert HELD in world.users.ingress().why
    _protect(world, "")
    world.run(700.0)
    assert world.account.lb().pass_to_target
    assert world.account.paths() == {"b.example.com/"}
    assert world.users.ingress().is_ready


def test_one_that_is_protected_altogether_is_not_tried_at_every_event() -> None:
    world = World(switches={"protection_scope": "all_writes"})
    _serve(world)
    _protect(world)
    world.users.rules(manifests.rule("b.example.com"))
    world.run(10.0)
    world.account.forget_calls()
    for number in range(3, 8):
        world.users.create(manifests.node(f"node-{number}", f"10.0.0.{number}"))
        world.run(1.0)
    assert world.account.writes() == {}
    assert world.account.paths() == {"a.example.com/"}


def test_one_that_is_protected_keeps_no_other_waiting() -> None:
    world = World(switches={"protection_scope": "all_writes"})
    _serve(world)
    _protect(world)
    world.users.rules(manifests.rule("b.example.com"))
    other = world.users.create(manifests.ingress("other", manifests.rule("c.example.com")))
    world.run(60.0)
    assert world.users.ingress("other").is_ready
    assert [lb for lb in world.account.lbs() if lb.tags.get("tke-lb-ingress-uuid") == other]


def test_what_the_cluster_asks_for_and_cannot_be_given_is_said_once_for_a_new_one(world: World) -> None:
    meta = {"name": "tke-service-controller-config", "namespace": "kube-system"}
    data = {"EnableDefaultModificationProtection": "true"}
    world.users.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})
    _serve(world)
    said = [note for note in world.notes.all if note.reason == "NotSupported"]
    assert len(said) == 1
    assert "this one has none" in said[0].message
    assert world.users.ingress().is_ready
    world.live().verify()
    world.settle()
    assert len([note for note in world.notes.all if note.reason == "NotSupported"]) == 1
