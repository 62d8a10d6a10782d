"""Who holds how many shards: a free one is left to who has less, and who has much less asks for one."""

from dataclasses import replace
from math import inf

import pytest

from l7lb.app.balance import LEFT_S, TURN_S, Balance
from l7lb.model.lease import LeaseRecord
from l7lb.runtime.election import Elector, Term
from tests.unit.runtime.fake_clock import FakeClock
from tests.unit.runtime.fake_lease import FakeLease, FakeLeaseClient

ANYBODYS = LeaseRecord("", 1)


class Shard:
    """One shard as one replica sees it."""

    def __init__(self, lease: FakeLease, me: str, clock: FakeClock, balance: Balance) -> None:
        self.leases = FakeLeaseClient(lease, clock)
        self.elector = Elector(self.leases, me, clock, on_lost=pytest.fail)
        self.elector.courtesy = balance.courtesy


class Cluster:
    """So many shards, and replicas by name."""

    def __init__(self, shards: int, *names: str) -> None:
        self.clock = FakeClock()
        self.plain, self.leases = FakeLease(), [FakeLease() for _ in range(shards)]
        self.ready = True
        self.replicas = {name: self.join(name) for name in names}

    def join(self, name: str) -> Balance:
        union = Elector(FakeLeaseClient(self.plain, self.clock), "together", self.clock, on_lost=pytest.fail)
        union.is_shared = True
        union.step()
        balance = Balance(name, union, self.clock.monotonic, lambda: self.ready)
        balance.places.extend(Shard(lease, name, self.clock, balance) for lease in self.leases)
        return balance

    def wanted(self) -> list[str]:
        return [lease.record.wanted_by for lease in self.leases if lease.record is not None]


def _held(*holders: str, names: tuple[str, ...] = ("a", "b", "c")) -> Cluster:
    """Written by hand: who holds what, as everybody sees it now."""
    cluster = Cluster(len(holders))
    for lease in cluster.leases:
        lease.store(ANYBODYS)
    cluster.replicas = {name: cluster.join(name) for name in names}
    for name, balance in cluster.replicas.items():
        for place, holder in zip(balance.places, holders, strict=True):
            if holder == name:
                place.elector.courtesy = lambda _record: 0.0
                place.elector.step()
                place.elector.courtesy = balance.courtesy
    for name, balance in cluster.replicas.items():
        for place, holder in zip(balance.places, holders, strict=True):
            if holder != name:
                place.elector.step()
    return cluster


@pytest.mark.parametrize(
    ("holders", "asker", "asked"),
    [
        pytest.param("aaa", "b", 1, id="all are with one"),
        pytest.param("aab", "c", 1, id="two with one"),
        pytest.param("aab", "b", 0, id="one less is no reason"),
        pytest.param("abc", "c", 0, id="even"),
        pytest.param("aaabbbb", "c", 1, id="from who has most"),
    ],
)
def test_who_holds_two_less_than_another_asks_for_one(holders: str, asker: str, asked: int) -> None:
    cluster = _held(*holders)
    cluster.replicas[asker].step()
    assert cluster.wanted().count(asker) == asked
    wanted = [holders[number] for number, name in enumerate(cluster.wanted()) if name]
    assert wanted == (["b"] if holders == "aaabbbb" else ["a"] * asked)


def test_one_is_asked_for_at_a_time() -> None:
    cluster = _held(*"aaaaa")
    for _ in range(3):
        cluster.replicas["b"].step()
        for place in cluster.replicas["b"].places:
            place.elector.step()
    assert cluster.wanted().count("b") == 1


def test_one_is_asked_for_also_where_the_holder_has_renewed_since_it_was_seen() -> None:
    cluster = _held(*"aa")
    cluster.clock.advance(5.0)
    for place in cluster.replicas["a"].places:
        place.elector.step()
    cluster.replicas["b"].step()
    assert cluster.wanted().count("b") == 1


def test_who_is_asked_gives_it_while_he_holds_two_more_and_only_what_was_asked_for() -> None:
    cluster = _held(*"aaa")
    cluster.replicas["b"].step()
    holder = cluster.replicas["a"]
    cluster.clock.advance(5.0)
    for place in holder.places:
        while place.elector.step().wait_s == 0.0:
            pass  # the mark is found when the renewal meets it
    given = [place.elector.seen.record for place in holder.places if holder.yields(place)]
    assert [record.wanted_by for record in given if record is not None] == ["b"]


def test_what_was_taken_from_who_vanished_is_given_when_nothing_of_him_can_be_on_its_way_any_more() -> None:
    cluster = _held(*"aaa")
    cluster.replicas["b"].step()
    holder = cluster.replicas["a"]
    cluster.clock.advance(5.0)
    for place in holder.places:
        while place.elector.step().wait_s == 0.0:
            pass
        place.elector.term = Term(cluster.clock.now, cluster.clock.now - 1.0)
    given = []
    for _ in range(2):
        given.append(sum(map(holder.yields, holder.places)))
        cluster.clock.advance(14.5)
    assert given == [0, 1]


def test_a_wish_of_somebody_who_has_as_much_is_not_granted() -> None:
    cluster = _held(*"ab")
    record = cluster.leases[0].record
    assert record is not None
    cluster.leases[0].store(replace(record, wanted_by="b"))
    cluster.clock.advance(5.0)
    holder = cluster.replicas["a"]
    while holder.places[0].elector.step().wait_s == 0.0:
        pass
    assert not holder.yields(holder.places[0])


@pytest.mark.parametrize(
    ("holders", "wanted_by", "courtesy"),
    [
        pytest.param("bbb", "", 0.0, id="who holds none takes it at once"),
        pytest.param("aab", "", 2 * TURN_S, id="who holds two waits two turns"),
        pytest.param("aab", "a", 0.0, id="who has asked takes it at once"),
        pytest.param("bbb", "c", LEFT_S, id="it is left to who has asked"),
    ],
)
def test_a_free_shard_is_left_to_who_has_less_and_to_who_has_asked(
    holders: str, wanted_by: str, courtesy: float
) -> None:
    cluster = _held(*holders)
    assert cluster.replicas["a"].courtesy(replace(ANYBODYS, wanted_by=wanted_by)) == courtesy


def test_nothing_is_taken_or_asked_for_by_who_could_not_work_on_it() -> None:
    cluster = _held(*"aaa")
    cluster.ready = False
    cluster.replicas["b"].step()
    assert cluster.wanted() == ["", "", ""]
    assert cluster.replicas["b"].courtesy(ANYBODYS) == inf


def test_nothing_is_taken_by_who_does_not_hold_the_agreement() -> None:
    cluster = _held(*"aaa")
    cluster.clock.advance(25.0)
    assert cluster.replicas["b"].courtesy(ANYBODYS) == inf
