"""Steps in parts: nothing gets lost, nothing comes twice, and what may be at fault together stays together."""

from hypothesis import given
from hypothesis import strategies as st

from l7lb import planner
from l7lb.model.identity import ListenerKey, RuleKey, RuleRef
from l7lb.model.loadbalancer import Target, TargetKey
from l7lb.model.plan import Placement, RegisterTargets

HTTP = ListenerKey("HTTP", 80)


def placed(path: str, number: int) -> Placement:
    return Placement(RuleRef(HTTP, RuleKey("a", path)), Target(TargetKey(f"10.0.0.{number}", 80)))


PLACEMENTS = st.lists(st.builds(placed, st.sampled_from(["/", "/x", "/y"]), st.integers(1, 9)), min_size=1, unique=True)


@given(PLACEMENTS, st.sets(st.integers(1, 9).map(lambda number: f"10.0.0.{number}")))
def test_what_is_divided_is_all_there_once_and_more_than_one_gets_smaller(
    placements: list[Placement], blamed: set[str]
) -> None:
    parts = planner.divided(placements, blamed)
    assert sorted(one for part in parts for one in map(placements.index, part)) == list(range(len(placements)))
    assert all(parts)
    assert len(parts) == (2 if len(placements) > 1 else 1)


@given(PLACEMENTS)
def test_an_address_is_divided_only_when_it_is_alone(placements: list[Placement]) -> None:
    addresses = {one.target.key.address for one in placements}
    parts = planner.divided(placements, ())
    if len(addresses) > 1:
        assert not {one.target.key.address for one in parts[0]} & {one.target.key.address for one in parts[1]}


def test_what_was_found_at_fault_elsewhere_goes_apart() -> None:
    known, other = placed("/", 1), placed("/x", 2)
    assert planner.divided((known, other, placed("/y", 1)), {"10.0.0.1"}) == ((other,), (known, placed("/y", 1)))


def test_a_step_for_fewer_targets_keeps_their_order_and_is_none_without_any() -> None:
    step = RegisterTargets((placed("/", 1), placed("/", 2), placed("/", 3)))
    assert planner.narrowed(step, {placed("/", 3), placed("/", 1)}) == RegisterTargets((placed("/", 1), placed("/", 3)))
    assert planner.narrowed(step, ()) is None
