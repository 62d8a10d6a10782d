"""Load balancers of a cluster in several regions: one that is down or forbidden is no reason to leave the others."""

from collections.abc import Mapping

import pytest

from l7lb.app.regions import find_all, look
from l7lb.errors import L7lbError, Rejected, Throttled, Unavailable
from l7lb.model.loadbalancer import LoadBalancerHead
from tests.builders import head
from tests.unit.app.account import Account

TAGS = {"tke-clusterId": "cls-1"}
WANTED = ("ap-guangzhou", "ap-shanghai", "ap-beijing")


class Regions(Account):
    """Of which one does not answer as it should."""

    bad: str = "ap-shanghai"
    error: L7lbError = Unavailable("HTTP 503")

    def find(self, region: str, tags: Mapping[str, str]) -> tuple[LoadBalancerHead, ...]:
        if region == self.bad:
            raise self.error
        return (head(f"lb-{region}", TAGS),)


def _regions(error: L7lbError, bad: str = "ap-shanghai") -> Regions:
    made = Regions()
    made.bad, made.error = bad, error
    return made


@pytest.mark.parametrize("error", [Unavailable("HTTP 503"), Rejected("there is no such region", reason="NoRegion")])
def test_a_region_that_cannot_be_read_is_left_out_and_named(error: L7lbError) -> None:
    found = look(_regions(error), TAGS, WANTED)
    assert {one.ref.id for one in found.heads} == {"lb-ap-guangzhou", "lb-ap-beijing"}
    assert found.regions == ("ap-guangzhou", "ap-beijing")
    assert found.refused == {"ap-shanghai": str(error)}


def test_only_one_that_is_down_may_answer_later() -> None:
    assert look(_regions(Unavailable("HTTP 503")), TAGS, WANTED).silent.keys() == {"ap-shanghai"}
    assert not look(_regions(Rejected("there is no such region", reason="NoRegion")), TAGS, WANTED).silent


@pytest.mark.parametrize("error", [Unavailable("HTTP 503"), Throttled("too many")])
def test_who_has_to_know_all_is_told_that_one_is_down(error: L7lbError) -> None:
    with pytest.raises(type(error)):
        find_all(_regions(error), TAGS, WANTED)


@pytest.mark.parametrize("error", [Unavailable("HTTP 503"), Rejected("no right", reason="Denied")])
def test_the_clusters_own_region_must_answer(error: L7lbError) -> None:
    with pytest.raises(type(error)):
        look(_regions(error, "ap-guangzhou"), TAGS, WANTED)


@pytest.mark.parametrize("bad", ["ap-guangzhou", "ap-shanghai"])
def test_a_region_without_budget_is_asked_again_as_long_as_one_waits_for_it(bad: str) -> None:
    regions, waits = _regions(Throttled("too many"), bad), iter((True, True))

    def again(_refusal: Throttled) -> bool:
        if next(waits, None) is None:
            regions.bad = ""
        return True

    assert look(regions, TAGS, WANTED, again).regions == WANTED
    assert list(waits) == []
