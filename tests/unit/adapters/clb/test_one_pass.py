"""What one pass reads more of one kind takes its tokens from the future, whichever service it asks."""

from collections.abc import Mapping
from typing import Any

import pytest

from l7lb.adapters.clb.calls import Caller
from l7lb.adapters.clb.loadbalancers import TencentLoadBalancers
from l7lb.adapters.clb.ratelimit import Pace, RateLimits, divided
from l7lb.errors import Throttled
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import Certificate
from l7lb.model.plan import CreateListeners

REGION = "ap-guangzhou"


class Account:
    """Has every certificate, and answers at once."""

    def send(self, _service: str, _action: str, _region: str, params: Mapping[str, Any]) -> dict[str, Any]:
        found = [{"CertificateId": one, "CertificateType": "SVR", "Status": 1} for one in params["CertIds"]]
        return {"Certificates": found, "RequestId": "r"}


@pytest.mark.parametrize("pace", [Pace(), divided(Pace(), 16)], ids=["usual", "16 shards"])
def test_a_pass_looks_at_the_certificates_of_many_steps(pace: Pace) -> None:
    cloud = TencentLoadBalancers(Caller(Account(), RateLimits(lambda: 0.0, pace)), lambda: 0.0)
    one_pass = cloud.at(Lane.CHANGE)
    for number in range(5):
        step = CreateListeners("HTTPS", (443 + number,), "web", Certificate(frozenset({f"cert{number}"})))
        assert one_pass.foreseen(REGION, step) is None
    with pytest.raises(Throttled):
        cloud.at(Lane.CHANGE).foreseen(REGION, step)


@pytest.mark.parametrize("lane", [Lane.CHANGE, Lane.VERIFY])
@pytest.mark.parametrize("shards", [1, 3, 16])
def test_a_pass_of_many_reads_is_not_taken_apart_however_many_shards_there_are(shards: int, lane: Lane) -> None:
    limits = RateLimits(lambda: 0.0, divided(Pace(), shards))
    for number in range(10):
        limits.take(REGION, "clb", "DescribeTargetHealth", lane, borrow=number > 0)
