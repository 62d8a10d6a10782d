"""Every load balancer of the cluster against every kind of Ingress list: what it is, and what it may never be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

import pytest

from l7lb import ledger
from l7lb.model.identity import Cluster, LoadBalancerId
from l7lb.model.inventory import Census, Entry, Provenance, Use
from l7lb.model.loadbalancer import LoadBalancerHead
from tests.builders import CLUSTER, LB, LENT_TAGS, OUR_TAGS, head

VALUES: Mapping[str, tuple[str | None, ...]] = {
    "tke-createdBy-flag": (None, "no", "yes"),
    "tke-clusterId": (None, "cls-other", "cls-1"),
    "tke-lb-ingress-uuid": (None, "", "uid-1"),
    "l7lb-cluster-uid": (None, "other-uid", "kube-system-uid"),
    "tke-lb-serviceuuid": (None, "service-uid"),
    "tke-lb-serviceId": (None, "lb-service"),
    "tke-lifecycle-owner": (None, "tke", "user"),
}
FLAGS = ("", "delete_protection", "private_link", "creating")
CENSUSES: Mapping[str, Census | None] = {
    "unread": None,
    "nobody there": Census(frozenset()),
    "others there": Census(frozenset({"uid-9"}), {LoadBalancerId("lb-9"): frozenset({"uid-9"})}),
    "its Ingress there": Census(frozenset({"uid-1"})),
    "its Ingress there, with a record of it": Census(frozenset({"uid-1"}), recorded={"uid-1": LB}),
    "its Ingress there, with a record of another": Census(
        frozenset({"uid-1"}), recorded={"uid-1": LoadBalancerId("lb-9")}
    ),
    "named by another": Census(frozenset({"uid-9"}), {LB: frozenset({"uid-9"})}),
}


@dataclass(frozen=True)
class State:
    """One point of the product."""

    head: LoadBalancerHead
    census: str

    def value(self, key: str) -> str | None:
        return self.head.tags.get(key)

    @property
    def entry(self) -> Entry:
        (found,) = ledger.inventory((self.head,), CLUSTER, CENSUSES[self.census])
        return found

    @property
    def ours(self) -> bool:
        """All that the law of orphans asks of the load balancer itself, tag by tag."""
        return (
            self.value("tke-createdBy-flag") == "yes"
            and self.value("tke-clusterId") == "cls-1"
            and self.value("l7lb-cluster-uid") == "kube-system-uid"
            and bool(self.value("tke-lb-ingress-uuid"))
            and self.value("tke-lb-serviceuuid") is None
            and self.value("tke-lb-serviceId") is None
            and self.value("tke-lifecycle-owner") != "user"
            and not self.head.delete_protection
            and not self.head.private_link
        )


def heads() -> Iterator[LoadBalancerHead]:
    for values in product(*VALUES.values()):
        tags = {key: value for key, value in zip(VALUES, values, strict=True) if value is not None}
        for flag in FLAGS:
            one = head(tags=tags)
            if flag == "creating":
                one = replace(one, running=False)
            elif flag:
                one = replace(one, **{flag: True})  # type: ignore[arg-type]  # a flag
            yield one


@pytest.fixture(scope="module")
def states() -> list[State]:
    return [State(one, census) for one in heads() for census in CENSUSES]


def test_an_orphan_has_every_sign_of_ours_and_no_ingress(states: list[State]) -> None:
    free = {"nobody there", "others there"}
    for state in states:
        expected = state.ours and state.head.running and state.census in free
        assert (state.entry.use is Use.ORPHAN) == expected, state


def test_nothing_is_told_without_the_ingresses_but_that_it_is_foreign(states: list[State]) -> None:
    for state in states:
        if state.census == "unread":
            assert state.entry.use in {Use.UNKNOWN, Use.FOREIGN}, state


def test_what_names_another_cluster_is_foreign_whatever_else_it_says(states: list[State]) -> None:
    for state in states:
        foreign = state.value("tke-clusterId") != "cls-1" or state.value("l7lb-cluster-uid") == "other-uid"
        assert (state.entry.use is Use.FOREIGN) == foreign, state
        assert (state.entry.provenance is Provenance.FOREIGN) == foreign, state


def test_what_serves_a_service_or_was_lent_is_never_made_by_us(states: list[State]) -> None:
    for state in states:
        service = {state.value("tke-lb-serviceuuid"), state.value("tke-lb-serviceId")} != {None}
        if service or state.value("tke-createdBy-flag") != "yes":
            assert state.entry.provenance not in {Provenance.MADE, Provenance.UNPROVEN, Provenance.KEPT}, state


def test_every_entry_says_why(states: list[State]) -> None:
    assert all(state.entry.reason for state in states)


def test_no_tag_ever_makes_anything_ours_while_the_own_identity_is_unknown() -> None:
    for one in heads():
        for cluster in (Cluster("cls-1"), Cluster("")):
            assert ledger.provenance(one, cluster)[0] is not Provenance.MADE, one


TOLD = {
    "made by TKE's controller, whose Ingress is gone": (
        {key: value for key, value in OUR_TAGS.items() if key != "l7lb-cluster-uid"},
        Use.UNPROVEN_ORPHAN,
    ),
    "lent, and its Ingress is gone": (LENT_TAGS, Use.LEFT_BEHIND),
    "lent to a group that is gone": ({"tke-clusterId": "cls-1"}, Use.LEFT_BEHIND),
    "to outlive its Ingress": ({**OUR_TAGS, "tke-lifecycle-owner": "user"}, Use.KEPT),
    "a Service's, and an Ingress that is gone used it": ({**OUR_TAGS, "tke-lb-serviceuuid": "s"}, Use.SERVICE),
    "an old cluster's Service's": ({**OUR_TAGS, "s_lbl-1": "x"}, Use.SERVICE),
    "made for nobody": ({"tke-createdBy-flag": "yes", "tke-clusterId": "cls-1"}, Use.UNCLAIMED),
    "its tag is edited to another cluster": ({**OUR_TAGS, "tke-clusterId": "cls-2"}, Use.FOREIGN),
    "of a cluster with the same id": ({**OUR_TAGS, "l7lb-cluster-uid": "another"}, Use.FOREIGN),
    "the owner's word is nonsense": ({**OUR_TAGS, "tke-lifecycle-owner": "me"}, Use.ORPHAN),
    "made by us": (OUR_TAGS, Use.ORPHAN),
}


@pytest.mark.parametrize("about", TOLD)
def test_what_it_is_without_any_ingress(about: str) -> None:
    tags, use = TOLD[about]
    (entry,) = ledger.inventory((head(tags=tags),), CLUSTER, Census(frozenset()))
    assert entry.use is use


def test_two_for_one_ingress_are_the_recorded_one_and_a_duplicate() -> None:
    there = (head("lb-1"), head("lb-2"))
    census = Census(frozenset({"uid-1"}), recorded={"uid-1": LoadBalancerId("lb-2")})
    assert [entry.use for entry in ledger.inventory(there, CLUSTER, census)] == [Use.DUPLICATE, Use.USED]


def test_two_for_one_ingress_without_a_record_are_both_duplicates() -> None:
    entries = ledger.inventory((head("lb-1"), head("lb-2")), CLUSTER, Census(frozenset({"uid-1"})))
    assert [entry.use for entry in entries] == [Use.DUPLICATE, Use.DUPLICATE]


def test_a_foreign_one_with_the_same_uid_makes_no_duplicate() -> None:
    there = (head("lb-1"), head("lb-2", {**OUR_TAGS, "l7lb-cluster-uid": "another"}))
    entries = ledger.inventory(there, CLUSTER, Census(frozenset({"uid-1"})))
    assert [entry.use for entry in entries] == [Use.USED, Use.FOREIGN]


def test_two_for_an_ingress_that_is_gone_are_two_orphans() -> None:
    entries = ledger.inventory((head("lb-1"), head("lb-2")), CLUSTER, Census(frozenset()))
    assert [entry.use for entry in entries] == [Use.ORPHAN, Use.ORPHAN]


def test_the_load_balancer_of_a_group_is_used_by_those_who_name_it() -> None:
    census = Census(frozenset({"a", "b"}), {LB: frozenset({"a", "b"})})
    (entry,) = ledger.inventory((head(tags={"tke-clusterId": "cls-1"}),), CLUSTER, census)
    assert (entry.use, entry.provenance) == (Use.USED, Provenance.LENT)


def test_a_restored_manifest_that_names_it_keeps_it_from_being_an_orphan() -> None:
    census = Census(frozenset({"new-uid"}), {LB: frozenset({"new-uid"})})
    (entry,) = ledger.inventory((head(),), CLUSTER, census)
    assert entry.use is Use.NAMED
