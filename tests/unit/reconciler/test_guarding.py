"""The guard, what a person may approve, and fields that somebody else keeps changing back."""

import json
from typing import Any

import pytest

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.cluster import SERVICES
from tests.simulation.world import World

APPROVE = "l7lb.dev/approve"


def _serve(world: World, *rules: manifests.Json, **options: Any) -> None:
    world.users.create(manifests.ingress("shop", *rules, **options))
    world.start()
    world.settle()
    world.account.forget_calls()


def _digest(why: str) -> str:
    return why.partition(f"{APPROVE}: ")[2].split(maxsplit=1)[0]


def test_most_rules_do_not_go_without_an_edit_unless_exactly_that_plan_is_approved(world: World) -> None:
    watchman = Watchman(world)
    _serve(world, manifests.rule("a.example.com"))
    lb = world.account.lb()
    for number in range(8):
        rule = {"domain": f"by-hand-{number}.example.com", "url": "/", "targets": []}
        world.account.edit("add_rule", lb.id, listener="HTTP:80", rule=rule)
    world.live().verify()
    world.settle()
    seen = world.users.ingress()
    assert "UnsafePlan" in seen.why
    assert len(world.account.paths()) == 9
    assert world.account.writes() == {}
    world.users.annotate({APPROVE: "0000000000000000"})
    world.settle()
    assert len(world.account.paths()) == 9
    world.users.annotate({APPROVE: _digest(seen.why)})
    world.settle()
    assert world.account.paths() == {"a.example.com/"}
    watchman.check_rest()


def test_the_authors_own_edit_may_remove_most_rules(world: World) -> None:
    watchman = Watchman(world)
    _serve(world, manifests.rule("a.example.com", *(f"/{number}" for number in range(9))))
    world.users.rules(manifests.rule("a.example.com"))
    world.settle()
    assert world.account.paths() == {"a.example.com/"}
    watchman.check_rest()


def test_the_edit_still_counts_as_an_edit_after_a_crash_in_the_middle_of_it(world: World) -> None:
    watchman = Watchman(world)
    _serve(world, manifests.rule("a.example.com", *(f"/{number}" for number in range(9))))
    world.users.rules(manifests.rule("b.example.com"))
    world.until("the new rule is on its way", lambda: world.account.calls().get("CreateRule"))
    world.crash()
    world.start()
    world.settle()
    assert world.account.paths() == {"b.example.com/"}
    watchman.check_rest()


def test_an_ingress_that_asks_for_nothing_any_more_keeps_what_it_has(world: World) -> None:
    _serve(world, manifests.rule("a.example.com"))
    world.users.patch(
        {"spec": {"rules": None, "defaultBackend": {"service": {"name": "none", "port": {"number": 80}}}}}
    )
    world.settle()
    assert world.account.paths() == {"a.example.com/"}
    assert len(world.account.targets()) == 2


def test_a_deleted_service_keeps_its_rule_and_its_targets_for_five_minutes(world: World) -> None:
    _serve(world, manifests.rule("a.example.com"), manifests.rule("b.example.com", backend="api"))
    world.users.remove(f"{SERVICES}/api")
    world.run(200.0)
    assert len(world.account.targets()) == 4
    world.settle()
    assert world.account.paths() == {"a.example.com/", "b.example.com/"}


@pytest.mark.parametrize("times", [3])
def test_a_field_that_is_undone_again_and_again_is_left_alone_for_an_hour_and_all_else_goes_on(
    world: World, times: int
) -> None:
    _serve(world, annotations={"ingress.cloud.tencent.com/pass-to-target": "true"})
    lb = world.account.lb()

    def undo() -> None:
        world.account.edit("update", lb.id, fields={"pass_to_target": False})
        world.live().verify()
        world.settle()

    for _ in range(times + 4):
        undo()
    assert world.account.calls()["ModifyLoadBalancerAttributes"] == times
    assert world.said("UnstableField")
    world.users.rules(manifests.rule("b.example.com"))
    world.settle()
    assert world.account.paths() == {"b.example.com/"}
    world.clock.advance(3700.0)
    undo()
    assert lb.pass_to_target


def test_a_change_of_the_declared_value_clears_the_count(world: World) -> None:
    name = "ingress.cloud.tencent.com/security-groups"
    _serve(world, annotations={name: "sg-aaaaaaaa"})
    lb = world.account.lb()
    for _ in range(5):
        world.account.edit("update", lb.id, fields={"security_groups": []})
        world.live().verify()
        world.settle()
    assert lb.security_groups == []
    world.users.annotate({name: "sg-bbbbbbbb"})
    world.settle()
    assert lb.security_groups == ["sg-bbbbbbbb"]


def test_what_a_newer_version_makes_of_the_same_words_is_no_edit(world: World) -> None:
    watchman = Watchman(world)
    _serve(world, manifests.rule("a.example.com"))
    lb = world.account.lb()
    # As after an upgrade that reads an annotation otherwise: the shape has another name, the words are the same.
    record = {**world.users.ingress().record, "desired": "0123456789abcdef"}
    world.users.annotate({"l7lb.dev/record": json.dumps(record)})
    for number in range(8):
        rule = {"domain": f"by-hand-{number}.example.com", "url": "/", "targets": []}
        world.account.edit("add_rule", lb.id, listener="HTTP:80", rule=rule)
    watchman.excuse()
    world.start()
    world.run(60.0)
    assert "UnsafePlan" in world.users.ingress().why
    assert len(world.account.paths()) == 9
