"""The verifier: what a round costs, whose turn comes when, what is believed afterwards, and what counts as drift."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import isclose
from typing import Self

import pytest

from l7lb import planner, translator
from l7lb.app.sweep import Sweep
from l7lb.app.verifying import TURNS_PER_S
from l7lb.errors import Throttled, Unavailable
from l7lb.model.identity import BindingKey
from l7lb.model.lane import Lane
from l7lb.runtime.workqueue import Deadline
from tests.builders import head
from tests.unit.app.account import Account, ref
from tests.unit.app.room import SETTINGS, annotated, named, served
from tests.unit.app.verifying_scene import Scene, turns
from tests.unit.translator.builders import endpoints, ingress, node, rule, service

EXISTING = "kubernetes.io/ingress.existLbId"


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize("count", [1, 7, 130])
def test_a_round_costs_one_look_and_two_reads_for_each_load_balancer(scene: Scene, count: int) -> None:
    scene.serve(*(f"{number:03}" for number in range(count)))
    assert scene.verifier.round() == count
    turns(scene, count)
    assert scene.account.reads() == {"find": 1, "limits": 1, "listeners": count, "targets": count}
    assert scene.account.lanes() == {Lane.VERIFY}
    assert scene.read == count


def test_what_several_share_is_read_once(scene: Scene) -> None:
    scene.account.own("lb-shared")
    for name in ("first", "second", "third"):
        asked = {EXISTING: "lb-shared", "ingress.cloud.tencent.com/enable-group": "true"}
        scene.room.put(named(annotated(ingress(rule()), **asked), name))
    assert scene.verifier.round() == 1
    turns(scene, 1)
    assert scene.account.reads() == {"find": 1, "limits": 1, "listeners": 1, "targets": 1}
    assert scene.observations.get(ref("lb-shared")) is not None


def test_turns_come_one_after_the_other_within_the_budget_of_their_lane(scene: Scene) -> None:
    scene.serve(*(f"{number:02}" for number in range(20)))
    began = scene.room.clock.monotonic()
    scene.verifier.round()
    turns(scene, 20)
    assert isclose(scene.room.clock.monotonic() - began, 19 / TURNS_PER_S)
    assert TURNS_PER_S < 0.25 * 20


def test_until_its_turn_comes_an_observation_is_believed(scene: Scene) -> None:
    scene.serve("a", "b")
    scene.believe("a")
    scene.believe("b")
    before = scene.observations.get(ref("lb-b"))
    scene.verifier.round()
    turns(scene, 1)
    assert scene.observations.get(ref("lb-b")) is before
    turns(scene, 1)
    assert scene.observations.get(ref("lb-b")) is not before
    assert scene.observations.get(ref("lb-b")) is not None


def test_a_pass_that_is_not_due_keeps_what_is_known(scene: Scene) -> None:
    scene.serve("a")
    scene.believe("a")
    before = scene.observations.get(ref("lb-a"))
    with scene.verifier.turn(BindingKey("new/uid-a")):
        assert scene.observations.get(ref("lb-a")) is before
    assert scene.account.reads() == {}


@pytest.mark.parametrize("lane", [Lane.CHANGE, Lane.ENDPOINTS])
def test_who_waits_for_a_pass_does_not_wait_for_the_turn_that_is_due(scene: Scene, lane: Lane) -> None:
    scene.serve("a")
    scene.believe("a")
    scene.verifier.round()
    scene.queue.add("new/uid-a", lane, scene.room.clock.monotonic())
    with scene.next_turn() as taken:
        assert (taken.lane, scene.account.reads()) == (lane, {"find": 1, "limits": 1})
        assert not scene.verifier.comparing(BindingKey(taken.key))
    with scene.next_turn() as taken:
        assert (taken.lane, scene.account.reads()) == (
            Lane.VERIFY,
            {"find": 1, "limits": 1, "listeners": 1, "targets": 1},
        )


@pytest.mark.parametrize("lane", [Lane.CHANGE, Lane.ENDPOINTS])
def test_what_such_a_pass_has_to_read_by_itself_was_the_turn(scene: Scene, lane: Lane) -> None:
    scene.serve("a")
    scene.verifier.enqueue()
    scene.queue.add("new/uid-a", lane, scene.room.clock.monotonic())
    with scene.next_turn() as taken:
        assert (taken.lane, scene.account.reads()) == (lane, {})
        scene.believe("a")
    assert scene.verifier.oldest() == scene.room.clock.time()
    with scene.verifier.turn(BindingKey("new/uid-a")):
        assert scene.account.reads() == {}, "its turn is done"


def test_a_pass_that_fails_leaves_the_turn_to_come(scene: Scene) -> None:
    scene.serve("a")
    scene.believe("a")
    scene.verifier.round()
    scene.queue.add("new/uid-a", Lane.CHANGE, scene.room.clock.monotonic())
    with pytest.raises(Unavailable), scene.next_turn():
        raise Unavailable("the pass has failed")
    with scene.next_turn() as taken:
        assert taken.lane is Lane.VERIFY
    assert scene.account.reads() == {"find": 1, "limits": 1, "listeners": 1, "targets": 1}


def test_a_load_balancer_that_the_look_did_not_show_is_left_for_the_pass_to_read(scene: Scene) -> None:
    scene.serve("a")
    scene.believe("a")
    del scene.account.heads_by_id["lb-a"]
    scene.verifier.round()
    with scene.next_turn():
        assert scene.observations.get(ref("lb-a")) is None


def test_a_load_balancer_that_went_after_the_look_is_left_for_the_pass_to_find_out(scene: Scene) -> None:
    scene.serve("a")
    scene.believe("a")
    scene.verifier.round()
    del scene.account.heads_by_id["lb-a"]
    with scene.next_turn():
        assert scene.observations.get(ref("lb-a")) is None


def test_a_head_is_not_used_after_a_write_to_its_load_balancer(scene: Scene) -> None:
    scene.serve("a", "b")
    scene.verifier.round()
    scene.sweep.wrote("lb-a")
    scene.account.heads_by_id["lb-a"] = replace(scene.account.heads_by_id["lb-a"], name="written since")
    with scene.next_turn():
        known = scene.observations.get(ref("lb-a"))
    assert known is not None
    assert known.head.name == "written since"
    with scene.next_turn():
        assert scene.observations.get(ref("lb-b")) is not None
    assert scene.account.reads() == {"find": 1, "limits": 1, "heads": 1, "listeners": 2, "targets": 2}


@pytest.mark.parametrize("call", ["heads", "listeners", "targets"])
def test_a_turn_without_budget_takes_nothing_from_those_who_wait_for_a_pass(scene: Scene, call: str) -> None:
    scene.serve("a")
    scene.believe("a")
    scene.verifier.round()
    scene.sweep.wrote("lb-a")
    scene.account.trouble = failing(call, Throttled("slow down"))
    with pytest.raises(Throttled), scene.next_turn():
        pass
    assert scene.observations.get(ref("lb-a")) is not None


@dataclass
class Lean(Account):
    """Its lane has one token of each kind; what one pass reads more of that kind is lent, as by the real adapter."""

    spent: set[str] = field(default_factory=set)

    def at(self, lane: Lane) -> Self:
        asked: set[str] = set()

        def trouble(call: str) -> None:
            if call not in asked and call in self.spent:
                raise Throttled("the API budget is used up")
            self.spent.add(call)
            asked.add(call)

        return replace(super().at(lane), trouble=trouble)


def test_a_turn_over_two_load_balancers_comes_to_its_end_with_one_token_of_each_kind() -> None:
    scene = Scene(Lean())
    scene.serve("a")
    scene.account.own("lb-b")
    scene.room.put(annotated(served(named(ingress(rule()), "a"), "lb-a"), **{EXISTING: "lb-b"}))
    scene.verifier.round()
    scene.sweep.wrote("lb-a")
    scene.sweep.wrote("lb-b")
    with scene.next_turn():
        assert {scene.observations.get(ref(one)) is not None for one in ("lb-a", "lb-b")} == {True}


def test_a_head_that_was_read_while_a_write_was_sent_is_not_used_either() -> None:
    sweep = Sweep()
    sweep.begin()
    sweep.wrote("lb-a")
    sweep.enter((head("lb-a"), head("lb-b")))
    assert sweep.head(ref("lb-a")) is None
    assert sweep.head(ref("lb-b")) is not None
    sweep.used(ref("lb-b"))
    assert sweep.head(ref("lb-b")) is None


def failing(call: str, error: Exception) -> Callable[[str], None]:
    def trouble(called: str) -> None:
        if called == call:
            raise error

    return trouble


def test_a_refused_turn_comes_again_and_needs_no_other_look(scene: Scene) -> None:
    scene.serve("a")
    scene.verifier.round()
    scene.account.trouble = failing("targets", Throttled("slow down"))
    with pytest.raises(Throttled), scene.next_turn():
        pass
    scene.account.trouble = lambda _call: None
    with scene.verifier.turn(BindingKey("new/uid-a")):
        assert scene.observations.get(ref("lb-a")) is not None
    assert scene.account.reads() == {"find": 1, "limits": 1, "listeners": 2, "targets": 1}


def test_without_a_look_the_round_goes_on(scene: Scene) -> None:
    scene.serve("a")
    scene.account.trouble = failing("find", Unavailable("away"))
    assert scene.verifier.round() == 1
    turns(scene, 1)


def test_a_look_that_finds_no_budget_is_waited_for_and_costs_the_round_nothing(scene: Scene) -> None:
    scene.serve("a", "b")
    waits: list[float] = []

    def trouble(call: str) -> None:
        if call == "find" and len(waits) < 3:
            raise Throttled("slow down", retry_after_s=0.3)

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return False

    scene.account.trouble = trouble

    assert scene.verifier.round(wait) == 2
    turns(scene, 2)
    assert waits == [0.3] * 3
    assert scene.account.reads() == {"find": 1, "limits": 1, "listeners": 2, "targets": 2}


@pytest.mark.parametrize("ends", [False, True], ids=["in the end", "when the term ends"])
@pytest.mark.parametrize("asked_s", [20.0, 50.0, 700.0])
def test_the_wait_for_a_look_is_given_up(scene: Scene, ends: bool, asked_s: float) -> None:
    scene.serve("a")
    scene.account.trouble = failing("find", Throttled("slow down", retry_after_s=asked_s))
    began = scene.room.clock.monotonic()

    def wait(seconds: float) -> bool:
        scene.room.clock.advance(seconds)
        return ends

    assert scene.verifier.round(wait) == 1
    assert scene.room.clock.monotonic() - began == (min(asked_s, 60.0) if ends else 60.0)


def test_what_nobody_leads_to_any_more_is_forgotten_in_a_round(scene: Scene) -> None:
    scene.serve("a")
    scene.believe("a")
    scene.believe("gone")
    scene.verifier.round()
    assert scene.observations.refs() == (ref("lb-a"),)


def test_ingresses_without_a_load_balancer_get_no_turn(scene: Scene) -> None:
    scene.room.put(named(ingress(rule(), class_name="nginx"), "nginx"))
    scene.room.put(named(annotated(ingress(rule()), **{EXISTING: "lb-lent"}), "lent"))
    assert scene.verifier.round() == 1


class TestBeginning:
    """What a term begins with."""

    def test_who_is_new_or_deleting_goes_first_and_the_rest_is_verified(self, scene: Scene) -> None:
        scene.serve("old")
        scene.room.put(named(ingress(rule()), "new"))
        scene.room.put(named(served(ingress(rule()), "lb-x"), "gone", deletion_timestamp="2026-01-01T00:00:00Z"))
        scene.room.put(served(named(ingress(rule()), "unfinished"), "lb-y", desired=""))
        scene.verifier.enqueue()
        lanes = {}
        for _ in range(4):
            with scene.next_turn() as taken:
                lanes[taken.key] = taken.lane
        verified = {key for key, lane in lanes.items() if lane is Lane.VERIFY}
        assert (len(lanes), verified) == (4, {"new/uid-old"})

    def test_who_was_edited_meanwhile_goes_first_as_well(self, scene: Scene) -> None:
        scene.room.put(service("web"))
        same, edited = named(ingress(rule()), "same"), named(ingress(rule()), "edited")
        desired = translator.translate(scene.room.caches.snapshot(same), SETTINGS).desired
        assert desired is not None
        digest = planner.shape_digest(desired)
        scene.room.put(served(same, "lb-same", desired=digest))
        scene.room.put(served(edited, "lb-edited", desired="of something else"))
        scene.verifier.enqueue()
        scene.verifier.promote()
        with scene.next_turn() as taken:
            assert (taken.key, taken.lane) == ("new/uid-edited", Lane.CHANGE)
        with scene.next_turn() as taken:
            assert taken.lane is Lane.VERIFY

    def test_the_shape_does_not_depend_on_nodes_and_endpoints(self, scene: Scene) -> None:
        one = ingress(rule())
        scene.room.put(service("web"))
        scene.room.put(endpoints("web", ("172.16.0.1", "a", True)))
        scene.room.put(node("a"))
        whole, shape = scene.room.caches.snapshot(one), scene.room.caches.snapshot(one, targets=False)
        digests = set()
        for snapshot in (whole, shape):
            desired = translator.translate(snapshot, SETTINGS).desired
            assert desired is not None
            digests.add(planner.shape_digest(desired))
        assert len(digests) == 1

    def test_heads_from_before_the_term_serve_its_first_turns(self, scene: Scene) -> None:
        scene.serve("a", "b")
        scene.sweep.enter(scene.account.heads_by_id.values())
        scene.verifier.enqueue()
        turns(scene, 2)
        assert scene.account.reads() == {"listeners": 2, "targets": 2}

    def test_after_a_leader_that_froze_nothing_read_too_early_is_believed(self) -> None:
        scene = Scene(trusted_from=1015.0)
        scene.serve("a")
        scene.believe("a")
        with scene.verifier.turn(BindingKey("new/uid-b")):
            assert scene.observations.get(ref("lb-a")) is None
        scene.verifier.enqueue()
        assert scene.queue.take(scene.room.clock.monotonic()) == Deadline(15.0)
        scene.believe("a")
        scene.room.clock.advance(15.0)
        with scene.verifier.turn(BindingKey("new/uid-b")):
            assert scene.observations.get(ref("lb-a")) is not None


class TestOldest:
    """When the stalest load balancer was verified."""

    def test_without_load_balancers_it_is_now(self, scene: Scene) -> None:
        assert scene.verifier.oldest() == scene.room.clock.time()

    def test_while_the_first_round_runs_it_is_the_beginning_of_the_term(self, scene: Scene) -> None:
        began = scene.room.clock.time()
        scene.serve("a", "b")
        scene.verifier.enqueue()
        turns(scene, 1)
        assert scene.verifier.oldest() == began

    def test_then_it_is_the_oldest_turn(self, scene: Scene) -> None:
        scene.serve("a", "b")
        scene.sweep.enter(scene.account.heads_by_id.values())
        scene.verifier.enqueue()
        turns(scene, 1)
        first = scene.room.clock.time()
        turns(scene, 1)
        assert scene.room.clock.time() > first
        assert scene.verifier.oldest() == first

    def test_a_failed_turn_does_not_count(self, scene: Scene) -> None:
        scene.serve("a")
        scene.verifier.round()
        began = scene.room.clock.time()
        scene.room.clock.advance(60)
        with pytest.raises(Unavailable), scene.next_turn():
            raise Unavailable("the pass has failed")
        assert scene.verifier.oldest() == began

    def test_one_whose_ingress_is_gone_does_not_count(self, scene: Scene) -> None:
        made = scene.room.put(served(named(ingress(rule()), "a"), "lb-a"))
        scene.verifier.enqueue()
        scene.room.clock.advance(60)
        scene.room.remove(made)
        assert scene.verifier.oldest() == scene.room.clock.time()

    def test_one_that_is_only_being_deleted_does_not_count(self, scene: Scene) -> None:
        scene.serve("a")
        scene.verifier.enqueue()
        began = scene.room.clock.time()
        scene.room.clock.advance(60)
        assert scene.verifier.oldest() == began
        scene.room.put(served(named(ingress(rule()), "a", deletion_timestamp="2023-11-14T22:13:20Z"), "lb-a"))
        assert scene.verifier.oldest() == scene.room.clock.time()
