"""Whether traces are sent, and where: by flag, or as the environment says in OpenTelemetry's own words."""

import importlib
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Protocol, TypeAlias

from l7lb.app.config import Config
from l7lb.app.connections import identity, pass_ids
from l7lb.errors import ConfigurationError
from l7lb.runtime.clock import Clock
from l7lb.runtime.lifecycle import Component
from l7lb.telemetry.metrics import Metrics
from l7lb.telemetry.pass_metrics import PassMetrics
from l7lb.telemetry.passes import Observer, Passes
from l7lb.telemetry.passlog import PassLog

_logger = logging.getLogger(__name__)

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
SPANS: Final = "l7lb.telemetry.spans"
"""Loaded when it is asked for: what it needs is an extra, and takes as long to load as all the rest."""
MISSING: Final = "traces need the extra `otel`: pip install 'l7lb[otel]'"


class Traces(Observer, Component, Protocol):
    """Follows passes, and is started and stopped with the process."""


Make: TypeAlias = Callable[[str, Mapping[str, str], Callable[[str, int], None]], Traces]


def tracing(config: Config, environ: Mapping[str, str], version: str, metrics: Metrics) -> tuple[Traces, ...]:
    """The sender of traces, or nothing. Raises ConfigurationError when the flag asks for what cannot be had.

    The environment is often the same for every pod of a cluster: what only it asks for does not keep us from starting.
    """
    if not is_asked(config, environ):
        return ()
    resource = {
        "service.name": environ.get("OTEL_SERVICE_NAME") or "l7lb",
        "service.version": version,
        "service.instance.id": identity(),
        "k8s.cluster.name": config.cluster_id,
        "cloud.provider": "tencent_cloud",
        "cloud.region": config.region,
    }
    try:
        make: Make = importlib.import_module(SPANS).sender
        return (make(config.otlp_endpoint, resource, partial(_count, metrics)),)
    except (ImportError, ValueError) as error:
        # ValueError: of a variable like OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT; some are read while the library is loaded.
        why = MISSING if isinstance(error, ImportError) else f"traces cannot be made: {error}"
        if config.otlp_endpoint:
            raise ConfigurationError(f"--otlp-endpoint: {why}") from error
        _logger.warning("no traces are sent: %s", why)
        return ()


def measuring(metrics: Metrics, clock: Clock, traces: tuple[Traces, ...]) -> Passes:
    """What follows the passes of a process: its log, its metrics, and its traces where there are any."""
    observers: tuple[Observer, ...] = (PassLog(), PassMetrics(metrics), *traces)
    return Passes(observers, monotonic=clock.monotonic, wall=clock.time, ids=pass_ids())


def is_asked(config: Config, environ: Mapping[str, str]) -> bool:
    """Whether somebody wants traces."""
    if config.otlp_endpoint:
        return True
    off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or environ.get("OTEL_TRACES_EXPORTER") == "none"
    return not off and any(environ.get(name) for name in ENDPOINTS)


def _count(metrics: Metrics, result: str, spans: int) -> None:
    metrics.count("l7lb_trace_spans_total", result, by=spans)
