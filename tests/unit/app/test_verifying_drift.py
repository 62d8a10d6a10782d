"""When a pass compares what we left with what others made of it: what it puts right is drift."""

from dataclasses import replace

import pytest

from l7lb.errors import AccessDenied, Throttled
from l7lb.model.identity import BindingKey
from tests.unit.app.account import ref
from tests.unit.app.verifying_scene import Scene, turns


def test_the_first_turn_of_a_term_is_no_comparison() -> None:
    scene = Scene()
    scene.serve("a")
    scene.verifier.enqueue()
    with scene.next_turn() as taken:
        assert not scene.verifier.comparing(BindingKey(taken.key))


def test_a_later_turn_that_finds_something_else_is_one_for_as_long_as_its_pass_lasts() -> None:
    scene = Scene()
    scene.serve("a")
    scene.verifier.round()
    turns(scene, 1)
    scene.account.heads_by_id["lb-a"] = replace(scene.account.heads_by_id["lb-a"], name="by hand")
    scene.verifier.round()
    with scene.next_turn() as taken:
        assert scene.verifier.comparing(BindingKey(taken.key))
    assert not scene.verifier.comparing(BindingKey(taken.key))


def test_a_turn_that_finds_what_was_left_is_none_whatever_its_pass_plans() -> None:
    scene = Scene()
    scene.serve("a")
    for _ in range(2):
        scene.verifier.round()
        with scene.next_turn() as taken:
            assert not scene.verifier.comparing(BindingKey(taken.key))


def test_what_is_put_right_after_trouble_of_our_own_is_none() -> None:
    scene = Scene()
    scene.serve("a")
    scene.verifier.round()
    turns(scene, 1)
    scene.observations.drop(ref("lb-a"))
    scene.account.heads_by_id["lb-a"] = replace(scene.account.heads_by_id["lb-a"], name="by hand")
    scene.verifier.round()
    with scene.next_turn() as taken:
        assert not scene.verifier.comparing(BindingKey(taken.key))


def test_a_pass_for_another_reason_is_none() -> None:
    scene = Scene()
    scene.serve("a")
    scene.verifier.round()
    turns(scene, 1)
    with scene.verifier.turn(BindingKey("new/uid-a")):
        assert not scene.verifier.comparing(BindingKey("new/uid-a"))


def test_a_turn_that_had_no_budget_leaves_the_next_one_something_to_compare_with() -> None:
    scene = Scene()
    scene.serve("a")
    scene.verifier.round()
    turns(scene, 1)
    scene.account.heads_by_id["lb-a"] = replace(scene.account.heads_by_id["lb-a"], name="by hand")
    scene.verifier.round()
    taken = scene.take()

    def refused(call: str) -> None:
        if call == "targets":
            raise Throttled("the API budget is used up")

    key, at_ease = BindingKey(taken.key), scene.account.trouble
    scene.account.trouble = refused
    with pytest.raises(Throttled), scene.verifier.turn(key, taken.lane):
        pass
    scene.account.trouble = at_ease
    with scene.verifier.turn(key, taken.lane):
        assert scene.verifier.comparing(key)


def test_a_look_serves_although_the_quotas_cannot_be_read() -> None:
    scene = Scene()
    scene.serve("a")

    def refused(call: str) -> None:
        if call == "limits":
            raise AccessDenied("no right to DescribeQuota", reason="AccessDenied")

    scene.account.trouble = refused
    scene.verifier.round()
    assert scene.sweep.head(ref("lb-a")) is not None
