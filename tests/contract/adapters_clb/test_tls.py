"""The cloud is spoken to over TLS with its certificate verified, whatever the environment says."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from l7lb.adapters.clb.credentials import Environment
from l7lb.adapters.clb.sdk import Clients, Endpoint, NoAnswer
from l7lb.app.config import endpoint
from l7lb.errors import ConfigurationError
from tests.contract.adapters_clb.tenant import KEYS
from tests.emulators.clb.emulator import ClbEmulator
from tests.emulators.clb.server import ClbServer

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return made


@pytest.fixture
def ca(tmp_path: Path, authority: trustme.CA) -> str:
    return str(tmp_path / "ca.pem")


def served(folder: Path, issued: trustme.LeafCert) -> ClbServer:
    chain = folder / "chain.pem"
    issued.private_key_and_cert_chain_pem.write_to_path(str(chain))
    return ClbServer(ClbEmulator(rate_limits={"*": 0}), tls=(str(chain), str(chain)))


@pytest.fixture
def good(tmp_path: Path, authority: trustme.CA) -> Iterator[ClbServer]:
    with served(tmp_path, authority.issue_cert("127.0.0.1")) as server:
        yield server


def asked(server: ClbServer, ca: str | None) -> object:
    clients = Clients(Endpoint.parse(server.url, ca_file=ca), Environment(KEYS))
    try:
        return clients.send("clb", "DescribeQuota", "ap-guangzhou", {})["QuotaSet"]
    finally:
        clients.close()


def test_a_server_of_a_known_authority_is_believed(good: ClbServer, ca: str) -> None:
    assert asked(good, ca)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_an_authority_in_the_environment_makes_nobody_believed(
    good: ClbServer, ca: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, ca)
    with pytest.raises(NoAnswer, match="CERTIFICATE_VERIFY_FAILED") as caught:
        asked(good, None)
    assert not caught.value.sent
    assert not good.emulator.calls.log


BAD = {
    "for another name": ("elsewhere.example.com", None, "mismatch|doesn't match|IP address"),
    "that has expired": ("127.0.0.1", LONG_AGO, "expired"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_certificate_that_is_wrong_is_refused_before_a_byte_of_the_call_leaves(
    tmp_path: Path, authority: trustme.CA, ca: str, name: str
) -> None:
    host, until, said = BAD[name]
    with served(tmp_path, authority.issue_cert(host, not_after=until)) as server:
        with pytest.raises(NoAnswer, match=said) as caught:
            asked(server, ca)
        assert not caught.value.sent
        assert not server.emulator.calls.log


@pytest.mark.parametrize(
    "text", ["http://clb.example.com", "http://10.0.0.1:80", "ftp://127.0.0.1", "http://127.0.0.1.evil.example"]
)
def test_a_signed_call_never_goes_anywhere_without_tls(text: str) -> None:
    with pytest.raises(ConfigurationError, match="--clb-endpoint"):
        endpoint(text)


def test_tls_is_what_is_spoken_by_default() -> None:
    assert Endpoint.parse("").scheme() == "https"
    assert Endpoint.parse("clb.internal.tencentcloudapi.com").scheme() == "https"


def test_a_server_on_this_machine_is_reached_without_a_proxy(
    good: ClbServer, ca: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert asked(good, ca)
