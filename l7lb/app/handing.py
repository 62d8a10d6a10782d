"""The commands that hand a cluster over: `adopt` and `release`, from the configuration to what there is to print."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from l7lb import __version__
from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.listwatch import KubeListWatch, Scope
from l7lb.app.adopting import Takeover, assess, take_over
from l7lb.app.config import Config
from l7lb.app.connections import connect
from l7lb.app.door import Doorman
from l7lb.app.holding import Waits, holding, in_silence
from l7lb.app.progress import Progress, silent
from l7lb.app.releasing import Release, marked, release
from l7lb.app.survey import surveyed
from l7lb.errors import GateClosed
from l7lb.model.cluster import Ingress
from l7lb.runtime.clock import SystemClock
from l7lb.runtime.election import WriteGuard
from l7lb.telemetry.metrics import Metrics


def look(config: Config, environ: Mapping[str, str], told: Progress = silent) -> Takeover:
    """How everything stands; works while TKE's controller runs, and while `run` holds the Lease."""
    clock, metrics = SystemClock(), Metrics(__version__)
    connections = connect(config, environ, metrics, _never, clock)
    with surveyed(config, connections, clock, metrics, told=told) as found:
        return assess(found, connections.cloud, told=told)


def adopt(config: Config, environ: Mapping[str, str], told: Progress = silent, waits: Waits = in_silence) -> Takeover:
    """Enter finalizers and records where nothing is to be written.

    Raises GateClosed while TKE's controller may run, LostLeadership while `run` holds the Lease.
    """
    clock, metrics, door = SystemClock(), Metrics(__version__), Doorman(SystemClock())
    connections = connect(config, environ, metrics, door.check, clock)
    with surveyed(config, connections, clock, metrics, told=told) as found:
        if not found.standing.open:
            raise GateClosed(f"nothing is taken over while TKE's own controller may run: {found.standing.reason}")
        with holding(config, connections, clock, waits) as guard:
            door.guard, door.gate = guard, found.gate
            return take_over(found.worlds, assess(found, connections.cloud, told=told))


def ours(config: Config, environ: Mapping[str, str]) -> tuple[Ingress, ...]:
    """Every Ingress of the cluster that bears our marks, whatever is watched now; changes nothing."""
    connections = connect(config, environ, Metrics(__version__), _never, SystemClock())
    return marked(KubeListWatch(connections.kube, kinds.INGRESS, Scope()), connections.ingresses)


def let_go(
    config: Config, environ: Mapping[str, str], told: Callable[[Release], None], waits: Waits = in_silence
) -> tuple[Release, ...]:
    """Take our marks off; raises LostLeadership while `run` holds the Lease. TKE's controller may be running."""
    clock, door = SystemClock(), _LeaseAlone()
    connections = connect(config, environ, Metrics(__version__), door.check, clock)
    with holding(config, connections, clock, waits) as guard:
        door.guard = guard
        listing: KubeListWatch[Ingress] = KubeListWatch(connections.kube, kinds.INGRESS, Scope(config.watch_namespace))
        return release(marked(listing, connections.ingresses, config.watch_namespace), connections.ingresses, told)


@dataclass(slots=True)
class _LeaseAlone:
    """What is taken off may be taken off while TKE's controller runs."""

    guard: WriteGuard | None = None

    def check(self) -> None:
        if self.guard is None:
            _never()
        else:
            self.guard.check()


def _never() -> None:
    raise GateClosed("this command writes nothing")
