"""The two worlds as connected clients, built from the configuration."""

import random
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from l7lb.adapters.clb.calls import Caller, CallRecord
from l7lb.adapters.clb.credentials import load
from l7lb.adapters.clb.loadbalancers import TencentLoadBalancers
from l7lb.adapters.clb.ratelimit import RateLimits
from l7lb.adapters.clb.sdk import Clients, Endpoint
from l7lb.adapters.kube.cluster import KubeCluster
from l7lb.adapters.kube.credentials import Source
from l7lb.adapters.kube.ingresses import KubeIngresses
from l7lb.adapters.kube.transport import Transport
from l7lb.app.config import Config
from l7lb.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Connections:
    """Clients of both worlds. `lease` is a transport of its own: its renewal waits for nobody."""

    kube: Transport
    lease: Transport
    cluster: KubeCluster
    ingresses: KubeIngresses
    cloud: TencentLoadBalancers


def connect(config: Config, environ: Mapping[str, str], metrics: Metrics, guard: Callable[[], None]) -> Connections:
    """Build clients; makes no request. Raises ConfigurationError."""
    endpoint = Endpoint.parse(config.clb_endpoint, config.api_root_domain)
    clients = Clients(endpoint, load(config.credentials, environ, endpoint))
    caller = Caller(
        clients,
        RateLimits(time.monotonic),
        guard=guard,
        on_call=lambda record: _count_call(metrics, record),
    )
    source = Source(config.kubeconfig)
    kube = Transport(source, on_request=lambda *request: _count_request(metrics, *request))
    lease = Transport(source, on_request=lambda *request: _count_request(metrics, *request))
    return Connections(
        kube=kube,
        lease=lease,
        cluster=KubeCluster(kube),
        ingresses=KubeIngresses(kube, guard=guard),
        cloud=TencentLoadBalancers(caller, time.monotonic),
    )


def identity() -> str:
    """Unique to this process: the holder of the Lease."""
    return f"{socket.gethostname()}_{random.SystemRandom().getrandbits(64):016x}"


def _count_call(metrics: Metrics, record: CallRecord) -> None:
    metrics.count("l7lb_cloud_api_calls_total", record.service, record.action, record.region, record.code)
    metrics.observe("l7lb_cloud_api_call_duration_seconds", record.seconds, record.service, record.action)
    if record.code.startswith("RequestLimitExceeded"):
        metrics.count("l7lb_cloud_api_throttled_total", record.service, record.action)


def _count_request(metrics: Metrics, method: str, host: str, code: str, seconds: float) -> None:
    metrics.count("rest_client_requests_total", code, method, host)
    metrics.observe("rest_client_request_duration_seconds", seconds, method, host)
