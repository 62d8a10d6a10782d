"""The two worlds as connected clients, built from the configuration. One clock goes everywhere."""

import logging
import random
import socket
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from l7lb.adapters.clb.actions import TABLE
from l7lb.adapters.clb.calls import Caller, CallRecord
from l7lb.adapters.clb.certificates import TencentCertificates
from l7lb.adapters.clb.credentials import load
from l7lb.adapters.clb.deletions import DELETIONS_MAX
from l7lb.adapters.clb.errors import is_throttled, meaning
from l7lb.adapters.clb.loadbalancers import TencentLoadBalancers
from l7lb.adapters.clb.ratelimit import RateLimits, divided, pace_of
from l7lb.adapters.clb.sdk import Clients, Endpoint
from l7lb.adapters.kube.cluster import KubeCluster
from l7lb.adapters.kube.credentials import Source
from l7lb.adapters.kube.events import Clocks, EventWriter
from l7lb.adapters.kube.ingresses import KubeIngresses
from l7lb.adapters.kube.memory import KubeMemory
from l7lb.adapters.kube.pods import KubePods
from l7lb.adapters.kube.serviceconfigs import KubeServiceConfigs
from l7lb.adapters.kube.transport import Transport
from l7lb.app.config import Config
from l7lb.app.remembering import ENTRY, memory_key
from l7lb.errors import AccessDenied, QuotaExceeded
from l7lb.model.lane import Lane
from l7lb.model.phases import Call
from l7lb.runtime.clock import Clock
from l7lb.telemetry.metrics import Metrics
from l7lb.telemetry.passes import Passes

_logger = logging.getLogger(__name__)

LEASE_CONNECT_S: Final = 2.0
"""A renewal that cannot even connect must leave time for the next one before the lease is given up."""


@dataclass(frozen=True, slots=True)
class Connections:
    """Clients of both worlds. `lease` is a transport of its own: its renewal waits for nobody."""

    kube: Transport
    lease: Transport
    cluster: KubeCluster
    ingresses: KubeIngresses
    configs: KubeServiceConfigs
    pods: KubePods
    memory: KubeMemory
    cloud: TencentLoadBalancers
    certificates: TencentCertificates
    limits: RateLimits
    events: EventWriter


def connect(
    config: Config,
    environ: Mapping[str, str],
    metrics: Metrics,
    guard: Callable[[], None],
    clock: Clock,
    passes: Passes | None = None,
) -> Connections:
    """Build clients; makes no request. `passes` is told of each request. Raises ConfigurationError."""
    now = clock.monotonic
    told = passes if passes is not None else Passes()
    caller = _caller(config, environ, metrics, guard, clock, told)
    source = Source(config.kubeconfig)
    kube = Transport(source, on_request=lambda *request: _tell_request(metrics, told, *request), clock=now)
    if kube.weakness:
        _logger.warning("%s", kube.weakness)
    lease = Transport(
        source,
        on_request=lambda *request: count_kube_request(metrics, *request),
        connect_timeout_s=LEASE_CONNECT_S,
        clock=now,
    )
    return Connections(
        kube=kube,
        lease=lease,
        cluster=KubeCluster(kube),
        ingresses=KubeIngresses(kube, guard=guard),
        configs=KubeServiceConfigs(kube, guard=guard),
        pods=KubePods(kube, guard=guard),
        memory=KubeMemory(kube, memory_key(config.cluster_id), ENTRY, guard=guard),
        cloud=TencentLoadBalancers(caller, now),
        certificates=TencentCertificates(caller, config.region),
        limits=caller.limits,
        events=EventWriter(
            kube,
            instance=socket.gethostname(),
            on_drop=lambda cause: metrics.count("l7lb_events_dropped_total", cause),
            clocks=Clocks(now, clock.time),
        ),
    )


def connect_cloud(
    config: Config, environ: Mapping[str, str], metrics: Metrics, guard: Callable[[], None], clock: Clock
) -> TencentLoadBalancers:
    """The cloud alone, where there is no cluster; makes no request. Raises ConfigurationError."""
    return TencentLoadBalancers(_caller(config, environ, metrics, guard, clock, Passes()), clock.monotonic)


def _caller(
    config: Config,
    environ: Mapping[str, str],
    metrics: Metrics,
    guard: Callable[[], None],
    clock: Clock,
    passes: Passes,
) -> Caller:
    now = clock.monotonic
    foresee(metrics)
    endpoint = Endpoint.parse(config.clb_endpoint, config.api_root_domain)

    def on_call(record: CallRecord) -> None:
        count_request(metrics, record)
        call = Call(record.service, record.action, record.code, record.region, record.request_id, record.write)
        passes.called(call, record.seconds)

    return Caller(
        Clients(endpoint, load(config.credentials, environ, endpoint)),
        limits_of(config, now, metrics),
        guard=guard,
        on_call=on_call,
        on_end=lambda record: count_call(metrics, record),
        clock=now,
    )


def limits_of(config: Config, now: Callable[[], float], metrics: Metrics) -> RateLimits:
    """The budget of one shard: those of all together are what one leader has."""
    return RateLimits(
        now,
        divided(pace_of(config.api_share), config.shards),
        DELETIONS_MAX // config.shards,
        on_wait=lambda *wait: count_wait(metrics, *wait),
    )


def identity() -> str:
    """Unique to this process: the holder of the Lease."""
    return f"{socket.gethostname()}_{random.SystemRandom().getrandbits(64):016x}"


def pass_ids(dice: random.Random | None = None) -> Callable[[], str]:
    """An id for each pass: 16 hexadecimal digits, never all 0. Drawn from the system unless dice are given."""
    source = dice if dice is not None else random.SystemRandom()
    return lambda: f"{source.randrange(1, 2**64):016x}"


def tell_rates(metrics: Metrics, *budgets: RateLimits) -> None:
    """How often each action may be called now, on all budgets together."""
    rates = defaultdict[tuple[str, ...], float](float)
    for limits in budgets:
        for (region, service, action), rate in limits.rates().items():
            rates[metrics.region(region), service, action] += rate
    metrics.only("l7lb_rate_limiter_rate", rates)


def count_request(metrics: Metrics, record: CallRecord) -> None:
    """One request to the cloud, whether it was repeated or not."""
    region = metrics.region(record.region)
    metrics.count("l7lb_cloud_api_attempts_total", record.service, record.action, region, record.code)
    if record.code in ("OK", "NoAnswer"):
        return
    if is_throttled(record.code):
        metrics.count("l7lb_cloud_api_throttled_total", record.service, record.action)
    kind = meaning(record.action, record.code).kind
    if issubclass(kind, AccessDenied):
        metrics.count("l7lb_cloud_api_permission_denied_total", record.service, record.action)
    elif issubclass(kind, QuotaExceeded):
        metrics.count("l7lb_cloud_api_quota_exceeded_total", record.service, record.action)


def count_call(metrics: Metrics, record: CallRecord) -> None:
    """One call, with all its requests."""
    region = metrics.region(record.region)
    metrics.count("l7lb_cloud_api_calls_total", record.service, record.action, region, record.code)
    metrics.observe("l7lb_cloud_api_call_duration_seconds", record.seconds, record.service, record.action)


def foresee(metrics: Metrics) -> None:
    """Refusals that have not happened yet are there as zeros: what rises from nothing is seen by no alert."""
    for name in ("throttled", "permission_denied", "quota_exceeded"):
        for action in TABLE:
            metrics.count(f"l7lb_cloud_api_{name}_total", action.service, action.name, by=0)


def count_wait(metrics: Metrics, _service: str, action: str, lane: Lane, seconds: float) -> None:
    """Somebody was told to wait for the API budget."""
    metrics.observe("l7lb_rate_limiter_wait_seconds", seconds, action, lane.value)


def _tell_request(metrics: Metrics, passes: Passes, method: str, host: str, code: str, seconds: float) -> None:
    count_kube_request(metrics, method, host, code, seconds)
    passes.called(Call("kubernetes", method, code, write=method not in ("GET", "HEAD")), seconds)


def count_kube_request(metrics: Metrics, method: str, host: str, code: str, seconds: float) -> None:
    """One request to the API server; `code` is `<error>` when there was no answer."""
    metrics.count("rest_client_requests_total", code, method, host)
    metrics.observe("rest_client_request_duration_seconds", seconds, method, host)
