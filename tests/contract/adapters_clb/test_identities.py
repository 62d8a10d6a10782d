"""Temporary keys over sockets that we answer, and TLS with a certificate authority of our own."""

import json
from pathlib import Path

import pytest
import trustme

from l7lb import errors
from l7lb.adapters.clb import transport
from l7lb.adapters.clb.credentials import Environment, InstanceRole, Temporary, WebIdentity, load
from l7lb.adapters.clb.sdk import Clients, Endpoint, NoAnswer
from tests.contract.adapters_clb.rude_server import RudeServer, http
from tests.contract.adapters_clb.tenant import KEYS
from tests.emulators.clb.emulator import ClbEmulator
from tests.emulators.clb.faults import Fault
from tests.emulators.clb.server import ClbServer

GIVEN = {"Code": "Success", "TmpSecretId": "id", "TmpSecretKey": "hidden", "Token": "t", "ExpiredTime": 9e9}
ROLE = http(b"l7lb-role", content_type="text/plain")


def test_the_role_of_the_machine_is_looked_up_and_its_keys_used() -> None:
    with RudeServer([ROLE], [http(GIVEN)]) as server:
        keys = Temporary(InstanceRole(url=f"{server.url}/cam/"))
        assert keys.get_credential_info() == ("id", "hidden", "t")
        assert server.requests[1].startswith(b"GET /cam/l7lb-role ")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (http(b"", status="404 Not Found"), errors.AccessDenied),
        (http(b""), errors.AccessDenied),
        (http(b"", status="500 Oops"), errors.Unavailable),
        (b"", errors.Unavailable),
    ],
)
def test_a_machine_without_a_role_is_told_from_one_that_does_not_answer(
    said: bytes, kind: type[errors.L7lbError]
) -> None:
    with RudeServer([said]) as server, pytest.raises(kind):
        InstanceRole(url=f"{server.url}/")()


@pytest.mark.parametrize("said", [b"{", b"[]", json.dumps({"Code": "Success"}).encode()])
def test_keys_that_cannot_be_read_are_unavailable_and_not_shown(said: bytes) -> None:
    with RudeServer([http(said)]) as server, pytest.raises(errors.Unavailable):
        InstanceRole("role", f"{server.url}/")()


@pytest.fixture
def pod(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "token").write_text("projected-token")
    return {
        "TKE_REGION": "ap-guangzhou",
        "TKE_PROVIDER_ID": "OIDC",
        "TKE_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
        "TKE_ROLE_ARN": "qcs::cam::uin/1:roleName/l7lb",
    }


def test_a_service_account_token_is_exchanged_without_a_signature(pod: dict[str, str]) -> None:
    given = {"Credentials": {key: GIVEN[key] for key in ("TmpSecretId", "TmpSecretKey", "Token")}, "ExpiredTime": 9e9}
    with RudeServer([http({"Response": {**given, "RequestId": "r"}})]) as server:
        keys = load("tke-oidc", pod, Endpoint.parse(server.url))
        assert keys.get_credential_info() == ("id", "hidden", "t")
        assert b"Authorization: SKIP" in server.requests[0]
        assert b'"WebIdentityToken": "projected-token"' in server.requests[0]


@pytest.mark.parametrize(
    ("code", "kind"),
    [("InternalError", errors.Unavailable), ("InvalidParameter.OIDCError", errors.AccessDenied)],
)
def test_a_refused_exchange_is_terminal_and_a_failed_one_is_not(
    pod: dict[str, str], code: str, kind: type[errors.L7lbError]
) -> None:
    refusal = {"Response": {"Error": {"Code": code, "Message": "no"}, "RequestId": "r"}}
    with RudeServer([http(refusal)]) as server, pytest.raises(kind) as caught:
        WebIdentity(pod, Endpoint.parse(server.url))()
    assert "projected-token" not in str(caught.value)


def test_a_token_file_that_cannot_be_read_is_unavailable(pod: dict[str, str]) -> None:
    exchange = WebIdentity(pod | {"TKE_WEB_IDENTITY_TOKEN_FILE": "/nowhere"}, Endpoint())
    with pytest.raises(errors.Unavailable):
        exchange()


def test_over_tls_calls_go_through_only_with_the_right_authority_and_are_cut_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    chain, ca = tmp_path / "chain.pem", tmp_path / "ca.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(chain))
    authority.cert_pem.write_to_path(str(ca))
    with ClbServer(ClbEmulator(rate_limits={"*": 0}), tls=(str(chain), str(chain))) as server:
        strange = Clients(Endpoint.parse(server.url), Environment(KEYS))
        with pytest.raises(NoAnswer, match="CERTIFICATE_VERIFY_FAILED") as caught:
            strange.send("clb", "DescribeQuota", "ap-guangzhou", {})
        assert not caught.value.sent
        strange.close()
        clients = Clients(Endpoint.parse(server.url, ca_file=str(ca)), Environment(KEYS))
        assert clients.send("clb", "DescribeQuota", "ap-guangzhou", {})["QuotaSet"]
        monkeypatch.setattr(transport, "READ_S", 0.2)
        server.emulator.gateway.faults.add(Fault("DescribeQuota", "slow", seconds=5.0))
        with pytest.raises(NoAnswer) as late:
            clients.send("clb", "DescribeQuota", "ap-guangzhou", {})
        assert late.value.sent
        clients.close()
