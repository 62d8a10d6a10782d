"""Which shard a key belongs to: one each, evenly, and few move when their number changes."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from l7lb.app.caches import stores
from l7lb.app.config import SHARDS_MAX, Config
from l7lb.app.connections import limits_of
from l7lb.app.shards import ALL, Scope, borders, shard_of
from l7lb.errors import Expired, Unavailable
from l7lb.model.cluster import Ingress, Object, ObjectMeta
from l7lb.model.identity import BindingKey, Cluster, LoadBalancerId, ObjectKey
from l7lb.model.marks import RECORD
from l7lb.model.snapshot import Settings
from l7lb.model.watch import Change, ChangeType, Item
from l7lb.reconciler.borders import Borders
from l7lb.telemetry.metrics import Metrics

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


def _ingress(name: str, **record: Any) -> Item[Ingress]:
    uid = f"uid-{name}"
    marks = {RECORD: json.dumps({"v": 1, "uid": uid, "cluster": "cls-1", **record})} if record else {}
    meta = ObjectMeta(name=name, namespace="shop", uid=uid, resource_version="1", annotations=marks)
    return Item(ObjectKey("shop", name), uid, "1", Ingress(metadata=meta))


class TestBorders:
    """What one of three shards leaves to the others."""

    CLUSTER = Cluster("cls-1", "uid")
    SETTINGS = Settings("cls-1", "ap-guangzhou", "vpc-1")

    def borders(self, scope: Scope, *items: Item[Ingress], expired: bool = False) -> Borders:
        kept = stores(self.CLUSTER, self.SETTINGS)
        for item in items:
            list(kept.ingresses.apply(Change(ChangeType.ADDED, item)))

        def everyone() -> tuple[Object, ...]:
            if expired:
                raise Expired("too old")
            return tuple(Object(metadata=item.object.metadata) for item in items)

        return borders(scope, self.CLUSTER, self.SETTINGS, kept, everyone)

    def test_each_ingress_is_ours_in_one_shard_and_strays_in_all_others(self) -> None:
        items = [_ingress(f"web-{number}") for number in range(9)]
        parts = [self.borders(Scope(shard, 3), *items) for shard in range(3)]
        for item in items:
            assert [part.ours(item.object) for part in parts].count(True) == 1
            assert all(part.ours(item.object) != part.strayed(item.uid) for part in parts)
        assert not any(part.strayed("unknown") for part in parts)

    def test_a_load_balancer_that_a_record_of_another_shard_names_is_held(self) -> None:
        item = _ingress("web", claim="created", lb="lb-1", region="ap-guangzhou")
        own = shard_of(BindingKey("new/uid-web"), 3)
        held = [self.borders(Scope(shard, 3), item).holder(LoadBalancerId("lb-1"), self.CLUSTER) for shard in range(3)]
        assert held == [None if shard == own else ObjectKey("shop", "web") for shard in range(3)]
        other = self.borders(Scope((own + 1) % 3, 3), item)
        assert other.holder(LoadBalancerId("lb-2"), self.CLUSTER) is None

    def test_a_record_without_a_claim_holds_nothing(self) -> None:
        item = _ingress("web", claim="", lb="lb-1", attempt=2)
        own = shard_of(BindingKey("new/uid-web"), 3)
        part = self.borders(Scope((own + 1) % 3, 3), item)
        assert part.holder(LoadBalancerId("lb-1"), self.CLUSTER) is None

    def test_a_list_that_cannot_be_read_is_waited_for(self) -> None:
        with pytest.raises(Unavailable):
            self.borders(Scope(0, 2), expired=True).holder(LoadBalancerId("lb-1"), self.CLUSTER)

    @pytest.mark.parametrize(("shards", "left"), [(1, 0), (2, 3), (3, 4), (5, 4), (16, 4)])
    def test_class_exits_are_divided_and_each_shard_has_one(self, shards: int, left: int) -> None:
        assert self.borders(Scope(0, shards)).exits == left


@pytest.mark.parametrize("shards", [2, 3, 7, SHARDS_MAX])
def test_budgets_of_all_shards_together_are_those_of_one_leader(shards: int) -> None:
    whole, part = (
        limits_of(Config("cls-1", "ap-guangzhou", shards=number), lambda: 0.0, Metrics("test", CollectorRegistry()))
        for number in (1, shards)
    )
    assert part.pace.share * shards == pytest.approx(whole.pace.share)
    assert part.pace.burst * shards == pytest.approx(whole.pace.burst)
    assert 1 <= part.deletions_max <= whole.deletions_max / shards


def test_without_shards_everything_is_here() -> None:
    assert all(map(ALL.has, KEYS))
    assert (ALL.first, ALL.whole) == (True, True)
