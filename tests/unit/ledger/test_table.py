"""The whole product of tags, annotations, record and flags: one row each, and what may never be."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import pytest

from l7lb import ledger
from l7lb.model.ownership import Claim, Disposal, Evidence, Ownership, Record
from tests.builders import CLUSTER, LB, head, listener, observed

VALUES = {
    "tke-createdBy-flag": (None, "no", "yes"),
    "tke-clusterId": (None, "cls-other", "cls-1"),
    "tke-lb-ingress-uuid": (None, "uid-other", "uid-mate", "uid-1"),
    "l7lb-cluster-uid": (None, "other-uid", "kube-system-uid"),
    "tke-lb-serviceuuid": (None, "service-uid"),
    "tke-lifecycle-owner": (None, "tke", "user"),
}
RECORDS = {
    "none": None,
    "names it": Record("uid-1", "cls-1", lb=LB, claim="created"),
    "names another": Record("uid-1", "cls-1", lb="lb-9", claim="created"),
    "adopting it": Record("uid-1", "cls-1", lb=LB, claim="adopting"),
}
KEEPING = ("", "retain", "delete_protection", "private_link", "delete_refused")
WORLD = observed(listener("HTTP:80"))


@dataclass(frozen=True)
class State:
    """One point of the product, with what an independent reader makes of it."""

    evidence: Evidence

    def value(self, key: str) -> str | None:
        return self.evidence.tags.get(key)

    @property
    def shared(self) -> bool:
        return self.evidence.group and self.evidence.named

    @property
    def another(self) -> bool:
        uid = self.value("tke-lb-ingress-uuid")
        return (
            self.value("tke-clusterId") == "cls-other"
            or self.value("l7lb-cluster-uid") == "other-uid"
            or uid == "uid-other"
            or (uid == "uid-mate" and not self.shared)
        )

    @property
    def created(self) -> bool:
        return self.value("tke-createdBy-flag") == "yes"

    @property
    def our_uid(self) -> bool:
        return self.value("tke-lb-ingress-uuid") == "uid-1"

    @property
    def kept(self) -> bool:
        e = self.evidence
        flags = e.retain or e.delete_protection or e.private_link or e.delete_refused
        return flags or self.value("tke-lifecycle-owner") == "user" or self.value("tke-lb-serviceuuid") is not None

    @property
    def recorded(self) -> bool:
        return self.evidence.record is not None and self.evidence.record.lb == LB

    @property
    def blank(self) -> bool:
        keys = ("tke-clusterId", "tke-lb-ingress-uuid", "l7lb-cluster-uid")
        half = self.recorded and self.evidence.record is RECORDS["adopting it"]
        half = half and self.value("tke-lb-ingress-uuid") is None and self.value("tke-clusterId") == "cls-1"
        return half or all(self.value(key) is None for key in keys)


def rows(s: State) -> list[Ownership]:
    """Every row whose full condition holds, written with all its negations, so that two would be a contradiction."""
    ours_made = not s.another and not s.shared and s.our_uid and s.created
    adopted = not s.another and not s.shared and s.our_uid and not s.created and (s.evidence.named or s.recorded)
    lendable = (
        not s.another and not s.shared and not s.our_uid and not s.created
        and s.evidence.named and s.blank and s.value("tke-lb-serviceuuid") is None
    )  # fmt: skip
    found = {
        Ownership.FOREIGN: s.another,
        Ownership.SHARED: not s.another and s.shared and not s.created,
        Ownership.KEPT: ours_made and s.kept,
        Ownership.CREATED: ours_made and not s.kept and s.value("tke-clusterId") == "cls-1",
        Ownership.ADOPTED: adopted,
        Ownership.TO_ADOPT: lendable,
    }
    hits = [ownership for ownership, holds in found.items() if holds]
    return hits or [Ownership.UNCLAIMED]


def states() -> Iterator[State]:
    for values in product(*VALUES.values()):
        tags = {key: value for key, value in zip(VALUES, values, strict=True) if value is not None}
        for record, named, group, skip, keeping in product(
            RECORDS.values(), (False, True), (False, True), (False, True), KEEPING
        ):
            evidence = Evidence(
                CLUSTER,
                "uid-1",
                tags,
                record,
                LB,
                named=named,
                group=group,
                group_uids=frozenset({"uid-1", "uid-mate"}),
                skip=skip,
            )
            yield State(replace(evidence, **{keeping: True}) if keeping else evidence)  # type: ignore[arg-type]  # a flag


@pytest.fixture(scope="module")
def judged() -> list[tuple[State, Claim]]:
    return [(state, ledger.read(state.evidence, None, frozenset(), {})) for state in states()]


def test_every_state_has_exactly_one_row(judged: list[tuple[State, Claim]]) -> None:
    assert len(judged) == 3**3 * 4 * 2 * 3 * 4 * 2 * 2 * 2 * len(KEEPING)
    wrong = [state for state, claim in judged if rows(state) != [claim.ownership]]
    assert not wrong, wrong[0]


def test_a_load_balancer_is_deleted_only_with_all_three_proofs(judged: list[tuple[State, Claim]]) -> None:
    for state, claim in judged:
        if claim.disposal is Disposal.DELETE_LOAD_BALANCER:
            tags = state.evidence.tags
            assert tags["tke-createdBy-flag"] == "yes"
            assert tags["tke-lb-ingress-uuid"] == "uid-1"
            assert tags["tke-clusterId"] == "cls-1"
            assert tags.get("l7lb-cluster-uid", "kube-system-uid") == "kube-system-uid"
            assert not state.kept
            assert not state.evidence.skip


def test_another_owners_load_balancer_gets_nothing(judged: list[tuple[State, Claim]]) -> None:
    for state, claim in judged:
        if state.another:
            assert claim.disposal is Disposal.LEAVE
            assert not claim.listeners | set(claim.missing_tags) | set(claim.removable_tags)


def test_only_tags_with_our_values_are_ever_removed(judged: list[tuple[State, Claim]]) -> None:
    ours = {
        "tke-createdBy-flag": "yes", "tke-clusterId": "cls-1", "tke-lb-ingress-uuid": "uid-1",
        "l7lb-cluster-uid": "kube-system-uid", "tke-lifecycle-owner": "tke",
    }  # fmt: skip
    for state, claim in judged:
        for removed in claim.removable_tags:
            assert state.evidence.tags[removed] == ours[removed]
        if state.value("tke-lb-serviceuuid") is not None:
            assert set(claim.removable_tags) <= {"tke-lb-ingress-uuid"}
        if claim.ownership is Ownership.ADOPTED:
            assert set(claim.removable_tags) <= {"tke-clusterId", "tke-lb-ingress-uuid"}


def test_mode_skip_leaves_everything(judged: list[tuple[State, Claim]]) -> None:
    for state, claim in judged:
        if state.evidence.skip and not state.shared:
            assert claim.disposal is Disposal.LEAVE
            assert claim.untouched or claim.ownership is Ownership.FOREIGN
            assert not claim.removable_tags


def test_every_refusal_of_a_named_load_balancer_has_its_code(judged: list[tuple[State, Claim]]) -> None:
    for state, claim in judged:
        refused = claim.ownership in {Ownership.FOREIGN, Ownership.UNCLAIMED}
        assert bool(claim.code) == refused
        known = state.recorded and state.evidence.record is not RECORDS["adopting it"] and not state.shared
        if refused and state.evidence.named and not known:
            assert claim.code == ("E4019" if state.created else "E4020")
        elif refused:
            assert claim.code == "E4017"


def test_a_claim_with_listeners_is_one_of_three() -> None:
    for state in states():
        e = state.evidence
        if e.retain or e.private_link or e.delete_refused or e.record is RECORDS["names another"]:
            continue
        claim = ledger.read(e, WORLD, frozenset({listener("HTTP:80").key}), {})
        if claim.listeners or claim.removable_tags:
            assert claim.ownership in {Ownership.CREATED, Ownership.KEPT, Ownership.ADOPTED}
            assert not claim.untouched
        if claim.missing_tags:
            assert claim.ownership in {Ownership.ADOPTED, Ownership.TO_ADOPT}
            assert {name for name, _ in claim.missing_tags} <= {"tke-clusterId", "tke-lb-ingress-uuid"}


@pytest.mark.parametrize(
    ("tags", "known_uid", "expected"),
    [
        pytest.param({}, "", Ownership.UNCLAIMED, id="no tag, own identity unknown"),
        pytest.param({"l7lb-cluster-uid": "x"}, "", Ownership.FOREIGN, id="a tag, own identity unknown"),
        pytest.param({"l7lb-cluster-uid": ""}, "", Ownership.UNCLAIMED, id="an empty tag, own identity unknown"),
    ],
)
def test_an_unknown_own_identity_proves_nothing(tags: dict[str, str], known_uid: str, expected: Ownership) -> None:
    cluster = type(CLUSTER)("cls-1", known_uid)
    claim = ledger.read(Evidence(cluster, "uid-1", tags, None, LB), None, frozenset(), {})
    assert claim.ownership is expected


def test_the_key_of_an_old_service_form_is_recognised() -> None:
    tags = dict(head().tags) | {"0a1b_lbl-12345678": "80"}
    claim = ledger.read(Evidence(CLUSTER, "uid-1", tags, None, LB), None, frozenset(), {})
    assert claim.ownership is Ownership.KEPT
