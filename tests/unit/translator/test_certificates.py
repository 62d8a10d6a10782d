"""spec.tls and its Secrets become the effective certificate of each host."""

import pytest

from l7lb import translator
from l7lb.model.cluster import IngressTls, Secret
from l7lb.model.loadbalancer import Certificate
from l7lb.model.maybe import UNSET
from l7lb.model.problems import Severity
from l7lb.model.snapshot import Translation

from .builders import HTTP, HTTPS, SETTINGS, codes, ingress, listener, ref, rule, rules, secret, snapshot, tls

A, B, WILD = "a.acme-demo.com", "b.acme-demo.com", "*.acme-demo.com"
CERT = Certificate(frozenset({"Kd83hQ2x"}))
OTHER = Certificate(frozenset({"Wq71LmPz"}))
SECRETS = (secret("cert"), secret("other", "Wq71LmPz"))


def translate(
    *entries: IngressTls, hosts: tuple[str | None, ...] = (A, B), secrets: tuple[Secret, ...] = SECRETS
) -> Translation:
    it = ingress(*(rule(host) for host in hosts), certs=entries)
    return translator.translate(snapshot(it, *secrets), SETTINGS)


def effective(found: Translation) -> dict[str, object]:
    return {host.host: host.certificate for host in listener(found).hosts}


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param((tls("cert"),), {A: CERT, B: CERT}, id="the default entry serves all"),
        pytest.param((tls("cert", A), tls("other", B)), {A: CERT, B: OTHER}, id="an entry for each host"),
        pytest.param((tls("cert", A), tls("other")), {A: CERT, B: OTHER}, id="a host's own, and the default"),
        pytest.param((tls("cert", WILD),), {A: CERT, B: CERT}, id="a wildcard serves one label"),
        pytest.param((tls("other", WILD), tls("cert", A)), {A: CERT, B: OTHER}, id="exact beats wildcard"),
        pytest.param((tls("other"), tls("cert", WILD)), {A: CERT, B: CERT}, id="wildcard beats the default"),
        pytest.param((tls("cert", A, A), tls("other")), {A: CERT, B: OTHER}, id="a host twice in one entry"),
    ],
)
def test_the_most_specific_entry_serves_a_host(entries: tuple[IngressTls, ...], expected: dict[str, object]) -> None:
    found = translate(*entries)
    assert effective(found) == expected
    assert found.problems == ()


def test_a_wildcard_does_not_serve_two_labels() -> None:
    found = translate(tls("cert", WILD), hosts=("x.y.acme-demo.com", A))
    assert codes(found) == ["E4040"]
    assert (HTTPS, "x.y.acme-demo.com") in found.held.hosts


def test_a_wildcard_host_takes_the_entry_of_the_same_name() -> None:
    assert effective(translate(tls("cert", WILD), hosts=(WILD,))) == {WILD: CERT}


def test_rules_without_a_host_take_the_default_entry_only() -> None:
    assert effective(translate(tls("cert"), tls("other", WILD), hosts=(None,))) == {"": CERT}
    assert codes(translate(tls("other", WILD), hosts=(None, A))) == ["E4040"]


def test_the_listener_has_the_default_certificate_or_none_of_its_own() -> None:
    assert listener(translate(tls("cert"))).certificate == CERT
    assert listener(translate(tls("cert", A, B))).certificate is UNSET
    assert listener(translate(tls("cert"))).sni is UNSET


@pytest.mark.parametrize(
    ("ids", "ca", "expected"),
    [
        pytest.param("Ec9vT2aa,Rs4nB7cc", None, Certificate(frozenset({"Ec9vT2aa", "Rs4nB7cc"})), id="two algorithms"),
        pytest.param(" Ec9vT2aa , Rs4nB7cc\n", None, Certificate(frozenset({"Ec9vT2aa", "Rs4nB7cc"})), id="blanks"),
        pytest.param("Ec9vT2aa", "Ca5xY1dd\n", Certificate(frozenset({"Ec9vT2aa"}), "Ca5xY1dd"), id="mutual"),
        pytest.param("Ec9vT2aa,Ec9vT2aa", "", Certificate(frozenset({"Ec9vT2aa"})), id="one id twice, an empty CA"),
    ],
)
def test_a_secret_says_which_certificate(ids: str, ca: str | None, expected: Certificate) -> None:
    assert effective(translate(tls("cert"), hosts=(A,), secrets=(secret("cert", ids, ca),))) == {A: expected}


@pytest.mark.parametrize(
    ("entry", "secrets", "code"),
    [
        pytest.param(tls("", B), SECRETS, "E4009", id="empty Secret name"),
        pytest.param(tls(None, B), SECRETS, "E4009", id="no Secret name"),
        pytest.param(tls("gone", B), SECRETS, "E4010", id="no such Secret"),
        pytest.param(tls("bare", B), (*SECRETS, secret("bare", None)), "E4011", id="no id in the Secret"),
        pytest.param(tls("bare", B), (*SECRETS, secret("bare", " , ")), "E4011", id="only blanks in the Secret"),
        pytest.param(tls("bad", B), (*SECRETS, secret("bad", "short")), "E4035", id="an id of five characters"),
        pytest.param(tls("bad", B), (*SECRETS, secret("bad", "Kd83hQ2x,Wq71LmPz,Ec9vT2aa")), "E4035", id="three ids"),
        pytest.param(tls("bad", B), (*SECRETS, secret("bad", "Kd83hQ2x", "no")), "E4035", id="a malformed CA id"),
        pytest.param(
            tls("bad", B), (*SECRETS, secret("bad", "-----BEGIN PRIVATE KEY-----")), "E4035", id="a pasted key"
        ),
    ],
)
def test_a_bad_certificate_holds_its_host_and_nothing_else(
    entry: IngressTls, secrets: tuple[Secret, ...], code: str
) -> None:
    found = translate(tls("cert", A), entry, secrets=secrets)
    assert codes(found) == [code]
    assert found.held.hosts == {(HTTP, B), (HTTPS, B)}
    assert found.held.listeners == frozenset()
    assert effective(found) == {A: CERT, B: UNSET}
    assert rules(found)[f"{B}/"].targets, "its targets are followed all the same"


def test_what_a_secret_holds_is_never_told() -> None:
    found = translate(tls("bad"), secrets=(secret("bad", "-----BEGIN PRIVATE KEY-----MIIE"),))
    assert not any("MIIE" in problem.message for problem in found.problems)


def test_a_host_without_any_entry_is_held() -> None:
    found = translate(tls("cert", A))
    assert codes(found) == ["E4040"]
    assert (HTTPS, B) in found.held.hosts


def test_two_default_entries_hold_the_hosts_that_need_one() -> None:
    found = translate(tls("cert"), tls("other"), tls("cert", A))
    assert codes(found) == ["E4048"]
    assert effective(found) == {A: CERT, B: UNSET}
    assert listener(found).certificate is UNSET


def test_a_host_in_two_entries_is_held() -> None:
    found = translate(tls("cert", A, B), tls("other", B))
    assert codes(found) == ["E4049"]
    assert effective(found) == {A: CERT, B: UNSET}


def test_without_any_usable_certificate_the_listener_is_held() -> None:
    found = translate(tls("gone"))
    assert found.held.listeners == {HTTPS}
    assert codes(found) == ["E4010"]


def test_the_working_http_rule_is_held_while_the_new_tls_is_broken() -> None:
    found = translate(tls("gone"))
    assert found.held.covers(ref(f"{A}/", HTTP))


def test_secrets_that_cannot_be_read_hold_their_hosts_without_blaming_anybody() -> None:
    it = ingress(rule(A), certs=[tls("cert")])
    found = translator.translate(snapshot(it, *SECRETS, unread=frozenset({"Secret"})), SETTINGS)
    assert codes(found) == ["NotRead"]
    assert found.problems[0].severity is Severity.WARNING
    assert found.held.listeners == {HTTPS}
