"""Which shard a key belongs to: one each, evenly, and few move when their number changes."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l7lb.app.config import SHARDS_MAX
from l7lb.app.shards import ALL, Scope, shard_of
from l7lb.model.identity import BindingKey

KEYS = tuple(BindingKey(f"new/{number:08x}-0000-4000-8000-000000000000") for number in range(3000))


@given(st.text(min_size=1), st.integers(1, SHARDS_MAX))
def test_a_key_belongs_to_exactly_one_shard(text: str, shards: int) -> None:
    key = BindingKey(text)
    assert sum(Scope(shard, shards).has(key) for shard in range(shards)) == 1


@pytest.mark.parametrize("shards", [2, 3, 8, SHARDS_MAX])
def test_keys_are_spread_evenly(shards: int) -> None:
    counts = Counter(shard_of(key, shards) for key in KEYS)
    fair = len(KEYS) / shards
    assert set(counts) == set(range(shards))
    assert all(0.75 * fair < count < 1.25 * fair for count in counts.values())


@pytest.mark.parametrize("shards", [2, 3, 7])
def test_one_shard_more_takes_its_part_and_moves_nothing_else(shards: int) -> None:
    moved = [key for key in KEYS if shard_of(key, shards) != shard_of(key, shards + 1)]
    assert all(shard_of(key, shards + 1) == shards for key in moved)
    assert len(moved) < 1.25 * len(KEYS) / (shards + 1)


def test_the_shard_of_a_key_is_the_same_in_every_process_and_release() -> None:
    key = BindingKey("new/3f0c2f5e-9d8a-4c57-8a43-0d5a3c1b9e77")
    assert [shard_of(key, shards) for shards in (1, 2, 3, 5, 16)] == [0, 1, 1, 3, 15]


def test_without_shards_everything_is_here() -> None:
    assert all(map(ALL.has, KEYS))
    assert (ALL.first, ALL.whole) == (True, True)
