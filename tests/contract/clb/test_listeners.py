"""Listeners: ports, certificates, SNI, deletion."""

from typing import Any

import pytest

from tests.contract.clb.account import Account
from tests.contract.clb.conftest import Emulate

MULTI = {"SSLMode": "UNIDIRECTIONAL", "CertList": [{"CertId": "certrsa1"}, {"CertId": "certecc1"}]}


def test_a_port_serves_one_listener_whatever_its_protocol(account: Account) -> None:
    lb = account.create()
    account.listener(lb, 443, "HTTPS")

    assert account.code("CreateListener", LoadBalancerId=lb, Ports=[443], Protocol="HTTP") == (
        "InvalidParameter.PortCheckFailed"
    )
    account.listener(lb, 443, "UDP")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "reserved port": ({"Ports": [3306], "Protocol": "HTTP"}, "InvalidParameter.PortCheckFailed"),
    "port 0": ({"Ports": [0], "Protocol": "HTTP"}, "InvalidParameterValue.Range"),
    "no port": ({"Ports": [], "Protocol": "HTTP"}, "MissingParameter"),
    "50 ports": ({"Ports": list(range(100, 150)), "Protocol": "HTTP"}, "InvalidParameterValue.Length"),
    "names of another length": (
        {"Ports": [80], "Protocol": "HTTP", "ListenerNames": ["a", "b"]},
        "InvalidParameterValue",
    ),
    "unknown protocol": ({"Ports": [80], "Protocol": "FTP"}, "InvalidParameterValue"),
    "HTTPS without certificate": ({"Ports": [443], "Protocol": "HTTPS"}, "MissingParameter"),
    "HTTP with certificate": (
        {"Ports": [80], "Protocol": "HTTP", "Certificate": {"CertId": "certrsa1"}},
        "InvalidParameterValue",
    ),
    "SNI with a certificate of the listener": (
        {"Ports": [443], "Protocol": "HTTPS", "SniSwitch": 1, "Certificate": {"CertId": "certrsa1"}},
        "InvalidParameterValue",
    ),
    "expired certificate": (
        {"Ports": [443], "Protocol": "HTTPS", "Certificate": {"CertId": "certexp1"}},
        "InvalidParameterValue",
    ),
    "CA as server certificate": (
        {"Ports": [443], "Protocol": "HTTPS", "Certificate": {"CertId": "certca01"}},
        "InvalidParameterValue",
    ),
    "mutual without CA": (
        {"Ports": [443], "Protocol": "HTTPS", "Certificate": {"CertId": "certrsa1", "SSLMode": "MUTUAL"}},
        "MissingParameter",
    ),
    "two certificates of one algorithm": (
        {
            "Ports": [443],
            "Protocol": "HTTPS",
            "MultiCertInfo": {
                "SSLMode": "UNIDIRECTIONAL",
                "CertList": [{"CertId": "certrsa1"}, {"CertId": "certrsa2"}],
            },
        },
        "InvalidParameterValue",
    ),
    "both certificate forms": (
        {"Ports": [443], "Protocol": "HTTPS", "Certificate": {"CertId": "certrsa1"}, "MultiCertInfo": MULTI},
        "InvalidParameterValue",
    ),
}


@pytest.mark.parametrize(("params", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_a_listener_that_cannot_be_is_refused(account: Account, params: dict[str, Any], code: str) -> None:
    lb = account.create()

    assert account.code("CreateListener", LoadBalancerId=lb, **params) == code
    assert account.listeners(lb) == []


def test_an_unknown_certificate_is_named_in_the_refusal(account: Account) -> None:
    lb = account.create()

    refused = account.refusal(
        "CreateListener", LoadBalancerId=lb, Ports=[443], Protocol="HTTPS", Certificate={"CertId": "nonesuch"}
    )

    assert refused.code == "InvalidParameterValue"
    assert "Query certificate 'nonesuch' failed." in refused.message


def test_two_algorithms_and_a_client_authority_are_read_back(account: Account) -> None:
    lb = account.create()
    account.listener(lb, 443, "HTTPS", Certificate={"CertId": "certrsa1", "SSLMode": "MUTUAL", "CertCaId": "certca01"})
    several = account.clb("CreateListener", LoadBalancerId=lb, Ports=[8443], Protocol="HTTPS", MultiCertInfo=MULTI)
    account.done(several)

    mutual, double = (item["Certificate"] for item in account.listeners(lb))

    assert (mutual["SSLMode"], mutual["CertId"], mutual["CertCaId"]) == ("MUTUAL", "certrsa1", "certca01")
    assert (double["CertId"], double["ExtCertIds"]) == ("certrsa1", ["certecc1"])


def test_an_expired_certificate_may_also_be_accepted(emulate: Emulate) -> None:
    account = emulate(switches={"expired_certificate": "accepted"})

    account.listener(account.create(), 443, "HTTPS", Certificate={"CertId": "certexp1"})


def test_the_quota_of_listeners_holds(emulate: Emulate) -> None:
    account = emulate(quotas={"TOTAL_LISTENER_QUOTA": 1})
    lb = account.create()
    account.listener(lb, 80)

    assert account.code("CreateListener", LoadBalancerId=lb, Ports=[81], Protocol="HTTP") == "LimitExceeded"


@pytest.mark.parametrize(("moves", "left"), [(True, None), (False, "certrsa1")])
def test_sni_switched_on_keeps_the_hosts_certificates_and_never_goes_off(
    emulate: Emulate, moves: bool, left: str | None
) -> None:
    account = emulate(switches={"sni_moves_certificate": moves})
    lb = account.create()
    listener = account.listener(lb, 443, "HTTPS")
    account.rules(lb, listener, "a.example.com/")

    account.write("ModifyListener", LoadBalancerId=lb, ListenerId=listener, SniSwitch=1)

    (shown,) = account.listeners(lb)
    assert shown["SniSwitch"] == 1
    assert (shown["Certificate"] or {}).get("CertId") == left
    assert shown["Rules"][0]["Certificate"]["CertId"] == "certrsa1"
    assert account.code("ModifyListener", LoadBalancerId=lb, ListenerId=listener, SniSwitch=0) == "UnsupportedOperation"


def test_a_listeners_certificate_and_name_can_be_changed(account: Account) -> None:
    lb = account.create()
    listener = account.listener(lb, 443, "HTTPS")

    account.write(
        "ModifyListener",
        LoadBalancerId=lb,
        ListenerId=listener,
        ListenerName="renamed",
        KeepaliveEnable=1,
        Certificate={"SSLMode": "UNIDIRECTIONAL", "CertId": "certrsa2"},
    )

    (shown,) = account.listeners(lb)
    assert (shown["ListenerName"], shown["KeepaliveEnable"]) == ("renamed", 1)
    assert shown["Certificate"]["CertId"] == "certrsa2"


def test_a_batch_deletion_with_one_missing_listener_deletes_none(account: Account) -> None:
    lb = account.create()
    listener = account.listener(lb)

    refused = account.refusal("DeleteLoadBalancerListeners", LoadBalancerId=lb, ListenerIds=[listener, "lbl-none0000"])

    assert refused.code == "InvalidParameter"
    assert "some ListenerId lbl-none0000 not found" in refused.message
    assert len(account.listeners(lb)) == 1


def test_an_empty_list_deletes_every_listener_where_the_emulator_does_not_forbid_it(emulate: Emulate) -> None:
    account = emulate(refuse_forbidden=False)
    lb = account.create()
    account.listener(lb, 80)
    account.listener(lb, 81)

    account.write("DeleteLoadBalancerListeners", LoadBalancerId=lb)

    assert account.listeners(lb) == []


def test_listeners_can_be_asked_for_by_id_protocol_and_port(account: Account) -> None:
    lb = account.create()
    plain, secure = account.listener(lb, 80), account.listener(lb, 443, "HTTPS")

    def shown(**params: Any) -> list[str]:
        answer = account.clb("DescribeListeners", LoadBalancerId=lb, **params)
        return [item["ListenerId"] for item in answer["Listeners"]]

    assert shown(ListenerIds=[plain]) == [plain]
    assert shown(Protocol="HTTPS") == [secure]
    assert shown(Port=80) == [plain]


def test_a_single_listener_can_be_deleted_by_its_own_action(account: Account) -> None:
    lb = account.create()
    listener = account.listener(lb)

    account.write("DeleteListener", LoadBalancerId=lb, ListenerId=listener)

    assert account.listeners(lb) == []
    assert (
        account.code("DeleteListener", LoadBalancerId=lb, ListenerId=listener) == "InvalidParameter.ListenerIdNotFound"
    )
