"""Whatever the open points turn out to be, a patient client can build a load balancer and take it down again."""

from collections.abc import Callable
from typing import Any

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from tests.contract.clb.account import Account, Json
from tests.contract.clb.conftest import Emulate

BUSY = {"FailedOperation.ResourceInOperating", "FailedOperation.InvalidLBStatus", "InternalError"}
TRIES_MAX = 100


def patiently(account: Account, attempt: Callable[[], Json]) -> Json:
    """Repeat what is refused because the load balancer is busy, with the clock moving on."""
    for _ in range(TRIES_MAX):
        try:
            return attempt()
        except TencentCloudSDKException as error:
            if error.code not in BUSY:
                raise
            account.emulator.advance(0.5)
    raise AssertionError("busy for ever")


def write(account: Account, action: str, **params: Any) -> Json:
    answer = patiently(account, lambda: account.clb(action, **params))
    for _ in range(TRIES_MAX):
        task = account.clb("DescribeTaskStatus", TaskId=answer["RequestId"])
        if task["Status"] == 0:
            return {**answer, "task": task}
        assert task["Status"] == 2, task
        account.emulator.advance(0.5)
    raise AssertionError("a task without end")


@pytest.mark.parametrize("seed", range(25))
def test_a_patient_client_builds_and_takes_down(emulate: Emulate, seed: int) -> None:
    account = emulate(seed=seed, latency="real")
    (lb,) = write(account, "CreateLoadBalancer", **account.creation())["task"]["LoadBalancerIds"]
    (listener,) = write(account, "CreateListener", LoadBalancerId=lb, Ports=[80], Protocol="HTTP")["ListenerIds"]
    rules = [{"Domain": f"h{number}.example.com", "Url": "/"} for number in range(3)]
    write(account, "CreateRule", LoadBalancerId=lb, ListenerId=listener, Rules=rules)
    by_host = {rule["Domain"]: rule["LocationId"] for rule in account.listeners(lb)[0]["Rules"]}
    place = {"ListenerId": listener, "LocationId": by_host["h1.example.com"]}
    targets = [{**place, "EniIp": "10.0.0.1", "Port": port} for port in (80, 81)]
    patiently(account, lambda: account.clb("BatchRegisterTargets", LoadBalancerId=lb, Targets=targets))

    assert account.targets(lb)[by_host["h1.example.com"]] == {"10.0.0.1:80": 10, "10.0.0.1:81": 10}
    account.emulator.advance(30.0)
    shown = account.describe(lb)
    assert bool(shown["LoadBalancerVips"]) is not bool(shown["LoadBalancerDomain"])
    assert {tag["TagKey"] for tag in shown["Tags"]} >= {"tke-clusterId", "tke-lb-ingress-uuid"}

    write(account, "DeleteLoadBalancer", LoadBalancerIds=[lb])
    assert account.clb("DescribeLoadBalancers")["TotalCount"] == 0
    assert account.emulator.gateway.defects == []
