"""What /healthz, /readyz and /metrics answer, and the servers that answer them: first to start, last to stop."""

import logging
from collections.abc import Callable
from typing import Final, Protocol

from l7lb.app.config import Config
from l7lb.app.informing import Informers
from l7lb.app.leading import Term
from l7lb.runtime.clock import Clock
from l7lb.runtime.probes import Check, ProbeServer, health_routes, metrics_routes
from l7lb.telemetry.metrics import Metrics

_logger = logging.getLogger(__name__)

PASS_S_MAX: Final = 600.0
"""Each call of a pass ends within seconds: one that runs for so long never ends."""


class Leading(Protocol):
    """What leads in this process."""

    @property
    def terms(self) -> tuple[Term, ...]:
        """As far as it leads."""
        ...

    @property
    def problem(self) -> str:
        """Why it cannot; empty: it can, or is not asked to."""
        ...


class Health:
    """What is wrong, in words. A thread that dies ends the process, so only what hangs is left to be asked for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.informers: Informers | None = None
        self.leadership: Leading | None = None

    def live(self) -> str:
        """Empty, or why this process should be started anew."""
        terms, now = self.leadership.terms if self.leadership is not None else (), self._clock.monotonic()
        longest = max((term.queue.unfinished(now)[1] for term in terms), default=0.0)
        return f"a pass has been running for {longest:.0f} s" if longest > PASS_S_MAX else ""

    def ready(self) -> str:
        """Empty, or what is missing; a standby with warm caches is ready."""
        if self.informers is None or self.leadership is None:
            return "starting"
        if not self.informers.synced():
            return f"not synced: {self.informers.lacking()}"
        return self.leadership.problem


class Probes:
    """The servers, as one part of the process."""

    name = "probes"
    only_after_drain = False

    def __init__(self, config: Config, health: Health, metrics: Metrics) -> None:
        checks: dict[str, Check] = {"passes": health.live}
        routes = health_routes(checks, {"caches": health.ready})
        self._servers = {
            "metrics": ProbeServer(
                "--metrics-bind-address", config.metrics_bind_address, metrics_routes(metrics.render)
            ),
            "probes": ProbeServer("--health-probe-bind-address", config.health_probe_bind_address, routes),
        }

    def start(self, died: Callable[[str, BaseException | None], None]) -> None:  # noqa: ARG002 - threads of their own
        """Raises ConfigurationError when an address is not to be had."""
        for what, server in self._servers.items():
            place = server.start()
            if place is not None:
                _logger.info("serving %s on %s:%d", what, *place)

    def stop(self, timeout_s: float) -> bool:  # noqa: ARG002 - they wait for nobody
        """Close the ports."""
        for server in self._servers.values():
            server.stop()
        return True
