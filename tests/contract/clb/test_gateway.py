"""What the gateway judges before any action: signature, service, region, schema, rate; and the form of its answers."""

import http.client
import json
import time
from typing import Any

import pytest
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from tests.contract.clb.account import Account, profile
from tests.contract.clb.conftest import Emulate
from tests.emulators.clb.signature import Secret


def post(account: Account, headers: dict[str, str], body: bytes = b"{}") -> tuple[http.client.HTTPResponse, Any]:
    connection = http.client.HTTPConnection(account.server.endpoint, timeout=30)
    connection.request("POST", "/", body, headers)
    response = connection.getresponse()
    decoded = json.loads(response.read())
    connection.close()
    return response, decoded


@pytest.mark.parametrize(
    ("secret", "code"),
    [
        (("AKIDNOBODY", "emulator-secret-key"), "AuthFailure.SecretIdNotFound"),
        (("AKIDEMULATOR", "wrong-key"), "AuthFailure.SignatureFailure"),
    ],
)
def test_a_wrong_credential_is_refused(account: Account, secret: tuple[str, str], code: str) -> None:
    account.secret = secret

    assert account.code("DescribeLoadBalancers") == code


@pytest.mark.parametrize("skew", [-301, 301])
def test_a_clock_that_is_more_than_five_minutes_off_is_refused(emulate: Emulate, skew: int) -> None:
    account = emulate(wall=lambda: time.time() + skew)

    assert account.code("DescribeLoadBalancers") == "AuthFailure.SignatureExpire"


@pytest.mark.parametrize("authorization", ["", "SKIP", "TC3-HMAC-SHA256 Credential=x"])
def test_an_unsigned_call_is_refused(account: Account, authorization: str) -> None:
    headers = {"Authorization": authorization, "X-TC-Action": "DescribeLoadBalancers"}

    _, decoded = post(account, headers)

    assert decoded["Response"]["Error"]["Code"] == "AuthFailure.InvalidAuthorization"


def test_a_temporary_credential_needs_its_token(emulate: Emulate) -> None:
    account = emulate(secrets={"AKIDTEMP": Secret("key", token="token-1")})

    def listed(token: str) -> Any:
        credential = Credential("AKIDTEMP", "key", token)
        client = CommonClient("clb", "2018-03-17", credential, "ap-guangzhou", profile(account.server.endpoint))
        try:
            return client.call_json("DescribeLoadBalancers", {})["Response"]["TotalCount"]
        except TencentCloudSDKException as error:
            return error.code
        finally:
            client.request.conn._session.close()

    assert [listed("token-1"), listed("token-0")] == [0, "AuthFailure.TokenFailure"]


def test_a_credential_without_the_right_is_refused(emulate: Emulate) -> None:
    account = emulate(
        secrets={"AKIDEMULATOR": Secret("emulator-secret-key", denied=frozenset({"DescribeLoadBalancers"}))}
    )

    assert account.code("DescribeLoadBalancers") == "UnauthorizedOperation"
    account.clb("DescribeQuota")


def test_a_credential_with_a_policy_may_call_what_it_allows_and_nothing_else(emulate: Emulate) -> None:
    """CAM page on policies: what no statement allows is denied."""
    allowed = frozenset({"clb:DescribeQuota", "tag:DescribeLoadBalancers"})
    account = emulate(secrets={"AKIDEMULATOR": Secret("emulator-secret-key", allowed=allowed)})

    assert account.code("DescribeLoadBalancers") == "UnauthorizedOperation"
    account.clb("DescribeQuota")


def test_errors_come_inside_http_200_with_the_exact_content_type(account: Account) -> None:
    response, decoded = post(account, {"X-TC-Action": "DescribeLoadBalancers"})

    assert response.status == 200
    assert response.getheader("Content-Type") == "application/json"
    assert set(decoded["Response"]) == {"Error", "RequestId"}


@pytest.mark.parametrize(
    ("service", "version", "action", "region", "code"),
    [
        ("clb", "2018-03-17", "DescribeLoadBalancers", "ap-nowhere", "UnsupportedRegion"),
        ("clb", "2018-03-17", "DescribeLoadBalancers", "", "MissingParameter"),
        ("clb", "2019-01-01", "DescribeLoadBalancers", "ap-guangzhou", "NoSuchVersion"),
        ("cdn", "2018-06-06", "DescribeDomains", "ap-guangzhou", "NoSuchProduct"),
        ("clb", "2018-03-17", "DescribeEverything", "ap-guangzhou", "InvalidAction"),
        ("clb", "2018-03-17", "CloneLoadBalancer", "ap-guangzhou", "UnsupportedOperation"),
    ],
)
def test_what_is_not_served_is_refused_loudly(
    emulate: Emulate, service: str, version: str, action: str, region: str, code: str
) -> None:
    account = emulate(refuse_forbidden=False)
    credential = Credential(*account.secret)
    client = CommonClient(service, version, credential, region, profile(account.server.endpoint))

    with pytest.raises(TencentCloudSDKException) as refused:
        client.call_json(action, {})
    client.request.conn._session.close()

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("action", "params", "code"),
    [
        ("DescribeListeners", {}, "MissingParameter"),
        ("DescribeLoadBalancers", {"Ogus": 1}, "UnknownParameter"),
        ("DescribeLoadBalancers", {"Limit": "20"}, "InvalidParameter.FormatError"),
        ("DescribeLoadBalancers", {"Limit": True}, "InvalidParameter.FormatError"),
        ("DescribeLoadBalancers", {"LoadBalancerIds": "lb-1"}, "InvalidParameter.FormatError"),
        ("DescribeLoadBalancers", {"LoadBalancerIds": [1]}, "InvalidParameter.FormatError"),
        ("DescribeLoadBalancers", {"Filters": [{"Name": "tag-key"}]}, "MissingParameter"),
        ("DescribeLoadBalancers", {"Filters": ["tag-key"]}, "InvalidParameter.FormatError"),
        ("DescribeLoadBalancers", {"VpcId": None}, "InvalidParameter.FormatError"),
    ],
)
def test_a_request_that_does_not_fit_the_description_is_refused(
    account: Account, action: str, params: dict[str, Any], code: str
) -> None:
    assert account.code(action, **params) == code


def test_each_action_has_its_own_bucket_of_twenty_a_second(emulate: Emulate) -> None:
    account = emulate(rate_limits=None)

    answers = [account.clb("DescribeLoadBalancers") for _ in range(20)]
    refused = account.refusal("DescribeLoadBalancers")
    account.clb("DescribeQuota")
    account.emulator.advance(0.1)
    again = [account.clb("DescribeLoadBalancers") for _ in range(2)]

    assert len(answers + again) == 22
    assert refused.code == "RequestLimitExceeded"
    assert "frequency limit `20`" in refused.message
    assert account.code("DescribeLoadBalancers") == "RequestLimitExceeded"


def test_regions_have_buckets_of_their_own(emulate: Emulate) -> None:
    account = emulate(rate_limits={"*": 1})
    account.clb("DescribeLoadBalancers")

    account.region = "ap-shanghai"

    account.clb("DescribeLoadBalancers")
    assert account.code("DescribeLoadBalancers") == "RequestLimitExceeded"


def test_one_connection_serves_many_calls(account: Account) -> None:
    connection = http.client.HTTPConnection(account.server.endpoint, timeout=30)
    connection.connect()
    first = connection.sock

    for _ in range(3):
        connection.request("POST", "/", b"{}", {"X-TC-Action": "DescribeLoadBalancers"})
        connection.getresponse().read()

    assert connection.sock is first
    connection.close()


@pytest.mark.parametrize("switches", [{"gzip_answers": True}, {"idle_connection_s": 5.0}])
def test_the_sdk_works_however_the_gateway_treats_its_connections(emulate: Emulate, switches: dict[str, Any]) -> None:
    account = emulate(switches=switches)

    lb = account.create()

    assert account.describe(lb)["LoadBalancerId"] == lb


def test_a_request_that_is_too_large_is_refused(account: Account) -> None:
    code = account.code("DescribeLoadBalancers", SearchKey="x" * (10 * 1024 * 1024))

    assert code == "RequestSizeLimitExceeded"
