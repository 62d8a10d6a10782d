"""Fills the worlds that `l7lb plan` and `l7lb adopt` look at: a live cluster and account, read once, or files."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from l7lb import __version__
from l7lb.app.answering import Care, account
from l7lb.app.config import Config
from l7lb.app.connections import Connections, connect
from l7lb.app.gate import Gate, Standing
from l7lb.app.planning import Finding, Worlds, offline, plans
from l7lb.app.progress import Progress, silent
from l7lb.app.regions import regions
from l7lb.app.watching import Watching, settings_of, watching
from l7lb.errors import GateClosed, Unavailable
from l7lb.model.identity import BindingKey, Cluster
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import LoadBalancerHead
from l7lb.runtime.clock import Clock, SystemClock
from l7lb.telemetry.metrics import Metrics

SYNC_S_MAX: Final = 60.0
GATE_S_MAX: Final = 5.0
STOP_S: Final = 5.0
LOOK_S: Final = 0.02
OFFLINE: Final = "offline"
"""Stands for the UID of a cluster that is not asked."""
NO_NODES: Final = "NodesUnknown"


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found."""

    findings: tuple[Finding, ...]
    blocked: str = ""
    """Why `run` would not write now, in words; empty: it would."""


class _Nowhere:
    """Keys are not worked on: everything is planned once."""

    def add(self, key: BindingKey, lane: Lane, *, urgent: bool = False, after_s: float = 0.0) -> None:
        """Dropped."""

    def forget(self, uid: str) -> None:
        """Nothing was written."""


def survey_files(files: tuple[Path, ...], config: Config) -> Survey:
    """From manifests alone; raises ConfigurationError."""
    worlds = offline(files, Cluster(config.cluster_id, OFFLINE), settings_of(config), SystemClock())
    findings = plans(worlds)
    if not worlds.stores.nodes:
        for finding in findings:  # files without nodes are no cluster whose nodes cannot be read: the last line says so
            finding.notes = [note for note in finding.notes if note.reason != NO_NODES]
    return Survey(findings)


def survey_live(config: Config, environ: Mapping[str, str], told: Progress = silent) -> Survey:
    """From the cluster and the account as they are; raises Unavailable when they cannot be read."""
    clock, metrics = SystemClock(), Metrics(__version__)
    connections = connect(config, environ, metrics, _closed, clock)
    with surveyed(config, connections, clock, metrics, told=told) as found:
        return Survey(plans(found.worlds, told=told), "" if found.standing.open else found.standing.reason)


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A live cluster and account with filled caches."""

    worlds: Worlds
    standing: Standing
    """Of the gate, when the caches had been filled."""
    gate: Gate
    heads: tuple[LoadBalancerHead, ...]
    """Every load balancer that bears the cluster's id."""
    unanswered: Mapping[str, str] = field(default_factory=dict)
    """Region -> why nothing of it is known."""


@contextmanager
def surveyed(
    config: Config,
    connections: Connections,
    clock: Clock,
    metrics: Metrics,
    *,
    care: Care = Care.IDENTITY,
    told: Progress = silent,
) -> Iterator[Surveyed]:
    """Caches are filled, and kept right until the end of the context.

    `care`: what of the account cannot be done without.
    """
    cluster = Cluster(config.cluster_id, connections.cluster.uid())
    watch = watching(config, connections, _Nowhere(), clock, metrics)
    watch.informers.start(_note_death)
    try:
        _fill(watch, clock, told)
        told("looking for load balancers")
        everyone = tuple(item.object for item in watch.stores.ingresses.list())
        places = regions(everyone, cluster, config.region, config.other_regions)
        there = account(connections.cloud, cluster, settings_of(config), places, care)
        worlds = Worlds(
            cluster, there.settings, watch.stores, watch.caches, connections.cloud, connections.ingresses, clock
        )  # fmt: skip
        yield Surveyed(worlds, watch.gate.standing(), watch.gate, there.heads, there.unanswered)
    finally:
        watch.informers.stop(STOP_S)


def _fill(watch: Watching, clock: Clock, told: Progress) -> None:
    """Read everything once; that the gate's objects cannot be read is an answer as well."""
    began = clock.monotonic()
    while not watch.informers.synced():
        told("reading the cluster")
        if clock.monotonic() - began > SYNC_S_MAX:
            raise Unavailable(f"the cluster cannot be read: {watch.informers.lacking()}")
        time.sleep(LOOK_S)
    while not watch.informers.gate_readable() and clock.monotonic() - began < GATE_S_MAX:
        time.sleep(LOOK_S)


def _note_death(name: str, error: BaseException | None) -> None:
    """What has died never gets synced: the time-out tells."""


def _closed() -> None:
    raise GateClosed("a plan writes nothing")
