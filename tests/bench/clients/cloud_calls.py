"""Calls to the cloud's API, one after the other: through our adapter, and through the SDK alone in both of its forms.

Each asks for the listeners of a load balancer. What ours does beside that: budget, write guard, metrics, our values.
"""

import argparse
import random
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from tencentcloud.clb.v20180317.clb_client import ClbClient
from tencentcloud.clb.v20180317.models import DescribeListenersRequest
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from l7lb.adapters.clb import Endpoint, TencentLoadBalancers
from l7lb.adapters.clb.calls import Caller
from l7lb.adapters.clb.credentials import Environment
from l7lb.adapters.clb.ratelimit import Pace, RateLimits
from l7lb.adapters.clb.sdk import Clients
from l7lb.app.connections import count_call, count_request
from l7lb.model.identity import CloudRef, LoadBalancerId
from l7lb.model.loadbalancer import LoadBalancerHead
from l7lb.telemetry.metrics import Metrics
from tests.bench.clients.meter import Meter

REGION: Final = "ap-guangzhou"
KEYS: Final = {"TENCENTCLOUD_SECRET_ID": "AKIDEMULATOR", "TENCENTCLOUD_SECRET_KEY": "emulator-secret-key"}
Call = Callable[[], int]
"""One call; how many rules there are."""


def ours(url: str, load_balancer: str) -> Call:
    """As `l7lb run` is wired, but for the pace."""
    metrics = Metrics("0")
    caller = Caller(
        Clients(Endpoint.parse(url), Environment(KEYS)),
        RateLimits(time.monotonic, Pace(share=1e6, burst=1e6)),
        on_call=lambda record: count_request(metrics, record),
        on_end=lambda record: count_call(metrics, record),
    )
    cloud = TencentLoadBalancers(caller, time.monotonic)
    head = LoadBalancerHead(CloudRef(REGION, LoadBalancerId(load_balancer)), "web", running=True, vips=("203.0.113.1",))
    return lambda: sum(len(one.spec.rules) for one in cloud.listeners(head))


def _means(url: str) -> tuple[Credential, ClientProfile]:
    http = HttpProfile(protocol="http", endpoint=urlsplit(url).netloc, reqTimeout=10, keepAlive=True)
    return Credential(*KEYS.values()), ClientProfile(httpProfile=http, language="en-US")


def as_json(url: str, load_balancer: str) -> Call:
    """`call_json` with connections kept, which is the least that the SDK can do."""
    keys, profile = _means(url)
    client = CommonClient("clb", "2018-03-17", keys, REGION, profile)

    def call() -> int:
        answer = client.call_json("DescribeListeners", {"LoadBalancerId": load_balancer})
        return sum(len(one["Rules"]) for one in answer["Response"]["Listeners"])

    return call


def as_models(url: str, load_balancer: str) -> Call:
    """The generated client with its models, as the SDK's examples have it, with connections kept."""
    keys, profile = _means(url)
    client = ClbClient(keys, REGION, profile)

    def call() -> int:
        request = DescribeListenersRequest()
        request.LoadBalancerId = load_balancer
        return sum(len(one.Rules) for one in client.DescribeListeners(request).Listeners)

    return call


WAYS: Final[dict[str, Callable[[str, str], Call]]] = {"ours": ours, "json": as_json, "models": as_models}


def main() -> None:
    """Call so often."""
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("url")
    parser.add_argument("load_balancer")
    parser.add_argument("rules", type=int)
    parser.add_argument("count", type=int)
    asked = parser.parse_args()
    random.seed(1)
    call = WAYS[asked.way](asked.url, asked.load_balancer)
    assert call() == asked.rules
    meter = Meter()
    meter.start()
    for _ in range(asked.count):
        call()
    meter.stop(asked.count)


if __name__ == "__main__":
    main()
