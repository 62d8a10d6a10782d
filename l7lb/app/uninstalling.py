"""`l7lb leave` from the configuration to its scene: connected clients, the clock, what is printed."""

import time
from collections.abc import Callable, Mapping

from l7lb import __version__
from l7lb.adapters.kube.workload import KubeWorkload
from l7lb.app.config import Config
from l7lb.app.connections import connect
from l7lb.app.ending import of_a_cluster
from l7lb.app.handing import let_go, ours
from l7lb.app.leaving import Scene, Wish, leave
from l7lb.errors import ConfigurationError, GateClosed
from l7lb.model.identity import ObjectKey
from l7lb.runtime.clock import SystemClock
from l7lb.telemetry.metrics import Metrics


def uninstall(
    config: Config, environ: Mapping[str, str], deployment: str, wish: Wish, told: Callable[[str], None]
) -> bool:
    """Whether l7lb may be uninstalled now. `deployment`: NAMESPACE/NAME; raises ConfigurationError."""
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
        release=lambda heard: let_go(config, environ, heard),
        case=lambda: of_a_cluster(config, environ),
        clock=clock,
        sleep=time.sleep,
        told=told,
    )
    return leave(wish, scene)


def _never() -> None:
    raise GateClosed("what is written is written by other clients")
