"""Fills the worlds that `l7lb plan` plans from: a live cluster and account, read once, or files."""

import random
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from l7lb import __version__
from l7lb.app.caches import Caches, stores
from l7lb.app.config import Config
from l7lb.app.connections import connect
from l7lb.app.informing import Means, informers
from l7lb.app.leading import with_limits
from l7lb.app.planning import Finding, Worlds, offline, plans
from l7lb.app.triggers import Triggers
from l7lb.errors import GateClosed, Unavailable
from l7lb.model.identity import BindingKey, Cluster
from l7lb.model.lane import Lane
from l7lb.model.snapshot import Settings
from l7lb.runtime.clock import SystemClock
from l7lb.telemetry.informing import InformerCounting
from l7lb.telemetry.metrics import Metrics

SYNC_S_MAX: Final = 60.0


class _Nowhere:
    """Keys are not worked on: everything is planned once."""

    def add(self, key: BindingKey, lane: Lane, *, urgent: bool = False, after_s: float = 0.0) -> None:
        """Dropped."""


def settings_of(config: Config) -> Settings:
    """The part of the configuration that decides how an Ingress is read."""
    return Settings(config.cluster_id, config.region, config.vpc_id, manage_classless=config.manage_classless)


def survey_files(files: tuple[Path, ...], config: Config) -> tuple[Finding, ...]:
    """From manifests alone; raises ConfigurationError."""
    cluster = Cluster(config.cluster_id, "offline")
    return plans(offline(files, cluster, settings_of(config), SystemClock()))


def survey_live(config: Config, environ: Mapping[str, str]) -> tuple[Finding, ...]:
    """From the cluster and the account as they are; raises Unavailable when the cluster cannot be read."""
    clock, metrics = SystemClock(), Metrics(__version__)
    connections = connect(config, environ, metrics, _closed)
    cluster = Cluster(config.cluster_id, connections.cluster.uid())
    settings = with_limits(settings_of(config), connections.cloud)
    kept = stores(cluster, settings)
    caches = Caches(
        kept,
        cluster,
        unread=lambda: made.unread(),  # noqa: PLW0108 - made a few lines below
        wall=clock.time,
        service_exists=lambda key: connections.ingresses.live_service(key) is not None,
    )
    means = Means(connections.kube, clock, random.Random(), InformerCounting(metrics))
    made = informers(
        means,
        kept,
        Triggers(kept, caches, cluster, settings, _Nowhere()),
        namespace=config.watch_namespace,
        referenced=config.secrets_from == "referenced",
    )
    made.start()
    try:
        deadline = time.monotonic() + SYNC_S_MAX
        while not made.synced():
            if time.monotonic() > deadline:
                raise Unavailable(f"the cluster cannot be read: {', '.join(sorted(made.unread()))}")
            time.sleep(0.02)
        return plans(Worlds(cluster, settings, kept, caches, connections.cloud, connections.ingresses, clock))
    finally:
        made.stop()


def _closed() -> None:
    raise GateClosed("a plan writes nothing")
