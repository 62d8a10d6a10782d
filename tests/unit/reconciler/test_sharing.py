"""Several Ingresses on one lent load balancer: each gets its own, and what is wrong with one is wrong with one."""

import pytest

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.world import World

LENT = "lb-lent0001"
NAMED = "kubernetes.io/ingress.existLbId"
GROUP = "ingress.cloud.tencent.com/enable-group"
SHARES = {NAMED: LENT, GROUP: "true"}
CLUSTER = {"tke-clusterId": "cls-9mfq2k1t"}
OWNERS = {"team": "owner"}


def _join(world: World, name: str, *rules: manifests.Json, tls: str = "", **annotations: str) -> str:
    host = f"{name}.example.com"
    return world.users.create(
        manifests.ingress(
            name, *(rules or (manifests.rule(host),)), tls=tls,
            annotations={**SHARES, **{f"ingress.cloud.tencent.com/{key.replace('_', '-')}": text
                                      for key, text in annotations.items()}},
        )
    )  # fmt: skip


def _lend(world: World, watchman: Watchman) -> None:
    world.account.lend(LENT)
    watchman.remember()


def _group(world: World, watchman: Watchman, *names: str) -> None:
    _lend(world, watchman)
    for name in names:
        _join(world, name)
    world.start()
    world.settle()


def _ports(world: World) -> list[int]:
    return sorted(item.port for item in world.account.lb().listeners.values())


def _rest(world: World) -> None:
    """Another look at everything writes nothing."""
    world.account.forget_calls()
    world.live().verify()
    world.settle()
    assert world.account.writes() == {}


def test_two_members_are_served_on_one_listener(world: World, watchman: Watchman) -> None:
    _group(world, watchman, "a", "b")
    assert world.account.paths() == {"a.example.com/", "b.example.com/"}
    assert _ports(world) == [80, 8080]
    assert world.account.lb().tags == OWNERS | CLUSTER
    for name in ("a", "b"):
        seen = world.users.ingress(name)
        assert seen.is_ready, seen.why
        assert seen.addresses
        assert seen.finalizers
        assert seen.record["claim"] == "shared"
        assert seen.record["rules"] == {"HTTP:80": {f"{name}.example.com": ["/"]}}
    _rest(world)


def test_a_member_that_joins_later_changes_nothing_of_the_first(world: World, watchman: Watchman) -> None:
    _group(world, watchman, "a")
    world.account.forget_calls()
    _join(world, "b")
    world.settle()
    assert world.account.paths() == {"a.example.com/", "b.example.com/"}
    assert set(world.account.writes()) == {"CreateRule", "BatchRegisterTargets"}


def test_a_member_that_goes_takes_its_rules_and_nothing_else(world: World, watchman: Watchman) -> None:
    _group(world, watchman, "a", "b")
    world.users.delete("b")
    world.settle()
    assert world.users.find("b") is None
    assert world.account.paths() == {"a.example.com/"}
    assert world.account.lb().tags == OWNERS | CLUSTER
    _rest(world)


def test_the_last_one_out_gives_it_back_as_it_was(world: World, watchman: Watchman) -> None:
    _group(world, watchman, "a", "b")
    world.users.delete("a")
    world.users.delete("b")
    world.settle()
    assert world.users.find("a") is None
    assert world.users.find("b") is None
    assert world.account.lb().tags == OWNERS
    assert _ports(world) == [8080]


def test_a_member_that_leaves_the_class_keeps_no_mark_of_ours(world: World, watchman: Watchman) -> None:
    _group(world, watchman, "a", "b")
    world.users.annotate({"kubernetes.io/ingress.class": "nginx"}, "b")
    world.settle()
    seen = world.users.ingress("b")
    assert (seen.finalizers, seen.addresses) == ([], [])
    assert "claim" not in seen.record or not seen.record["claim"]
    assert world.account.paths() == {"a.example.com/"}


def test_the_younger_one_of_two_that_want_the_same_hears_why_and_keeps_the_rest(
    world: World, watchman: Watchman
) -> None:
    _group(world, watchman, "a")
    _join(world, "b", manifests.rule("a.example.com", "/", "/b", backend="api"))
    world.settle()
    assert world.account.paths() == {"a.example.com/", "a.example.com/b"}
    assert ("a.example.com/", "10.0.0.1", 30080) in world.account.targets()
    seen = world.users.ingress("b")
    assert "RuleConflict" in seen.why
    assert "shop/a" in seen.why
    assert not seen.is_ready
    assert world.users.ingress("a").is_ready
    _rest(world)


def test_what_a_member_leaves_goes_to_the_next_one_without_a_gap(world: World, watchman: Watchman) -> None:
    _group(world, watchman, "a")
    _join(world, "b", manifests.rule("a.example.com", backend="api"))
    world.settle()
    world.account.forget_calls()
    world.users.delete("a")
    world.settle()
    assert world.users.find("a") is None
    assert world.account.targets() == {("a.example.com/", "10.0.0.1", 30081), ("a.example.com/", "10.0.0.2", 30081)}
    assert "DeleteRule" not in world.account.writes()
    assert world.users.ingress("b").is_ready


@pytest.mark.parametrize("broken", ["secret", "service", "annotation"])
def test_what_is_broken_in_one_member_holds_nothing_of_the_others(
    world: World, watchman: Watchman, broken: str
) -> None:
    _lend(world, watchman)
    _join(world, "a")
    match broken:
        case "secret":
            _join(world, "b", tls="missing")
        case "service":
            _join(world, "b", manifests.rule("b.example.com", backend="missing"))
        case "annotation":
            _join(world, "b", listen_ports="nonsense")
    world.start()
    world.settle()
    assert world.account.paths() == {"a.example.com/"}
    assert world.users.ingress("a").is_ready
    assert not world.users.ingress("b").is_ready
    world.users.rules(manifests.rule("a.example.com", "/new"), name="a")
    world.settle()
    assert world.account.paths() == {"a.example.com/new"}
    world.users.delete("b")
    world.settle()
    assert world.users.find("b") is None


def test_a_member_that_breaks_later_keeps_what_it_has(world: World, watchman: Watchman) -> None:
    _group(world, watchman, "a", "b")
    world.users.annotate({"ingress.cloud.tencent.com/listen-ports": "nonsense"}, "b")
    world.settle()
    assert world.account.paths() == {"a.example.com/", "b.example.com/"}
    assert not world.users.ingress("b").is_ready
    world.users.delete("a")
    world.settle()
    assert world.users.find("a") is None
    assert world.account.paths() == {"b.example.com/"}
    assert world.account.lb().tags == OWNERS | CLUSTER


def test_a_rule_of_nobody_on_our_listener_is_reported_and_left(world: World, watchman: Watchman) -> None:
    _group(world, watchman, "a")
    listener = world.account.listener()
    world.account.edit("add_rule", LENT, listener=listener.id, rule={"domain": "console.example.com", "url": "/"})
    world.live().verify()
    world.settle()
    assert world.account.paths() == {"a.example.com/", "console.example.com/"}
    assert any("console.example.com" in text for text in world.said("Drift"))
    world.users.delete("a")
    world.settle()
    assert world.account.paths() == {"console.example.com/"}


REFUSED: dict[str, manifests.Json | None] = {
    "E4019": {"tags": {"tke-createdBy-flag": "yes"}},
    "E4020": {"tags": {"tke-clusterId": "cls-9mfq2k1t", "tke-lb-ingress-uuid": "stranger"}},
    "E4030": {"forward": 0},
    "E4018": None,
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_may_not_be_shared_is_refused_with_its_code_and_nothing_changes(
    world: World, watchman: Watchman, code: str
) -> None:
    members = REFUSED[code]
    if members is not None:
        world.account.seed(load_balancers=[{"id": LENT, **members}])
        watchman.remember()
        watchman.untouchable.add(LENT)
    _join(world, "a")
    _join(world, "b")
    world.start()
    world.settle()
    for name in ("a", "b"):
        seen = world.users.ingress(name)
        assert code in seen.why
        assert (seen.finalizers, seen.record) == ([], {})
    assert world.account.writes() == {}


def test_a_foreign_listener_on_a_port_holds_only_those_who_need_that_port(world: World, watchman: Watchman) -> None:
    _lend(world, watchman)
    _join(world, "a")
    _join(world, "b", listen_ports='[{"HTTP":80},{"HTTP":8080}]')
    world.start()
    world.settle()
    assert world.account.paths() == {"a.example.com/", "b.example.com/"}
    assert "E4101" in world.users.ingress("b").why
    assert world.users.ingress("a").is_ready


def test_an_ingress_outside_of_the_group_is_turned_away(world: World, watchman: Watchman) -> None:
    _group(world, watchman, "a")
    world.users.create(manifests.ingress("alone", manifests.rule("x.example.com"), annotations={NAMED: LENT}))
    world.settle()
    seen = world.users.ingress("alone")
    assert "E4406" in seen.why
    assert (seen.finalizers, seen.record) == ([], {})
    assert world.account.paths() == {"a.example.com/"}
    assert world.users.ingress("a").is_ready


def test_a_group_is_turned_away_from_what_an_ingress_outside_of_it_has(world: World, watchman: Watchman) -> None:
    _lend(world, watchman)
    uid = world.users.create(manifests.ingress("alone", manifests.rule("x.example.com"), annotations={NAMED: LENT}))
    world.start()
    world.settle()
    _join(world, "a")
    world.settle()
    assert "E4406" in world.users.ingress("a").why
    assert world.users.ingress("a").finalizers == []
    assert world.account.lb().tags == OWNERS | CLUSTER | {"tke-lb-ingress-uuid": uid}
    assert world.users.ingress("alone").is_ready


@pytest.mark.parametrize("first", ["alone", "grouped"])
def test_of_two_that_come_at_once_the_older_one_has_it(world: World, watchman: Watchman, first: str) -> None:
    _lend(world, watchman)
    for name in (first, "grouped" if first == "alone" else "alone"):
        shares = SHARES if name == "grouped" else {NAMED: LENT}
        world.users.create(manifests.ingress(name, manifests.rule(f"{name}.example.com"), annotations=shares))
        world.clock.advance(1.0)
    world.start()
    world.settle()
    assert world.account.paths() == {f"{first}.example.com/"}
    assert world.users.ingress(first).is_ready
    assert "E4406" in world.users.ingress("grouped" if first == "alone" else "alone").why


@pytest.mark.parametrize("text", [None, "false"])
def test_a_member_stays_one_although_its_annotation_was_taken_away(
    world: World, watchman: Watchman, text: str | None
) -> None:
    _group(world, watchman, "a", "b")
    world.users.annotate({GROUP: text}, "b")
    world.settle()
    assert world.account.paths() == {"a.example.com/", "b.example.com/"}
    assert any("enable-group" in said for said in world.said("NotApplied"))
    world.users.delete("b")
    world.settle()
    assert world.account.paths() == {"a.example.com/"}


def test_enable_group_on_a_living_ingress_is_not_applied(world: World, watchman: Watchman) -> None:
    _lend(world, watchman)
    uid = world.users.create(manifests.ingress("alone", manifests.rule("x.example.com"), annotations={NAMED: LENT}))
    world.start()
    world.settle()
    world.users.annotate({GROUP: "true"}, "alone")
    world.settle()
    assert any("enable-group" in said for said in world.said("NotApplied"))
    assert world.account.lb().tags["tke-lb-ingress-uuid"] == uid


def test_a_member_that_cannot_be_written_to_does_not_stop_the_others(world: World, watchman: Watchman) -> None:
    _lend(world, watchman)
    _join(world, "a")
    _join(world, "b")
    world.users.fault("conflict", "patch", "ingresses", 1)
    world.start()
    world.until("a rule is there", lambda: world.account.calls().get("CreateRule"))
    assert len(world.account.paths()) <= 1
    world.settle()
    assert world.account.paths() == {"a.example.com/", "b.example.com/"}
    assert world.users.ingress("a").is_ready
    assert world.users.ingress("b").is_ready


def test_a_member_made_anew_under_its_name_is_another_one(world: World, watchman: Watchman) -> None:
    _group(world, watchman, "a", "b")
    world.users.delete("b")
    world.settle()
    _join(world, "b")
    world.settle()
    assert world.account.paths() == {"a.example.com/", "b.example.com/"}
    assert world.users.ingress("b").is_ready
    _rest(world)


def test_a_member_whose_load_balancer_has_gone_is_told_and_none_is_bought(world: World, watchman: Watchman) -> None:
    _group(world, watchman, "a", "b")
    watchman.lent.clear()
    world.account.edit("delete_load_balancer", LENT)
    world.live().verify()
    world.settle()
    assert "E4018" in world.users.ingress("a").why
    assert world.account.lbs() == []
    world.users.delete("a")
    world.settle()
    assert world.users.find("a") is None


def test_who_names_no_load_balancer_is_told_and_none_is_bought(world: World) -> None:
    world.users.create(manifests.ingress("a", annotations={GROUP: "true"}))
    world.start()
    world.settle()
    assert "GroupWithoutLoadBalancer" in world.users.ingress("a").why
    assert world.account.lbs() == []


def test_a_hundred_members_are_served_in_few_calls(world: World, watchman: Watchman) -> None:
    _lend(world, watchman)
    for number in range(100):
        ports = f'[{{"HTTP":{80 + number // 40}}}]'
        _join(world, f"m{number}", listen_ports=ports)
    world.start()
    world.settle()
    assert sum(len(world.account.paths(80 + number)) for number in range(3)) == 100
    assert all(world.users.ingress(f"m{number}").is_ready for number in range(100))
    assert world.account.writes()["CreateRule"] <= 3
    _rest(world)


def test_a_tag_that_does_not_show_yet_is_waited_for_before_the_last_member_goes() -> None:
    world = World(switches={"tag_lag_s": 30.0, "tag_filter_lag_s": 30.0})
    watchman = Watchman(world)
    _group(world, watchman, "a")
    assert world.clock.now() < 30.0
    world.users.delete("a")
    world.settle()
    assert world.users.find("a") is None
    assert world.account.lb().tags == OWNERS


def test_the_same_when_the_process_that_wrote_the_tag_has_died() -> None:
    world = World(switches={"tag_lag_s": 30.0, "tag_filter_lag_s": 30.0})
    watchman = Watchman(world)
    _group(world, watchman, "a")
    world.users.delete("a")
    world.start()
    world.settle()
    assert world.users.find("a") is None
    assert world.account.lb().tags == OWNERS


def test_the_last_member_goes_also_when_its_owner_has_taken_our_tag_off(world: World, watchman: Watchman) -> None:
    _group(world, watchman, "a")
    world.account.edit("set_tags", LENT, remove=["tke-clusterId"])
    world.users.delete("a")
    world.settle(120.0)
    assert world.users.find("a") is None
    assert world.account.lb().tags == OWNERS


def test_who_comes_while_our_tag_fades_gets_one_of_his_own() -> None:
    world = World(switches={"tag_lag_s": 30.0, "tag_filter_lag_s": 30.0})
    watchman = Watchman(world)
    _group(world, watchman, "a")
    world.run_for(40.0)
    world.users.delete("a")
    world.run_for(5.0)
    assert world.account.lb().tags == OWNERS
    _join(world, "b")
    world.settle()
    assert world.account.lb().tags == OWNERS | CLUSTER
    assert world.users.ingress("b").is_ready
    world.users.delete("b")
    world.settle()
    assert world.account.lb().tags == OWNERS
