"""Load balancers that somebody lends us: refused, adopted, read back, given back; never more than one borrower."""

from typing import Any

import pytest

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.world import World

LENT = "lb-lent0001"
OTHER = "lb-lent0002"
NAMED = "kubernetes.io/ingress.existLbId"
HANDED_BACK = {"team": "owner"}


def _lend(world: World, watchman: Watchman, *ids: str, **members: Any) -> None:
    for lb_id in ids or (LENT,):
        world.account.lend(lb_id, **members)
    watchman.remember()


def _borrow(world: World, name: str = "shop", lb_id: str = LENT, *rules: manifests.Json) -> str:
    return world.users.create(manifests.ingress(name, *rules, annotations={NAMED: lb_id}))


def test_a_lent_load_balancer_is_tagged_read_back_and_then_used(world: World, watchman: Watchman) -> None:
    _lend(world, watchman)
    uid = _borrow(world)
    world.start()
    world.settle()
    lb = world.account.lb()
    assert lb.tags == {"team": "owner", "tke-clusterId": "cls-9mfq2k1t", "tke-lb-ingress-uuid": uid}
    assert world.account.paths() == {"a.example.com/"}
    order = [entry["action"] for entry in world.account.emulator.calls.log]
    assert order.index("ModifyResourceTags") < order.index("CreateListener")
    assert "DescribeLoadBalancers" in order[order.index("ModifyResourceTags") : order.index("CreateListener")]
    assert world.account.calls()["ModifyResourceTags"] == 1
    assert world.users.ingress().record["claim"] == "adopted"
    watchman.check_rest()


@pytest.mark.parametrize("lag", [5.0, 30.0])
def test_tags_are_believed_when_they_are_read_back_and_not_when_they_were_written(lag: float) -> None:
    world = World(switches={"tag_lag_s": lag, "tag_filter_lag_s": lag})
    watchman = Watchman(world)
    _lend(world, watchman)
    _borrow(world)
    world.start()
    world.run(lag - 1.0)
    assert len(world.account.lb().listeners) == 1
    world.settle()
    assert world.account.paths() == {"a.example.com/"}
    assert world.account.calls()["ModifyResourceTags"] == 1
    watchman.check_rest()
    world.users.delete()
    world.settle()
    assert world.account.lb().tags == HANDED_BACK
    assert world.account.calls()["ModifyResourceTags"] == 1
    assert world.users.find() is None


def test_a_lent_load_balancer_is_given_back_as_it_was(world: World, watchman: Watchman) -> None:
    _lend(world, watchman)
    _borrow(world)
    world.start()
    world.settle()
    world.users.delete()
    world.settle()
    lb = world.account.lb()
    assert lb.tags == HANDED_BACK
    assert [item.port for item in lb.listeners.values()] == [8080]
    assert world.users.find() is None
    assert world.said("ListenersLeft") == ["W1002: not ours, left: HTTP:8080"]


def test_a_borrower_that_leaves_the_class_gives_back_and_keeps_nothing_of_ours(
    world: World, watchman: Watchman
) -> None:
    _lend(world, watchman)
    _borrow(world)
    world.start()
    world.settle()
    world.users.annotate({"kubernetes.io/ingress.class": "nginx"})
    world.settle()
    assert world.account.lb().tags == HANDED_BACK
    seen = world.users.ingress()
    assert (seen.finalizers, seen.addresses) == ([], [])
    assert not [name for name in seen.annotations if "qcloud-loadbalance-id" in name or "status.conditions" in name]
    watchman.check_rest()


def test_the_second_borrower_of_one_load_balancer_is_refused_and_nothing_alternates(
    world: World, watchman: Watchman
) -> None:
    _lend(world, watchman)
    first = _borrow(world)
    _borrow(world, "younger", LENT, manifests.rule("b.example.com"))
    world.start()
    world.settle()
    assert world.account.lb().tags["tke-lb-ingress-uuid"] == first
    assert "E4020" in world.users.ingress("younger").why
    assert world.users.ingress("younger").finalizers == []
    assert world.account.paths() == {"a.example.com/"}
    world.account.forget_calls()
    for _ in range(3):
        world.live().verify()
        world.settle()
    assert world.account.writes() == {}
    assert world.users.ingress().is_ready


def test_the_second_borrower_gets_it_when_the_first_has_gone(world: World, watchman: Watchman) -> None:
    _lend(world, watchman)
    _borrow(world)
    second = _borrow(world, "younger", LENT, manifests.rule("b.example.com"))
    world.start()
    world.settle()
    world.users.delete()
    world.settle()
    world.live().verify()
    world.settle()
    assert world.account.lb().tags["tke-lb-ingress-uuid"] == second
    assert world.account.paths() == {"b.example.com/"}


def test_deleting_the_refused_borrower_takes_nothing_from_the_first(world: World, watchman: Watchman) -> None:
    _lend(world, watchman)
    _borrow(world)
    _borrow(world, "younger")
    world.start()
    world.settle()
    world.users.delete("younger")
    world.settle()
    assert world.users.find("younger") is None
    watchman.check_rest()


REFUSALS = {
    "E4018-missing": ("E4018", None),
    "E4019-made-by-the-old-controller-for-another": ("E4019", {"tags": {"tke-createdBy-flag": "yes"}}),
    "E4020-used-by-another-ingress": ("E4020", {"tags": {"tke-lb-ingress-uuid": "another"}}),
    "E4020-used-by-another-cluster": ("E4020", {"tags": {"tke-clusterId": "cls-other"}}),
    "E4030-classic": ("E4030", {"forward": 0}),
    "E4101-our-port-is-taken": (
        "E4101",
        {"listeners": [{"name": "owner", "protocol": "HTTP", "port": 80, "rules": []}]},
    ),
}


@pytest.mark.parametrize("code", REFUSALS, ids=list(REFUSALS))
def test_what_may_not_be_lent_is_refused_with_its_code_and_nothing_changes(
    world: World, watchman: Watchman, code: str
) -> None:
    said, members = REFUSALS[code]
    if members is not None:
        world.account.seed(load_balancers=[{"id": LENT, **members}])
    watchman.remember()
    watchman.untouchable.add(LENT)
    _borrow(world)
    world.start()
    world.settle()
    seen = world.users.ingress()
    assert said in seen.why
    assert (seen.finalizers, seen.record, seen.addresses) == ([], {}, [])
    assert world.account.writes() == {}
    world.users.delete()
    world.settle()
    assert world.users.find() is None


def test_a_lent_load_balancer_that_is_gone_is_never_replaced_by_one_that_costs_money(
    world: World, watchman: Watchman
) -> None:
    _lend(world, watchman)
    _borrow(world)
    world.start()
    world.settle()
    watchman.lent.clear()
    world.account.edit("delete_load_balancer", LENT)
    world.live().verify()
    world.settle()
    assert "E4018" in world.users.ingress().why
    assert world.account.lbs() == []
    world.users.delete()
    world.settle()
    assert world.users.find() is None


def test_a_gone_lent_one_is_not_replaced_although_the_annotation_was_removed(world: World, watchman: Watchman) -> None:
    _lend(world, watchman)
    _borrow(world)
    world.start()
    world.settle()
    watchman.lent.clear()
    world.users.annotate({NAMED: None})
    world.account.edit("delete_load_balancer", LENT)
    world.live().verify()
    world.settle()
    assert "E4018" in world.users.ingress().why
    assert "CreateLoadBalancer" not in world.account.calls()


def test_an_edited_exist_lb_id_is_not_applied_while_the_record_holds_a_claim(world: World, watchman: Watchman) -> None:
    _lend(world, watchman, LENT, OTHER)
    _borrow(world)
    world.start()
    world.settle()
    world.users.annotate({NAMED: OTHER})
    world.settle()
    assert any("NotApplied" in note.reason for note in world.notes.all)
    assert {lb.id: len(lb.listeners) for lb in world.account.lbs()} == {LENT: 2, OTHER: 1}
    assert world.users.ingress().record["lb"] == LENT


@pytest.mark.parametrize("edit", [OTHER, None], ids=["another", "none"])
def test_an_edited_exist_lb_id_while_adopting_goes_back(edit: str | None) -> None:
    world = World(switches={"tag_lag_s": 5.0})
    watchman = Watchman(world)
    _lend(world, watchman, LENT, OTHER)
    _borrow(world)
    world.start()
    world.until("the tags are written", lambda: world.account.calls().get("ModifyResourceTags"))
    world.users.annotate({NAMED: edit})
    world.settle()
    tags = {lb.id: lb.tags for lb in world.account.lbs()}
    assert tags[LENT] == HANDED_BACK
    assert len(world.account.emulator.world.load_balancers[LENT].listeners) == 1
    assert world.users.ingress().is_ready


def test_a_stranger_who_takes_the_load_balancer_between_our_tags_and_our_look_gets_it(
    world: World, watchman: Watchman
) -> None:
    _lend(world, watchman)
    _borrow(world)
    world.start()
    world.until("the tags are written", lambda: world.account.calls().get("ModifyResourceTags"))
    world.account.edit("set_tags", LENT, set={"tke-lb-ingress-uuid": "stranger"})
    world.settle()
    lb = world.account.lb()
    assert lb.tags["tke-lb-ingress-uuid"] == "stranger"
    assert len(lb.listeners) == 1
    assert "E4020" in world.users.ingress().why


def test_a_missing_cluster_tag_on_an_adopted_one_is_set_again(world: World, watchman: Watchman) -> None:
    _lend(world, watchman)
    _borrow(world)
    world.start()
    world.settle()
    world.account.edit("set_tags", LENT, remove=["tke-clusterId"])
    world.live().verify()
    world.settle()
    assert world.account.lb().tags["tke-clusterId"] == "cls-9mfq2k1t"
    watchman.check_rest()


def test_a_lenders_listener_that_bears_our_name_on_a_port_that_nobody_asks_for_is_left(
    world: World, watchman: Watchman
) -> None:
    world.account.lend(LENT)
    listener = {"name": "TKE-DEDICATED-LISTENER", "protocol": "HTTP", "port": 8081, "rules": []}
    world.account.edit("add_listener", LENT, listener=listener)
    watchman.remember()
    _borrow(world)
    world.start()
    world.settle()
    assert sorted(item.port for item in world.account.lb().listeners.values()) == [80, 8080, 8081]
    world.users.delete()
    world.settle()
    assert sorted(item.port for item in world.account.lb().listeners.values()) == [8080, 8081]


def test_the_documented_hand_over_makes_a_created_load_balancer_of_a_named_one(world: World) -> None:
    uid = _borrow(world)
    tags = {"tke-createdBy-flag": "yes", "tke-clusterId": "cls-9mfq2k1t", "tke-lb-ingress-uuid": uid}
    world.account.seed(load_balancers=[{"id": LENT, "tags": tags}])
    world.start()
    world.settle()
    assert world.users.ingress().record["claim"] == "created"
    world.users.delete()
    world.settle()
    assert world.account.lbs() == []


def test_what_was_free_when_we_last_looked_is_looked_at_again_before_it_is_taken(
    world: World, watchman: Watchman
) -> None:
    _lend(world, watchman)
    world.gate_open = False
    _borrow(world)
    world.start()
    world.run(20.0)
    world.account.edit("set_tags", LENT, set={"tke-clusterId": "cls-other", "tke-lb-ingress-uuid": "stranger"})
    watchman.untouchable.add(LENT)
    watchman.remember()
    watchman.lent[LENT].tags.update(world.account.lb().tags)
    world.gate_open = True
    world.settle()
    assert world.account.lb().tags["tke-lb-ingress-uuid"] == "stranger"
    assert "E4020" in world.users.ingress().why


def test_tags_that_were_put_right_count_at_the_next_edit_and_at_the_deletion(world: World, watchman: Watchman) -> None:
    _lend(world, watchman)
    uid = _borrow(world)
    world.start()
    world.settle()
    world.account.edit("set_tags", LENT, set={"tke-lb-ingress-uuid": "mistake"})
    world.live().verify()
    world.settle()
    assert not world.users.ingress().is_ready
    world.account.edit("set_tags", LENT, set={"tke-lb-ingress-uuid": uid})
    world.users.delete()
    world.settle()
    assert world.account.lb().tags == HANDED_BACK
    assert [item.port for item in world.account.lb().listeners.values()] == [8080]


def test_a_second_borrower_does_not_overwrite_tags_that_do_not_show_yet() -> None:
    world = World(switches={"tag_lag_s": 30.0, "tag_filter_lag_s": 30.0})
    watchman = Watchman(world)
    _lend(world, watchman)
    first = _borrow(world)
    world.start()
    world.until("the tags are written", lambda: world.account.calls().get("ModifyResourceTags"))
    _borrow(world, "younger", LENT, manifests.rule("b.example.com"))
    world.settle()
    assert world.account.lb().tags["tke-lb-ingress-uuid"] == first
    assert "E4020" in world.users.ingress("younger").why
    assert world.account.calls()["ModifyResourceTags"] == 1
    assert world.account.paths() == {"a.example.com/"}


def test_a_second_borrower_waits_until_the_first_has_given_back_whatever_shows(watchman: Watchman) -> None:
    _ = watchman
    world = World(switches={"tag_lag_s": 30.0, "tag_filter_lag_s": 30.0})
    inner = Watchman(world)
    _lend(world, inner)
    _borrow(world)
    world.start()
    world.until("the tags are written", lambda: world.account.calls().get("ModifyResourceTags"))
    world.users.delete()
    _borrow(world, "younger", LENT, manifests.rule("b.example.com"))
    world.settle()
    world.live().verify()
    world.settle()
    assert world.users.find() is None
    inner.check_rest()


def test_a_listener_whose_creation_was_not_answered_is_ours_although_nobody_asks_for_its_port_any_more(
    world: World, watchman: Watchman
) -> None:
    _lend(world, watchman)
    _borrow(world)
    world.account.fault("CreateListener", "drop_after")
    world.start()
    world.until("a listener is on its way", lambda: world.account.calls().get("CreateListener"))
    world.users.patch({"spec": {"tls": [{"secretName": "cert"}]}})
    world.settle()
    assert sorted(item.port for item in world.account.lb().listeners.values()) == [443, 8080]
    watchman.check_rest()
    world.users.delete()
    world.settle()
    assert [item.port for item in world.account.lb().listeners.values()] == [8080]


def test_a_record_whose_writing_was_not_answered_counts_against_the_second_borrower(
    world: World, watchman: Watchman
) -> None:
    _lend(world, watchman)
    first = _borrow(world)
    _borrow(world, "younger", LENT, manifests.rule("b.example.com"))
    world.users.fault("lost", "patch", "ingresses")
    world.start()
    world.settle()
    assert world.account.lb().tags["tke-lb-ingress-uuid"] == first
    assert world.account.paths() == {"a.example.com/"}
    assert "E4020" in world.users.ingress("younger").why


def test_a_listener_whose_creation_was_not_answered_is_waited_for_before_all_is_given_back(
    world: World, watchman: Watchman
) -> None:
    _lend(world, watchman)
    _borrow(world)
    world.account.fault("CreateListener", "drop_after")
    world.start()
    world.until("a listener is on its way", lambda: world.account.calls().get("CreateListener"))
    world.users.delete()
    world.settle()
    assert world.users.find() is None
    assert [item.port for item in world.account.lb().listeners.values()] == [8080]
    assert world.account.lb().tags == HANDED_BACK
