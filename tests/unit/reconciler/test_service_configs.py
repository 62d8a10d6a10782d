"""TkeServiceConfigs from their authors: applied, followed, refused in part; and names of listeners through crashes."""

import pytest

from tests.simulation import manifests, tuning
from tests.simulation.checkers import Watchman
from tests.simulation.cluster import RECORD
from tests.simulation.toll import Death, Died
from tests.simulation.tuning import HOST, NAMED, domain, listener
from tests.simulation.world import World

LENT = "lb-lent0001"
BORROWED = {"kubernetes.io/ingress.existLbId": LENT}


def _serve(world: World, *listeners: manifests.Json, annotations: dict[str, str] | None = None) -> None:
    tuning.define(world)
    world.users.create(tuning.tuning("tuning", *listeners))
    world.users.create(manifests.ingress("shop", annotations={NAMED: "tuning", **(annotations or {})}))
    world.start()
    world.settle()


def _rule(world: World) -> tuple[str, int, bool]:
    """Scheduler, session and whether targets are checked."""
    (rule,) = world.account.listener().rules.values()
    return rule.scheduler, rule.session_s, rule.health["HealthSwitch"] == 1


def test_what_is_declared_is_there_from_the_beginning_without_a_further_call(world: World, watchman: Watchman) -> None:
    _serve(
        world,
        listener(
            domain(HOST, scheduler="IP_HASH", session={"enable": True, "sessionExpireTime": 600}),
            listenerName="storefront",
            keepaliveEnable=1,
            snatEnable=True,
        ),
    )
    made = world.account.listener()
    assert (made.name, made.keepalive, made.attributes) == ("storefront", 1, ["SnatEnable"])
    assert _rule(world) == ("IP_HASH", 600, True)
    assert not {"ModifyListener", "ModifyRule"} & set(world.account.writes())
    assert world.users.ingress().is_ready
    watchman.check_rest()


def test_an_edit_is_followed_at_once_and_what_is_not_named_any_more_stays(world: World, watchman: Watchman) -> None:
    _serve(world, listener(domain(HOST, scheduler="IP_HASH", healthCheck={"enable": False})))
    world.account.forget_calls()
    tuning.edit(world, "tuning", listener(domain(HOST, session={"enable": True, "sessionExpireTime": 600})))
    world.settle()
    assert _rule(world) == ("IP_HASH", 600, False)
    assert world.account.writes() == {"ModifyRule": 1}
    world.users.annotate({NAMED: None})
    world.settle()
    assert _rule(world) == ("IP_HASH", 600, False)
    assert world.account.writes() == {"ModifyRule": 1}
    watchman.check_rest()


def test_an_object_that_comes_late_is_applied_when_it_comes(world: World, watchman: Watchman) -> None:
    tuning.define(world)
    world.users.create(manifests.ingress("shop", annotations={NAMED: "tuning"}))
    world.start()
    world.settle()
    assert world.users.ingress().is_ready
    assert "E4043" in world.users.ingress().why
    world.users.create(tuning.tuning("tuning", listener(domain(HOST, scheduler="IP_HASH"))))
    world.settle()
    assert _rule(world) == ("IP_HASH", 0, True)
    assert "E4043" not in world.users.ingress().why
    watchman.check_rest()


def test_a_console_edit_of_a_declared_field_is_put_right_and_that_of_another_is_left(world: World) -> None:
    _serve(world, listener(domain(HOST, scheduler="IP_HASH")))
    (rule,) = world.account.listener().rules.values()
    rule.scheduler, rule.health["TimeOut"] = "WRR", 4
    world.live().verify()
    world.settle()
    assert _rule(world)[0] == "IP_HASH"
    assert rule.health["TimeOut"] == 4


def test_a_setting_that_the_cloud_refuses_holds_neither_the_rule_nor_the_other_settings(world: World) -> None:
    _serve(
        world,
        listener(
            domain(
                HOST,
                scheduler="LEAST_CONN",
                session={"enable": True, "sessionExpireTime": 600},
                healthCheck={"enable": False},
            )
        ),
    )
    assert _rule(world) == ("WRR", 600, False)
    assert world.account.targets() == {(f"{HOST}/", "10.0.0.1", 30080), (f"{HOST}/", "10.0.0.2", 30080)}
    assert not world.users.ingress().is_ready
    assert f"modify rule HTTP:80 {HOST}/: scheduler WRR -> LEAST_CONN" in world.users.ingress().why


def test_a_listener_is_made_when_an_attribute_of_it_is_refused(world: World) -> None:
    world.account.fault("CreateListener", "error", code="InvalidParameterValue", message="not for this account")
    world.account.fault(
        "ModifyListener", "error", code="InvalidParameterValue", message="not for this account", count=9
    )
    _serve(world, listener(keepaliveEnable=1))
    assert world.account.paths() == {f"{HOST}/"}
    assert world.account.listener().keepalive == 0
    assert "keepalive off -> on" in world.users.ingress().why


def test_a_renamed_listener_stays_ours_also_without_annotation_and_goes_with_its_ingress(
    world: World, watchman: Watchman
) -> None:
    _serve(world, listener(listenerName="first"))
    tuning.edit(world, "tuning", listener(listenerName="second"))
    world.settle()
    assert world.account.listener().name == "second"
    world.users.annotate({NAMED: None})
    world.users.rules(manifests.rule(HOST, "/", "/new"))
    world.settle()
    assert world.account.listener().name == "second"
    assert world.account.paths() == {f"{HOST}/", f"{HOST}/new"}
    world.users.delete()
    world.settle()
    assert world.account.lbs() == []
    assert world.users.find() is None


def test_a_declared_name_says_whose_a_listener_is_when_the_record_is_lost(world: World, watchman: Watchman) -> None:
    _serve(world, listener(listenerName="storefront"))
    world.crash()
    world.users.annotate({RECORD: None})
    world.start()
    world.settle()
    assert world.users.ingress().is_ready
    watchman.check_rest()


@pytest.mark.parametrize("death", list(Death))
@pytest.mark.parametrize("end", ["serving", "deleted"])
def test_a_crash_while_a_lent_listener_is_made_or_renamed_loses_it_not(death: Death, end: str) -> None:
    for at in range(1, 40):
        world = World()
        world.account.lend(LENT)
        tuning.define(world)
        world.users.create(tuning.tuning("tuning", listener(listenerName="first")))
        world.users.create(manifests.ingress("shop", annotations={NAMED: "tuning", **BORROWED}))
        try:
            world.start(die_at=at, death=death)
            world.settle()
            tuning.edit(world, "tuning", listener(listenerName="second"))
            world.settle()
            break
        except Died:
            pass
        tuning.edit(world, "tuning", listener(listenerName="second"))
        if end == "deleted":
            world.users.delete()
        world.start()
        world.settle()
        if end == "deleted":
            assert [item.port for item in world.account.lb().listeners.values()] == [8080], at
            assert world.users.find() is None, at
        else:
            assert world.account.listener().name == "second", at
            assert world.users.ingress().is_ready, at
    else:
        pytest.fail("no run without a death")
