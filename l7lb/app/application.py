"""`l7lb run`: which parts one process has, and in what order they start and stop.

Start: probes, first contact, informers, events, lease, leadership. Stop: leadership (running passes end), events,
informers, then the lease, so that the next leader begins at once and nothing of ours is on its way any more; probes
last. A lost lease ends the process on the spot, a dead thread in order: a restart is safer than a half-dead writer.
"""

import importlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from l7lb.app.commanding import Orders, Post, command
from l7lb.app.config import OFF, Config
from l7lb.app.connections import connect, tell_rates
from l7lb.app.door import Doorman, QuietEvents
from l7lb.app.gauges import Gauges
from l7lb.app.health import Health, Probes
from l7lb.app.leadership import Leadership, Office
from l7lb.app.leading import QueueSink
from l7lb.app.patience import Patience
from l7lb.app.seats import Fleet, Router
from l7lb.app.shards import Scope
from l7lb.app.tracing import measuring, tracing
from l7lb.app.watching import watching
from l7lb.model.identity import Cluster
from l7lb.runtime.clock import Clock, SystemClock
from l7lb.runtime.election import Lead
from l7lb.runtime.lifecycle import Component, Lifecycle, Service, Threads, end_process
from l7lb.telemetry.metrics import Metrics
from l7lb.telemetry.passes import Passes
from l7lb.telemetry.shares import Shares

WEBHOOK: Final = "l7lb.app.webhook"
CONSOLE: Final = "l7lb.app.visiting"
"""Modules that are loaded for those who ask for them: together they take as long as a fifth of all the rest."""


def load(module: str) -> Callable[..., Component]:
    """What makes the part of a process that the module is for."""
    make: Callable[..., Component] = importlib.import_module(module).part
    return make


class Application:
    """One process. `run` returns its exit code: 0 stopped by a signal, 1 it could not go on."""

    def __init__(
        self,
        config: Config,
        environ: Mapping[str, str],
        version: str,
        *,
        clock: Clock | None = None,
        end: Callable[[str], None] = end_process,
    ) -> None:
        """`end` is called when leadership is lost, and does not come back. Raises ConfigurationError."""
        clock = clock if clock is not None else SystemClock()
        metrics = Metrics(version)
        self.config, self._uid, health = config, "", Health(clock)
        traces = tracing(config, environ, version, metrics)
        passes, shares = measuring(metrics, clock, traces), Shares(metrics)
        posts = tuple(self._post(environ, metrics, clock, passes) for _ in range(config.shards))
        first, sinks = posts[0], tuple(post.sink for post in posts)
        self._connections = first.connections
        watch = watching(config, self._connections, Router(sinks) if sinks[1:] else first.sink, clock, metrics)

        def leading(post: Post, lease: Lead, scope: Scope) -> Leadership:
            office = Office(
                config=config,
                connections=post.connections,
                watching=watch,
                elector=lease,
                sink=post.sink,
                events=QuietEvents(self._connections.events, watch.gate),
                metrics=metrics,
                clock=clock,
                cluster=self._cluster,
                writable=post.door.check,
                passes=passes,
                scope=scope,
                shares=None if scope.whole else shares,
            )
            return Leadership(office)

        led = command(posts, Orders(config, clock, leading, watch.informers.synced, end))
        leadership, campaign = led.leadership, led.campaign
        for post in posts:
            post.door.gate = watch.gate
        health.informers, health.leadership = watch.informers, leadership
        metrics.before_render(Gauges(metrics, watch, leadership, led.leases, clock).refresh)
        metrics.before_render(partial(_tell_budgets, metrics, posts, leadership))
        self._contact = Patience("the API server", clock, self._pause)
        probes = Probes(config, health, metrics)
        contact = Service("contact", self._meet, lambda: None)
        events = Threads("events", {"events": first.connections.events.run}, first.connections.events.stop)
        asked: list[Component] = []
        if config.readiness_webhook:
            asked.append(load(WEBHOOK)(config, watch, self._connections.kube, first.door.check, clock, metrics))
        if config.console_bind_address != OFF:
            seen = (watch, self._connections, leadership, campaign.elector, clock, self._cluster)
            asked.append(load(CONSOLE)(config, *seen))
        late: tuple[Component, ...] = (*traces, probes)
        self.lifecycle = Lifecycle(
            (probes, *traces, contact, watch.informers, *asked, events, campaign.part, leadership),
            stop_order=(leadership, *asked, events, watch.informers, campaign.part, contact, *late),
        )

    def run(self) -> int:
        """Until a signal, or until it cannot go on. Raises ConfigurationError."""
        return self.lifecycle.run()

    def _post(self, environ: Mapping[str, str], metrics: Metrics, clock: Clock, passes: Passes) -> Post:
        door = Doorman(clock)
        return Post(door, connect(self.config, environ, metrics, door.check, clock, passes), QueueSink(clock))

    def _pause(self, seconds: float) -> bool:
        return self.lifecycle.pause(seconds)

    def _cluster(self) -> Cluster:
        return Cluster(self.config.cluster_id, self._uid)

    def _meet(self) -> None:
        """Who this cluster is; asked until it answers."""
        self._uid = self._contact.ask(self._connections.cluster.uid) or ""


def _tell_budgets(metrics: Metrics, posts: tuple[Post, ...], leadership: Leadership | Fleet) -> None:
    working = [leadership] if isinstance(leadership, Leadership) else [seat.leadership for seat in leadership.seats]
    busy = [post for post, one in zip(posts, working, strict=True) if one.terms or not posts[1:]]
    tell_rates(metrics, *(post.connections.limits for post in busy))
    metrics.only("l7lb_quota_usage_ratio", leadership.quotas())
