"""How an Ingress stands, from its condition."""

import msgspec
import pytest

from l7lb.app.judging import advice, member_of, troubles_of, when, worst
from l7lb.model.branches import Mark
from l7lb.model.cluster import Ingress, ObjectMeta
from l7lb.model.marks import CONDITIONS, LOAD_BALANCER_ID
from l7lb.model.ownership import Record
from l7lb.reconciler.conditions import READY

SINCE = "2026-11-23T00:00:00Z"


def ingress(
    status: str = "", reason: str = "Ensured", message: str = READY.message, *, deleting: bool = False
) -> Ingress:
    condition = {"type": "Ready", "status": status, "reason": reason, "message": message, "lastTransitionTime": SINCE}
    said = {CONDITIONS: msgspec.json.encode([condition]).decode()} if status else {}
    at = SINCE if deleting else None
    meta = ObjectMeta(name="web", namespace="shop", annotations=said, deletion_timestamp=at)
    return Ingress(metadata=meta)


@pytest.mark.parametrize(
    ("found", "mark", "says"),
    [
        (ingress(), Mark.UNKNOWN, "nothing has been said about it yet"),
        (ingress("True"), Mark.OK, READY.message),
        (ingress("True", message=f"{READY.message}; E4054: many nodes"), Mark.WARNING, "E4054: many nodes"),
        (ingress("True", "Skipped", "neither compared nor changed"), Mark.OK, "neither compared nor changed"),
        (ingress("False", "ServiceNotFound", "E4041: no Service"), Mark.BAD, "E4041: no Service"),
        (ingress("False", "Creating", "its listeners follow"), Mark.WAITING, "its listeners follow"),
        (ingress("True", deleting=True), Mark.WAITING, "is being deleted"),
    ],
)
def test_an_ingress_stands_as_its_condition_says(found: Ingress, mark: Mark, says: str) -> None:
    member = member_of(found, None, "ap-guangzhou")
    assert (member.mark, member.says) == (mark, says)


def test_troubles_are_told_piece_by_piece_with_their_codes() -> None:
    found = troubles_of(ingress("False", "ServiceNotFound", "E4041: Service a; not there; E4040: no certificate"))
    assert [(one.code, one.reason, one.message) for one in found] == [
        ("E4041", "ServiceNotFound", "Service a; not there"),
        ("E4040", "CertificateMissing", "no certificate"),
    ]
    assert {one.since for one in found} == {when(SINCE)}


def test_warnings_of_a_ready_one_are_troubles_too_and_its_readiness_is_none() -> None:
    (one,) = troubles_of(ingress("True", message=f"{READY.message}; E4054: many nodes"))
    assert (one.mark, one.code) == (Mark.WARNING, "E4054")
    assert troubles_of(ingress("True")) == ()
    assert troubles_of(ingress()) == ()
    assert troubles_of(ingress("False", "Deleting", "waits")) == ()


def test_advice_that_the_message_gives_already_is_not_repeated() -> None:
    assert advice("E4041", "Service shop/web not found; create it or change the backend") == ""
    assert advice("E4041", "Service shop/web not found")
    assert "`" not in advice("E6006", "no answer")
    assert advice("E9999", "anything") == ""


def test_the_load_balancer_is_the_one_of_the_record() -> None:
    record = Record("uid", "cls-1", lb="lb-1")
    assert str(member_of(ingress(), record, "ap-guangzhou").ref) == "ap-guangzhou/lb-1"
    annotated = Ingress(metadata=ObjectMeta(name="web", annotations={LOAD_BALANCER_ID: "lb-9"}))
    assert member_of(annotated, None, "ap-guangzhou").ref is None


@pytest.mark.parametrize("text", [None, "", "soon", "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_none(text: str | None) -> None:
    assert when(text) is None


def test_the_worst_of_several_is_shown() -> None:
    assert worst([Mark.OK, Mark.BAD, Mark.WAITING]) is Mark.BAD
    assert worst([], Mark.UNKNOWN) is Mark.UNKNOWN
