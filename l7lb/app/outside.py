"""Connects a command that looks to a cluster and an account, and fills caches once. Nothing is written."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from l7lb import __version__
from l7lb.adapters.kube.leases import KubeLeases
from l7lb.app.answering import Care
from l7lb.app.campaign import lease_key
from l7lb.app.config import Config
from l7lb.app.connections import connect
from l7lb.app.examining import lease_of, shard_leases
from l7lb.app.facts import Known, Unread, ask
from l7lb.app.progress import Progress, silent
from l7lb.app.survey import Surveyed, surveyed
from l7lb.errors import GateClosed
from l7lb.model.lease import LeaseRecord
from l7lb.runtime.clock import SystemClock
from l7lb.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Outlook:
    """What can be looked at."""

    found: Surveyed
    lease: Known[LeaseRecord | None] | Unread
    shards: tuple[Known[LeaseRecord | None] | Unread, ...]
    """As in `facts.ClusterFacts`."""


@contextmanager
def outlook(config: Config, environ: Mapping[str, str], told: Progress = silent) -> Iterator[Outlook]:
    """Raises ConfigurationError, and Unavailable when the cluster cannot be read; an account may be silent."""
    clock, metrics = SystemClock(), Metrics(__version__)
    connections = connect(config, environ, metrics, _never, clock)
    leases = KubeLeases(connections.kube, lease_key(config.cluster_id))
    with surveyed(config, connections, clock, metrics, care=Care.NOTHING, told=told) as found:
        lease = ask(lambda: lease_of(leases))
        yield Outlook(found, lease, shard_leases(connections.kube, config.cluster_id, lease))


def _never() -> None:
    raise GateClosed("whoever looks writes nothing")
