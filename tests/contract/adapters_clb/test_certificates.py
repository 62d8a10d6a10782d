"""The SSL service: ends and sorts of certificates, nothing else; and what it adds to a refusal."""

from datetime import UTC, datetime
from typing import Any

import pytest

from l7lb import errors
from l7lb.adapters.clb.calls import Caller
from l7lb.adapters.clb.certificates import PAGE, TencentCertificates
from l7lb.adapters.clb.ratelimit import RateLimits
from l7lb.model.identity import LoadBalancerId, RuleKey
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import Certificate, HostSpec, RuleSpec
from l7lb.model.plan import CreateListeners, CreateRules
from tests.contract.adapters_clb.tenant import HTTPS, REGION, Tenant
from tests.emulators.clb.faults import Fault
from tests.emulators.clb.nouns import Certificate as Stored


def test_the_end_is_read_in_the_time_of_beijing(tenant: Tenant) -> None:
    tenant.emulator.world.certificates["endsoon1"] = Stored("endsoon1", end_time="2027-03-01 07:59:59")
    reader = TencentCertificates(tenant.cloud.caller, REGION)
    found = reader.read(frozenset({"endsoon1", "nowhere1", "certexp1", "certca01"}), Lane.VERIFY)
    assert found.keys() == {"endsoon1", "certexp1", "certca01"}
    assert found["endsoon1"].expires == datetime(2027, 2, 28, 23, 59, 59, tzinfo=UTC).timestamp()
    assert (found["certexp1"].expired, found["certca01"].authority) == (True, True)
    assert tenant.calls() == {"DescribeCertificates": 1}


def test_many_ids_are_read_page_by_page(tenant: Tenant) -> None:
    many = [f"cert{number:04d}" for number in range(PAGE * 2 + 1)]
    tenant.emulator.world.certificates |= {one: Stored(one) for one in many}
    reader = TencentCertificates(tenant.cloud.caller, REGION)
    assert reader.read(frozenset(many), Lane.VERIFY).keys() == set(many)
    assert tenant.calls() == {"DescribeCertificates": 3}


def test_no_key_leaves_the_adapter() -> None:
    secret = "-----BEGIN PRIVATE KEY-----MIIE"

    class Talkative:
        def send(self, service: str, action: str, region: str, params: Any) -> dict[str, Any]:
            assert (service, action) == ("ssl", "DescribeCertificates")
            entry = {"CertificateId": "certrsa1", "Status": 1, "CertEndTime": None, "CertificatePrivateKey": secret}
            return {"Certificates": [entry], "CertificatePublicKey": secret, "RequestId": "1"}

    reader = TencentCertificates(Caller(Talkative(), RateLimits(lambda: 0.0)), REGION)
    assert "PRIVATE KEY" not in repr(reader.read(frozenset({"certrsa1"}), Lane.VERIFY))


@pytest.mark.parametrize(
    ("certificate", "code"),
    [
        pytest.param(Certificate(frozenset({"nowhere1"})), "E4036", id="unknown"),
        pytest.param(Certificate(frozenset({"certca01"})), "E4038", id="a CA as server certificate"),
        pytest.param(Certificate(frozenset({"certrsa1"}), "certrsa2"), "E4038", id="a server certificate as CA"),
        pytest.param(Certificate(frozenset({"certexp1"})), "E4039", id="expired"),
        pytest.param(Certificate(frozenset({"revoked1"})), "E4012", id="not usable"),
        pytest.param(Certificate(frozenset({"certrsa1", "nowhere1"})), "E4036", id="one of a pair"),
    ],
)
def test_a_refused_certificate_has_the_code_of_what_is_wrong_with_it(
    tenant: Tenant, certificate: Certificate, code: str
) -> None:
    tenant.emulator.world.certificates["revoked1"] = Stored("revoked1", status=10)
    bindings = tenant.bindings(tenant.create())
    with pytest.raises(errors.Rejected) as refusal:
        tenant.run(CreateListeners("HTTPS", (443,), "x", certificate), bindings)
    assert refusal.value.code == code
    tenant.run(CreateListeners("HTTPS", (443,), "x", None, sni=True), bindings)
    host = HostSpec("a.example.com", certificate)
    with pytest.raises(errors.Rejected) as refusal:
        tenant.run(
            CreateRules(HTTPS, (RuleSpec(RuleKey("a.example.com", "/")),), (host,)),
            tenant.bindings(tenant.head(LoadBalancerId(bindings.load_balancer))),
        )
    assert refusal.value.code == code


def test_without_the_right_to_read_certificates_the_clouds_word_stands(tenant: Tenant) -> None:
    bindings = tenant.bindings(tenant.create())
    tenant.emulator.gateway.faults.add(Fault("DescribeCertificates", "error", code="UnauthorizedOperation"))
    with pytest.raises(errors.Rejected) as refusal:
        tenant.run(CreateListeners("HTTPS", (443,), "x", Certificate(frozenset({"certca01"}))), bindings)
    assert (refusal.value.code, refusal.value.reason) == ("E4036", "CertificateNotFound")
