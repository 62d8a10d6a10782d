"""Caches, the informers that fill them, and the triggers that they set off: what `run` and `plan` have in common."""

import random
from dataclasses import dataclass

from l7lb.app.caches import Caches, Stores, stores
from l7lb.app.config import Config
from l7lb.app.connections import Connections
from l7lb.app.gate import Gate
from l7lb.app.informing import Informers, fill, gate_evidence
from l7lb.app.secrets import Means
from l7lb.app.triggers import Sink, Triggers
from l7lb.model.identity import Cluster
from l7lb.model.snapshot import Settings
from l7lb.runtime.clock import Clock
from l7lb.telemetry.informing import InformerCounting
from l7lb.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Watching:
    """A cluster under watch."""

    stores: Stores
    caches: Caches
    triggers: Triggers
    informers: Informers
    gate: Gate
    settings: Settings


def settings_of(config: Config) -> Settings:
    """The part of the configuration that decides how an Ingress is read."""
    return Settings(config.cluster_id, config.region, config.vpc_id, manage_classless=config.manage_classless)


def watching(
    config: Config,
    connections: Connections,
    sink: Sink,
    clock: Clock,
    metrics: Metrics,
    dice: random.Random | None = None,
) -> Watching:
    """Nothing is started yet. The cluster's UID is not needed here: records name a cluster by its id.

    `dice` spread the waits of the informers; None: dice of their own.
    """
    cluster, settings = Cluster(config.cluster_id), settings_of(config)
    kept = stores(cluster, settings)
    made = Informers(Means(connections.kube, clock, dice or random.Random(), InformerCounting(metrics)))
    caches = Caches(
        kept,
        cluster,
        unread=made.unread,
        wall=clock.time,
        service_exists=lambda key: connections.ingresses.live_service(key) is not None,
        unread_secrets=made.unread_secrets_by_now,
    )
    triggers = Triggers(kept, caches, cluster, settings, sink)
    fill(made, kept, triggers, namespace=config.watch_namespace, referenced=config.secrets_from == "referenced")
    gate = Gate(lambda: gate_evidence(kept, made), ignored=config.ignore_tke_controller)
    return Watching(kept, caches, triggers, made, gate, settings)
