"""From the configuration to an audit: connects, lists, and writes nothing."""

from collections.abc import Mapping

from l7lb import __version__
from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.listwatch import KubeListWatch
from l7lb.app.auditing import Audit, Place, audit
from l7lb.app.config import Config
from l7lb.app.connections import Connections, connect
from l7lb.app.progress import Progress, silent
from l7lb.app.releasing import listed
from l7lb.app.remembering import read_back
from l7lb.errors import AccessDenied, GateClosed, NotFound
from l7lb.model.cluster import Ingress
from l7lb.model.identity import Cluster
from l7lb.model.inventory import Memory
from l7lb.runtime.clock import Clock, SystemClock
from l7lb.telemetry.metrics import Metrics


def inspect(config: Config, environ: Mapping[str, str], told: Progress = silent) -> Audit:
    """From the cluster and the account as they are; raises Unavailable when they cannot be read."""
    clock = SystemClock()
    connections = connect(config, environ, Metrics(__version__), _never, clock)
    told("reading the cluster")
    return audit(place_of(config, connections, clock), told)


def place_of(config: Config, connections: Connections, clock: Clock) -> Place:
    """All namespaces, whatever the configuration watches: a part of the Ingresses would make orphans of the rest."""
    cluster = Cluster(config.cluster_id, connections.cluster.uid())
    listing: KubeListWatch[Ingress] = KubeListWatch(connections.kube, kinds.INGRESS)
    found = listed(listing)
    return Place(
        cluster=cluster,
        home=config.region,
        more_regions=config.other_regions,
        ingresses=found.items,
        undecoded=found.undecoded,
        live=connections.ingresses,
        cloud=connections.cloud,
        now=clock.time(),
        memory=_memory(config, connections, cluster),
    )


def _memory(config: Config, connections: Connections, cluster: Cluster) -> Memory:
    """Since when orphans are known is worth a word, and no failure.

    Only where they are collected: nobody keeps the memory else, and the right to read it is not given.
    """
    if not config.collect_orphans:
        return Memory()
    try:
        return read_back(connections.memory.read().text, cluster.id)
    except (NotFound, AccessDenied):
        return Memory()


def _never() -> None:
    raise GateClosed("an audit writes nothing")
