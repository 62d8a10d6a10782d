"""What others change by hand: put right and said where it is ours, left in silence where it is not."""

from typing import Any

import pytest

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.world import World

LENT = "lb-lent0001"
GROUP = {"kubernetes.io/ingress.existLbId": LENT, "ingress.cloud.tencent.com/enable-group": "true"}
PASS = {"ingress.cloud.tencent.com/pass-to-target": "true"}
HOST, HTTPS = "a.example.com", "HTTPS:443"


def _serve(world: World, annotations: dict[str, str] | None = None) -> str:
    rules = manifests.rule(HOST, "/", "/x")
    world.users.create(manifests.ingress("shop", rules, annotations=annotations, tls="cert"))
    world.start()
    world.settle()
    _look(world)  # from now on it is known how it was left
    world.notes.all.clear()
    return world.account.lb().id


def _look(world: World) -> None:
    world.clock.advance(60.0)  # the budget of the lowest lane is small
    world.live().verify()
    world.settle()


def _metric(world: World, name: str, **labels: str) -> float | None:
    return world.around.metrics.registry.get_sample_value(name, labels)


OURS: tuple[tuple[str, dict[str, Any], str, tuple[str, str]], ...] = (
    ("delete_rule", {"listener": HTTPS, "rule": f"{HOST}/x"}, "create 1 rule", ("rule", "missing")),
    ("set_targets", {"listener": HTTPS, "rule": f"{HOST}/", "targets": []}, "register 2", ("target", "missing")),
    (
        "add_rule",
        {"listener": HTTPS, "rule": {"domain": HOST, "url": "/by-hand"}},
        "delete 1 rule",
        ("rule", "surplus"),
    ),
    ("update", {"fields": {"pass_to_target": False}}, "", ("load_balancer", "pass_to_target")),
)


@pytest.mark.parametrize(("edit", "body", "words", "named"), OURS, ids=[row[0] for row in OURS])
def test_what_is_ours_is_put_right_counted_and_said(
    world: World, watchman: Watchman, edit: str, body: dict[str, Any], words: str, named: tuple[str, str]
) -> None:
    lb = _serve(world, PASS)
    world.account.edit(edit, lb, **body)
    watchman.excuse()  # it was somebody else
    _look(world)
    (message,) = world.said("DriftRepaired")
    assert message.startswith(f"{lb} is not as it was left; put right: ")
    assert words in message
    assert _metric(world, "l7lb_drift_detected_total", resource=named[0], field=named[1]) == 1
    _look(world)
    assert len(world.said("DriftRepaired")) == 1
    watchman.check_rest()


NOT_OURS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("update", {"fields": {"name": "a-name-of-theirs"}}),
    ("update", {"fields": {"pass_to_target": True}}),
    ("update", {"fields": {"security_groups": ["sg-12345678"]}}),
    ("set_tags", {"set": {"team": "shop"}}),
    ("update_listener", {"listener": HTTPS, "fields": {"keepalive": 1}}),
    ("update_rule", {"listener": HTTPS, "rule": f"{HOST}/", "fields": {"scheduler": "LEAST_CONN"}}),
    (
        "set_targets",
        {
            "listener": HTTPS, "rule": f"{HOST}/",
            "targets": [
                {"ip": "10.0.0.1", "port": 30080, "weight": 77}, {"ip": "10.0.0.2", "port": 30080, "weight": 77},
            ],
        },
    ),
)  # fmt: skip


@pytest.mark.parametrize(("edit", "body"), NOT_OURS, ids=[f"{row[0]} {list(row[1].values())[-1]}" for row in NOT_OURS])
def test_what_we_do_not_manage_is_left_as_users_want_it(world: World, edit: str, body: dict[str, Any]) -> None:
    lb = _serve(world)
    world.account.edit(edit, lb, **body)
    world.account.forget_calls()
    _look(world)
    assert world.account.writes() == {}
    assert world.said("DriftRepaired") == []


def test_an_edit_of_the_ingress_is_no_drift(world: World) -> None:
    _serve(world)
    world.users.rules(manifests.rule("b.example.com"))
    _look(world)
    assert world.account.paths(443) == {"b.example.com/"}
    assert world.said("DriftRepaired") == []


def test_what_a_crash_left_half_done_is_no_drift(world: World) -> None:
    _serve(world)
    world.account.forget_calls()
    world.users.rules(manifests.rule(HOST), manifests.rule("b.example.com"))
    world.until("the new rule is on its way", lambda: world.account.calls().get("CreateRule"))
    world.start()
    world.settle()
    assert world.said("DriftRepaired") == []


def test_in_a_group_the_member_hears_it_whose_part_it_was(world: World) -> None:
    world.account.lend(LENT)
    for name, host in (("first", HOST), ("second", "b.example.com")):
        world.users.create(manifests.ingress(name, manifests.rule(host), annotations=GROUP))
    world.start()
    world.settle()
    _look(world)
    world.account.edit("delete_rule", LENT, listener="HTTP:80", rule="b.example.com/")
    _look(world)
    assert {note.about.key.name for note in world.notes.all if note.reason == "DriftRepaired"} == {"second"}


def test_a_field_that_does_not_keep_its_value_shows_in_the_metric_until_it_does(world: World) -> None:
    lb = _serve(world, PASS)
    for _ in range(5):
        world.account.edit("update", lb, fields={"pass_to_target": False})
        _look(world)
    assert _metric(world, "l7lb_unstable_fields", controller="ingress") == 1
    world.account.edit("update", lb, fields={"pass_to_target": True})
    _look(world)
    assert _metric(world, "l7lb_unstable_fields", controller="ingress") == 0


def test_a_field_of_an_ingress_that_was_torn_away_is_forgotten(world: World) -> None:
    lb = _serve(world, PASS)
    for _ in range(5):
        world.account.edit("update", lb, fields={"pass_to_target": False})
        _look(world)
    assert _metric(world, "l7lb_unstable_fields", controller="ingress") == 1
    world.users.patch({"metadata": {"finalizers": None}})
    world.users.delete()
    world.settle()
    assert _metric(world, "l7lb_unstable_fields", controller="ingress") == 0
