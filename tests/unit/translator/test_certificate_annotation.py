"""The annotation `certificate` becomes the effective certificate of each host, as spec.tls does."""

import json

import pytest

from l7lb import translator
from l7lb.model.cluster import IngressTls
from l7lb.model.loadbalancer import Certificate
from l7lb.model.maybe import UNSET
from l7lb.model.snapshot import Translation
from l7lb.translator.names import Name

from .builders import HTTP, HTTPS, SETTINGS, codes, ingress, listener, ref, rule, rules, secret, snapshot, tls

A, B, WILD = "a.acme-demo.com", "b.acme-demo.com", "*.acme-demo.com"
CERT = Certificate(frozenset({"Kd83hQ2x"}))
OTHER = Certificate(frozenset({"Wq71LmPz"}))
PAIR = Certificate(frozenset({"Ec9vT2aa", "Rs4nB7cc"}))


def entry(ids: object, *hosts: str) -> dict[str, object]:
    return {"hosts": list(hosts), "qcloud_cert_id": ids}


def translate(
    *entries: object,
    text: str | None = None,
    hosts: tuple[str | None, ...] = (A, B),
    certs: tuple[IngressTls, ...] = (),
) -> Translation:
    value = json.dumps(entries) if text is None else text
    it = ingress(*(rule(host) for host in hosts), certs=certs, annotations={Name.CERTIFICATE: value})
    return translator.translate(snapshot(it, secret("cert")), SETTINGS)


def effective(found: Translation) -> dict[str, object]:
    return {host.host: host.certificate for host in listener(found).hosts}


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param((entry(["Kd83hQ2x"], A, B),), {A: CERT, B: CERT}, id="one for both"),
        pytest.param((entry(["Kd83hQ2x"]),), {A: CERT, B: CERT}, id="the entry without hosts serves all"),
        pytest.param(({"qcloud_cert_id": ["Kd83hQ2x"]},), {A: CERT, B: CERT}, id="hosts left out"),
        pytest.param((entry(["Kd83hQ2x"], A), entry(["Wq71LmPz"])), {A: CERT, B: OTHER}, id="own and default"),
        pytest.param(
            (entry(["Wq71LmPz"], WILD), entry(["Kd83hQ2x"], A)), {A: CERT, B: OTHER}, id="exact beats wildcard"
        ),
        pytest.param((entry(["Ec9vT2aa", "Rs4nB7cc"], WILD),), {A: PAIR, B: PAIR}, id="two algorithms"),
        pytest.param((entry([" Kd83hQ2x ", ""], f" {A} ", B),), {A: CERT, B: CERT}, id="blanks"),
    ],
)
def test_the_most_specific_entry_serves_a_host(entries: tuple[object, ...], expected: dict[str, object]) -> None:
    found = translate(*entries)
    assert listener(found).key == HTTPS
    assert effective(found) == expected
    assert found.problems == ()


def test_only_entries_with_hosts_mean_no_default_certificate_and_sni() -> None:
    by_host = listener(translate(entry(["Kd83hQ2x"], A, B)))
    assert (by_host.certificate, by_host.sni) == (UNSET, True)
    default = listener(translate(entry(["Kd83hQ2x"])))
    assert (default.certificate, default.sni) == (CERT, UNSET)


def test_spec_tls_and_the_annotation_are_translated_alike() -> None:
    by_annotation = translate(entry(["Kd83hQ2x"], A), entry(["Wq71LmPz"]))
    it = ingress(rule(A), rule(B), certs=[tls("one", A), tls("two")])
    by_secrets = translator.translate(snapshot(it, secret("one"), secret("two", "Wq71LmPz")), SETTINGS)
    assert by_annotation.desired == by_secrets.desired


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        pytest.param({"hosts": [B]}, "E4011", id="no id"),
        pytest.param(entry([], B), "E4011", id="an empty list of ids"),
        pytest.param(entry([""], B), "E4011", id="an empty id"),
        pytest.param(entry(["short"], B), "E4035", id="an id of five characters"),
        pytest.param(entry(["Kd83hQ2x,Wq71LmPz"], B), "E4035", id="two ids in one text"),
        pytest.param(entry(["Kd83hQ2x", "Wq71LmPz", "Ec9vT2aa"], B), "E4035", id="three ids"),
        pytest.param(
            {**entry(["Kd83hQ2x"], B), "qcloud_ca_cert_id": "Ca5xY1dd"}, "ClientAuthorityNotSupported", id="mutual"
        ),
    ],
)
def test_a_bad_entry_holds_its_host_and_nothing_else(bad: object, code: str) -> None:
    found = translate(entry(["Kd83hQ2x"], A), bad)
    assert codes(found) == [code]
    assert found.held.hosts == {(HTTP, B), (HTTPS, B)}
    assert found.held.listeners == frozenset()
    assert effective(found) == {A: CERT, B: UNSET}
    assert rules(found)[f"{B}/"].targets, "its targets are followed all the same"


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        pytest.param((entry(["Kd83hQ2x"], A),), "E4040", id="no entry for a host"),
        pytest.param((entry(["Kd83hQ2x"], A, B), entry(["Wq71LmPz"], B)), "E4049", id="a host in two entries"),
        pytest.param(
            (entry(["Kd83hQ2x"], A), entry(["Kd83hQ2x"]), entry(["Wq71LmPz"])), "E4048", id="two without hosts"
        ),
    ],
)
def test_a_host_whose_entry_cannot_be_told_is_held(entries: tuple[object, ...], code: str) -> None:
    found = translate(*entries)
    assert codes(found) == [code]
    assert found.problems[0].field == f"metadata.annotations[{Name.CERTIFICATE}]"
    assert effective(found) == {A: CERT, B: UNSET}


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "{}",
        '"Kd83hQ2x"',
        '["Kd83hQ2x"]',
        '[{"hosts":"a.acme-demo.com","qcloud_cert_id":["Kd83hQ2x"]}]',
        '[{"hosts":[1],"qcloud_cert_id":["Kd83hQ2x"]}]',
        '[{"hosts":[""],"qcloud_cert_id":["Kd83hQ2x"]}]',
        '[{"qcloud_cert_id":"Kd83hQ2x"}]',
    ],
)
def test_one_that_cannot_be_read_leaves_all_certificates_and_follows_targets(text: str) -> None:
    found = translate(text=text)
    assert codes(found) == ["InvalidAnnotation"]
    assert found.refusal is None
    assert found.held.listeners == {HTTPS}
    assert found.held.hosts == {(on, host) for on in (HTTP, HTTPS) for host in (A, B)}
    assert found.held.covers(ref(f"{A}/", HTTP)), "a rule that still works over HTTP stays"
    assert rules(found)[f"{A}/"].targets


def test_together_with_spec_tls_neither_counts() -> None:
    found = translate(entry(["Wq71LmPz"]), certs=(tls("cert"),))
    assert codes(found) == ["TwoSourcesOfCertificates"]
    assert found.held.listeners == {HTTPS}
    assert effective(found) == {A: UNSET, B: UNSET}
    assert listener(found).certificate is UNSET


def test_an_empty_list_beside_spec_tls_says_nothing() -> None:
    found = translate(certs=(tls("cert"),))
    assert found.problems == ()
    assert effective(found) == {A: CERT, B: CERT}


def test_what_an_entry_holds_is_never_told() -> None:
    found = translate(entry(["-----BEGIN PRIVATE KEY-----MIIE"]))
    assert codes(found) == ["E4035"]
    assert not any("MIIE" in problem.message for problem in found.problems)
