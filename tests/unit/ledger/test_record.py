"""The record and the token: what is written is read again, and nothing else is believed."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l7lb import ledger
from l7lb.model.identity import Cluster, ListenerKey, Owner, RuleKey, RuleRef
from l7lb.model.ownership import Record
from l7lb.model.site import Family, Site
from tests.builders import OWNER

RECORD = Record(
    uid="uid-1",
    cluster="cls-1",
    ingress_class=("qcloud", None),
    region="ap-guangzhou",
    lb="lb-1",
    claim="created",
    attempt=2,
    listeners={"HTTPS:443": ("lbl-2", "web"), "HTTP:80": ("lbl-1", "web")},
    desired="0123",
)

words = st.text(max_size=8)
refs = st.builds(RuleRef, st.builds(ListenerKey, words, st.integers(0, 65535)), st.builds(RuleKey, words, words))
records = st.builds(
    Record,
    uid=st.just("uid-1"),
    cluster=st.just("cls-1"),
    ingress_class=st.tuples(st.none() | words, st.none() | words),
    region=words,
    lb=words,
    claim=words,
    attempt=st.integers(0, 10**6),
    listeners=st.dictionaries(words, st.tuples(words, words), max_size=3),
    desired=words,
    site=st.none() | st.builds(Site, st.sampled_from(Family), st.booleans()),
    marks=st.none() | st.dictionaries(words, words, max_size=3),
    rules=st.frozensets(refs, max_size=5),
    strangers=st.frozensets(refs, max_size=5),
    parts=st.frozensets(words, max_size=3),
)


@settings(deadline=None)
@given(records)
def test_what_is_written_is_read_again(record: Record) -> None:
    assert ledger.parse_record(ledger.format_record(record), OWNER) == record


def test_equal_records_are_written_alike() -> None:
    turned = dict(reversed(list(RECORD.listeners.items())))
    again = ledger.format_record(Record(**{f: getattr(RECORD, f) for f in RECORD.__slots__} | {"listeners": turned}))
    assert again == ledger.format_record(RECORD)


@pytest.mark.parametrize(
    "text",
    [None, "", "{", "[]", "3", "null", '{"v":1}', '{"v":2,"uid":"uid-1","cluster":"cls-1"}', "[" * 100_000],
    ids=["absent", "empty", "cut", "list", "number", "null", "no owner", "later version", "deep"],
)
def test_what_is_no_record_counts_as_absent(text: str | None) -> None:
    assert ledger.parse_record(text, OWNER) is None


@pytest.mark.parametrize("owner", [Owner(Cluster("cls-1"), "uid-2"), Owner(Cluster("cls-2"), "uid-1")])
def test_a_copied_record_counts_as_absent(owner: Owner) -> None:
    assert ledger.parse_record(ledger.format_record(RECORD), owner) is None


def test_fields_that_cannot_be_read_count_as_empty() -> None:
    broken = {
        "v": 1, "uid": "uid-1", "cluster": "cls-1", "class": "x", "region": 3, "lb": None, "claim": [],
        "attempt": True, "listeners": {"HTTP:80": ["a"], "HTTPS:443": ["a", "b"]}, "desired": {},
    }  # fmt: skip
    assert ledger.parse_record(json.dumps(broken), OWNER) == Record(
        "uid-1", "cls-1", listeners={"HTTPS:443": ("a", "b")}
    )


@settings(deadline=None)
@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    ledger.parse_record(text, OWNER)


def test_the_token_is_forty_hex_digits_and_tells_attempts_apart() -> None:
    tokens = {ledger.client_token(OWNER, attempt) for attempt in range(3)}
    assert len(tokens) == 3
    assert all(len(token) == 40 and int(token, 16) >= 0 for token in tokens)
    assert ledger.client_token(OWNER, 0) in tokens


def test_the_token_tells_ingresses_and_clusters_apart() -> None:
    owners = [Owner(Cluster(cluster), uid) for cluster in ("a", "ab") for uid in ("bc", "c")]
    assert len({ledger.client_token(owner, 0) for owner in owners}) == 4
