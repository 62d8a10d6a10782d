"""The read-only neighbours: certificates, instances, subnets."""

from tests.contract.clb.account import Account


def test_a_certificate_tells_its_kind_state_and_algorithm(account: Account) -> None:
    shown = {
        cert_id: account.call("ssl", "DescribeCertificateDetail", CertificateId=cert_id)
        for cert_id in ("certrsa1", "certecc1", "certexp1", "certca01")
    }

    assert [(item["CertificateType"], item["Status"], item["EncryptAlgorithm"]) for item in shown.values()] == [
        ("SVR", 1, "RSA"),
        ("SVR", 1, "ECC"),
        ("SVR", 3, "RSA"),
        ("CA", 1, "RSA"),
    ]
    assert "CertificatePrivateKey" not in shown["certrsa1"]


def test_an_unknown_certificate_is_not_found(account: Account) -> None:
    code = account.code("DescribeCertificateDetail", "ssl", CertificateId="nonesuch")

    assert code == "FailedOperation.CertificateNotFound"


def test_certificates_are_listed_in_pages_and_by_id(account: Account) -> None:
    everything = account.call("ssl", "DescribeCertificates")
    page = account.call("ssl", "DescribeCertificates", Offset=1, Limit=2)
    named = account.call("ssl", "DescribeCertificates", CertIds=["certecc1"])

    ids = [item["CertificateId"] for item in everything["Certificates"]]
    assert [item["CertificateId"] for item in page["Certificates"]] == ids[1:3]
    assert [item["CertificateId"] for item in named["Certificates"]] == ["certecc1"]


def test_instances_are_found_by_id_or_by_address(account: Account) -> None:
    account.world(instances=[{"id": f"ins-{number}", "ip": f"10.0.0.{number}"} for number in range(1, 4)])
    by_address = [{"Name": "private-ip-address", "Values": ["10.0.0.2"]}]

    assert account.call("cvm", "DescribeInstances", InstanceIds=["ins-1", "ins-3"])["TotalCount"] == 2
    assert account.call("cvm", "DescribeInstances", Filters=by_address)["InstanceSet"][0]["InstanceId"] == "ins-2"
    assert account.code("DescribeInstances", "cvm", InstanceIds=["ins-9"]) == "InvalidInstanceId.NotFound"
    six = [{"Name": "private-ip-address", "Values": ["10.0.0.2"] * 6}]
    assert account.code("DescribeInstances", "cvm", Filters=six) == "InvalidFilterValue.LimitExceeded"


def test_subnets_take_offset_and_limit_as_texts(account: Account) -> None:
    page = account.call("vpc", "DescribeSubnets", Offset="1", Limit="1")

    assert [item["SubnetId"] for item in page["SubnetSet"]] == ["subnet-00000002"]
    assert account.code("DescribeSubnets", "vpc", Offset=1) == "InvalidParameter.FormatError"
    assert account.code("DescribeSubnets", "vpc", SubnetIds=["subnet-none"]) == "ResourceNotFound"
