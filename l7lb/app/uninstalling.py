"""`l7lb leave` from the configuration to its scene: connected clients, the clock, what is printed."""

import time
from collections.abc import Callable, Mapping

from l7lb import __version__, ledger
from l7lb.adapters.kube.workload import KubeWorkload
from l7lb.app.auditing import AT_REST, Everyone
from l7lb.app.census import census
from l7lb.app.config import Config
from l7lb.app.connections import connect
from l7lb.app.ending import of_a_cluster
from l7lb.app.handing import let_go, ours
from l7lb.app.holding import Waits
from l7lb.app.leaving import NAMED_MAX, Scene, Wish, leave, while_it_ends
from l7lb.app.planning import patiently
from l7lb.app.regions import look, regions
from l7lb.errors import ConfigurationError, GateClosed, RetryableError, TerminalError
from l7lb.model.cluster import Ingress
from l7lb.model.identity import Cluster, ObjectKey
from l7lb.reconciler.ports import LoadBalancers
from l7lb.runtime.clock import SystemClock
from l7lb.telemetry.metrics import Metrics


def uninstall(
    config: Config, environ: Mapping[str, str], deployment: str, wish: Wish, told: Callable[[str], None], waits: Waits
) -> bool:
    """Whether l7lb may be uninstalled now. `deployment`: NAMESPACE/NAME; raises ConfigurationError."""
    waits = while_it_ends(waits)
    namespace, _, name = deployment.partition("/")
    if not namespace or not name:
        raise ConfigurationError("--deployment: is not of the form NAMESPACE/NAME")
    clock = SystemClock()
    connections = connect(config, environ, Metrics(__version__), _never, clock)
    scene = Scene(
        cluster=config.cluster_id,
        namespace=config.watch_namespace,
        workload=KubeWorkload(connections.kube, ObjectKey(namespace, name)),
        marked=lambda: ours(config, environ),
        release=lambda heard: let_go(config, environ, heard, waits),
        case=lambda: of_a_cluster(config, environ, waits),
        stranded=lambda: stranded(config, connections.cluster.uid, connections.ingresses, connections.cloud),
        clock=clock,
        sleep=time.sleep,
        told=told,
    )
    return leave(wish, scene)


def stranded(config: Config, uid: Callable[[], str], live: Everyone, cloud: LoadBalancers) -> str:
    """What a look by the cluster's tag finds that no Ingress has, in words; also that it could not be looked.

    `uid`: of the namespace kube-system.
    """
    try:
        cluster = Cluster(config.cluster_id, uid())
        everyone = live.everyone()
        bare = tuple(Ingress(metadata=one.metadata) for one in everyone)
        places = regions(bare, cluster, config.region, config.other_regions)
        found = patiently(lambda: look(cloud, ledger.of_cluster(cluster), places))
    except (RetryableError, TerminalError) as error:
        return f"; whether a load balancer is left without one could not be looked up: {error}"
    entries = ledger.inventory(found.heads, cluster, census(everyone, cluster))
    left = sorted(str(one.head.ref) for one in entries if one.use not in AT_REST)
    unread = "".join(f"; {region} could not be read: {why}" for region, why in found.refused.items())
    where = f"looked in {', '.join(found.regions)}{unread}"
    if not left:
        return f", and no load balancer of the cluster is without one ({where}): nothing is left behind"
    more = f" and {len(left) - NAMED_MAX} more" if len(left) > NAMED_MAX else ""
    named = f"{', '.join(left[:NAMED_MAX])}{more} ({where})"
    return f"; none has {named}: nobody takes them away afterwards, l7lb audit says what they are"


def _never() -> None:
    raise GateClosed("what is written is written by other clients")
