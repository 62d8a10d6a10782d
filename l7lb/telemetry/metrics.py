"""Every metric of the process, in one registry that is an argument. Names that dashboards know keep name and labels.

Labels are bounded: no object name is ever one; certificates and load balancers go by the ids of those that are in use
now. `TABLE` is what the docs page is made from.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

CONTROLLER: Final = "ingress"
WEBHOOK: Final = "readiness-gate"
REGIONS_MAX: Final = 40
"""So many regions are told apart: twice as many as there are. Annotations name them, and anybody may make some up."""
OTHER: Final = "other"
_LONG: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_SHORT: Final = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class Row:
    """One metric: what it is called, how it counts, by what, and what it tells."""

    name: str
    kind: type[Counter] | type[Gauge] | type[Histogram]
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = _LONG
    known: tuple[tuple[str, ...], ...] = ()
    """Label values that are there from the start with 0: an alert on what has never happened needs them."""


_ONE: Final = ((CONTROLLER,),)
_RESULTS: Final = tuple((CONTROLLER, result) for result in ("success", "error", "requeue", "requeue_after"))
_PRIORITIES: Final = tuple((CONTROLLER, priority) for priority in ("0", "-10", "-100"))
_CAUSES: Final = tuple((cause,) for cause in ("queue", "rate", "refused", "unavailable"))
_SOURCES: Final = tuple((source,) for source in ("api", "cache", "verifier"))
_READY: Final = (("Ready", "True"), ("Ready", "False"))
_RULES: Final = (("UnsafePlan",), ("ClassUnresolved",))
_CALLS: Final = (0, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100)

TABLE: Final = (
    Row("workqueue_depth", Gauge, ("name", "priority"), "Keys that are ready, by lane.", known=_PRIORITIES),
    Row(
        "workqueue_adds_total",
        Counter,
        ("name", "priority"),
        "Adds that were not folded into a waiting one.",
        known=_PRIORITIES,
    ),
    Row(
        "workqueue_queue_duration_seconds",
        Histogram,
        ("name", "priority"),
        "From ready to taken.",
        _SHORT,
        known=_PRIORITIES,
    ),
    Row("workqueue_work_duration_seconds", Histogram, ("name",), "From taken to done.", _SHORT, known=_ONE),
    Row(
        "workqueue_unfinished_work_seconds", Gauge, ("name",), "Sum of the ages of the passes that run now.", known=_ONE
    ),
    Row(
        "workqueue_longest_running_processor_seconds",
        Gauge,
        ("name",),
        "Age of the oldest pass that runs now.",
        known=_ONE,
    ),
    Row("workqueue_retries_total", Counter, ("name",), "Rate-limited adds.", known=_ONE),
    Row("controller_runtime_reconcile_total", Counter, ("controller", "result"), "Passes by result.", known=_RESULTS),
    Row(
        "controller_runtime_reconcile_errors_total",
        Counter,
        ("controller",),
        "Passes that ended in an error.",
        known=_ONE,
    ),
    Row(
        "controller_runtime_terminal_reconcile_errors_total",
        Counter,
        ("controller",),
        "Errors no retry cures.",
        known=_ONE,
    ),
    Row(
        "controller_runtime_reconcile_panics_total",
        Counter,
        ("controller",),
        "Passes that ended in a bug of ours.",
        known=_ONE,
    ),
    Row("controller_runtime_reconcile_time_seconds", Histogram, ("controller",), "Length of a pass.", known=_ONE),
    Row("controller_runtime_max_concurrent_reconciles", Gauge, ("controller",), "Workers."),
    Row("controller_runtime_active_workers", Gauge, ("controller",), "Workers that are busy.", known=_ONE),
    Row(
        "controller_runtime_webhook_requests_total",
        Counter,
        ("webhook", "code"),
        "Pods that the API server has asked about, by how they were answered.",
        known=tuple((WEBHOOK, code) for code in ("200", "400", "500")),
    ),
    Row(
        "controller_runtime_webhook_latency_seconds",
        Histogram,
        ("webhook",),
        "Length of such an answer.",
        known=((WEBHOOK,),),
    ),
    Row(
        "controller_runtime_webhook_requests_in_flight",
        Gauge,
        ("webhook",),
        "Answers that are being made.",
        known=((WEBHOOK,),),
    ),
    Row("rest_client_requests_total", Counter, ("code", "method", "host"), "Requests to the API server."),
    Row("rest_client_request_duration_seconds", Histogram, ("verb", "host"), "Length of one such request."),
    Row("leader_election_master_status", Gauge, ("name",), "1 while this replica leads."),
    Row("l7lb_lease_remaining_seconds", Gauge, ("name",), "Of our lease; 0 on a replica that does not hold it."),
    Row(
        "l7lb_cloud_api_calls_total",
        Counter,
        ("service", "action", "region", "code"),
        "Cloud calls, each with its repetitions once, by the last answer; `NoAnswer`: none came.",
    ),
    Row(
        "l7lb_cloud_api_call_duration_seconds",
        Histogram,
        ("service", "action"),
        "Length of one such call, with its repetitions.",
    ),
    Row(
        "l7lb_cloud_api_attempts_total",
        Counter,
        ("service", "action", "region", "code"),
        "Requests to the cloud: what its budget counts. More than calls where some were repeated.",
    ),
    Row("l7lb_cloud_api_throttled_total", Counter, ("service", "action"), "Requests that the cloud refused for rate."),
    Row(
        "l7lb_cloud_api_permission_denied_total",
        Counter,
        ("service", "action"),
        "Requests that the cloud refused for a missing right, or for keys that it does not take.",
    ),
    Row(
        "l7lb_cloud_api_quota_exceeded_total",
        Counter,
        ("service", "action"),
        "Requests that the cloud refused for a quota, for what is sold out, or for money.",
    ),
    Row("l7lb_cloud_task_duration_seconds", Histogram, ("action",), "From a write to the look that found it ended."),
    Row("l7lb_rate_limiter_wait_seconds", Histogram, ("action", "lane"), "Waits for the API budget, as told."),
    Row(
        "l7lb_rate_limiter_rate",
        Gauge,
        ("region", "service", "action"),
        "Calls a second that are made at most; less than usual after the cloud has refused one for rate.",
    ),
    Row(
        "l7lb_quota_usage_ratio",
        Gauge,
        ("region", "quota"),
        "How much of a quota is in use, 1 for all: of the region's load balancers, or where one of ours has most.",
    ),
    Row(
        "l7lb_reconcile_api_calls",
        Histogram,
        ("outcome",),
        "Requests to the cloud that one pass has made: `change` with a write among them, `noop` without.",
        _CALLS,
        (("noop",), ("change",)),
    ),
    Row(
        "l7lb_reconcile_stage_duration_seconds",
        Histogram,
        ("stage",),
        "Where the time of passes goes: `queue` before, `translate`, `observe`, `plan`, `apply` and `report` one after "
        "the other; `task`: the cloud works, over several passes, and no worker waits.",
        known=tuple((stage,) for stage in ("queue", "translate", "observe", "plan", "apply", "report", "task")),
    ),
    Row(
        "l7lb_endpoint_propagation_seconds",
        Histogram,
        ("controller",),
        "From a change of endpoints, as it was seen, to the pass that found it done and nothing left to do; changes "
        "that need nothing are not counted.",
        known=_ONE,
    ),
    Row(
        "l7lb_trace_spans_total",
        Counter,
        ("result",),
        "Spans of traces: `sent`, `failed` (not taken by their receiver) or `dropped` (too many at once).",
        known=(("sent",), ("failed",), ("dropped",)),
    ),
    Row("l7lb_plans_total", Counter, ("controller",), "Plans with at least one step.", known=_ONE),
    Row("l7lb_plan_steps_total", Counter, ("step",), "Steps that ended well."),
    Row(
        "l7lb_refused_steps_total",
        Counter,
        ("step", "result"),
        "Steps that the cloud refused for what they ask for: taken apart to find the part at fault, or left out as it.",
    ),
    Row("l7lb_plan_blocked_total", Counter, ("rule",), "Plans that the guard stopped.", known=_RULES),
    Row(
        "l7lb_unauthorized_plans_total",
        Counter,
        ("controller",),
        "Plans the ledger refused: a bug; must stay 0.",
        known=_ONE,
    ),
    Row(
        "l7lb_inventory_reads_total",
        Counter,
        ("source",),
        "Observations used, from the cache or from the API.",
        known=_SOURCES,
    ),
    Row("l7lb_drift_detected_total", Counter, ("resource", "field"), "What the verifier found changed by others."),
    Row(
        "l7lb_unstable_fields",
        Gauge,
        ("controller",),
        "Fields that the cloud undid again and again, and that are left alone for an hour.",
        known=_ONE,
    ),
    Row("l7lb_last_verified_timestamp_seconds", Gauge, ("controller",), "When the stalest one was read, Unix time."),
    Row("l7lb_verify_interval_seconds", Gauge, ("controller",), "As `--verify-interval` says; 0: nothing is verified."),
    Row("l7lb_managed_loadbalancers", Gauge, ("mode",), "Load balancers in use: created by us, or lent to us."),
    Row(
        "l7lb_loadbalancer_info",
        Gauge,
        ("region", "load_balancer", "mode"),
        "Always 1, one series for each load balancer in use, on the leader: joins the cloud's own metrics by id.",
    ),
    Row(
        "l7lb_orphaned_loadbalancers",
        Gauge,
        ("kind",),
        "Load balancers of the cluster that no Ingress uses any more: orphans of ours, those of which it is not proven "
        "that they are ours, and lent ones that still bear our tags; counted by the leader after each verification.",
        known=(("orphan",), ("unproven",), ("lent",)),
    ),
    Row(
        "l7lb_orphan_oldest_seconds",
        Gauge,
        ("controller",),
        "Since when the oldest orphan of ours is known; 0: there is none.",
        known=_ONE,
    ),
    Row(
        "l7lb_orphans_looked_timestamp_seconds",
        Gauge,
        ("controller",),
        "When all load balancers were last held against all Ingresses, Unix time; 0: not yet.",
        known=_ONE,
    ),
    Row("l7lb_orphans_collected_total", Counter, ("controller",), "Orphans that were deleted.", known=_ONE),
    Row(
        "l7lb_certificate_expiry_timestamp_seconds",
        Gauge,
        ("certificate",),
        "When a certificate that Ingresses name expires, Unix time; read by the leader every 6 hours.",
    ),
    Row("l7lb_ingress_condition", Gauge, ("condition", "status"), "Managed Ingresses by condition.", known=_READY),
    Row(
        "l7lb_ingress_not_ready_oldest_seconds",
        Gauge,
        ("controller",),
        "For how long the Ingress that has been waiting longest is not `Ready`, as its condition says; 0: none waits.",
        known=_ONE,
    ),
    Row("l7lb_finalizing_oldest_seconds", Gauge, ("controller",), "Age of the oldest deletion that is not done."),
    Row(
        "l7lb_readiness_gates_pending",
        Gauge,
        ("controller",),
        "Pods that nothing but our readiness gate keeps from being ready; counted by the leader.",
        known=_ONE,
    ),
    Row(
        "l7lb_readiness_gate_oldest_seconds",
        Gauge,
        ("controller",),
        "How long the oldest of them has been waiting.",
        known=_ONE,
    ),
    Row(
        "l7lb_deletes_held",
        Gauge,
        ("controller",),
        "1 while nothing is taken away because this cluster may be a copy of another one.",
        known=_ONE,
    ),
    Row("l7lb_gate_open", Gauge, ("controller",), "1 while TKE's own controller is proven off."),
    Row("l7lb_informer_synced", Gauge, ("kind",), "1 once the first list of a kind was handed on."),
    Row("l7lb_informer_staleness_seconds", Gauge, ("kind",), "Since anything was heard of a kind."),
    Row("l7lb_informer_lists_total", Counter, ("kind", "reason"), "Lists, by what made them necessary."),
    Row("l7lb_informer_events_total", Counter, ("kind",), "Watch events that changed an object."),
    Row("l7lb_informer_failures_total", Counter, ("kind", "error"), "Requests and streams that failed, by error."),
    Row("l7lb_informer_quarantined_total", Counter, ("kind",), "Objects that could not be decoded."),
    Row("l7lb_events_dropped_total", Counter, ("cause",), "Kubernetes Events that were not written.", known=_CAUSES),
    Row("l7lb_build_info", Gauge, ("version",), "Always 1."),
)


class Metrics:
    """The registry and its metrics by name."""

    def __init__(self, version: str, registry: CollectorRegistry | None = None) -> None:
        # No dashboard asks for the times of creation, and they would double the number of series.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the package does not annotate it
        self.registry = registry if registry is not None else CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._counted: dict[tuple[str, tuple[str, ...]], Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        self._regions: set[str] = set()
        self._refresh: list[Callable[[], None]] = []
        self._rendering = threading.RLock()
        for row in TABLE:
            if row.kind is Counter:
                self._counters[row.name] = Counter(row.name, row.help, row.labels, registry=self.registry)
            elif row.kind is Gauge:
                self._gauges[row.name] = Gauge(row.name, row.help, row.labels, registry=self.registry)
            else:
                self._histograms[row.name] = Histogram(
                    row.name, row.help, row.labels, registry=self.registry, buckets=row.buckets
                )
            for labels in row.known:
                self._of(row.name).labels(*labels)
        if registry is None:
            ProcessCollector(registry=self.registry)
            PlatformCollector(registry=self.registry)
            GCCollector(registry=self.registry)
        self.set("l7lb_build_info", 1, version)

    def before_render(self, refresh: Callable[[], None]) -> None:
        """Call this too before each answer: for gauges that are counted only when somebody looks."""
        self._refresh.append(refresh)

    def region(self, name: str) -> str:
        """A region as the value of a label; `other` when there are too many of them."""
        if name not in self._regions and len(self._regions) >= REGIONS_MAX:
            return OTHER
        self._regions.add(name)
        return name

    def count(self, name: str, *labels: str, by: float = 1) -> None:
        """Raise a counter."""
        child = self._counted.get((name, labels))
        if child is None:
            child = self._counted[name, labels] = self._counters[name].labels(*labels)
        child.inc(by)

    def set(self, name: str, value: float, *labels: str) -> None:
        """Set a gauge."""
        self._gauges[name].labels(*labels).set(value)

    def only(self, name: str, values: Mapping[tuple[str, ...], float]) -> None:
        """Set a gauge for exactly these labels, and take away those of others."""
        gauge = self._gauges[name]
        with self._rendering:
            gauge.clear()
            for labels, value in values.items():
                gauge.labels(*labels).set(value)

    def add(self, name: str, by: float, *labels: str) -> None:
        """Move a gauge."""
        self._gauges[name].labels(*labels).inc(by)

    def observe(self, name: str, value: float, *labels: str) -> None:
        """Enter a value into a histogram."""
        self._histograms[name].labels(*labels).observe(value)

    def refresh(self) -> None:
        """Count what is counted only when somebody looks."""
        with self._rendering:
            for refresh in self._refresh:
                refresh()

    def render(self) -> tuple[str, bytes]:
        """Content type and text of `/metrics`."""
        with self._rendering:
            self.refresh()
            return CONTENT_TYPE_LATEST, generate_latest(self.registry)

    def _of(self, name: str) -> Counter | Gauge | Histogram:
        return self._counters.get(name) or self._gauges.get(name) or self._histograms[name]
