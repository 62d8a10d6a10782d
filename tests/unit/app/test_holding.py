"""A command that writes does not begin while somebody renews the Lease."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from l7lb.app.holding import Waiting, refuse_a_living_holder
from l7lb.errors import LostLeadership, NotFound
from l7lb.model.lease import LeaseRecord

HELD = LeaseRecord("one", 30, "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:00.000000Z", 1, "1")


class Lease:
    """Answers with one record after the other; the last one stays. None: there is no Lease."""

    def __init__(self, *records: LeaseRecord | None) -> None:
        self.records = list(records)
        self.looks = 0

    def get(self) -> LeaseRecord:
        record = self.records[min(self.looks, len(self.records) - 1)]
        self.looks += 1
        if record is None:
            raise NotFound("no Lease", what="Lease")
        return record

    def create(self, record: LeaseRecord) -> LeaseRecord:
        raise AssertionError("only looked at")

    def update(self, record: LeaseRecord) -> LeaseRecord:
        raise AssertionError("only looked at")


@pytest.fixture
def sleep() -> Callable[[float], None]:
    """Time passes at once."""
    return lambda _: None


def test_a_renewal_shows_that_its_holder_lives(sleep: Callable[[float], None]) -> None:
    renewed = replace(HELD, renew_time="2026-01-01T00:00:05.000000Z")
    with pytest.raises(LostLeadership, match=r"l7lb run holds the Lease kube-system/l7lb-cls-1 \(one\)"):
        refuse_a_living_holder(Lease(HELD, HELD, renewed), "kube-system/l7lb-cls-1", sleep)


def test_another_holder_lives_as_well(sleep: Callable[[float], None]) -> None:
    with pytest.raises(LostLeadership, match=r"\(two\)"):
        refuse_a_living_holder(Lease(HELD, replace(HELD, holder="two")), "kube-system/l7lb-cls-1", sleep)


@pytest.mark.parametrize(
    "records",
    [
        pytest.param((None,), id="no Lease"),
        pytest.param((replace(HELD, holder=""),), id="let go"),
        pytest.param((HELD, None), id="deleted while we look"),
        pytest.param((HELD, replace(HELD, holder="")), id="let go while we look"),
    ],
)
def test_a_lease_of_nobody_is_not_waited_for(
    records: tuple[LeaseRecord | None, ...], sleep: Callable[[float], None]
) -> None:
    lease = Lease(*records)
    refuse_a_living_holder(lease, "kube-system/l7lb-cls-1", sleep)
    assert lease.looks == len(records)


def test_a_holder_that_does_not_renew_is_left_to_expire() -> None:
    slept: list[float] = []
    refuse_a_living_holder(Lease(HELD), "kube-system/l7lb-cls-1", slept.append)
    assert 5.0 < sum(slept) < 10.0


def test_whose_lease_is_waited_for_and_how_long_at_most_is_said_before_anything_is_waited_for() -> None:
    happened: list[object] = []
    refuse_a_living_holder(Lease(HELD), "kube-system/l7lb-cls-1", happened.append, happened.append)
    assert str(happened[0]) == (
        "waiting for the Lease kube-system/l7lb-cls-1, which one has: until it is let go or has expired, 59 s at most"
    )
    assert all(isinstance(one, float) for one in happened[1:])


@pytest.mark.parametrize("lease", [None, replace(HELD, holder="")], ids=["no Lease", "let go"])
def test_where_nobody_has_the_lease_nothing_is_said(lease: LeaseRecord | None, sleep: Callable[[float], None]) -> None:
    said: list[Waiting] = []
    refuse_a_living_holder(Lease(lease), "kube-system/l7lb-cls-1", sleep, said.append)
    assert said == []
